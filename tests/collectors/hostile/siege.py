"""Lays siege to a source: a watch that reads well, then its upstream misbehaves, then it is honest again."""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collectors.http import WebOptions
from escucha.admission import admit
from escucha.errors import EscuchaError, Refused, SourceError, TryLater
from escucha.source import Cursor
from pipeline.pull import Haul, Order, pull
from tests.collectors.fakes import SECRET, Upstream
from tests.collectors.hostile.memory import Peak
from tests.collectors.hostile.server import HONEST, Behaviour, HostileServer, Seen
from tests.collectors.hostile.today import come_to_now, honest_of, opened_with, upstream_today

DEADLINE = 0.5
LONGER = 0.5
"""Seconds that a fetch may take beyond its deadline."""
MOST_REQUESTS = 40
MOST_MEMORY = 48 * 1024
"""KiB by which memory may grow."""
MOST_RUNS = 12
"""Runs that follow each other at once until nothing is left to read."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was not kept: the number of the invariant, and what happened."""

    invariant: int
    what: str


@dataclass(kw_only=True)
class Case:
    """One run under siege, and what came of it."""

    behaviour: Behaviour
    before: Cursor | None
    haul: Haul
    seen: list[Seen]
    seconds: float
    memory: int
    later: list[Haul] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)

    @property
    def requests(self) -> int:
        return len(self.seen)


class Siege:
    """A source with its upstream behind a hostile server, and what a first honest reading left in its watch."""

    def __init__(self, name: str, folder: Path, items: int = 4) -> None:
        self.name = name
        self._folder = folder
        self._turns = 0
        self._upstream = upstream_today(name, folder)
        self._upstream.add(items)
        self.server = HostileServer(honest_of(name, self._upstream))
        first = self._settled(self._upstream, None)
        self.known = {mention.source_id for haul in first for mention in haul.mentions}
        self.cursor = first[-1].cursor
        assert self.known == set(self._upstream.items), f"{name} does not read its honest upstream: {first[-1].problem}"
        self._upstream.requests.clear()

    def endure(self, behaviour: Behaviour, new: int = 3, first: bool = False) -> Case:
        """One run under siege over `new` items, from where the first reading ended, or as a first reading itself."""
        upstream = deepcopy(self._upstream)
        come_to_now(upstream)
        upstream.add(new)
        self.server.ask = honest_of(self.name, upstream)
        self.server.behave(behaviour)
        cursor, known = (None, set()) if first else (self.cursor, set(self.known))
        peak, begun = Peak(), time.monotonic()
        haul = self._pull(upstream, cursor)
        case = Case(
            behaviour=behaviour, before=cursor, haul=haul, seen=self.server.seen, seconds=time.monotonic() - begun,
            memory=peak.grown(), known=known | {mention.source_id for mention in haul.mentions},
        )
        self.server.behave(HONEST)
        self._afterwards(case, upstream)
        return case

    def _afterwards(self, case: Case, upstream: Upstream) -> None:
        """What an honest upstream then brings; where nothing was brought and nothing moved, that is as before."""
        case.wanted = set(upstream.items)
        if case.behaviour.fails and case.haul.cursor == case.before and not case.haul.mentions:
            return
        upstream.add(2)
        case.wanted = set(upstream.items)
        case.later = self._settled(upstream, json.loads(json.dumps(case.haul.cursor)))
        case.known |= {mention.source_id for haul in case.later for mention in haul.mentions}

    def _settled(self, upstream: Upstream, cursor: Cursor | None) -> list[Haul]:
        """Honest runs until nothing is left."""
        hauls: list[Haul] = []
        while not hauls or (hauls[-1].more and len(hauls) < MOST_RUNS):
            hauls.append(self._pull(upstream, hauls[-1].cursor if hauls else cursor))
        return hauls

    def _pull(self, upstream: Upstream, cursor: Cursor | None) -> Haul:
        """A run of the pipeline; each has a pace of its own, as if it came much later than the one before."""
        self._turns += 1
        query, keys = opened_with(self.name, upstream, self.server.address)
        web = WebOptions(
            allow_hosts=(self.server.host,), pace=0, deadline=DEADLINE, max_bytes=1_000_000,
            shared=str(self._folder / f"pace-{self._turns}"),
        )
        return pull(Order(source=self.name, query=query, cursor=cursor, web=web, keys=keys), datetime.now(UTC))

    def close(self) -> None:
        self.server.close()


def violations(case: Case) -> list[Violation]:
    """Every promise that a run did not keep."""
    return [Violation(number, what) for number, check in CHECKS.items() for what in check(case)]


def in_bounds(case: Case) -> Iterator[str]:
    """A run returns within its deadline for each request, and does not ask without end."""
    longest = max((seen.seconds for seen in case.seen), default=0.0)
    if longest > DEADLINE + LONGER:
        yield f"a request took {longest:.2f} s"
    if case.seconds > max(case.requests, 1) * (DEADLINE + LONGER):
        yield f"the run took {case.seconds:.2f} s for {case.requests} requests"
    if case.requests > MOST_REQUESTS:
        yield f"{case.requests} requests in one run"


