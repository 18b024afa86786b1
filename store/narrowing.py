"""Says what an index can tell of a query: SQLite's in the words of FTS5, PostgreSQL's as a tsquery.

Every mention that the query means is among those that the index finds. `exact` says that these are all meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from escucha.query.tree import And, Is, Near, Not, Or, Phrase, Prefix, Query, Raw, Within
from escucha.words import words

DEEPEST = 20
"""Parentheses within each other that FTS5 surely reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What an index is asked, and whether that is the whole query. `depth` counts parentheses within each other."""

    said: str
    exact: bool
    depth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tongue:
    """How an index is spoken to: what joins parts (all, any, the first but not the second), and how a leaf is said."""

    every: str
    some: str
    but: str
    leaf: Callable[[Query], Narrowed | None]


def narrowed(query: Query, dialect: str) -> Narrowed | None:
    """What the index of a database can tell of a query; None where it knows nothing of it."""
    found = _read(query, TONGUES[dialect])
    return found if found and found.depth <= DEEPEST else None


def _read(query: Query, tongue: Tongue) -> Narrowed | None:
    match query:
        case And(parts):
            return _every(parts, tongue)
        case Or(parts):
            known = [_read(part, tongue) for part in parts]
            return _joined(tongue.some, [part for part in known if part]) if known and all(known) else None
        case Not():
            return None
        case _:
            return tongue.leaf(query)


def _every(parts: Iterable[Query], tongue: Tongue) -> Narrowed | None:
    """All of what is known; what is excluded is left out only where the index is sure of it."""
    wanted, unwanted, exact = [], [], True
    for part in parts:
        known = _read(part.part if isinstance(part, Not) else part, tongue)
        shallow = known if known and known.depth < DEEPEST - 1 else None
        if isinstance(part, Not):
            unwanted += [shallow] if shallow and shallow.exact else []
            exact = exact and bool(shallow and shallow.exact)
        else:
            wanted += [shallow] if shallow else []
            exact = exact and bool(shallow)
    if not wanted:
        return None
    found = _joined(tongue.every, wanted)
    if unwanted:
        found = _joined(tongue.but, [found, _joined(tongue.some, unwanted)])
    return Narrowed(said=found.said, exact=exact and found.exact, depth=found.depth)


def _joined(by: str, parts: list[Narrowed]) -> Narrowed:
    if len(parts) == 1:
        return parts[0]
    return Narrowed(
        said="(" + by.join(part.said for part in parts) + ")", exact=all(part.exact for part in parts),
        depth=1 + max(part.depth for part in parts),
    )


def _leaf(
    query: Query, quoted: Callable[[Phrase | Prefix], str], near: Callable[[Near | Within], str], in_order: bool
) -> Narrowed | None:
    """A leaf; `in_order`: whether the index knows where in a text a word stands."""
    match query:
        case Phrase(said):
            return Narrowed(said=quoted(query), exact=in_order or len(said) == 1)
        case Prefix():
            return Narrowed(said=quoted(query), exact=True)
        case Within():
            return Narrowed(said=near(query), exact=in_order)
        case Near():
            return Narrowed(said=near(query), exact=in_order and not query.ordered)
        case Raw(text) | Is("title" | "hashtag", text) if said := words(text):
            return Narrowed(said=quoted(Phrase(said)), exact=False)
        case _:
            return None


def _fts5_quoted(part: Phrase | Prefix) -> str:
    said = " ".join(part.words) if isinstance(part, Phrase) else part.stem
    return f'"{said.replace(chr(34), chr(34) * 2)}"' + ("*" if isinstance(part, Prefix) else "")


def _fts5_near(part: Near | Within) -> str:
    """FTS5 counts the words between the first and the last; a stretch of n words has n - 2 between its ends."""
    if isinstance(part, Within):
        said = " ".join(_fts5_quoted(Phrase((word,))) for word in part.words)
        return f"NEAR({said}, {len(part.words) + part.most - 2})"
    pairs = (f"{_fts5_quoted(left)} {_fts5_quoted(right)}" for left in part.left for right in part.right)
    return "(" + " OR ".join(f"NEAR({pair}, {part.most})" for pair in pairs) + ")"


def _tsquery_quoted(part: Phrase | Prefix) -> str:
    def said(word: str) -> str:
        return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"

    return f"{said(part.stem)}:*" if isinstance(part, Prefix) else "(" + " & ".join(map(said, part.words)) + ")"


def _tsquery_near(part: Near | Within) -> str:
    if isinstance(part, Within):
        return _tsquery_quoted(Phrase(part.words))
    left, right = (" | ".join(map(_tsquery_quoted, side)) for side in (part.left, part.right))
    return f"(({left}) & ({right}))"


TONGUES = {
    "sqlite": Tongue(every=" AND ", some=" OR ", but=" NOT ",
                     leaf=partial(_leaf, quoted=_fts5_quoted, near=_fts5_near, in_order=True)),
    "postgresql": Tongue(every=" & ", some=" | ", but=" & !",
                         leaf=partial(_leaf, quoted=_tsquery_quoted, near=_tsquery_near, in_order=False)),
}  # fmt: skip
