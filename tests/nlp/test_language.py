"""Languages are told apart, and what cannot be told is said to be so."""

from __future__ import annotations

from pathlib import Path

import pytest

from escucha.errors import ConfigError
from nlp.evaluate import read_labelled
from nlp.language import Language
from tests.nlp.fakes import texts


@pytest.fixture(scope="module")
def language() -> Language:
    return Language(("es", "en", "pt"))


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Llevo tres semanas esperando el reembolso y nadie contesta", "es"),
        ("LLEVO TRES SEMANAS ESPERANDO EL REEMBOLSO", "es"),
        ("I have been waiting for my refund for three weeks", "en"),
        ("Estou esperando o reembolso há três semanas e ninguém responde", "pt"),
        ("@iberia https://t.co/abc #vuelo ¿a qué hora sale el avión?", "es"),
        ("Je n'ai toujours pas reçu ma commande, c'est inadmissible", "fr"),
        ("Ich warte seit drei Wochen auf mein Geld", "de"),
    ],
)
def test_a_language_is_told(language: Language, text: str, lang: str) -> None:
    assert language.tell(text).label == lang
    assert language.tell(text).score > 0.5


@pytest.mark.parametrize(
    ("text", "lang"),
    [("no sirve la app", "es"), ("bom demais", "pt"), ("très bon café monsieur", "fr"), ("ottimo caffè davvero", "it")],
)
def test_a_neighbour_must_be_sure_to_be_named(language: Language, text: str, lang: str) -> None:
    assert language.tell(text).label == lang


@pytest.mark.parametrize(
    "text",
    ["", "   ", "😡😡😡", "ok", "jajaja", "a b", "@ana @luis", "https://example.com/hola-mundo", "#BuenosDias",
     "12345 67", "¿¡!?", "Это ужасный сервис, ничего не работает", "とても良い サービスです ありがとう", "\x00\ud800"],
)  # fmt: skip
def test_what_cannot_be_told_is_und(language: Language, text: str) -> None:
    assert language.tell(text).label == "und"
    assert language.tell(text).score == 0


def test_two_identifiers_do_not_share_their_restriction() -> None:
    spanish, german = Language(("es",)), Language(("es", "sv"))
    assert spanish.tell("Jag har väntat på min beställning i tre veckor").label != "sv"
    assert german.tell("Jag har väntat på min beställning i tre veckor").label == "sv"


def test_a_language_that_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="xx"):
        Language(("es", "xx"))


def test_a_batch_keeps_its_order(language: Language) -> None:
    batch = language(texts("the food was cold and late", "😡", "la comida llegó fría y tarde"))
    assert [enrichment.lang.label for enrichment in batch if enrichment.lang] == ["en", "und", "es"]


def test_tweets_in_three_languages_are_told_apart(language: Language, shared: Path) -> None:
    rows, _ = read_labelled(shared / "data" / "umsab" / "dev.jsonl.gz")
    right = sum(language.tell(row.text).label == row.lang for row in rows)
    assert right / len(rows) > 0.97
