"""People who speak with an audience: micro-influencers."""

from __future__ import annotations

from dataclasses import dataclass

from escucha.mention import Author


@dataclass(frozen=True, slots=True, kw_only=True)
class Influencer:
    """An author who speaks well of the brand and has followers.

    `engagement_rate` is the median of (likes + comments + shares) / followers over their posts, in per cent
    (metrics.md b7); None where followers or reactions are unknown. `positive` of `mentions` were positive.
    """

    author: Author
    source: str
    mentions: int
    positive: int
    engagement_rate: float | None = None
