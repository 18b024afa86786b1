"""Puts the mentions that a query means in order of how much they are about its words.

The score is BM25 (Robertson and Zaragoza, 2009: k1 = 1.2, b = 0.75) over the newest mentions that the query means; how
rare a word is, and how long a text usually is, is told among these alone. A word of the title counts twice. It is
computed here, so that every database gives the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import log
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from escucha.filter import MentionFilter
from escucha.query.about import terms_of
from escucha.query.tree import Phrase, Prefix
from store.orders import Keys, newest, newest_keys
from store.seek import id_of
from store.tables import MentionRow

NEWEST = 1_000
"""Mentions that are compared."""
CHUNK = 500
K1, B = 1.2, 0.75


class Said(NamedTuple):
    """A mention's key, and its words and its title's, parted by one space."""

    seek: int
    words: str
    title_words: str | None


def most_relevant(session: Session, filter: MentionFilter, limit: int, after: str | None) -> Keys:
    """One page of the most relevant among the newest 1,000; the newest first where no words are searched for."""
    terms = terms_of(filter.query) if filter.query is not None else ()
    if not terms:
        return newest(session, filter, limit, after)
    found = _said(session, newest_keys(session, filter, NEWEST))
    best = sorted(zip(scores(terms, found), found, strict=True), key=lambda pair: (-pair[0], -pair[1].seek))
    return Keys(ids=[id_of(said.seek) for _, said in best[:limit]], next=None)


def scores(terms: Sequence[Phrase | Prefix], found: Sequence[Said]) -> list[float]:
    """How much each mention is about the terms, compared with the others that were found."""
    lengths = [said.words.count(" ") + 1 for said in found]
    usual = sum(lengths) / max(len(lengths), 1)
    totals = [0.0] * len(found)
    for term in terms:
        counts = [_times(term, said.words) + _times(term, said.title_words or "") for said in found]
        having = sum(count > 0 for count in counts)
        rarity = log(1 + (len(found) - having + 0.5) / (having + 0.5))
        for place, (count, length) in enumerate(zip(counts, lengths, strict=True)):
            totals[place] += rarity * count * (K1 + 1) / (count + K1 * (1 - B + B * length / usual))
    return totals


def _times(term: Phrase | Prefix, words: str) -> int:
    """How often a term occurs. One space parts words, and two parts none: so that “no no no” has “no” three times."""
    piece = f" {term.stem}" if isinstance(term, Prefix) else f" {'  '.join(term.words)} "
    return f" {words.replace(' ', '  ')} ".count(piece)


def _said(session: Session, keys: Sequence[int]) -> list[Said]:
    rest, found = iter(keys), []
    while chunk := [id_of(key) for key in islice(rest, CHUNK)]:
        query = select(MentionRow.seek, MentionRow.words, MentionRow.title_words).where(MentionRow.id.in_(chunk))
        found += [Said(*row) for row in session.execute(query)]
    return sorted(found, reverse=True)
