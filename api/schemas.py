"""What the API answers, field by field; the words are those of the packages behind it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.selection import Filters
from escucha.filter import Order
from escucha.job import How, JobState
from escucha.journey import Dimension, Every, Metric
from escucha.rule import Kind
from escucha.shares import ShareKind, WhyNot


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
    """Who said it. `followers`, told at `followers_at`, is null where the source does not tell: unknown is not 0."""

    id: str
    handle: str
    name: str | None
    url: str | None
    followers: int | None
    followers_at: datetime | None
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


class AnswerOut(Out):
    """What the model said where it is overridden; an empty label: it has not read the mention yet.

    `by`: "person" for a correction, "rule:7" for the brand's rule of that number.
    """

    label: str
    score: float
    by: str


class PartOut(Out):
    """A stretch of what was read that says something of its own: characters `start` to before `end`.

    What was read is the title, a line break and the text, or the text alone where there is no title.
    """

    start: int
    end: int
    sentiment: LabelOut | None
    pain: LabelOut | None
    touchpoint: LabelOut | None


class TagsOut(Out):
    """What counts as understood; null until a mention is enriched. `versions`: which tagger spoke.

    `said` has, by kind, the model's answer where a person or a rule overrides it.
    """

    lang: LabelOut | None
    sentiment: LabelOut | None
    stage: LabelOut | None
    pain: LabelOut | None
    touchpoint: LabelOut | None
    emotion: LabelOut | None
    parts: list[PartOut]
    said: dict[str, AnswerOut]
    versions: dict[str, str]


class MentionOut(Out):
    """A mention with what was understood of it. `note` says why it could not be tagged (state failed).

    `cluster` is the number of the first mention of those that say the same, or nearly (null: nobody else does).
    `hidden` is why it is neither shown nor counted: "exclusion:7" for the brand's exclusion of that number, "person"
    (null: it is shown). `kept`: a person wants it whatever the exclusions say.
    """

    id: int
    brand: str
    mention: SaidOut
    enrichment: TagsOut
    state: Literal["pending", "done", "failed"]
    note: str | None
    cluster: int | None
    hidden: str | None
    kept: bool


class MentionsOut(Out):
    """Mentions in the order that was asked for. Pass `next` as `after` for the next page; null on the last."""

    items: list[MentionOut]
    next: str | None


class MentionsQuery(Filters):
    """The filter, and which page of it."""

    limit: int = Field(50, ge=1, le=200, description="Mentions in a page.")
    after: str | None = Field(None, max_length=100, description="The `next` of the page before.")
    order: Order = Field(
        "newest", description="newest; engagement: the most likes, comments and shares first, unknown ones last; "
        "relevance: BM25 among the newest 1,000, one page; uncertainty, with review=true: the least sure labels first.",
    )


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


class SharesQuery(Filters):
    """The filter, and which kind of label."""

    kind: ShareKind = Field(description="Which kind of label the shares are of.")


class PutRightOut(Out):
    """A share put right for the classifier's known errors, with its 95 % interval."""

    share: float
    low: float
    high: float


class LabelShareOut(Out):
    """A label's share as counted, and put right (null: too few dev texts of it, or `why_not`)."""

    key: str
    counted: ShareOut
    right: PutRightOut | None


class SharesOut(Out):
    """The shares of a kind. `n` mentions have a label; `read` of them (all, or a uniform sample) were read for what is
    put right; `corrected` ones count as persons said. `why_not`: few (fewer than 30 mentions), vectors (read by another
    version of the model), selected (the filter picks by what the model said); null where shares are put right.
    """

    kind: ShareKind
    n: int
    read: int
    corrected: int
    why_not: WhyNot | None
    labels: list[LabelShareOut]


class VoicesQuery(Filters):
    """The filter, and whose rivals are compared."""

    brand: str = Field(max_length=100, description="Short name (slug) of the brand that is compared with its rivals.")


class VoiceOut(Out):
    """A brand's part of what is said of all that are compared; repeated texts count once."""

    brand: str
    name: str
    share: ShareOut


class VoicesOut(Out):
    """The brands that are compared, the largest share first."""

    items: list[VoiceOut]


class JobIn(BaseModel):
    """What is to be tagged again."""

    model_config = ConfigDict(extra="forbid", strict=True)

    brand: str | None = Field(None, max_length=100, description="A brand's short name; without it: every brand.")
    how: How = Field("all", description="`all`: texts are read again; `heads`: the brand's own heads read vectors.")
    stale: bool = Field(True, description="Leave out what today's taggers have read already (not with `heads`).")


class JobOut(Out):
    """A job over `total` mentions. `changed` have another label than before; `failed` kept theirs, unread.

    `moves`: kind → former label → new label → mentions. `problem` is why it does not go on at the moment.
    """

    id: int
    brand: str | None
    how: How
    stale: bool
    state: JobState
    total: int
    done: int
    changed: int
    failed: int
    moves: dict[str, dict[str, dict[str, int]]]
    made_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    problem: str | None


class JobsOut(Out):
    """Jobs, newest first."""

    items: list[JobOut]


class StaleOut(Out):
    """Of `tagged` mentions, `stale` have labels of other taggers than today's; tagging those takes about `seconds`."""

    stale: int
    tagged: int
    seconds: float


class CorrectionIn(BaseModel):
    """What a person says a label is."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)

    kind: Kind
    label: str = Field(max_length=40, description="A key of the catalogue or of the brand's own; none: without one.")
