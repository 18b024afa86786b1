"""Writes a query's tree as text again: the form in which everything that was understood shows."""

from __future__ import annotations

from escucha.query.tree import And, Compare, Is, Near, Not, Or, Phrase, Prefix, Query, Raw, Within


def written(query: Query) -> str:
    """The canonical text of a query; `parse` makes the same query of it (in its normal form), unless it is too long.

    Raises:
        ValueError: an And or an Or without parts, which no text says.
    """
    match query:
        case And(parts):
            return _joined(parts, " AND ")
        case Or(parts):
            return _joined(parts, " OR ")
        case Not(part):
            return f"NOT {_inner(part)}"
        case Near():
            name = "ONEAR" if query.ordered else "NEAR"
            return f"{_side(query.left)} {name}/{query.most} {_side(query.right)}"
    return _leaf(query)


def quoted(text: str) -> str:
    """A text in quotes, as the language reads it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _leaf(query: Query) -> str:
    match query:
        case Phrase((word,)):
            return word
        case Phrase(words):
            return quoted(" ".join(words))
        case Prefix(stem):
            return f"{stem}*"
        case Within(words, most):
            return f"{quoted(' '.join(words))}~{most}"
        case Raw(text):
            return f"raw:{quoted(text)}"
        case Is("hashtag", value):
            return f"#{value}"
        case Is(field, value, prefix):
            return f"{field}:{value if _bare(value) else quoted(value)}{'*' * prefix}"
        case Compare(field, comparison, value):
            return f"{field}:{comparison.removeprefix('=')}{_number(value)}"
    raise TypeError(query)


def _joined(parts: tuple[Query, ...], operator: str) -> str:
    if not parts:
        raise ValueError("A query without parts has no text.")
    return operator.join(_inner(part) for part in parts)


def _inner(query: Query) -> str:
    text = written(query)
    return f"({text})" if isinstance(query, And | Or | Near) else text


def _side(side: tuple[Phrase | Prefix, ...]) -> str:
    text = " OR ".join(_leaf(one) for one in side)
    return text if len(side) == 1 else f"({text})"


def _bare(value: str) -> bool:
    return value.replace(".", "").replace("-", "").replace("_", "").isalnum()


def _number(value: float) -> str:
    whole, _, part = f"{value:.6f}".partition(".")
    part = part.rstrip("0")
    if len(part) == 3:  # three digits would be read as thousands
        part += "0"
    return f"{whole}.{part}" if part else whole
