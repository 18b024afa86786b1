"""What a person writes in a page leads no collector inside the network, and takes no key to a stranger's server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

import collectors
from collectors.http import Answer, Web, WebOptions
from collectors.mailbox import MailboxSource
from escucha.brand import Brand, Query
from escucha.errors import EscuchaError, Refused, SourceError
from pipeline.pull import Order, pull
from store.engine import Store
from store.tables import CredentialRow
from tests.api.listening import NOW, client_of, lumbre
from tests.collectors.fakes import CLOCK, UPSTREAMS, WEB
from tests.planted import OVER_HTTP, SIGNED, WITH_KEYS, Stage, echo, forms, planted, said_in, secrets_of

API = "/api/v1"
HOMES: Mapping[str, tuple[str, ...]] = {
    "bluesky": ("bsky.social",), "discourse": ("foro.example",), "facebook": ("graph.facebook.com",),
    "freshdesk": (".freshdesk.com",), "github": ("api.github.com",),
    "google-business": ("oauth2.googleapis.com", "mybusiness.googleapis.com"),
    "instagram": ("graph.facebook.com",), "intercom": ("api.intercom.io",), "lemmy": ("feddit.example",),
    "mastodon": ("mastodon.example",), "mercadolibre": ("api.mercadolibre.com",),
    "reddit": ("www.reddit.com", "oauth.reddit.com"), "stackexchange": ("api.stackexchange.com",),
    "telegram": ("api.telegram.org",), "threads": ("graph.threads.net",), "trustpilot": ("api.trustpilot.com",),
    "x": ("api.x.com",), "youtube": ("www.googleapis.com",), "zendesk": (".zendesk.com",),
}  # fmt: skip
"""Where each source's keys may go; behind a point any name."""
HELP_DESK = (
    "evil.example/…#.{home}", "evil.example/#.{home}", "evil.example?.{home}", "evil.example\\.{home}",
    "evil.example.{home}", "lumbre.{home}.evil.example", "lumbre.{home}@evil.example",
    "lumbre.{home}:80@evil.example", "lumbre.{home}:8443",
    "http://lumbre.{home}", "https://evil.example/.{home}", "lumbre\n.evil.example", "lumbre%2eevil.example",
    "lumbre。evil.example", "https://lumbre.{home}/@evil.example", "127.0.0.1", "localhost", "[::1]", "lumbre/../evil",
    "//evil.example", "lumbre.{home}#@evil.example", "evil.example:443/.{home}",
)  # fmt: skip
SERVERS = (
    "evil.example", "{home}.evil.example", "http://{home}", "http://{home}:443", "{home}:8443",
    "https://{home}@evil.example", "{home}@evil.example", "{home}\\@evil.example", "evil.example\\.{home}",
    "evil.example:443\\@{home}", "{home}%2eevil.example", "https://evil.example\\{home}",
    "https://{home}:x@evil.example", "{home}.", "evil.example/{home}", "evil.example#{home}",
    "evil.example?{home}", "{home}。evil.example", "https://https://{home}", "//{home}", "127.0.0.1:9", "localhost:9",
)  # fmt: skip
ANYTHING = (
    "https://evil.example/", "//evil.example/x", "@evil.example", "\\\\evil.example\\x", "evil.example/x", "../../evil",
    "r/../../@evil.example: café", "r/x@evil.example comments", "channel:@evil.example", "questions:1@evil.example",
    "https://evil.example/MLM123456789", "t.me@evil.example/s/lumbre", "https://t.me.evil.example/s/lumbre",
    "es.stackoverflow.evil.example: café", "evil.example/x: café", "accounts/1/../../@evil.example",
    "#café@evil.example",
    "lumbre.example@evil.example es", "mentions:@evil.example", "eu", "all@evil.example", "\r\nHost: evil.example",
)  # fmt: skip


def written(name: str) -> list[str]:
    """What somebody with bad intent writes as the query of a source."""
    home = HOMES[name][0].removeprefix(".")
    if name in ("zendesk", "freshdesk"):
        return [text.format(home=home) for text in HELP_DESK] + list(ANYTHING)
    served = {"mastodon": ("café@", '"café lumbre"@'), "lemmy": ("café@",), "discourse": ("café@", "@")}
    return [before + text.format(home=home) for before in served.get(name, ()) for text in SERVERS] + list(ANYTHING)


