"""What YouTube's own errors mean for a watch: it names a reason, which says more than the HTTP status."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from collectors.http import Answer
from collectors.pace import Allowance
from collectors.verdict import retry_after
from escucha.errors import Refused, SourceError, TryLater

DAILY_UNITS = 10_000
ZONE = "America/Los_Angeles"

USED_UP = {"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"}
TOO_FAST = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
STALE = {"processingFailure", "invalidPageToken"}
"""A page's token that is not valid any more (YouTube says either)."""
NO_COMMENTS = "commentsDisabled"
MISSING = {"videoNotFound", "commentNotFound", "channelNotFound", "notFound"}
BAD_KEY = {"keyInvalid", "keyExpired", "API_KEY_INVALID"}
SWITCHED_OFF = {"accessNotConfigured", "SERVICE_DISABLED"}
RESTRICTED = {
    "ipRefererBlocked", "API_KEY_SERVICE_BLOCKED", "API_KEY_IP_ADDRESS_BLOCKED", "API_KEY_HTTP_REFERRER_BLOCKED",
}


def allowance(limit: int) -> Allowance:
    """A project's units a day, which begin anew at midnight in California."""
    return Allowance(limit=limit, name="units", zone=ZONE)


def judge_reason(answer: Answer, now: datetime) -> SourceError | None:
    """The error that YouTube names, or None where it names none that we know: then the status decides."""
    reasons = set(_reasons(answer))
    return _passing(reasons, answer, now) or _about_the_key(reasons) or _about_the_thing(reasons)


def _passing(reasons: set[str], answer: Answer, now: datetime) -> SourceError | None:
    if reasons & USED_UP:
        _, midnight = allowance(DAILY_UNITS).period(now)
        return TryLater(
            "YouTube says that today's units of this key are used up. Nothing is lost: the watch goes on after "
            "midnight in California.",
            after=(midnight - now).total_seconds(),
        )
    if reasons & TOO_FAST:
        return TryLater(
            "YouTube asks us to slow down. Nothing is lost: the watch goes on by itself.",
            after=retry_after(answer.headers, now) or 60.0,
        )
    if reasons & STALE:
        return TryLater(
            "YouTube could not go on where we had stopped. Nothing is lost: the watch begins that list again.",
            reason="stale",
        )
    return None


def _about_the_key(reasons: set[str]) -> SourceError | None:
    if reasons & BAD_KEY:
        return Refused("YouTube does not accept this key. Copy it again from console.cloud.google.com, Credentials, "
                       "and resume the watch.")
    if reasons & SWITCHED_OFF:
        return Refused("The key's project does not use the YouTube Data API yet. Switch on “YouTube Data API v3” at "
                       "console.cloud.google.com, wait five minutes and resume the watch.")
    if reasons & RESTRICTED:
        return Refused("The key is restricted to other addresses or services. Allow the YouTube Data API and this "
                       "server's address at console.cloud.google.com, Credentials, and resume the watch.")
    return None


def _about_the_thing(reasons: set[str]) -> SourceError | None:
    if NO_COMMENTS in reasons:
        return Refused("The comments of this video are switched off.", reason=NO_COMMENTS)
    if reasons & MISSING:
        return Refused("YouTube has no such video, channel or comment: it was removed, is private, or its id has a "
                       "typing error. Copy the id from its address, such as video:dQw4w9WgXcQ.", reason="missing")
    return None


def _reasons(answer: Answer) -> Iterator[str]:
    try:
        error = json.loads(answer.body or b"{}").get("error") or {}
        named = [*(error.get("errors") or ()), *(error.get("details") or ())]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return
    yield from (reason for entry in named if isinstance(reason := _reason(entry), str))


def _reason(entry: Any) -> Any:
    return entry.get("reason") if isinstance(entry, Mapping) else None
