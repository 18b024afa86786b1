"""Who speaks of a brand, and how: what micro-influencers are found among."""

from __future__ import annotations

from dataclasses import dataclass

from escucha.mention import Author


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """An author with what they said of a brand in some months: mentions, how they felt, and the reactions they got."""

    source: str
    author: Author
    n: int
    positive: int
    negative: int
    engagement: int
