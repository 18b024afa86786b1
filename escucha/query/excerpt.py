"""What a part of a text, such as an article's title, can tell of a query about the whole."""

from __future__ import annotations

from escucha.query.normal import both, either
from escucha.query.tree import And, Is, Near, Not, Or, Phrase, Prefix, Query, Raw, Within

EVERYTHING, NOTHING = And(()), Or(())
_OPPOSITES: dict[Query, Query] = {EVERYTHING: NOTHING, NOTHING: EVERYTHING}


def told_by_excerpt(query: Query, wanted: bool = True) -> Query:
    """The query that an excerpt fails only where the whole does too.

    A word that is missing in it may stand in the rest, so it is not asked for; one that is there is there, so that it
    can be left out. Fields count as ever. `EVERYTHING`: nothing can be told.
    """
    match query:
        case And(parts):
            kept = [each for part in parts if (each := told_by_excerpt(part, wanted)) != EVERYTHING]
            return NOTHING if NOTHING in kept else both(kept) if kept else EVERYTHING
        case Or(parts):
            kept = [each for part in parts if (each := told_by_excerpt(part, wanted)) != NOTHING]
            return EVERYTHING if EVERYTHING in kept else either(kept) if kept else NOTHING
        case Not(part):
            inner = told_by_excerpt(part, not wanted)
            return _OPPOSITES.get(inner) or Not(inner)
        case Phrase() | Prefix() | Within() | Near() | Raw() | Is("hashtag") if wanted:
            return EVERYTHING
    return query
