"""Many rows at once arrive as they were, are found again by their keys, and are not written where nothing is new."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from escucha.brand import Brand
from escucha.mention import Author, Engagement
from store import authors, brands, bulk, mentions, rollups
from store.engine import Store
from store.mentions import Saved
from store.tables import AuthorRow, MentionRow
from tests import make

NASTY = ("1", "a b", '"', "\\", '\\"', "'", "{}", "{a,b}", "NULL", "null", "a,b", "  ", "%s", ":id", "?", "[1]",
         "ñandú", "日本", "☕️", "a\tb", "a\nb", "\\N", "x" * 500)  # fmt: skip
"""Ids that some way of writing a list might take for something else."""


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        return brands.add(session, make.brand())


def by(key: str, **changes: object) -> Author:
    return replace(Author(id=key, handle=f"@{key}", name=f"Name {key}"), **changes)  # type: ignore[arg-type]


def test_ids_of_any_form_are_heard_once_with_the_right_author(store: Store, lumbre: Brand) -> None:
    said = [make.mention(key, author=by(key)) for key in NASTY]
    for expected in (Saved(new=len(NASTY)), Saved(duplicate=len(NASTY))):
        with store.write() as session:
            assert mentions.save(session, lumbre, said, make.NOW) == expected
    with store.read() as session:
        query = select(MentionRow.source_id, AuthorRow.key, AuthorRow.handle, AuthorRow.name).join(
            AuthorRow, AuthorRow.id == MentionRow.author_id
        )
        found = {tuple(row) for row in session.execute(query)}
    assert found == {(key, key, f"@{key}", f"Name {key}") for key in NASTY}


def test_an_author_is_known_by_source_and_id_together(store: Store) -> None:
    pairs = [("a", "1"), ("a", "2"), ("b", "1")]
    with store.write() as session:
        saved = authors.save(session, [(source, by(key)) for source, key in pairs], make.NOW)
        again = authors.save(session, [("b", by("1")), ("b", by("2"))], make.NOW)
    assert len({writer.id for writer in saved.values()}) == len(pairs)
    assert again["b", "1"] == saved["b", "1"]
    assert again["b", "2"].id not in {writer.id for writer in saved.values()}


def test_who_is_blocked_is_told(store: Store, lumbre: Brand) -> None:
    with store.write() as session:
        authors.save(session, [("mastodon", by("ana")), ("mastodon", by("luis"))], make.NOW)
        session.execute(update(AuthorRow).where(AuthorRow.key == "ana").values(blocked_at=make.NOW))
    with store.write() as session:
        saved = authors.save(session, [("mastodon", by("ana")), ("mastodon", by("luis"))], make.NOW)
        mentions.save(session, lumbre, [make.mention("1", author=by("ana")), make.mention("2", author=by("luis"))],
                      make.NOW)
        hidden = {row.source_id: row.hidden for row in session.scalars(select(MentionRow))}
    assert {key: writer.blocked for (_, key), writer in saved.items()} == {"ana": True, "luis": False}
    assert hidden == {"1": "blocked", "2": None}


def stamp(session: Session) -> object:
    """What differs once a row of the authors is written."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    return session.execute(text("SELECT total_changes()" if sqlite else "SELECT array_agg(ctid) FROM author")).scalar()


@pytest.mark.parametrize(
    ("change", "written"),
    [
        ({}, False), ({"name": None, "verified": None, "url": None}, False), ({"handle": "@ana2"}, True),
        ({"url": "https://b.invalid"}, True), ({"name": "Ana María"}, True), ({"verified": True}, True),
        ({"followers": 7}, True),
    ],
)  # fmt: skip
def test_an_author_of_whom_nothing_new_is_told_is_not_written(
    store: Store, change: dict[str, object], written: bool
) -> None:
    first = by("ana", url="https://a.invalid", verified=False)
    with store.write() as session:
        authors.save(session, [("mastodon", first)], make.NOW)
    with store.write() as session:
        before = stamp(session)
        authors.save(session, [("mastodon", replace(first, **change))], make.NOW)  # type: ignore[arg-type]
        assert (stamp(session) != before) == written
        (found,) = session.scalars(select(AuthorRow))
        for name in ("handle", "url", "name", "verified", "followers"):
            assert getattr(found, name) == (change.get(name) or getattr(first, name)), name


