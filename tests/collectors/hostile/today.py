"""The programmable upstreams as they are today: with times of this very hour, and over HTTP throughout."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.collectors.fakes import NOW, UPSTREAMS, Upstream
from tests.collectors.fakes.app_store_connect import private_key
from tests.collectors.fakes.google import ACCESS


def upstream_today(name: str, folder: Path) -> Upstream:
    """The upstream of a source, whose items begin a few hours ago instead of in the hour at which fakes stand still."""
    kind = UPSTREAMS[name]
    begins = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
    made: Upstream = type(f"{kind.__name__}Today", (kind,), {"start": begins})(folder)
    if "service_account" in made.keys:
        account = {**json.loads(made.keys["service_account"]), "private_key": short_key()}
        made.keys = {**made.keys, "service_account": json.dumps(account)}
    return made


@cache
def short_key() -> str:
    """A service account's key of half the usual length: it is loaded for every run, and checked each time."""
    made = rsa.generate_private_key(65537, 1024)
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def come_to_now(upstream: Upstream, count: int) -> None:
    """The next `count` items are of the last minutes, and all of them lie in the past."""
    late = datetime.now(UTC) - (count + 2) * upstream.spacing - upstream.moment()
    upstream.start = upstream.start + late  # type: ignore[misc]


def honest_of(name: str, upstream: Upstream) -> Callable[[httpx.Request], httpx.Response]:
    """How the upstream is asked: most of them as they are, some of them another way."""
    changed = OTHERWISE.get(name)
    return (lambda request: changed(upstream, request)) if changed else upstream.serve


def opened_with(name: str, upstream: Upstream, address: str) -> tuple[Any, Mapping[str, str]]:
    """The query and the keys with which the source asks the upstream at an address."""
    query = upstream.query
    if name == "rss":  # its address is the query
        query = replace(query, text=f"{address}/feed.xml")
    return query, {**upstream.keys, "base_url": address}


def _google(upstream: Upstream, request: httpx.Request) -> httpx.Response:
    """The fake's sign-in knows one hour alone."""
    if request.url.path == "/token":
        upstream.requests.append(request)
        return httpx.Response(200, json={"access_token": ACCESS, "expires_in": 3599, "token_type": "Bearer"})
    return upstream.serve(request)


def _connect(upstream: Upstream, request: httpx.Request) -> httpx.Response:
    """The fake wants a signature of the hour at which it stands still."""
    said = {"iss": upstream.keys["issuer_id"], "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 600,
            "aud": "appstoreconnect-v1"}
    token = jwt.encode(said, private_key(), algorithm="ES256", headers={"kid": upstream.keys["key_id"]})
    request.headers["Authorization"] = f"Bearer {token}"
    return upstream.serve(request)


def _zendesk(upstream: Upstream, request: httpx.Request) -> httpx.Response:
    """The fake does not hear of a start after the hour at which it stands still."""
    if "start_time" in request.url.params:
        start = min(int(request.url.params["start_time"]), int(NOW.timestamp()) - 61)
        request = httpx.Request(
            request.method, request.url.copy_set_param("start_time", str(start)), headers=request.headers
        )
    return upstream.serve(request)


def _reddit(upstream: Any, request: httpx.Request) -> httpx.Response:
    """The fake's API is a session of requests; its feeds are HTTP."""
    if request.url.path.endswith(".rss"):
        served: httpx.Response = upstream.serve(request)
        return served
    upstream.requests.append(request)
    told = upstream.request(
        request.method, str(request.url.copy_with(query=None)), params=dict(request.url.params)
    )
    return httpx.Response(told.status_code, headers=dict(told.headers), content=told.content)


def _graph(upstream: Any, request: httpx.Request) -> httpx.Response:
    """The fake breaks on a cursor that it never gave; Graph answers with an error."""
    try:
        served: httpx.Response = upstream.serve(request)
    except ValueError:
        served = upstream.wrong(100)
    return served


OTHERWISE: dict[str, Callable[[Any, httpx.Request], httpx.Response]] = {
    "app-store-connect": _connect, "facebook": _graph, "google-business": _google, "google-play": _google,
    "instagram": _graph, "reddit": _reddit, "threads": _graph, "zendesk": _zendesk,
}
