"""Collecting loses nothing, repeats nothing, and says why it stops."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from collectors.http import WebOptions
from escucha.brand import Brand, Query, Watch
from escucha.errors import Refused, SourceError, TryLater
from escucha.filter import MentionFilter
from nlp.chain import ModelOptions
from pipeline import pull, rhythm
from pipeline.collect import collect_due, settle
from pipeline.means import Means
from pipeline.pool import Inline, open_pool
from pipeline.pull import Haul, Order
from pipeline.rhythm import judge
from store import brands, mentions, metrics, watches
from store.engine import Store
from tests import make
from tests.pipeline.upstream import Upstream, feed, upstream

HOUR = timedelta(hours=1)


@pytest.fixture
def web() -> Iterator[Upstream]:
    with upstream() as server:
        yield server


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        return brands.add(session, make.brand())


def means(store: Store, web: Upstream, pool: Executor | None = None) -> Means:
    return Means(
        store=store, pool=pool or Inline(), web=WebOptions(allow_hosts=(web.host,), pace=0), models=ModelOptions()
    )


def watch(store: Store, brand: Brand, url: str, source: str = "rss") -> Watch:
    with store.write() as session:
        return watches.add(session, brand.id or 0, source, Query(text=url), 900, make.NOW)


def stored(store: Store) -> list[str]:
    with store.read() as session:
        return sorted(m.mention.text for m in mentions.find(session, MentionFilter(), limit=1000).items)


def seen(store: Store, number: int) -> Watch:
    with store.read() as session:
        return watches.get(session, number)


def test_what_a_feed_tells_is_saved_once_and_the_ledger_balances(store: Store, lumbre: Brand, web: Upstream) -> None:
    url = web.put("/feed", feed("uno", "dos"))
    number = watch(store, lumbre, url).id
    (first,) = collect_due(means(store, web), make.NOW)
    assert (first.saved.new, first.problem) == (2, None)
    web.put("/feed", feed("uno", "dos", "tres"))
    (second,) = collect_due(means(store, web), make.NOW + HOUR)
    assert (second.saved.new, second.saved.duplicate) == (1, 2)
    assert len(stored(store)) == 3
    with store.read() as session:
        run = watches.last_run(session, number)
    assert run is not None
    assert run.fetched == run.new + run.updated + run.duplicate + run.refused == 3


@pytest.mark.parametrize("kind", ["inline", "threads", "dask"])
def test_the_same_collect_runs_inline_in_threads_and_on_a_cluster(
    sqlite_store: Store, web: Upstream, kind: str
) -> None:
    with sqlite_store.write() as session:
        lumbre = brands.add(session, make.brand())
    for n in range(4):
        watch(sqlite_store, lumbre, web.put(f"/{n}", feed(f"texto {n}", first=n)))
    with ExitStack() as stack:
        pool: Executor = Inline()
        if kind == "threads":
            pool = stack.enter_context(open_pool(threads=3))
        elif kind == "dask":
            from distributed import LocalCluster

            cluster = stack.enter_context(
                LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1")
            )
            pool = stack.enter_context(open_pool(dask=cluster.scheduler_address))
        outcomes = collect_due(means(sqlite_store, web, pool), make.NOW)
        again = collect_due(means(sqlite_store, web, pool), make.NOW + HOUR)
    assert [o.problem for o in outcomes + again] == [None] * 8
    assert sum(o.saved.new for o in outcomes) == 4
    assert sum(o.saved.new for o in again) == 0
    assert len(web.asked) == 8, "a repeated call must ask the upstream again"


class Cancelling(Executor):
    """A pool that dies with the work in it, as a Dask scheduler does."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.cancel()
        future.set_running_or_notify_cancel()
        return future


def test_a_run_that_the_pool_lost_is_tried_again(store: Store, lumbre: Brand, web: Upstream) -> None:
    number = watch(store, lumbre, web.put("/feed", feed("uno"))).id
    (lost,) = collect_due(means(store, web, Cancelling()), make.NOW)
    assert isinstance(lost.problem, TryLater)
    assert seen(store, number).state == "active"
    (found,) = collect_due(means(store, web), make.NOW + HOUR * 7)
    assert found.saved.new == 1
    assert seen(store, number).problem is None


