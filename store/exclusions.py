"""What each brand does not want, and which of its stored mentions are hidden: by an exclusion, or by a person.

An exclusion that was taken back stays, as "gone", until the mentions that it hid have been looked at again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Table, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from escucha.enrichment import TaggedMention
from escucha.errors import Conflict, Invalid, NotFound
from escucha.exclusion import BLOCKED, PERSON, Exclusion, hidden_as, said_of
from escucha.filter import MentionFilter
from escucha.query.reading import Reading
from store import brands, bulk, duplicates
from store.filters import conditions
from store.rows import selection, tagged
from store.search import condition
from store.tables import AuthorRow, ExclusionRow, MentionRow

TABLE: Table = MentionRow.__table__  # type: ignore[assignment]
HIDE = update(TABLE).where(TABLE.c.id == bindparam("row")).values(hidden=bindparam("why"))
MOST = 200
"""Exclusions of a brand: every mention that comes in is put to each."""
GONE = "gone"
ENOUGH = 3
"""Mentions of an author or a site that persons found not relevant, from which on an exclusion is offered."""
LOOKED_AT = 2_000
"""The newest of them that are looked at for that."""


def of_brand(session: Session, brand_id: int | None) -> tuple[Exclusion, ...]:
    """A brand's exclusions, the oldest first: the first that means a mention is why it is hidden."""
    query = select(ExclusionRow).where(ExclusionRow.brand_id == brand_id, ExclusionRow.kind != GONE)
    rows = session.scalars(query.order_by(ExclusionRow.id).execution_options(populate_existing=True))
    return tuple(_exclusion(row) for row in rows)


def get(session: Session, id: int, brand_id: int | None) -> Exclusion:
    """The brand's exclusion of that number. Raises NotFound."""
    return _exclusion(_row(session, id, brand_id))


def put(session: Session, exclusion: Exclusion, now: datetime) -> Exclusion:
    """Save an exclusion of `exclusion.brand_id`; stored mentions wait to be put to it. Where there is one for the same,
    it gets the `refuse` of this one.

    Raises:
        Conflict: there is just this one already.
        Invalid: the brand has too many.
    """
    brands.hold(session, exclusion.brand_id)
    present = of_brand(session, exclusion.brand_id)
    same = next((one for one in present if (one.kind, one.value) == (exclusion.kind, exclusion.value)), None)
    if same is not None and same.refuse == exclusion.refuse:
        raise Conflict("This brand has this exclusion already: number {id}.", id=same.id)
    if same is not None:
        _row(session, same.id or 0, exclusion.brand_id).refuse = exclusion.refuse
        session.flush()
        return get(session, same.id or 0, exclusion.brand_id)
    if len(present) >= MOST:
        raise Invalid("A brand has {limit} exclusions at most. Put several in one query, with OR between them.",
                      limit=MOST)
    values = {"brand_id": exclusion.brand_id, "kind": exclusion.kind, "value": exclusion.value,
              "refuse": exclusion.refuse, "after_id": 0, "made_at": now}  # fmt: skip
    made = session.execute(insert(ExclusionRow).values(values).returning(ExclusionRow.id)).scalar_one()
    return get(session, made, exclusion.brand_id)


def take_back(session: Session, id: int, brand_id: int | None) -> None:
    """Take an exclusion back; the mentions that it hid wait to be looked at again. Raises NotFound."""
    brands.hold(session, brand_id)
    row = _row(session, id, brand_id)
    row.kind, row.value, row.refuse, row.after_id = GONE, str(id), False, 0
    session.flush()


def waiting(session: Session) -> list[int]:
    """The exclusions, new and gone, that have not been put to all the stored mentions."""
    query = select(ExclusionRow.id).where(ExclusionRow.after_id.is_not(None))
    return list(session.scalars(query.order_by(ExclusionRow.id)))


def ahead(session: Session, id: int) -> tuple[int, list[int]] | None:
    """How far an exclusion that waits has come, and the mentions from there on that it may change; None: it waits no
    more.
    """
    row = session.get(ExclusionRow, id, populate_existing=True)
    if row is None or row.after_id is None:
        return None
    query = select(MentionRow.id).where(MentionRow.brand_id == row.brand_id, MentionRow.id > row.after_id)
    if row.kind == GONE:
        query = query.where(MentionRow.hidden == _exclusion(row).mark)
    else:
        meant = condition(session.get_bind().dialect.name, _exclusion(row).query)
        query = query.where(MentionRow.hidden.is_(None), MentionRow.kept.is_(False), meant)
    return row.after_id, list(session.scalars(query.order_by(MentionRow.id)))


def advance(session: Session, id: int, was: int, to: int | None) -> bool:
    """Note that an exclusion has been put to the mentions up to `to` (None: to all; a gone one goes then).

    False where somebody else has moved it on since it stood at `was`: nothing is noted then.
    """
    brand_id = session.scalar(select(ExclusionRow.brand_id).where(ExclusionRow.id == id))
    brands.hold(session, brand_id)
    row = session.get(ExclusionRow, id, populate_existing=True)
    if row is None or row.after_id != was:
        return False
    row.after_id = to
    session.flush()
    session.execute(delete(ExclusionRow).where(ExclusionRow.id == id, ExclusionRow.kind == GONE,
                                               ExclusionRow.after_id.is_(None)))
    return True


