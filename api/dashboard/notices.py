"""What a reader should know before trusting a page: sample data, how fresh it is, what still waits, what is empty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api.dashboard.shell import Frame
from api.dashboard.source_cards import needs_person
from api.selection import moments
from escucha.filter import MentionFilter
from store import health, mentions, metrics, watches

PARTS = {
    "source": "sources", "lang": "langs", "stage": "stages", "sentiment": "sentiments", "pain": "pains",
    "touchpoint": "touchpoints", "q": "query", "review": "review",
}
"""What an address calls a part of the filter, and what the store calls it."""
COUNTING = ("/", "/journey", "/mentions")
"""The pages whose figures leave out what is hidden."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """The lines above a page.

    `fresh` is when the data end; `pending` mentions wait for their tags; `silent` watches need a person to go on;
    `hidden` mentions of the period are hidden as not relevant.
    """

    fresh: str | None
    pending: int
    failed: int
    silent: int
    hidden: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """From an empty page: which filter to drop, where that leads, and how many mentions are there."""

    text: str
    href: str
    n: int


def notices(session: Session, frame: Frame) -> Notices:
    """How fresh and how complete the brand's data are."""
    whole = health.health(session)
    of_brand = MentionFilter(brand=frame.brand.slug)
    return Notices(
        fresh=_stamp(frame, whole.last_run_at or whole.newest),
        pending=metrics.count(session, replace(of_brand, state="pending")) if whole.pending else 0,
        failed=metrics.count(session, replace(of_brand, state="failed")) if whole.failed else 0,
        silent=_silent(session, frame) if whole.paused else 0,
        hidden=_hidden(session, frame) if frame.path in COUNTING and not frame.view.hidden else 0,
    )


def ways_out(session: Session, frame: Frame) -> tuple[WayOut, ...]:
    """From a page without mentions: each filter whose removal brings some back, the most helpful first."""
    filter, found = frame.filter, []
    for field, name in PARTS.items():
        if getattr(filter, name):
            bare = without(filter, field)
            text = frame.reader.say("Remove the filter “{filter}”", filter=frame.labels.field(field))
            found.append(WayOut(text=text, href=frame.link(**{field: None}), n=metrics.count(session, bare)))
    if filter.since or filter.until:
        n = metrics.count(session, replace(filter, since=None, until=None))
        found.append(WayOut(text=frame.reader.say("Show all dates"), href=frame.link(period="all"), n=n))
    if len(found) > 1:
        everything = metrics.count(session, MentionFilter(brand=frame.brand.slug))
        href = frame.link(period="all", **dict.fromkeys(PARTS))
        found.append(WayOut(text=frame.reader.say("Remove every filter"), href=href, n=everything))
    return tuple(sorted((way for way in found if way.n), key=lambda way: -way.n))


def without(filter: MentionFilter, field: str) -> MentionFilter:
    """The filter less one field of the address."""
    nothing: dict[str, Any] = {PARTS[field]: None if field == "q" else ()}
    return replace(filter, **nothing)


def newest(session: Session, frame: Frame) -> datetime | None:
    """When the brand's newest mention was made, whatever the filters."""
    page = mentions.find(session, MentionFilter(brand=frame.brand.slug), limit=1)
    return page.items[0].mention.created_at if page.items else None


def _hidden(session: Session, frame: Frame) -> int:
    since, until = moments(*frame.days, frame.brand.timezone)
    return metrics.count(session, MentionFilter(brand=frame.brand.slug, since=since, until=until, hidden=True))


def _silent(session: Session, frame: Frame) -> int:
    return sum(needs_person(watch) for watch in watches.of_brand(session, frame.brand.id or 0))


def _stamp(frame: Frame, at: datetime | None) -> str | None:
    return frame.reader.say("Data up to {time}", time=frame.moment(at)) if at else None


