"""A watch as a card: how it does in words, what its runs brought, how late it hears, and which days were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy.orm import Session

from api.dashboard.coverage import Covered, State, covered, said
from api.dashboard.shell import Frame
from api.i18n import N_, NOTHING, Reader
from api.listening import Purse, declared
from escucha.brand import Problem, Run, Watch
from escucha.source import Quota
from pipeline.rhythm import QUIET_FAILURES
from store import watches
from store.ledger import Standing

RUNS = 10
SHOWN_REFUSALS = 5
LONGEST_HEADING = 120
Kind = Literal["needs", "quiet", "failing", "doubtful", "new", "good", "paused"]
STATES: Mapping[Kind, tuple[str, str]] = {
    "needs": ("!", N_("Needs you")),
    "quiet": ("!", N_("Left in peace: needs you")),
    "failing": ("↻", N_("Tries again by itself")),
    "doubtful": ("?", N_("Doubtful")),
    "new": ("…", N_("Waits for its first run")),
    "good": ("✓", N_("Good")),
    "paused": ("Ⅱ", N_("Paused")),
}
"""Sign and words, those first that ask most of a person."""
FOR_A_PERSON = ("refused", "config", "invalid", "not_found")
"""Problems that waiting does not solve (pipeline.rhythm.needs_person)."""
UNITS = {"requests": N_("requests"), "percent": N_("per cent"), "units": N_("units"), "searches": N_("searches"),
         "hashtags": N_("hashtags"), "sign-ins": N_("sign-ins")}  # fmt: skip


IN_WORDS = (
    N_("Google News"), N_("Google Play (public page)"), N_("Mailbox (IMAP)"), N_("Reviews on web pages"),
    N_("cafés lumbre, or r/mexico: cafés lumbre"), N_('"cafés lumbre", or lumbre/lumbre-app'),
)
"""Titles and examples of sources that are no mere names: they are said in the reader's language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A day of the calendar: its number, how it was read, and that in words."""

    day: date
    state: State
    text: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """A run as the card lists it: when, what of, its problem, and the first refusals with their reasons."""

    run: Run
    when: str
    problem: str | None
    refusals: tuple[tuple[str, str], ...]
    unsaid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchCard:
    """Everything that the page says of a watch; `facts` are names with what there is to say of them.

    `busy` is a run that is due now; `address` is where one that is sent to listens, and `unsigned` that nobody has
    entered the secret for it yet. `share` says in words how many days of the calendar were read.
    """

    watch: Watch
    title: str
    query: str
    kind: Kind
    sign: str
    state: str
    busy: bool
    facts: tuple[tuple[str, str], ...]
    sums: tuple[tuple[str, Run | None], ...]
    problem: str | None
    peace: str | None
    doubt: str | None
    address: str | None
    unsigned: bool
    cells: tuple[Cell, ...]
    share: str
    runs: tuple[RunLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a card is made of besides the watch: its standing, the purse of its source, and whether it has its keys."""

    stand: Standing
    purse: Purse | None
    address: str | None
    unsigned: bool = False


def kind_of(watch: Watch) -> Kind:
    """How a watch does, and whether a person must act; one that a person paused says no more than that."""
    if watch.health != "paused":
        return watch.health
    if watch.problem is None:
        return "paused"
    if watch.problem.error in FOR_A_PERSON:
        return "needs"
    return "quiet" if watch.failures >= QUIET_FAILURES else "paused"


def needs_person(watch: Watch) -> bool:
    """Whether nothing more will be heard until a person acts."""
    return kind_of(watch) in ("needs", "quiet")


def card(session: Session, frame: Frame, watch: Watch, around: Around) -> WatchCard:
    """Lay a watch out."""
    kind, reader = kind_of(watch), frame.reader
    sign, state = STATES[kind]
    if kind == "new" and watch.hook:
        state = N_("Waits for its first delivery")
    cells = () if watch.hook else tuple(
        _cell(reader, one) for one in covered(watch, around.stand.spans, frame.now, frame.zone)
    )
    peace = N_("It failed {n} times in a row, over days, and was left in peace. Resume it when the reason is gone:")
    return WatchCard(
        watch=watch, title=source_title(frame, watch.source), query=short(watch.query.text), kind=kind,
        sign=sign, state=reader.say(state),
        busy=is_due(watch, frame.now), facts=_facts(frame, watch, around), sums=_sums(reader, around.stand),
        problem=_said(reader, watch.problem), doubt=_said(reader, watch.doubt),
        peace=reader.say(peace, n=watch.failures) if kind == "quiet" else None, address=around.address,
        unsigned=around.unsigned, cells=cells, share=_share(reader, cells),
        runs=tuple(_line(frame, run) for run in watches.runs(session, watch.id, RUNS)),
    )


def is_due(watch: Watch, now: datetime) -> bool:
    """Whether a run was asked for and has not come back yet."""
    return watch.state == "active" and watch.next_at is not None and watch.next_at <= now


def source_title(frame: Frame, source: str) -> str:
    """A source by its proper name, or as a filter calls it."""
    title = declared(source).title
    return frame.reader.say(title) if title else frame.labels.of("source", source)


def short(query: str) -> str:
    """A query as a heading can hold it: a hook's mapping may be long."""
    return query if len(query) <= LONGEST_HEADING else f"{query[:LONGEST_HEADING]}…"


def lasting(reader: Reader, seconds: float) -> str:
    """A length of time in the largest unit that holds it once exactly, or at least twice."""
    unit = next((unit for unit in (86_400, 3600, 60) if seconds == unit or seconds >= 2 * unit), 1)
    n = round(seconds / unit)
    if unit == 86_400:
        return reader.say_many("{n} day", "{n} days", n)
    if unit == 3600:
        return reader.say_many("{n} hour", "{n} hours", n)
    if unit == 60:
        return reader.say_many("{n} minute", "{n} minutes", n)
    return reader.say_many("{n} second", "{n} seconds", n)


def _facts(frame: Frame, watch: Watch, around: Around) -> tuple[tuple[str, str], ...]:
    say, stand = frame.reader.say, around.stand
    last = frame.moment(watch.last_run_at) if watch.last_run_at else NOTHING
    found = [(say("Last delivery") if watch.hook else say("Last run"), last)]
    if not watch.hook:
        found += [(say("Next run"), _next(frame, watch)), (say("How often"), _pace(frame.reader, watch))]
    late = NOTHING
    if stand.lag is not None:
        late = say("{time} (median, n={n})", time=lasting(frame.reader, max(stand.lag.total_seconds(), 0)),
                   n=frame.reader.number(stand.heard))
    found.append((say("Delay"), late))
    if watch.quota:
        found.append((say("Quota"), _quota(frame, watch.quota)))
    if around.purse:
        found.append((say("Cost this month"), _cost(frame.reader, around.purse)))
    return tuple(found)


def _next(frame: Frame, watch: Watch) -> str:
    if watch.state == "paused" or watch.next_at is None:
        return NOTHING
    return frame.reader.say("now") if is_due(watch, frame.now) else frame.moment(watch.next_at)


def _pace(reader: Reader, watch: Watch) -> str:
    pace, least, most = (lasting(reader, each) for each in (watch.pace, watch.every, watch.slowest))
    if least == most:
        return reader.say("every {time}", time=least)
    return reader.say("every {time} now, between {least} and {most}", time=pace, least=least, most=most)


def _quota(frame: Frame, quota: Quota) -> str:
    say, number = frame.reader.say, frame.reader.number
    if quota.resets_at is not None and quota.resets_at <= frame.now:
        return say("whole again since {time}", time=frame.moment(quota.resets_at))
    unit = say(UNITS.get(quota.unit, quota.unit))
    if quota.limit is None or quota.unit == "percent":
        left = say("{left} {unit} left", left=number(quota.remaining), unit=unit)
    else:
        left = say("{left} of {limit} {unit} left", left=number(quota.remaining), limit=number(quota.limit), unit=unit)
    if quota.resets_at is None:
        return left
    return say("{left}, whole again {time}", left=left, time=frame.moment(quota.resets_at))


def _cost(reader: Reader, purse: Purse) -> str:
    return reader.say("${spent} of ${allowed}", spent=reader.number(purse.spent, 2),
                      allowed=reader.number(purse.allowed, 2))


def _sums(reader: Reader, stand: Standing) -> tuple[tuple[str, Run | None], ...]:
    return (reader.say("Last run"), stand.last), (reader.say("7 days"), stand.week)


def _cell(reader: Reader, one: Covered) -> Cell:
    words = said(reader, one)
    return Cell(day=one.day, state=one.state, said=words, text=f"{reader.day(one.day, 'd MMM')}: {words}")


def _share(reader: Reader, cells: Sequence[Cell]) -> str:
    begun = [cell for cell in cells if cell.state not in ("before", "ahead")]
    whole = sum(cell.state == "full" for cell in begun)
    return reader.say_many("{whole} of {n} day read in full", "{whole} of {n} days read in full", len(begun),
                           whole=reader.number(whole))


def _line(frame: Frame, run: Run) -> RunLine:
    return RunLine(
        run=run, when=frame.moment(run.at), problem=_said(frame.reader, run.problem),
        refusals=tuple((where, _said(frame.reader, why) or "") for where, why in run.refusals[:SHOWN_REFUSALS]),
        unsaid=max(0, run.refused - SHOWN_REFUSALS),
    )


def _said(reader: Reader, problem: Problem | None) -> str | None:
    return reader.say(problem.message, **problem.details) if problem else None
