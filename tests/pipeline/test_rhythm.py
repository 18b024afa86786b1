"""A watch is asked as often as there is news, within its bounds, and is left in peace where nothing helps."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from escucha.brand import Query, Watch
from escucha.errors import TryLater
from pipeline.rhythm import QUIET_AFTER, QUIET_FAILURES, interval, judge
from store.mentions import Saved
from store.watches import Ledger
from tests import make

DICE = random.Random(1)


def watch(**changes: Any) -> Watch:
    given = Watch(id=1, brand_id=1, source="rss", query=Query(text="x"), every=900, slowest=7200, pace=1800)
    return replace(given, **changes)


def heard(new: int, again: int = 0) -> Ledger:
    return Ledger(saved=Saved(new=new, duplicate=again))


@pytest.mark.parametrize(
    ("ledger", "seconds"),
    [(heard(9, 1), 900), (heard(1, 9), 1440), (heard(0, 10), 2700), (heard(0), 2700), (heard(30, 70), 900)],
)
def test_the_pause_follows_the_share_of_new_items(ledger: Ledger, seconds: int) -> None:
    assert interval(watch(), ledger) == seconds


def test_the_pause_stays_between_its_bounds_whatever_happens() -> None:
    busy = idle = watch()
    for _ in range(20):
        busy = replace(busy, pace=interval(busy, heard(10)))
        idle = replace(idle, pace=interval(idle, heard(0, 3)))
    assert (busy.pace, idle.pace) == (900, 7200)


def test_a_run_that_stopped_at_its_bound_goes_on_at_once() -> None:
    verdict = judge(watch(), None, make.NOW, DICE, heard(100), more=True)
    assert verdict.next_at - make.NOW <= timedelta(seconds=1)
    assert verdict.pace == 1800


def test_repeated_failure_over_days_ends_in_a_quiet_pause_and_nothing_sooner_does() -> None:
    down = TryLater("Down.")
    long_ago, lately = make.NOW - QUIET_AFTER, make.NOW - QUIET_AFTER / 2
    assert judge(watch(failures=QUIET_FAILURES, last_good_at=long_ago), down, make.NOW, DICE).state == "paused"
    assert judge(watch(failures=QUIET_FAILURES, last_good_at=lately), down, make.NOW, DICE).state == "active"
    assert judge(watch(failures=2, last_good_at=long_ago), down, make.NOW, DICE).state == "active"


def test_a_failure_does_not_change_the_rhythm() -> None:
    assert judge(watch(), TryLater("Down."), make.NOW, DICE).pace == 1800
