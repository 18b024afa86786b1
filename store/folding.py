"""Folds a column inside the database, letter for letter as escucha.text.fold does."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal_column, not_, or_

from escucha.text import fold

KEPT = "\x01"
"""Stands for ñ while accents are taken off; no text that is stored holds it."""
ALPHABETS = 0x20000
"""No letter with a capital, no accent and no space has a higher number."""
SPELLED = ("ß", "ẞ")
"""The letters that fold to two."""


def folded(dialect: str, column: Any) -> ColumnElement[str]:
    """A column's text folded. Nearly all of what is asked about is ASCII, which both databases fold by themselves."""
    return case((_plain(dialect, column), _lower(dialect, column)), else_=_spelled(dialect, column))


def is_one_of(dialect: str, column: Any, values: Sequence[str]) -> ColumnElement[bool]:
    """Whether a column's text folds to one of these folded values; faster than to fold it and compare."""
    spelled = and_(not_(_plain(dialect, column)), _spelled(dialect, column).in_(values))
    return or_(_lower(dialect, column).in_(values), spelled)


def _plain(dialect: str, column: Any) -> ColumnElement[bool]:
    """Whether there is nothing but ASCII, and no space."""
    plain: ColumnElement[bool] = column.regexp_match("^[!-~]*$")
    return not_(column.op("GLOB", is_comparison=True)("*[^!-~]*")) if dialect == "sqlite" else plain


def _lower(dialect: str, column: Any) -> ColumnElement[str]:
    return func.lower(column if dialect == "sqlite" else column.collate("C"))


def _spelled(dialect: str, column: Any) -> ColumnElement[str]:
    return func.fold(column) if dialect == "sqlite" else _folded(column)


def _folded(column: Any) -> ColumnElement[str]:
    """PostgreSQL's way. Its lower() knows as many letters as the database's locale, so each is spelled out here."""
    before, after = _letters()
    apart = func.normalize(func.translate(func.normalize(column), "Ññͺ", KEPT * 2 + " "), literal_column("NFKD"))
    bare: ColumnElement[str] = func.translate(apart, before, after)
    for letter in SPELLED:
        bare = func.replace(bare, letter, fold(letter))
    return func.btrim(func.regexp_replace(func.replace(bare, KEPT, "ñ"), " +", " ", "g"))


@cache
def _letters() -> tuple[str, str]:
    """What translate() puts in place of what: letters and spaces first, then accents, which nothing replaces."""
    whole = [letter for letter in map(chr, range(ALPHABETS))
             if not unicodedata.decomposition(letter) and not 0xD800 <= ord(letter) <= 0xDFFF and letter != "\0"]
    accents = [letter for letter in whole if unicodedata.combining(letter)]
    swaps = {letter: " " if letter.isspace() else letter.casefold() for letter in whole
             if letter.isspace() or (letter.casefold() != letter and letter not in SPELLED)}
    return "".join([*swaps, *accents]), "".join(swaps.values())
