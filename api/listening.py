"""Tries, starts and looks after what is asked of sources, with this installation's keys, budget and web."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

import collectors
from api.assembly import open_vault, source_keys, web_options
from api.deps import House
from collectors.http import WebOptions
from escucha.brand import Backfill, Brand, Query, Watch
from escucha.errors import ConfigError, Invalid, NotFound
from escucha.query.excerpt import EVERYTHING
from escucha.query.written import written
from escucha.source import SourceFacts
from pipeline import backfill, spending, watching
from pipeline.collect import facts_of
from pipeline.keys import keys_for
from pipeline.pull import Order
from pipeline.trying import SHOWN, Trial, query_for, try_watch
from pipeline.watching import SIGNS, start
from store import backfills, watches

FILE = "file"
"""The one source that reads the server's own files: it is left to the command line."""
LONGEST_QUERY = 4_000
MOST_TERMS = 100
LONGEST_PAUSE = 7 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person wants to listen to. `terms` None: the brand's own names where the source does not search."""

    source: str
    text: str
    terms: tuple[str, ...] | None = None
    every: int = 900
    slowest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What a paid source has cost this month, in US dollars, and may cost; None where that cannot be told."""

    spent: float
    allowed: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What a watch asks of a source that searches, as it goes there, and what of its query is checked here.

    `checked` is empty where nothing can be, and None where the text is the upstream's own.
    """

    searches: tuple[str, ...]
    checked: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Readings of the past that were asked for, and how many of them go back less far than was wished."""

    backfills: tuple[Backfill, ...]
    bounded: int


@cache
def names() -> tuple[str, ...]:
    """What there is to choose from, by name; looked up once, as what is installed does not change while we run."""
    return tuple(facts.name for facts in offered())


@cache
def offered() -> tuple[SourceFacts, ...]:
    """What there is to choose from, with what each declares."""
    return tuple(facts for facts in collectors.known() if facts.name != FILE)


@lru_cache(maxsize=256)
def declared(name: str) -> SourceFacts:
    """What a source declares; a name that nobody owns declares nothing."""
    return facts_of(name)


def chosen(name: str) -> SourceFacts:
    """The source of that name.

    Raises:
        NotFound: there is none.
        Invalid: it reads the server's files.
    """
    if name == FILE:
        raise Invalid("Files are imported at the command line: escucha import FILE --brand BRAND")
    return collectors.facts(name)


def query_of(brand: Brand, wanted: Wanted) -> Query:
    """What the source will be asked. Raises Invalid where that is empty or too long."""
    facts = chosen(wanted.source)
    if facts.searches and not wanted.text.strip():
        raise Invalid("There is nothing to search for. Write words, such as: {example}", example=facts.query_hint)
    terms = tuple(dict.fromkeys(term.strip() for term in wanted.terms or () if term.strip()))
    if len(wanted.text) > LONGEST_QUERY or len(terms) > MOST_TERMS or any(len(term) > 200 for term in terms):
        raise Invalid("That is too much for one watch: {limit} characters to ask for, {terms} words to keep by.",
                      limit=LONGEST_QUERY, terms=MOST_TERMS)
    return query_for(brand, wanted.source, wanted.text, terms, everything=wanted.terms is not None)


def searched(source: str, text: str) -> Searched | None:
    """What a watch with this text would ask; None where the text is no query: an address, a name, or not yet right."""
    try:
        asking = collectors.asking(source, text)
    except Invalid:
        return None
    if asking is None:
        return None
    query = asking.checked
    checked = None if query is None else "" if query == EVERYTHING else written(query)
    return Searched(searches=asking.searches, checked=checked)


def tried(parts: House, brand: Brand, wanted: Wanted) -> Trial:
    """Ask the source once; nothing is stored.

    Raises:
        Invalid, NotFound: as `query_of`.
        TryLater: the month's budget of a paid source is used up.
        ConfigError: the keys cannot be opened.
    """
    facts, query = chosen(wanted.source), query_of(brand, wanted)
    with parts.store.read() as session:
        keys = _keys(session, parts, facts.name, brand.id)
        spending.items_left(session, facts, keys, parts.settings.budget, parts.clock())
    order = Order(source=facts.name, query=query, cursor=None, web=web_options(parts.settings), keys=keys)
    return try_watch(order, parts.clock())


def price_of_trial(facts: SourceFacts) -> float:
    """What a trial may cost, in US dollars."""
    return facts.cost_per_item * SHOWN


def started(session: Session, brand: Brand, wanted: Wanted, now: datetime) -> Watch:
    """Save the watch; its first run is due at once.

    Raises:
        Invalid, NotFound: as `query_of`, or it would be asked too often.
        Conflict: the brand has it already.
    """
    if not 1 <= wanted.every <= LONGEST_PAUSE or not 0 <= (wanted.slowest or 0) <= LONGEST_PAUSE:
        raise Invalid("Choose an interval of a week at most.")
    query = query_of(brand, wanted)
    if chosen(wanted.source).pushed:
        _check_shape(wanted.source, query, now)
    return start(session, brand, wanted.source, query, wanted.every, now, wanted.slowest)


def first_secret(session: Session, parts: House, watch: Watch) -> str | None:
    """The secret that was made for a watch that is sent to, to be shown this once; None where there is one already."""
    settled = source_keys(parts.settings).get(watch.source, {})
    if watch.hook is None or settled.get(SIGNS):
        return None
    return watching.first_secret(session, open_vault(parts.settings), watch, parts.clock())


def _check_shape(source: str, query: Query, now: datetime) -> None:
    """Have a source that is sent to read what the query says of deliveries: there will be no run to find it off."""
    problem = try_watch(Order(source=source, query=query, cursor=None, web=WebOptions()), now).problem
    if problem is not None:
        raise Invalid(problem.message, **problem.details)


def purse(session: Session, parts: House, source: str, brand_id: int | None) -> Purse | None:
    """The month's cost of a source, whoever watches it; None for one that costs nothing."""
    facts = declared(source)
    if not facts.cost_per_item:
        return None
    since, _ = spending.month(parts.clock())
    spent = watches.spent(session, source, since)
    try:
        keys = _keys(session, parts, source, brand_id)
        return Purse(spent=spent, allowed=spending.budget(keys, parts.settings.budget))
    except (ConfigError, Invalid):  # the watch itself says what is wrong
        return Purse(spent=spent, allowed=None)


