"""What is sent to a hook of this installation ends as a mention, or is refused with a reason a program can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from escucha.brand import Brand
from escucha.filter import MentionFilter
from store import credentials, mentions, watches
from store.engine import Store
from store.vault import Vault, new_key
from tests.api.listening import NOW, client_of, lumbre, page, watch, words
from tests.collectors.fakes.upstream import SECRET
from tests.collectors.fakes.webhook import delivery

SAID = {"id": "1", "text": "El café Lumbre llegó frío", "author": {"name": "Ana", "followers": 3200}}


@pytest.fixture
def brand(sqlite_store: Store) -> Brand:
    """A brand with a hook whose secret is entered in the page."""
    made = lumbre(sqlite_store)
    watch(sqlite_store, made, "webhook", "generic", hook="llave")
    return made


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path, brand: Brand) -> TestClient:
    key = new_key()
    with sqlite_store.write() as session:
        credentials.put(session, Vault(key), "webhook", brand.id, {"secret": SECRET}, NOW)
    return client_of(sqlite_store, tmp_path, secret_key=key)


def send(client: TestClient, body: Any, key: str = "llave", secret: str = SECRET, **headers: str) -> tuple[int, Any]:
    """A delivery as another host sends it: under a name of its own, through a proxy."""
    made = delivery(body, secret, at=NOW)
    sent = dict(made.headers) | {"host": "escucha.tienda.example"} | headers
    answer = client.post(f"/hooks/{key}", content=made.body, headers=sent)
    return answer.status_code, answer.json()


def kept(store: Store) -> list[str]:
    with store.read() as session:
        return [tagged.mention.text for tagged in mentions.find(session, MentionFilter()).items]


def test_a_signed_delivery_ends_as_a_mention_with_its_line_in_the_ledger(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    assert send(client, [SAID]) == (202, {"accepted": 1, "duplicated": 0, "left_out": 0, "rejected": []})
    assert kept(sqlite_store) == [SAID["text"]]
    with sqlite_store.read() as session:
        (run,) = watches.runs(session, 1)
        made = watches.get(session, 1)
    assert (run.at, run.fetched, run.new) == (NOW, 1, 1)
    assert (made.last_run_at, made.next_at, made.health) == (NOW, None, "good")
    assert "✓ Good" in words(page(client, "/sources"), ".watch .health")


def test_a_delivery_that_is_sent_again_is_kept_once(client: TestClient, sqlite_store: Store) -> None:
    send(client, [SAID])
    status, told = send(client, [SAID])
    assert (status, told["accepted"], told["duplicated"]) == (202, 0, 1)
    assert len(kept(sqlite_store)) == 1


def test_what_cannot_be_read_is_named_and_the_rest_is_taken(client: TestClient, sqlite_store: Store) -> None:
    status, told = send(client, [SAID, {"id": "2", "text": {"html": "x"}}])
    assert (status, told["accepted"]) == (202, 1)
    assert [(one["where"], one["field"]) for one in told["rejected"]] == [("item 2", "text")]
    assert "item 2" in words(page(client, "/sources"), ".runs")


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"secret": "otro"}, 401, "refused"), ({"webhook-signature": "v1,AAAA"}, 401, "refused"),
        ({"key": "nadie"}, 404, "not_found"), ({"content-type": "text/plain"}, 415, "invalid"),
    ],
)
def test_what_is_not_ours_or_not_signed_is_refused_and_leaves_nothing(
    client: TestClient, sqlite_store: Store, change: dict[str, str], status: int, error: str
) -> None:
    answered, told = send(client, [SAID], **change)
    assert (answered, told["error"]) == (status, error)
    assert SECRET not in json.dumps(told)
    assert kept(sqlite_store) == []


def test_a_paused_hook_takes_nothing_until_it_is_resumed(client: TestClient, sqlite_store: Store) -> None:
    client.post("/sources/watches/1/pause?brand=lumbre")
    status, told = send(client, [SAID])
    assert (status, told["message"]) == (401, "This address is paused. Resume its watch on the page Sources.")
    client.post("/sources/watches/1/resume?brand=lumbre")
    assert send(client, [SAID])[0] == 202


def test_a_hook_that_the_page_made_takes_what_is_signed_with_the_secret_it_showed(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    with sqlite_store.write() as session:
        credentials.remove(session, "webhook", brand.id)
    form = {"do": "save", "query": "generic encuestas"}
    shown = client.post("/sources/add?brand=lumbre&source=webhook", data=form).text
    secret = shown.partition("whsec_")[2].partition("<")[0]
    with sqlite_store.read() as session:
        key = watches.get(session, 2).hook
    assert send(client, [SAID], key=str(key), secret=f"whsec_{secret}")[0] == 202


def test_a_hook_lets_no_foreign_host_or_form_in_elsewhere(client: TestClient, sqlite_store: Store) -> None:
    foreign = {"host": "escucha.tienda.example", "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert send(client, [SAID], **foreign)[0] == 202, "the signature says whose it is"
    for path in ("/sources/watches/1/pause?brand=lumbre", "/hooksx/llave", "/hooks", "/api/v1/watches"):
        assert client.post(path, headers=foreign).status_code in (403, 421)
    own_name = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert client.post("/sources/watches/1/pause?brand=lumbre", headers=own_name).status_code == 403
    assert client.get("/hooks/llave", headers=foreign).status_code == 405
    assert client.get("/hooks/a/b", headers=foreign).json()["error"] == "not_found"


def test_a_delivery_over_a_megabyte_is_told_so_in_json(client: TestClient) -> None:
    status, told = send(client, [SAID | {"text": "x" * 1_100_000}])
    assert status == 413
    assert set(told) == {"error", "message", "details"}
