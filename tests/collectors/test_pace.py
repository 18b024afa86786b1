"""Politeness is kept by all who ask: threads, processes, watches with one key; and an upstream's word holds for all."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.clock import Clock
from collectors.meter import quota_of
from collectors.pace import Allowance, Pace
from escucha.errors import TryLater
from escucha.source import Quota
from tests.conftest import ROOT

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ASKER = """
import sys, time
from collectors.clock import WALL
from collectors.pace import Pace
pace = Pace(sys.argv[1])
for _ in range(5):
    pace.wait("host.example", 0.05, WALL)
    print(time.time(), flush=True)
"""


class Sleeper:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.now, monotonic=lambda: self.now.timestamp(), sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def test_processes_that_share_a_folder_keep_one_pace(tmp_path: Path) -> None:
    asking = [
        subprocess.Popen([sys.executable, "-c", ASKER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    times = sorted(float(line) for one in asking for line in one.communicate(timeout=60)[0].split())
    assert len(times) == 15
    # Each takes its turn before it sleeps: 14 pauses lie between the first turn and the last.
    assert times[-1] - times[0] > 14 * 0.05 - 0.06


@pytest.mark.parametrize("shared", [True, False])
def test_what_an_upstream_asked_of_one_holds_for_all_with_the_same_key(tmp_path: Path, shared: bool) -> None:
    sleeper = Sleeper()
    one = Pace(str(tmp_path) if shared else "")
    other = Pace(str(tmp_path)) if shared else one
    one.hold("host.example abc", 120, sleeper.clock)
    with pytest.raises(TryLater, match="asked us to wait") as caught:
        other.wait("host.example abc", 1, sleeper.clock)
    assert caught.value.after == 120
    other.wait("host.example xyz", 1, sleeper.clock)
    sleeper.now += timedelta(seconds=100)
    other.wait("host.example abc", 1, sleeper.clock)
    assert sleeper.slept == [20.0]


def test_a_clock_that_was_set_back_stops_nobody(tmp_path: Path) -> None:
    sleeper, pace = Sleeper(), Pace(str(tmp_path))
    pace.wait("h", 1, sleeper.clock)
    sleeper.now -= timedelta(days=400)
    pace.wait("h", 1, sleeper.clock)
    assert sleeper.slept == []


def test_a_state_that_a_killed_process_left_half_written_is_forgotten(tmp_path: Path) -> None:
    sleeper, pace = Sleeper(), Pace(str(tmp_path))
    pace.wait("h", 1, sleeper.clock)
    for file in tmp_path.iterdir():
        file.write_text('{"free": 17')
    pace.wait("h", 1, sleeper.clock)
    assert sleeper.slept == []


def test_an_allowance_is_used_up_once_for_all_and_begins_anew_at_its_own_midnight(tmp_path: Path) -> None:
    sleeper = Sleeper()
    units = Allowance(limit=250, zone="America/Los_Angeles")
    left = Pace(str(tmp_path)).spend("host abc", 100, units, sleeper.clock)
    assert (left.remaining, left.limit) == (150, 250)
    Pace(str(tmp_path)).spend("host abc", 100, units, sleeper.clock)
    with pytest.raises(TryLater, match="allowance of 250 units") as caught:
        Pace(str(tmp_path)).spend("host abc", 100, units, sleeper.clock)
    assert caught.value.after == timedelta(hours=20).total_seconds()
    sleeper.now += timedelta(hours=20)
    assert Pace(str(tmp_path)).spend("host abc", 100, units, sleeper.clock).remaining == 150


def test_an_allowance_may_be_of_minutes_or_of_a_week() -> None:
    assert Allowance(limit=1, minutes=60).period(NOW) == (NOW, NOW + timedelta(hours=1))
    start, end = Allowance(limit=1, days=7).period(NOW)
    assert (end - start, start <= NOW < end) == (timedelta(days=7), True)


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        ({"x-ratelimit-remaining": "59", "x-ratelimit-limit": "60", "x-ratelimit-reset": "1795348800"},
         Quota(limit=60, remaining=59, resets_at=datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(days=0))),
        ({"x-ratelimit-remaining": "98.0", "x-ratelimit-used": "2", "x-ratelimit-reset": "600"},
         Quota(remaining=98, resets_at=NOW + timedelta(minutes=10))),
        ({"x-ratelimit-remaining": "299", "x-ratelimit-limit": "300", "x-ratelimit-reset": "2026-11-22T12:05:00.000Z"},
         Quota(limit=300, remaining=299, resets_at=NOW + timedelta(minutes=5))),
        ({"x-app-usage": '{"call_count":28,"total_time":25,"total_cputime":40}'},
         Quota(limit=100, remaining=60, unit="percent")),
        ({"x-business-use-case-usage": '{"17":[{"type":"instagram","call_count":100}]}'},
         Quota(limit=100, remaining=0, unit="percent")),
        ({"x-ratelimit-remaining": "many"}, None), ({"x-app-usage": "["}, None), ({}, None),
        ({"ratelimit-remaining": "-3", "ratelimit-reset": "1e400"}, Quota(remaining=0)),
    ],
)
def test_an_upstreams_own_limit_is_read_from_its_headers(headers: dict[str, str], quota: Quota | None) -> None:
    assert quota_of(headers, NOW) == quota
