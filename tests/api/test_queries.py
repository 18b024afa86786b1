"""A query is tried before it is saved: what it means, what it finds, and where it is wrong."""

from __future__ import annotations

import json
import random
from threading import BoundedSemaphore

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api.routes.queries import turn
from benchmarks.queries import inputs
from escucha.errors import TryLater
from escucha.filter import MentionFilter
from escucha.query.parse import parse
from store import brands, mentions
from store.engine import Store
from store.patience import patient
from store.preview import of_newest, preview
from tests.api.conftest import days_ago
from tests.make import NOW, brand

SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT max(i) FROM n"
PREVIEW = "/api/v1/queries/preview"


def tried(client: TestClient, query: str, **more: object) -> dict[str, object]:
    answer = client.post(PREVIEW, json={"text": query, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def found(answer: dict[str, object]) -> list[str]:
    return [item["mention"]["source_id"] for item in answer["items"]]  # type: ignore[attr-defined]


def test_a_query_is_shown_as_it_is_read_with_what_it_finds(client: TestClient) -> None:
    answer = tried(client, "(café OR té) -NO\nsentimiento:negativo")
    assert answer["canonical"] == "(cafe OR te) AND NOT no AND sentiment:negative"
    assert (answer["fields"], answer["excludes_only"]) == (["sentiment"], False)
    assert (found(answer), answer["matched"], answer["more"], answer["looked_at"]) == (["1", "6"], 2, False, None)


def test_it_is_put_to_one_brand_or_to_all(client: TestClient) -> None:
    assert tried(client, "café", brand="nebula")["matched"] == 0
    assert tried(client, "café", brand="lumbre")["matched"] == tried(client, "café")["matched"] == 6
    assert client.post(PREVIEW, json={"text": "café", "brand": "nope"}).status_code == 404


def test_one_that_only_leaves_out_is_told(client: TestClient) -> None:
    assert tried(client, "-café")["excludes_only"] is True


@pytest.mark.parametrize(
    ("lang", "says"), [("es", "Línea 2, columna 3"), ("en", "Line 2, column 3")],
)
def test_what_is_wrong_is_said_in_the_readers_language_with_its_place(client: TestClient, lang: str, says: str) -> None:
    answer = client.post(PREVIEW, json={"text": "café\ny sitoi:example.com"}, headers={"Accept-Language": lang})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid")
    assert answer.json()["message"].startswith(says)
    details = answer.json()["details"]
    assert (details["line"], details["column"], details["suggestion"]) == (2, 3, "sitio:example.com")


@pytest.mark.parametrize("body", [{}, {"text": 5}, {"text": "a" * 4_001}, {"text": "a", "q": "b"}, [], {"text": ""}])
def test_a_body_without_a_query_is_refused(client: TestClient, body: object) -> None:
    assert client.post(PREVIEW, json=body).status_code == 422


@pytest.mark.timeout(400)
def test_nothing_that_people_or_programs_write_breaks_it(client: TestClient) -> None:
    for written in inputs(random.Random(5), 500):
        body = json.dumps({"text": written})  # escapes half a character, which UTF-8 cannot carry
        answer = client.post(PREVIEW, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (200, 422), (written, answer.text)
        if answer.status_code == 200:
            assert parse(answer.json()["canonical"]) == parse(written)


def filled(store: Store) -> None:
    with store.write() as session:
        mentions.save(session, brands.add(session, brand()), [
            days_ago(number / 1_000, str(number), f"café número {number}") for number in range(1_200)
        ], NOW)


def test_the_newest_are_shown_and_the_count_ends_somewhere(store: Store) -> None:
    filled(store)
    answer = preview(store, MentionFilter(), parse("café"))
    assert [item.mention.source_id for item in answer.items] == [str(number) for number in range(20)]
    assert (answer.matched, answer.more, answer.looked_at) == (1_000, True, None)
    assert preview(store, MentionFilter(brand="lumbre"), parse("café 7")).matched == 1


def test_a_query_that_takes_too_long_is_put_to_the_newest_alone(sqlite_store: Store) -> None:
    filled(sqlite_store)
    everything = parse("followers:>0")
    assert preview(sqlite_store, MentionFilter(), everything, seconds=0).looked_at == 0
    answer = of_newest(sqlite_store, MentionFilter(brand="lumbre"), everything, 60)
    assert [item.mention.source_id for item in answer.items] == [str(number) for number in range(20)]
    assert (answer.matched, answer.more, answer.looked_at) == (1_200, False, 1_200)


def test_what_takes_too_long_ends_and_leaves_the_connection_as_it_was(store: Store) -> None:
    with pytest.raises(TryLater), store.read() as session, patient(session, 0.05):
        session.scalar(text(SLOW))
    with store.read() as session:
        with patient(session, 0.05):
            assert session.scalar(text("SELECT 1")) == 1
        assert session.scalar(text(SLOW.replace("100000000", "300000"))) == 300_000  # more than 0.05 s


def test_too_many_at_once_wait_their_turn_and_are_then_asked_to_come_back() -> None:
    turns = BoundedSemaphore(1)
    with turn(turns, 0.01), pytest.raises(TryLater) as caught, turn(turns, 0.01):
        pass
    assert caught.value.after == 0.01
    with turn(turns, 0.01):
        pass


@pytest.mark.parametrize("path", ["/mentions", "/api/v1/mentions"])
def test_no_search_holds_a_page_for_longer_than_it_may(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    assert client.get(path, params={"q": "café"}).status_code == 200
    monkeypatch.setattr("store.patience.STEPS", 1)
    monkeypatch.setattr("api.deps.PATIENCE", 0.0)
    answer = client.get(path, params={"q": "café"}, headers={"Accept-Language": "en"})
    assert (answer.status_code, "shorter period" in answer.text) == (503, True)
