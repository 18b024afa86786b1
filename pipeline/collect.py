"""Collects: asks the sources whose watches are due, and saves what they tell together with where to go on."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from concurrent.futures import CancelledError, as_completed
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import collectors
from collectors.http import WebOptions
from escucha.admission import admit_each
from escucha.brand import Brand, Problem, Query, Watch, WatchState
from escucha.errors import ConfigError, EscuchaError, Invalid, NotFound, Refused, SourceError, TryLater
from escucha.mention import Mention
from escucha.source import Cursor, Refusal
from pipeline.means import Means
from store import brands, mentions, watches
from store.engine import Store
from store.mentions import Saved

log = logging.getLogger(__name__)

FIRST_DELAY = 60.0
LONGEST_DELAY = 6 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Everything a worker needs to ask a source; it can travel to another machine."""

    source: str
    query: Query
    cursor: Cursor | None
    web: WebOptions
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Haul:
    """What a worker brings back: what can be saved, what cannot and why, where to go on from, and what stopped it."""

    mentions: tuple[Mention, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    cursor: Cursor | None = None
    problem: EscuchaError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One finished run of a watch, as its ledger has it."""

    watch: Watch
    saved: Saved
    refused: int
    problem: EscuchaError | None


def pull(order: Order, now: datetime) -> Haul:
    """Ask the source for everything new. Pure towards the database; an error keeps the pages read before it."""
    found: list[Mention] = []
    refused: list[Refusal] = []
    cursor, problem = order.cursor, None
    try:
        source = collectors.open_source(order.source, order.web, order.keys)
        for page in source.pages(order.query, order.cursor):
            admitted, refusals = admit_each(page.mentions, now)
            found += admitted
            refused += [*page.refusals, *refusals]
            cursor = page.cursor if page.cursor is not None else cursor
    except EscuchaError as error:
        problem = error
    except Exception as error:  # a collector's own mistake must not stop the others
        log.exception("The collector %s failed", order.source)
        problem = SourceError(
            "The collector of {source} stopped on something it does not know ({kind}). It will try again.",
            source=order.source, kind=type(error).__name__,
        )
    return Haul(mentions=tuple(found), refusals=tuple(refused), cursor=cursor, problem=problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows from a run for its watch."""

    next_at: datetime
    failures: int
    state: WatchState
    problem: Problem | None


def judge(watch: Watch, problem: EscuchaError | None, now: datetime, dice: random.Random) -> Verdict:
    """Decide when a watch runs next.

    Success: after its interval. Where a person must act (refused, misconfigured, gone): paused. Else it goes on by
    itself, after what the source asked for or an exponential backoff with full jitter (Brooker, AWS 2015).
    """
    if problem is None:
        return Verdict(next_at=now + timedelta(seconds=watch.every), failures=0, state=watch.state, problem=None)
    failures = watch.failures + 1
    noted = Problem(error=problem.error, message=problem.message, details=dict(problem.details))
    if isinstance(problem, Refused | ConfigError | Invalid | NotFound):
        return Verdict(next_at=now + timedelta(seconds=watch.every), failures=failures, state="paused", problem=noted)
    asked = problem.after if isinstance(problem, TryLater) else None
    ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures, 12))
    delay = asked if asked is not None else FIRST_DELAY + dice.uniform(0, ceiling)
    return Verdict(next_at=now + timedelta(seconds=delay), failures=failures, state=watch.state, problem=noted)


def settle(
    store: Store, watch: Watch, brand: Brand, haul: Haul, now: datetime, dice: random.Random | None = None
) -> Outcome:
    """Save a haul: mentions, cursor and ledger in one transaction, so that a crash leaves no hole and no repeat."""
    verdict = judge(watch, haul.problem, now, dice or random.Random())
    with store.write() as session:
        saved = mentions.save(session, brand, haul.mentions, now, watch.id)
        watches.settle(
            session, watch, now=now, next_at=verdict.next_at, cursor=haul.cursor, failures=verdict.failures,
            state=verdict.state, problem=verdict.problem, saved=saved, refusals=haul.refusals,
        )
    return Outcome(watch=watch, saved=saved, refused=len(haul.refusals), problem=haul.problem)


def collect_due(means: Means, now: datetime) -> list[Outcome]:
    """Run every watch that is due: asked on the pool, saved here one after the other."""
    with means.store.write() as session:
        due = [(watch, brands.by_id(session, watch.brand_id)) for watch in watches.claim_due(session, now)]
    running = {means.pool.submit(pull, _order(watch, means), now): (watch, brand) for watch, brand in due}
    outcomes = []
    for future in as_completed(running):
        watch, brand = running[future]
        try:
            haul: Haul = future.result()
        except (Exception, CancelledError) as error:
            log.warning("The pool lost a run of watch %s: %s", watch.id, type(error).__name__)
            haul = Haul(cursor=watch.cursor, problem=TryLater("The run was lost on its way. It will try again."))
        outcomes.append(settle(means.store, watch, brand, haul, now))
    return outcomes


def _order(watch: Watch, means: Means) -> Order:
    return Order(source=watch.source, query=watch.query, cursor=watch.cursor, web=means.web,
                 keys=means.keys.get(watch.source, {}))
