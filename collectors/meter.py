"""Reads an upstream's own limit from the headers of its answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from escucha.source import Quota

PREFIXES = ("x-ratelimit-", "ratelimit-", "x-rate-limit-")
USAGES = ("x-app-usage", "x-business-use-case-usage")
YEAR_2001 = 1_000_000_000
"""A reset above this is a moment (seconds since 1970), below it a number of seconds."""


def quota_of(headers: Mapping[str, str], now: datetime) -> Quota | None:
    """The limit that an answer's headers (lower-case names) tell, or None.

    Reads the `ratelimit` families (limit or total, remaining, reset as seconds, a moment or an ISO time), and Meta's
    usage headers, which tell the share used in per cent.
    """
    for prefix in PREFIXES:
        remaining = _whole(headers.get(f"{prefix}remaining"))
        if remaining is not None:
            limit = _whole(headers.get(f"{prefix}limit") or headers.get(f"{prefix}total"))
            return Quota(limit=limit, remaining=max(remaining, 0), resets_at=_reset(headers.get(f"{prefix}reset"), now))
    return next((quota for name in USAGES if (quota := _usage(headers.get(name)))), None)


def _whole(value: str | None) -> int | None:
    try:
        return int(float(value.split(",")[0])) if value else None
    except (ValueError, OverflowError):
        return None


def _reset(value: str | None, now: datetime) -> datetime | None:
    if not value:
        return None
    try:
        number = float(value)
    except ValueError:
        return _iso(value)
    try:
        return datetime.fromtimestamp(number, UTC) if number > YEAR_2001 else now + timedelta(seconds=number)
    except (ValueError, OverflowError, OSError):
        return None


def _iso(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _usage(value: str | None) -> Quota | None:
    """`{"call_count": 28, …}`, or the same in lists by business: the highest share used counts."""
    try:
        told = json.loads(value) if value else None
    except (ValueError, RecursionError):
        return None
    shares = list(_shares(told))
    return Quota(limit=100, remaining=max(0, 100 - max(shares)), unit="percent") if shares else None


def _shares(told: object) -> list[int]:
    if isinstance(told, dict):
        own = [int(told[name]) for name in ("call_count", "total_cputime", "total_time")
               if isinstance(told.get(name), int | float)]
        return own + [share for value in told.values() if isinstance(value, dict | list) for share in _shares(value)]
    return [share for value in told for share in _shares(value)] if isinstance(told, list) else []
