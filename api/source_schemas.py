"""What the API answers about sources, watches, readings of the past and channels, field by field."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from api.schemas import Out, SaidOut
from api.selection import FIRST_DAY, LAST_DAY
from escucha.brand import BackfillState, Health, WatchState
from escucha.source import Access, FollowersInAnswer

BrandSlug = Annotated[str, Field(max_length=100, description="A brand's short name.")]


class In(BaseModel):
    """What is sent to us."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)


class KeyOut(Out):
    """A key that a source may be given; its value is never told.

    `entered_at` is since when it is entered for the brand that was asked about, `shared_since` for every brand;
    `in_settings` says that the installation's settings hold it, which wins.
    """

    name: str
    about: str
    secret: bool
    optional: bool
    entered_at: datetime | None
    shared_since: datetime | None
    in_settings: bool


class KeysOut(Out):
    """The keys of a source."""

    items: list[KeyOut]


class KeysIn(In):
    """Keys to keep, by name; an empty one stays as it is. `accepted` = yes accepts a source's terms."""

    brand: BrandSlug | None = Field(None, description="Only for this brand; without it: for every brand.")
    values: dict[str, SecretStr] = Field(max_length=50)


class SourceOut(Out):
    """What a source declares about itself; the sentences are in the reader's language.

    `on`: its terms need no acceptance, or were accepted. `keys`: what it may be given. `reach_days` and
    `can_store_days` are null where there is no such bound. `cost_per_item` is in US dollars, `fastest` in seconds.
    """

    name: str
    title: str
    access: Access
    query_hint: str
    query_about: str
    needs: str
    keeps: str
    blind: str
    reach: str
    terms: str | None
    on: bool
    keys: list[str]
    searches: bool
    own: bool
    pushed: bool
    reach_days: int | None
    can_store_days: int | None
    recheck_days: int | None
    followers: FollowersInAnswer
    cost_per_item: float
    fastest: int


class SourcesOut(Out):
    """Every source that can be watched."""

    items: list[SourceOut]


class RefusalOut(Out):
    """An item that was not taken, and why."""

    where: str
    reason: str


class RunOut(Out):
    """One run: fetched = new + updated + duplicate + refused. `passed` were left out on purpose, `gone` are deletions.

    `backfill` is the number of the reading of the past that it belongs to; null for a live run. `cost`: US dollars.
    """

    at: datetime
    fetched: int
    new: int
    updated: int
    duplicate: int
    refused: int
    passed: int
    gone: int
    cost: float
    backfill: int | None
    problem: str | None
    refusals: list[RefusalOut]


class RunsOut(Out):
    """A watch's runs, newest first."""

    items: list[RunOut]


class QuotaOut(Out):
    """What the source last said of its own limit."""

    limit: int | None
    remaining: int | None
    resets_at: datetime | None
    unit: str


class WatchOut(Out):
    """A watch and how it does.

    `every`, `slowest` and `pace` are seconds: asked at most, at least, and now so often. `lag_seconds` is the median
    time from when something was said until it was heard, of `heard` mentions. `week` adds up the runs of seven days.
    `hook` is the path to send to. `spent` and `budget` are US dollars this month, null where nothing is paid.
    """

    id: int
    brand: str
    source: str
    title: str
    query: str
    terms: list[str]
    state: WatchState
    health: Health
    every: int
    slowest: int
    pace: int
    made_at: datetime | None
    next_at: datetime | None
    last_run_at: datetime | None
    last_good_at: datetime | None
    failures: int
    problem: str | None
    doubt: str | None
    quota: QuotaOut | None
    last_run: RunOut | None
    week: RunOut | None
    lag_seconds: float | None
    heard: int
    spent: float | None
    budget: float | None
    hook: str | None


class WatchesOut(Out):
    """Watches, oldest first."""

    items: list[WatchOut]


class WantedIn(In):
    """What to listen to."""

    brand: BrandSlug
    source: str = Field(max_length=100)
    query: str = Field("", max_length=4000, description="What to ask: an address, a hashtag, a search.")
    terms: list[Annotated[str, Field(max_length=200)]] | None = Field(
        None, max_length=100, description="Keep only mentions with one of these words; empty: keep all; null: the "
        "brand's own names where the source does not search by itself.",
    )


class WatchIn(WantedIn):
    """A watch to start."""

    every: int = Field(900, ge=1, le=604_800, description="Seconds between two runs at most often.")
    slowest: int | None = Field(None, ge=1, le=604_800, description="The same where little is new.")


class EstimateOut(Out):
    """How many posts of the last seven days a watch would read, and from how many US dollars to how many."""

    posts: int
    least: float
    most: float
    asking: float


class TrialOut(Out):
    """The first mentions that a watch would bring. Nothing was stored. `problem` is what stood in the way."""

    searches: list[str] = Field(description="What is asked of a source that searches, as it goes there.")
    checked: str | None = Field(
        description="What a find has to mean to be kept, in the query language; empty: nothing can be checked; null: "
        "the text is the source's own."
    )
    mentions: list[SaidOut]
    refusals: list[RefusalOut]
    passed: int
    cost: float
    estimate: EstimateOut | None = Field(description="What a paid source counted; null where it does not count.")
    problem: str | None


class CoveredOut(Out):
    """How much of a local day was read, from 0 to 1. `state`: full, part, gap, before the watch existed, or ahead."""

    day: date
    share: float
    state: Literal["full", "part", "gap", "before", "ahead"]


class CoverageOut(Out):
    """Five weeks of days, from a Monday on."""

    items: list[CoveredOut]


class BackfillIn(In):
    """The past that is to be read."""

    model_config = ConfigDict(strict=False)  # JSON has no dates

    brand: BrandSlug
    since: date = Field(ge=FIRST_DAY, le=LAST_DAY, description="The first day, as the brand's local day.")
    source: str | None = Field(None, max_length=100, description="Only the watches of this source.")


class BackfillOut(Out):
    """A reading of a watch's past. `share` of the time asked for is read; `reached` is how far it has come."""

    id: int
    watch: int
    since: datetime
    state: BackfillState
    share: float
    reached: datetime | None
    fetched: int
    new: int
    made_at: datetime
    ended_at: datetime | None
    problem: str | None


class BackfillsOut(Out):
    """Readings of the past, newest first."""

    items: list[BackfillOut]


class ChannelOut(Out):
    """A channel of a brand: mentions in 30 days, whether it is watched, and what a person says of it (null: nothing).

    `present`: the brand is there; `attended`: somebody answers there; `owner`: the unit that does.
    """

    name: str
    title: str
    volume: int
    watched: bool
    present: bool | None
    attended: bool | None
    owner: str | None


class ChannelsOut(Out):
    """A brand's channels, the busiest first."""

    items: list[ChannelOut]


class ChannelIn(In):
    """What a person says of a channel; one of which nothing is said is forgotten."""

    brand: BrandSlug
    name: str = Field(min_length=1, max_length=100)
    present: bool | None = None
    attended: bool | None = None
    owner: str | None = Field(None, max_length=200)
