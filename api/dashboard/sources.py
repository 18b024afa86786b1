"""The page of sources: whether listening goes well, each watch with its runs and gaps, the past, and the channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from api import listening
from api.channels import first_day, listed
from api.dashboard.coverage import first_moment
from api.dashboard.past import Past, past
from api.dashboard.shell import Frame
from api.dashboard.source_cards import STATES, Around, Kind, WatchCard, card, source_title
from api.deps import House
from api.i18n import Reader
from api.selection import FACETS
from api.source_keys import entered
from escucha.brand import Channel, Watch
from store import ledger, watches

ORDER: tuple[Kind, ...] = tuple(STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """So many watches do alike: the words, their sign, and where the first of them stands."""

    kind: str
    sign: str
    words: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """A channel as the page shows it. `unattended`: people write there and nobody answers."""

    channel: Channel
    title: str
    href: str | None
    unattended: bool
    addable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesPage:
    """The cards, those first that need a person; how they do in a line; the past; the channels; what a form holds."""

    cards: tuple[WatchCard, ...]
    health: tuple[Health, ...]
    past: Past
    channels: tuple[ChannelRow, ...]
    form: Mapping[str, str]
    weekdays: tuple[tuple[str, str], ...]

    @property
    def busy(self) -> bool:
        """Whether something goes on that the page follows."""
        return self.past.busy or any(card.busy for card in self.cards)


def sources_page(session: Session, parts: House, frame: Frame, base: str, form: Mapping[str, str]) -> SourcesPage:
    """Read and lay out the page of a frame; `base` is our own address, for the hooks."""
    known = watches.of_brand(session, frame.brand.id or 0)
    cards = _cards(session, parts, frame, base, known)
    return SourcesPage(
        cards=cards, health=_health(frame.reader, cards), past=past(session, frame, known, form), form=form,
        channels=tuple(_channel(frame, one) for one in listed(session, frame.brand, frame.now)),
        weekdays=weekdays(frame.reader),
    )


def weekdays(reader: Reader) -> tuple[tuple[str, str], ...]:
    """The days from Monday on, in a letter and in full."""
    from babel.dates import get_day_names

    short, full = (get_day_names(width, "stand-alone", reader.locale) for width in ("narrow", "wide"))
    return tuple((short[day], full[day]) for day in range(7))


def _cards(
    session: Session, parts: House, frame: Frame, base: str, known: Sequence[Watch]
) -> tuple[WatchCard, ...]:
    stand = ledger.standings(session, known, frame.now, first_moment(frame.now, frame.zone))
    purses = {name: listening.purse(session, parts, name, frame.brand.id) for name in {one.source for one in known}}
    made = [
        card(session, frame, one, Around(
            stand=stand[one.id], purse=purses[one.source], address=f"{base}hooks/{one.hook}" if one.hook else None,
            unsigned=bool(one.hook) and not _signed(session, parts, frame, one.source)))
        for one in known
    ]  # fmt: skip
    return tuple(sorted(made, key=lambda one: (ORDER.index(one.kind), one.watch.id)))


def _signed(session: Session, parts: House, frame: Frame, source: str) -> bool:
    keys = entered(session, parts.settings, listening.declared(source), frame.brand.id)
    return all(key.known or key.credential.optional for key in keys)


def _health(reader: Reader, cards: Sequence[WatchCard]) -> tuple[Health, ...]:
    alike: dict[Kind, list[WatchCard]] = {}
    for one in cards:
        alike.setdefault("needs" if one.kind == "quiet" else one.kind, []).append(one)
    return tuple(
        Health(kind=kind, sign=STATES[kind][0], words=_counted(reader, kind, len(found)),
               href=f"#watch-{found[0].watch.id}")
        for kind, found in alike.items()
    )


def _counted(reader: Reader, kind: Kind, n: int) -> str:
    match kind:
        case "failing":
            return reader.say_many("{n} tries again by itself", "{n} try again by themselves", n)
        case "doubtful":
            return reader.say_many("{n} is doubtful", "{n} are doubtful", n)
        case "new":
            return reader.say_many("{n} waits for its first run", "{n} wait for their first run", n)
        case "good":
            return reader.say_many("{n} does well", "{n} do well", n)
        case "paused":
            return reader.say_many("{n} is paused", "{n} are paused", n)
        case _:
            return reader.say_many("{n} needs you", "{n} need you", n)


def _channel(frame: Frame, one: Channel) -> ChannelRow:
    nothing = dict.fromkeys((*FACETS, "q", "review")) | {"source": [one.name]}
    days = {"from": first_day(frame.brand, frame.now).isoformat(),
            "to": frame.now.astimezone(frame.zone).date().isoformat()}
    return ChannelRow(
        channel=one, title=source_title(frame, one.name) if one.volume or one.watched else one.name,
        href=frame.link("/mentions", **(nothing | days)) if one.volume else None,
        unattended=one.attended is False and one.volume > 0, addable=one.name in listening.names() and not one.watched,
    )
