"""Finds the mentions that a query means: the index narrows, and what it cannot tell is checked on each it finds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, column, false, func, literal, not_, or_, select, table, true
from sqlalchemy.dialects.postgresql import TSQUERY

from escucha.query.tree import And, Compare, Is, Near, Not, Or, Phrase, Prefix, Query, Raw, Within
from escucha.words import words
from store import patterns
from store.fields import compares, holds, is_so, spoken
from store.narrowing import Narrowed, narrowed
from store.seek import IDS
from store.tables import MentionRow

WORDS = table("mention_words", column("rowid"), column("mention_words"))
"""SQLite's full-text index (store.fulltext)."""
ID = WORDS.c.rowid.op("&")((1 << IDS) - 1)
"""The number of the mention that a row of it is about."""
Span = tuple[int | None, int | None]
"""Keys (store.seek) from, and to before; None where it is open."""
EVER: Span = (None, None)


def condition(dialect: str, query: Query, span: Span = EVER) -> ColumnElement[bool]:
    """Whether a mention is meant. A database may answer NULL for what is not.

    `span`: only mentions with such keys are asked about.
    """
    if known := narrowed(query, dialect):
        found = _found(dialect, known, span)
        return found if known.exact else and_(found, check(dialect, query))
    match query:
        case And(parts):
            return and_(true(), *(condition(dialect, part, span) for part in parts))
        case Or(parts):
            return or_(false(), *(condition(dialect, part, span) for part in parts))
        case Not(part):
            return not_(func.coalesce(condition(dialect, part, span), false()))
    return _leaf(dialect, query)


def check(dialect: str, query: Query) -> ColumnElement[bool]:
    """As `condition`, without the index: for mentions that it has found already."""
    match query:
        case And(parts):
            return and_(true(), *(check(dialect, part) for part in parts))
        case Or(parts):
            return or_(false(), *(check(dialect, part) for part in parts))
        case Not(part):
            return not_(func.coalesce(check(dialect, part), false()))
    return _leaf(dialect, query)


def inside(seek: ColumnElement[Any], span: Span) -> list[ColumnElement[bool]]:
    """Whether a key lies in a span, as conditions that an index serves."""
    low, high = span
    return [*([seek >= low] if low is not None else []), *([seek < high] if high is not None else [])]


def by_author(query: Query) -> bool:
    """Whether all that a query means is by certain authors."""
    match query:
        case Is("author"):
            return True
        case And(parts):
            return any(by_author(part) for part in parts)
    return False


def _found(dialect: str, known: Narrowed, span: Span) -> ColumnElement[bool]:
    if dialect == "sqlite":
        return MentionRow.id.in_(select(ID).where(matching(known), *inside(WORDS.c.rowid, span)))
    document = func.array_to_tsvector(func.string_to_array(MentionRow.words, literal(" ")))
    return document.op("@@", is_comparison=True)(cast(literal(known.said, String), TSQUERY))


def matching(known: Narrowed) -> ColumnElement[bool]:
    """Whether a row of SQLite's index is found."""
    return WORDS.c.mention_words.op("MATCH", is_comparison=True)(known.said)


def _leaf(dialect: str, query: Query) -> ColumnElement[bool]:
    match query:
        case Phrase(said):
            return holds(dialect, spoken(MentionRow.words), f" {' '.join(said)} ")
        case Prefix(stem):
            return holds(dialect, spoken(MentionRow.words), f" {stem}")
        case Within():
            return MentionRow.words.regexp_match(patterns.within(query))
        case Near():
            return MentionRow.words.regexp_match(patterns.near(query))
        case Raw(text):
            return _raw(dialect, text)
        case Is():
            return is_so(dialect, query)
        case Compare():
            return compares(query)
    raise TypeError(query)


def _raw(dialect: str, text: str) -> ColumnElement[bool]:
    written = or_(holds(dialect, MentionRow.text, text), holds(dialect, func.coalesce(MentionRow.title, ""), text))
    said = words(text)
    return and_(written, _leaf(dialect, Phrase(said))) if said else written
