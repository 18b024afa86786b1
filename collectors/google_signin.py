"""Signs in at Google, with a person's consent or a service account, and reads the errors that its services share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import jwt

from collectors.clock import Clock
from collectors.http import Answer, Web
from collectors.verdict import retry_after
from escucha.errors import Refused, SourceError, TryLater

ADDRESS = "https://oauth2.googleapis.com"
TOKEN = f"{ADDRESS}/token"
LIFETIME = timedelta(hours=1)
EARLY = timedelta(minutes=1)
"""A token is renewed so long before it ends."""
EXHAUSTED = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"})


class Grant(Protocol):
    """What an access token is given for."""

    def form(self, now: datetime) -> Mapping[str, str]:
        """The fields that are sent. Raises Refused where the credentials cannot be read."""
        ...

    def ended(self) -> Refused:
        """What to say where Google accepts it no longer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A person's consent, kept as a refresh token of an OAuth client."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    def form(self, now: datetime) -> Mapping[str, str]:  # noqa: ARG002 (a refresh token knows no time)
        """The refresh token, with its client."""
        return {
            "grant_type": "refresh_token", "client_id": self.client_id, "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
        }

    def ended(self) -> Refused:
        """Consent ends by itself, most often because the OAuth app was never published."""
        return Refused(
            "Google has ended this sign-in. Sign in again and enter the new refresh token. If that happens every 7 "
            "days, publish your OAuth app in the Google Cloud console: it is still in testing."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """A service account, as the JSON text of its key file, and the `scope` that is asked for."""

    key: str = field(repr=False)
    scope: str

    def form(self, now: datetime) -> Mapping[str, str]:
        """An assertion signed with the account's private key (RFC 7523)."""
        try:
            account = json.loads(self.key)
            said = {
                "iss": account["client_email"], "scope": self.scope, "aud": TOKEN,
                "iat": int(now.timestamp()), "exp": int((now + LIFETIME).timestamp()),
            }
            assertion = jwt.encode(said, account["private_key"], algorithm="RS256",
                                   headers={"kid": account.get("private_key_id")})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, jwt.PyJWTError):
            raise Refused(
                "The service account's key cannot be read. Paste the whole JSON file that Google gave you, from its "
                "first brace to its last."
            ) from None
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}

    def ended(self) -> Refused:
        """The key was deleted, or the clock that its assertion names is wrong."""
        return Refused(
            "Google does not accept the service account's key. Check that the key still exists in the Google Cloud "
            "console, and that this server's clock is right."
        )


class GoogleSignIn:
    """Keeps an access token in memory, and renews it before it ends. `base` takes the place of Google's address."""

    def __init__(self, web: Web, clock: Clock, grant: Grant, base: str = "") -> None:
        self._web, self._clock, self._grant = web, clock, grant
        self._base = (base or ADDRESS).rstrip("/")
        self._token = ""
        self._ends: datetime | None = None

    def headers(self) -> dict[str, str]:
        """What a request is signed with.

        Raises:
            Refused: Google does not accept the credentials.
            TryLater: it cannot be asked now.
        """
        now = self._clock.now()
        if self._ends is None or now >= self._ends:
            told = self._web.post(f"{self._base}/token", form=self._grant.form(now), verdict=self._verdict).json()
            try:
                self._token, seconds = str(told["access_token"]), float(told.get("expires_in", LIFETIME.seconds))
                self._ends = now + timedelta(seconds=seconds) - EARLY
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
                raise TryLater(
                    "The answer does not have the form that its source promises. Nothing is lost: the watch goes on "
                    "by itself."
                ) from None
        return {"Authorization": f"Bearer {self._token}"}

    def _verdict(self, answer: Answer) -> SourceError | None:
        told = told_by(answer) if answer.status >= 400 else {}
        if told.get("error") == "invalid_grant":
            return self._grant.ended()
        if told.get("error") in ("invalid_client", "unauthorized_client"):
            return Refused(
                "Google does not know this OAuth client. Copy the client ID and the client secret once more from the "
                "Google Cloud console."
            )
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """An error as a service of Google tells it.

    `status` is its own word (`NOT_FOUND`), `reasons` are the finer ones, `told` what it adds (the service, a limit).
    """

    status: str = ""
    reasons: frozenset[str] = frozenset()
    told: Mapping[str, Any] = field(default_factory=dict)


def complaint_of(answer: Answer) -> Complaint | None:
    """The error in an answer, or None where it holds none."""
    error = told_by(answer).get("error") if answer.status >= 400 else None
    if not isinstance(error, Mapping):
        return None
    lists = [listed for name in ("errors", "details") if isinstance(listed := error.get(name), list)]
    parts = [part for listed in lists for part in listed if isinstance(part, Mapping)]
    told: dict[str, Any] = {}
    for part in parts:
        told |= metadata if isinstance(metadata := part.get("metadata"), Mapping) else {}
    reasons = frozenset(str(part["reason"]) for part in parts if "reason" in part)
    return Complaint(status=str(error.get("status", "")), reasons=reasons, told=told)


def shared_verdict(answer: Answer, complaint: Complaint | None, now: datetime) -> SourceError | None:
    """The errors that every service of Google tells alike, or None."""
    if complaint is None:
        return None
    if complaint.reasons & EXHAUSTED:
        return TryLater(
            "{host} asks us to slow down. Nothing is lost: the watch goes on by itself.",
            after=retry_after(answer.headers, now), host=answer.host,
        )
    if complaint.reasons & {"SERVICE_DISABLED", "accessNotConfigured"}:
        return Refused(
            "The service {service} is switched off in your Google Cloud project. Switch it on there, under APIs & "
            "Services, and resume the watch some minutes later.",
            service=complaint.told.get("service") or answer.host,
        )
    if "ACCESS_TOKEN_SCOPE_INSUFFICIENT" in complaint.reasons:
        return Refused(
            "The sign-in does not include the permission that this source needs. Sign in again, and allow what "
            "Escucha's page about this source names."
        )
    return None


def told_by(answer: Answer) -> Mapping[str, Any]:
    """The object in an answer's body; an empty one where there is none."""
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, Mapping) else {}
