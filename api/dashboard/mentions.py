"""The mentions as a page: what people said, with the filters' choices and how many are behind each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from api.dashboard.notices import without
from api.dashboard.review import found, waiting
from api.dashboard.shell import Frame
from escucha.enrichment import SENTIMENTS, TaggedMention
from escucha.journey import NO_LABEL
from store import metrics

PAGE = 30
Facet = Literal["stage", "sentiment", "pain", "touchpoint", "source", "lang"]
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
class MentionsPage:
    """The mentions of a page, how many there are in all, the address of the next page, the filters, and how
    many mentions under them are to be checked."""

    items: tuple[TaggedMention, ...]
    n: int
    next: str | None
    choices: tuple[Choice, ...]
    to_check: int


def mentions_page(session: Session, frame: Frame, after: str | None) -> MentionsPage:
    """Read and lay out the page of a frame, going on after a key."""
    page = found(session, frame.filter, PAGE, after)
    onward = None
    if page.next:
        address = frame.link()
        onward = f"{address}{'&' if '?' in address else '?'}after={page.next}"
    return MentionsPage(
        items=page.items, n=metrics.count(session, frame.filter), next=onward,
        choices=tuple(choice(session, frame, field) for field in FACET_ORDER),
        to_check=waiting(session, frame),
    )


def choice(session: Session, frame: Frame, field: Facet) -> Choice:
    """A filter's options, each counted under all the other filters; those of a taxonomy in its order."""
    counted = {tally.key: tally.n for tally in metrics.tallies(session, without(frame.filter, field), field)}
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
