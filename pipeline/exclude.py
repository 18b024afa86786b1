"""Excludes: a brand's exclusions are tried, put to the stored mentions in steps, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic

from escucha.brand import Brand
from escucha.enrichment import TaggedMention
from escucha.errors import TryLater
from escucha.exclusion import WIDE, Exclusion, checked
from escucha.filter import MentionFilter
from escucha.journey import Share
from escucha.statistics import share
from store import bulk, exclusions, found, metrics
from store.engine import Store
from store.patience import patient
from store.preview import of_newest

EXAMPLES = 5
PATIENCE = 2.0
"""Seconds for which a person waits: then the trial looks at the newest mentions alone, and the clock ends the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What an exclusion would hide of the `stored` mentions that are shown: `share.count` of the `share.n` looked at,
    all of them or only the newest; and the newest of those.
    """

    stored: int
    share: Share
    examples: tuple[TaggedMention, ...]

    @property
    def whole(self) -> bool:
        """Whether all mentions were looked at."""
        return self.share.n >= self.stored

    @property
    def foreseen(self) -> int:
        """How many it would hide, as far as can be told."""
        return self.share.count if self.whole else round(self.share.share * self.stored)

    @property
    def wide(self) -> bool:
        """Whether it would hide so much that it is hardly meant."""
        return self.share.count > 0 and self.share.share >= WIDE


def try_out(store: Store, brand: Brand, exclusion: Exclusion, seconds: float = PATIENCE) -> Trial:
    """What an exclusion would hide if it were saved now; nothing is saved. Raises Invalid for one that is off."""
    exclusion = checked(exclusion)
    shown = MentionFilter(brand=brand.slug)
    meant = replace(shown, query=exclusion.query)
    with store.read() as session:
        stored = metrics.count(session, shown)
    try:
        with store.read() as session, patient(session, seconds):
            n = exclusions.would_hide(session, meant)
            items = found.find(session, meant, limit=EXAMPLES).items if n else ()
    except TryLater:
        newest = of_newest(store, shown, exclusion.query, seconds)
        told = share(newest.matched, newest.looked_at or 0)
        return Trial(stored=stored, share=told, examples=newest.items[:EXAMPLES])
    return Trial(stored=stored, share=share(n, stored), examples=tuple(item for item in items if not item.kept))


def add(
    store: Store, exclusion: Exclusion, now: datetime, seconds: float | None = PATIENCE,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Exclusion, int]:
    """Save an exclusion and put it to the stored mentions; as it is then, and how many it hid.

    After so many seconds (None: however long it takes) the clock does the rest: it `waits` then.

    Raises:
        Invalid, Conflict: it is off, or the brand has it already, or too many.
    """
    exclusion = checked(exclusion)
    with store.write() as session:
        added = exclusions.put(session, exclusion, now)
    changed = spread(store, added.id or 0, progress, _over(seconds))
    with store.read() as session:
        return exclusions.get(session, added.id or 0, added.brand_id), changed


def remove(
    store: Store, brand: Brand, id: int, seconds: float | None = PATIENCE,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Take an exclusion back: what no other one means is shown again; how many, as far as it came in time.

    Raises NotFound.
    """
    with store.write() as session:
        exclusions.take_back(session, id, brand.id)
    return spread(store, id, progress, _over(seconds))


def spread(
    store: Store, id: int, progress: Callable[[int], None] = lambda _: None, stop: Callable[[], bool] = lambda: False
) -> int:
    """Put an exclusion that waits, new or gone, to the stored mentions, a step in a transaction; how many changed.

    Where it is cut off, it goes on waiting from there: `spread_waiting` ends what was begun. `progress` is told of each
    step's mentions. Where another process is at it, that one ends it.
    """
    with store.read() as session:
        ahead = exclusions.ahead(session, id)
    if ahead is None:
        return 0
    (at, ids), changed = ahead, 0
    for step in bulk.chunks(ids):
        if stop():
            return changed
        with store.write() as session:
            if not exclusions.advance(session, id, at, step[-1]):
                return changed
            changed += exclusions.judge(session, step)
        at = step[-1]
        progress(len(step))
    with store.write() as session:
        exclusions.advance(session, id, at, None)
    return changed


def spread_waiting(store: Store, stop: Callable[[], bool] = lambda: False) -> int:
    """Put every exclusion that still waits to the stored mentions; how many mentions changed."""
    with store.read() as session:
        waiting = exclusions.waiting(session)
    return sum(spread(store, id, stop=stop) for id in waiting)


def _over(seconds: float | None) -> Callable[[], bool]:
    """Whether so many seconds from now have passed."""
    end = None if seconds is None else monotonic() + seconds
    return lambda: end is not None and monotonic() > end
