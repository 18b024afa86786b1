"""The programmable upstreams as they are today: with times of this very hour, and over HTTP throughout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt

from tests.collectors.fakes import NOW, UPSTREAMS, Upstream
from tests.collectors.fakes.app_store_connect import private_key
from tests.collectors.fakes.google import ACCESS


def upstream_today(name: str, folder: Path) -> Upstream:
    """The upstream of a source, whose items begin a few hours ago instead of in the hour at which fakes stand still."""
    kind = UPSTREAMS[name]
    begins = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
    made: Upstream = type(f"{kind.__name__}Today", (kind,), {"start": begins})(folder)
    return made


def come_to_now(upstream: Upstream) -> None:
    """What is added next is of this minute."""
    late = datetime.now(UTC) - timedelta(seconds=60) - upstream.moment()
    upstream.start = upstream.start + late  # type: ignore[misc]


def honest_of(name: str, upstream: Upstream) -> Callable[[httpx.Request], httpx.Response]:
    """How the upstream is asked: most of them as they are, some of them another way."""
    changed = OTHERWISE.get(name)
    return (lambda request: changed(upstream, request)) if changed else upstream.serve


def opened_with(name: str, upstream: Upstream, address: str) -> tuple[Any, Mapping[str, str]]:
    """The query and the keys with which the source asks the upstream at an address."""
    from dataclasses import replace

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


OTHERWISE: dict[str, Callable[[Any, httpx.Request], httpx.Response]] = {
    "app-store-connect": _connect, "google-business": _google, "google-play": _google, "reddit": _reddit,
    "zendesk": _zendesk,
}