def judge(session: Session, ids: Collection[int]) -> int:
    """Work out again whether, and why, mentions are hidden; counts and copies follow. How many changed."""
    return sum(_judge(session, chunk) for chunk in bulk.chunks(sorted(ids)))


def say(session: Session, mention_id: int, relevant: bool | None) -> None:
    """Note what a person says of a mention: relevant, not relevant, or nothing any more; it counts at once.

    Raises NotFound for a mention that does not exist, or whose author is blocked.
    """
    query = select(MentionRow.brand_id).outerjoin(AuthorRow, AuthorRow.id == MentionRow.author_id)
    brand_id = session.scalar(query.where(MentionRow.id == mention_id, AuthorRow.blocked_at.is_(None)))
    if brand_id is None:
        raise NotFound("There is no mention number {id}. It may have been removed.", id=mention_id)
    brands.hold(session, brand_id)
    with duplicates.kept(session, [mention_id]):
        session.execute(update(MentionRow).where(MentionRow.id == mention_id)
                        .values(kept=relevant is True, hidden=PERSON if relevant is False else None))
    judge(session, [mention_id])


def stored(session: Session, brand_id: int | None, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of some mentions, `(source, source id)`, that a brand has heard already."""
    asked: bulk.Columns = {"source": [source for source, _ in keys], "source_id": [source_id for _, source_id in keys],
                           "brand_id": [brand_id] * len(keys)}  # fmt: skip
    found = bulk.matching(session.connection(), TABLE, asked, ("source", "source_id"))
    return {(source, source_id) for source, source_id in found}


def would_hide(session: Session, meant: MentionFilter) -> int:
    """How many of the mentions that a filter means an exclusion of its query would hide: not those a person wants."""
    query = select(func.count()).select_from(MentionRow)
    return session.scalar(query.where(*conditions(session, meant), MentionRow.kept.is_(False))) or 0


def counts(session: Session, brand_id: int | None) -> Mapping[str, int]:
    """How many of a brand's mentions are hidden, by why; those of blocked authors are left out."""
    query = select(MentionRow.hidden, func.count()).where(MentionRow.brand_id == brand_id, MentionRow.hidden != BLOCKED)
    return {why: n for why, n in session.execute(query.group_by(MentionRow.hidden)) if why is not None}


def suggested(session: Session, brand_id: int | None) -> tuple[tuple[Exclusion, int], ...]:
    """Authors and sites to exclude: persons found several of their newest mentions not relevant, and half of them or
    more. Each with how many, the most frequent first.
    """
    heard, unwanted = Counter[Exclusion](), Counter[Exclusion]()
    query = selection().where(MentionRow.brand_id == brand_id,
                              or_(MentionRow.hidden.is_(None), MentionRow.hidden == PERSON))
    for item in map(tagged, session.execute(query.order_by(MentionRow.seek.desc()).limit(LOOKED_AT))):
        heard.update(about(item))
        unwanted.update(about(item) if item.hidden == PERSON else ())
    known = {(one.kind, one.value) for one in of_brand(session, brand_id)}
    return tuple((replace(one, brand_id=brand_id), n) for one, n in unwanted.most_common()
                 if n >= ENOUGH and 2 * n >= heard[one] and (one.kind, one.value) not in known)


def about(item: TaggedMention) -> list[Exclusion]:
    """What would exclude a mention by its author, or by its site."""
    reading = Reading(item.mention, item.brand)
    name = next((name for name in reading.authors if name), None)
    host = reading.host.removeprefix("www.")
    return [*([Exclusion(kind="author", value=f"{item.mention.source}:{name}")] if name else []),
            *([Exclusion(kind="site", value=host)] if host else [])]  # fmt: skip


def _judge(session: Session, ids: Sequence[int]) -> int:
    chosen = MentionRow.id.in_(ids)
    held = sorted(session.scalars(select(MentionRow.brand_id).where(chosen).distinct()))
    for brand_id in held:
        brands.hold(session, brand_id)
    by_brand = {brand_id: of_brand(session, brand_id) for brand_id in held}
    fresh = {}
    for row in session.execute(selection().add_columns(AuthorRow.blocked_at).where(chosen)):
        item = tagged(row)
        why = hidden_as(item.mention, item.brand, by_brand[row.brand_id], blocked=row.blocked_at is not None,
                        relevant=said_of(item.hidden, kept=item.kept))
        if why != item.hidden:
            fresh[item.id] = why
    if fresh:
        with duplicates.kept(session, fresh):
            session.connection().execute(HIDE, [{"row": id, "why": why} for id, why in sorted(fresh.items())])
    return len(fresh)


def _row(session: Session, id: int, brand_id: int | None) -> ExclusionRow:
    query = select(ExclusionRow).where(ExclusionRow.id == id, ExclusionRow.brand_id == brand_id,
                                       ExclusionRow.kind != GONE)
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("There is no exclusion number {id} of this brand. It may have been removed.", id=id)
    return row


def _exclusion(row: ExclusionRow) -> Exclusion:
    return Exclusion(id=row.id, brand_id=row.brand_id, kind=row.kind, value=row.value, refuse=row.refuse,  # type: ignore[arg-type]
                     waits=row.after_id is not None)
