"""Asks sources again about what they told: what they have deleted goes here too, and never comes back by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import collectors
from collectors.http import WebOptions
from escucha.admission import admit_each
from escucha.errors import EscuchaError
from escucha.mention import Mention
from escucha.source import Checked, Rechecks
from pipeline.collect import check_at, facts_of
from pipeline.door import unburied
from pipeline.keys import keys_for
from pipeline.means import Means
from pipeline.pull import unknown
from pipeline.spending import items_left
from store import brands, mentions, rechecks, tombstones, watches
from store.mentions import Saved
from store.rechecks import Due
from store.watches import Ledger

log = logging.getLogger(__name__)

BATCHES = 20
"""Requests of one source in one round: what is left waits for the next, so that live runs come in between."""
LATER = timedelta(hours=6)
"""When a question is asked again that was not answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecked:
    """What a round did: mentions asked about, gone, changed, dropped because they may not be kept longer."""

    asked: int = 0
    gone: int = 0
    updated: int = 0
    dropped: int = 0
    problem: EscuchaError | None = None

    def __add__(self, other: Rechecked) -> Rechecked:
        return Rechecked(
            asked=self.asked + other.asked, gone=self.gone + other.gone, updated=self.updated + other.updated,
            dropped=self.dropped + other.dropped, problem=other.problem or self.problem,
        )


def recheck_due(means: Means, now: datetime, stop: Callable[[], bool] = lambda: False) -> Rechecked:
    """Ask about the mentions that are due, source by source."""
    with means.store.read() as session:
        sources = rechecks.sources_due(session, now)
    total = Rechecked()
    for source in sources:
        for _ in range(BATCHES):
            if stop():
                return total
            done = _batch(means, source, now)
            total += done
            if not done.asked or done.problem is not None:
                break
        total += _dropped(means, source, now)
    return total


def ask(
    source: str, web: WebOptions, keys: Mapping[str, str], asked: tuple[Mention, ...]
) -> tuple[Checked, EscuchaError | None]:
    """Ask a source whether these still exist (on the pool); nothing is concluded from an error."""
    try:
        opened = collectors.open_source(source, web, keys)
        return (opened.recheck(asked) if isinstance(opened, Rechecks) else Checked()), None
    except EscuchaError as error:
        return Checked(), error
    except Exception as error:  # a collector's own mistake must not stop the others
        return Checked(), unknown(source, error, keys)


def _batch(means: Means, source: str, now: datetime) -> Rechecked:
    facts = facts_of(source)
    if facts.recheck_days is None:
        return Rechecked()
    with means.store.read() as session:
        asked = rechecks.due(session, source, now, facts.recheck_batch)
        if not asked or (facts.cost_per_item and watches.busy(session, source, now)):
            return Rechecked()
        try:
            keys = keys_for(session, means.vault, means.keys, source, asked[0].brand_id)
            left = items_left(session, facts, keys, means.budget, now)
        except EscuchaError as error:
            return Rechecked(problem=error)
    asked = asked[:left]
    about = tuple(one.mention for one in asked)
    checked, problem = means.pool.submit(ask, source, means.web, keys, about).result()
    return _settle(means, source, asked, checked, problem, now)


def _settle(
    means: Means, source: str, asked: list[Due], checked: Checked, problem: EscuchaError | None, now: datetime
) -> Rechecked:
    fresh, _ = admit_each(checked.fresh, now)
    confirmed = _confirmed(asked, checked, frozenset(mention.source_id for mention in fresh), problem)
    gone_keys = [(one.mention.source, one.mention.source_id) for one in asked
                 if one.mention.source_id in checked.gone]
    with means.store.write() as session:
        brand = brands.by_id(session, asked[0].brand_id)
        welcome, _ = unburied(session, brand, fresh, now)  # somebody may have been erased while we asked
        gone = tombstones.bury(session, gone_keys, now)
        saved = mentions.save(session, brand, welcome, now)
        rechecks.postpone(session, [one.id for one in asked], now + LATER)
        rechecks.confirm(session, confirmed, now, check_at(facts_of(source), now) or now)
        if gone or checked.cost:
            ledger = Ledger(saved=Saved(), gone=gone, cost=checked.cost)
            watches.write(session, asked[0].watch_id, ledger, now)
    return Rechecked(asked=len(asked), gone=gone, updated=saved.updated, problem=problem)


def _confirmed(
    asked: list[Due], checked: Checked, there: frozenset[str], problem: EscuchaError | None
) -> list[int]:
    """Whom the answer confirms: those it brings; where it brings none and no error, those it does not name as gone."""
    if there or problem is not None:
        return [one.id for one in asked if one.mention.source_id in there]
    return [one.id for one in asked if one.mention.source_id not in checked.gone]


def _dropped(means: Means, source: str, now: datetime) -> Rechecked:
    """Let go of what may not be kept, because its source has not confirmed it in time."""
    facts = facts_of(source)
    if facts.can_store_days is None:
        return Rechecked()
    with means.store.write() as session:
        old = rechecks.overdue(session, source, now - timedelta(days=facts.can_store_days), 1000)
        return Rechecked(dropped=tombstones.drop(session, old))
