"""What every source promises, checked on every registered source."""

from __future__ import annotations

import json
import pickle
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from collectors import SOURCES, facts, open_source, source_names
from collectors.http import WebOptions
from escucha.errors import NotFound, Refused, TryLater
from escucha.source import Source
from tests.collectors.fakes import ENOUGH, UPSTREAMS, Upstream

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(params=sorted(SOURCES))
def upstream(request: pytest.FixtureRequest, tmp_path: Path) -> Upstream:
    made = UPSTREAMS[request.param](tmp_path)
    made.add(ENOUGH[request.param])
    return made


@pytest.fixture(params=sorted(name for name, kind in UPSTREAMS.items() if kind.over_http))
def web_upstream(request: pytest.FixtureRequest, tmp_path: Path) -> Upstream:
    made = UPSTREAMS[request.param](tmp_path)
    made.add(3)
    return made


class Store:
    """What a run leaves behind: mentions and the cursor, saved together page by page."""

    def __init__(self) -> None:
        self.mentions: list[Any] = []
        self.refusals: list[Any] = []
        self.cursor: Any = None

    def run(self, upstream: Upstream, pages: int | None = None) -> int:
        seen = 0
        for page in upstream.source().pages(upstream.query, self.cursor):
            self.mentions += page.mentions
            self.refusals += page.refusals
            if page.cursor is not None:
                self.cursor = json.loads(json.dumps(page.cursor))
            seen += 1
            if seen == pages:
                break
        return seen


def test_every_registered_source_is_under_this_contract() -> None:
    assert set(UPSTREAMS) == set(SOURCES) <= set(source_names())


def test_a_reading_gives_each_item_once_with_utc_times(upstream: Upstream) -> None:
    store = Store()
    store.run(upstream)
    assert sorted(m.source_id for m in store.mentions) == sorted(upstream.items)
    assert {m.created_at.tzinfo for m in store.mentions} == {UTC}
    assert store.refusals == []


def test_a_second_run_finds_what_is_new_and_ends(upstream: Upstream) -> None:
    store = Store()
    store.run(upstream)
    upstream.add(7)
    store.run(upstream)
    assert upstream.ids_of(store.mentions) == set(upstream.items)


def test_with_nothing_new_no_new_item_appears(upstream: Upstream) -> None:
    store = Store()
    store.run(upstream)
    before = upstream.ids_of(store.mentions)
    store.run(upstream)
    assert upstream.ids_of(store.mentions) == before


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_run_cut_after_any_page_loses_nothing(upstream: Upstream, cut: int) -> None:
    store = Store()
    store.run(upstream, pages=cut)
    upstream.add(2)
    store.run(upstream)
    assert upstream.ids_of(store.mentions) == set(upstream.items)


def test_pages_travel_between_machines(upstream: Upstream) -> None:
    upstream.mangled = True
    pages = list(upstream.source().pages(upstream.query, None))
    travelled = pickle.loads(pickle.dumps(pages))
    assert [page.mentions for page in travelled] == [page.mentions for page in pages]
    assert [str(r.why) for page in travelled for r in page.refusals] == [
        str(r.why) for page in pages for r in page.refusals
    ]


def test_raw_forms_are_json_that_every_store_takes(upstream: Upstream) -> None:
    upstream.mangled = True
    for page in upstream.source().pages(upstream.query, None):
        for raw in [*(m.raw for m in page.mentions), *(r.raw for r in page.refusals)]:
            assert json.loads(json.dumps(raw, allow_nan=False)) == raw


def test_two_readings_give_the_same_keys_and_times(upstream: Upstream) -> None:
    first, second = Store(), Store()
    first.run(upstream)
    second.run(upstream)
    assert [(m.source_id, m.created_at) for m in first.mentions] == [
        (m.source_id, m.created_at) for m in second.mentions
    ]


def test_a_changed_query_reads_everything_again(upstream: Upstream) -> None:
    store = Store()
    store.run(upstream)
    store.mentions.clear()
    upstream.query = type(upstream.query)(text=upstream.query.text, terms=("lumbre", "café"))
    store.run(upstream)
    assert upstream.ids_of(store.mentions) == set(upstream.items)


def test_terms_that_occur_nowhere_leave_nothing(upstream: Upstream) -> None:
    upstream.query = type(upstream.query)(text=upstream.query.text, terms=("inexistente",))
    store = Store()
    store.run(upstream)
    assert store.mentions == []


def test_a_mangled_item_is_listed_and_the_rest_arrive(upstream: Upstream) -> None:
    upstream.mangled = True
    store = Store()
    store.run(upstream)
    assert upstream.ids_of(store.mentions) == set(upstream.items)
    assert store.refusals
    assert all(refusal.where and str(refusal.why) for refusal in store.refusals)


def test_a_429_asks_for_patience_as_long_as_the_header_says(web_upstream: Upstream) -> None:
    web_upstream.failure = (429, {"Retry-After": "120"})
    with pytest.raises(TryLater) as caught:
        Store().run(web_upstream)
    assert caught.value.after == 120


def test_a_429_with_a_date_is_understood_too(web_upstream: Upstream) -> None:
    web_upstream.failure = (429, {"Retry-After": "Sun, 22 Nov 2026 12:05:00 GMT"})
    with pytest.raises(TryLater) as caught:
        Store().run(web_upstream)
    assert caught.value.after == 300


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_needs_a_person(web_upstream: Upstream, status: int) -> None:
    web_upstream.failure = (status, {})
    with pytest.raises(Refused) as caught:
        Store().run(web_upstream)
    assert "secreto-de-prueba" not in str(caught.value) + repr(caught.value.details)


def test_an_outage_passes_by_itself_and_keeps_the_cursor(web_upstream: Upstream) -> None:
    store = Store()
    store.run(web_upstream)
    saved = store.cursor
    web_upstream.failure = (429, {})
    with pytest.raises(TryLater):
        store.run(web_upstream)
    web_upstream.failure = None
    web_upstream.add(3)
    assert store.cursor == saved
    store.run(web_upstream)
    assert web_upstream.ids_of(store.mentions) == set(web_upstream.items)


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_source_declares_itself_and_is_documented(name: str) -> None:
    declared = facts(name)
    assert declared.name == name
    assert declared.query_hint
    assert f"\n## {name}\n" in (ROOT / "docs" / "sources.md").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_source_opens_from_values_that_travel(name: str) -> None:
    web, keys = pickle.loads(pickle.dumps((WebOptions(contact="x", allow_hosts=("a:1",)), {"client_id": "1"})))
    assert isinstance(open_source(name, web, keys), Source)


def test_an_unknown_source_names_those_that_exist() -> None:
    with pytest.raises(NotFound, match="mastodon"):
        open_source("myspace", WebOptions(), {})
