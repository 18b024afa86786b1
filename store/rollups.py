"""Keeps the roll-ups: small counts per day and label that answer a dashboard without reading its mentions.

Whoever writes, changes or removes mentions says so here in the same transaction: what the mentions counted for before
is taken off and what they count for after is put on. So a roll-up is at every commit what a recount would give.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, case, delete, func, insert, literal, select, text, tuple_
from sqlalchemy.orm import Session

from store import bulk
from store.tables import AuthorTallyRow, MentionRow, TallyRow

DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "": (), "source": ("source",), "stage": ("stage",), "pain": ("pain",), "touchpoint": ("touchpoint",),
    "lang": ("lang",), "stage|pain": ("stage", "pain"), "stage|touchpoint": ("stage", "touchpoint"),
}  # fmt: skip
"""Of what the cubes count, each together with the sentiment, and the columns that make its key."""
PARTED = "|"
"""Stands between the two labels of a key."""


class Counted(NamedTuple):
    """What the roll-ups read of a mention."""

    brand_id: int
    day: date
    author_id: int | None
    sentiment: str | None
    source: str
    stage: str | None
    pain: str | None
    touchpoint: str | None
    lang: str | None
    engagement: int | None
    copy: bool
    hidden: str | None


LABELS = ("source", "stage", "pain", "touchpoint", "lang")
ALIKE = attrgetter("brand_id", "day", "sentiment", "copy", *LABELS)
"""What mentions share that the cubes count together."""
OF_AUTHOR = attrgetter("brand_id", "day", "author_id", "sentiment", "engagement")
COLUMNS = tuple(getattr(MentionRow, name) for name in Counted._fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Where a roll-up is not what a recount gives: its table and key, what it says, and what is so."""

    table: str
    key: tuple[Any, ...]
    kept: tuple[int, ...]
    counted: tuple[int, ...]


class Delta:
    """Signed changes to the roll-ups, gathered and then written at once."""

    def __init__(self) -> None:
        self._alike: Counter[tuple[Any, ...]] = Counter()
        self._authors: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])

    def add(self, mentions: Iterable[Counted], sign: int = 1) -> None:
        """Count mentions in (or, with sign -1, out)."""
        seen = [said for said in mentions if said.hidden is None]
        for alike, n in Counter(map(ALIKE, seen)).items():
            self._alike[alike] += sign * n
        for brand_id, day, author_id, feeling, engagement in map(OF_AUTHOR, seen):
            if author_id is not None:
                of = self._authors[brand_id, day.replace(day=1), author_id]
                of[0] += sign
                of[1] += sign * (feeling == "positive")
                of[2] += sign * (feeling == "negative")
                of[3] += sign * (engagement or 0)

    def write(self, session: Session) -> None:
        """Put the changes on the stored roll-ups; cells that come to nothing go."""
        cells: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
        for (brand_id, day, feeling, copy, *labels), n in self._alike.items():
            for dimension, key in _keys(*labels):
                cell = cells[brand_id, dimension, day, key, feeling or ""]
                cell[0] += n
                cell[1] += n * copy
        _add(session, TallyRow, ("brand_id", "dimension", "day", "key", "sentiment"), ("n", "copies"), cells)
        _add(session, AuthorTallyRow, ("brand_id", "month", "author_id"), ("n", "positive", "negative", "engagement"),
             self._authors)


@contextmanager
def kept(session: Session, ids: Collection[int]) -> Iterator[None]:
    """Whatever happens to these mentions inside, the roll-ups follow: changed, hidden, moved to a brand, or removed.

    The mentions are locked (PostgreSQL), so that nobody changes them between the two looks.
    """
    delta = Delta()
    delta.add(_looked(session, ids, lock=True), -1)
    yield
    session.flush()
    delta.add(_looked(session, ids))
    delta.write(session)


def verify(session: Session) -> list[Drift]:
    """Where the roll-ups differ from a recount of the mentions; empty when all is well."""
    found = []
    for dimension in DIMENSIONS:
        cells = select(TallyRow.brand_id, TallyRow.dimension, TallyRow.day, TallyRow.key, TallyRow.sentiment,
                       TallyRow.n, TallyRow.copies).where(TallyRow.dimension == dimension)
        counted = recount(dimension)
        one, other = (session.execute(pair[0].except_(pair[1])) for pair in ((cells, counted), (counted, cells)))
        found += _differences("tally", one, other, 5)
    people = select(AuthorTallyRow.brand_id, AuthorTallyRow.month, AuthorTallyRow.author_id, AuthorTallyRow.n,
                    AuthorTallyRow.positive, AuthorTallyRow.negative, AuthorTallyRow.engagement)
    found += _differences("author_tally", session.execute(people), _people(session), 3)
    return found


