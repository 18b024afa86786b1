"""Keeps the clock: a few ticks in one leading process; what is due is a column in the database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Lock

from apscheduler.schedulers.background import BackgroundScheduler

from escucha.errors import EscuchaError
from pipeline import backfill
from pipeline.collect import collect_due
from pipeline.correct import spread_waiting
from pipeline.duplicates import forget_bands, group_waiting
from pipeline.enrich import enrich_pending
from pipeline.exclude import spread_waiting as hide_waiting
from pipeline.followers import fill_followers
from pipeline.means import Means
from pipeline.night import nightly
from pipeline.pool import Ticks
from pipeline.recheck import recheck_due
from pipeline.renewal import renew_due
from pipeline.retag import work_off
from store import wal
from store.leader import Leader, candidate

log = logging.getLogger(__name__)

COLLECT_SECONDS = 30
ENRICH_SECONDS = 5
BACKFILL_SECONDS = 10
LOOK_AFTER_SECONDS = 300
FORGET_SECONDS = 600
JITTER = 0.1
"""Share of the time between two ticks by which one may come later: what met at a lock does not meet there again."""


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Clock:
    """Ticks while it is entered, and acts only while its process leads.

    `collect`, `enrich`, `read_back`, `look_after` and `forget` are seconds between two ticks.
    """

    def __init__(
        self, means: Means, leader: Leader | None = None, collect: float = COLLECT_SECONDS,
        enrich: float = ENRICH_SECONDS, read_back: float = BACKFILL_SECONDS, look_after: float = LOOK_AFTER_SECONDS,
        forget: float = FORGET_SECONDS,
    ) -> None:
        self._means = means
        self._leader = leader or candidate(means.store)
        self._asking = Lock()
        self._leaving = Event()
        self._scheduler = BackgroundScheduler(
            executors={"default": Ticks()},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )
        ticks = {self.collect: collect, self.enrich: enrich, self.read_back: read_back, self.look_after: look_after,
                 self.forget: forget}
        for tick, seconds in ticks.items():
            self._scheduler.add_job(tick, "interval", seconds=seconds, jitter=JITTER * seconds, next_run_time=now(),
                                    id=tick.__name__)

    def __enter__(self) -> Clock:
        self._scheduler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._scheduler.shutdown(wait=True)
        self._leader.resign()

    def collect(self) -> None:
        """One tick: run the watches that are due, and find what says the same as others."""
        self._lead(lambda: collect_due(self._means, now()))
        self._lead(lambda: group_waiting(self._means.store, self._means.pool, stop=self._leaving.is_set))

    def enrich(self) -> None:
        """One tick: tag what waits, put new rules and exclusions to what is stored, then tag again."""
        self._lead(lambda: enrich_pending(self._means, now))
        self._lead(lambda: spread_waiting(self._means.store))
        self._lead(lambda: hide_waiting(self._means.store, self._leaving.is_set))
        self._lead(lambda: work_off(self._means, now, stop=self._leaving.is_set))

    def read_back(self) -> None:
        """One tick: go on with the backfills, beside the live runs."""
        self._lead(lambda: backfill.work_off(self._means, now, stop=self._leaving.is_set))

    def look_after(self) -> None:
        """One tick: keep keys fresh and SQLite's log short, ask for followers, and whether what was heard exists."""
        self._lead(lambda: renew_due(self._means, now()))
        self._lead(lambda: fill_followers(self._means, now(), stop=self._leaving.is_set))
        self._lead(lambda: recheck_due(self._means, now(), stop=self._leaving.is_set))
        self._lead(lambda: wal.trim(self._means.store))
        self._lead(lambda: forget_bands(self._means.store, now(), stop=self._leaving.is_set))

    def forget(self) -> None:
        """One tick: let go of what is kept no longer, once a night."""
        self._lead(lambda: nightly(self._means.store, now(), stop=self._leaving.is_set))

    def _lead(self, act: Callable[[], object]) -> None:
        try:
            with self._asking:  # the ticks share one candidate
                leads = self._leader.leads()
            if leads:
                act()
        except EscuchaError as error:  # said once a tick, in a sentence; the next tick tries again
            log.warning("%s", error)
