"""How Escucha visits a web address: politely, in bounded time and memory, and never inside your own network."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

from collectors.clock import WALL, Clock
from collectors.guard import GuardedBackend
from collectors.meter import quota_of
from collectors.pace import Allowance, Pace, pace_at
from collectors.unpack import CHUNK, unpack
from collectors.verdict import LONGEST_WAIT, RETRIED, WAITS, judge
from escucha.errors import Refused, SourceError, TryLater
from escucha.source import Quota

for _talker in ("httpx", "httpcore"):  # they would log whole addresses and headers, and some hold a key
    logging.getLogger(_talker).setLevel(logging.WARNING)

MAX_REDIRECTS = 5
MAX_REASON = 65_536
"""Bytes of a failed request's answer that are read, for the upstream's own reason."""
KEPT_ON_REDIRECT = ("user-agent", "accept-encoding", "accept")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebOptions:
    """How collectors behave towards the web.

    `deadline` is in seconds for one fetch, redirects and repeats included; `max_bytes` bounds one answer, unpacked;
    `pace` is the seconds between two requests to one host; `allow_hosts` (`host` or `host:port`) opens single hosts
    that the address guard refuses; `contact` goes into the user agent. `shared` is a folder through which all
    processes of this machine keep the pace together.
    """

    contact: str = ""
    deadline: float = 30.0
    max_bytes: int = 5_000_000
    pace: float = 1.0
    allow_hosts: tuple[str, ...] = ()
    shared: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the final address, the headers (lower-case names) and the unpacked body."""

    url: str = field(repr=False)
    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def unchanged(self) -> bool:
        """Nothing new since the validators that we sent."""
        return self.status == 304

    @property
    def validators(self) -> dict[str, str]:
        """What to send next time, to be told "nothing new" cheaply. Save it only once the answer is saved."""
        return {name: self.headers[name] for name in ("etag", "last-modified") if name in self.headers}

    @property
    def host(self) -> str:
        """Who answered, for a message: the host alone, as paths and queries may hold tokens."""
        return httpx.URL(self.url).host

    def json(self) -> Any:
        """The body as JSON. Raises TryLater where it is none: it broke off, or a web page stands in its place."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise TryLater(
                "The answer of {host} cannot be read. Nothing is lost: the watch goes on by itself.", host=self.host
            ) from None


Verdict = Callable[[Answer], SourceError | None]
"""What an answer means where the upstream says more than HTTP does: its own errors, some under status 200."""


def user_agent(contact: str) -> str:
    """Who we are, honestly: `Escucha/<version> (+contact)`. Only what a header can carry is kept."""
    bare = "".join(c for c in contact if c.isascii() and c.isprintable() and c not in "()").strip()
    return f"Escucha/{_version()}" + (f" (+{bare})" if bare else "")


class Web:
    """Fetches addresses as WebOptions say. A `transport` given (in tests) takes the place of the guarded network.

    `credential` is what the requests are signed with, if anything: requests with one credential keep one pace,
    whatever asks. It is kept as a fingerprint. `quota` is what the upstream last said of its own limit.
    """

    def __init__(
        self,
        options: WebOptions,
        *,
        clock: Clock = WALL,
        pace: Pace | None = None,
        transport: httpx.BaseTransport | None = None,
        credential: str = "",
    ) -> None:
        self._options = options
        self._clock = clock
        self._pace = pace or pace_at(options.shared)
        self._transport = transport
        self._mark = sha256(credential.encode(errors="replace")).hexdigest()[:12] if credential else ""
        self.quota: Quota | None = None

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        validators: Mapping[str, str] | None = None,
        verdict: Verdict | None = None,
    ) -> Answer:
        """The answer at an address; `validators` of an earlier answer make it conditional.

        Raises:
            TryLater: the server asks for patience, is down or too slow.
            Refused: the address, the key or the answer is one a person must look at.
        """
        said = {**(headers or {}), **_conditions(validators or {})}
        return self._ask(self._request("GET", url, params or {}, said), verdict)

    def post(
        self,
        url: str,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        verdict: Verdict | None = None,
    ) -> Answer:
        """The answer to a JSON body or a form. It is sent again like a `get`, so it must be safe to repeat.

        Raises:
            TryLater, Refused: as `get`.
        """
        return self._ask(self._request("POST", url, params or {}, headers or {}, json=json, form=form), verdict)

    def spend(self, host: str, units: int, allowance: Allowance) -> None:
        """Take units of the credential's allowance at a host. Raises TryLater when it is used up."""
        self.quota = self._pace.spend(f"{host} {self._mark}", units, allowance, self._clock)

    def _ask(self, request: httpx.Request, verdict: Verdict | None) -> Answer:
        self._wait(_server(request.url))
        ends = self._clock.monotonic() + self._options.deadline
        for wait in WAITS:
            try:
                return self._once(request, ends, verdict)
            except TryLater as error:
                if not _worth_retrying(error) or self._clock.monotonic() + wait >= ends:
                    self._hold(_server(request.url), error.after)
                    raise
            self._clock.sleep(wait)
        return self._once(request, ends, verdict)

    def _wait(self, host: str) -> None:
        for turn in self._turns(host):
            self._pace.wait(turn, self._options.pace, self._clock)

    def _turns(self, host: str) -> list[str]:
        return [host, f"{host} {self._mark}"] if self._mark else [host]

    def _hold(self, host: str, seconds: float | None) -> None:
        """Make everyone who asks with this credential (or, without one, this host) wait as long as it was said."""
        if seconds and seconds > 0:
            self._pace.hold(self._turns(host)[-1], min(seconds, LONGEST_WAIT), self._clock)

    def _request(
        self, method: str, url: str, params: Mapping[str, str], headers: Mapping[str, str], *, json: Any = None,
        form: Mapping[str, str] | None = None,
    ) -> httpx.Request:
        try:
            address = httpx.URL(url.strip()).copy_merge_params(dict(params))
            if address.scheme not in ("http", "https") or not address.host:
                raise _not_web()
            agent = user_agent(self._options.contact)
            return httpx.Request(
                method, address, headers={"User-Agent": agent, "Accept-Encoding": "gzip, deflate", **_fit(headers)},
                json=json, data=dict(form) if form is not None else None,
            )
        except (httpx.InvalidURL, UnicodeError, ValueError):
            raise _not_web() from None

    def _once(self, request: httpx.Request, ends: float, verdict: Verdict | None) -> Answer:
        first = request.url
        with self._client(ends) as client:
            for _ in range(MAX_REDIRECTS + 1):
                with self._translated(request.url.host):
                    response = client.send(request, stream=True)
                    try:
                        if response.next_request is None:
                            return self._read(response, ends, verdict)
                    finally:
                        response.close()
                    # Its body is never read: httpx would unpack all of it.
                    request = _without_secrets(response.next_request, first)
                self._pace.wait(_server(request.url), self._options.pace, self._clock)
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

    def _read(self, response: httpx.Response, ends: float, verdict: Verdict | None) -> Answer:
        host = response.url.host
        headers = {name.lower(): value for name, value in response.headers.items()}
        now = self._clock.now()
        told = quota_of(headers, now)
        self.quota = told or self.quota
        if told and told.remaining == 0 and told.resets_at:
            self._hold(_server(response.url), (told.resets_at - now).total_seconds())
        error = judge(response.status_code, headers, now, host)
        if error is not None:
            raise self._reason(response, headers, ends, verdict) or error
        answer = self._answer(response, headers, ends, self._options.max_bytes)
        said = verdict(answer) if verdict else None
        if said is not None:
            raise said
        return answer

    def _reason(
        self, response: httpx.Response, headers: Mapping[str, str], ends: float, verdict: Verdict | None
    ) -> SourceError | None:
        """What the upstream itself says of a failed request, if anything is known of it."""
        if verdict is None:
            return None
        try:
            return verdict(self._answer(response, headers, ends, MAX_REASON))
        except (SourceError, httpx.TransportError):
            return verdict(Answer(url=str(response.url), status=response.status_code, headers=headers))

    def _answer(self, response: httpx.Response, headers: Mapping[str, str], ends: float, limit: int) -> Answer:
        packing = headers.get("content-encoding", "").strip().lower()
        body = b"" if response.status_code in (204, 304) else unpack(
            self._in_time(response.iter_raw(CHUNK), ends), packing, limit, response.url.host
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
def _version() -> str:
    return version("escucha")  # read once: each reading goes through a file of the installed package


@cache
def _tls() -> SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _server(url: httpx.URL) -> str:
    """What keeps a pace of its own: a host, with its port where that is not the usual one."""
    return url.netloc.decode("ascii")


def _without_secrets(request: httpx.Request, first: httpx.URL) -> httpx.Request:
    """A request that a redirect sends elsewhere carries none of our keys (httpx strips Authorization alone).

    Another port is elsewhere too, and so is the same server without encryption.
    """
    if _server(request.url) == _server(first) and request.url.scheme in (first.scheme, "https"):
        return request
    kept = {name: value for name, value in request.headers.items() if name.lower() in KEPT_ON_REDIRECT}
    return httpx.Request("GET", request.url, headers=kept)


def _conditions(validators: Mapping[str, str]) -> dict[str, str]:
    names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    return {header: told for name, header in names.items() if (told := validators.get(name, "")) and _is_fit(told)}


def _fit(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as they can travel, without the blanks and line breaks around a key that was pasted."""
    bare = {name: value.strip() for name, value in headers.items()}
    if not all(map(_is_fit, bare.values())):
        raise Refused("The key holds a line break, or a letter that keys do not have. Enter it again.")
    return bare


def _is_fit(value: str) -> bool:
    return value.isascii() and value.isprintable()


def _worth_retrying(error: TryLater) -> bool:
    if error.after is not None:
        return False
    return bool(error.details.get("passing")) or error.details.get("status") in RETRIED


def _not_web() -> SourceError:
    return Refused("This is no web address. Write one that starts with http:// or https://.")
