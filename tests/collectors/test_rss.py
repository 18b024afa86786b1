"""Feeds: what a visit covers, what it costs the publisher, and Google Alerts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.clock import Clock
from collectors.feed import LONGEST_REST
from collectors.rss import KNOWN, RssSource
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.source import Cursor, Page, Span
from tests.collectors.fakes import NOW, WEB, wire
from tests.collectors.fakes.rss import RssUpstream

HOUR = timedelta(hours=1)
Answer = Callable[[httpx.Request], httpx.Response]


def visit(upstream: RssUpstream, cursor: Cursor | None, now: datetime = NOW) -> list[Page]:
    clock = Clock(now=lambda: now, monotonic=lambda: 0.0, sleep=lambda seconds: None)
    source = RssSource(web=upstream.web, keys={}, transport=upstream.transport(), clock=clock)
    return list(source.pages(upstream.query, cursor))


def ask(answer: Answer, **query: Any) -> list[Page]:
    clock = Clock(now=lambda: NOW, monotonic=lambda: 0.0, sleep=lambda seconds: None)
    transport = httpx.MockTransport(lambda request: wire(answer(request)))
    source = RssSource(web=WEB, keys={}, transport=transport, clock=clock)
    return list(source.pages(Query(text="https://diario.example/feed.xml", **query), None))


@pytest.fixture
def upstream(tmp_path: Path) -> RssUpstream:
    made = RssUpstream(tmp_path)
    made.shows = 10
    made.add(10)
    return made


def test_a_first_visit_covers_what_the_feed_shows(upstream: RssUpstream) -> None:
    (page,) = visit(upstream, None)
    assert page.covers == Span(min(mention.created_at for mention in page.mentions), NOW)


def test_a_feed_that_still_shows_a_known_entry_has_told_everything_since(upstream: RssUpstream) -> None:
    (first,) = visit(upstream, None)
    upstream.add(9)
    (second,) = visit(upstream, first.cursor, NOW + HOUR)
    assert second.covers == Span(NOW, NOW + HOUR)


def test_a_feed_that_shows_no_known_entry_may_have_a_hole(upstream: RssUpstream) -> None:
    (first,) = visit(upstream, None)
    upstream.add(12)
    (second,) = visit(upstream, first.cursor, NOW + HOUR)
    assert second.covers == Span(min(mention.created_at for mention in second.mentions), NOW + HOUR)


def test_an_unchanged_feed_covers_the_time_since_and_costs_one_small_answer(upstream: RssUpstream) -> None:
    (first,) = visit(upstream, None)
    (second,) = visit(upstream, first.cursor, NOW + HOUR)
    assert (second.mentions, second.covers) == ((), Span(NOW, NOW + HOUR))
    assert upstream.requests[-1].headers["if-none-match"] == '"10"'
    upstream.add(1)
    (third,) = visit(upstream, second.cursor, NOW + 2 * HOUR)
    assert third.covers == Span(NOW + HOUR, NOW + 2 * HOUR)


def test_an_emptied_feed_is_doubtful_and_makes_no_hole(upstream: RssUpstream) -> None:
    (first,) = visit(upstream, None)
    shows, upstream.shows = upstream.shows, 0
    upstream.add(1)
    (empty,) = visit(upstream, first.cursor, NOW + HOUR)
    assert isinstance(empty.doubt, TryLater)
    assert "diario.example is empty" in str(empty.doubt)
    assert empty.covers is None
    upstream.shows = shows
    upstream.add(1)
    (again,) = visit(upstream, empty.cursor, NOW + 2 * HOUR)
    assert (again.doubt, again.covers) == (None, Span(NOW + HOUR, NOW + 2 * HOUR))


def test_the_cursor_stays_small_however_long_the_feed_is(upstream: RssUpstream) -> None:
    upstream.add(900)
    upstream.shows = 900
    (page,) = visit(upstream, None)
    assert page.cursor is not None
    assert len(page.cursor["known"]) == KNOWN
    upstream.add(850)
    (later,) = visit(upstream, page.cursor, NOW + HOUR)
    assert later.covers == Span(NOW, NOW + HOUR)


@pytest.mark.parametrize(
    ("asked", "rest"),
    [
        ("<ttl>30</ttl>", timedelta(minutes=30)),
        ("<ttl>1440</ttl>", LONGEST_REST),
        ("<ttl>a lot</ttl>", timedelta(0)),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", timedelta(minutes=15)),
        ("<sy:updatePeriod> daily </sy:updatePeriod>", LONGEST_REST),
    ],
)
def test_a_feed_is_left_alone_as_long_as_it_asks_but_no_longer_than_an_hour(
    upstream: RssUpstream, asked: str, rest: timedelta
) -> None:
    upstream.extra = asked
    (first,) = visit(upstream, None)
    moment = timedelta(seconds=1)
    assert (visit(upstream, first.cursor, NOW + rest - moment) == []) == (rest > timedelta(0))
    (second,) = visit(upstream, first.cursor, NOW + rest)
    assert (visit(upstream, second.cursor, NOW + 2 * rest - moment) == []) == (rest > timedelta(0))


def test_a_feed_that_is_gone_for_good_needs_a_person() -> None:
    with pytest.raises(Refused, match="removed this for good"):
        ask(lambda request: httpx.Response(410))


def test_a_feed_that_asks_for_patience_gets_it(upstream: RssUpstream) -> None:
    upstream.failure = (503, {"Retry-After": "90"})
    with pytest.raises(TryLater) as caught:
        visit(upstream, None)
    assert caught.value.after == 90


def test_what_is_not_about_the_brand_and_what_repeats_is_counted() -> None:
    told = (("urn:1", "Lumbre: nueva"), ("urn:1", "Lumbre: vieja"), ("urn:2", "Sol"))
    entries = "".join(f"<item><guid>{guid}</guid><title>{title}</title></item>" for guid, title in told)
    body = f"<rss version='2.0'><channel>{entries}</channel></rss>"
    (page,) = ask(lambda request: httpx.Response(200, text=body), terms=("lumbre",))
    assert [mention.title for mention in page.mentions] == ["Lumbre: nueva"]
    assert page.passed == 2


def test_recorded_alerts_lead_to_the_articles_themselves(shared: Path) -> None:
    body = (shared / "upstream/google-news/recorded/google-alerts.atom").read_bytes()
    (page,) = ask(lambda request: httpx.Response(200, content=body))
    first = page.mentions[1]
    assert first.source_id == "tag:google.com,2013:googlealerts/feed:13685523368333461374"
    assert first.title == "Slack Stock Has a Compelling Story and the Numbers to Back It Up"
    assert first.url == "https://investorplace.com/2019/07/slack-stock-truly-compelling/"
    assert first.created_at == datetime(2019, 7, 10, 11, 46, 48, tzinfo=UTC)
    assert first.author is None
    assert len(page.mentions) == 20
    assert not any("google.com" in (mention.url or "") or "<b>" in mention.text for mention in page.mentions)


@pytest.mark.parametrize("text", ["lumbre", "", "ftp://diario.example/feed.xml", "http://"])
def test_a_query_that_is_no_address_is_refused(tmp_path: Path, text: str) -> None:
    source = RssSource(web=WEB, keys={}, transport=httpx.MockTransport(lambda request: wire(httpx.Response(200))))
    with pytest.raises(Refused, match="no web address"):
        list(source.pages(Query(text=text), None))
