"""The API answers what the filter means, and every failure in one shape."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from store.engine import open_store
from tests.api.conftest import Open

API = "/api/v1"


def ids(client: TestClient, query: str) -> list[str]:
    answer = client.get(f"{API}/mentions?{query}")
    assert answer.status_code == 200, answer.text
    return [item["mention"]["source_id"] for item in answer.json()["items"]]


def test_brands_are_listed_by_name(client: TestClient) -> None:
    assert [brand["slug"] for brand in client.get(f"{API}/brands").json()["items"]] == ["lumbre", "nebula"]


def test_a_brand_that_is_added_can_be_read_back(client: TestClient) -> None:
    answer = client.post(f"{API}/brands", json={"slug": "otra", "name": " Otra ", "aliases": ["La Otra"]})
    assert (answer.status_code, answer.headers["location"]) == (201, "/api/v1/brands/otra")
    assert client.get(answer.headers["location"]).json()["name"] == "Otra"


def test_a_brand_cannot_be_added_twice(client: TestClient) -> None:
    answer = client.post(f"{API}/brands", json={"slug": "lumbre", "name": "Lumbre"})
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")


@pytest.mark.parametrize(
    "body", [{"name": "x"}, {"slug": "Con Espacio", "name": "x"}, {"slug": "x", "name": 5}, {"slug": "x", "name": ""},
             {"slug": "x", "name": "x", "timezone": "Mars/Base"}, {"slug": "x", "name": "x", "sample": True}, [1]],
)
def test_a_malformed_brand_is_refused(client: TestClient, body: object) -> None:
    answer = client.post(f"{API}/brands", json=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("brand=lumbre&limit=2", ["1", "2"]),
        ("sentiment=negative", ["1", "6"]),
        ("sentiment=negative&sentiment=neutral", ["1", "3", "6"]),
        ("stage=purchase&pain=problem&touchpoint=delivery", ["1"]),
        ("stage=none", ["4", "5"]),
        ("source=reddit", ["4"]),
        ("lang=en", ["4"]),
        ("q=CAFE+frio&sentiment=positive", ["7", "8"]),
        ("brand=nebula", []),
    ],
)
def test_each_parameter_narrows_the_mentions(client: TestClient, query: str, expected: list[str]) -> None:
    assert ids(client, query) == expected


def test_the_days_are_the_brands_own_and_the_last_is_included(client: TestClient) -> None:
    # 18:00 UTC on the 19th is noon in Mexico City; mention 1 was made then.
    assert ids(client, "brand=lumbre&from=2026-11-19&to=2026-11-19") == ["1"]
    assert ids(client, "brand=lumbre&from=2026-11-18&to=2026-11-19") == ["1", "2"]


def test_pages_follow_each_other_without_gap_or_repeat(client: TestClient) -> None:
    seen, after = [], ""
    while True:
        page = client.get(f"{API}/mentions", params={"limit": 3} | ({"after": after} if after else {})).json()
        seen += [item["mention"]["source_id"] for item in page["items"]]
        after = page["next"]
        if not after:
            break
    assert seen == ["1", "2", "3", "4", "5", "6", "7", "8"]


def test_one_mention_carries_its_tags_with_their_scores(client: TestClient) -> None:
    first = client.get(f"{API}/mentions?limit=1").json()["items"][0]
    alone = client.get(f"{API}/mentions/{first['id']}").json()
    assert alone == first
    assert alone["enrichment"]["pain"] == {"label": "problem", "score": 0.9}


def test_series_count_what_the_filter_means(client: TestClient) -> None:
    query = "brand=lumbre&metric=mentions&by=sentiment&every=month"
    series = {one["key"]: one for one in client.get(f"{API}/series?{query}").json()["items"]}
    assert sum(point["n"] for point in series["positive"]["points"]) == 5
    assert sum(point["value"] for point in series["negative"]["points"]) == 2


def test_the_journey_has_every_stage_with_its_interval(client: TestClient) -> None:
    journey = client.get(f"{API}/journey?brand=lumbre").json()
    columns = {column["stage"]["key"]: column for column in journey["columns"]}
    assert (journey["n"], journey["staged"], len(columns)) == (8, 6, 6)
    assert columns["purchase"]["n"] == 3
    negative = columns["purchase"]["mix"]["negative"]
    assert negative["share"] == pytest.approx(2 / 3)
    assert negative["low"] < negative["share"] < negative["high"]
    assert columns["decision"]["emotion"] is None


def test_health_counts_the_store(client: TestClient) -> None:
    health = client.get(f"{API}/health").json()
    assert (health["mentions"], health["pending"], health["brands"]) == (8, 0, 2)


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/nope", 404, "not_found"),
        ("/brands/nope", 404, "not_found"),
        ("/mentions/999", 404, "not_found"),
        ("/mentions?brand=nope", 404, "not_found"),
        ("/mentions/abc", 422, "invalid"),
        ("/mentions?limit=0", 422, "invalid"),
        ("/mentions?limit=many", 422, "invalid"),
        ("/mentions?stages=purchase", 422, "invalid"),
        ("/mentions?stage=limbo", 422, "invalid"),
        ("/mentions?sentiment=sad", 422, "invalid"),
        ("/mentions?from=31/10/2026", 422, "invalid"),
        ("/mentions?from=2026-11-02&to=2026-11-01", 422, "invalid"),
        ("/mentions?after=zzz", 422, "invalid"),
        ("/series?metric=happiness", 422, "invalid"),
    ],
)
def test_every_failure_has_one_shape(client: TestClient, path: str, status: int, error: str) -> None:
    answer = client.get(API + path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message", "details"}
    assert answer.json()["error"] == error
    assert "{" not in answer.json()["message"]


def test_a_wrong_method_has_the_same_shape(client: TestClient) -> None:
    answer = client.delete(f"{API}/brands")
    assert (answer.status_code, set(answer.json())) == (405, {"error", "message", "details"})


def test_a_body_that_is_no_json_has_the_same_shape(client: TestClient) -> None:
    answer = client.post(f"{API}/brands", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid")


@pytest.mark.parametrize(
    ("headers", "begins"),
    [({}, "No hay"), ({"Accept-Language": "en-GB,en;q=0.9,es;q=0.5"}, "There is"),
     ({"Cookie": "lang=es", "Accept-Language": "en"}, "No hay")],
)
def test_an_error_speaks_the_readers_language(client: TestClient, headers: dict[str, str], begins: str) -> None:
    assert client.get(f"{API}/brands/nope", headers=headers).json()["message"].startswith(begins)


def test_the_address_can_ask_for_a_language_and_lang_stays_a_filter(client: TestClient) -> None:
    answer = client.get(f"{API}/mentions?brand=nope&lang=es&ui=en")
    assert answer.json()["message"].startswith("There is no brand")


@pytest.mark.parametrize("path", [f"{API}/health", "/"])
def test_a_crash_gives_a_number_and_no_stack_trace(opened: Open, tmp_path: Path, path: str) -> None:
    without_tables = open_store(f"sqlite:///{tmp_path / 'bare.db'}")
    answer = opened(without_tables).get(path)
    assert answer.status_code == 500
    assert re.search(r"el número [0-9a-f]{12}", answer.text)
    assert "no such table" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_description_names_every_door_and_its_failures(client: TestClient) -> None:
    paths = client.get(f"{API}/openapi.json").json()["paths"]
    assert set(paths) == {f"{API}{path}" for path in (
        "/brands", "/brands/{slug}", "/mentions", "/mentions/{id}", "/mentions/export", "/queries/preview",
        "/series", "/shares", "/share-of-voice", "/journey", "/health",
        "/mentions/{id}/corrections", "/mentions/{id}/corrections/{kind}",
        "/brands/{slug}/rules", "/brands/{slug}/rules/try", "/brands/{slug}/rules/{id}",
        "/brands/{slug}/exclusions", "/brands/{slug}/exclusions/preview", "/brands/{slug}/exclusions/{id}",
        "/mentions/{id}/relevance",
        "/brands/{slug}/heads", "/brands/{slug}/heads/{id}", "/brands/{slug}/heads/rollback",
        "/brands/{slug}/heads/{id}/accept", "/brands/{slug}/heads/{id}/reject",
        "/brands/{slug}/taxonomy", "/brands/{slug}/taxonomy/{kind}/{key}",
        "/jobs", "/jobs/stale", "/jobs/{id}", "/jobs/{id}/cancel",
        "/sources", "/sources/{name}", "/sources/{name}/keys",
        "/watches", "/watches/try", "/watches/{id}", "/watches/{id}/run", "/watches/{id}/pause",
        "/watches/{id}/resume", "/watches/{id}/runs", "/watches/{id}/coverage",
        "/retention", "/retention/preview", "/retention/{id}", "/audit", "/subjects", "/subjects/{id}",
        "/subjects/{id}/export", "/subjects/{id}/block", "/subjects/{id}/unblock", "/subjects/{id}/erase",
        "/backfills", "/backfills/{id}/cancel", "/backfills/{id}/resume", "/channels")} | {"/hooks/{key}"}
    hook = paths.pop("/hooks/{key}")["post"]
    assert hook["responses"]["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/DeliveredOut")
    for path in paths.values():
        for operation in path.values():
            assert operation["summary"]
            assert operation["description"]
            shape = operation["responses"]["422"]["content"]["application/json"]["schema"]["$ref"]
            assert shape.endswith("/ErrorOut")
