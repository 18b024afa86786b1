"""Sources, watches and their keys over HTTP: what the page can do, a program can do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from collectors import source_names
from escucha.brand import Brand
from escucha.errors import Refused
from escucha.source import Quota, Span
from store import watches
from store.engine import Store
from tests.api.listening import DAY, HOUR, NOW, client_of, lumbre, run, wall, watch
from tests.collectors.fakes.hackernews import HackerNewsUpstream

API = "/api/v1"
SECRET = "clave-que-nadie-ve"


@pytest.fixture
def brand(sqlite_store: Store) -> Brand:
    return lumbre(sqlite_store)


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path, brand: Brand) -> TestClient:
    return client_of(sqlite_store, tmp_path)


@pytest.fixture
def forum(tmp_path: Path) -> Iterator[tuple[HackerNewsUpstream, str]]:
    made = HackerNewsUpstream(tmp_path)
    made.start, made.spacing = wall() - timedelta(days=2), timedelta(hours=3)  # type: ignore[misc]
    made.add(12)
    with made.on_loopback() as address:
        yield made, address


def test_the_sources_tell_their_conditions_in_the_readers_language(client: TestClient) -> None:
    items = {one["name"]: one for one in client.get(f"{API}/sources").json()["items"]}
    assert set(items) == set(source_names()) - {"file"}
    youtube = items["youtube"]
    assert (youtube["access"], youtube["can_store_days"], youtube["recheck_days"]) == ("own key", 30, 25)
    assert youtube["keys"] == ["api_key", "daily_units"]
    assert items["google-news"]["on"] is False
    assert items["google-news"]["terms"]
    assert client.get(f"{API}/sources/youtube?brand=lumbre").json() == youtube
    assert client.get(f"{API}/sources/nadie").status_code == 404
    assert client.get(f"{API}/sources/file").status_code == 422


def test_a_watch_is_started_run_paused_resumed_and_removed(client: TestClient) -> None:
    asked = {"brand": "lumbre", "source": "rss", "query": "https://a.example/feed", "every": 900}
    answer = client.post(f"{API}/watches", json=asked)
    assert (answer.status_code, answer.headers["location"]) == (201, f"{API}/watches/1")
    made = answer.json()
    assert (made["health"], made["terms"], made["slowest"]) == ("new", ["Lumbre", "Cafés Lumbre"], 7200)
    assert client.post(f"{API}/watches", json=asked).status_code == 409
    where = answer.headers["location"]
    assert client.post(f"{where}/pause").json()["state"] == "paused"
    assert client.post(f"{where}/resume").json()["state"] == "active"
    assert client.post(f"{where}/run").json()["next_at"] == NOW.isoformat().replace("+00:00", "Z")
    assert [one["id"] for one in client.get(f"{API}/watches?brand=lumbre").json()["items"]] == [1]
    assert client.delete(where).status_code == 204
    for path in ("", "/runs", "/coverage"):
        assert client.get(f"{where}{path}").status_code == 404
    assert client.post(f"{where}/run").status_code == 404


@pytest.mark.parametrize(
    ("terms", "kept"), [(None, ["Lumbre", "Cafés Lumbre"]), ([], []), (["café", " café "], ["café"])]
)
def test_terms_are_the_brands_names_none_or_those_that_are_given(
    client: TestClient, terms: list[str] | None, kept: list[str]
) -> None:
    asked = {"brand": "lumbre", "source": "rss", "query": "https://a.example/feed", "terms": terms}
    assert client.post(f"{API}/watches", json=asked).json()["terms"] == kept


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"source": "file", "query": "/etc/passwd"}, 422), ({"source": "nadie"}, 404), ({"brand": "nadie"}, 404),
        ({"every": 1}, 422), ({"every": 0}, 422), ({"every": "900"}, 422), ({"slowest": 10**9}, 422),
        ({"query": "x" * 5000}, 422), ({"hook": "mine"}, 422), ({"source": "hackernews", "query": ""}, 422),
    ],
)
def test_what_cannot_be_watched_is_refused(
    client: TestClient, sqlite_store: Store, change: dict[str, object], status: int
) -> None:
    asked = {"brand": "lumbre", "source": "rss", "query": "https://a.example/feed"} | change
    assert client.post(f"{API}/watches", json=asked).status_code == status
    if "every" not in change and "slowest" not in change and "hook" not in change:
        tried = {name: asked[name] for name in ("brand", "source", "query")}
        assert client.post(f"{API}/watches/try", json=tried).status_code == status
    with sqlite_store.read() as session:
        assert watches.all_watches(session) == []


def test_a_watch_is_tried_without_a_trace(
    sqlite_store: Store, tmp_path: Path, brand: Brand, forum: tuple[HackerNewsUpstream, str]
) -> None:
    upstream, address = forum
    client = client_of(sqlite_store, tmp_path, wall, address)
    upstream.mangled = True
    asked = {"brand": "lumbre", "source": "hackernews", "query": "lumbre"}
    tried = client.post(f"{API}/watches/try", json=asked).json()
    assert len(tried["mentions"]) == 10
    assert tried["mentions"][0]["author"]["followers"] is None
    assert [one["where"] for one in tried["refusals"]] == ["item rota"]
    assert tried["problem"] is None
    upstream.failure = (401, {})
    assert "did not accept our key" in client.post(f"{API}/watches/try", json=asked).json()["problem"]
    assert client.get(f"{API}/mentions").json()["items"] == []
    assert client.get(f"{API}/watches").json()["items"] == []


def test_a_watch_is_a_query_that_is_checked_before_it_is_saved(
    sqlite_store: Store, tmp_path: Path, brand: Brand, forum: tuple[HackerNewsUpstream, str]
) -> None:
    client = client_of(sqlite_store, tmp_path, wall, forum[1])
    asked = {"brand": "lumbre", "source": "hackernews", "query": '"café lumbre" -receta'}
    tried = client.post(f"{API}/watches/try", json=asked).json()
    assert (tried["searches"], tried["checked"]) == (['"café lumbre"'], '"cafe lumbre" AND NOT receta')
    assert client.post(f"{API}/watches", json=asked).status_code == 201
    for query, column in (("café AND", 6), ("lumbre stage:purchase", 8), ("lumbre followers:>3k", 8)):
        for path in ("watches", "watches/try"):
            refused = client.post(f"{API}/{path}", json={**asked, "query": query})
            assert refused.status_code == 422
            assert (refused.json()["details"]["line"], refused.json()["details"]["column"]) == (1, column)
    assert len(client.get(f"{API}/watches").json()["items"]) == 1


def test_a_watch_tells_its_last_run_week_quota_problem_and_cost(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    made = watch(sqlite_store, brand, "x", "lumbre")
    run(sqlite_store, made, NOW - 2 * DAY, new=4, cost=1.25)
    run(sqlite_store, made, NOW - HOUR, Refused("{host} says no.", host="x.example"), refused=2, passed=3,
        state="paused", quota=Quota(limit=300, remaining=12))
    told = client.get(f"{API}/watches/{made.id}").json()
    assert (told["health"], told["problem"]) == ("paused", "x.example says no.")
    assert (told["last_run"]["refused"], told["last_run"]["passed"], told["week"]["new"]) == (2, 3, 4)
    assert (told["spent"], told["budget"]) == (1.25, 10.0)
    assert told["quota"] == {"limit": 300, "remaining": 12, "resets_at": None, "unit": "requests"}
    runs = client.get(f"{API}/watches/{made.id}/runs?limit=1").json()["items"]
    assert [(one["problem"], len(one["refusals"])) for one in runs] == [("x.example says no.", 2)]
    assert runs[0]["refusals"][0]["reason"].startswith("This item does not have the form")


def test_the_coverage_is_five_weeks_of_the_brands_days(client: TestClient, sqlite_store: Store, brand: Brand) -> None:
    made = watch(sqlite_store, brand, "rss", "https://a.example/feed", age=4 * DAY)
    run(sqlite_store, made, NOW - 2 * DAY, covers=Span(NOW - 4 * DAY, NOW - 2 * DAY))
    days = {one["day"]: one for one in client.get(f"{API}/watches/{made.id}/coverage").json()["items"]}
    assert len(days) == 35
    assert {day: days[f"2026-11-{day}"]["state"] for day in (15, 16, 17, 18, 19, 20, 21)} == {
        15: "before", 16: "part", 17: "full", 18: "part", 19: "gap", 20: "gap", 21: "ahead"}
    assert days["2026-11-18"]["share"] == 0.5


def test_keys_go_in_and_their_names_come_out(client: TestClient) -> None:
    keys = f"{API}/sources/youtube/keys"
    put = client.put(keys, json={"brand": "lumbre", "values": {"api_key": SECRET, "daily_units": ""}})
    assert put.status_code == 200
    told = {one["name"]: one for one in client.get(f"{keys}?brand=lumbre").json()["items"]}
    assert told["api_key"]["entered_at"] == NOW.isoformat().replace("+00:00", "Z")
    assert told["daily_units"]["entered_at"] is None
    assert client.get(keys).json()["items"][0]["entered_at"] is None, "it was for one brand"
    assert SECRET not in put.text + client.get(f"{keys}?brand=lumbre").text + client.get(f"{API}/sources").text
    assert client.delete(f"{keys}?brand=lumbre&key=api_key").status_code == 204
    assert client.get(f"{keys}?brand=lumbre").json()["items"][0]["entered_at"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"values": {"base_url": SECRET}}, 422), ({"values": {"api_key": [SECRET]}}, 422),
        ({"values": {"api_key": SECRET}, "brand": "nadie"}, 404), ({"keys": {"api_key": SECRET}}, 422),
    ],
)
def test_a_refused_key_is_not_repeated(client: TestClient, body: dict[str, object], status: int) -> None:
    answer = client.put(f"{API}/sources/youtube/keys", json=body)
    assert answer.status_code == status
    assert SECRET not in answer.text


def test_terms_are_accepted_and_taken_back(client: TestClient) -> None:
    keys = f"{API}/sources/google-news/keys"
    assert client.put(keys, json={"values": {"accepted": "yes"}}).status_code == 200
    assert client.get(f"{API}/sources/google-news").json()["on"] is True
    assert client.delete(f"{keys}?key=accepted").status_code == 204
    assert client.get(f"{API}/sources/google-news").json()["on"] is False
    assert client.put(f"{API}/sources/rss/keys", json={"values": {"accepted": "yes"}}).status_code == 422
