"""The access token that Gmail and Microsoft 365 want in place of a password, fetched anew for each run."""

from __future__ import annotations

import re
from collections.abc import Mapping

from collectors.http import Answer, Web
from escucha.errors import Refused, SourceError, TryLater

GOOGLE = "https://oauth2.googleapis.com/token"
MICROSOFT = "https://login.microsoftonline.com"
GOOGLE_MAIL = re.compile(r"(.+\.)?(gmail|googlemail|google)\.com", re.I)
MICROSOFT_MAIL = re.compile(r"(.+\.)?(outlook|office|office365)\.com", re.I)
AS_USER = "https://outlook.office.com/IMAP.AccessAsUser.All offline_access"
AS_APP = "https://outlook.office365.com/.default"


def access_token(host: str, keys: Mapping[str, str], web: Web) -> str:
    """The token to sign in with at a mail server; empty where the keys hold a password instead.

    `token` is one that somebody fetched (it lives an hour or so); `refresh_token` with `client_id` and
    `client_secret` gets a new one each time; with `tenant` and no refresh token, the app signs in by itself.

    Raises:
        TryLater, Refused: the provider gives none.
    """
    if keys.get("token"):
        return keys["token"]
    if not keys.get("refresh_token") and not keys.get("tenant"):
        return ""
    address, form = _question(host, keys)
    answer = web.post(address, form={name: value for name, value in form.items() if value}, verdict=_verdict).json()
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise TryLater("The provider of the mailbox gave no access. Nothing is lost: the watch goes on by itself.")
    return token


def _question(host: str, keys: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    own = {"client_id": keys.get("client_id", ""), "client_secret": keys.get("client_secret", "")}
    refresh = {"grant_type": "refresh_token", "refresh_token": keys.get("refresh_token", "")}
    base = keys.get("base_url", "").rstrip("/")
    if GOOGLE_MAIL.fullmatch(host):
        return (f"{base}/token" if base else GOOGLE), {**own, **refresh}
    if not base and not MICROSOFT_MAIL.fullmatch(host):
        raise Refused(
            "{host} is a mail server of neither Google nor Microsoft, and only theirs get what a refresh token gives. "
            "Check the server, or enter a password in its place.",
            host=host,
        )
    tenant = keys.get("tenant") or "common"
    if not re.fullmatch(r"[\w.-]{1,100}", tenant, re.ASCII):
        raise Refused("The tenant of Microsoft 365 is an id or a domain, like lumbre.onmicrosoft.com. Correct it.")
    address = f"{base or MICROSOFT}/{tenant}/oauth2/v2.0/token"
    if keys.get("refresh_token"):
        return address, {**own, **refresh, "scope": AS_USER}
    return address, {**own, "grant_type": "client_credentials", "scope": AS_APP}


def _verdict(answer: Answer) -> SourceError | None:
    if answer.status in (400, 401, 403):
        return Refused(
            "{host} does not renew the access to the mailbox: it was withdrawn, or the app's id or secret is wrong. "
            "Sign in again with the provider, enter what it gives and resume the watch.",
            host=answer.host,
        )
    return None
