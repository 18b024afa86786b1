"""Collects: asks the sources whose watches are due, and saves what they tell together with where to go on."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

import collectors
from escucha.brand import Brand, Problem, Watch
from escucha.errors import ConfigError, EscuchaError, NotFound, TryLater
from escucha.source import SourceFacts, Span
from pipeline.door import unburied, wanted
from pipeline.keys import keys_for
from pipeline.means import Means
from pipeline.pull import Haul, Order, pull, unknown
from pipeline.rhythm import judge
from pipeline.spending import items_left
from store import backfills, brands, credentials, mentions, tombstones, watches
from store.engine import Store
from store.mentions import Saved
from store.vault import Vault
from store.watches import Ledger

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 16
"""Runs under way at once; what they bring is in memory until it is saved."""
ASIDE = timedelta(seconds=30)
"""How long a watch makes way for a backfill of a source of which no two runs may overlap."""
LONGEST_ROUND = 120.0
"""Seconds after which a round takes no further watches: the next one sees the time anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One finished run of a watch, as its ledger has it."""

    watch: Watch
    saved: Saved
    refused: int
    problem: EscuchaError | None
    gone: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A watch that was claimed; `alone` is the source of which no two runs may overlap, if it is one."""

    watch: Watch
    brand: Brand
    alone: str | None = None


def settle(
    store: Store, watch: Watch, brand: Brand, haul: Haul, now: datetime, dice: random.Random | None = None,
    vault: Vault | None = None,
) -> Outcome:
    """Save a haul: mentions, cursor and ledger in one transaction, so that a crash leaves no hole and no repeat."""
    with store.write() as session:
        ledger = save(session, watch, brand, haul, now, vault)
        verdict = judge(watch, haul.problem, now, dice or random.Random(), ledger, haul.more)
        watches.settle(
            session, watch, ledger, now=now, next_at=verdict.next_at, pace=verdict.pace, cursor=haul.cursor,
            failures=verdict.failures, state=verdict.state, quota=haul.quota,
            doubt=Problem.of(haul.doubt) if haul.doubt else None,
        )
    return Outcome(watch=watch, saved=ledger.saved, refused=len(ledger.refusals), problem=haul.problem,
                   gone=ledger.gone)


def save(
    session: Session, watch: Watch, brand: Brand, haul: Haul, now: datetime, vault: Vault | None = None
) -> Ledger:
    """Save what a haul holds, but not the watch; the line that its ledger gets.

    What was deleted before does not come back, what the source says is deleted goes, and what an exclusion refuses is
    left out.
    """
    facts = facts_of(watch.source)
    heard, left_out = wanted(session, brand, haul.mentions)
    kept, refusals = unburied(session, brand, heard, now)
    saved = mentions.save(session, brand, kept, now, watch.id, check_at(facts, now))
    names = _names(watch, haul)
    gone = tombstones.bury(session, [(source, identity) for identity in haul.gone for source in names], now)
    if haul.renewed and vault:
        _renew(session, vault, watch, haul, now)
    covers = haul.covers
    if covers is None and haul.problem is None and not haul.more:
        covers = Span(watch.last_good_at or watch.made_at or now, now)
    return Ledger(
        saved=saved, refusals=(*haul.refusals, *refusals), passed=haul.passed + left_out, gone=gone, cost=haul.cost,
        covers=covers, problem=Problem.of(haul.problem) if haul.problem else None,
    )


def facts_of(source: str) -> SourceFacts:
    """What a source declares; a name that nobody owns, or that cannot be loaded, declares nothing."""
    try:
        return collectors.facts(source)
    except (NotFound, ConfigError):
        return SourceFacts(name=source, query_hint="")


def check_at(facts: SourceFacts, now: datetime) -> datetime | None:
    """When to ask a source whether what it told now still exists, or to drop it; None: never."""
    days = [days for days in (facts.recheck_days, facts.can_store_days) if days is not None]
    return now + timedelta(days=min(days)) if days else None


