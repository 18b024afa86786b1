"""What a reader has chosen to look at: brand, dates and filters, read from an address and written back into one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Literal, Self, get_args
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from escucha.enrichment import Sentiment
from escucha.errors import Invalid
from escucha.filter import MentionFilter, Order
from escucha.journey import NO_LABEL, Catalogue, Entry
from escucha.query.about import terms_of
from escucha.query.labels import labelled
from escucha.query.parse import LONGEST, parse
from escucha.query.tree import Phrase, Prefix, Query

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2200, 1, 1)
Period = Literal["today", "yesterday", "7d", "28d", "30d", "90d", "month", "year", "all", "custom"]
PERIODS: tuple[Period, ...] = get_args(Period)[:-1]
DEFAULT_PERIOD: Period = "90d"
ORDER = ("brand", "period", "from", "to", "source", "lang", "stage", "sentiment", "pain", "touchpoint", "q",
         "review", "copies", "cluster", "hidden", "order")
"""The canonical order of an address, so that one choice has one address."""
ORDERED = ("/mentions",)
"""The pages that list mentions."""
LISTED = ("hidden", "order")
"""What is asked on those pages alone."""
FACETS = ("source", "lang", "stage", "sentiment", "pain", "touchpoint")


class Filters(BaseModel):
    """Which mentions are meant: the query parameters that the API and the pages share."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    brand: str | None = Field(None, description="Short name (slug) of a brand. Without it: every brand.")
    from_: date | None = Field(
        None, alias="from", ge=FIRST_DAY, le=LAST_DAY,
        description="First day, as the brand's local day (UTC without a brand).",
    )
    to: date | None = Field(None, ge=FIRST_DAY, le=LAST_DAY, description="Last day, included.")
    source: list[str] = Field([], description="Sources, any of them: repeat the parameter.")
    lang: list[str] = Field([], description="Detected languages of the mention (ISO 639-1; und: not determined).")
    stage: list[str] = Field([], description="Keys of journey stages; none: without a stage.")
    sentiment: list[Sentiment] = Field([], description="positive, neutral, negative.")
    pain: list[str] = Field([], description="Keys of pain points; none: without one.")
    touchpoint: list[str] = Field([], description="Keys of touchpoints; none: without one.")
    ui: Literal["es", "en"] | None = Field(None, description="Language of messages; Accept-Language without it.")
    q: str | None = Field(
        None, max_length=LONGEST, description="What to search for, in the query language; words alone must all occur.",
    )
    review: bool = Field(
        False, description="Only mentions to check: a label the model is unsure of, or stars against the text.",
    )
    copies: Literal["once"] | None = Field(
        None, description="once: what says the same as an earlier mention, or nearly, is left out.",
    )
    cluster: int | None = Field(
        None, ge=1, lt=2**63, description="Only a mention of this number and its copies: the number of their cluster.",
    )
    hidden: bool = Field(False, description="The mentions that are hidden as not relevant, instead of the others.")

    def meant(self, timezone: str, catalogue: Catalogue) -> MentionFilter:
        """The filter in the store's terms, with local days as moments.

        Raises:
            Invalid: the days run backwards, a key is in no taxonomy, or what is searched for cannot be read.
        """
        return _filter(self, self.from_, self.to, timezone, catalogue)


