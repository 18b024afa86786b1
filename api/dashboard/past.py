"""The past as a part of the page: how far each source can be read back, and the readings with their progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from api.dashboard.shell import Frame
from api.dashboard.source_cards import short, source_title
from api.i18n import N_
from api.listening import declared, readable
from escucha.brand import Backfill, Watch
from pipeline.backfill import earliest
from store import backfills

LISTED = 10
STATES = {"waiting": N_("Waiting"), "running": N_("Running"), "done": N_("Done"), "failed": N_("Stopped"),
          "cancelled": N_("Cancelled")}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far back a watch can be read: the first day where its source bounds it, and the source's own words."""

    title: str
    query: str
    first: str | None
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A reading of the past as the page shows it."""

    backfill: Backfill
    title: str
    query: str
    since: str
    state: str
    reached: str | None
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the form holds, its choice of sources, how far each watch reaches, and the readings, newest first."""

    form: Mapping[str, str]
    sources: tuple[tuple[str, str], ...]
    reaches: tuple[Reach, ...]
    readings: tuple[Reading, ...]

    @property
    def busy(self) -> bool:
        """Whether one goes on."""
        return any(one.backfill.open for one in self.readings)


def past(session: Session, frame: Frame, known: Sequence[Watch], form: Mapping[str, str]) -> Past:
    """Read and lay it out."""
    can = readable(known)
    by_id = {watch.id: watch for watch in known}
    names = dict.fromkeys(watch.source for watch in can)
    return Past(
        form={name: form.get(name, "") for name in ("since", "source")},
        sources=tuple((name, source_title(frame, name)) for name in names),
        reaches=tuple(_reach(frame, watch) for watch in can),
        readings=tuple(
            _reading(frame, one, by_id[one.watch_id])
            for one in backfills.listed(session, frame.brand.id, LISTED) if one.watch_id in by_id
        ),
    )


def _reach(frame: Frame, watch: Watch) -> Reach:
    facts = declared(watch.source)
    first = earliest(facts, frame.now)
    return Reach(
        title=source_title(frame, watch.source), query=short(watch.query.text),
        first=_day(frame, first) if first else None,
        words=frame.reader.say(facts.reach.message, **facts.reach.details),
    )


def _reading(frame: Frame, one: Backfill, watch: Watch) -> Reading:
    problem = one.problem
    return Reading(
        backfill=one, title=source_title(frame, watch.source), query=short(watch.query.text),
        since=_day(frame, one.since), state=frame.reader.say(STATES[one.state]),
        reached=_day(frame, one.reached) if one.reached else None,
        problem=frame.reader.say(problem.message, **problem.details) if problem else None,
    )


def _day(frame: Frame, at: datetime) -> str:
    return frame.reader.day(at.astimezone(frame.zone).date())
