"""The past is read beside the present: in steps, resumable, as far as the source goes; and what is deleted goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.http import WebOptions
from escucha.brand import Backfill, Brand, Query, Watch
from escucha.errors import Conflict, Invalid
from escucha.filter import MentionFilter
from escucha.source import SourceFacts
from nlp.chain import ModelOptions
from pipeline import backfill
from pipeline.backfill import plan, work_off
from pipeline.collect import collect_due
from pipeline.means import Means
from pipeline.pool import Inline
from pipeline.recheck import recheck_due
from store import backfills, brands, mentions, metrics, tombstones, watches
from store.engine import Store
from tests import make
from tests.collectors.fakes.hackernews import HackerNewsUpstream

DAY = timedelta(days=1)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def forum(tmp_path: Path) -> HackerNewsUpstream:
    """A forum whose 450 posts are from 60 days ago until now, one every three hours or so."""
    made = HackerNewsUpstream(tmp_path)
    made.start, made.spacing = now() - 60 * DAY, 60 * DAY / 460  # type: ignore[misc]
    made.add(450)
    return made


@pytest.fixture
def address(forum: HackerNewsUpstream) -> Iterator[str]:
    with forum.on_loopback() as address:
        yield address


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        return brands.add(session, make.brand())


@pytest.fixture
def means(store: Store, address: str, tmp_path: Path) -> Means:
    web = WebOptions(allow_hosts=(address.removeprefix("http://"),), pace=0, shared=str(tmp_path / "pace"))
    return Means(store=store, pool=Inline(), web=web, models=ModelOptions(),
                 keys={"hackernews": {"base_url": address}})


@pytest.fixture
def watch(store: Store, lumbre: Brand) -> Watch:
    with store.write() as session:
        return watches.add(session, lumbre.id or 0, "hackernews", Query(text="lumbre"), 900, now())


def heard(store: Store) -> set[str]:
    with store.read() as session:
        return {found.mention.source_id for found in mentions.find(session, MentionFilter(), limit=1000).items}


def asked(store: Store, watch: Watch, since: datetime) -> Backfill:
    with store.write() as session:
        return backfills.ask(session, watch.id, since, now())


def seen(store: Store, number: int) -> Backfill:
    with store.read() as session:
        return backfills.get(session, number)


def test_a_backfill_reads_what_the_first_reading_left_out(
    means: Means, watch: Watch, forum: HackerNewsUpstream
) -> None:
    collect_due(means, now())
    first = heard(means.store)
    assert 100 < len(first) < 450, "a first reading goes 30 days back"
    job = asked(means.store, watch, now() - 50 * DAY)
    reports: list[float] = []
    work_off(means, lambda: now() + timedelta(hours=1), progress=lambda one: reports.append(one.share))
    done = seen(means.store, job.id)
    assert (done.state, done.share, done.problem) == ("done", 1.0, None)
    assert reports == sorted(reports)
    wanted = {hit["objectID"] for hit in forum.hits if hit["created_at_i"] > (now() - 50 * DAY).timestamp()}
    assert wanted <= heard(means.store)
    assert done.new == len(heard(means.store)) - len(first)


def test_a_backfill_moves_no_live_cursor_and_its_runs_are_in_the_ledger(
    store: Store, means: Means, watch: Watch
) -> None:
    collect_due(means, now())
    with store.read() as session:
        before = watches.get(session, watch.id)
    asked(store, watch, now() - 40 * DAY)
    work_off(means, lambda: now() + timedelta(hours=1))
    with store.read() as session:
        after = watches.get(session, watch.id)
        runs = watches.runs(session, watch.id)
    assert (after.cursor, after.next_at) == (before.cursor, before.next_at)
    assert runs[0].backfill_id is not None
    assert runs[0].fetched == runs[0].new + runs[0].updated + runs[0].duplicate + runs[0].refused


def test_a_backfill_of_many_steps_goes_on_where_each_was_cut(
    means: Means, watch: Watch, tmp_path: Path
) -> None:
    busy = HackerNewsUpstream(tmp_path)
    busy.start, busy.spacing = now() - 60 * DAY, 60 * DAY / 4600  # type: ignore[misc]
    busy.add(4500)
    with busy.on_loopback() as address:
        web = replace(means.web, allow_hosts=(address.removeprefix("http://"),))
        means = replace(means, web=web, keys={"hackernews": {"base_url": address}})
        job = asked(means.store, watch, now() - 61 * DAY)
        steps = 0
        while seen(means.store, job.id).open:
            assert backfill.step(means, now() + timedelta(hours=steps), only=job.id) is not None
            steps += 1
    assert steps > 2
    with means.store.read() as session:
        assert metrics.count(session, MentionFilter()) == 4500


def test_a_failed_step_waits_and_goes_on(means: Means, watch: Watch, forum: HackerNewsUpstream) -> None:
    job = asked(means.store, watch, now() - 40 * DAY)
    forum.failure = (429, {"Retry-After": "120"})
    assert work_off(means, now) == 1
    waiting = seen(means.store, job.id)
    assert waiting.open
    assert waiting.problem is not None
    assert timedelta(seconds=100) < waiting.next_at - now() < timedelta(seconds=130)
    forum.failure = (403, {})
    with means.store.write() as session:
        backfills.resume(session, job.id, now())
    later = replace(means, web=replace(means.web, shared=means.web.shared + "-another"))
    work_off(later, now)
    stopped = seen(means.store, job.id)
    assert (stopped.state, stopped.problem.error if stopped.problem else None) == ("failed", "refused")
    forum.failure = None
    with means.store.write() as session:
        backfills.resume(session, job.id, now())
    work_off(later, lambda: now() + timedelta(hours=1))
    assert seen(means.store, job.id).state == "done"


def test_a_backfill_can_be_cancelled_and_is_over_then(store: Store, means: Means, watch: Watch) -> None:
    job = asked(store, watch, now() - 40 * DAY)
    with store.write() as session:
        assert backfills.cancel(session, job.id, now()).state == "cancelled"
    assert work_off(means, now) == 0
    with store.write() as session, pytest.raises(Conflict, match="over already"):
        backfills.cancel(session, job.id, now())


def test_the_same_backfill_twice_is_one(store: Store, watch: Watch) -> None:
    first = asked(store, watch, now() - 40 * DAY)
    assert asked(store, watch, now() - 30 * DAY).id == first.id
    assert asked(store, watch, now() - 50 * DAY).id != first.id


def test_a_wish_is_bounded_by_what_the_source_shows_and_said_so(watch: Watch) -> None:
    unbounded = plan(watch, now() - 900 * DAY, now())
    assert not unbounded.bounded
    with pytest.raises(Invalid, match="not in the past"):
        plan(watch, now() + DAY, now())
    week = SourceFacts(name="x", query_hint="", reach_days=7)
    moment = now()
    assert backfill.earliest(week, moment) == moment - 7 * DAY


def test_what_its_source_has_deleted_goes_and_stays_away(
    store: Store, means: Means, watch: Watch, forum: HackerNewsUpstream
) -> None:
    collect_due(means, now())
    victim = forum.items[-1]
    hit = forum.hits[-1]
    forum.delete(victim)
    in_a_week = now() + 8 * DAY
    done = recheck_due(means, in_a_week)
    while done.asked and heard(store) & {victim}:
        done = recheck_due(means, in_a_week)
    assert victim not in heard(store)
    assert done.problem is None
    forum.hits.append(hit)
    forum.items.append(victim)
    (outcome,) = collect_due(means, in_a_week)
    assert victim not in heard(store)
    assert outcome.refused == 1
    with store.read() as session:
        run = watches.last_run(session, watch.id)
    assert run is not None
    assert "stays away" in str(run.refusals)
    assert run.fetched == run.new + run.updated + run.duplicate + run.refused


def test_an_upstream_that_is_down_deletes_nothing(
    store: Store, means: Means, watch: Watch, forum: HackerNewsUpstream
) -> None:
    collect_due(means, now())
    before = heard(store)
    forum.failure = (503, {})
    done = recheck_due(means, now() + 8 * DAY)
    assert (done.gone, done.dropped) == (0, 0)
    assert heard(store) == before


def test_a_deleted_mention_leaves_no_trace_in_the_files(
    sqlite_store: Store, tmp_path: Path
) -> None:
    with sqlite_store.write() as session:
        brand = brands.add(session, make.brand())
        marked = make.mention("7", "MARCADOR-UNICO en un texto", raw={"body": "MARCADOR-UNICO"})
        author = replace(marked.author, id="persona-unica", handle="persona-unica") if marked.author else None
        mentions.save(session, brand, [replace(marked, author=author), make.mention("8")], make.NOW)
    with sqlite_store.write() as session:
        assert tombstones.bury(session, [("mastodon", "7")], make.NOW) == 1
    sqlite_store.checkpoint()
    sqlite_store.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"MARCADOR-UNICO" not in written
    assert b"persona-unica" not in written


def test_a_tombstone_holds_for_every_brand_and_an_author_with_other_words_stays(store: Store, lumbre: Brand) -> None:
    with store.write() as session:
        rival = brands.add(session, make.brand("rival"))
        for brand in (lumbre, rival):
            mentions.save(session, brand, [make.mention("1"), make.mention("2")], make.NOW)
        assert tombstones.bury(session, [("mastodon", "1")], make.NOW) == 2
        assert tombstones.buried(session, [("mastodon", "1"), ("mastodon", "2"), ("x", "1")]) == {("mastodon", "1")}
    with store.read() as session:
        found = mentions.find(session, MentionFilter()).items
    assert {(one.mention.source_id, one.mention.author.handle if one.mention.author else "") for one in found} == {
        ("2", "@ana@social.invalid")
    }