class Everywhere:
    """All servers of the world: they keep what they were sent, and quote it."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = echo(403, "flat")(request)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.content))

    def got(self, secrets: list[str]) -> set[str]:
        """Where a secret has come to."""
        known = [form for secret in secrets for form in forms(secret)]
        return {f"{r.url.scheme}://{r.url.netloc.decode()}" for r in self.requests
                if any(form in said_in(r) for form in known)}


def ask(name: str, keys: Mapping[str, str], text: str, world: Everywhere, folder: Path) -> None:
    web = WebOptions(pace=0, shared=str(folder / "pace"))
    kind = UPSTREAMS[name].kind
    with suppress(SourceError):
        source = kind(web=web, keys=keys, transport=httpx.MockTransport(world), clock=CLOCK)
        list(source.pages(Query(text=text), None))


def keys_of(name: str) -> dict[str, str]:
    """Planted keys; of Reddit those of the feeds, as an app goes another way."""
    keys = planted(name)
    return {part: keys[part] for part in ("feed_user", "feed_token")} if name == "reddit" else keys


def test_every_source_whose_keys_travel_has_a_home() -> None:
    assert set(HOMES) == {*OVER_HTTP} - {*SIGNED}


@pytest.mark.parametrize("name", sorted(HOMES))
def test_no_query_takes_a_key_anywhere_but_home(name: str, tmp_path: Path) -> None:
    keys, world = keys_of(name), Everywhere()
    secrets = secrets_of(name, keys)
    ask(name, keys, "" if name == "telegram" else UPSTREAMS[name](tmp_path).query.text, world, tmp_path)
    assert world.got(secrets), "the key was never sent, so nothing was tried"
    for text in written(name):
        ask(name, keys, text, world, tmp_path)
    homes = [f"https://{home}" for home in HOMES[name] if not home.startswith(".")]
    astray = {place for place in world.got(secrets) - {*homes}
              if not any(place.startswith("https://") and place.endswith(home) and home.startswith(".")
                         and place.count(".") == 2 for home in HOMES[name])}
    assert astray == set()


@pytest.mark.parametrize("name", ["mastodon", "lemmy", "discourse"])
def test_a_key_without_its_server_goes_nowhere(name: str, tmp_path: Path) -> None:
    for server in ("", " ", "https://", "/"):
        keys, world = {**planted(name), "server": server}, Everywhere()
        for text in (UPSTREAMS[name](tmp_path).query.text, "café@evil.example"):
            ask(name, keys, text, world, tmp_path)
        assert world.got(secrets_of(name, keys)) == set()


@pytest.mark.parametrize("name", ["mastodon", "lemmy", "discourse"])
def test_a_key_goes_to_its_server_however_that_is_written(name: str, tmp_path: Path) -> None:
    home = HOMES[name][0]
    for server in (home, f" {home}/ ", f"https://{home}", home.upper()):
        keys, world = {**planted(name), "server": server}, Everywhere()
        ask(name, keys, UPSTREAMS[name](tmp_path).query.text, world, tmp_path)
        assert world.got(secrets_of(name, keys)) == {f"https://{home}"}


@pytest.mark.parametrize("region", ["evil.example/", "us@evil.example", "../us", "eu\n"])
def test_intercoms_region_is_one_of_its_own(region: str, tmp_path: Path) -> None:
    keys, world = {**planted("intercom"), "region": region}, Everywhere()
    ask("intercom", keys, "all", world, tmp_path)
    assert world.got(secrets_of("intercom", keys)) <= {"https://api.eu.intercom.io"}


@pytest.mark.parametrize("host", ["evil.example", "gmail.com.evil.example", "outlook.com.evil.example", "xgmail.com"])
def test_what_a_refresh_token_gives_goes_to_its_provider_alone(host: str, tmp_path: Path) -> None:
    world, given = Everywhere(), planted("mailbox")
    keys = {name: given[name] for name in ("user", "client_id", "client_secret", "refresh_token")} | {"host": host}
    source = MailboxSource(web=WEB, keys=keys, transport=httpx.MockTransport(world), clock=CLOCK)
    with pytest.raises(Refused, match="neither Google nor Microsoft"):
        list(source.pages(Query(text="INBOX"), None))
    assert world.requests == []


# Inside the network


@contextmanager
def inner_mail() -> Iterator[tuple[int, list[bytes]]]:
    """A mail server inside: its port, and what it heard."""
    heard: list[bytes] = []

    def listen(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                heard.append(b"somebody came")
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=listen, args=(server,), daemon=True).start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)


INNER = ("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]", "１２７.０.０.１",
         "0.0.0.0")  # fmt: skip
ASKED = {
    "rss": "http://{inner}/feed.xml", "schema-org": "http://{inner}/opiniones", "mastodon": "café@http://{inner}",
    "lemmy": "café@http://{inner}", "discourse": "café@http://{inner}/foro",
}  # fmt: skip
"""Sources whose query names a server."""


@pytest.mark.parametrize("name", sorted(ASKED))
def test_a_server_inside_is_not_asked_whatever_names_it(name: str, tmp_path: Path) -> None:
    stage = Stage(tmp_path, echo(200, "flat"))
    with stage.on_loopback() as address:
        port = address.rpartition(":")[2]
        for inner in INNER:
            query = Query(text=ASKED[name].format(inner=f"{inner}:{port}"))
            web = WebOptions(pace=0, deadline=3.0)
            haul = pull(Order(source=name, query=query, cursor=None, web=web, keys={}), NOW)
            assert isinstance(haul.problem, Refused), (inner, haul.problem)
    assert stage.requests == []


def test_a_page_outside_leads_its_robots_and_next_pages_nowhere_inside(tmp_path: Path) -> None:
    inner = Stage(tmp_path, echo(200, "flat"))
    with inner.on_loopback() as closed:
        page = f'<link rel="next" href="{closed}/2"><script type="application/ld+json">[{{"@type":"Review"}}]</script>'

        def moved(request: httpx.Request) -> httpx.Response:
            return httpx.Response(302, headers={"Location": f"{closed}/robots.txt"})

        outer = Stage(tmp_path, moved)
        with outer.on_loopback() as address:
            web = WebOptions(pace=0, allow_hosts=(address.removeprefix("http://"),))
            order = Order(source="schema-org", query=Query(text=f"{address}/1"), cursor=None, web=web, keys={})
            assert isinstance(pull(order, NOW).problem, Refused)
            outer.act = lambda request: httpx.Response(200, html=page)
            assert pull(order, NOW).problem is None
    assert len(outer.requests) == 3
    assert inner.requests == []


@pytest.mark.parametrize("name", ["bluesky"])
def test_a_server_inside_is_not_asked_where_a_key_names_it(name: str, tmp_path: Path) -> None:
    stage = Stage(tmp_path, echo(200, "flat"))
    with stage.on_loopback() as address:
        keys = {**planted(name), "server": address}
        haul = pull(Order(source=name, query=Query(text="café"), cursor=None, web=WebOptions(pace=0), keys=keys), NOW)
    assert isinstance(haul.problem, Refused)
    assert stage.requests == []


@pytest.mark.parametrize("host", [*INNER, "::1", "::ffff:127.0.0.1"])
def test_a_mail_server_inside_is_not_called(host: str) -> None:
    with inner_mail() as (port, heard):
        keys = {**planted("mailbox"), "host": host, "port": str(port), "tls": "yes"}
        web = WebOptions(pace=0, deadline=3.0)
        haul = pull(Order(source="mailbox", query=Query(text="INBOX"), cursor=None, web=web, keys=keys), NOW)
        assert isinstance(haul.problem, EscuchaError)
        assert heard == []


# What a page or a program may enter


@pytest.fixture
def brand(sqlite_store: Store) -> Brand:
    return lumbre(sqlite_store)


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path, brand: Brand) -> TestClient:
    return client_of(sqlite_store, tmp_path)


HIDDEN = ("base_url", "oauth_url", "reddit_url", "port", "tls", "Base_Url", "base_url ", "accepted")
"""Names that only the settings may use: they say where a source lies, or that it needs no encryption."""


def test_only_the_keys_that_a_source_declares_can_be_entered(client: TestClient, sqlite_store: Store) -> None:
    for name in sorted({*collectors.SOURCES} - {"file"}):
        facts = collectors.facts(name)
        assert not {one.name for one in facts.needs_credentials} & {*HIDDEN}
        for key in HIDDEN:
            values = {"brand": "lumbre", "values": {key: "http://127.0.0.1:9"}}
            program = client.put(f"{API}/sources/{name}/keys", json=values)
            assert program.status_code == 422 or key == "accepted", program.text  # there only "yes" means anything
        for key in HIDDEN[:1]:
            form = {"do": "keys", "whose": "own", f"key.{key}": "http://127.0.0.1:9"}
            assert client.post(f"/sources/add?brand=lumbre&source={name}", data=form).status_code == 422
    with sqlite_store.read() as session:
        assert [row.name for row in session.query(CredentialRow)] == []


def test_no_answer_tells_a_key_that_was_entered(client: TestClient) -> None:
    for name in WITH_KEYS:
        keys = {one.name: planted(name)[one.name] for one in collectors.facts(name).needs_credentials if one.secret}
        put = client.put(f"{API}/sources/{name}/keys", json={"brand": "lumbre", "values": keys})
        assert put.status_code == 200
        shown = [put.text] + [client.get(path).text for path in (
            f"{API}/sources/{name}/keys?brand=lumbre", f"{API}/sources/{name}?brand=lumbre",
            f"/sources/add?brand=lumbre&source={name}",
        )]  # fmt: skip
        wrong = {"brand": "lumbre", "values": {**keys, "nobody": "x"}}
        listed = [*keys.values()]
        for body in (wrong, {"values": listed}, {"values": dict.fromkeys(keys, listed)}, listed):
            shown.append(client.put(f"{API}/sources/{name}/keys", json=body).text)
        for secret in secrets_of(name, keys):
            assert not [form for form in forms(secret) for text in shown if form in text], name


def test_the_servers_own_files_are_out_of_reach(client: TestClient, brand: Brand, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("text\nLumbre\n")
    for name in ("file", "FILE", " file", "file ", "file\x00", "./file", "collectors.file:FileSource"):
        asked: dict[str, Any] = {"brand": "lumbre", "source": name, "query": str(tmp_path / "x.csv")}
        for path in (f"{API}/watches", f"{API}/watches/try"):
            assert client.post(path, json=asked).status_code in (404, 422), (name, path)
        for do in ("try", "save", "keys"):
            form = {"do": do, "query": asked["query"]}
            answer = client.post("/sources/add?brand=lumbre", params={"source": name}, data=form)
            assert answer.status_code in (404, 422), (name, do)
    for scheme in ("file://", "FILE:///", "//localhost"):
        for source in ("rss", "schema-org"):
            asked = {"brand": "lumbre", "source": source, "query": f"{scheme}{tmp_path}/x.csv"}
            tried = client.post(f"{API}/watches/try", json=asked).json()
            assert tried["problem"]
            assert tried["mentions"] == []


@pytest.mark.parametrize("key", ["a\nb", "a\r\nX-Other: 1", "“clave”", "a\x00b", "ключ"])
def test_a_key_that_no_header_can_carry_is_named_as_what_is_wrong(key: str) -> None:
    sent: list[httpx.Request] = []
    web = Web(WebOptions(pace=0), transport=httpx.MockTransport(lambda r: sent.append(r) or httpx.Response(200)))
    with pytest.raises(Refused, match="The key holds") as caught:
        web.get("https://a.example/", headers={"Authorization": f"Bearer {key}"})
    assert key not in str(caught.value) + repr(caught.value.details)
    assert sent == []


@pytest.mark.parametrize("mark", ["“é”", "a\nb", "a\x7f"])
def test_a_validator_that_cannot_be_sent_back_stops_no_watch(mark: str) -> None:
    sent: list[httpx.Request] = []

    def act(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(b"x"))

    web = Web(WebOptions(pace=0), transport=httpx.MockTransport(act))
    got = web.get("https://a.example/", validators={"etag": mark, "last-modified": "ayer"})
    assert isinstance(got, Answer)
    assert "if-none-match" not in sent[0].headers
    assert sent[0].headers["if-modified-since"] == "ayer"
