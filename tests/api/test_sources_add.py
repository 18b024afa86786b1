"""A source is chosen, its keys entered and never seen again, tried without a trace, and then saved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from starlette.testclient import TestClient

import collectors
from escucha.brand import Brand
from escucha.filter import MentionFilter
from pipeline.spending import fields
from store import credentials, mentions, watches
from store.engine import Store
from store.tables import CredentialRow
from tests.api.listening import client_of, lumbre, page, wall, words
from tests.collectors.fakes.hackernews import HackerNewsUpstream
from tests.collectors.fakes.x import XUpstream

OFFERED = [name for name in collectors.source_names() if name != "file"]
ADD = "/sources/add?brand=lumbre"
SECRET = "clave-que-nadie-ve"


class Forum(HackerNewsUpstream):
    """Hacker News, whose second post is an attack."""

    def answer(self, request: Any) -> Any:
        response = super().answer(request)
        body = json.loads(response.content)
        if body["hits"]:
            body["hits"][0] |= {"title": "<script>alert(1)</script> Lumbre", "author": "<b>eva</b>"}
        return type(response)(200, json=body)


@pytest.fixture
def forum(tmp_path: Path) -> Forum:
    """A forum whose fifteen posts are of the last two days."""
    made = Forum(tmp_path)
    made.start, made.spacing = wall() - timedelta(days=2), timedelta(hours=3)  # type: ignore[misc]
    made.add(15)
    return made


@pytest.fixture
def address(forum: Forum) -> Iterator[str]:
    with forum.on_loopback() as address:
        yield address


@pytest.fixture
def brand(sqlite_store: Store) -> Brand:
    return lumbre(sqlite_store)


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path, brand: Brand, address: str) -> TestClient:
    return client_of(sqlite_store, tmp_path, wall, address)


def send(client: TestClient, source: str, status: int = 200, **form: str) -> HTMLParser:
    """Send the form of a source; the page that follows."""
    answer = client.post(f"{ADD}&source={source}", data=form)
    assert answer.status_code == status, answer.text
    return HTMLParser(answer.text)


def stored(store: Store, brand: Brand) -> list[tuple[str, str, tuple[str, ...]]]:
    with store.read() as session:
        return [(one.source, one.query.text, one.query.terms) for one in watches.of_brand(session, brand.id or 0)]


def test_every_source_is_offered_with_its_access_except_the_one_that_reads_the_servers_files(
    client: TestClient,
) -> None:
    tree = page(client, ADD)
    links = [str(node.attributes["href"]).partition("source=")[2] for node in tree.css(".offered")]
    assert sorted(links) == sorted(OFFERED)
    assert [words(node, ".access") for node in tree.css("section")] == [
        "open to all", "with a key of your own", "after approval", "paid"]
    assert "off: see its terms" in words(tree, ".offered[href$='google-news']")
    assert "escucha import" in words(tree, "main > p code")


@pytest.mark.parametrize("name", OFFERED)
def test_every_source_says_what_it_needs_keeps_and_cannot_see_in_both_languages(client: TestClient, name: str) -> None:
    facts = collectors.facts(name)
    tree = page(client, f"{ADD}&source={name}")
    assert words(tree, "h1") == facts.title
    about = words(tree, ".about dd")
    for note in (facts.needs, facts.keeps, facts.blind, facts.reach):
        assert " ".join(str(note).split()) in about
    assert [node.attributes["name"] for node in tree.css(".key input")] == [f"key.{key.name}" for key in fields(facts)]
    assert page(client, f"{ADD}&source={name}&ui=es").css_first("html").attributes["lang"] == "es"


@pytest.mark.parametrize(("name", "status"), [("file", 422), ("nadie", 404)])
def test_a_source_that_is_not_offered_is_refused_in_a_sentence(
    client: TestClient, sqlite_store: Store, brand: Brand, name: str, status: int, tmp_path: Path
) -> None:
    secret = tmp_path / "secreto.csv"
    secret.write_text(f"id,text,date\n1,{SECRET},2026-01-01\n")
    assert words(page(client, f"{ADD}&source={name}", status), ".notice[role=alert]")
    for do in ("try", "save", "keys"):
        tree = send(client, name, status, do=do, query=str(secret))
        assert words(tree, ".notice[role=alert]")
        assert SECRET not in str(tree.html)
    assert stored(sqlite_store, brand) == []


def test_a_trial_shows_ten_mentions_what_was_refused_and_why_and_stores_nothing(
    client: TestClient, forum: Forum, sqlite_store: Store, brand: Brand
) -> None:
    forum.mangled = True
    tree = send(client, "hackernews", do="try", query="lumbre", terms="", every="900")
    assert len(tree.css("#trial .mention")) == 10
    assert "10 mentions · 1 refused · 0 left out" in words(tree, "#trial [role=status]")
    assert "Nothing was stored." in words(tree, "#trial [role=status]")
    assert "item rota" in words(tree, "#trial .twin li")
    second = tree.css("#trial .mention")[1]
    assert "ana" in words(second, ".author")
    assert "—" in words(second, "header"), "followers are unknown, not none"
    assert words(second, "h3") == "Café Lumbre"
    assert second.css_first("a.out").attributes["rel"] == "noopener nofollow ugc"
    assert tree.css_first("#query").attributes["value"] == "lumbre"
    with sqlite_store.read() as session:
        assert mentions.find(session, MentionFilter()).items == ()
    assert stored(sqlite_store, brand) == []


def test_what_a_trial_brings_is_escaped(client: TestClient) -> None:
    answer = client.post(f"{ADD}&source=hackernews", data={"do": "try", "query": "lumbre"})
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Lumbre" in answer.text
    assert "<script>alert" not in answer.text
    assert "<b>eva" not in answer.text


def test_what_stands_in_the_way_of_a_trial_is_said(client: TestClient, forum: Forum) -> None:
    forum.failure = (401, {})
    assert "did not accept our key" in words(send(client, "hackernews", do="try", query="lumbre"), "#trial .notice")
    needs = words(send(client, "youtube", do="try", query="lumbre"), "#trial .notice")
    assert needs.startswith("YouTube needs api_key.")


def test_a_trial_counts_what_the_words_leave_out(client: TestClient) -> None:
    tree = send(client, "hackernews", do="try", query="lumbre", terms="jazmín")
    assert "0 mentions · 0 refused · 15 left out, as they were not asked for" in words(tree, "#trial [role=status]")
    assert tree.css_first("#terms-box").text() == "jazmín"


def test_a_trial_says_what_is_asked_of_the_source_and_what_is_checked_here(client: TestClient, forum: Forum) -> None:
    tree = send(client, "hackernews", do="try", query="lumbre (café OR té) -receta", terms="")
    assert [node.text() for node in tree.css("#searched code")] == [
        "lumbre café", "lumbre té", "lumbre AND (cafe OR te) AND NOT receta"]
    assert {request.url.params["query"] for request in forum.requests} <= {"lumbre café", "lumbre té"}
    assert "nothing, the text is the source's own" in words(
        send(client, "hackernews", do="try", query="native:lumbre"), "#searched")
    assert "only titles come from there" in words(send(client, "gdelt", 422, query="lumbre", do="?"), "#searched")
    assert send(client, "rss", 422, query="https://a.example/feed", do="?").css_first("#searched") is None


def test_a_query_that_cannot_be_read_is_refused_with_its_place_in_the_readers_language(
    client: TestClient, forum: Forum, sqlite_store: Store, brand: Brand
) -> None:
    for do in ("try", "save"):
        tree = send(client, "hackernews", 422, do=do, query="café AND")
        assert words(tree, ".notice[role=alert]").startswith("Line 1, column 6: AND needs a word after it.")
        assert tree.css_first("#query").attributes["value"] == "café AND"
    spanish = client.post(f"{ADD}&source=hackernews&ui=es", data={"do": "try", "query": "café AND"})
    assert "Línea 1, columna 6" in spanish.text
    assert forum.requests == []
    assert stored(sqlite_store, brand) == []


def test_nothing_is_asked_by_following_a_link_or_by_a_strangers_form(client: TestClient, forum: Forum) -> None:
    client.get(f"{ADD}&source=hackernews&do=try&query=lumbre")
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    answer = client.post(f"{ADD}&source=hackernews", data={"do": "try", "query": "lumbre"}, headers=foreign)
    assert answer.status_code == 403
    assert forum.requests == []


def test_a_watch_is_saved_once_and_a_second_time_what_was_typed_stays(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    form = {"do": "save", "query": "lumbre", "terms": "café\nLumbre, cafés", "every": "3600", "slowest": "86400"}
    answer = client.post(f"{ADD}&source=hackernews", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sources?brand=lumbre&done=added#watch-1")
    assert stored(sqlite_store, brand) == [("hackernews", "lumbre", ("café", "Lumbre", "cafés"))]
    with sqlite_store.read() as session:
        made = watches.get(session, 1)
    assert (made.every, made.slowest) == (3600, 86_400)
    tree = send(client, "hackernews", 409, **form)
    assert words(tree, ".notice[role=alert]") == "This watch exists already: hackernews lumbre."
    assert tree.css_first("#query").attributes["value"] == "lumbre"
    assert tree.css_first("select[name=every] option[selected]").attributes["value"] == "3600"
    assert tree.css_first("select[name=slowest] option[selected]").attributes["value"] == "86400"


@pytest.mark.parametrize(
    ("source", "form", "said"),
    [
        ("hackernews", {"query": " "}, "nothing to search for"),
        ("youtube", {"query": "lumbre", "every": "60"}, "YouTube may be asked every 900 seconds at most"),
        ("hackernews", {"query": "x", "every": "pronto"}, "pronto is no interval"),
        ("hackernews", {"query": "x", "every": "99999999"}, "an interval of a week at most"),
        ("hackernews", {"query": "x" * 4001}, "too much for one watch"),
        ("webhook", {"query": "jotform"}, "A hook does not know jotform"),
    ],
)
def test_what_cannot_be_watched_is_said_and_not_saved(
    client: TestClient, sqlite_store: Store, brand: Brand, source: str, form: dict[str, str], said: str
) -> None:
    tree = send(client, source, 422, do="save", **form)
    assert said in words(tree, ".notice[role=alert]")
    assert stored(sqlite_store, brand) == []


def test_a_form_that_asks_for_nothing_known_does_nothing(client: TestClient, sqlite_store: Store, brand: Brand) -> None:
    assert "cannot be read" in words(send(client, "rss", 422, do="format-disk"), ".notice[role=alert]")


def test_no_source_is_offered_more_often_than_it_may_be_asked(client: TestClient) -> None:
    offered = page(client, f"{ADD}&source=mercadolibre").css("select[name=every] option")
    assert min(int(str(option.attributes["value"])) for option in offered) == 3600


def test_where_the_source_does_not_search_the_brands_names_are_what_is_kept(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    tree = page(client, f"{ADD}&source=rss")
    assert tree.css_first("#terms-box").text().split("\n") == ["Lumbre", "Cafés Lumbre"]
    assert page(client, f"{ADD}&source=hackernews").css_first("#terms-box").text() == ""
    send(client, "rss", do="save", query="https://a.example/feed", terms="Lumbre\nCafés Lumbre")
    send(client, "rss", do="save", query="https://b.example/feed", terms="")
    assert stored(sqlite_store, brand) == [
        ("rss", "https://a.example/feed", ("Lumbre", "Cafés Lumbre")), ("rss", "https://b.example/feed", ())]


def test_a_hook_gets_a_secret_that_is_shown_once(client: TestClient, sqlite_store: Store, brand: Brand) -> None:
    first = send(client, "webhook", do="save", query="generic")
    address, secret = (node.text() for node in first.css(".born .address"))
    assert address.startswith("http://localhost:8000/hooks/")
    assert secret.startswith("whsec_")
    assert secret not in client.get(f"{ADD}&source=webhook").text
    assert secret not in client.get("/sources").text
    again = send(client, "webhook", do="save", query="generic encuestas")
    assert not again.css(".born"), "the second hook is signed with the same secret"
    assert "The watch listens." in words(again, ".notice[role=status]")


# Keys and terms


def test_keys_are_kept_encrypted_told_by_name_and_time_and_never_shown(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    assert "to be entered" in words(page(client, f"{ADD}&source=youtube"), "#keys h2")
    tree = send(client, "youtube", do="keys", whose="own", **{"key.api_key": f" {SECRET} ", "key.daily_units": ""})
    assert words(tree, ".notice[role=status]") == "Kept, encrypted. Nobody can read it here again."
    assert "Entered for Lumbre" in words(tree, ".key")
    assert "to be entered" not in words(tree, "#keys h2")
    assert SECRET not in str(tree.html)
    box = tree.css_first("#key-api_key")
    assert (box.attributes["type"], box.attributes["autocomplete"]) == ("password", "off")
    assert "value" not in box.attributes
    with sqlite_store.read() as session:
        assert list(credentials.entered(session, "youtube", brand.id)) == ["api_key"]
        assert all(SECRET not in row.sealed for row in session.query(CredentialRow))
    assert SECRET not in client.get("/sources").text
    assert SECRET not in client.get("/api/v1/sources/youtube/keys?brand=lumbre").text


def test_an_empty_key_leaves_the_one_before(client: TestClient, sqlite_store: Store, brand: Brand) -> None:
    send(client, "youtube", do="keys", whose="own", **{"key.api_key": SECRET})
    with sqlite_store.read() as session:
        before = credentials.entered(session, "youtube", brand.id)
    tree = send(client, "youtube", do="keys", whose="own", **{"key.api_key": "  "})
    assert not words(tree, ".notice[role=status]")
    with sqlite_store.read() as session:
        assert credentials.entered(session, "youtube", brand.id) == before


def test_keys_are_for_one_brand_or_for_every_brand_and_forgotten_apart(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    for whose in ("own", "shared"):
        send(client, "youtube", do="keys", whose=whose, **{"key.api_key": SECRET})
    tree = send(client, "youtube", do="forget", whose="own", name="api_key")
    assert words(tree, ".notice[role=status]") == "Forgotten."
    assert "Entered for every brand" in words(tree, ".key")
    assert "Entered for Lumbre" not in words(tree, ".key")
    with sqlite_store.read() as session:
        assert credentials.entered(session, "youtube", brand.id) == {}
        assert list(credentials.entered(session, "youtube", None)) == ["api_key"]


@pytest.mark.parametrize(
    ("source", "name", "value", "said"),
    [
        ("youtube", "base_url", "http://evil.example", "YouTube has no key base_url"),
        ("hackernews", "accepted", "yes", "Hacker News has no key accepted"),
        ("x", "monthly_budget", "mucho", "is no amount"),
        ("youtube", "api_key", "x" * 20_001, "longer than 20000 characters"),
    ],
)
def test_a_key_that_is_not_asked_for_is_not_kept_and_what_was_typed_is_not_shown(
    client: TestClient, sqlite_store: Store, source: str, name: str, value: str, said: str
) -> None:
    tree = send(client, source, 422, do="keys", **{f"key.{name}": value})
    assert said in words(tree, ".notice[role=alert]")
    assert not any(node.attributes.get("value") for node in tree.css(".key input"))
    with sqlite_store.read() as session:
        assert session.query(CredentialRow).count() == 0


def test_keys_of_the_settings_are_named_and_not_shown(
    sqlite_store: Store, tmp_path: Path, brand: Brand
) -> None:
    client = client_of(sqlite_store, tmp_path, keys={"youtube": {"api_key": SECRET}})
    tree = page(client, f"{ADD}&source=youtube")
    assert "In the settings, which win." in words(tree, ".key")
    assert SECRET not in str(tree.html)


def test_a_secret_file_that_others_may_read_is_said_on_the_page(
    sqlite_store: Store, tmp_path: Path, brand: Brand
) -> None:
    loose = tmp_path / "secret.key"
    loose.write_text("x")
    loose.chmod(0o644)
    client = client_of(sqlite_store, tmp_path, secret_key="")
    tree = send(client, "youtube", 500, do="keys", **{"key.api_key": SECRET})
    assert "Others may read the secret key" in words(tree, ".notice[role=alert]")
    assert SECRET not in str(tree.html)


def test_a_source_that_is_off_is_switched_on_by_accepting_its_terms_and_off_again(
    client: TestClient, sqlite_store: Store
) -> None:
    off = page(client, f"{ADD}&source=google-news")
    assert "off" in words(off, "#terms h2")
    assert "is off until somebody accepts its terms" in words(
        send(client, "google-news", do="try", query="lumbre"), "#trial .notice")
    on = send(client, "google-news", do="accept")
    assert words(on, ".notice[role=status]") == "The source is on."
    assert "on" in words(on, "#terms h2").split()
    assert "see its terms" not in words(page(client, ADD), ".offered[href$='google-news']")
    send(client, "google-news", do="switch-off")
    with sqlite_store.read() as session:
        assert credentials.entered(session, "google-news", None) == {}
    assert "nothing to accept" in words(send(client, "rss", 422, do="accept"), ".notice[role=alert]")


def test_a_paid_source_says_what_a_test_may_cost_and_is_not_tried_beyond_its_budget(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    assert "A test may cost $0.15" in words(page(client, f"{ADD}&source=x"), "#ask")
    send(client, "x", do="keys", **{"key.monthly_budget": "0", "key.bearer_token": SECRET})
    tree = send(client, "x", 503, do="try", query="lumbre")
    assert "budget of 0.0 dollars for X (Twitter) is used up" in words(tree, ".notice[role=alert]")


def test_a_test_of_a_paid_source_tells_what_a_week_of_it_costs(
    sqlite_store: Store, brand: Brand, tmp_path: Path
) -> None:
    upstream = XUpstream(tmp_path)
    upstream.start, upstream.spacing = wall() - timedelta(days=2), timedelta(hours=1)  # type: ignore[misc]
    upstream.add(20)
    with upstream.on_loopback() as address:
        keys = {"x": {**upstream.keys, "base_url": address}, "hackernews": {"base_url": address}}
        with client_of(sqlite_store, tmp_path, clock=wall, address=address, keys=keys) as client:
            assert "would have read 21 posts, for $0.10 to $0.32." in words(
                send(client, "x", do="try", query="lumbre"), "#trial")
            told = client.post("/api/v1/watches/try", json={"brand": "lumbre", "source": "x", "query": "lumbre"}).json()
    assert told["problem"] is None
    assert told["estimate"] == {"posts": 21, "least": 0.105, "most": 0.315, "asking": 0.005}
    assert told["cost"] == pytest.approx(10 * 0.005 + 7 * 0.01 + 0.005)


def test_whoever_enters_a_server_is_told_that_its_keys_belong_to_it(client: TestClient) -> None:
    assert "the server and its keys together" in words(page(client, f"{ADD}&source=mailbox"), "#keys")
    assert "the server and its keys together" not in words(page(client, f"{ADD}&source=x"), "#keys")
