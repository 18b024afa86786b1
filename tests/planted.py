"""Keys that are planted to be looked for later, and servers that quote back whatever they are sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx

from collectors import SOURCES, facts
from tests.collectors.fakes import UPSTREAMS, Upstream
from tests.collectors.fakes.mailbox import USER
from tests.collectors.hostile.today import upstream_today

Act = Callable[[httpx.Request], httpx.Response]

WITH_KEYS = sorted(name for name in SOURCES if any(one.secret for one in facts(name).needs_credentials))
OVER_HTTP = [name for name in WITH_KEYS if UPSTREAMS[name].over_http]
SIGNED = ("app-store-connect", "google-play")
"""Whose key is a private one: it signs, and is never sent."""


def planted(name: str) -> dict[str, str]:
    """Keys as somebody enters them, the secret ones unlike anything else and with characters that must be escaped."""
    upstream = upstream_today(name, Path("x"))
    given = {"client_id": "app-lumbre", "user": USER, "feed_user": "lupe", **upstream.keys}
    secret = {one.name: f'plant/{name}+{one.name}="9\\f3' for one in facts(name).needs_credentials if one.secret}
    return {**given, **({} if name in SIGNED else secret)}


def secrets_of(name: str, keys: Mapping[str, str]) -> list[str]:
    """The secret ones of those keys; of a private key its lines."""
    found = []
    for one in facts(name).needs_credentials:
        value = keys.get(one.name, "") if one.secret else ""
        inner = json.loads(value)["private_key"] if value.startswith("{") else value
        found += [line for line in inner.splitlines() if line and not line.startswith("-----")]
    return found


@cache
def forms(secret: str) -> frozenset[str]:
    """What a secret may look like: as it is, in an address, in JSON, in a Python literal, and in Base64 at any place.

    So a pair of user and password is found too, however it is packed.
    """
    plain = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1],
             escape(secret)}
    packed = set()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + secret.encode()).decode().rstrip("=")
        core = whole[(0, 2, 3)[before] : -1]
        packed |= {core, core.replace("+", "-").replace("/", "_"), quote(core, safe="")}
    return frozenset(plain | packed)


class Stage(Upstream):
    """A server that does as it is told."""

    def __init__(self, folder: Path, act: Act) -> None:
        super().__init__(folder)
        self.act = act

    def serve(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.act(request)

    def sent(self) -> str:
        """Everything that it was sent."""
        return "\n".join(said_in(request) for request in self.requests)


def said_in(request: httpx.Request) -> str:
    headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
    return f"{request.method} {request.url}\n{headers}\n\n{request.content.decode('utf-8', 'replace')}"


def echo(status: int, form: str) -> Act:
    """Quote back what was sent, in the words of every API at once, and in the headers too."""

    def act(request: httpx.Request) -> httpx.Response:
        said = said_in(request)
        line = " ".join(said.encode("ascii", "replace").decode().split())[:3000]
        headers = {"X-Debug": line, "WWW-Authenticate": f"Bearer error={line}", "Set-Cookie": f"k={line}"}
        if form == "html":
            return httpx.Response(status, html=f"<html><title>{escape(said)}</title>{escape(said)}</html>",
                                  headers=headers)
        part = {"reason": said, "message": said, "code": said, "detail": said, "type": said, "title": said,
                "metadata": {"service": said}}
        told: dict[str, Any] = {
            "message": said, "description": said, "error_description": said, "error_message": said, "title": said,
            "type": said, "detail": said, "ok": False, "error_code": status, "error_type": said, "error_id": 400,
            "errors": [part], "kind": said, "parameters": {}, "access_token": None,
        }
        error = said if form == "flat" else {**part, "status": said, "errors": [part], "details": [part]}
        return httpx.Response(status, json={**told, "error": error}, headers=headers)

    return act