def hold(session: Session) -> None:
    """Let nobody change mentions until the transaction ends (PostgreSQL; SQLite has one writer)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE mention IN SHARE ROW EXCLUSIVE MODE"))


def rebuild(session: Session) -> None:
    """Count everything anew. Nobody may change mentions meanwhile (`hold`)."""
    session.execute(delete(TallyRow))
    session.execute(delete(AuthorTallyRow))
    names = ["brand_id", "dimension", "day", "key", "sentiment", "n", "copies"]
    for dimension in DIMENSIONS:
        session.execute(insert(TallyRow).from_select(names, recount(dimension)))
    people = [dict(zip(("brand_id", "month", "author_id", "n", "positive", "negative", "engagement"), row, strict=True))
              for row in _people(session)]
    if people:
        session.connection().execute(insert(AuthorTallyRow.__table__), people)  # type: ignore[arg-type]


def recount(dimension: str) -> Select[*tuple[Any, ...]]:
    """The cells of a cube as the mentions themselves give them."""
    key: ColumnElement[str] = literal("")
    for place, name in enumerate(DIMENSIONS[dimension]):
        told = func.coalesce(getattr(MentionRow, name), "")
        key = told if place == 0 else key + PARTED + told
    key, feeling = key.label("of"), func.coalesce(MentionRow.sentiment, "").label("feeling")
    grouped = [MentionRow.brand_id, MentionRow.day, key, feeling]
    if not DIMENSIONS[dimension]:
        grouped.remove(key)
    return (
        select(MentionRow.brand_id, literal(dimension).label("dimension"), MentionRow.day, key, feeling, func.count(),
               func.sum(case((MentionRow.copy, 1), else_=0)))
        .where(MentionRow.hidden.is_(None)).group_by(*grouped)
    )  # fmt: skip


@lru_cache(maxsize=10_000)
def _keys(*labels: str | None) -> tuple[tuple[str, str], ...]:
    """In which cell of each cube a mention with these labels is counted."""
    of = dict(zip(LABELS, labels, strict=True))
    return tuple((dimension, PARTED.join(of[name] or "" for name in names)) for dimension, names in DIMENSIONS.items())


def _people(session: Session) -> list[tuple[Any, ...]]:
    """What the authors' roll-up shall be. The database counts by day: each cuts months its own way."""
    query = (
        select(MentionRow.brand_id, MentionRow.day, MentionRow.author_id, func.count(),
               func.sum(case((MentionRow.sentiment == "positive", 1), else_=0)),
               func.sum(case((MentionRow.sentiment == "negative", 1), else_=0)),
               func.sum(func.coalesce(MentionRow.engagement, 0)))
        .where(MentionRow.hidden.is_(None), MentionRow.author_id.is_not(None))
        .group_by(MentionRow.brand_id, MentionRow.day, MentionRow.author_id)
    )  # fmt: skip
    found: dict[tuple[Any, ...], list[int]] = {}
    for brand_id, day, author_id, *counts in session.execute(query):
        of = found.setdefault((brand_id, day.replace(day=1), author_id), [0, 0, 0, 0])
        for place, count in enumerate(counts):
            of[place] += int(count)
    return [(*key, *of) for key, of in found.items()]


def _differences(table: str, kept: Iterable[Any], counted: Iterable[Any], width: int) -> list[Drift]:
    one = {tuple(row[:width]): tuple(int(n) for n in row[width:]) for row in kept}
    other = {tuple(row[:width]): tuple(int(n) for n in row[width:]) for row in counted}
    nothing = (0,) * len(next(iter([*one.values(), *other.values()]), ()))
    return [Drift(table=table, key=key, kept=one.get(key, nothing), counted=other.get(key, nothing))
            for key in sorted(one.keys() | other.keys()) if one.get(key) != other.get(key)]


def _looked(session: Session, ids: Collection[int], lock: bool = False) -> list[Counted]:
    """The mentions as the roll-ups read them, with their numbers in order."""
    found = []
    for chunk in bulk.chunks(sorted(ids)):
        chosen = bulk.within(session, MentionRow.id, chunk)
        query = select(*COLUMNS).where(chosen).order_by(MentionRow.id)
        found += [Counted(*row) for row in session.execute(query.with_for_update() if lock else query)]
    return found


def _add(
    session: Session, table: type[TallyRow | AuthorTallyRow], keys: tuple[str, ...], counts: tuple[str, ...],
    changes: Mapping[tuple[Any, ...], Sequence[int]],
) -> None:
    """Add to the counts of these keys; a row whose `n` comes to nothing is removed."""
    changed = [(*key, *counted) for key, counted in changes.items() if any(counted)]
    rows = dict(zip((*keys, *counts), zip(*changed, strict=True), strict=True)) if changed else {}
    name = table.__tablename__
    told = {count: f"{name}.{count} + excluded.{count}" for count in counts}
    bulk.upsert(session.connection(), table.__table__, rows, keys, told)  # type: ignore[arg-type]
    for fewer in bulk.chunks(key for key, counted in changes.items() if counted[0] < 0):
        gone = tuple_(*(getattr(table, key) for key in keys)).in_(fewer)
        session.execute(delete(table).where(gone, table.n == 0))
