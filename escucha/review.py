"""What a person should look at: labels the model is unsure of, and stars that say another thing than the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from escucha.correction import PERSON
from escucha.enrichment import TaggedMention

FEW_STARS, MANY_STARS = 2, 4
"""Up to the first a rating complains, from the second on it praises (metrics.md b2: 1–2★ negative, 4–5 positive)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """The kinds of a mention's labels to check, the least sure first, and whether its stars contradict its text."""

    kinds: tuple[str, ...] = ()
    stars: bool = False

    def __bool__(self) -> bool:
        return bool(self.kinds) or self.stars


def doubts(tagged: TaggedMention, below: Mapping[str, float]) -> Doubts:
    """What to check of a mention; `below` is the score by kind under which a label is to be checked.

    What a person or a rule has decided is not asked again.
    """
    tags = tagged.enrichment
    scores = {kind: label.score for kind in below if (label := getattr(tags, kind)) and kind not in tags.said}
    unsure = sorted((kind for kind, score in scores.items() if score < below[kind]), key=lambda kind: scores[kind])
    decided = "sentiment" in tags.said and tags.said["sentiment"].by == PERSON
    feels = tags.sentiment.label if tags.sentiment and not decided else None
    return Doubts(kinds=tuple(unsure), stars=contradicts(tagged.mention.rating, feels))


def contradicts(rating: float | None, sentiment: str | None) -> bool:
    """Whether few stars stand beside a positive text, or many beside a negative one."""
    if rating is None:
        return False
    return (rating <= FEW_STARS and sentiment == "positive") or (rating >= MANY_STARS and sentiment == "negative")
