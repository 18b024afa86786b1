"""What every run of a source promises, whatever its upstream does: one check a promise."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from escucha.admission import admit
from escucha.errors import EscuchaError, SourceError, TryLater
from escucha.source import Cursor
from pipeline.pull import Haul
from tests.collectors.fakes import SECRET
from tests.collectors.hostile.server import Behaviour, Seen

LONGER = 0.5
"""Seconds that a fetch may take beyond its deadline."""
MOST_REQUESTS = 40
MOST_MEMORY = 48 * 1024
"""KiB by which memory may grow."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was not kept: its number, and what happened."""

    promise: int
    what: str


@dataclass(kw_only=True)
class Case:
    """One run under siege, and what came of it.

    `later` are the honest runs that followed. `known` is what arrived in all, `wanted` what must have; `real` are the
    ids that exist. `changed` says that the run altered the cursor that it was given.
    """

    behaviour: Behaviour
    haul: Haul
    before: Cursor | None = None
    seen: list[Seen] = field(default_factory=list)
    seconds: float = 0.0
    deadline: float = 30.0
    memory: int = 0
    later: list[Haul] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)
    real: set[str] = field(default_factory=set)
    changed: bool = False
    most_requests: int = MOST_REQUESTS

    @property
    def told_nothing(self) -> bool:
        """Whether the run could read nothing at all, so that everything is still to come."""
        return self.haul.problem is not None and not self.haul.mentions and not self.haul.refusals

    @property
    def requests(self) -> int:
        return len(self.seen)


def violations(case: Case) -> list[Violation]:
    """Every promise that a run did not keep."""
    return [Violation(number, what) for number, check in CHECKS.items() for what in check(case)]


def in_bounds(case: Case) -> Iterator[str]:
    """A run returns within its deadline for each request, and does not ask without end."""
    longest = max((seen.seconds for seen in case.seen), default=0.0)
    if longest > case.deadline + LONGER:
        yield f"a request took {longest:.2f} s"
    if case.seconds > max(case.requests, 1) * (case.deadline + LONGER):
        yield f"the run took {case.seconds:.2f} s for {case.requests} requests"
    if case.requests > case.most_requests:
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
    if case.requests <= wanted.honest_first:
        return  # it did not come to that
    if wanted.error is not None and not isinstance(problem, wanted.error):
        yield f"{wanted.error.__name__} was due, not {type(problem).__name__}: {problem}"
    if wanted.speaks_of_after and isinstance(problem, TryLater) and not _near(problem.after, wanted.after):
        yield f"it waits {problem.after} s, not {wanted.after}"
    if wanted.harmless and (problem or case.haul.refusals):
        yield f"a problem with what is only odd: {problem or case.haul.refusals[0].why}"


def brings_clean_things(case: Case) -> Iterator[str]:
    """What comes passes the gate unchanged, in UTC, and travels as JSON."""
    now = datetime.now(UTC)
    for mention in case.haul.mentions:
        if admit(mention, now) != mention:
            yield f"the gate changes {mention.source_id!r}"
        if mention.created_at.tzinfo is not UTC or mention.created_at > now + timedelta(seconds=1):
            yield f"{mention.source_id!r} is of {mention.created_at}"
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
    if case.changed:
        yield "the run changed the cursor that it was given"
    missing = case.wanted - case.known
    if missing:
        yield f"{len(missing)} of {len(case.wanted)} items never arrive: {sorted(missing)[:3]}"
    if (case.behaviour.fails or case.behaviour.harmless) and case.known - case.wanted:
        yield f"items that there are not: {sorted(case.known - case.wanted)[:3]}"


def deletes_nothing(case: Case) -> Iterator[str]:
    """No misbehaviour is taken for a deletion."""
    gone = {identity for haul in (case.haul, *case.later) for identity in haul.gone} & case.real
    if gone:
        yield f"{len(gone)} deletions: {sorted(gone)[:3]}"


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
