"""The customer journey: its stages, pains and touchpoints, and the map that mentions draw of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

NO_LABEL = "none"
"""The key of "no stage", "no pain" and "no touchpoint"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key of a taxonomy with its words per language (`{"es": …, "en": …}`)."""

    key: str
    label: dict[str, str]
    meaning: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Entry):
    """A stage of the customer journey, with the customer's goal there and the unit that owns it."""

    goal: dict[str, str] = field(default_factory=dict)
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pain(Entry):
    """A category of pain point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touchpoint(Entry):
    """Where the customer meets the brand, and the unit that owns that place."""

    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The taxonomies in use, in their order of display. `none` is not listed: it is the absence of one."""

    stages: tuple[Stage, ...]
    pains: tuple[Pain, ...]
    touchpoints: tuple[Touchpoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`count` of `n`, as a proportion with its 95 % Wilson score interval (Wilson 1927)."""

    count: int
    n: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentMix:
    """How the mentions of a group feel.

    `net` is the net sentiment score 100·(P−N)/(P+N+Neu), from −100 to 100 (metrics.md b1), with its 95 % interval;
    None where there is no mention. `n` counts the mentions that carry a sentiment.
    """

    n: int
    positive: Share
    neutral: Share
    negative: Share
    net: float | None
    net_low: float | None
    net_high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often one key occurs in a group, and how those mentions feel."""

    key: str
    n: int
    net: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A mention's own words, short, with the way back to it."""

    mention_id: int
    text: str
    source: str
    author: str | None
    sentiment: str
    created_at: datetime
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageColumn:
    """One column of the map. `emotion` is the net sentiment on −2..+2 (Smaply's scale), None without mentions."""

    stage: Stage
    n: int
    share: Share
    mix: SentimentMix
    emotion: float | None
    pains: tuple[Tally, ...]
    touchpoints: tuple[Tally, ...]
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyMap:
    """The map of one brand and period. `n` counts every mention in it, `staged` those with a stage."""

    brand: str
    since: datetime | None
    until: datetime | None
    n: int
    staged: int
    columns: tuple[StageColumn, ...]


Metric = Literal["mentions", "net_sentiment", "positive_share", "negative_share"]
Every = Literal["day", "week", "month"]
Dimension = Literal["stage", "sentiment", "pain", "touchpoint", "source", "lang"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of a series: the bucket's start (the brand's local day, ISO), its value and the n behind it."""

    at: str
    value: float | None
    n: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A metric over time for one value of a dimension (`key`), or for all mentions (`key` is None)."""

    metric: Metric
    key: str | None
    points: tuple[Point, ...]
