"""Feeds of every dialect become mentions; what is no feed is refused with what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from collectors.clock import Clock
from collectors.feed import read_feed
from collectors.rss import RssSource
from escucha.brand import Query
from escucha.errors import Refused
from escucha.source import Cursor, Page
from tests.collectors.fakes import DATA, NOW, WEB, wire

URL = "https://diario.example/feed.xml"


def read(body: bytes, cursor: Cursor | None = None, now: datetime = NOW, terms: tuple[str, ...] = ()) -> Page:
    transport = httpx.MockTransport(lambda request: wire(httpx.Response(200, content=body)))
    clock = Clock(now=lambda: now, monotonic=lambda: 0.0, sleep=lambda seconds: None)
    source = RssSource(web=WEB, keys={}, transport=transport, clock=clock)
    (page,) = source.pages(Query(text=URL, terms=terms), cursor)
    return page


def test_an_entry_is_mapped_as_the_fact_sheet_says() -> None:
    first = read((DATA / "feed.xml").read_bytes()).mentions[0]
    assert first.title == "Cafés Lumbre abre en Puebla"
    assert first.text == "La cadena abrió tres sucursales."
    assert (first.url, first.lang, first.kind) == ("https://diario.example/notas/lumbre-puebla", "es-mx", "article")
    assert first.created_at == datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
    assert first.source_id == "diario.example:nota-1"
    assert first.engagement.comments == 4
    assert first.author is not None
    assert (first.author.name, first.author.followers) == ("Ana Ruiz", None)


def test_an_entry_without_a_date_keeps_the_time_when_it_was_first_seen() -> None:
    body = (DATA / "feed.xml").read_bytes()
    monday = read(body)
    tuesday = read(body, monday.cursor, NOW + timedelta(days=1))
    undated = [mention for mention in tuesday.mentions if mention.title == "Sin fecha"]
    assert [mention.created_at for mention in undated] == [NOW]
    assert undated[0].raw is not None
    assert undated[0].raw["date_from"] == "fetch"


def test_a_date_in_the_future_is_replaced_by_the_time_of_the_visit() -> None:
    body = (DATA / "feed.xml").read_bytes().replace(b"20 Nov 2026", b"20 Nov 2036")
    assert read(body).mentions[0].created_at == NOW


def test_an_empty_entry_is_listed_as_refused() -> None:
    assert [refusal.where for refusal in read((DATA / "feed.xml").read_bytes()).refusals] == [
        "https://diario.example/vacia"
    ]


def test_terms_are_matched_here() -> None:
    found = read((DATA / "feed.xml").read_bytes(), terms=("cafes lumbre",))
    assert [mention.title for mention in found.mentions] == ["Cafés Lumbre abre en Puebla"]


def test_a_google_alert_gives_the_real_address() -> None:
    (alert,) = read((DATA / "alerts.atom").read_bytes()).mentions
    assert alert.url == "https://prensa.example/lumbre?id=9"
    assert (alert.title, alert.text) == ("Cafés Lumbre sube precios", "La cadena Cafés Lumbre subió precios.")
    assert alert.author is None


def test_a_json_feed_is_read_and_its_broken_item_listed() -> None:
    page = read((DATA / "feed.json").read_bytes())
    (post,) = page.mentions
    assert (post.title, post.text, post.lang) == ("Probé Cafés Lumbre", "Muy bueno", "es")
    assert len(page.refusals) == 1


def test_a_web_page_is_refused_naming_its_feed() -> None:
    with pytest.raises(Refused, match=r"web page, not a feed.*https://diario.example/feed.xml"):
        read((DATA / "page.html").read_bytes())


@pytest.mark.parametrize(
    "body", [b"", b"hola", b'{"a": 1}', b'{"version": "https://jsonfeed.org/version/1"', b"\x00\xff" * 99]
)
def test_what_is_no_feed_is_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="feed"):
        read(body)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("inside", ['<!ENTITY a "b">', '<!ENTITY a SYSTEM "file:///etc/passwd">'])
def test_a_feed_that_declares_entities_is_refused(encoding: str, inside: str) -> None:
    feed = (
        f"<?xml version='1.0' encoding='{encoding}'?><!DOCTYPE rss [{inside}]><rss version='2.0'><channel>"
        "<item><title>&a;</title></item></channel></rss>"
    )
    with pytest.raises(Refused, match="entities"):
        read(feed.encode(encoding))


def test_a_feed_whose_own_encoding_is_mangled_is_refused() -> None:
    with pytest.raises(Refused, match="does not answer with a feed"):
        read((DATA / "feed.xml").read_bytes().replace(b'encoding="UTF-8"', b'encoding="U\xb3F-8"'))


def test_a_body_that_names_a_local_file_is_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "feed.xml"
    secret.write_bytes((DATA / "feed.xml").read_bytes())
    with pytest.raises(Refused):
        read(str(secret).encode())


def test_a_link_that_runs_code_is_dropped() -> None:
    body = (
        (DATA / "feed.xml")
        .read_bytes()
        .replace(b"<link>/notas/lumbre-puebla</link>", b"<link>javascript:alert(1)</link>")
    )
    assert read(body).mentions[0].url is None


def test_a_text_too_long_is_refused_with_the_limit() -> None:
    body = (DATA / "feed.xml").read_bytes().replace(b"Una nota.", b"x" * 100_001)
    assert "100000" in str(read(body).refusals[0].why)


RECORDED = {
    "rss/recorded/rssparser-guardian.rss": 55,
    "rss/recorded/miniflux-encoding_ISO-8859-1.xml": 40,
    "rss/recorded/miniflux-no_encoding_ISO-8859-1.xml": 9,
    "rss/recorded/rssparser-encoding.rss": 40,
    "rss/recorded/feedjira-RSSWithComments.xml": 30,
    "rss/recorded/rssparser-craigslist.rss": 25,
    "rss/recorded/feedjira-json_feed.json": 20,
    "rss/recorded/rssparser-uolNoticias.rss": 15,
    "rss/recorded/rssparser-heise.atom": 15,
    "google-news/recorded/google-alerts.atom": 20,
    "google-news/recorded/search-rss-en.xml": 20,
    "reddit/recorded/reddit-atom.atom": 24,
}


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_a_recorded_feed_gives_all_its_entries(shared: Path, name: str) -> None:
    page = read((shared / "upstream" / name).read_bytes())
    assert len(page.mentions) == RECORDED[name]
    assert all("<p>" not in mention.text for mention in page.mentions)


def test_portuguese_dates_are_understood(shared: Path) -> None:
    page = read((shared / "upstream/rss/recorded/rssparser-uolNoticias.rss").read_bytes())
    assert page.mentions[0].created_at == datetime(2018, 9, 24, 22, 42, 40, tzinfo=UTC)


def test_no_recorded_feed_crashes_the_reader(shared: Path) -> None:
    files = [path for path in (shared / "upstream/rss/recorded").rglob("*") if path.is_file()]
    refused = []
    for path in files:
        try:
            read_feed(path.read_bytes(), URL, "application/xml")
        except Refused:
            refused.append(path.name)
    assert refused == ["rssparser-unrecognized.rss"]
    assert len(files) >= 99
