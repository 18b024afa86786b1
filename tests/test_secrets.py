"""No key of a source is ever seen: in a log, an error, the database, a file beside it, or at another server.

Every source with keys runs through the pipeline against servers that do their worst with what they were sent: they
quote it in errors and headers, send it elsewhere, or break off in its middle. Then every place is searched for it.
"""

from __future__ import annotations

import json
import logging
import pickle
import socket
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.http import WebOptions
from escucha.brand import Brand, Query, Watch
from escucha.errors import EscuchaError
from escucha.source import Delivery
from nlp.chain import ModelOptions
from pipeline.collect import collect_due
from pipeline.followers import fill_followers
from pipeline.means import Means
from pipeline.pool import Inline
from pipeline.pull import Order
from pipeline.receive import receive
from pipeline.recheck import recheck_due
from pipeline.renewal import renew_due
from pipeline.trying import try_watch
from store import brands, credentials, watches
from store.engine import Store
from store.vault import Vault, new_key
from tests import make
from tests.collectors.fakes import SECRET
from tests.collectors.fakes.mailbox import MailboxUpstream
from tests.collectors.fakes.webhook import delivery
from tests.collectors.hostile.today import honest_of, upstream_today
from tests.planted import OVER_HTTP, SIGNED, WITH_KEYS, Act, Stage, echo, forms, planted, said_in, secrets_of

SIGN_INS = ("/token", "/api/v1/access_token", "/oauth/token", "createSession", "refreshSession")
IMPATIENT = 0.45
"""Seconds for a fetch: too few for the pause before a second try."""


def now() -> datetime:
    return datetime.now(UTC)


# How it is looked for


@dataclass
class Searched:
    """What must be nowhere, and what was found of it after all: the situation, the place, and the form it had."""

    secrets: list[str]
    found: set[tuple[str, str, str]] = field(default_factory=set)
    situation: str = ""

    def look(self, place: str, said: str | bytes) -> None:
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        for secret in self.secrets:
            self.found |= {(self.situation, place, form) for form in forms(secret) if form in text}

    def look_at_error(self, place: str, error: BaseException | None) -> None:
        if error is None:
            return
        self.look(f"{place}: the error", f"{error} {error!r} {getattr(error, 'details', '')}")
        self.look(f"{place}: its traceback", "".join(traceback.format_exception(error)))

    def look_at_result(self, place: str, result: Any) -> None:
        """What a worker hands back: as it travels, as it prints, and the errors in it."""
        self.look(f"{place}: pickled", pickle.dumps(result))
        self.look(f"{place}: printed", repr(result))
        for part in result if isinstance(result, tuple) else [result]:
            for error in (part, getattr(part, "problem", None), getattr(part, "doubt", None)):
                self.look_at_error(place, error if isinstance(error, BaseException) else None)


class Overheard(Inline):
    """A pool that keeps what came back."""

    def __init__(self) -> None:
        self.results: list[Any] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        self.results.append(future.exception() or future.result())
        return future


# What servers do


def elsewhere(status: int, address: str) -> Act:
    return lambda request: httpx.Response(status, headers={"Location": f"{address}/elsewhere"})


def broken(body: str) -> Act:
    """An answer of the right status whose form nobody expects."""
    return lambda request: httpx.Response(200, text=body.replace("SAID", json.dumps(said_in(request))[1:-1]))


def after_sign_in(honest: Act, act: Act) -> Act:
    """Let them sign in, and misbehave then."""
    return lambda request: (honest if request.url.path.endswith(SIGN_INS) else act)(request)


FORMS = {400: ("nested", "html"), 401: ("flat", "nested"), 403: ("nested", "html"), 404: ("flat",), 429: ("flat",),
         500: ("flat", "nested", "html")}
ECHOES = {f"{status} {form}": echo(status, form) for status, forms in FORMS.items() for form in forms}
BROKEN = {body: broken(body) for body in (
    "", "SAID", '"SAID"', '{"data": "SAID", "items": "SAID", "result": "SAID", "posts": "SAID"}', "[[], 1]",
    '{"items": [1], "kind": "xListResponse", "has_more": 7, "backoff": "SAID"}', '{"data": {"children": {"x": 1}}}',
    '{"data": [[]], "meta": "SAID", "links": "SAID", "paging": "SAID"}', '{"result": [[], 4], "ok": true}',
    '{"posts": [7], "tickets": [[]], "reviews": [null], "conversations": [3], "pages": "SAID", "version": {}}',
)}  # fmt: skip


# An installation


