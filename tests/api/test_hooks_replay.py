"""A delivery that somebody overheard, copied or made up gets a stranger nothing at the door for deliveries."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from collectors.signature import SCHEMES
from escucha.filter import MentionFilter
from store import credentials, mentions
from store.engine import Store
from store.vault import Vault, new_key
from tests.api.listening import NOW, client_of, lumbre, watch
from tests.collectors.fakes.webhook import delivery, hmac_of

SECRET = 'plant/webhook+secret="9'
SAID = {"source_id": "1", "text": "El café Lumbre llegó frío"}
BODY = json.dumps([SAID]).encode()
JSON = {"content-type": "application/json"}


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> Any:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path, clock: Clock) -> TestClient:
    """An installation with two hooks of one brand."""
    brand, key = lumbre(sqlite_store), new_key()
    for hook in ("llave", "otra"):
        watch(sqlite_store, brand, "webhook", f"generic {hook}", hook=hook)
    with sqlite_store.write() as session:
        credentials.put(session, Vault(key), "webhook", brand.id, {"secret": SECRET}, NOW)
    return client_of(sqlite_store, tmp_path, clock, secret_key=key)


def status(client: TestClient, headers: Mapping[str, str], body: bytes = BODY, hook: str = "llave") -> int:
    return client.post(f"/hooks/{hook}", content=body, headers={**JSON, **headers}).status_code


def kept(store: Store) -> list[str]:
    with store.read() as session:
        return [one.mention.text for one in mentions.find(session, MentionFilter()).items]


def timed(stamp: str, body: bytes = BODY) -> dict[str, str]:
    made = hmac_of(SECRET.encode(), f"{stamp}.".encode(), body).hex()
    return {"x-timestamp": stamp, "x-signature-256": f"sha256={made}"}


def test_an_overheard_delivery_serves_for_five_minutes_and_is_kept_once(
    client: TestClient, sqlite_store: Store, clock: Clock
) -> None:
    for sent in (dict(delivery([SAID], SECRET, at=NOW).headers), timed(str(int(NOW.timestamp())))):
        clock.now = NOW
        assert status(client, sent) == 202
        clock.now = NOW + timedelta(minutes=4)
        assert status(client, sent) == 202
        clock.now = NOW + timedelta(minutes=6)
        assert status(client, sent) == 401
        later = str(int(clock.now.timestamp()))
        assert status(client, {**sent, "webhook-timestamp": later, "x-timestamp": later}) == 401
    assert len(kept(sqlite_store)) == 1


def test_a_signature_of_one_form_is_none_of_another(client: TestClient, sqlite_store: Store) -> None:
    """What was signed with a time must not serve without it, in whatever form it is presented."""
    stamp = str(int(NOW.timestamp()))
    standard, own = delivery(BODY, SECRET, at=NOW).headers, timed(stamp)
    signatures = {standard["webhook-signature"], standard["webhook-signature"].removeprefix("v1,"),
                  own["x-signature-256"], own["x-signature-256"].removeprefix("sha256=")}
    signatures |= {f"sha256={signature}" for signature in signatures} | {f"v1,{signature}" for signature in signatures}
    bodies = (BODY, f"{stamp}.".encode() + BODY, f"msg_1.{stamp}.".encode() + BODY)
    untimed = [scheme.header for scheme in SCHEMES if scheme.stamp is None]
    assert len(untimed) == 3
    for header in untimed:
        for signature in signatures:
            for body in bodies:
                for kind in ("application/json", "application/x-ndjson"):
                    assert status(client, {header: signature, "content-type": kind}, body) in (400, 401)
                    assert status(client, {header: f"Bearer {signature}", "content-type": kind}, body) == 401
    assert kept(sqlite_store) == []


def test_a_surer_signature_that_is_wrong_is_not_made_good_by_another(client: TestClient) -> None:
    bearer = {"authorization": f"Bearer {SECRET}"}
    assert status(client, bearer) == 202
    assert status(client, {**bearer, "webhook-signature": "v1,AAAA"}) == 401
    assert status(client, {**bearer, "x-hub-signature-256": "sha256=00"}) == 401


@pytest.mark.parametrize("secret", ["", SECRET[:-1], SECRET + "x", SECRET.upper(), "\xff", "Bearer", "None"])
def test_what_is_not_the_secret_does_not_get_in(client: TestClient, sqlite_store: Store, secret: str) -> None:
    for headers in ({"authorization": f"Bearer {secret}"}, dict(delivery([SAID], secret or "x", at=NOW).headers)):
        answer = client.post("/hooks/llave", content=BODY, headers={
            name: value.encode("latin-1") for name, value in {**JSON, **headers}.items()})  # fmt: skip
        assert answer.status_code == 401
        assert SECRET not in answer.text
    assert kept(sqlite_store) == []


def test_what_was_deleted_does_not_come_back_when_an_older_delivery_is_sent_again(
    client: TestClient, sqlite_store: Store
) -> None:
    bearer = {"authorization": f"Bearer {SECRET}"}
    assert status(client, bearer) == 202
    assert status(client, bearer, json.dumps({"source_id": "1", "deleted": True}).encode()) == 202
    assert kept(sqlite_store) == []
    assert status(client, bearer) in (202, 422)
    assert kept(sqlite_store) == []


def test_thousands_of_guesses_in_one_header_take_no_time(client: TestClient) -> None:
    begun = time.process_time()
    guesses = {**delivery([SAID], SECRET, at=NOW).headers, "webhook-signature": "v1,AAAA " * 7_000}
    assert status(client, guesses) == 401
    assert time.process_time() - begun < 2.0


def test_an_address_that_nobody_has_tells_nothing_and_a_delivery_changes_its_own_hook_alone(
    client: TestClient, sqlite_store: Store
) -> None:
    for hook in ("nadie", "llavf", "LLAVE", "llave%00", "%2e%2e", "llave%2Fx", "x" * 200):
        answer = client.post(f"/hooks/{hook}", content=BODY, headers={**JSON, "authorization": f"Bearer {SECRET}"})
        assert answer.status_code == 404, hook
        assert SECRET not in answer.text
    assert client.post(f"/hooks/{'x' * 201}", content=BODY, headers=JSON).status_code == 422
    assert kept(sqlite_store) == []


def test_lines_and_depths_and_numbers_without_end_are_refused(client: TestClient, sqlite_store: Store) -> None:
    bearer = {"authorization": f"Bearer {SECRET}"}
    for body in (b"[" * 1_000_000, b'{"a":' * 190_000, b"1" * 1_000_000, b"[1e999]", b"[NaN]", b"\xff\xfe", b"[]" * 9,
                 b"[" + b"{}," * 2_000 + b"{}]"):  # fmt: skip
        assert status(client, bearer, body) in (400, 422)
        assert status(client, {**bearer, "content-type": "application/x-ndjson"}, body) in (400, 422)
    assert kept(sqlite_store) == []