def test_a_moment_is_stored_as_sqlalchemy_writes_it(store: Store, lumbre: Brand) -> None:
    """Rows are filtered and compared by SQLAlchemy's own text of a time; ours must be the same, to the microsecond."""
    moments = [datetime(2026, 1, 2, 3, 4, 5, 678, UTC), datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=-6))),
               datetime(1970, 1, 2, tzinfo=UTC)]  # fmt: skip
    with store.write() as session:
        mentions.save(session, lumbre, [make.mention(str(n), created_at=at) for n, at in enumerate(moments)], make.NOW)
    with store.read() as session:
        assert session.scalars(select(MentionRow.created_at).order_by(MentionRow.source_id)).all() == moments
        for number, at in enumerate(moments):
            assert session.scalar(select(MentionRow.source_id).where(MentionRow.created_at == at)) == str(number)
        if store.dialect == "sqlite":
            written = session.scalars(text("SELECT created_at FROM mention ORDER BY source_id")).all()
            assert written == ["2026-01-02 03:04:05.000678", "2026-01-02 06:00:00.000000", "1970-01-02 00:00:00.000000"]


def test_upsert_leaves_alone_what_the_condition_does_not_want(store: Store, lumbre: Brand) -> None:
    table, key = rollups.TallyRow.__table__, ("brand_id", "dimension", "day", "key", "sentiment")

    def rows(n: int) -> bulk.Columns:
        return {"brand_id": [lumbre.id] * 2, "dimension": [""] * 2, "day": [date(2026, 1, 1)] * 2, "key": ["a", "b"],
                "sentiment": [""] * 2, "n": [n, n + 1], "copies": [0, 0]}  # fmt: skip

    with store.write() as session:
        connection = session.connection()
        bulk.upsert(connection, table, rows(1), key, {"n": "tally.n + excluded.n"})  # type: ignore[arg-type]
        bulk.upsert(connection, table, rows(10), key, {"n": "tally.n + excluded.n"}, "tally.n > 1")  # type: ignore[arg-type]
        found = session.execute(text("SELECT key, n FROM tally ORDER BY key")).all()
        assert [tuple(row) for row in found] == [("a", 1), ("b", 13)]


def test_nothing_is_nothing(store: Store) -> None:
    with store.write() as session:
        connection, table = session.connection(), mentions.TABLE
        bulk.insert(connection, table, bulk.columns([]))
        bulk.insert(connection, table, {"id": [], "source": []})
        bulk.upsert(connection, table, {"id": []}, ("id",), {"source": "excluded.source"})
        assert list(bulk.matching(connection, table, {"id": []}, ("id",))) == []
        assert list(bulk.numbers(connection, table, 0)) == []
        assert authors.save(session, [], make.NOW) == {}


def test_reactions_alone_change_with_their_counts(store: Store, lumbre: Brand) -> None:
    """Likes that are told anew count; comments that are not told this time stay."""
    with store.write() as session:
        mentions.save(session, lumbre, [make.mention()], make.NOW)
    told = Engagement(likes=50, comments=None, shares=None)
    with store.write() as session:
        assert mentions.save(session, lumbre, [make.mention(engagement=told)], make.NOW) == Saved(updated=1)
        assert mentions.save(session, lumbre, [make.mention(engagement=told)], make.NOW) == Saved(duplicate=1)
    with store.read() as session:
        (row,) = session.scalars(select(MentionRow))
        assert (row.likes, row.comments, row.shares, row.engagement) == (50, 1, 0, 51)
        assert rollups.verify(session) == []
