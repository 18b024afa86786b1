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
from pipeline.keys import keys_for
from pipeline.means import Means
from pipeline.pull import unknown
from store import brands, mentions, rechecks, tombstones

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
        return Checked(), unknown(source, error)


def _batch(means: Means, source: str, now: datetime) -> Rechecked:
    facts = facts_of(source)
    if facts.recheck_days is None:
        return Rechecked()
    with means.store.read() as session:
        due = rechecks.due(session, source, now, facts.recheck_batch)
        of_brand = [found for found in due if found[1] == due[0][1]]  # keys may differ by brand
        try:
            keys = keys_for(session, means.vault, means.keys, source, of_brand[0][1]) if of_brand else {}
        except EscuchaError as error:
            return Rechecked(problem=error)
    if not of_brand:
        return Rechecked()
    asked = tuple(mention for _, _, mention in of_brand)
    checked, problem = means.pool.submit(ask, source, means.web, keys, asked).result()
    return _settle(means, source, of_brand, checked, problem, now)


def _settle(
    means: Means, source: str, asked: list[tuple[int, int, Mention]], checked: Checked, problem: EscuchaError | None,
    now: datetime,
) -> Rechecked:
    fresh, _ = admit_each(checked.fresh, now)
    there = {mention.source_id for mention in fresh}
    facts = facts_of(source)
    confirmed = [number for number, _, mention in asked if mention.source_id in there]
    if problem is None:  # an answer that does not name an item as gone confirms it, unless it brings what is there
        confirmed = confirmed if there else [n for n, _, m in asked if m.source_id not in checked.gone]
    with means.store.write() as session:
        gone = tombstones.bury(session, [(m.source, m.source_id) for _, _, m in asked if m.source_id in checked.gone],
                               now)
        saved = mentions.save(session, brands.by_id(session, asked[0][1]), fresh, now)
        rechecks.postpone(session, [number for number, _, _ in asked], now + LATER)
        rechecks.confirm(session, confirmed, now, check_at(facts, now) or now)
    return Rechecked(asked=len(asked), gone=gone, updated=saved.updated, problem=problem)


def _dropped(means: Means, source: str, now: datetime) -> Rechecked:
    """Let go of what may not be kept, because its source has not confirmed it in time."""
    facts = facts_of(source)
    if facts.can_store_days is None:
        return Rechecked()
    with means.store.write() as session:
        old = rechecks.overdue(session, source, now - timedelta(days=facts.can_store_days), 1000)
        return Rechecked(dropped=tombstones.drop(session, old))
