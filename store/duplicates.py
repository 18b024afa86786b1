"""Mentions that say the same, or nearly: which of them is the first, and which are its copies.

A cluster's number is its first mention's: the earliest that is not hidden. The rest of them are copies. Whoever calls
these functions does so outside of `rollups.kept`, as they keep the roll-ups themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.orm import Session

from store import bands, brands, bulk, rollups
from store.tables import MentionRow

MANY = 500
"""Members of a cluster that is too large to be compared anew whenever one goes."""
TABLE: Table = MentionRow.__table__  # type: ignore[assignment]
PLACE = (MentionRow.id, MentionRow.brand_id, MentionRow.seek, MentionRow.hidden, MentionRow.same, MentionRow.cluster_id,
         MentionRow.copy)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """How many other mentions say what a mention says, and the number of their cluster."""

    cluster: int
    others: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a mention stands among those that are like it."""

    same: str | None
    cluster_id: int | None
    copy: bool


def settle(session: Session, compared: Mapping[int, str], groups: Iterable[Collection[int]]) -> None:
    """Save the hashes of mentions that were compared, and make each group a cluster.

    A group holds mentions that are in no cluster and first ones, which bring their clusters with them.
    """
    sets = [list(group) for group in groups]
    rows = _rows(session, {*compared, *(id for group in sets for id in group)})
    places = {id: _Place(same, None, False) for id, same in compared.items()}
    moved: dict[int, int] = {}
    for group in sets:
        first = _first([rows[id] for id in group])
        moved |= {id: first for id in group if rows[id].cluster_id == id != first}
        places |= {id: _Place(compared.get(id, rows[id].same), first, id != first) for id in group}
    members = _members(session, moved)
    brought = {id: _Place(row.same, moved[row.cluster_id], True) for id, row in members.items() if id not in places}
    _write(session, rows | members, places | brought)


def left(session: Session, ids: Collection[int]) -> None:
    """Take mentions out of their clusters, before they go or say something else; they count as not yet compared.

    A cluster that loses its first gets another, and one of one is none any more. Where a mention may have been all that
    joined the others, they are compared again, unless they are more than MANY: a campaign stays together.
    """
    for chunk in bulk.chunks(sorted(ids)):
        _left(session, chunk)


@contextmanager
def kept(session: Session, ids: Collection[int]) -> Iterator[None]:
    """Whatever is hidden or shown of these mentions inside, the roll-ups and the firsts of their clusters follow."""
    for chunk in bulk.chunks(sorted(ids)):
        _hold(session, _rows(session, chunk))
    with rollups.kept(session, ids):
        yield
    elect(session, ids)


def elect(session: Session, ids: Collection[int]) -> None:
    """Choose the first of these mentions' clusters anew, after some of them were hidden or shown."""
    for chunk in bulk.chunks(sorted(ids)):
        rows = _rows(session, chunk)
        _hold(session, rows)
        members = _members(session, {row.cluster_id for row in rows.values() if row.cluster_id})
        places = {id: place for of in _parted(members).values() for id, place in _headed(of).items()}
        _write(session, members, places)


def alike(session: Session, ids: Collection[int]) -> dict[int, Alike]:
    """For each of these mentions that others are like: how many that are not hidden, and their cluster."""
    clusters = {id: row.cluster_id for id, row in _rows(session, ids).items() if row.cluster_id}
    query = (
        select(MentionRow.cluster_id, func.count().label("n"))
        .where(MentionRow.cluster_id.in_(set(clusters.values())), MentionRow.hidden.is_(None))
        .group_by(MentionRow.cluster_id)
    )
    counted = {row.cluster_id: row.n for row in session.execute(query)}
    return {id: Alike(cluster=cluster, others=counted[cluster] - 1) for id, cluster in clusters.items()
            if counted.get(cluster, 0) > 1}


def _left(session: Session, ids: Sequence[int]) -> None:
    _hold(session, _rows(session, ids))
    rows = _rows(session, ids)
    leaving = {id: row for id, row in rows.items() if row.same is not None}
    twinned = bands.hand_over(session, {id: (row.brand_id, row.same) for id, row in leaving.items()})
    members = _members(session, {row.cluster_id for row in leaving.values() if row.cluster_id})
    missed = {row.cluster_id for id, row in leaving.items() if id not in twinned}
    places = dict.fromkeys(leaving, _Place(None, None, False))
    for cluster, of in _parted({id: row for id, row in members.items() if id not in leaving}).items():
        if len(of) == 1:
            places |= {row.id: _Place(row.same, None, False) for row in of}
        elif cluster in missed and len(of) <= MANY and len({row.same for row in of}) > 1:
            places |= {row.id: _Place(None, None, False) for row in of}
        elif cluster in leaving:
            places |= _headed(of)
    bands.take(session, [id for id, place in places.items() if place.same is None])
    _write(session, members | leaving, places)


def _hold(session: Session, rows: Mapping[int, Any]) -> None:
    for brand_id in sorted({row.brand_id for row in rows.values()}):
        brands.hold(session, brand_id)


def _rows(session: Session, ids: Collection[int]) -> dict[int, Any]:
    return {row.id: row for chunk in bulk.chunks(sorted(ids))
            for row in session.execute(select(*PLACE).where(MentionRow.id.in_(chunk)))}


def _members(session: Session, clusters: Collection[int]) -> dict[int, Any]:
    return {row.id: row for chunk in bulk.chunks(sorted(clusters))
            for row in session.execute(select(*PLACE).where(MentionRow.cluster_id.in_(chunk)))}


def _parted(members: Mapping[int, Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in members.values():
        found.setdefault(row.cluster_id, []).append(row)
    return found


def _first(rows: Sequence[Any]) -> int:
    """The earliest that is not hidden; where all are, the earliest."""
    return int(min(rows, key=lambda row: (row.hidden is not None, row.seek)).id)


def _headed(rows: Sequence[Any]) -> dict[int, _Place]:
    first = _first(rows)
    return {row.id: _Place(row.same, first, row.id != first) for row in rows}


def _write(session: Session, rows: Mapping[int, Any], places: Mapping[int, _Place]) -> None:
    """Save the places that are new; what became a copy, or is none any more, moves in the roll-ups."""
    fresh = {id: place for id, place in places.items()
             if place != _Place(rows[id].same, rows[id].cluster_id, rows[id].copy)}
    told = [{"row": id, "to_same": place.same, "to_cluster": place.cluster_id, "to_copy": place.copy}
            for id, place in sorted(fresh.items())]
    statement = update(TABLE).where(TABLE.c.id == bindparam("row")).values(
        same=bindparam("to_same"), cluster_id=bindparam("to_cluster"), copy=bindparam("to_copy")
    )
    _lock(session, fresh)
    with rollups.kept(session, [id for id, place in fresh.items() if place.copy != rows[id].copy]):
        if told:
            session.connection().execute(statement, told)


def _lock(session: Session, ids: Collection[int]) -> None:
    """By number, as whoever tags mentions locks them: so that no two wait for each other (PostgreSQL)."""
    for chunk in bulk.chunks(sorted(ids)):
        session.execute(select(MentionRow.id).where(MentionRow.id.in_(chunk)).order_by(MentionRow.id).with_for_update())
