"""What a query asks of a mention's fields, as conditions on rows. A field that is unknown gives NULL: not meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, any_, false, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from escucha.query.countries import called
from escucha.query.tree import Compare, Is
from escucha.words import words
from store.folding import folded, is_one_of
from store.tables import AuthorRow, BrandRow, MentionRow

LABELS = (MentionRow.sentiment, MentionRow.stage, MentionRow.pain, MentionRow.touchpoint, MentionRow.emotion)
KEYS: Mapping[str, InstrumentedAttribute[Any]] = {
    "source": MentionRow.source, "type": MentionRow.kind, "sentiment": MentionRow.sentiment, "stage": MentionRow.stage,
    "pain": MentionRow.pain, "touchpoint": MentionRow.touchpoint,
}
"""Fields whose values are keys, kept as they are."""
HOST = r"^[^:/?#]*://([^/?#]*@)?([^/?#@:]*\.)?{site}(:[^/?#@]*)?([/?#]|$)"
"""An address whose host is a site, or lies below it; before the host may stand a name, after it a port."""


def holds(dialect: str, text: Any, piece: str) -> ColumnElement[bool]:
    """Whether a text has a piece, letter for letter."""
    if not _storable(piece):
        return false()
    return (func.instr if dialect == "sqlite" else func.strpos)(text, piece) > 0


def spoken(column: Any) -> ColumnElement[str]:
    """A column of words with a space before the first and after the last, so that every word is found alike."""
    framed: ColumnElement[str] = literal(" ") + column + " "
    return framed


def compares(asked: Compare) -> ColumnElement[bool]:
    """A number against another. What is unknown compares with nothing."""
    match asked.field:
        case "followers":
            return MentionRow.author_id.in_(select(AuthorRow.id).where(_compared(AuthorRow.followers, asked)))
        case "engagement":
            return _compared(MentionRow.engagement, asked)
    return _compared(MentionRow.rating, asked)


def is_so(dialect: str, asked: Is) -> ColumnElement[bool]:
    """A field with a value."""
    value = asked.value
    match asked.field:
        case "title":
            return _spoken(dialect, MentionRow.title_words, words(value))
        case "hashtag":
            return _spoken(dialect, MentionRow.hashtags, (value,) if words(value) == (value,) else ())
        case _ if not _storable(value):
            return false()
        case "author":
            return _by(dialect, select(AuthorRow.id).where(_author(dialect, asked)))
        case "brand":
            return MentionRow.brand_id.in_(select(BrandRow.id).where(BrandRow.slug == value))
        case "site":
            address = folded(dialect, MentionRow.url)
            return and_(holds(dialect, address, value), address.regexp_match(HOST.format(site=re.escape(value))))
        case "url":
            return holds(dialect, folded(dialect, MentionRow.url), value)
        case "lang":
            return _lang(dialect, value)
        case "country":
            return is_one_of(dialect, MentionRow.place, called(value))
        case "tag":
            return or_(*(column == value for column in LABELS))
    return KEYS[asked.field] == value


def _by(dialect: str, ids: Select[int]) -> ColumnElement[bool]:
    """Said by one of these few authors. PostgreSQL looks them up first only where it is told to make a list of them."""
    if dialect == "sqlite":
        return MentionRow.author_id.in_(ids)
    return MentionRow.author_id == any_(func.array(ids.scalar_subquery()))


def _author(dialect: str, asked: Is) -> ColumnElement[bool]:
    """The handle, with its @ or without, or the id."""
    names = [f"@{asked.value}"] if asked.value.startswith("@") else [asked.value, f"@{asked.value}"]
    told = ((AuthorRow.handle, names), (AuthorRow.key, [asked.value]))
    if not asked.prefix:
        return or_(*(is_one_of(dialect, column, values) for column, values in told))
    return or_(*(func.substr(folded(dialect, column), 1, len(value)) == value for column, values in told
                 for value in values))


def _lang(dialect: str, value: str) -> ColumnElement[bool]:
    """The detected language, or else the declared one; `es` is also `es-mx`."""
    told = folded(dialect, func.coalesce(func.nullif(MentionRow.lang, ""), MentionRow.declared_lang))
    start = f"{value}-"
    return or_(told == value, func.substr(told, 1, len(start)) == start)


def _spoken(dialect: str, column: Any, said: tuple[str, ...]) -> ColumnElement[bool]:
    return holds(dialect, spoken(column), f" {' '.join(said)} ") if said else false()


def _compared(column: Any, asked: Compare) -> ColumnElement[bool]:
    compared: ColumnElement[bool] = column.op(asked.comparison, is_comparison=True)(asked.value)
    return compared


def _storable(text: str) -> bool:
    """Whether a database can be asked for it at all: no text of ours holds NUL or half a character."""
    return not re.search("[\0\ud800-\udfff]", text)
