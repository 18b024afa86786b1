"""A choice survives its way through the address, and means the days a reader expects."""

from __future__ import annotations

from datetime import UTC, date, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from api.selection import View, moments, previous
from config.catalogue import read_catalogue
from escucha.query.tree import Phrase

TODAY = date(2026, 11, 20)


def view(query: str) -> View:
    return View.of(parse_qsl(query, keep_blank_values=True))


@pytest.mark.parametrize(
    "query",
    [
        "brand=lumbre",
        "brand=lumbre&period=7d",
        "brand=lumbre&from=2026-10-01&to=2026-10-28&source=reddit&source=rss&lang=es&stage=purchase&sentiment=negative"
        "&pain=problem&touchpoint=delivery&q=caf%C3%A9+fr%C3%ADo",
    ],
)
def test_an_address_comes_back_as_it_was(query: str) -> None:
    address = view(query).address("/mentions")
    assert address == f"/mentions?{query}"
    assert view(urlsplit(address).query) == view(query)


def test_unknown_empty_and_repeated_parts_are_left_out() -> None:
    assert view("utm_source=x&q=&stage=purchase&stage=purchase&period=90d").address("/") == "/?stage=purchase"


def test_a_named_period_replaces_days() -> None:
    assert view("from=2026-10-01&to=2026-10-28").address("/", period="7d") == "/?period=7d"


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", date(2026, 8, 23), TODAY), ("period=28d", date(2026, 10, 24), TODAY), ("period=today", TODAY, TODAY),
        ("period=7d", date(2026, 11, 14), TODAY),
        ("period=yesterday", date(2026, 11, 19), date(2026, 11, 19)), ("period=month", date(2026, 11, 1), TODAY),
        ("period=year", date(2026, 1, 1), TODAY), ("period=all", None, None),
        ("from=2026-11-01", date(2026, 11, 1), None),
    ],
)
def test_periods_end_today_and_count_it(query: str, first: date | None, last: date | None) -> None:
    assert view(query).days(TODAY) == (first, last)


def test_the_previous_period_is_as_long_and_ends_the_day_before() -> None:
    assert previous((date(2026, 11, 14), TODAY)) == (date(2026, 11, 7), date(2026, 11, 13))
    assert previous((None, TODAY)) is None


def test_a_day_of_a_clock_change_lasts_from_midnight_to_midnight() -> None:
    since, until = moments(date(2026, 3, 29), date(2026, 3, 29), "Europe/Madrid")
    assert since is not None
    assert until is not None
    assert (since.astimezone(UTC), until.astimezone(UTC)) == (
        datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC))


def test_the_filter_reaches_the_store_whole() -> None:
    asked = view(
        "brand=lumbre&source=rss&lang=es&stage=none&sentiment=negative&pain=problem&touchpoint=delivery&q=frio"
    )
    meant = asked.meant_on(TODAY, "UTC", read_catalogue())
    assert (meant.brand, meant.sources, meant.langs, meant.stages) == ("lumbre", ("rss",), ("es",), ("none",))
    assert (meant.sentiments, meant.pains, meant.touchpoints, meant.query) == (
        ("negative",), ("problem",), ("delivery",), Phrase(("frio",)))