@dataclass
class Installation:
    """A source with its keys entered in the page, a watch, and everything around that is searched."""

    name: str
    folder: Path
    store: Store
    means: Means
    pool: Overheard
    brand: Brand
    watch: Watch
    searched: Searched
    log: pytest.LogCaptureFixture
    output: pytest.CaptureFixture[str]

    @contextmanager
    def during(self, situation: str) -> Iterator[None]:
        """Search everything that came of a situation."""
        self.searched.situation = situation
        self.pool.results.clear()
        self.log.clear()
        yield
        for result in self.pool.results:
            self.searched.look_at_result("what came from the pool", result)
        self.searched.look("the log", self.log.text)
        out, err = self.output.readouterr()
        self.searched.look("stdout and stderr", out + err)

    def run(self) -> Any:
        """Run the watch, paused or not."""
        with self.store.write() as session:
            watches.run_now(session, self.watch.id, now())
        return collect_due(self.means, now())

    def search_files(self) -> None:
        """Search the database as it lies on the disk, and whatever lies beside it."""
        self.searched.situation = "at the end"
        for path in [path for path in self.folder.rglob("*") if path.is_file()]:
            self.searched.look(f"the file {path.name}", path.name.encode() + b"\n" + path.read_bytes())


@dataclass(frozen=True, slots=True)
class Place:
    """A server and its address."""

    stage: Stage
    address: str


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Place]]:
    """Three servers that run as long as the tests of this module."""
    stages = [Stage(tmp_path_factory.mktemp("server"), echo(500, "flat")) for _ in range(3)]
    with ExitStack() as stack:
        yield [Place(stage, stack.enter_context(stage.on_loopback())) for stage in stages]


@pytest.fixture
def places(running: list[Place]) -> list[Place]:
    """The servers as if they had just begun."""
    for place in running:
        place.stage.requests.clear()
    return running


@pytest.fixture
def install(
    sqlite_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Installation]:
    """Make an installation; whatever logs, logs all it has to say."""
    caplog.set_level(logging.DEBUG)

    def made(
        name: str, query: Query, keys: Mapping[str, str], settled: Mapping[str, str], hosts: Iterable[str],
        deadline: float = 30.0,
    ) -> Installation:
        pool, vault = Overheard(), Vault(new_key())
        open_hosts = tuple(host.removeprefix("http://") for host in hosts)
        web = WebOptions(allow_hosts=open_hosts, pace=0, deadline=deadline, shared=str(tmp_path / "pace"))
        means = Means(store=sqlite_store, pool=pool, web=web, models=ModelOptions(), vault=vault,
                      keys={name: settled})
        with sqlite_store.write() as session:
            brand = brands.add(session, make.brand())
            credentials.put(session, vault, name, brand.id, keys, now() - timedelta(days=51))
            watch = watches.add(session, brand.id or 0, name, query, 60, now())
        return Installation(
            name=name, folder=tmp_path, store=sqlite_store, means=means, pool=pool, brand=brand, watch=watch,
            searched=Searched(secrets_of(name, keys)), log=caplog, output=capfd,
        )

    return made


def test_every_source_with_keys_is_tried() -> None:
    assert set(WITH_KEYS) == {*OVER_HTTP, "mailbox", "webhook"}
    assert len(OVER_HTTP) >= 20


@dataclass(frozen=True, slots=True)
class Case:
    """A way to ask a source: with these keys, for this."""

    source: str
    keys: Mapping[str, str]
    query: Query


def case_of(name: str, keys: Mapping[str, str], folder: Path) -> Case:
    """The way to ask a source that needs its keys; some have two."""
    source, _, way = name.partition(" ")
    query = upstream_today(source, folder).query
    if source == "telegram":
        query = Query(text="")
    if source == "reddit":
        names = ("feed_user", "feed_token") if way else ("client_id", "client_secret")
        keys = {name: keys[name] for name in names}
    return Case(source, keys, query)


@pytest.mark.parametrize("name", [*OVER_HTTP, "reddit feeds"])
def test_a_server_that_quotes_a_key_back_makes_it_appear_nowhere(
    name: str, install: Callable[..., Installation], tmp_path: Path, places: list[Place]
) -> None:
    case, at = case_of(name, planted(name.partition(" ")[0]), tmp_path), places[0]
    installed = install(case.source, case.query, case.keys, {"base_url": at.address}, [at.address], IMPATIENT)
    for situation, act in {**ECHOES, **BROKEN}.items():
        at.stage.act = act
        with installed.during(situation):
            (outcome,) = installed.run()
        assert outcome.problem is not None or situation not in ECHOES, situation
    installed.search_files()
    for secret in installed.searched.secrets if name not in SIGNED else []:
        assert any(form in at.stage.sent() for form in forms(secret)), f"{secret} was never sent: nothing was tried"
    assert installed.searched.found == set()