@pytest.mark.parametrize(
    ("status", "headers", "error", "state"),
    [
        (429, {"Retry_After": "120"}, "try_later", "active"),
        (503, {}, "try_later", "active"),
        (401, {}, "refused", "paused"),
        (404, {}, "refused", "paused"),
    ],
)
def test_an_upstream_that_says_no_is_noted_and_loses_nothing(
    store: Store, lumbre: Brand, web: Upstream, status: int, headers: dict[str, str], error: str, state: str
) -> None:
    number = watch(store, lumbre, web.put("/feed", feed("uno"))).id
    collect_due(means(store, web), make.NOW)
    before = seen(store, number).cursor
    web.put("/feed", "no", status, **headers)
    (outcome,) = collect_due(means(store, web), make.NOW + HOUR)
    after = seen(store, number)
    assert outcome.problem is not None
    assert outcome.problem.error == error
    assert after.state == state
    assert after.cursor == before
    assert after.problem is not None
    assert after.problem.error == error
    assert len(stored(store)) == 1


def test_a_web_page_in_place_of_a_feed_pauses_the_watch_and_says_so(store: Store, lumbre: Brand, web: Upstream) -> None:
    url = web.put("/page", "<!doctype html><html><body>Hola</body></html>", Content_Type="text/html")
    number = watch(store, lumbre, url).id
    (outcome,) = collect_due(means(store, web), make.NOW)
    assert isinstance(outcome.problem, SourceError)
    assert "feed" in str(outcome.problem)
    assert seen(store, number).problem is not None


