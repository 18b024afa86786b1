"""Corrected shares and what to check, over HTTP and on the pages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from starlette.testclient import TestClient

from escucha.enrichment import Label
from escucha.vector import pack
from nlp.quantify import embedded_dev
from store import brands, enrichments, mentions
from store.engine import Store
from tests.api.conftest import Open, days_ago
from tests.api.test_pages import page, words
from tests.make import NOW, brand, understood


@pytest.fixture
def read(sqlite_store: Store) -> Store:
    """A brand with 60 mentions that the embedded model has read; one is unsure, one has stars against its text."""
    with sqlite_store.write() as session:
        brands.add(session, brand("lumbre"))
    held = embedded_dev()
    rows, feels = held.told("sentiment")
    chosen = np.random.default_rng(0).choice(len(rows), 60, replace=False)
    vectors = pack(rows[chosen], held.reads)
    for at, (row, vector) in enumerate(zip(chosen, vectors, strict=True)):
        enrichment = replace(understood(sentiment=str(feels[row])), vector=vector)
        rating = None
        if at == 0:
            enrichment = replace(enrichment, stage=Label("purchase", 0.05))
        if at == 1:
            enrichment, rating = replace(enrichment, sentiment=Label("positive", 0.99)), 1.0
        with sqlite_store.write() as session:
            said = days_ago(1, str(at), "Prueba", rating=rating)
            mentions.save(session, brands.get(session, "lumbre"), [said], NOW)
            enrichments.save(session, [(one, enrichment) for one in enrichments.claim(session, 5, NOW)], NOW)
    return sqlite_store


@pytest.fixture
def reader(opened: Open, read: Store) -> TestClient:
    return opened(read)


def test_shares_are_served_as_counted_and_put_right(reader: TestClient) -> None:
    answer = reader.get("/api/v1/shares?brand=lumbre&kind=sentiment").json()
    assert (answer["n"], answer["read"], answer["why_not"]) == (60, 60, None)
    for label in answer["labels"]:
        assert label["right"]["low"] <= label["right"]["share"] <= label["right"]["high"]


@pytest.mark.parametrize("query", ["kind=mood&brand=lumbre", "brand=lumbre"])
def test_a_kind_that_has_no_shares_is_refused(reader: TestClient, query: str) -> None:
    assert reader.get(f"/api/v1/shares?{query}").status_code == 422


def test_an_unknown_brand_has_no_shares(reader: TestClient) -> None:
    assert reader.get("/api/v1/shares?brand=nobody&kind=stage").status_code == 404


@pytest.mark.parametrize(("path", "kinds"), [("/", ("sentiment", "pain")), ("/journey", ("stage", "touchpoint"))])
def test_pages_show_the_corrected_share_beside_the_count(reader: TestClient, path: str, kinds: tuple[str, ...]) -> None:
    tree = page(reader, path)
    for kind in kinds:
        assert "Cuota corregida" in words(tree, f"#shares-{kind} h2")
        assert " a " in words(tree, f"#shares-{kind} td.interval")
    assert "¿Por qué difieren las dos?" in words(tree, f"#shares-{kinds[0]} summary")


def test_a_page_with_few_mentions_says_why_no_share_is_corrected(client: TestClient) -> None:
    said = words(page(client, "/"), "#shares-sentiment")
    assert "Solo hay 7 menciones" in said
    assert len(page(client, "/").css("#shares-sentiment thead th")) == 2


def test_what_to_check_is_listed_least_sure_first_and_marked(reader: TestClient) -> None:
    tree = page(reader, "/mentions?review=true")
    first = tree.css(".mention")
    assert len(first) == 2
    assert "Las estrellas y el texto no coinciden" in words(first[0], ".to-check")
    assert "Etapa 5 %" in words(first[1], ".to-check")
    assert page(reader, "/mentions").css_first(".review-switch").attributes["href"].endswith("review=true")


def test_a_sure_mention_is_not_marked(reader: TestClient) -> None:
    cards = page(reader, "/mentions").css(".mention")
    assert len(cards) == 30
    assert sum(bool(card.css(".to-check")) for card in cards) <= 2


def test_the_filter_to_check_stays_while_searching_and_can_be_dropped(reader: TestClient) -> None:
    tree = page(reader, "/mentions?review=true")
    assert tree.css_first('form.search input[name="review"]').attributes["value"] == "true"
    assert all("review" not in (link.attributes["href"] or "") for link in tree.css(".chips a"))
    assert not page(reader, "/mentions").css('form.search input[name="review"]')


def test_the_api_orders_by_doubt(reader: TestClient) -> None:
    first = reader.get("/api/v1/mentions?brand=lumbre&review=true&order=uncertainty&limit=1").json()
    assert first["items"][0]["mention"]["rating"] == 1
    asked = {"brand": "lumbre", "review": True, "order": "uncertainty", "limit": 1, "after": first["next"]}
    second = reader.get("/api/v1/mentions", params=asked).json()
    assert second["items"][0]["enrichment"]["stage"]["score"] == 0.05
    assert second["next"] is None
    assert reader.get("/api/v1/mentions?brand=lumbre&order=uncertainty").status_code == 422