@pytest.mark.parametrize("name", [*OVER_HTTP, "reddit feeds"])
def test_a_key_does_not_follow_to_another_server(
    name: str, install: Callable[..., Installation], tmp_path: Path, places: list[Place]
) -> None:
    case = case_of(name, planted(name.partition(" ")[0]), tmp_path)
    first, other, closed = places
    other.stage.act = closed.stage.act = echo(200, "flat")
    hosts = [first.address, other.address]
    installed = install(case.source, case.query, case.keys, {"base_url": first.address}, hosts)
    for status in (301, 302, 303, 307, 308):
        first.stage.act = elsewhere(status, other.address)
        with installed.during(f"{status} to another server"):
            installed.run()
    first.stage.act = elsewhere(307, closed.address)
    with installed.during("307 to a private server that is not open"):
        installed.run()
    installed.search_files()
    assert other.stage.requests, "the redirect was not followed, so nothing was tried"
    assert not [form for secret in installed.searched.secrets for form in forms(secret) if form in other.stage.sent()]
    assert closed.stage.requests == []
    assert installed.searched.found == set()


def deepened(honest: Act) -> Act:
    """Honest answers, in whose objects something lies that is nested so deep that a mapping breaks off in it."""
    hole: Any = 1
    for _ in range(450):
        hole = [hole]

    def act(request: httpx.Request) -> httpx.Response:
        answer = honest(request)
        try:
            told = answer.json()
        except ValueError:
            return answer

        def dug(value: Any) -> Any:
            if isinstance(value, dict):
                return {**{name: dug(entry) for name, entry in value.items()}, "deep": hole}
            return [dug(entry) for entry in value] if isinstance(value, list) else value

        return httpx.Response(answer.status_code, json=dug(told))

    return act


@pytest.mark.parametrize("name", OVER_HTTP)
def test_what_is_asked_of_an_honest_server_shows_no_key_either(
    name: str, install: Callable[..., Installation], tmp_path: Path, places: list[Place]
) -> None:
    upstream, at = upstream_today(name, tmp_path), places[0]
    upstream.add(6)
    case, honest = case_of(name, upstream.keys, tmp_path), honest_of(name, upstream)
    installed = install(name, case.query, case.keys, {"base_url": at.address}, [at.address], IMPATIENT)
    searched, means, later = installed.searched, installed.means, now() + timedelta(days=61)
    searched.secrets = [SECRET, *searched.secrets]
    keys = {**case.keys, "base_url": at.address}
    order = Order(source=name, query=case.query, cursor=None, web=means.web, keys=keys)
    at.stage.act = honest
    with installed.during("an honest run"):
        (outcome,) = installed.run()
    assert (outcome.problem, outcome.saved.new) == (None, 6)
    with installed.during("honest second looks, and a trial"):
        fill_followers(means, now())
        recheck_due(means, later)
        searched.look_at_result("the trial", try_watch(order, now()))
    with installed.during("a crash"):
        crashed = try_watch(replace(order, query=Query(text=None)), now())  # type: ignore[arg-type]
        searched.look_at_result("the crash", crashed)
    assert "stopped on something it does not know" in str(crashed.problem)
    assert "Traceback" in installed.log.text
    worse = {"403 nested": echo(403, "nested"), "401 flat": echo(401, "flat"), "depths": deepened(honest)}
    if name == "reddit":
        del worse["401 flat"]  # praw waits long before it signs in again
    for situation, act in worse.items():
        at.stage.act = after_sign_in(honest, act)
        with installed.during(situation):
            installed.run()
            fill_followers(means, later + timedelta(days=61))
            recheck_due(means, later + timedelta(days=61))
            searched.look_at_result("the trial", try_watch(order, now()))
    at.stage.act = honest
    with installed.during("a renewal"):
        renew_due(replace(means, pool=Inline()), now())
    at.stage.act = echo(400, "flat")
    with installed.during("a renewal that fails"):
        renew_due(means, later)
    installed.search_files()
    assert searched.found == set()


