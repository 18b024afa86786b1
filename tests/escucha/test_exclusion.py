"""What an exclusion means, what it may not ask for, and how far it tells a brand from a common word."""

from __future__ import annotations

import pytest

from escucha.errors import Invalid
from escucha.exclusion import Exclusion, by_kind, hidden_as, why_hidden
from escucha.mention import Author
from escucha.query.match import matcher
from escucha.query.reading import Reading
from tests import make


def read(text: str = "El café llegó frío", **changes: object) -> Reading:
    return Reading(make.mention("1", text, **changes), "lumbre")


@pytest.mark.parametrize(("kind", "value", "tidied"), [
    ("query", "  leña OR\nfogata ", "leña OR\nfogata"),
    ("author", " @Ana@Social.Example ", "ana@social.example"),
    ("author", "mastodon:@Ana@social.example", "mastodon:ana@social.example"),
    ("author", "did:plc:Abc", "did:plc:abc"),
    ("site", "https://www.Ejemplo.com/", "ejemplo.com"),
    ("site", "ejemplo.com:8080", "ejemplo.com"),
    ("site", "https://ejemplo.com/Cupones/?p=1#x", "ejemplo.com/cupones/"),
])
def test_a_value_is_tidied(kind: str, value: str, tidied: str) -> None:
    assert by_kind(kind, value).value == tidied
    assert by_kind(kind, tidied).value == tidied


@pytest.mark.parametrize(("kind", "value", "says"), [
    ("query", "", "empty"),
    ("query", "(leña", "Line 1, column 1"),
    ("query", "leña\n -fogata etapa:purchase", "Line 2, column 10: etapa:"),
    ("query", "leña (sentimiento:negativo OR pain:problem)", "sentimiento:"),
    ("query", "followers:<10", "followers:"),
    ("query", "lang:pt", "Leave lang: out"),
    ("author", "@", "handle or id"),
    ("author", "mastodon:@", "handle or id"),
    ("author", "a" * 301, "300"),
    ("site", "localhost", "no site"),
    ("site", "dos palabras.com", "no site"),
    ("word", "leña", "query, author, site"),
])
def test_what_cannot_be_judged_as_a_mention_comes_in_is_refused(kind: str, value: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        by_kind(kind, value)


def test_a_field_in_quotes_is_a_phrase_and_not_refused() -> None:
    assert by_kind("query", '"stage: purchase" leña').kind == "query"


@pytest.mark.parametrize(("kind", "value", "changes", "means"), [
    ("query", "leña", {"text": "Vendo LEÑA seca"}, True),
    ("query", "leña", {"text": "Vendo lena"}, False),
    ("author", "ana@social.invalid", {}, True),
    ("author", "ana", {}, True),  # her id
    ("author", "mastodon:@ana@social.invalid", {}, True),
    ("author", "reddit:@ana@social.invalid", {}, False),
    ("author", "ana@social", {}, False),
    ("author", "did:plc:abc", {"author": Author(id="did:plc:abc", handle="abc.example")}, True),
    ("author", "ana", {"author": None}, False),
    ("site", "social.invalid", {}, True),
    ("site", "social.invalid", {"url": "https://www.social.invalid:443/x"}, True),
    ("site", "social.invalid", {"url": "https://eu.Social.invalid/x"}, True),
    ("site", "social.invalid", {"url": "https://antisocial.invalid/x"}, False),
    ("site", "social.invalid", {"url": "https://otro.example/?u=social.invalid"}, False),
    ("site", "social.invalid", {"url": None}, False),
    ("site", "social.invalid/blog", {"url": "https://social.invalid/blog/1"}, True),
    ("site", "social.invalid/blog", {"url": "https://social.invalid/tienda"}, False),
    ("site", "social.invalid/blog/", {"url": "https://social.invalid/blogs"}, False),
])
def test_what_an_exclusion_means(kind: str, value: str, changes: dict[str, object], means: bool) -> None:
    exclusion = by_kind(kind, value)
    reading = read(**{"text": "El café llegó frío", **changes})
    assert matcher(exclusion.query)(reading) is means
    assert (why_hidden(reading, [exclusion]) is exclusion) is means


def test_the_first_exclusion_is_the_reason_and_a_persons_word_and_a_block_go_before() -> None:
    said = make.mention("1", "leña y fogata")
    both = [Exclusion(id=3, kind="query", value="fogata"), Exclusion(id=9, kind="query", value="leña")]
    assert hidden_as(said, "lumbre", both) == "exclusion:3"
    assert hidden_as(said, "lumbre", both[1:]) == "exclusion:9"
    assert hidden_as(said, "lumbre", []) is None
    assert hidden_as(said, "lumbre", both, relevant=True) is None
    assert hidden_as(said, "lumbre", [], relevant=False) == "person"
    assert hidden_as(said, "lumbre", [], relevant=True, blocked=True) == "blocked"
    assert hidden_as(said, "lumbre", both, blocked=True) == "blocked"
    assert hidden_as(said, "lumbre", both, relevant=False, blocked=True) == "person"
