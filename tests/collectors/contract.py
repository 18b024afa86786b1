"""What every source promises, built in or from a package of its own: one class of tests to inherit from.

    class TestForo(Contract):
        upstreams: ClassVar = {"foro": ForoUpstream}

is a whole test module. docs/plugins/README.md says how a package of your own runs it.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import pytest

from collectors import facts, open_source
from collectors.http import WebOptions
from escucha.errors import Refused, TryLater
from escucha.source import NOT_SAID, KnowsFollowers, Rechecks, Source
from tests.collectors.fakes.upstream import NOW, SECRET, Upstream

SPREAD = timedelta(days=6)
"""Less than the seven days that some searches reach back, and more than most overlaps."""


class Store:
    """What a run leaves behind: mentions and the cursor, saved together page by page."""

    def __init__(self) -> None:
        self.mentions: list[Any] = []
        self.refusals: list[Any] = []
        self.cursor: Any = None

    def run(
        self, upstream: Upstream, pages: int | None = None, meanwhile: Callable[[int], None] = lambda page: None
    ) -> int:
        """Read as the pipeline does: on at once while a page says that there is more. `meanwhile` acts after a page."""
        seen, more = 0, True
        while more:
            more = False
            for page in upstream.source().pages(upstream.query, self.cursor):
                self.mentions += page.mentions
                self.refusals += page.refusals
                if page.cursor is not None:
                    self.cursor = json.loads(json.dumps(page.cursor))
                more, seen = page.more, seen + 1
                if seen == pages:
                    return seen
                meanwhile(seen)
        return seen

    @property
    def texts(self) -> dict[str, str]:
        """The last text heard of each item."""
        return {mention.source_id: f"{mention.title or ''} {mention.text}" for mention in self.mentions}


class Contract:
    """The tests of every source in `upstreams`: a programmable upstream (a subclass of Upstream) for each name."""

    upstreams: ClassVar[Mapping[str, type[Upstream]]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test once for each source; what is about the web only for those that are asked over it."""
        online = [name for name, kind in self.upstreams.items() if kind.over_http]
        everyone = ("upstream", "spread_upstream", "name")
        asked: dict[str, Iterable[str]] = {**dict.fromkeys(everyone, self.upstreams), "web_upstream": online}
        for parameter, names in asked.items():
            if parameter in metafunc.fixturenames:
                metafunc.parametrize(parameter, sorted(names), indirect=parameter != "name")

    @pytest.fixture
    def upstream(self, request: pytest.FixtureRequest, tmp_path: Path) -> Upstream:
        """An upstream with more than a page of items."""
        made = self.upstreams[request.param](tmp_path)
        made.add(made.enough)
        return made

    @pytest.fixture
    def spread_upstream(self, request: pytest.FixtureRequest, tmp_path: Path) -> Upstream:
        """An upstream whose items lie over six days: a source's overlap reads only few of them again."""
        made = self.upstreams[request.param](tmp_path)
        made.start, made.spacing = NOW - SPREAD, SPREAD / (made.enough + 20)  # type: ignore[misc]
        made.add(made.enough)
        return made

    @pytest.fixture
    def web_upstream(self, request: pytest.FixtureRequest, tmp_path: Path) -> Upstream:
        """An upstream over HTTP, with three items."""
        made = self.upstreams[request.param](tmp_path)
        made.add(3)
        return made

    @pytest.fixture
    def recordings(self, request: pytest.FixtureRequest) -> Path:
        """The folder of recorded answers, which the function `recorded` beside an upstream reads, if there is one."""
        return request.path.parent / "recorded"

    @pytest.fixture
    def described(self, request: pytest.FixtureRequest) -> Path:
        """The folder where every source has its page, NAME.md."""
        return request.path.parent.parent

    def test_a_reading_gives_every_item_with_utc_times(self, upstream: Upstream) -> None:
        store = Store()
        store.run(upstream)
        assert upstream.ids_of(store.mentions) == set(upstream.items)
        assert {m.created_at.tzinfo for m in store.mentions} == {UTC}
        assert store.refusals == []

    def test_a_second_run_finds_what_is_new_and_ends(self, upstream: Upstream) -> None:
        store = Store()
        store.run(upstream)
        upstream.add(7)
        store.run(upstream)
        assert upstream.ids_of(store.mentions) == set(upstream.items)

    def test_with_nothing_new_no_new_item_appears(self, upstream: Upstream) -> None:
        store = Store()
        store.run(upstream)
        before = upstream.ids_of(store.mentions)
        store.run(upstream)
        assert upstream.ids_of(store.mentions) == before

    @pytest.mark.parametrize("cut", [1, 3])
    def test_a_run_cut_after_any_page_loses_nothing(self, upstream: Upstream, cut: int) -> None:
        store = Store()
        store.run(upstream, pages=cut)
        upstream.add(2)
        store.run(upstream)
        assert upstream.ids_of(store.mentions) == set(upstream.items)

    @pytest.mark.parametrize("cut", [2])
    def test_a_cut_run_loses_nothing_that_lies_beyond_the_overlap(self, spread_upstream: Upstream, cut: int) -> None:
        store = Store()
        store.run(spread_upstream, pages=cut)
        spread_upstream.add(2)
        store.run(spread_upstream)
        assert spread_upstream.ids_of(store.mentions) == set(spread_upstream.items)

    def test_a_run_cut_after_every_single_page_ends_with_all_items(self, upstream: Upstream) -> None:
        store = Store()
        for _ in range(200):
            if store.run(upstream, pages=1) == 0 or upstream.ids_of(store.mentions) == set(upstream.items):
                break
        store.run(upstream)
        assert upstream.ids_of(store.mentions) == set(upstream.items)

    def test_items_that_arrive_while_paging_are_not_lost(self, upstream: Upstream) -> None:
        store = Store()
        store.run(upstream, meanwhile=lambda page: upstream.add(3) if page <= 3 else None)
        store.run(upstream)
        assert upstream.ids_of(store.mentions) == set(upstream.items)

    def test_items_of_one_moment_that_fill_more_than_a_page_all_arrive(self, upstream: Upstream) -> None:
        upstream.add(upstream.enough, together=True)
        store = Store()
        store.run(upstream)
        upstream.add(4, together=True)
        store.run(upstream)
        assert upstream.ids_of(store.mentions) == set(upstream.items)

    def test_an_edit_is_heard_under_the_same_key(self, upstream: Upstream) -> None:
        if not upstream.edits:
            pytest.skip("this upstream tells no edits")
        store = Store()
        store.run(upstream)
        upstream.edit(upstream.items[-1], "Lumbre: corregido, ahora va bien")
        store.run(upstream)
        assert "corregido" in store.texts[upstream.items[-1]]
        assert upstream.ids_of(store.mentions) == set(upstream.items)

    def test_items_deleted_while_paging_hide_no_other(self, upstream: Upstream) -> None:
        if not upstream.deletes:
            pytest.skip("nothing is ever deleted there")
        gone: list[str] = []

        def delete(page: int) -> None:
            if page <= 3:
                gone.append(upstream.items[-1])
                upstream.delete(upstream.items[-1])

        store = Store()
        store.run(upstream, meanwhile=delete)
        store.run(upstream)
        assert set(upstream.items) <= upstream.ids_of(store.mentions) <= {*upstream.items, *gone}

    def test_a_first_reading_goes_no_further_back_than_it_is_told(self, upstream: Upstream) -> None:
        store = Store()
        store.run(upstream)
        middle = sorted(mention.created_at for mention in store.mentions)[len(store.mentions) // 2]
        upstream.query = replace(upstream.query, since=middle)
        later = {mention.source_id for mention in store.mentions if mention.created_at >= middle}
        again = Store()
        again.run(upstream)
        assert later <= upstream.ids_of(again.mentions)

    def test_no_cursor_page_or_error_holds_a_secret(self, upstream: Upstream) -> None:
        upstream.mangled = True
        for page in upstream.source().pages(upstream.query, None):
            said = json.dumps([page.cursor, [[r.where, str(r.why), repr(r.why.details)] for r in page.refusals]])
            assert SECRET not in said + repr(page.mentions)

    def test_what_is_rechecked_is_gone_only_where_the_source_says_so(self, upstream: Upstream) -> None:
        source = upstream.source()
        if source.facts.recheck_days is None:
            pytest.skip("this source asks for no second look")
        assert isinstance(source, Rechecks)
        store = Store()
        store.run(upstream)
        kept = list({mention.source_id: mention for mention in store.mentions}.values())[-source.facts.recheck_batch :]
        assert source.recheck(kept).gone == frozenset()
        if upstream.deletes:
            victim = kept[-1].source_id
            upstream.delete(victim)
            assert upstream.source().recheck(kept).gone == {victim}

    def test_an_upstream_that_fails_makes_no_deletion(self, web_upstream: Upstream) -> None:
        store = Store()
        store.run(web_upstream)
        source = web_upstream.source()
        if not isinstance(source, Rechecks):
            pytest.skip("this source asks for no second look")
        web_upstream.failure = (503, {})
        batch = store.mentions[: source.facts.recheck_batch]
        with suppress(TryLater):
            assert source.recheck(batch).gone == frozenset()

    def test_followers_that_are_not_told_stay_unknown(self, upstream: Upstream) -> None:
        store = Store()
        store.run(upstream)
        told = upstream.source().facts.followers_in_answer
        followers = [m.author.followers for m in store.mentions if m.author]
        assert told == "yes" or set(followers) <= {None}
        assert (told == "second call") == isinstance(upstream.source(), KnowsFollowers)

    def test_every_recorded_item_is_mapped_or_refused_with_a_reason(self, name: str, recordings: Path) -> None:
        module = import_module(self.upstreams[name].__module__)
        if not hasattr(module, "recorded"):
            pytest.skip("there is no recording of this source")
        reading = module.recorded(recordings)
        assert reading.items == len(reading.mentions) + len(reading.refusals) + reading.passed > 0
        assert reading.mentions
        assert all(str(refusal.why) for refusal in reading.refusals)

    def test_pages_travel_between_machines(self, upstream: Upstream) -> None:
        upstream.mangled = True
        pages = list(upstream.source().pages(upstream.query, None))
        travelled = pickle.loads(pickle.dumps(pages))
        assert [page.mentions for page in travelled] == [page.mentions for page in pages]
        assert [str(r.why) for page in travelled for r in page.refusals] == [
            str(r.why) for page in pages for r in page.refusals
        ]

    def test_raw_forms_are_json_that_every_store_takes(self, upstream: Upstream) -> None:
        upstream.mangled = True
        for page in upstream.source().pages(upstream.query, None):
            for raw in [*(m.raw for m in page.mentions), *(r.raw for r in page.refusals)]:
                assert json.loads(json.dumps(raw, allow_nan=False)) == raw

    def test_two_readings_give_the_same_keys_and_times(self, upstream: Upstream) -> None:
        first, second = Store(), Store()
        first.run(upstream)
        second.run(upstream)
        assert [(m.source_id, m.created_at) for m in first.mentions] == [
            (m.source_id, m.created_at) for m in second.mentions
        ]

    def test_a_changed_query_reads_everything_again(self, upstream: Upstream) -> None:
        store = Store()
        store.run(upstream)
        store.mentions.clear()
        upstream.query = type(upstream.query)(text=upstream.query.text, terms=("lumbre", "café"))
        store.run(upstream)
        assert upstream.ids_of(store.mentions) == set(upstream.items)

    def test_terms_that_occur_nowhere_leave_nothing(self, upstream: Upstream) -> None:
        upstream.query = type(upstream.query)(text=upstream.query.text, terms=("inexistente",))
        store = Store()
        store.run(upstream)
        assert store.mentions == []

    def test_a_mangled_item_is_listed_and_the_rest_arrive(self, upstream: Upstream) -> None:
        upstream.mangled = True
        store = Store()
        store.run(upstream)
        assert upstream.ids_of(store.mentions) == set(upstream.items)
        assert store.refusals
        assert all(refusal.where and str(refusal.why) for refusal in store.refusals)

    def test_a_429_asks_for_patience_as_long_as_the_header_says(self, web_upstream: Upstream) -> None:
        web_upstream.failure = (429, {"Retry-After": "120"})
        with pytest.raises(TryLater) as caught:
            Store().run(web_upstream)
        assert caught.value.after == 120

    def test_a_429_with_a_date_is_understood_too(self, web_upstream: Upstream) -> None:
        web_upstream.failure = (429, {"Retry-After": "Sun, 22 Nov 2026 12:05:00 GMT"})
        with pytest.raises(TryLater) as caught:
            Store().run(web_upstream)
        assert caught.value.after == 300

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_key_needs_a_person(self, web_upstream: Upstream, status: int) -> None:
        web_upstream.failure = (status, {})
        with pytest.raises(Refused) as caught:
            Store().run(web_upstream)
        assert SECRET not in str(caught.value) + repr(caught.value.details)

    def test_an_outage_passes_by_itself_and_keeps_the_cursor(self, web_upstream: Upstream) -> None:
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

    def test_a_source_declares_itself_and_is_documented(self, name: str, described: Path) -> None:
        declared = facts(name)
        assert declared.name == name
        assert declared.query_hint
        for told in (declared.query_about, declared.needs, declared.keeps, declared.blind, declared.reach):
            assert told is not NOT_SAID
        assert (described / f"{name}.md").read_text("utf-8").startswith(f"# {name}\n")

    def test_a_source_opens_from_values_that_travel(self, name: str) -> None:
        given = {"client_id": "1", "accepted": "yes"}
        web, keys = pickle.loads(pickle.dumps((WebOptions(contact="x", allow_hosts=("a:1",)), given)))
        assert isinstance(open_source(name, web, keys), Source)
