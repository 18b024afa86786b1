"""The one form that a query's tree has, however it was written: no And in an And, and none of a single part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from escucha.query.tree import And, Near, Not, Or, Phrase, Query, Within


def normal(query: Query) -> Query:
    """The same query with nested Ands and Ors in one, and single ones unwrapped."""
    match query:
        case And(parts):
            return both(normal(part) for part in parts)
        case Or(parts):
            return either(normal(part) for part in parts)
        case Not(part):
            return Not(normal(part))
    return query


def both(parts: Iterable[Query]) -> Query:
    """All of these queries, which are in normal form."""
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,)))
    return flat[0] if len(flat) == 1 else And(flat)


def either(parts: Iterable[Query]) -> Query:
    """Any of these queries, which are in normal form."""
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,)))
    return flat[0] if len(flat) == 1 else Or(flat)


def mapped(query: Query, change: Callable[[Query], Query]) -> Query:
    """The query with each of its leaves changed."""
    match query:
        case And(parts):
            return both(mapped(part, change) for part in parts)
        case Or(parts):
            return either(mapped(part, change) for part in parts)
        case Not(part):
            return Not(mapped(part, change))
    return change(query)


def leaves(query: Query) -> Iterator[Query]:
    """All that is neither And, Or nor Not, from left to right."""
    match query:
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield query


def depth(query: Query) -> int:
    """How many Ands, Ors and Nots stand within each other."""
    match query:
        case And(parts) | Or(parts):
            return 1 + max(map(depth, parts), default=0)
        case Not(part):
            return 1 + depth(part)
    return 0


def terms(query: Query) -> int:
    """How many words and fields a query has."""
    return sum(_terms(leaf) for leaf in leaves(query))


def _terms(leaf: Query) -> int:
    match leaf:
        case Phrase(words) | Within(words):
            return len(words)
        case Near(left, right):
            return sum(_terms(side) for side in left + right)
    return 1
