"""Google News: the search that is asked for, and articles as its feed tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from collectors import open_source
from collectors.clock import Clock
from collectors.google_news import EDITIONS, GoogleNewsSource, read_search
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.source import Page, Span
from tests.collectors.fakes import CLOCK, NOW, WEB, wire
from tests.collectors.fakes.google_news import GoogleNewsUpstream


def read(body: bytes, kind: str = "application/rss+xml") -> Page:
    headers = {"content-type": kind}
    transport = httpx.MockTransport(lambda request: wire(httpx.Response(200, content=body, headers=headers)))
    (page,) = GoogleNewsSource(web=WEB, keys={}, transport=transport, clock=CLOCK).pages(Query(text="lumbre"), None)
    return page


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("lumbre @mx", {"q": "lumbre", "hl": "es-419", "gl": "MX", "ceid": "MX:es-419"}),
        ('"cafés lumbre" -receta @ES', {"q": '"cafés lumbre" -receta', "hl": "es", "gl": "ES", "ceid": "ES:es"}),
        ("lumbre @us", {"q": "lumbre", "hl": "en-US", "gl": "US", "ceid": "US:en"}),
        ("lumbre @us-es", {"q": "lumbre", "hl": "es-419", "gl": "US", "ceid": "US:es-419"}),
        ("lumbre site:@diario", {"q": "lumbre site:@diario", "hl": "es-419", "gl": "MX", "ceid": "MX:es-419"}),
    ],
)
def test_words_and_edition_become_a_search(tmp_path: Path, text: str, asked: dict[str, str]) -> None:
    upstream = GoogleNewsUpstream(tmp_path)
    upstream.add(1)
    upstream.query = Query(text=text)
    assert len(list(upstream.source().pages(upstream.query, None))) == 1
    assert dict(upstream.requests[0].url.params) == asked
    assert upstream.requests[0].url.host == "news.google.com"


@pytest.mark.parametrize("text", ["", "  ", "@mx", " @es "])
def test_a_query_without_words_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Refused, match="lumbre @mx"):
        read_search(text)


def test_an_unknown_edition_is_refused_naming_those_that_exist() -> None:
    with pytest.raises(Refused, match=r"no edition @zz.*@mx"):
        read_search("lumbre @zz")


def test_every_edition_has_its_country_in_its_name() -> None:
    assert all(edition.gl.lower() == code.partition("-")[0] for code, edition in EDITIONS.items())


def test_an_article_is_mapped_as_the_fact_sheet_says(shared: Path) -> None:
    (article,) = read((shared / "upstream/google-news/handmade/search-rss-es.xml").read_bytes()).mentions
    assert (article.source, article.source_id, article.kind) == ("google-news", "CBMiAAAA", "article")
    assert (article.title, article.text) == ("Cafés Lumbre abre en México", "")
    assert article.url == "https://news.google.com/rss/articles/CBMiAAAA?oc=5"
    assert article.created_at == datetime(2026, 9, 30, 7, tzinfo=UTC)
    assert article.lang == "es"
    assert article.author is not None
    assert article.author.name == "Diario Ejemplo - Edición América"
    assert (article.author.id, article.author.followers) == ("www.diario-ejemplo.example", None)
    assert article.author.url == "https://www.diario-ejemplo.example"


def test_the_recorded_search_gives_headlines_without_their_publishers(shared: Path) -> None:
    page = read((shared / "upstream/google-news/recorded/search-rss-en.xml").read_bytes())
    assert len(page.mentions) == 20
    assert page.mentions[0].title == "Trump again shrinks two national monuments in Utah"
    assert not any((m.title or "").endswith(f"- {m.author.name}") for m in page.mentions if m.author)
    assert all(m.author for m in page.mentions)


def test_a_title_that_ends_otherwise_than_its_publisher_is_kept() -> None:
    item = "<item><guid>CBMi1</guid><title>Lumbre - la marca</title><source url='https://a.example'>Sur</source></item>"
    (article,) = read(f"<rss version='2.0'><channel>{item}</channel></rss>".encode()).mentions
    assert article.title == "Lumbre - la marca"


def test_more_new_articles_than_the_feed_shows_leave_a_hole(tmp_path: Path) -> None:
    upstream = GoogleNewsUpstream(tmp_path)
    upstream.add(5)
    (first,) = upstream.source().pages(upstream.query, None)
    upstream.add(120)
    clock = Clock(now=lambda: NOW + timedelta(hours=1), monotonic=lambda: 0.0, sleep=lambda seconds: None)
    source = GoogleNewsSource(web=upstream.web, keys={}, transport=upstream.transport(), clock=clock)
    (second,) = source.pages(upstream.query, first.cursor)
    assert len(second.mentions) == 100
    assert second.covers == Span(min(m.created_at for m in second.mentions), NOW + timedelta(hours=1))


def test_a_web_page_in_place_of_the_feed_is_a_block_that_passes() -> None:
    with pytest.raises(TryLater, match="Google Alert"):
        read(b"<html><body>Before you continue</body></html>", "text/html; charset=utf-8")


def test_it_is_off_until_somebody_accepts_its_terms() -> None:
    assert "personal" in str(GoogleNewsSource.facts.terms)
    with pytest.raises(Refused, match="accepts its terms"):
        open_source("google-news", WEB, {})
    assert isinstance(open_source("google-news", WEB, {"accepted": "yes"}), GoogleNewsSource)
