"""Politeness: pauses between requests to one host or with one key, and daily allowances, whoever makes them."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from collectors.clock import Clock
from escucha.errors import TryLater
from escucha.source import Quota

State = MutableMapping[str, Any]


class Pace:
    """Keeps requests of all threads apart, and those of all processes on this machine where they share a `folder`.

    What is kept under a key (a host, or a host with a credential's fingerprint): when the next request may start,
    until when the upstream asked everyone to hold still, and how much of a day's allowance is used.
    """

    def __init__(self, folder: str = "") -> None:
        self._lock = Lock()
        self._states: dict[str, State] = {}
        self._folder = Path(folder) if folder else None

    def wait(self, key: str, seconds: float, clock: Clock, longest: float = 60.0) -> None:
        """Take the key's next free moment and sleep until then.

        Raises:
            TryLater: the upstream asked for more than `longest` seconds of patience, perhaps of another watch.
        """
        now = clock.now().timestamp()
        with self._kept(key) as state:
            held = state.get("held", 0.0) - now
            if held > longest:
                raise TryLater(
                    "{host} asked us to wait, with this key or address. Nothing is lost: the watch goes on by itself.",
                    after=held, host=key.partition(" ")[0],
                )
            start = max(now, state.get("free", 0.0), state.get("held", 0.0))
            if start - now > 86_400:  # the clock was set back
                start = now
            state["free"] = start + seconds
        if start > now:
            clock.sleep(start - now)

    def hold(self, key: str, seconds: float, clock: Clock) -> None:
        """Nobody asks under this key for so many seconds: the upstream said so."""
        until = clock.now().timestamp() + seconds
        with self._kept(key) as state:
            state["held"] = max(until, state.get("held", 0.0))

    def spend(self, key: str, units: int, allowance: Allowance, clock: Clock) -> Quota:
        """Take units of an allowance; what is left of it.

        Raises:
            TryLater: too little is left, until the allowance begins anew.
        """
        now = clock.now()
        start, end = allowance.period(now)
        with self._kept(f"{key} {allowance.name}") as state:
            used = state.get("used", 0) if state.get("start") == start.isoformat() else 0
            if used + units > allowance.limit:
                raise TryLater(
                    "The allowance of {limit} {unit} at {host} is used up. Nothing is lost: the watch goes on when it "
                    "begins anew.",
                    after=(end - now).total_seconds(), limit=allowance.limit, unit=allowance.name,
                    host=key.partition(" ")[0],
                )
            state.update(start=start.isoformat(), used=used + units)
        return Quota(limit=allowance.limit, remaining=allowance.limit - used - units, resets_at=end,
                     unit=allowance.name)

    @contextmanager
    def _kept(self, key: str) -> Iterator[State]:
        with self._lock:
            if self._folder is None:
                yield self._states.setdefault(key, {})
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            name = sha256(key.encode(errors="replace")).hexdigest()[:32]
            with (self._folder / name).open("a+", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                state = _read(file.read())
                yield state
                file.truncate(0)
                file.write(json.dumps(state))


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """So many units (`name`: "units", "searches") in `days` days that begin at midnight in `zone`, or in `minutes`."""

    limit: int
    name: str = "units"
    zone: str = "UTC"
    days: int = 1
    minutes: int = 0

    def period(self, now: datetime) -> tuple[datetime, datetime]:
        """The start and end of the period that `now` lies in."""
        if self.minutes:
            length = timedelta(minutes=self.minutes)
            start = now - (now - datetime(1970, 1, 1, tzinfo=UTC)) % length
            return start, start + length
        zone = ZoneInfo(self.zone)
        day = now.astimezone(zone).date()
        first = day - timedelta(days=day.toordinal() % self.days)
        return (datetime.combine(first, time.min, zone),
                datetime.combine(first + timedelta(days=self.days), time.min, zone))


def _read(text: str) -> State:
    try:
        state = json.loads(text or "{}")
    except ValueError:  # a process was killed while it wrote
        return {}
    return state if isinstance(state, dict) else {}


PROCESS = Pace()
"""The one that all collectors of this process share where no folder is set."""

_SHARED: dict[str, Pace] = {}


def pace_at(folder: str) -> Pace:
    """The pace kept in a folder, one object a process; without a folder the process's own."""
    return _SHARED.setdefault(folder, Pace(folder)) if folder else PROCESS
