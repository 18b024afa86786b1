"""What a card asks a person to check."""

from __future__ import annotations

from escucha.enrichment import TaggedMention
from escucha.review import Doubts, doubts


def to_check(tagged: TaggedMention) -> Doubts:
    """The labels of a mention that the model is unsure of, and whether its stars contradict its text."""
    from nlp.certainty import review_below

    return doubts(tagged, review_below())
