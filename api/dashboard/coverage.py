"""The coverage calendar of a watch: five weeks of days, each read in full, in part or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from api.i18n import N_, Reader
from escucha.brand import Watch
from escucha.source import Span
from store.coverage import calendar

WEEKS = 5
WHOLE = 0.99
"""The share from which a day counts as read in full: a quarter of an hour may be missing."""
State = Literal["full", "part", "gap", "before", "ahead"]
SAID: dict[State, str] = {
    "full": N_("read in full"), "part": N_("read in part: {share}"), "gap": N_("not read"),
    "before": N_("before this watch began"), "ahead": N_("still to come"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A local day and how much of it was read (0 to 1)."""

    day: date
    share: float
    state: State


def days_shown(now: datetime, zone: ZoneInfo) -> tuple[date, ...]:
    """Whole weeks from Monday to Sunday; the last is the present one."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    return tuple(first + timedelta(days=n) for n in range(7 * WEEKS))


def first_moment(now: datetime, zone: ZoneInfo) -> datetime:
    """When the calendar begins."""
    return _midnight(days_shown(now, zone)[0], zone)


def covered(watch: Watch, spans: Sequence[Span], now: datetime, zone: ZoneInfo) -> tuple[Covered, ...]:
    """The calendar of a watch. Today is read in full where only the wait for the next run is missing."""
    days, today = days_shown(now, zone), now.astimezone(zone).date()
    shares = calendar(spans, days, zone, now)
    shares[today] = calendar(spans, (today,), zone, _judged_at(watch, spans, now))[today]
    return tuple(_covered(watch, day, shares[day], today, zone) for day in days)


def said(reader: Reader, one: Covered) -> str:
    """A day's state in words."""
    return reader.say(SAID[one.state], share=reader.percent(one.share))


def _covered(watch: Watch, day: date, share: float, today: date, zone: ZoneInfo) -> Covered:
    return Covered(day=day, share=share, state=_state(watch, day, share, today, zone))


def _state(watch: Watch, day: date, share: float, today: date, zone: ZoneInfo) -> State:
    if share >= WHOLE:
        return "full"
    if share > 0:
        return "part"
    if day > today or (day == today and watch.last_run_at is None):
        return "ahead"
    begun = watch.made_at
    return "before" if begun is not None and _midnight(day + timedelta(days=1), zone) <= begun else "gap"


def _judged_at(watch: Watch, spans: Sequence[Span], now: datetime) -> datetime:
    last = max((span.end for span in spans), default=now)
    patience = timedelta(seconds=2 * max(watch.pace, watch.slowest, watch.every))
    return min(last, now) if now - last <= patience else now


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)
