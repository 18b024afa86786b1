"""Stages, pains and touchpoints in a query by what people call them: `etapa:compra` asks for the key `purchase`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from escucha.errors import Invalid
from escucha.journey import NO_LABEL, Catalogue, Entry
from escucha.query.about import needs
from escucha.query.fields import READ, shown
from escucha.query.normal import mapped
from escucha.query.parse import fields_of
from escucha.query.tree import Is, Query
from escucha.text import fold

LABELS = frozenset({"stage", "pain", "touchpoint", "tag"})


def labelled(text: str, query: Query, catalogue: Catalogue) -> Query:
    """The query that was read from a text (`parse`), with the keys of the labels that it calls by their words.

    Raises:
        Invalid: it asks for a label that the taxonomies do not have; the details are as those of `parse`.
    """
    if not needs(query) & LABELS:
        return query
    named = _named(catalogue)
    for name, given in fields_of(text):
        if name in named and READ[name](given) not in named[name]:
            known = named[name]
            near = get_close_matches(fold(given.value), known, 1, 0.6)
            keys = tuple(dict.fromkeys(known.values()))
            raise Invalid(
                "Line {line}, column {column}: {name} cannot be {value}. Choose from: {known}.", **given.at,
                name=f"{given.name}:", value=shown(given.value), known=", ".join(keys),
                **({"suggestion": f"{given.name}:{known[near[0]]}"} if near else {}),
            )
    anywhere = {word: key for known in named.values() for word, key in known.items()}

    def keyed(leaf: Query) -> Query:
        if not isinstance(leaf, Is):
            return leaf
        known = anywhere if leaf.field == "tag" else named.get(leaf.field, {})
        return Is(leaf.field, known.get(leaf.value, leaf.value), leaf.prefix)

    return mapped(query, keyed)


def _named(catalogue: Catalogue) -> Mapping[str, Mapping[str, str]]:
    """The key of each kind of label by each of its names, folded."""
    return {"stage": _words(catalogue.stages), "pain": _words(catalogue.pains),
            "touchpoint": _words(catalogue.touchpoints)}  # fmt: skip


def _words(entries: Sequence[Entry]) -> Mapping[str, str]:
    """A key wins over another's word, and of two with the same word the first in order."""
    keys = {entry.key: entry.key for entry in entries} | {NO_LABEL: NO_LABEL}
    names = {fold(name): entry.key for entry in reversed(entries) for name in entry.label.values()}
    return {**keys, **names, **keys}