def test_a_revoked_key_pauses_the_watch_and_is_written_nowhere(
    sqlite_store: Store, web: Upstream, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite_store.write() as session:
        lumbre = brands.add(session, make.brand())
    number = watch(sqlite_store, lumbre, "café", source="reddit").id
    web.put("/api/v1/access_token", '{"message": "Unauthorized", "error": 401}', 401, Content_Type="application/json")
    keys = {"client_id": "app-id", "client_secret": "s3cr3t-key", "oauth_url": web.url, "reddit_url": web.url}
    given = replace(means(sqlite_store, web), keys={"reddit": keys})
    (outcome,) = collect_due(given, make.NOW)
    assert isinstance(outcome.problem, Refused)
    assert "revoked" in str(outcome.problem)
    assert seen(sqlite_store, number).state == "paused"
    sqlite_store.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"s3cr3t-key" not in written
    assert "s3cr3t-key" not in caplog.text + str(outcome.problem)


def test_an_unknown_source_pauses_the_watch(store: Store, lumbre: Brand, web: Upstream) -> None:
    number = watch(store, lumbre, "x", source="smoke-signals").id
    (outcome,) = collect_due(means(store, web), make.NOW)
    assert outcome.problem is not None
    assert outcome.problem.error == "not_found"
    assert seen(store, number).state == "paused"


def test_mentions_cursor_and_ledger_are_saved_together_or_not_at_all(
    sqlite_store: Store, tmp_path: Path
) -> None:
    """The database fails after the mentions and before the ledger: nothing of the run may stay."""
    with sqlite_store.write() as session:
        lumbre = brands.add(session, make.brand())
        session.execute(text(
            "CREATE TRIGGER no_ledger BEFORE INSERT ON run BEGIN SELECT RAISE(ABORT, 'disk gone'); END"
        ))
    rss = watch(sqlite_store, lumbre, "http://x")
    haul = Haul(mentions=(make.mention(),), cursor={"etag": "new"})
    with pytest.raises(Exception, match="disk gone"):
        settle(sqlite_store, rss, lumbre, haul, make.NOW)
    with sqlite_store.read() as session:
        assert metrics.count(session, MentionFilter()) == 0
        assert watches.get(session, rss.id).cursor is None


def test_a_haul_that_cannot_be_saved_stops_no_other_watch(sqlite_store: Store, web: Upstream) -> None:
    with sqlite_store.write() as session:
        lumbre = brands.add(session, make.brand())
        session.execute(text(
            "CREATE TRIGGER no_bad BEFORE INSERT ON mention WHEN NEW.text = 'malo' "
            "BEGIN SELECT RAISE(ABORT, 'cannot be held'); END"
        ))
    bad = watch(sqlite_store, lumbre, web.put("/a", feed("malo"))).id
    watch(sqlite_store, lumbre, web.put("/b", feed("bueno", first=2)))
    outcomes = collect_due(means(sqlite_store, web), make.NOW)
    assert stored(sqlite_store) == ["bueno"]
    assert len(outcomes) == 2
    after = seen(sqlite_store, bad)
    assert (after.cursor, after.failures, after.state) == (None, 1, "active")
    assert after.problem is not None
    assert "does not know" in after.problem.message


def test_pages_read_before_an_error_are_kept_with_their_cursor(
    store: Store, lumbre: Brand
) -> None:
    rss = watch(store, lumbre, "http://x")
    haul = Haul(mentions=(make.mention(),), cursor={"page": 1}, problem=TryLater("Wait.", after=60))
    settle(store, rss, lumbre, haul, make.NOW)
    after = seen(store, rss.id)
    assert len(stored(store)) == 1
    assert (after.cursor, after.failures) == ({"page": 1}, 1)
    assert after.next_at == make.NOW + timedelta(seconds=60)


def some_watch(**changes: Any) -> Watch:
    return replace(Watch(id=1, brand_id=1, source="rss", query=Query(text="x"), every=900), **changes)


def test_success_runs_after_the_interval_and_forgets_failures() -> None:
    verdict = judge(some_watch(failures=4), None, make.NOW, random.Random(1))
    assert (verdict.next_at, verdict.failures, verdict.problem) == (make.NOW + timedelta(minutes=15), 0, None)


def test_what_the_source_asked_for_is_obeyed() -> None:
    verdict = judge(some_watch(), TryLater("Wait.", after=7), make.NOW, random.Random(1))
    assert verdict.next_at == make.NOW + timedelta(seconds=7)


def test_backoff_grows_has_jitter_and_ends() -> None:
    def delays(failures: int) -> list[float]:
        dice = random.Random(7)
        problem = TryLater("Down.")
        return [
            (judge(some_watch(failures=failures), problem, make.NOW, dice).next_at - make.NOW).total_seconds()
            for _ in range(200)
        ]

    few, many, endless = delays(0), delays(5), delays(500)
    assert max(few) <= 60 + 120 < max(many) <= 60 + 64 * 60
    assert len(set(few)) > 100
    assert 5 * 3600 < max(endless) <= 60 + rhythm.LONGEST_DELAY


def test_where_a_person_must_act_the_watch_pauses_with_the_reason() -> None:
    verdict = judge(some_watch(), Refused("The key was revoked. Enter a new one."), make.NOW, random.Random(1))
    assert verdict.state == "paused"
    assert verdict.problem is not None
    assert verdict.problem.message == "The key was revoked. Enter a new one."


def test_an_error_of_the_collector_itself_is_a_problem_and_no_crash(store: Store, web: Upstream) -> None:
    order = Order(source="rss", query=Query(text="http://x"), cursor=None, web=None)  # type: ignore[arg-type]
    haul = pull.pull(order, make.NOW)
    assert isinstance(haul.problem, SourceError)
    assert "stopped on something it does not know" in str(haul.problem)


def test_a_pool_in_threads_runs_work_side_by_side() -> None:
    with open_pool(threads=2) as pool:
        assert isinstance(pool, ThreadPoolExecutor)
        assert sorted(pool.map(abs, [-2, 1])) == [1, 2]


def test_inline_work_that_fails_is_a_failed_future() -> None:
    with pytest.raises(ZeroDivisionError):
        Inline().submit(lambda: 1 / 0).result()