def test_an_address_that_stands_in_a_post_is_not_completed_with_the_token_of_a_feed(
    install: Callable[..., Installation], tmp_path: Path, places: list[Place]
) -> None:
    case, place = case_of("reddit feeds", planted("reddit"), tmp_path), places[0]
    said = escape('<div class="md"><p>Lumbre <a href="#s">spoiler</a> <a href="">aquí</a></p></div>')
    at = now().isoformat()
    feed = (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><author><name>/u/a</name></author><id>t3_1</id>'
        f'<content type="html">{said}</content><link href=""/><published>{at}</published><updated>{at}</updated>'
        f"<title>Cafés Lumbre</title></entry></feed>"
    )
    place.stage.act = lambda request: httpx.Response(200, text=feed)
    installed = install("reddit", case.query, case.keys, {"base_url": place.address}, [place.address])
    with installed.during("a post with bare links"):
        (outcome,) = installed.run()
    installed.search_files()
    assert outcome.saved.new == 1
    assert installed.searched.found == set()


# Mailboxes, and what is sent to us


@contextmanager
def imap(upstream: MailboxUpstream) -> Iterator[str]:
    """A mail server on loopback: its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=upstream._listen, args=(server,), daemon=True).start()
        yield str(server.getsockname()[1])


@pytest.mark.parametrize("way", ["password", "token", "refresh_token"])
def test_a_mail_server_that_quotes_the_password_makes_it_appear_nowhere(
    way: str, install: Callable[..., Installation], tmp_path: Path
) -> None:
    upstream, given = MailboxUpstream(tmp_path), planted("mailbox")
    upstream.put(b"From: ana@cliente.example\r\nSubject: Lumbre\r\n\r\nEl cafe de Lumbre\r\n", now())
    names = ("client_id", "client_secret", "refresh_token") if way == "refresh_token" else (way,)
    keys = {name: given[name] for name in ("host", "user", *names)}
    access = "plant/mailbox+access=\"9\\f3"
    provider = Stage(tmp_path, lambda request: httpx.Response(200, json={"access_token": access}))
    with imap(upstream) as port, provider.on_loopback() as address:
        settled = {"tls": "no", "port": port, "base_url": address}
        installed = install("mailbox", Query(text="INBOX"), keys, settled, [f"127.0.0.1:{port}", address], IMPATIENT)
        installed.searched.secrets += [access]
        with installed.during("an honest run"):
            (outcome,) = installed.run()
        assert (outcome.problem, outcome.saved.new) == (None, 1)
        sent = access if way == "refresh_token" else given[way]
        assert sent in upstream.signed_in[-1]
        quoted = " ".join(form for form in forms(sent) if '"' not in form and "\\" not in form)
        for word in ("[AUTHENTICATIONFAILED]", "[UNAVAILABLE] try again", "app password", "web login"):
            upstream.denied = f'{word} {sent} {quoted}'
            for capabilities in ("IMAP4rev1 AUTH=PLAIN", "IMAP4rev1"):
                upstream.capabilities = capabilities
                with installed.during(f"{word} {capabilities}"):
                    (outcome,) = installed.run()
                assert outcome.problem is not None
        for situation, act in ECHOES.items():
            provider.act = act
            with installed.during(f"the provider: {situation}"):
                installed.run()
        installed.search_files()
    assert bool(provider.requests) == (way == "refresh_token")
    assert installed.searched.found == set()


def test_a_hook_that_is_sent_its_secret_keeps_nothing_of_it(
    install: Callable[..., Installation]
) -> None:
    secret = planted("webhook")["secret"]
    installed = install("webhook", Query(text="generic"), {"secret": secret}, {}, [])
    with installed.store.write() as session:
        brand = installed.brand.id or 0
        hook = watches.add(session, brand, "webhook", Query(text="generic x"), 60, now(), hook="llave")
    headers = {"content-type": "application/json", "authorization": f"Bearer {secret}"}
    bodies = [b'{"text": "Lumbre", "rating": 99}', b"{", b'[{"text": "Lumbre"}, 7]', b'{"text": "Caf\xc3\xa9 Lumbre"}']
    deliveries = [Delivery(headers=headers, body=body, at=now()) for body in bodies]
    deliveries += [
        replace(deliveries[0], headers={**headers, "authorization": f"Bearer {secret}x"}),
        replace(delivery({"text": "Lumbre"}, secret, at=now()), body=b"{}"), delivery({}, secret, at=now()),
    ]
    for number, sent in enumerate(deliveries):
        with installed.during(f"delivery {number}"):
            try:
                told = receive(installed.store, installed.means.vault, {}, installed.means.web, "llave", sent, now())
                installed.searched.look_at_result("what became of it", told)
            except EscuchaError as error:
                installed.searched.look_at_error("what was said", error)
    installed.search_files()
    with installed.store.read() as session:
        assert [run.new for run in watches.runs(session, hook.id)].count(1) == 2
    assert installed.searched.found == set()