def readable(known: Sequence[Watch]) -> tuple[Watch, ...]:
    """The watches whose past can be asked for."""
    return tuple(watch for watch in known if not declared(watch.source).pushed and watch.source != FILE)


def read_back(session: Session, brand: Brand, first: date, source: str | None, now: datetime) -> Asked:
    """Queue a reading of the past, from the start of a day, of the brand's watches or of those of one source.

    Raises:
        NotFound: there is no watch to read back.
        Invalid: the source cannot be asked for the past, or the day is not in the past.
    """
    wish = datetime.combine(first, time.min, ZoneInfo(brand.timezone))
    plans, problem = [], None
    for watch in watches.of_brand(session, brand.id or 0):
        if (source and watch.source != source) or watch.source == FILE:
            continue
        try:
            plans.append(backfill.plan(watch, wish, now))
        except Invalid as error:
            problem = error
    if not plans:
        raise problem or NotFound("There is no watch whose past could be read. Add a source first.")
    asked = tuple(backfills.ask(session, plan.watch.id, plan.since, now) for plan in plans)
    return Asked(backfills=asked, bounded=sum(plan.bounded for plan in plans))


def _keys(session: Session, parts: House, source: str, brand_id: int | None) -> dict[str, str]:
    settings = parts.settings
    return keys_for(session, open_vault(settings), source_keys(settings), source, brand_id)
