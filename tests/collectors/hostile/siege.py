"""Lays siege to a source: a watch that reads well, then its upstream misbehaves, then it is honest again."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

from collectors.http import WebOptions
from escucha.errors import EscuchaError, SourceError, TryLater
from escucha.source import Checked, Cursor
from pipeline.pull import Haul, Order, pull
from pipeline.recheck import ask
from tests.collectors.fakes import Upstream
from tests.collectors.hostile.memory import Peak
from tests.collectors.hostile.promises import MOST_REQUESTS, Case
from tests.collectors.hostile.server import HONEST, Behaviour, HostileServer, Seen
from tests.collectors.hostile.today import come_to_now, honest_of, opened_with, upstream_today

SOON, LATE = 0.5, 4.0
"""Deadlines of a fetch in seconds: where it is to end by the deadline, or is asked again until then, and elsewhere."""
MOST_RUNS = 12
"""Runs that follow each other at once until nothing is left to read."""
ITEMS, FEWER = 3, {"discourse": 2}
"""Items of the first reading, and new ones of each siege; fewer where each costs a request."""
MORE_REQUESTS = {"discourse": 1_100}
"""Sources that ask for each find by itself, and how often a run asks at most."""


class Siege:
    """A source with its upstream behind a hostile server, and what a first honest reading left in its watch."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder
        self._turns = 0
        self.also_open: tuple[str, ...] = ()
        self._upstream = upstream_today(name, folder)
        self._upstream.add(FEWER.get(name, ITEMS))
        self.server = HostileServer(honest_of(name, self._upstream))
        first = self._settled(self._upstream, None)
        self.mentions = tuple({one.source_id: one for haul in first for one in haul.mentions}.values())
        self.known = {mention.source_id for mention in self.mentions}
        self.cursor = json.dumps(first[-1].cursor)
        assert self.known == set(self._upstream.items), f"{name} does not read its honest upstream: {first[-1].problem}"
        self._upstream.requests.clear()

    def endure(self, behaviour: Behaviour, new: int = 0, first: bool = False) -> Case:
        """One run under siege over `new` items, from where the first reading ended, or as a first reading itself."""
        new = new or FEWER.get(self.name, ITEMS)
        upstream = deepcopy(self._upstream)
        come_to_now(upstream, new + 2)
        upstream.add(new)
        self.server.ask = honest_of(self.name, upstream)
        self.server.behave(behaviour)
        cursor, known = (None, set[str]()) if first else (json.loads(self.cursor), set(self.known))
        given = json.dumps(cursor)
        deadline = deadline_of(behaviour)
        peak, begun = Peak(), time.monotonic()
        haul = self._pull(upstream, cursor, deadline)
        case = Case(
            behaviour=behaviour, before=cursor, haul=haul, seen=self.server.seen, seconds=time.monotonic() - begun,
            deadline=deadline, memory=peak.grown(), known=known | {mention.source_id for mention in haul.mentions},
            changed=json.dumps(cursor) != given, real=set(upstream.items),
            most_requests=MORE_REQUESTS.get(self.name, MOST_REQUESTS),
        )
        self.server.behave(HONEST)
        self._afterwards(case, upstream)
        return case

    def _afterwards(self, case: Case, upstream: Upstream) -> None:
        """What an honest upstream then brings; where nothing was brought and nothing moved, that is as before.

        Who lied is owed no more than what comes later: an item that was spoiled may have been refused for good.
        """
        if case.haul.cursor == case.before and not case.haul.mentions and not case.behaviour.harmless:
            case.wanted = set(case.known)
            return
        before = set(upstream.items)
        upstream.add(2)
        lied = not (case.behaviour.fails or case.behaviour.harmless or case.told_nothing)
        case.wanted = set(upstream.items) - (before if lied else set())
        case.later = self._settled(upstream, json.loads(json.dumps(case.haul.cursor)))
        case.known |= {mention.source_id for haul in case.later for mention in haul.mentions}

    def _settled(self, upstream: Upstream, cursor: Cursor | None) -> list[Haul]:
        """Honest runs until nothing is left."""
        hauls: list[Haul] = []
        while not hauls or (hauls[-1].more and len(hauls) < MOST_RUNS):
            hauls.append(self._pull(upstream, hauls[-1].cursor if hauls else cursor))
        return hauls

    def _pull(self, upstream: Upstream, cursor: Cursor | None, deadline: float = LATE) -> Haul:
        query, keys = opened_with(self.name, upstream, self.server.address)
        order = Order(source=self.name, query=query, cursor=cursor, web=self._web(deadline), keys=keys)
        return pull(order, datetime.now(UTC))

    def _web(self, deadline: float) -> WebOptions:
        """Each run has a pace of its own, as if it came much later than the one before."""
        self._turns += 1
        return WebOptions(
            allow_hosts=(self.server.host, *self.also_open), pace=0, deadline=deadline, max_bytes=1_000_000,
            shared=str(self._folder / f"pace-{self._turns}"),
        )

    def look_again(self, behaviour: Behaviour, most: int) -> tuple[Checked, EscuchaError | None, list[Seen]]:
        """Ask under siege whether the mentions of the first reading still exist, as the pipeline asks."""
        self.server.ask = honest_of(self.name, deepcopy(self._upstream))
        self.server.behave(behaviour)
        _, keys = opened_with(self.name, self._upstream, self.server.address)
        checked, problem = ask(self.name, self._web(deadline_of(behaviour)), keys, self.mentions[-most:])
        seen = self.server.seen
        self.server.behave(HONEST)
        return checked, problem, seen

    def close(self) -> None:
        self.server.close()


def deadline_of(behaviour: Behaviour) -> float:
    """Soon where the run waits for it, or would ask again and again until then; else late, for the machine is busy."""
    again = behaviour.error in (TryLater, SourceError) and not behaviour.speaks_of_after
    return SOON if behaviour.waits or again else LATE
