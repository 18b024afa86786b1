"""Everything a reader sees exists in Spanish, and numbers and dates are written the reader's way."""

from __future__ import annotations

import string
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from api.i18n import LOCALES, Reader, preferred, translate
from escucha import errors
from escucha.errors import EscuchaError, NotFound
from tests.conftest import ROOT

PACKAGES = ("api", "collectors", "config", "escucha", "nlp", "pipeline", "store")
WORDS = {"say": None, "say_many": (1, 2), "help_text": None, "Note": None, "progress": None}
METHODS = [("**.py", "python"), ("**.html", "jinja2")]


def kinds(kind: type[EscuchaError]) -> Iterator[str]:
    yield kind.__name__
    for inner in kind.__subclasses__():
        if inner.__module__ == errors.__name__:
            yield from kinds(inner)


def messages() -> set[str | tuple[str, ...]]:
    keywords = {**DEFAULT_KEYWORDS, **WORDS, **dict.fromkeys(kinds(EscuchaError))}
    found = (
        message
        for package in PACKAGES
        for _, _, message, _, _ in extract_from_dir(ROOT / package, METHODS, keywords=keywords)
    )
    return {tuple(message) if isinstance(message, list | tuple) else message for message in found if message}


def spanish() -> dict[str | tuple[str, ...], list[str]]:
    path = LOCALES / "es" / "LC_MESSAGES" / "escucha.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale="es")
    return {
        tuple(entry.id) if isinstance(entry.id, list | tuple) else entry.id:
        [entry.string] if isinstance(entry.string, str) else list(entry.string)
        for entry in catalogue if entry.id and not entry.fuzzy
    }


def test_every_message_of_the_product_has_a_spanish_translation() -> None:
    known, wanted = spanish(), messages()
    assert len(wanted) > 200
    assert sorted(str(message) for message in wanted if not all(known.get(message, [""]))) == []


def test_the_catalogue_holds_nothing_that_nobody_says() -> None:
    assert sorted(str(message) for message in spanish().keys() - messages()) == []


def test_a_translation_fills_in_what_its_original_fills_in() -> None:
    def blanks(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for msgid, translated in spanish().items():
        original = msgid if isinstance(msgid, str) else msgid[1]
        if "{" in original:
            assert all(blanks(text) == blanks(original) for text in translated), original


def test_the_script_collects_every_kind_of_error() -> None:
    script = Path(LOCALES.parent / "catalog.sh").read_text("utf-8")
    assert [name for name in [*kinds(EscuchaError), *WORDS] if f"-k {name}" not in script] == []


def test_an_error_is_translated_and_then_filled_in() -> None:
    error = NotFound("There is no brand {slug}. Known brands: {known}.", slug="{x}", known="a")
    assert translate(error, "es") == "No hay ninguna marca {x}. Marcas conocidas: a."
    assert translate(error, "en") == "There is no brand {x}. Known brands: a."
    assert translate(NotFound("Never seen {this}", this=1), "es") == "Never seen 1"


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        (None, "es"), ("en-GB,en;q=0.9,es;q=0.8", "en"), ("fr,es;q=0.5,en;q=0.4", "es"), ("de", "es"),
        ("en;q=x,;;", "es"),
    ],
)
def test_the_browsers_wish_is_followed_by_its_weights(header: str | None, lang: str) -> None:
    assert preferred(header) == lang


def test_numbers_are_written_the_mexican_way() -> None:
    es = Reader("es")
    assert (es.number(1234567), es.number(1234.56, 1), es.number(None)) == ("1,234,567", "1,234.6", "—")
    assert (es.signed(12.4), es.signed(-3.6), es.signed(-0.2), es.percent(0.256)) == ("+12", "−4", "0", "26 %")


def test_times_are_short_for_today_and_longer_the_older_they_are() -> None:
    es, zone, now = Reader("es"), ZoneInfo("America/Mexico_City"), datetime(2026, 11, 20, 18, tzinfo=UTC)
    assert es.moment(datetime(2026, 11, 20, 16, 42, tzinfo=UTC), zone, now) == "10:42"
    assert es.moment(datetime(2026, 11, 20, 5, 0, tzinfo=UTC), zone, now) == "19 nov 23:00"
    assert es.moment(datetime(2024, 11, 20, 18, 0, tzinfo=UTC), zone, now) == "20 nov 2024"
    assert es.day(date(2026, 11, 2)) == "2 nov 2026"


def test_plurals_follow_the_number() -> None:
    es = Reader("es")
    assert es.say_many("{n} mention", "{n} mentions", 1) == "1 mención"
    assert es.say_many("{n} mention", "{n} mentions", 1200) == "1,200 menciones"
