"""Apple's feed is read by country, under either of its addresses, and an empty answer proves nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from collectors.app_store import PAGES, App, entries_of, read_app, to_mention
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from tests.collectors.fakes.app_store import AppStoreUpstream, feed, review
from tests.collectors.fakes.upstream import NOW


@pytest.fixture
def store(tmp_path: Path) -> AppStoreUpstream:
    made = AppStoreUpstream(tmp_path)
    made.query = Query(text="mx 123456789")
    return made


def test_the_handmade_review_is_mapped_as_the_fact_sheet_says(shared: Path) -> None:
    told = json.loads((shared / "upstream/app-store/handmade/rss-reviews-es-one-entry.json").read_text("utf-8"))
    (entry,) = entries_of(told["feed"])
    mention = to_mention(("es", entry))
    assert (mention.source, mention.source_id, mention.kind) == ("app-store", "9000000001", "review")
    assert (mention.title, mention.text) == ("Bien pero lenta", "Funciona, aunque tarda mucho en abrir.")
    assert mention.created_at == datetime(2026, 10, 2, 11, 25, 34, tzinfo=UTC)
    assert (mention.rating, mention.place, mention.lang, mention.engagement.likes) == (3.0, "ES", None, 0)
    assert mention.author is not None
    assert (mention.author.id, mention.author.handle, mention.author.followers) == ("1", "lola", None)
    assert mention.url == "https://itunes.apple.com/es/review?id=1&type=Purple%20Software"


def test_a_recorded_feed_gives_its_fifty_reviews(shared: Path) -> None:
    told = json.loads((shared / "upstream/app-store/recorded/rss-reviews-us.json").read_text("utf-8"))
    mentions = [to_mention(("us", entry)) for entry in entries_of(told["feed"])]
    assert len({mention.source_id for mention in mentions}) == 50
    assert (mentions[0].author.id, mentions[0].engagement.likes) == ("524855897", 263)  # type: ignore[union-attr]


def test_the_app_itself_as_first_entry_is_no_review() -> None:
    about_app = {"id": {"label": "https://apps.apple.com/app"}, "im:name": {"label": "Lumbre"}}
    assert entries_of({"entry": [about_app, review("mx", "1", NOW)]}) == [review("mx", "1", NOW)]
    assert entries_of({"entry": about_app}) == []
    assert entries_of(feed("mx", [])) == []


@pytest.mark.parametrize(
    ("text", "app"),
    [
        ("mx 123456789", App("123456789", ("mx",))),
        (" MX, es,mx  id123456789 ", App("123456789", ("mx", "es"))),
        ("https://apps.apple.com/mx/app/cafes-lumbre/id123456789?l=en", App("123456789", ("mx",))),
        ("https://apps.apple.com/es/app/id123456789", App("123456789", ("es",))),
    ],
)
def test_a_query_is_countries_and_a_number_or_the_apps_address(text: str, app: App) -> None:
    assert read_app(text) == app


@pytest.mark.parametrize("text", ["", "123456789", "mx", "mex 123456789", "mx 12ab", "mx es 123456789"])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match="mx,es 123456789"):
        read_app(text)


def test_an_app_that_the_country_does_not_know_is_named(store: AppStoreUpstream) -> None:
    store.query = Query(text="pe 123456789")
    with pytest.raises(Refused, match="PE has no app 123456789"):
        list(store.source().pages(store.query, None))


@pytest.mark.parametrize("silent", ["page=", "id="])
def test_where_one_address_is_silent_the_other_is_asked(store: AppStoreUpstream, silent: str) -> None:
    store.silent = {silent}
    store.add(10)
    found = [mention.source_id for page in store.source().pages(store.query, None) for mention in page.mentions]
    assert len(set(found)) == 5


def test_where_one_address_fails_the_other_is_asked(store: AppStoreUpstream) -> None:
    store.add(2)
    answer = store.answer
    store.answer = lambda request: (  # type: ignore[method-assign]
        answer(request) if "sortBy=mostRecent" in request.url.path else httpx.Response(502)
    )
    assert len(next(store.source().pages(store.query, None)).mentions) == 1


def test_a_request_to_slow_down_is_not_answered_with_another_request(store: AppStoreUpstream) -> None:
    store.failure = (429, {})
    with pytest.raises(TryLater, match="slow down"):
        list(store.source().pages(store.query, None))
    assert len(store.requests) == 1


def test_a_refused_network_is_told_what_to_do(store: AppStoreUpstream) -> None:
    store.failure = (403, {})
    with pytest.raises(Refused, match="another network"):
        list(store.source().pages(store.query, None))


def test_an_empty_answer_where_there_were_reviews_is_a_doubt_and_no_deletion(store: AppStoreUpstream) -> None:
    store.add(10)
    *_, last = store.source().pages(store.query, None)
    store.silent = {"page=", "id="}
    (page,) = store.source().pages(store.query, last.cursor)
    assert "may be a block" in str(page.doubt)
    assert (page.gone, page.covers) == ((), None)
    store.silent = set()
    assert all(page.doubt is None for page in store.source().pages(store.query, page.cursor))


def test_a_first_reading_that_was_empty_is_made_again(store: AppStoreUpstream) -> None:
    store.add(10)
    store.silent = {"page=", "id="}
    (page,) = store.source().pages(store.query, None)
    assert (page.mentions, page.doubt) == ((), None)
    store.silent = set()
    found = [mention for page in store.source().pages(store.query, page.cursor) for mention in page.mentions]
    assert len({mention.source_id for mention in found}) == 5


def test_five_hundred_reviews_of_a_country_are_all_there_is_and_no_more_is_claimed(store: AppStoreUpstream) -> None:
    store.add(2 * 600)
    pages = list(store.source().pages(store.query, None))
    found = {mention.source_id: mention for page in pages for mention in page.mentions}
    covers = pages[-1].covers
    assert len(found) == 50 * PAGES
    assert covers is not None
    assert covers.start == min(mention.created_at for mention in found.values())
    assert all("page=11" not in request.url.path for request in store.requests)


def test_what_is_covered_is_what_every_country_covers(store: AppStoreUpstream) -> None:
    store.query = Query(text="mx,es 123456789", since=NOW - timedelta(days=3))
    store.add(10)
    pages = list(store.source().pages(store.query, None))
    assert [page.covers is None for page in pages] == [True] * (len(pages) - 1) + [False]
    assert pages[-1].covers is not None
    assert (pages[-1].covers.start, pages[-1].covers.end) == (NOW - timedelta(days=3), NOW)


def test_a_country_that_is_cut_off_is_read_on_before_the_others(store: AppStoreUpstream) -> None:
    store.query = Query(text="es,mx 123456789")
    store.add(240)
    spanish = 4
    *_, cut = (page for page, _ in zip(store.source().pages(store.query, None), range(spanish + 2), strict=False))
    store.requests.clear()
    list(store.source().pages(store.query, cut.cursor))
    assert store.requests[0].url.path.startswith("/mx/")


def test_a_changed_review_keeps_its_number(store: AppStoreUpstream) -> None:
    store.add(4)
    changed = store.items[-1] if store.reviews["mx"][-1]["id"]["label"] == store.items[-1] else store.items[-2]
    *_, last = store.source().pages(store.query, None)
    store.edit(changed, "Lumbre ya abre rápido")
    again = {mention.source_id: mention for page in store.source().pages(store.query, last.cursor)
             for mention in page.mentions}
    assert again[changed].text == "Lumbre ya abre rápido"


def test_only_text_that_is_html_is_taken_for_html() -> None:
    entry = review("mx", "1", NOW)
    entry["content"] = {"label": "menos de <b>2</b> & lento", "attributes": {"type": "text"}}
    assert to_mention(("mx", entry)).text == "menos de <b>2</b> & lento"
    entry["content"]["attributes"]["type"] = "html"
    assert to_mention(("mx", entry)).text == "menos de 2 & lento"
    assert replace(to_mention(("mx", entry)), text="").rating == 4.0
