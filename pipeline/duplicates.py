"""Groups mentions that say the same: copies, retweets, syndicated news, a campaign's texts with a word changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from nlp.likeness import Pair, Signature, groups, sign
from store import bands, duplicates
from store.bands import Waiting
from store.engine import Store

BATCH = 500
IN_FLIGHT = 2
REMEMBERED = timedelta(days=30)
"""For how long after it was heard a mention is looked at for near copies. Exact ones are found whatever their age."""


def group_waiting(
    store: Store, pool: Executor, progress: Callable[[int], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False, batch: int = BATCH,
) -> int:
    """Compare mentions with those heard before until none waits; how many were. `progress` is told each batch's."""
    done = 0
    while not stop():
        with store.read() as session:
            found = bands.waiting(session, batch * IN_FLIGHT)
        parts = [found[start : start + batch] for start in range(0, len(found), batch)]
        signed = [(part, pool.submit(sign, [one.text for one in part])) for part in parts]
        saved = 0
        for part, future in signed:
            n = _save(store, part, future.result())
            progress(n)
            saved += n
        if not saved:  # nothing waits, or all that did was changed meanwhile: the next time sees it
            return done
        done += saved
    return done


def forget_bands(store: Store, now: datetime, stop: Callable[[], bool] = lambda: False) -> int:
    """Stop looking for near copies of what was heard too long ago; how many mentions."""
    gone = 0
    while not stop():
        with store.write() as session:
            n = bands.prune(session, now - REMEMBERED)
        if not n:
            break
        gone += n
    return gone


def _save(store: Store, batch: Sequence[Waiting], signatures: Sequence[Signature]) -> int:
    signed = {one.id: signature for one, signature in zip(batch, signatures, strict=True)}
    with store.write() as session:
        held = bands.unchanged(session, batch)
        for brand_id in sorted({one.brand_id for one in held}):
            _settle(session, brand_id, {one.id: one.text for one in held if one.brand_id == brand_id}, signed)
    return len(held)


def _settle(session: Session, brand_id: int, texts: Mapping[int, str], signed: Mapping[int, Signature]) -> None:
    """Find what mentions of one brand are copies of, and save it."""
    hashes = {id: signed[id].same for id in sorted(texts)}
    newest = {same: id for id, same in hashes.items() if same}  # the last of a batch stands for its exact copies
    twins = bands.twins(session, brand_id, newest)
    exact = [(id, newest[same]) for id, same in hashes.items() if same]
    exact += [(newest[same], twin) for same, twin in twins.items()]
    bands.take(session, [id for same, id in twins.items() if id < newest[same]])
    found = bands.holders(session, brand_id, {band for id in newest.values() for band in signed[id].bands})
    known = bands.read(session, {id for of in found.values() for id in of} | set(twins.values()))
    held: dict[int, list[int]] = {}
    asked = {id: signed[id].bands for same, id in newest.items()}
    stands = {id for same, id in newest.items() if twins.get(same, 0) < id}
    joined = groups(
        exact, _candidates(asked, found, stands, held), {id: one.text for id, one in known.items()} | dict(texts),
        {id: one.cluster for id, one in known.items()},
    )
    duplicates.settle(session, hashes, joined)
    bands.put(session, brand_id, held)


def _candidates(
    asked: Mapping[int, Sequence[int]], found: dict[int, tuple[int, ...]], stands: set[int], held: dict[int, list[int]]
) -> Iterator[Pair]:
    """The pairs that share a band. Who `stands` for its copies then takes those of its bands that are not full."""
    for id, of in sorted(asked.items()):
        met, taken, takes = set[int](), list[int](), id in stands
        for band in of:
            holding = found.get(band)
            if holding is None:  # nearly always: a text of its own
                if takes:
                    found[band] = (id,)  # a tuple of numbers costs the garbage collector nothing
                    taken.append(band)
                continue
            met.update(holding)
            if takes and len(holding) < bands.MOST:
                found[band] = (*holding, id)
                taken.append(band)
        held[id] = taken
        for other in sorted(met):
            yield id, other
