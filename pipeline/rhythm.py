"""Decides when a watch runs next: by how much is new, by what its source asks for, by what went wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from escucha.brand import Problem, Watch, WatchState
from escucha.errors import ConfigError, EscuchaError, Invalid, NotFound, Refused, TryLater
from store.watches import Ledger

FIRST_DELAY = 60.0
LONGEST_DELAY = 6 * 3600.0
AT_ONCE = timedelta(seconds=1)
QUIET_FAILURES = 12
QUIET_AFTER = timedelta(days=3)
"""A watch that failed so often in a row, for so long, is left in peace until a person resumes it."""
MUCH, NOTHING = 0.3, 0.0
"""Shares of new items: from this on a watch is asked sooner, at this one later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows from a run for its watch."""

    next_at: datetime
    pace: int
    failures: int
    state: WatchState
    problem: Problem | None


def judge(
    watch: Watch, problem: EscuchaError | None, now: datetime, dice: random.Random, ledger: Ledger | None = None,
    more: bool = False,
) -> Verdict:
    """Decide when a watch runs next.

    Success: at once if there is `more`, else after its interval, which follows the share of new items. Where a person
    must act (refused, misconfigured, gone): paused. Else it goes on by itself, after what the source asked for or an
    exponential backoff with full jitter (Brooker, AWS 2015), until it has failed for days: then it pauses too.
    """
    if problem is None:
        pace = watch.pace or watch.every if more or ledger is None else interval(watch, ledger)
        wait = AT_ONCE if more else timedelta(seconds=pace)
        return Verdict(next_at=now + wait, pace=pace, failures=0, state=watch.state, problem=None)
    failures, pace = watch.failures + 1, watch.pace or watch.every
    state: WatchState = "paused" if needs_person(problem) or _is_hopeless(watch, failures, now) else watch.state
    return Verdict(
        next_at=now + timedelta(seconds=backoff(problem, failures, dice)), pace=pace, failures=failures, state=state,
        problem=Problem.of(problem),
    )


def interval(watch: Watch, ledger: Ledger) -> int:
    """Seconds until the next run: fewer where much was new, more where nothing was, between the watch's bounds."""
    pace = watch.pace or watch.every
    share = ledger.saved.new / ledger.fetched if ledger.fetched else NOTHING
    factor = 0.5 if share >= MUCH else 1.5 if share <= NOTHING else 0.8
    return int(min(max(pace * factor, watch.every), max(watch.slowest, watch.every)))


def backoff(problem: EscuchaError, failures: int, dice: random.Random) -> float:
    """Seconds until the next try: what the source asked for, else a random time under a growing ceiling."""
    asked = problem.after if isinstance(problem, TryLater) else None
    ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures, 12))
    return asked if asked is not None else FIRST_DELAY + dice.uniform(0, ceiling)


def needs_person(problem: EscuchaError) -> bool:
    """Whether waiting will not help."""
    return isinstance(problem, Refused | ConfigError | Invalid | NotFound)


def _is_hopeless(watch: Watch, failures: int, now: datetime) -> bool:
    since = watch.last_good_at or watch.made_at
    return failures >= QUIET_FAILURES and since is not None and now - since >= QUIET_AFTER