class View(Filters):
    """A page's choice: the filters with a named period. Unknown parameters of an address are left aside."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    period: Period = DEFAULT_PERIOD
    order: Order | None = None

    @property
    def ordered(self) -> Order:
        """How the mentions are ordered: as chosen where that has a meaning, else the least sure or the newest first."""
        meaning = {None: False, "relevance": bool(self.q), "uncertainty": self.review}
        if self.order and meaning.get(self.order, True):
            return self.order
        return "uncertainty" if self.review else "newest"

    @property
    def terms(self) -> tuple[Phrase | Prefix, ...]:
        """What to mark of what is searched for; nothing where that cannot be read."""
        try:
            return terms_of(read_query(self.q)) if self.q else ()
        except Invalid:
            return ()

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, str]]) -> Self:
        """Read from the pairs of an address; what a form left empty counts as not asked. Raises ValidationError."""
        values: dict[str, Any] = {}
        for key, value in pairs:
            if value.strip() and key in ORDER:
                if key in FACETS:
                    values.setdefault(key, [])
                    values[key] += [value] if value not in values[key] else []
                else:
                    values[key] = value
        if "from" in values or "to" in values:
            values["period"] = "custom"
        elif values.get("period") == "custom":
            del values["period"]
        return cls.model_validate(values)

    def days(self, today: date) -> tuple[date | None, date | None]:
        """First and last day, both included; None where the period is open."""
        match self.period:
            case "custom":
                return self.from_, self.to
            case "all":
                return None, None
            case "yesterday":
                return today - timedelta(days=1), today - timedelta(days=1)
            case "month":
                return today.replace(day=1), today
            case "year":
                return today.replace(month=1, day=1), today
            case _:
                length = 1 if self.period == "today" else int(self.period.removesuffix("d"))
                return today - timedelta(days=length - 1), today

    def meant_on(self, today: date, timezone: str, catalogue: Catalogue) -> MentionFilter:
        """The filter in the store's terms, seen from `today`. Raises Invalid as `meant` does."""
        return _filter(self, *self.days(today), timezone, catalogue)

    def pairs(self, **changes: Any) -> list[tuple[str, str]]:
        """The choice with some changes as the pairs of an address, in their canonical order."""
        values = self.model_dump(mode="json", by_alias=True) | changes
        if "period" in changes:
            values["from"] = values["to"] = None
        if values["from"] or values["to"] or values["period"] in (DEFAULT_PERIOD, "custom"):
            values["period"] = None
        return [(key, value) for key in ORDER for value in _listed(values[key])]

    def address(self, path: str, **changes: Any) -> str:
        """The address of a page for this choice with some changes (None or an empty list drops a parameter)."""
        pairs = [pair for pair in self.pairs(**changes) if path in ORDERED or pair[0] not in LISTED]
        return f"{path}?{urlencode(pairs)}" if pairs else path


def previous(days: tuple[date | None, date | None]) -> tuple[date, date] | None:
    """The period of equal length just before; None where the period is open."""
    first, last = days
    if first is None or last is None:
        return None
    length = last - first + timedelta(days=1)
    return first - length, last - length


def moments(first: date | None, last: date | None, timezone: str) -> tuple[datetime | None, datetime | None]:
    """Local days as moments: the start of the first, and the start of the day after the last."""
    zone = ZoneInfo(timezone)
    return (
        datetime.combine(first, time.min, zone) if first else None,
        datetime.combine(last + timedelta(days=1), time.min, zone) if last else None,
    )


def _filter(
    asked: Filters, first: date | None, last: date | None, timezone: str, catalogue: Catalogue
) -> MentionFilter:
    if first and last and last < first:
        raise Invalid("The days run backwards: {first} is after {last}. Swap them.", first=first, last=last)
    since, until = moments(first, last, timezone)
    return MentionFilter(
        brand=asked.brand, since=since, until=until, sources=tuple(asked.source), langs=tuple(asked.lang),
        sentiments=tuple(asked.sentiment), query=labelled(asked.q, read_query(asked.q), catalogue) if asked.q else None,
        review=unsure_below() if asked.review else (), once=asked.copies == "once", cluster=asked.cluster,
        hidden=asked.hidden,
        stages=_known("stage", asked.stage, catalogue.stages), pains=_known("pain", asked.pain, catalogue.pains),
        touchpoints=_known("touchpoint", asked.touchpoint, catalogue.touchpoints),
    )


@lru_cache(maxsize=256)
def read_query(text: str) -> Query:
    """What a person searches for; a page asks several times. Raises Invalid, saying where it cannot be read."""
    return parse(text)


def unsure_below() -> tuple[tuple[str, float], ...]:
    """A filter's `review`: the kinds of label with the score under which each is to be checked."""
    from nlp.certainty import review_below  # numpy and the model's files, only where asked for

    return tuple(sorted(review_below().items()))


def _known(field: str, keys: list[str], entries: Sequence[Entry]) -> tuple[str, ...]:
    known = [*(entry.key for entry in entries), NO_LABEL]
    for key in keys:
        if key not in known:
            raise Invalid("There is no {field} called {key}. Choose from: {known}.", field=field, key=key,
                          known=", ".join(known))
    return tuple(keys)


def _listed(value: Any) -> list[str]:
    if value is None or value is False or value == "":
        return []
    if value is True:
        return ["true"]
    return [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]
