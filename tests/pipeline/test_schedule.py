"""The clock ticks in one process, and a lost run never stops it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from collectors.http import WebOptions
from escucha.brand import Query
from escucha.filter import MentionFilter
from nlp.chain import ModelOptions
from pipeline.means import Means
from pipeline.pool import Ticks, open_pool
from pipeline.schedule import Clock
from store import brands, metrics, watches
from store.engine import Store
from tests import make
from tests.pipeline.upstream import feed, upstream


def wait(until: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if until():
            return True
        time.sleep(0.05)
    return False


def test_the_clock_collects_and_enriches_by_itself(store: Store) -> None:
    def done() -> int:
        with store.read() as session:
            return metrics.count(session, MentionFilter(state="done"))

    with upstream() as web, open_pool(threads=2) as pool:
        url = web.put("/feed", feed("El café me encantó", "La app no funciona", "Busco una cafetería"))
        with store.write() as session:
            lumbre = brands.add(session, make.brand())
            watches.add(session, lumbre.id or 0, "rss", Query(text=url), 10, datetime.now(UTC))
        means = Means(store=store, pool=pool, web=WebOptions(allow_hosts=(web.host,), pace=0), models=ModelOptions())
        with Clock(means, collect=0.2, enrich=0.2):
            assert wait(lambda: done() == 3)
    with store.read() as session:
        (watch,) = watches.all_watches(session)
    assert watch.problem is None
    assert watch.last_run_at is not None


class Led:
    """A candidate that leads or not, as the test says."""

    def __init__(self, leads: bool) -> None:
        self.answer, self.resigned = leads, False

    def leads(self) -> bool:
        return self.answer

    def resign(self) -> None:
        self.resigned = True


def test_a_process_that_does_not_lead_does_nothing(sqlite_store: Store) -> None:
    leader = Led(False)
    with sqlite_store.write() as session:
        lumbre = brands.add(session, make.brand())
        watches.add(session, lumbre.id or 0, "rss", Query(text="http://x"), 10, make.NOW)
    with open_pool(threads=1) as pool:
        means = Means(store=sqlite_store, pool=pool, web=WebOptions(), models=ModelOptions())
        with Clock(means, leader, collect=0.05, enrich=0.05):
            time.sleep(0.5)
    with sqlite_store.read() as session:
        (watch,) = watches.all_watches(session)
    assert watch.last_run_at is None
    assert leader.resigned


class Dying(Executor):
    """A pool that cancels its first piece of work, and works again afterwards."""

    def __init__(self) -> None:
        self.submitted = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted += 1
        future: Future[Any] = Future()
        if self.submitted == 1:
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def ticks_after_a_cancelled_one(executor: Any) -> int:
    """How often a job ran in a second whose first run was cancelled."""
    ran: list[int] = []
    scheduler = BackgroundScheduler(executors={"default": executor}, timezone=UTC)
    scheduler.add_job(lambda: ran.append(1), "interval", seconds=0.1, max_instances=1, misfire_grace_time=None)
    scheduler.start()
    time.sleep(1.0)
    scheduler.shutdown(wait=False)
    return len(ran)


def test_a_cancelled_run_does_not_stop_the_ticks() -> None:
    assert ticks_after_a_cancelled_one(Ticks(Dying())) >= 3


def test_without_the_fix_a_cancelled_run_would_stop_them() -> None:
    """The bug that Ticks mends is real: APScheduler's own executor never runs the job again."""
    from apscheduler.executors.pool import BasePoolExecutor

    class Plain(BasePoolExecutor):  # type: ignore[misc]
        def __init__(self, pool: Executor) -> None:
            super().__init__(pool)

    assert ticks_after_a_cancelled_one(Plain(Dying())) == 0
