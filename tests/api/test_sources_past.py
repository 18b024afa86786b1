"""The past is asked for and followed, and the channels are noted, by page and by API."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from escucha.brand import Brand, Problem
from escucha.errors import TryLater
from store import backfills, mentions
from store.engine import Store
from store.mentions import Saved
from store.watches import Ledger
from tests import make
from tests.api.listening import DAY, NOW, client_of, lumbre, page, watch, words

API = "/api/v1"


@pytest.fixture
def brand(sqlite_store: Store) -> Brand:
    return lumbre(sqlite_store)


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path, brand: Brand) -> TestClient:
    return client_of(sqlite_store, tmp_path)


def step(store: Store, reached: int, problem: TryLater | None = None, over: bool = False) -> None:
    """The reading number 1 comes so many days back."""
    with store.write() as session:
        ledger = Ledger(saved=Saved(new=3, duplicate=2), problem=Problem.of(problem) if problem else None)
        backfills.settle(session, backfills.get(session, 1), ledger, now=NOW, next_at=NOW, cursor=None, failures=0,
                         reached=NOW - reached * DAY, over=over)


def test_the_page_says_how_far_back_each_source_goes(client: TestClient, sqlite_store: Store, brand: Brand) -> None:
    watch(sqlite_store, brand, "hackernews", "lumbre")
    watch(sqlite_store, brand, "gdelt", '"cafés lumbre"')
    watch(sqlite_store, brand, "webhook", "generic", hook="llave")
    tree = page(client, "/sources")
    assert [words(row, "td") for row in tree.css(".reaches tbody tr")] == [
        "Everything since 2007.", "The last 3 months. Not before Aug 22, 2026."]
    assert [node.attributes["value"] for node in tree.css("#past option")] == ["", "hackernews", "gdelt"]


def test_the_past_is_asked_for_followed_cancelled_and_resumed(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    watch(sqlite_store, brand, "hackernews", "lumbre")
    asked = client.post("/sources?brand=lumbre", data={"do": "read", "since": "2026-09-21", "source": ""},
                        follow_redirects=False)
    assert asked.headers["location"] == "/sources?brand=lumbre&done=asked#past"
    step(sqlite_store, reached=30)
    tree = page(client, "/sources")
    reading = tree.css_first("#reading-1")
    assert "data-live" in reading.attributes
    assert reading.css_first("progress").attributes["value"] == "50"
    assert "50 % · back to Oct 21, 2026 · 5 read · 3 new" in words(reading, ".going span")
    for verb, state in (("cancel", "Cancelled"), ("cancel", "Cancelled"), ("resume", "Waiting"), ("resume", "Waiting")):
        answer = client.post(f"/sources/backfills/1/{verb}?brand=lumbre", follow_redirects=False)
        assert answer.status_code == 303
        assert words(page(client, "/sources"), "#reading-1 .state") == state
    step(sqlite_store, reached=40, problem=TryLater("{host} is away.", host="hn.example"), over=True)
    tree = page(client, "/sources")
    assert words(tree, "#reading-1 .notice") == "hn.example is away."
    assert "data-live" not in tree.css_first("#reading-1").attributes
    assert words(tree, "#reading-1 button") == "Resume"


def test_a_source_is_read_as_far_as_it_goes_and_the_page_says_so(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    watch(sqlite_store, brand, "gdelt", '"cafés lumbre"')
    answer = client.post("/sources?brand=lumbre", data={"do": "read", "since": "2020-01-01", "source": "gdelt"})
    assert "it is read as far as it goes" in answer.text
    with sqlite_store.read() as session:
        assert backfills.get(session, 1).since == NOW - 90 * DAY


@pytest.mark.parametrize(
    ("since", "source", "status", "said"),
    [
        ("ayer", "", 422, "ayer is no day"), ("", "", 422, "is no day"), ("0001-01-01", "", 422, "is no day"),
        ("2026-12-24", "", 422, "is not in the past"), ("2026-10-01", "webhook", 422, "it sends by itself"),
        ("2026-10-01", "rss", 404, "no watch whose past"),
    ],
)
def test_what_cannot_be_read_back_is_said_and_the_form_keeps_what_was_typed(
    client: TestClient, sqlite_store: Store, brand: Brand, since: str, source: str, status: int, said: str
) -> None:
    watch(sqlite_store, brand, "hackernews", "lumbre")
    watch(sqlite_store, brand, "webhook", "generic", hook="llave")
    answer = client.post("/sources?brand=lumbre", data={"do": "read", "since": since, "source": source})
    assert answer.status_code == status
    assert said in answer.text
    assert f'value="{since}"' in answer.text
    with sqlite_store.read() as session:
        assert backfills.listed(session) == []


def test_the_past_is_read_over_http(client: TestClient, sqlite_store: Store, brand: Brand) -> None:
    watch(sqlite_store, brand, "hackernews", "lumbre")
    made = client.post(f"{API}/backfills", json={"brand": "lumbre", "since": "2026-09-21"})
    assert made.status_code == 201
    (one,) = made.json()["items"]
    assert (one["watch"], one["state"], one["share"]) == (1, "waiting", 0.0)
    assert client.post(f"{API}/backfills/1/cancel").json()["state"] == "cancelled"
    assert client.post(f"{API}/backfills/1/cancel").status_code == 409
    assert client.post(f"{API}/backfills/1/resume").json()["state"] == "waiting"
    assert [one["id"] for one in client.get(f"{API}/backfills?brand=lumbre").json()["items"]] == [1]
    assert client.post(f"{API}/backfills/7/resume").status_code == 404
    for body in ({"brand": "lumbre", "since": "ayer"}, {"brand": "lumbre", "since": "2030-01-01"}):
        assert client.post(f"{API}/backfills", json=body).status_code == 422
    nobody = {"brand": "lumbre", "since": "2026-01-01", "source": "rss"}
    assert client.post(f"{API}/backfills", json=nobody).status_code == 404


# Channels


@pytest.fixture
def heard(sqlite_store: Store, brand: Brand) -> Brand:
    """Three mentions on Mastodon in the last 30 days, one before; a watch of Hacker News that heard nothing."""
    said = [make.mention(str(days), created_at=NOW - days * DAY) for days in (1, 2, 29, 31)]
    with sqlite_store.write() as session:
        mentions.save(session, brand, said, NOW)
    watch(sqlite_store, brand, "hackernews", "lumbre")
    return brand


def rows(client: TestClient) -> dict[str, list[str]]:
    tree = page(client, "/sources")
    return {words(row, "th"): [" ".join(cell.text().split()) for cell in row.css("td")[:2]]
            for row in tree.css(".channels tbody tr:not(.another)")}


def test_every_channel_tells_its_volume_and_whether_it_is_watched(client: TestClient, heard: Brand) -> None:
    assert rows(client) == {"Mastodon": ["3", "Watch it"], "Hacker News": ["0", "✓ yes"]}
    tree = page(client, "/sources")
    link = str(tree.css_first(".channels td.num a").attributes["href"])
    assert words(page(client, link), ".headline p") == "3 mentions", "the number leads to as many mentions"
    add = tree.css_first(".channels td a[aria-label='Watch Mastodon']").attributes["href"]
    assert add == "/sources/add?brand=lumbre&source=mastodon"


def test_a_channel_where_people_write_and_nobody_answers_is_marked(client: TestClient, heard: Brand) -> None:
    def note(name: str) -> None:
        client.post("/sources?brand=lumbre", data={"do": "note", "name": name, "present": "yes", "attended": "no"})

    note("hackernews")
    assert not page(client, "/sources").css(".unattended"), "where nothing comes in, nobody is kept waiting"
    note("mastodon")
    assert words(page(client, "/sources"), ".unattended th") == "Mastodon ! nobody answers"


def test_a_channel_is_added_changed_and_forgotten_by_hand(client: TestClient, heard: Brand) -> None:
    def note(**said: str) -> int:
        return client.post("/sources?brand=lumbre", data={"do": "note", "name": " Tienda física "} | said,
                           follow_redirects=False).status_code

    assert note(present="yes", attended="yes", owner="Operaciones") == 303
    told = {one["name"]: one for one in client.get(f"{API}/channels?brand=lumbre").json()["items"]}
    store = told["Tienda física"]
    assert (store["present"], store["attended"], store["owner"], store["volume"]) == (True, True, "Operaciones", 0)
    tree = page(client, "/sources")
    row = next(row for row in tree.css(".channels tbody tr") if "Tienda" in row.text())
    assert row.css_first("input[name=owner]").attributes["value"] == "Operaciones"
    assert row.css_first("select[name=attended] option[selected]").attributes["value"] == "yes"
    assert note(present="", attended="", owner="") == 303
    assert "Tienda física" not in client.get("/sources").text


def test_a_channel_without_a_name_is_refused_with_what_was_typed(client: TestClient, heard: Brand) -> None:
    answer = client.post("/sources?brand=lumbre", data={"do": "note", "name": "", "owner": "Ventas"})
    assert answer.status_code == 422
    assert "The channel has no name." in answer.text
    assert 'value="Ventas"' in answer.text
    assert client.post("/sources?brand=lumbre", data={"do": "note", "name": "x" * 101}).status_code == 422


def test_channels_are_noted_over_http(client: TestClient, heard: Brand) -> None:
    asked = {"brand": "lumbre", "name": "mastodon", "present": True, "attended": False, "owner": "Marketing"}
    told = {one["name"]: one for one in client.put(f"{API}/channels", json=asked).json()["items"]}
    assert (told["mastodon"]["title"], told["mastodon"]["volume"], told["mastodon"]["attended"]) == (
        "Mastodon", 3, False)
    for change in ({"name": "  "}, {"brand": "nadie"}, {"present": "yes"}, {"volume": 9}):
        assert client.put(f"{API}/channels", json=asked | change).status_code in (404, 422)
