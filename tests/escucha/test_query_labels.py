"""Labels in a query go by their keys and by what people call them."""

from __future__ import annotations

import pytest

from escucha.errors import Invalid
from escucha.journey import Catalogue, Pain, Stage, Touchpoint
from escucha.query.labels import labelled
from escucha.query.parse import parse

CATALOGUE = Catalogue(
    stages=(Stage(key="purchase", label={"es": "Compra", "en": "Purchase"}),
            Stage(key="service", label={"es": "Atención al cliente", "en": "Service"})),
    pains=(Pain(key="problem", label={"es": "Problema", "en": "Problem"}),),
    touchpoints=(Touchpoint(key="store", label={"es": "Tienda", "en": "Service"}),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("etapa:compra", "stage:purchase"), ("stage:PURCHASE -café", "stage:purchase -café"),
        ('café ("té" OR etapa:"atención al cliente")', "café (té OR stage:service)"),
        ("punto:service", "touchpoint:store"), ("tag:joy", "tag:joy"), ("café NEAR/3 frío", "café NEAR/3 frío"),
        ("-dolor:problema", "-pain:problem"), ("etapa:ninguna", "stage:none"), ("etiqueta:tienda", "tag:store"),
        ("sentimiento:negativo", "sentiment:negative"),
    ],
)  # fmt: skip
def test_a_label_goes_by_its_key_and_its_names(asked: str, meant: str) -> None:
    assert labelled(asked, parse(asked), CATALOGUE) == parse(meant)


def test_an_unknown_label_is_named_with_its_place_and_those_that_there_are() -> None:
    with pytest.raises(Invalid) as caught:
        labelled("café\netapa:conpra", parse("café\netapa:conpra"), CATALOGUE)
    told = caught.value.details
    assert (told["line"], told["column"], told["known"]) == (2, 1, "purchase, service, none")
    assert told["suggestion"] == "etapa:purchase"


def test_a_query_without_labels_stays_as_it_was_read() -> None:
    query = parse("café -autor:ana lang:es")
    assert labelled("café -autor:ana lang:es", query, CATALOGUE) is query
