"""How Escucha visits a web address: politely, in bounded time and memory, and never inside your own network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

from collectors.clock import WALL, Clock
from collectors.guard import GuardedBackend
from collectors.pace import PROCESS, Pace
from collectors.unpack import CHUNK, unpack
from collectors.verdict import RETRIED, WAITS, judge
from escucha.errors import Refused, SourceError, TryLater

MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class WebOptions:
    """How collectors behave towards the web.

    `deadline` is in seconds for one fetch, redirects and repeats included; `max_bytes` bounds one answer, unpacked;
    `pace` is the seconds between two requests to one host; `allow_hosts` (`host` or `host:port`) opens single hosts
    that the address guard refuses; `contact` goes into the user agent.
    """

    contact: str = ""
    deadline: float = 30.0
    max_bytes: int = 5_000_000
    pace: float = 1.0
    allow_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the final address, the headers (lower-case names) and the unpacked body."""

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def unchanged(self) -> bool:
        """Nothing new since the validators that we sent."""
        return self.status == 304

    @property
    def validators(self) -> dict[str, str]:
        """What to send next time, to be told "nothing new" cheaply. Save it only once the answer is saved."""
        return {name: self.headers[name] for name in ("etag", "last-modified") if name in self.headers}


def user_agent(contact: str) -> str:
    """Who we are, honestly: `Escucha/<version> (+contact)`. Only what a header can carry is kept."""
    bare = "".join(c for c in contact if c.isascii() and c.isprintable() and c not in "()").strip()
    return f"Escucha/{version('escucha')}" + (f" (+{bare})" if bare else "")


class Web:
    """Fetches addresses as WebOptions say. A `transport` given (in tests) takes the place of the guarded network."""

    def __init__(
        self,
        options: WebOptions,
        *,
        clock: Clock = WALL,
        pace: Pace = PROCESS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._options = options
        self._clock = clock
        self._pace = pace
        self._transport = transport

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        validators: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer at an address; `validators` of an earlier answer make it conditional.

        Raises:
            TryLater: the server asks for patience, is down or too slow.
            Refused: the address, the key or the answer is one a person must look at.
        """
        request = self._request(url, params or {}, {**(headers or {}), **_conditions(validators or {})})
        self._pace.wait(request.url.host, self._options.pace, self._clock)
        ends = self._clock.monotonic() + self._options.deadline
        for wait in WAITS:
            try:
                return self._once(request, ends)
            except TryLater as error:
                if not _worth_retrying(error) or self._clock.monotonic() + wait >= ends:
                    raise
            self._clock.sleep(wait)
        return self._once(request, ends)

    def _request(self, url: str, params: Mapping[str, str], headers: Mapping[str, str]) -> httpx.Request:
        try:
            address = httpx.URL(url.strip()).copy_merge_params(dict(params))
            if address.scheme not in ("http", "https") or not address.host:
                raise _not_web()
            agent = user_agent(self._options.contact)
            return httpx.Request(
                "GET", address, headers={"User-Agent": agent, "Accept-Encoding": "gzip, deflate", **headers}
            )
        except (httpx.InvalidURL, UnicodeError, ValueError):
            raise _not_web() from None

    def _once(self, request: httpx.Request, ends: float) -> Answer:
        with self._client(ends) as client:
            for _ in range(MAX_REDIRECTS + 1):
                with self._translated(request.url.host):
                    response = client.send(request, stream=True)
                    try:
                        if response.next_request is None:
                            return self._read(response, ends)
                    finally:
                        response.close()
                    # Its body is never read: httpx would unpack all of it.
                    request = response.next_request
                self._pace.wait(request.url.host, self._options.pace, self._clock)
        raise Refused("{host} sends us round in circles. Use the final address.", host=request.url.host)

    @contextmanager
    def _client(self, ends: float) -> Iterator[httpx.Client]:
        # One client a fetch: its connections know the fetch's deadline. Proxies of the environment would go round
        # the guard, so the environment is not asked.
        transport = self._transport or _GuardedTransport(GuardedBackend(self._options.allow_hosts, self._left(ends)))
        client = httpx.Client(transport=transport, trust_env=False, timeout=self._options.deadline)
        try:
            yield client
        finally:
            if transport is not self._transport:
                client.close()

    def _left(self, ends: float) -> Any:
        def left() -> float:
            seconds = ends - self._clock.monotonic()
            if seconds <= 0:
                raise httpcore.ReadTimeout("deadline")
            return seconds

        return left

    def _read(self, response: httpx.Response, ends: float) -> Answer:
        host = response.url.host
        headers = {name.lower(): value for name, value in response.headers.items()}
        error = judge(response.status_code, headers, self._clock.now(), host)
        if error is not None:
            raise error
        packing = headers.get("content-encoding", "").strip().lower()
        body = b"" if response.status_code == 304 else unpack(
            self._in_time(response.iter_raw(CHUNK), ends), packing, self._options.max_bytes, host
        )
        return Answer(url=str(response.url), status=response.status_code, headers=headers, body=body)

    def _in_time(self, chunks: Iterator[bytes], ends: float) -> Iterator[bytes]:
        for chunk in chunks:
            if self._clock.monotonic() > ends:
                raise httpx.ReadTimeout("deadline")
            yield chunk

    @contextmanager
    def _translated(self, host: str) -> Iterator[None]:
        """Turn httpx's errors into ours; their texts are left out, as they may quote an address with a token."""
        try:
            yield
        except httpx.TimeoutException:
            raise TryLater(
                "{host} did not answer within {seconds} seconds. Nothing is lost: the watch goes on by itself.",
                host=host, seconds=self._options.deadline,
            ) from None
        except httpx.UnsupportedProtocol:
            raise _not_web() from None
        except httpx.ConnectError:
            raise TryLater(
                "{host} cannot be reached. Check that the address is right; if it is, the watch goes on by itself.",
                host=host, passing=True,
            ) from None
        except (httpx.TransportError, httpx.InvalidURL):
            raise TryLater(
                "The answer of {host} broke off. Nothing is lost: the watch goes on by itself.", host=host, passing=True
            ) from None


class _GuardedTransport(httpx.HTTPTransport):
    """httpx's own transport over the guarded network, for which it has no argument."""

    def __init__(self, backend: GuardedBackend) -> None:
        self._pool = httpcore.ConnectionPool(ssl_context=_tls(), network_backend=backend)


@cache
def _tls() -> SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _conditions(validators: Mapping[str, str]) -> dict[str, str]:
    names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    return {header: validators[name] for name, header in names.items() if validators.get(name)}


def _worth_retrying(error: TryLater) -> bool:
    if error.after is not None:
        return False
    return bool(error.details.get("passing")) or error.details.get("status") in RETRIED


def _not_web() -> SourceError:
    return Refused("This is no web address. Write one that starts with http:// or https://.")
