"""Reads the past of a watch, step by step beside its live runs, as far back as was asked and its source allows."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from escucha.brand import Backfill, Brand, Watch
from escucha.errors import EscuchaError, Invalid
from escucha.note import Note
from escucha.source import SourceFacts
from pipeline.collect import ASIDE, facts_of, save
from pipeline.keys import keys_for
from pipeline.means import Means
from pipeline.pull import Haul, Order, pull
from pipeline.rhythm import QUIET_FAILURES, backoff, needs_person
from pipeline.spending import items_left
from store import backfills, brands, watches

PAUSE = timedelta(seconds=1)
"""Between two steps: live runs of the same source come in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a backfill of one watch can do: how far back it goes, and what its source allows."""

    watch: Watch
    since: datetime
    reach: Note
    bounded: bool


def plan(watch: Watch, since: datetime, now: datetime) -> Plan:
    """Bound a wish by what the source still shows.

    Raises:
        Invalid: the source cannot be asked for the past, or the date is not in the past.
    """
    facts = facts_of(watch.source)
    if since >= now:
        raise Invalid("The date {date} is not in the past.", date=since.date().isoformat())
    if facts.pushed:
        raise Invalid("{source} cannot be asked for the past: it sends by itself.", source=facts.title or facts.name)
    reachable = earliest(facts, now)
    bounded = reachable is not None and since < reachable
    return Plan(watch=watch, since=reachable if bounded and reachable else since, reach=facts.reach, bounded=bounded)


def earliest(facts: SourceFacts, now: datetime) -> datetime | None:
    """The oldest moment that a source still shows; None where that is no question of days."""
    return now - timedelta(days=facts.reach_days) if facts.reach_days is not None else None


def step(means: Means, now: datetime, only: int | None = None) -> Backfill | None:
    """Do one step of the backfill that is due the longest (or of that one); it as it is now, None if none is due."""
    with means.store.write() as session:
        backfill = backfills.claim(session, now, only)
        if backfill is None:
            return None
        watch = watches.get(session, backfill.watch_id)
        brand = brands.by_id(session, watch.brand_id)
        if _must_wait(session, watch.source, now):
            backfills.postpone(session, backfill, now + ASIDE)
            return None
        order, problem = None, None
        try:
            keys = keys_for(session, means.vault, means.keys, watch.source, watch.brand_id)
            most = items_left(session, facts_of(watch.source), keys, means.budget, now)
            query = replace(watch.query, since=backfill.since, most=most)
            order = Order(source=watch.source, query=query, cursor=backfill.cursor, web=means.web, keys=keys)
        except EscuchaError as error:
            problem = error
    haul = means.pool.submit(pull, order, now).result() if order else Haul(cursor=backfill.cursor, problem=problem)
    return settle(means, backfill, watch, brand, haul, now)


def _must_wait(session: Session, source: str, now: datetime) -> bool:
    """Whether a live run is under way of a source of which no two may overlap."""
    facts = facts_of(source)
    return (facts.one_at_a_time or facts.cost_per_item > 0) and watches.busy(session, source, now)


def settle(
    means: Means, backfill: Backfill, watch: Watch, brand: Brand, haul: Haul, now: datetime,
    dice: random.Random | None = None,
) -> Backfill:
    """Save a step's haul with its cursor and its line in the ledger, in one transaction."""
    problem = haul.problem
    failures = backfill.failures + 1 if problem else 0
    hopeless = problem is not None and (needs_person(problem) or failures >= QUIET_FAILURES)
    delay = timedelta(seconds=backoff(problem, failures, dice or random.Random())) if problem else PAUSE
    with means.store.write() as session:
        # A step covers what it says and nothing by itself, as a run does.
        ledger = replace(save(session, watch, brand, haul, now, means.vault), covers=haul.covers)
        backfills.settle(
            session, backfill, ledger, now=now, next_at=now + delay, cursor=haul.cursor, failures=failures,
            reached=_reached(backfill, haul), over=hopeless or (problem is None and not haul.more),
        )
        return backfills.get(session, backfill.id)


def _reached(backfill: Backfill, haul: Haul) -> datetime | None:
    """How far back the readings have come: to the oldest mention heard, or to all that the source covers."""
    times = [mention.created_at for mention in haul.mentions]
    if haul.covers is not None and not haul.more:
        times.append(haul.covers.start)
    return min([*times, *([backfill.reached] if backfill.reached else [])], default=None)


def work_off(
    means: Means, clock: Callable[[], datetime], stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Backfill], None] = lambda _: None, only: int | None = None,
) -> int:
    """Do the steps that are due until none is or `stop` says so; how many were done."""
    done = 0
    while not stop() and (after := step(means, clock(), only)) is not None:
        progress(after)
        done += 1
    return done
