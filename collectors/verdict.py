"""What an upstream's answer means for a watch: go on, try again now, try later, or ask a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from escucha.errors import Refused, SourceError, TryLater

LONGEST_WAIT = 86_400.0
"""Seconds: whatever a server asks for, we look again after a day."""

RETRIED = frozenset({408, 500, 502, 503, 504, 520, 522})
"""Statuses that often pass within seconds: asked again within the run, if the deadline allows."""

WAITS = (0.5, 2.0)
"""Seconds before the second and the third try."""


def judge(status: int, headers: Mapping[str, str], now: datetime, host: str) -> SourceError | None:
    """The error that a status means, or None where the answer can be read. `headers` has lower-case names.

    Only the host is named: paths and queries may hold tokens.
    """
    if 200 <= status < 300 or status == 304:
        return None
    if status == 429:
        return TryLater(
            "{host} asks us to slow down. Nothing is lost: the watch goes on by itself.",
            after=retry_after(headers, now), host=host,
        )
    if status in RETRIED or status >= 500:
        return TryLater(
            "{host} is having trouble (HTTP {status}). Nothing is lost: the watch goes on by itself.",
            after=retry_after(headers, now), host=host, status=status,
        )
    return _refusal(status, host)


def _refusal(status: int, host: str) -> Refused:
    if status == 401:
        return Refused(
            "{host} did not accept our key (HTTP 401). Enter a valid key and resume the watch.",
            host=host, status=status,
        )
    if status == 403:
        return Refused(
            "{host} does not let us read this (HTTP 403). Check the address, and ask its owner for access.",
            host=host, status=status,
        )
    if status == 404:
        return Refused("{host} has nothing at this address (HTTP 404). Check the address.", host=host, status=status)
    if status == 410:
        return Refused(
            "{host} has removed this for good (HTTP 410). Remove the watch or give it another address.",
            host=host, status=status,
        )
    return Refused(
        "{host} did not understand the request (HTTP {status}). Check the address and the query.",
        host=host, status=status,
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds the server asks us to wait, from 0 to a day; None where it does not say (or not readably).

    Reads `Retry-After` as seconds or an HTTP date (RFC 9110, 10.2.3), then Mastodon's `X-RateLimit-Reset`, an ISO time.
    """
    wait = _seconds(headers.get("retry-after", "").strip(), now)
    if wait is None:
        wait = _until(_iso(headers.get("x-ratelimit-reset", "").strip()), now)
    return None if wait is None else min(max(wait, 0.0), LONGEST_WAIT)


def _seconds(value: str, now: datetime) -> float | None:
    if value.isascii() and value.isdigit():
        return float(value[:12])
    try:
        return _until(parsedate_to_datetime(value), now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _iso(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if "-" in value else None
    except ValueError:
        return None


def _until(moment: datetime | None, now: datetime) -> float | None:
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - now).total_seconds()
