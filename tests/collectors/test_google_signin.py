"""Google's sign-in: a token is asked for once, renewed before it ends, and its keys are told to nobody."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest

from collectors.clock import Clock
from collectors.google_signin import Consent, GoogleSignIn, Grant, ServiceAccount, complaint_of
from collectors.http import Answer, Web, WebOptions
from escucha.errors import Refused, TryLater
from tests.collectors.fakes.google import ACCESS, CONSENT, private_pem, sign_in
from tests.collectors.fakes.upstream import CLOCK, NOW, SECRET, wire

ACCOUNT = {"client_email": "lumbre@proyecto.example", "private_key_id": "k1"}


def signing(
    grant: Grant, tmp_path: Path, *answers: httpx.Response, clock: Clock = CLOCK
) -> tuple[GoogleSignIn, list[httpx.Request]]:
    asked: list[httpx.Request] = []
    left = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return wire(next(left, None) or sign_in(request))

    web = Web(WebOptions(shared=str(tmp_path / "pace")), clock=clock, transport=httpx.MockTransport(answer))
    return GoogleSignIn(web, clock, grant), asked


def test_a_token_is_asked_for_once_and_again_before_it_ends(tmp_path: Path) -> None:
    now = NOW
    clock = Clock(now=lambda: now, monotonic=lambda: 0.0, sleep=lambda seconds: None)
    signin, asked = signing(Consent(**CONSENT), tmp_path, clock=clock)
    assert signin.headers() == signin.headers() == {"Authorization": f"Bearer {ACCESS}"}
    assert len(asked) == 1
    now = NOW + timedelta(seconds=3540)
    signin.headers()
    assert len(asked) == 2


def test_the_keys_are_sent_to_googles_token_address_alone_in_the_body(tmp_path: Path) -> None:
    signin, asked = signing(Consent(**CONSENT), tmp_path)
    signin.headers()
    assert str(asked[0].url) == "https://oauth2.googleapis.com/token"
    assert dict(parse_qsl(asked[0].content.decode())) == {"grant_type": "refresh_token", **CONSENT}


def test_a_service_account_signs_an_assertion_that_google_accepts(tmp_path: Path) -> None:
    key = json.dumps({**ACCOUNT, "private_key": private_pem(), "token_uri": "https://ladron.example/token"})
    signin, asked = signing(ServiceAccount(key=key, scope="https://x.example/auth"), tmp_path)
    assert signin.headers() == {"Authorization": f"Bearer {ACCESS}"}
    assert asked[0].url.host == "oauth2.googleapis.com"


@pytest.mark.parametrize(
    "key", ["", "{", "[]", "null", json.dumps(ACCOUNT), json.dumps({**ACCOUNT, "private_key": f"-----BEGIN {SECRET}"})]
)
def test_a_key_that_cannot_be_read_is_refused_and_not_quoted(key: str, tmp_path: Path) -> None:
    signin, asked = signing(ServiceAccount(key=key, scope="x"), tmp_path)
    with pytest.raises(Refused, match="Paste the whole JSON file") as caught:
        signin.headers()
    assert asked == []
    assert SECRET not in str(caught.value) + repr(caught.value.details)


@pytest.mark.parametrize(
    ("grant", "said"),
    [(Consent(**CONSENT), "publish your OAuth app"), (ServiceAccount(key="", scope="x"), "key still exists")],
)
def test_an_ended_sign_in_says_what_to_do(grant: Grant, said: str) -> None:
    assert said in str(grant.ended())


def test_an_unknown_client_is_told(tmp_path: Path) -> None:
    signin, _ = signing(Consent(**CONSENT), tmp_path, httpx.Response(401, json={"error": "invalid_client"}))
    with pytest.raises(Refused, match="client ID and the client secret"):
        signin.headers()


@pytest.mark.parametrize("body", [{}, [], {"access_token": "x", "expires_in": "soon"}])
def test_an_answer_without_a_token_is_tried_later(body: object, tmp_path: Path) -> None:
    signin, _ = signing(Consent(**CONSENT), tmp_path, httpx.Response(200, json=body))
    with pytest.raises(TryLater):
        signin.headers()


def test_credentials_are_not_shown() -> None:
    assert SECRET not in repr(Consent(**CONSENT)) + repr(ServiceAccount(key=SECRET, scope="x"))


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error": "invalid_grant"}', b'{"error": {"details": ["x"]}}',
                                  b'{"error": {"details": 3, "errors": [{"metadata": 1}]}}'])
def test_any_failure_can_be_looked_at(body: bytes) -> None:
    complaint = complaint_of(Answer(url="https://x.example/", status=403, body=body))
    assert complaint is None or complaint.reasons == frozenset()
