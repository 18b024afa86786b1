"""C2: taggers that are killed while they work, and what must hold of every mention's labels afterwards."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import func, select

from collectors.http import WebOptions
from escucha.enrichment import Enrichment, Label, Part
from escucha.vector import Vector
from nlp.chain import ModelOptions, Outcome
from pipeline.enrich import enrich_pending
from pipeline.means import Means
from pipeline.pool import Inline
from store import brands, enrichments, mentions, rollups
from store.engine import Store
from store.tables import MentionRow, PartRow, VectorRow
from tests import make
from tests.store.crashes.ingest import GAP, put_off
from tests.store.crashes.nursery import AIMS, Nursery, Told, kill
from tests.store.crashes.tally import Tally

THINKING = 0.002
"""Seconds that the taggers need for a batch."""
FRESH, EDITED = 150, 12
"""New mentions of a turn, and old ones that say something else then."""
ENOUGH = 600
"""Mentions that wait, at which nothing new is heard."""
PARTS = 2
FEELINGS = ("positive", "neutral", "negative")
LATER = enrichments.LEASE + timedelta(minutes=1)


def kill_cycles(
    store: Store, nursery: Nursery, cycles: int, *, seed: int = 7, every: int = 25, until: str = "",
    work: str = "step", aims: Sequence[str | None] = AIMS,
) -> Tally:
    """Kill a tagging child so many times; check the labels after `every` so many, and at the end the leases."""
    dice, tally, begun = random.Random(seed), Tally(), time.monotonic()
    with store.write() as session:
        brands.add(session, make.brand())
    children = nursery.children(store.url, f"{__name__}:{work}")
    for cycle in range(1, cycles + 1):
        kill(children, tally, dice, {"turn": cycle}, aims=aims)
        if cycle % every == 0 or cycle == cycles:
            check(store, tally)
            if tally.faults[until]:
                break
    if not until:
        finish(store, tally, tally.cycles)
    tally.seconds = round(time.monotonic() - begun, 1)
    return tally


def step(store: Store, order: dict[str, Any], told: Told) -> bool:
    """Hear something, then have the taggers read all that waits, at a moment when the leases before have ended."""
    now = moment(order.get("turn", 0))
    if waiting(store) < ENOUGH:
        hear(store, now)
    enrich_pending(means(store), lambda: now)
    return True


def hear(store: Store, now: datetime) -> None:
    """Save new mentions, and edits of old ones."""
    with store.write() as session:
        brand = brands.get(session, "lumbre")
        n = session.scalar(select(func.count(MentionRow.id))) or 0
        fresh = [make.mention(str(k), f"texto {k}") for k in range(n, n + FRESH)]
        edited = [make.mention(str(k), f"texto {k}, corregido en {n}") for k in range(0, n, max(1, n // EDITED))]
        mentions.save(session, brand, [*fresh, *edited], now)


def waiting(store: Store) -> int:
    """Mentions that no tagger has read."""
    with store.read() as session:
        return session.scalar(select(func.count(MentionRow.id)).where(MentionRow.state == "pending")) or 0


def moment(turn: int) -> datetime:
    """When a turn is: every lease of the turns before has ended."""
    return make.NOW + turn * LATER


def means(store: Store) -> Means:
    """Means whose taggers sleep a little and then know all."""
    return Means(store=store, pool=Taggers(), web=WebOptions(), models=ModelOptions())


class Taggers(Executor):
    """A pool whose taggers give every text labels that are known beforehand."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Whatever is asked, the texts are tagged."""
        return Inline().submit(self._tag, *args)

    def _tag(self, _: ModelOptions, batch: Sequence[Enrichment]) -> list[Outcome]:
        time.sleep(THINKING)
        return [Outcome(enrichment=answer(asked)) for asked in batch]


def answer(asked: Enrichment) -> Enrichment:
    """What the taggers understand: everything says which text it was."""
    of = mark(asked.text)
    feeling = FEELINGS[int(of, 16) % len(FEELINGS)]
    parts = tuple(Part(start=n, end=n + 1, pain=Label(of, 1.0)) for n in range(PARTS))
    return replace(make.understood(asked.text, sentiment=feeling, stage=of, pain=of, touchpoint=of),
                   versions={"tester": of}, vector=Vector(of, b"\x01\x02"), parts=parts)


def mark(text: str) -> str:
    """What the labels of a text say."""
    return blake2b(text.encode(), digest_size=4).hexdigest()


def check(store: Store, tally: Tally) -> None:
    """Every mention has no labels or those of one text, one that is done those of its own; roll-ups are a recount."""
    tally.checks += 1
    with store.read() as session:
        vectors = {row.mention_id: row.version for row in session.scalars(select(VectorRow))}
        parts: dict[int, list[str | None]] = {}
        for part in session.scalars(select(PartRow)):
            parts.setdefault(part.mention_id, []).append(part.pain)
        rows = session.scalars(select(MentionRow)).all()
        for row in rows:
            said = [row.stage, row.pain, row.touchpoint, (row.versions or {}).get("tester"), vectors.get(row.id),
                    *parts.get(row.id, [None] * PARTS)]
            tally.faults["mixed labels"] += int(len(set(said)) > 1 or len(said) != 5 + PARTS)
            if row.stage is not None:
                tally.faults["mixed labels"] += int(row.sentiment != FEELINGS[int(row.stage, 16) % len(FEELINGS)])
            if row.state == "done":
                tally.faults["labels of another text"] += int(row.stage != mark(row.text))
        tally.rows = len(rows)
        tally.faults += Counter({"roll-ups": len(rollups.verify(session))})


def finish(store: Store, tally: Tally, turn: int) -> None:
    """What a dead child had claimed is left alone until its lease ends; then everything is understood."""
    enrich_pending(means(store), lambda: moment(turn))
    with store.read() as session:
        leased = session.scalar(select(func.count(MentionRow.id)).where(MentionRow.leased_until > moment(turn)))
    tally.figures["claimed by the last that died"] = leased
    tally.faults["lease broken"] += int(waiting(store) != leased)
    enrich_pending(means(store), lambda: moment(turn + 1))
    with store.read() as session:
        done = session.scalar(select(func.count(MentionRow.id)).where(MentionRow.state == "done"))
    tally.faults["never understood"] += tally.rows - (done or 0)
    check(store, tally)


def labels_apart(store: Store, order: dict[str, Any], told: Told) -> bool:
    """The planted fault of vectors and parts that are written in a transaction of their own."""
    with put_off(enrichments, "_replace") as (replace_, calls):
        step(store, order, told)
    time.sleep(GAP)
    with store.write() as session:
        for _, *given in calls:
            replace_(session, *given)
    return True