def says_what_happened(case: Case) -> Iterator[str]:
    """A problem is one of our errors, in a sentence that tells no secret and no address."""
    told = [case.haul.problem, case.haul.doubt, *(refusal.why for refusal in case.haul.refusals)]
    for error in filter(None, told):
        said = f"{error} {error.details!r}"
        if type(error) in (SourceError, EscuchaError):
            yield f"the collector broke: {error} ({error.details})"
        if len(str(error).split()) < 3:
            yield f"no sentence: {said!r}"
        if SECRET in said:
            yield f"a secret in an error: {said!r}"
    if case.haul.problem is not None:
        said = str(case.haul.problem)
        paths = {seen.request.url.raw_path.decode() for seen in case.seen} - {"/"}
        if any(path in said for path in paths) or "?" in said:
            yield f"an address in an error: {said!r}"
    if any(not refusal.where for refusal in case.haul.refusals):
        yield "a refusal that does not say where"
    if SECRET in json.dumps([case.haul.cursor, [refusal.where for refusal in case.haul.refusals]], default=str):
        yield "a secret in the cursor or in a refusal"


def knows_who_acts(case: Case) -> Iterator[str]:
    """Whether to wait and how long, or to ask a person, is as the behaviour demands."""
    problem, wanted = case.haul.problem, case.behaviour
    if wanted.error is not None and type(problem) is not wanted.error:
        yield f"{wanted.error.__name__} was due, not {type(problem).__name__}: {problem}"
    if wanted.speaks_of_after and isinstance(problem, TryLater) and not _near(problem.after, wanted.after):
        yield f"it waits {problem.after} s, not {wanted.after}"
    if wanted.harmless and (problem or case.haul.refusals):
        yield f"a problem with what is only odd: {problem or case.haul.refusals[0].why}"


def brings_clean_things(case: Case) -> Iterator[str]:
    """What comes passes the gate unchanged, once, in UTC, and travels as JSON."""
    now = datetime.now(UTC)
    for mention in case.haul.mentions:
        if admit(mention, now) != mention:
            yield f"the gate changes {mention.source_id!r}"
        if mention.created_at.tzinfo is not UTC or mention.created_at > now + timedelta(seconds=1):
            yield f"{mention.source_id!r} is of {mention.created_at}"
    keys = [(mention.source, mention.source_id, mention.text, mention.title) for mention in case.haul.mentions]
    if len(set(keys)) < len(keys):
        yield f"{len(keys) - len(set(keys))} mentions more than once"
    try:
        json.dumps([[mention.raw for mention in case.haul.mentions], [one.raw for one in case.haul.refusals]],
                   allow_nan=False).encode()
        if json.loads(json.dumps(case.haul.cursor, allow_nan=False)) != case.haul.cursor:
            yield "a cursor that does not survive JSON"
        pickle.loads(pickle.dumps(case.haul))
    except (TypeError, ValueError, RecursionError, pickle.PicklingError) as error:
        yield f"does not travel: {type(error).__name__}: {error}"


def loses_nothing(case: Case) -> Iterator[str]:
    """After the siege everything arrives."""
    if case.behaviour.fails and case.haul.problem is None and case.haul.cursor != case.before and not case.later:
        yield "the cursor moved although nothing came"
    problem = case.later[-1].problem if case.later else None
    if problem is not None:
        yield f"it does not recover: {problem}"
    if case.later and case.later[-1].more:
        yield f"it does not end after {len(case.later)} honest runs"
    missing = case.wanted - case.known
    if (case.later or case.behaviour.harmless) and missing:
        yield f"{len(missing)} of {len(case.wanted)} items never arrive: {sorted(missing)[:3]}"
    if (case.behaviour.fails or case.behaviour.harmless) and case.known - case.wanted:
        yield f"items that there are not: {sorted(case.known - case.wanted)[:3]}"


def deletes_nothing(case: Case) -> Iterator[str]:
    """No misbehaviour is taken for a deletion."""
    gone = [identity for haul in (case.haul, *case.later) for identity in haul.gone]
    if gone:
        yield f"{len(gone)} deletions: {gone[:3]}"


def stays_small(case: Case) -> Iterator[str]:
    """Memory does not grow with what the upstream sends."""
    if case.memory > MOST_MEMORY:
        yield f"memory grew by {case.memory // 1024} MiB"


CHECKS = {
    1: in_bounds, 2: says_what_happened, 3: knows_who_acts, 4: brings_clean_things, 5: loses_nothing,
    6: deletes_nothing, 7: stays_small,
}


def _near(after: float | None, wanted: float | None) -> bool:
    return after == wanted if after is None or wanted is None else abs(after - wanted) <= 3


def kind_of(error: EscuchaError | None) -> str:
    """How a problem is named in a table."""
    return "refused" if isinstance(error, Refused) else "later" if isinstance(error, TryLater) else "none"
