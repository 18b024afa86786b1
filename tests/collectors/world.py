"""A programmable upstream with a time of its own, and a record of what came, changed and went there."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from collectors.clock import Clock
from tests.collectors.fakes.upstream import NOW, Failure, Upstream

SECOND = timedelta(seconds=1)
LATE = timedelta(minutes=9)
"""So much after its moment an item may appear: every source looks further back than that."""
FIRST = timedelta(hours=36)
"""So old may be what is there when a life begins."""
CROWD = 20
"""Items of one moment that may fill a page."""
MARK = "corregido"
"""What stands in every changed text, before the number of the change."""


class World:
    """An upstream, the time, and what happened to each item: when it came, changed and went."""

    def __init__(self, upstream: Upstream, dice: random.Random) -> None:
        self.upstream = upstream
        self.dice = dice
        self.now = NOW
        self.ahead = timedelta(0)
        """How far the upstream's clock is ahead of ours."""
        self.asked_at: datetime | None = None
        self.moments: dict[str, datetime] = {}
        self.came: dict[str, datetime] = {}
        self.changed: dict[str, datetime] = {}
        self.went: dict[str, datetime] = {}
        self.version: dict[str, int] = {}
        self.marks: dict[int, tuple[str, int]] = {}
        self.events: dict[int, Callable[[], object]] = {}
        self.failure: Failure | None = None
        self.spared = self.lasts = self.ticks = 0
        self.held = NOW
        self.crowded = False
        self._crowd = 0
        """How many items are of the newest moment."""
        upstream.clock = Clock(now=lambda: self.now, monotonic=lambda: 0.0, sleep=self.wait)
        upstream.befall = self.tick

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    def tick(self) -> Failure | None:
        """What comes between two requests or pages: an event, or a failure."""
        self.ticks += 1
        event = self.events.pop(self.ticks, None)
        if event:
            self.wait(self.dice.randint(1, 30))
            event()
        if self.failure is None or self.ticks <= self.spared or self.lasts == 0:
            return None
        self.lasts -= 1
        after = self.failure[1].get("Retry-After")
        self.held = self.now + timedelta(seconds=int(after)) + SECOND if after else self.held
        return self.failure

    def add(self, count: int, together: bool = False) -> str:
        """Items come, a little before now."""
        upstream, before = self.upstream, set(self.upstream.items)
        self._make_room(count, together)
        already = upstream._moments
        upstream.add(count, together)
        new = [item for item in upstream.items if item not in before]
        self._crowd = self._crowd + count if together else 1
        self.crowded = self.crowded or self._crowd > CROWD
        for number, item in enumerate(new, 1):
            steps = max(already, 1) if together else already + number
            self.moments[item] = upstream.start + steps * upstream.spacing
            self.came[item], self.version[item] = self.now, 0
        return f"{count} come{' together' if together else ''}"

    def edit(self) -> str:
        """An item changes, most often a new one."""
        item = self._chosen(self.upstream.editable)
        if item is None:
            return "nothing can change"
        self._make_room(1)
        self.version[item] += 1
        number = len(self.marks)
        self.marks[number] = (item, self.version[item])
        self.upstream.edit(item, f"Café Lumbre {MARK} {number} veces")
        self.changed[item] = self.now
        self._crowd = 1
        return f"{item} changes ({number})"

    def delete(self) -> str:
        """An item goes.

        Not where pages are bounded by time and one moment fills more than a page: there what goes hides another, until
        the overlap is read again.
        """
        leafed = self.upstream.by == "time" and self.crowded
        item = self._chosen([] if leafed else self.upstream.deletable)
        if item is None:
            return "nothing can go"
        self._make_room(3)
        before = set(self.upstream.items)
        self.upstream.delete(item)
        self.went |= dict.fromkeys(before - set(self.upstream.items), self.now)
        self._crowd = 1
        return f"{item} goes"

    def _chosen(self, items: list[str]) -> str | None:
        recent = items[-20:] if self.dice.random() < 0.7 else items
        return self.dice.choice(recent) if recent else None

    def _make_room(self, count: int, together: bool = False) -> None:
        """Say where the next moments are: after the last, not long before the last run, and not after now."""
        upstream = self.upstream
        earliest = self.asked_at - LATE if self.asked_at else NOW - FIRST
        if together and 0 < self._crowd <= upstream.enough - count and upstream.reached >= earliest:
            upstream.place(upstream.reached, SECOND)
            return
        lowest = _whole(max(upstream.reached if self.came else earliest, earliest)) + SECOND
        if self.now + self.ahead - lowest < (count + 1) * SECOND:
            self.now = lowest + (count + 1) * SECOND - self.ahead
        room = (self.now + self.ahead - lowest) // SECOND
        widest = room // max(count, 1)
        spacing = self.dice.choice([*(seconds for seconds in (1, 30) if seconds <= widest), *[widest] * 4])
        latest = room - count * spacing
        after = latest if self.dice.random() < 0.5 else self.dice.randint(0, latest)
        self._crowd = 0 if together else self._crowd
        upstream.place(lowest + after * SECOND, spacing * SECOND)


def _whole(moment: datetime) -> datetime:
    """The second in which a moment lies: most upstreams tell no more."""
    return moment.replace(microsecond=0)
