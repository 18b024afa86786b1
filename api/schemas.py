"""What the API answers, field by field; the words are those of the packages behind it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.selection import Filters
from escucha.journey import Dimension, Every, Metric


class Out(BaseModel):
    """An answer, read from the domain's own objects."""

    model_config = ConfigDict(from_attributes=True)


class ErrorOut(BaseModel):
    """What went wrong: the one shape of every failure."""

    error: str = Field(description="A stable key: not_found, conflict, invalid, config, try_later, refused, error …")
    message: str = Field(description="A sentence in the reader's language that says what to do.")
    details: dict[str, Any] = Field({}, description="The parts of the sentence, for programs.")


def _timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(name)
    return name


class BrandIn(BaseModel):
    """A brand to listen for."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)

    slug: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100, description="Short name for addresses.")
    name: str = Field(min_length=1, max_length=200)
    aliases: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field([], max_length=100)
    rivals: list[str] = Field([], max_length=100, description="Slugs of the brands it competes with.")
    languages: list[str] = Field(["es", "en", "pt"], description="Languages its customers write (ISO 639-1).")
    timezone: Annotated[str, AfterValidator(_timezone)] = Field(
        "America/Mexico_City", description="IANA name; days are this zone's."
    )


class BrandOut(Out):
    """A brand we listen for. `sample` marks invented data."""

    slug: str
    name: str
    aliases: list[str]
    rivals: list[str]
    languages: list[str]
    timezone: str
    sample: bool


class BrandsOut(Out):
    """Every brand, by name."""

    items: list[BrandOut]


class LabelOut(Out):
    """A tagger's answer and how sure it is (0 to 1)."""

    label: str
    score: float


class AuthorOut(Out):
    """Who said it. `followers` is null where the source does not tell: unknown is not 0."""

    id: str
    handle: str
    name: str | None
    url: str | None
    followers: int | None
    verified: bool | None


class EngagementOut(Out):
    """How others reacted; null where the source does not tell."""

    likes: int | None
    comments: int | None
    shares: int | None
    views: int | None


class SaidOut(Out):
    """One thing one person said, as its source gave it. `lang` is what the source declares."""

    source: str
    source_id: str
    kind: str
    title: str | None
    text: str
    lang: str | None
    url: str | None
    created_at: datetime
    edited_at: datetime | None
    author: AuthorOut | None
    engagement: EngagementOut
    rating: float | None
    parent_id: str | None
    place: str | None


class TagsOut(Out):
    """What the taggers understood; null until a mention is enriched. `versions`: which tagger spoke."""

    lang: LabelOut | None
    sentiment: LabelOut | None
    stage: LabelOut | None
    pain: LabelOut | None
    touchpoint: LabelOut | None
    emotion: LabelOut | None
    versions: dict[str, str]


class MentionOut(Out):
    """A mention with what was understood of it. `note` says why it could not be tagged (state failed)."""

    id: int
    brand: str
    mention: SaidOut
    enrichment: TagsOut
    state: Literal["pending", "done", "failed"]
    note: str | None


class MentionsOut(Out):
    """Mentions, newest first. Pass `next` as `after` for the next page; null on the last."""

    items: list[MentionOut]
    next: str | None


class MentionsQuery(Filters):
    """The filter, and which page of it."""

    limit: int = Field(50, ge=1, le=200, description="Mentions in a page.")
    after: str | None = Field(None, max_length=100, description="The `next` of the page before.")


class SeriesQuery(Filters):
    """The filter, and what to measure of it."""

    metric: Metric = Field("mentions", description="What is measured.")
    by: Dimension | None = Field(None, description="One series per value of this dimension; without it: one for all.")
    every: Every = Field("day", description="Buckets: local days, weeks from Monday, or months.")


class PointOut(Out):
    """One value: the bucket's first local day, the value, the mentions behind it and the 95 % interval."""

    at: date
    value: float | None
    n: int
    low: float | None
    high: float | None


class SeriesOut(Out):
    """A metric over time for one value of a dimension (`key`), or for all mentions (null)."""

    metric: Metric
    key: str | None
    points: list[PointOut]


class SeriesListOut(Out):
    """One series per value of the dimension."""

    items: list[SeriesOut]


class ShareOut(Out):
    """`count` of `n` as a proportion, with its 95 % Wilson score interval."""

    count: int
    n: int
    share: float
    low: float
    high: float


class MixOut(Out):
    """How mentions feel. `net` = 100·(P−N)/(P+N+Neu), from −100 to 100; null where there is no mention."""

    n: int
    positive: ShareOut
    neutral: ShareOut
    negative: ShareOut
    net: float | None
    net_low: float | None
    net_high: float | None


class TallyOut(Out):
    """How often a key occurs, and how those mentions feel."""

    key: str
    n: int
    net: float | None


class QuoteOut(Out):
    """A mention's own words, short."""

    mention_id: int
    text: str
    source: str
    author: str | None
    sentiment: str
    created_at: datetime
    url: str | None


class StageOut(Out):
    """A stage of the journey, in the words of config/stages.toml."""

    key: str
    label: dict[str, str]
    meaning: dict[str, str]
    goal: dict[str, str]
    owner: str | None


class ColumnOut(Out):
    """One stage of the map. `emotion` is the net sentiment on −2..+2, null without mentions."""

    stage: StageOut
    n: int
    share: ShareOut
    mix: MixOut
    emotion: float | None
    pains: list[TallyOut]
    touchpoints: list[TallyOut]
    quotes: list[QuoteOut]


class JourneyOut(Out):
    """The map of a brand and period: `n` counts every mention in it, `staged` those with a stage."""

    brand: str
    since: datetime | None
    until: datetime | None
    n: int
    staged: int
    columns: list[ColumnOut]


class HealthOut(Out):
    """How the listening itself is doing: counts over the whole store, and how fresh it is."""

    mentions: int
    pending: int
    failed: int
    brands: int
    watches: int
    paused: int
    in_trouble: int
    sample_mentions: int
    newest: datetime | None
    last_run_at: datetime | None
