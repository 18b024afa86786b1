"""Keeps strangers' pages out: who may address us, who may send us a form, and what a page of ours may load."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from escucha.errors import EscuchaError, Invalid, Refused

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
HOOKS = "/hooks/"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Refuse = Callable[[Request, EscuchaError], Response]


class Guard:
    """Middleware: refuses a foreign Host and foreign forms, and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, host: str, refuse: Refuse) -> None:
        self.app, self.host, self.refuse = app, host, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's own signature."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        problem = objection(scope["method"], scope["path"], Headers(scope=scope), self.host)
        target = self.refuse(Request(scope), problem) if problem else self.app
        await target(scope, receive, send_guarded)


def objection(method: str, path: str, headers: Headers, own_host: str) -> EscuchaError | None:
    """Why a request is not served, or None. Names are what DNS rebinding needs, so only known ones are let in.

    What is sent to a hook comes under any name and from anywhere: its signature says whose it is.
    """
    if path.startswith(HOOKS):
        return None
    host = headers.get("host", "")
    if not known_host(_name(host), own_host):
        return Invalid("This address ({host}) is not one that Escucha serves. Set `host` to it, or use localhost.",
                       host=host)
    if method not in SAFE_METHODS and not same_origin(headers, host):
        return Refused("The request comes from another site and was not carried out.")
    return None


def known_host(name: str, own_host: str) -> bool:
    """Whether a Host is ours; one that listens everywhere takes its own name and literal addresses as well."""
    if name in LOOPBACK or name == own_host:
        return True
    return own_host in ("0.0.0.0", "::") and (_literal(name) or name == socket.gethostname().lower())  # noqa: S104


def same_origin(headers: Headers, host: str) -> bool:
    """Whether the sender is our own page or no page at all (a program sends neither header)."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or urlsplit(origin).netloc == host


def _name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _literal(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
