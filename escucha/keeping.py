"""How long what was heard is kept, and what is held of a person who asks about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from escucha.brand import Brand
from escucha.errors import Invalid

LONGEST = 36_500
"""Days: a hundred years, beyond which a rule says no more than none."""
Act = Literal["export", "block", "unblock", "erase", "delete", "night"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """A rule: mentions of this source and brand (None: of all) are kept for `days`, the raw answers they came from for
    `raw_days`, counted in the brand's local days from when they were said; None: for ever.
    """

    source: str | None = None
    brand_id: int | None = None
    days: int | None = None
    raw_days: int | None = None
    id: int | None = None

    @property
    def raw_limit(self) -> int | None:
        """Days for which a raw answer is kept: never longer than its mention."""
        known = [days for days in (self.days, self.raw_days) if days is not None]
        return min(known) if known else None


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules. The most specific wins, whole: source and brand, then brand, then source, then the one for all."""

    rules: tuple[Retention, ...] = ()

    def of(self, source: str, brand_id: int | None) -> Retention:
        """The rule for what a source brings about a brand; one that keeps for ever where there is none."""
        scopes = ((source, brand_id), (None, brand_id), (source, None), (None, None))
        by_scope = {(rule.source, rule.brand_id): rule for rule in self.rules}
        return next((by_scope[scope] for scope in scopes if scope in by_scope), Retention())

    def with_rule(self, rule: Retention) -> Policy:
        """The policy as it would be with this rule in place of the one for the same source and brand."""
        others = tuple(r for r in self.rules if (r.source, r.brand_id) != (rule.source, rule.brand_id))
        return Policy((*others, rule))

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that have a rule of their own."""
        return tuple(sorted({rule.source for rule in self.rules if rule.source is not None}))


def checked(rule: Retention) -> Retention:
    """The rule. Raises Invalid where it says nothing, or no number of days that can be kept."""
    told = [days for days in (rule.days, rule.raw_days) if days is not None]
    if not all(1 <= days <= LONGEST for days in told):
        raise Invalid("Days must be between 1 and {most}. Leave it empty to keep for ever.", most=LONGEST)
    if rule.days is not None and rule.raw_days is not None and rule.raw_days > rule.days:
        raise Invalid("Raw answers cannot be kept longer ({raw_days} days) than their mentions ({days} days).",
                      raw_days=rule.raw_days, days=rule.days)
    return rule


def kept_since(days: int, brand: Brand, now: datetime) -> datetime:
    """The first moment that is still kept: midnight of the brand's local day, so many days ago."""
    zone = ZoneInfo(brand.timezone)
    day = now.astimezone(zone).date() - timedelta(days=days)
    return datetime.combine(day, time(), zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """What is older than the rules keep it: mentions, and raw answers of mentions that stay."""

    mentions: int = 0
    raws: int = 0

    def __add__(self, other: Overdue) -> Overdue:
        return Overdue(mentions=self.mentions + other.mentions, raws=self.raws + other.raws)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A person as one source knows them, and how much is held of them.

    `echoes` are mentions by others that say (nearly) the same: they are not this person's and stay. `brands` are the
    short names of the brands they spoke about.
    """

    id: int
    source: str
    key: str
    handle: str
    name: str | None
    url: str | None
    blocked_at: datetime | None
    mentions: int = 0
    corrections: int = 0
    echoes: int = 0
    brands: tuple[str, ...] = ()
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the audit: what was done, when, for whom (a mark that cannot be read back) and how much it was."""

    at: datetime
    act: Act
    mark: str | None = None
    counts: Mapping[str, Any] = field(default_factory=dict)
    id: int | None = None
