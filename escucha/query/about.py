"""What a query is about: the words to mark, the fields it needs, and whether it only says what is not meant."""

from __future__ import annotations

from collections.abc import Iterator

from escucha.query.normal import leaves
from escucha.query.tree import And, Compare, Is, Near, Not, Or, Phrase, Prefix, Query, Raw, Within
from escucha.words import words


def terms_of(query: Query) -> tuple[Phrase | Prefix, ...]:
    """The words, phrases and beginnings that a highlight marks: those that are meant, not those left out. Each once."""
    return tuple(dict.fromkeys(_meant(query, True)))


def needs(query: Query) -> set[str]:
    """The names of the fields that a query asks about; empty for one of words alone."""
    return {leaf.field for leaf in leaves(query) if isinstance(leaf, Is | Compare)}


def excludes_only(query: Query) -> bool:
    """Whether it says only what is not meant, so that it finds nearly everything: `-café`, `tea OR -café`."""
    match query:
        case And(parts):
            return all(excludes_only(part) for part in parts)
        case Or(parts):
            return any(excludes_only(part) for part in parts)
        case Not(part):
            return not excludes_only(part)
    return False


def _meant(query: Query, wanted: bool) -> Iterator[Phrase | Prefix]:
    match query:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _meant(part, wanted)
        case Not(part):
            yield from _meant(part, not wanted)
        case _ if wanted:
            yield from _marked(query)


def _marked(leaf: Query) -> Iterator[Phrase | Prefix]:
    match leaf:
        case Phrase() | Prefix():
            yield leaf
        case Within(several):
            yield from (Phrase((word,)) for word in several)
        case Near(left, right):
            yield from left + right
        case Raw(text) | Is("title" | "hashtag", text):
            if found := words(text):
                yield Phrase(found)