def collect_due(means: Means, now: datetime) -> list[Outcome]:
    """Run every watch that is due: asked on the pool, saved here one after the other."""
    outcomes: list[Outcome] = []
    held: list[_Run] = []
    running: dict[Future[Haul], _Run] = {}
    ends = time.monotonic() + LONGEST_ROUND
    while True:
        if time.monotonic() < ends:
            held += _claim(means, now, [*running.values(), *held])
        for run in _startable(held, running.values()):
            held.remove(run)
            try:
                running[means.pool.submit(pull, _order(means, run.watch, now), now)] = run
            except EscuchaError as error:
                outcomes.append(_settled(means, run, Haul(cursor=run.watch.cursor, problem=error), now))
        if not running:
            return outcomes
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            run = running.pop(future)
            outcomes.append(_settled(means, run, _brought(future, run), now))


def _settled(means: Means, run: _Run, haul: Haul, now: datetime) -> Outcome:
    """Save a haul. One that cannot be saved stops its own watch's run and no other; its cursor stays where it was."""
    try:
        return settle(means.store, run.watch, run.brand, haul, now, vault=means.vault)
    except EscuchaError:  # the database is busy, full or gone: that is no matter of this watch
        raise
    except Exception as error:
        failed = Haul(cursor=run.watch.cursor, problem=unknown(run.watch.source, error, {}), cost=haul.cost)
        return settle(means.store, run.watch, run.brand, failed, now, vault=means.vault)


def _claim(means: Means, now: datetime, busy: list[_Run]) -> list[_Run]:
    room = SIDE_BY_SIDE - len(busy)
    if room <= 0:
        return []
    with means.store.write() as session:
        due = watches.claim_due(session, now, room, [run.watch.id for run in busy])
        found = [_run(watch, brands.by_id(session, watch.brand_id)) for watch in due]
        for run in found:
            if run.alone and backfills.busy(session, run.alone, now):
                watches.postpone(session, run.watch.id, now + ASIDE)
        return [run for run in found if not (run.alone and backfills.busy(session, run.alone, now))]


def _run(watch: Watch, brand: Brand) -> _Run:
    facts = facts_of(watch.source)
    alone = facts.one_at_a_time or facts.cost_per_item > 0
    return _Run(watch=watch, brand=brand, alone=watch.source if alone else None)


def _order(means: Means, watch: Watch, now: datetime) -> Order:
    """What a worker is to do, made when it starts: keys and budget are as the runs before it left them.

    Raises:
        TryLater, Invalid, ConfigError: the budget is used up, or the keys cannot be read.
    """
    with means.store.read() as session:
        keys = keys_for(session, means.vault, means.keys, watch.source, watch.brand_id)
        most = items_left(session, facts_of(watch.source), keys, means.budget, now)
    query = replace(watch.query, most=most)
    return Order(source=watch.source, query=query, cursor=watch.cursor, web=means.web, keys=keys)


def _startable(held: list[_Run], running: Iterable[_Run]) -> list[_Run]:
    """Runs that may start now: of a paid source one at a time, as the next's budget depends on what this one costs."""
    taken = {run.alone for run in running if run.alone}
    found = []
    for run in held:
        if run.alone not in taken:
            found.append(run)
            taken |= {run.alone} if run.alone else set()
    return found


def _brought(future: Future[Haul], run: _Run) -> Haul:
    try:
        return future.result()
    except (Exception, CancelledError) as error:
        log.warning("The pool lost a run of watch %s: %s", run.watch.id, type(error).__name__)
        return Haul(cursor=run.watch.cursor, problem=TryLater("The run was lost on its way. It will try again."))


def _names(watch: Watch, haul: Haul) -> set[str]:
    """The names under which a watch's mentions are recorded: its source's, or what its mentions say."""
    return {mention.source for mention in haul.mentions} | {facts_of(watch.source).recorded_as or watch.source}


def _renew(session: Session, vault: Vault, watch: Watch, haul: Haul, now: datetime) -> None:
    """Keep keys that the source exchanged where the former ones were."""
    for name, value in haul.renewed.items():
        owner = credentials.owner_of(session, watch.source, name, watch.brand_id)
        credentials.put(session, vault, watch.source, owner, {name: value}, now)
