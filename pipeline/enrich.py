"""Enriches: has the taggers read what waits, and saves what they understood."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from escucha.enrichment import Enrichment
from nlp.chain import Outcome, tag_texts
from pipeline import adaptation
from pipeline.means import Means
from store import enrichments
from store.enrichments import Pending

log = logging.getLogger(__name__)

BATCH = 128
"""Texts per task: enough that a cluster's cost per task (2.5 ms) does not show."""
IN_FLIGHT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Enriched:
    """How many mentions were understood, and how many tries failed."""

    done: int
    failed: int


def enrich_pending(
    means: Means, clock: Callable[[], datetime], progress: Callable[[int], None] = lambda _: None
) -> Enriched:
    """Tag until nothing waits. `progress` is told how many mentions each saved batch had.

    Raises:
        ModelError: the taggers cannot be run at all; what was claimed waits on.
    """
    done = failed = 0
    while claimed := _claim(means, clock()):
        for batch, future in claimed:
            good, bad = _save(means, batch, future, clock())
            done, failed = done + good, failed + bad
            progress(len(batch))
    return Enriched(done=done, failed=failed)


def _claim(means: Means, now: datetime) -> list[tuple[list[Pending], Future[list[Outcome]]]]:
    with means.store.write() as session:
        waiting = enrichments.claim(session, BATCH * IN_FLIGHT, now)
    batches = [waiting[i : i + BATCH] for i in range(0, len(waiting), BATCH)]
    return [
        (batch, means.pool.submit(tag_texts, means.models, [pending.enrichment for pending in batch]))
        for batch in batches
    ]


def _save(
    means: Means, batch: Sequence[Pending], future: Future[list[Outcome]], now: datetime
) -> tuple[int, int]:
    try:
        outcomes = future.result()
    except BaseException:
        with means.store.write() as session:
            enrichments.release(session, batch)
        raise
    tagged: list[tuple[Pending, Enrichment]] = []
    failed: list[tuple[Pending, str]] = []
    for pending, outcome in zip(batch, outcomes, strict=True):
        if outcome.note is None:
            tagged.append((pending, outcome.enrichment))
        else:
            failed.append((pending, outcome.note))
    with means.store.write() as session:
        brands = adaptation.load(session, {pending.brand_id for pending, _ in tagged})
        adapted = [(pending, adaptation.adapt(found, brands[pending.brand_id])) for pending, found in tagged]
        enrichments.save(session, adapted, now)
        enrichments.fail(session, failed, now)
    return len(tagged), len(failed)
