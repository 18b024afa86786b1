"""The door for deliveries: what gets in, what is answered, and that no browser is needed for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from api import errors
from api.deps import House
from api.guard import Guard
from api.routes.hooks import A_MINUTE, HookOutcome, Turnstile, door
from config.catalogue import read_catalogue
from config.settings import Settings
from escucha.errors import ConfigError, EscuchaError, Invalid, NotFound, Refused, TryLater, Unreadable
from escucha.source import Delivery, Refusal
from store.engine import Store
from tests.make import NOW

JSON = {"content-type": "application/json"}
FIELD = "The field {field} has to be a text. Correct it where the delivery is made."
BAD = Refusal(where="item 3", why=Unreadable(FIELD, field="text"), raw={"text": 5})


class Hook:
    """Stands for the part that saves: keeps what came, and answers or fails as it is told."""

    def __init__(self) -> None:
        self.came: list[tuple[str, Delivery]] = []
        self.outcome: HookOutcome | EscuchaError = HookOutcome(new=2)

    def __call__(self, parts: House, key: str, delivery: Delivery, /) -> HookOutcome:
        self.came.append((key, delivery))
        if isinstance(self.outcome, EscuchaError):
            raise self.outcome
        return self.outcome


@pytest.fixture
def hook() -> Hook:
    return Hook()


@pytest.fixture
def client(hook: Hook, sqlite_store: Store) -> Iterator[TestClient]:
    """A small application with the door and the guard, as the real one stands behind them."""
    app = FastAPI()
    app.state.house = House(
        settings=Settings(), store=sqlite_store, catalogue=read_catalogue(), clock=lambda: NOW
    )
    app.include_router(door(hook))
    errors.describe(app)
    app.add_middleware(Guard, host="localhost", refuse=lambda request, problem: PlainTextResponse("no", 403))
    with TestClient(app, base_url="http://localhost:8000", headers={"Accept-Language": "en"}) as opened:
        yield opened


def test_a_delivery_is_handed_over_byte_for_byte(client: TestClient, hook: Hook) -> None:
    body = b'{ "text":"Lumbre \xc3\xa9" }'
    answer = client.post("/hooks/llave", content=body, headers={**JSON, "Webhook-Id": "msg_1"})
    assert answer.status_code == 202
    assert answer.json() == {"accepted": 2, "duplicated": 0, "left_out": 0, "rejected": []}
    ((key, delivery),) = hook.came
    assert (key, delivery.body, delivery.at) == ("llave", body, NOW)
    assert delivery.headers["webhook-id"] == "msg_1"


def test_what_changed_is_counted_apart_from_what_was_known(client: TestClient, hook: Hook) -> None:
    hook.outcome = HookOutcome(new=1, updated=2, gone=3, duplicate=4, passed=5, refused=(BAD,))
    answer = client.post("/hooks/llave", content=b"[]", headers=JSON)
    assert answer.status_code == 202
    assert answer.json() == {
        "accepted": 6, "duplicated": 4, "left_out": 5,
        "rejected": [{"where": "item 3", "field": "text",
                      "reason": "The field text has to be a text. Correct it where the delivery is made."}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (HookOutcome(refused=(BAD,)), 422), (HookOutcome(refused=(BAD,), passed=1), 202), (HookOutcome(), 202),
        (HookOutcome(refused=(BAD,), duplicate=1), 202), (HookOutcome(refused=(BAD,), gone=1), 202),
    ],
)
def test_only_a_delivery_that_was_refused_from_end_to_end_fails(
    client: TestClient, hook: Hook, outcome: HookOutcome, status: int
) -> None:
    hook.outcome = outcome
    answer = client.post("/hooks/llave", content=b"[]", headers=JSON)
    assert answer.status_code == status
    assert len(answer.json()["rejected"]) == len(outcome.refused)


@pytest.mark.parametrize(
    ("problem", "status", "headers"),
    [
        (Refused("The signature does not fit."), 401, {"www-authenticate": "Bearer"}),
        (NotFound("There is no such hook."), 404, {}), (Invalid("It cannot be read."), 400, {}),
        (TryLater("Not now.", after=30), 429, {"retry-after": "30"}), (TryLater("Not now."), 429, {}),
        (ConfigError("The mapping is off."), 500, {}),
    ],
)
def test_every_failure_is_told_to_a_program(
    client: TestClient, hook: Hook, problem: EscuchaError, status: int, headers: dict[str, str]
) -> None:
    hook.outcome = problem
    answer = client.post("/hooks/llave", content=b"[]", headers=JSON)
    told = answer.json()
    assert (answer.status_code, told["error"], told["message"]) == (status, problem.error, str(problem))
    assert {name: answer.headers[name] for name in headers} == headers


def test_reasons_are_in_the_language_that_is_asked_for(client: TestClient, hook: Hook) -> None:
    hook.outcome = NotFound("There is nothing at {path}. Check the address.", path="/x")
    answer = client.post("/hooks/llave", content=b"[]", headers={**JSON, "Accept-Language": "es"})
    assert answer.json()["message"] != str(hook.outcome)


@pytest.mark.parametrize("size", [1_000_001, 3_000_000])
def test_a_delivery_over_the_bound_is_refused_before_anything_is_done(
    client: TestClient, hook: Hook, size: int
) -> None:
    def pieces() -> Iterator[bytes]:
        for start in range(0, size, 65_536):
            yield b"x" * min(65_536, size - start)

    for content in (b"x" * size, pieces()):
        answer = client.post("/hooks/llave", content=content, headers=JSON)
        assert (answer.status_code, answer.json()["details"]) == (413, {"limit": 1_000_000})
    assert hook.came == []


def test_a_delivery_of_exactly_the_bound_gets_in(client: TestClient, hook: Hook) -> None:
    assert client.post("/hooks/llave", content=b"x" * 1_000_000, headers=JSON).status_code == 202


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""])
def test_what_is_no_json_is_refused_by_its_kind(client: TestClient, hook: Hook, kind: str) -> None:
    answer = client.post("/hooks/llave", content=b"a=1", headers={"content-type": kind})
    assert (answer.status_code, answer.json()["error"]) == (415, "invalid")
    assert hook.came == []


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/x-ndjson", "application/ld+json"])
def test_json_and_json_lines_get_in(client: TestClient, kind: str) -> None:
    assert client.post("/hooks/llave", content=b"{}", headers={"content-type": kind}).status_code == 202


def test_a_hook_is_only_sent_to(client: TestClient, hook: Hook) -> None:
    assert client.get("/hooks/llave").status_code == 405
    assert client.post("/hooks", content=b"{}", headers=JSON).status_code == 404
    assert client.post("/hooks/a/b", content=b"{}", headers=JSON).status_code == 404
    assert hook.came == []


def test_a_program_without_a_browsers_headers_gets_past_the_guard_and_a_strangers_page_does_not(
    client: TestClient, hook: Hook
) -> None:
    assert client.post("/hooks/llave", content=b"{}", headers=JSON).status_code == 202
    foreign = {**JSON, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/brands", content=b"{}", headers=foreign).status_code == 403


def test_more_deliveries_than_a_minute_holds_come_back_later(client: TestClient) -> None:
    answers = [client.post("/hooks/llave", content=b"{}", headers=JSON) for _ in range(A_MINUTE + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {202}
    assert (answers[-1].status_code, answers[-1].headers["retry-after"]) == (429, "60")
    assert client.post("/hooks/otra", content=b"{}", headers=JSON).status_code == 202


def test_a_turnstile_opens_again_with_the_next_minute() -> None:
    turnstile = Turnstile(limit=1)
    turnstile.enter("llave", NOW + timedelta(seconds=20))
    with pytest.raises(TryLater) as caught:
        turnstile.enter("llave", NOW + timedelta(seconds=50))
    assert caught.value.after == 10
    turnstile.enter("llave", NOW + timedelta(seconds=60))
