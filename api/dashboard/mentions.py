"""The mentions as a page: what people said, with the filters' choices and how many are behind each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy.orm import Session

from api.dashboard.notices import without
from api.dashboard.relevance import reasons
from api.dashboard.shell import Frame
from api.i18n import N_
from api.selection import unsure_below
from escucha.enrichment import SENTIMENTS, TaggedMention
from escucha.filter import MentionFilter, Order
from escucha.journey import NO_LABEL
from store import duplicates, found, metrics
from store.duplicates import Alike
from store.facets import facets

PAGE = 30
Facet = Literal["stage", "sentiment", "pain", "touchpoint", "source", "lang"]
ORDERS: Mapping[Order, str] = {
    "newest": N_("Newest first"), "engagement": N_("Most reactions first"), "relevance": N_("Most relevant first"),
    "uncertainty": N_("Least sure first"),
}
FACET_ORDER: tuple[Facet, ...] = ("sentiment", "stage", "pain", "touchpoint", "source", "lang")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A choice of a filter: its key, its word, how many mentions it would show, and whether it is in force."""

    key: str
    text: str
    n: int
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A filter with its options."""

    field: Facet
    title: str
    options: tuple[Option, ...]

    @property
    def chosen(self) -> int:
        """How many of its options are in force."""
        return sum(option.chosen for option in self.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """An order of the mentions: its word, its address, and whether it is in force."""

    text: str
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionsPage:
    """The mentions of a page, those of them that others are like, how many there are in all, the address of the next
    page, the filters, why those are hidden that are, how many mentions under the filters are to be checked, and the
    orders to choose from. `problem` says why what was asked for cannot be read."""

    items: tuple[TaggedMention, ...]
    alike: Mapping[int, Alike]
    n: int
    next: str | None
    choices: tuple[Choice, ...]
    reasons: Mapping[str, str]
    to_check: int
    orders: tuple[Way, ...]
    problem: str | None = None


def mentions_page(session: Session, frame: Frame, after: str | None) -> MentionsPage:
    """Read and lay out the page of a frame, going on after a key."""
    filter = frame.filter
    page = found.find(session, filter, limit=PAGE, after=after, order=frame.view.ordered)
    onward = None
    if page.next:
        address = frame.link()
        onward = f"{address}{'&' if '?' in address else '?'}after={page.next}"
    alike = {} if frame.view.cluster else duplicates.alike(session, [tagged.id for tagged in page.items])
    n, counts = _counted(session, filter)
    return MentionsPage(
        items=page.items, alike=alike, n=n, next=onward,
        choices=tuple(choice(frame, field, counts[field]) for field in FACET_ORDER),
        reasons=reasons(session, frame) if filter.hidden else {},
        to_check=metrics.count(session, replace(filter, review=unsure_below())), orders=orders(frame),
    )


def misread(problem: str) -> MentionsPage:
    """The page where what was asked for cannot be read: it says why, and has what was written to be put right."""
    return MentionsPage(items=(), alike={}, n=0, next=None, choices=(), reasons={}, to_check=0, orders=(),
                        problem=problem)


def orders(frame: Frame) -> tuple[Way, ...]:
    """The orders that mean something here."""
    without_meaning = {None if frame.view.q else "relevance", None if frame.view.review else "uncertainty"}
    return tuple(
        Way(text=frame.reader.say(text), href=frame.link(order=key), chosen=key == frame.view.ordered)
        for key, text in ORDERS.items() if key not in without_meaning
    )


def _counted(session: Session, filter: MentionFilter) -> tuple[int, Mapping[str, Mapping[str, int]]]:
    """How many mentions there are, and behind each option under all the other filters."""
    if filter.query is not None or filter.hidden:
        counted = facets(session, filter)
        return counted.n, counted.counts
    return metrics.count(session, filter), {
        field: {tally.key: tally.n for tally in metrics.tallies(session, without(filter, field), field)}
        for field in FACET_ORDER
    }


def choice(frame: Frame, field: Facet, counted: Mapping[str, int]) -> Choice:
    """A filter's options; those of a taxonomy in its order, the others with the most frequent first."""
    counted = dict(sorted(counted.items(), key=lambda one: (-one[1], one[0])))
    chosen: list[str] = getattr(frame.view, field)
    keys = dict.fromkeys([*_listed(frame, field), *counted, *chosen])
    options = tuple(
        Option(key=key, text=frame.labels.of(field, key), n=counted.get(key, 0), chosen=key in chosen) for key in keys
    )
    return Choice(field=field, title=frame.labels.field(field), options=options)


def _listed(frame: Frame, field: Facet) -> list[str]:
    catalogue = frame.labels.catalogue
    entries = {"stage": catalogue.stages, "pain": catalogue.pains, "touchpoint": catalogue.touchpoints}.get(field)
    if entries:
        return [*(entry.key for entry in entries), NO_LABEL]
    return list(SENTIMENTS) if field == "sentiment" else []
