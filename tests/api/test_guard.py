"""Strangers' pages cannot use ours, and ours load nothing from elsewhere."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from api.guard import known_host

API = "/api/v1/brands"


@pytest.mark.parametrize("path", ["/", "/journey", "/mentions", "/nope", API, "/api/v1/nope", "/static/escucha.css"])
def test_every_answer_carries_the_strict_policy(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "192.168.1.5", "[::"])
def test_a_foreign_host_is_refused(client: TestClient, host: str) -> None:
    answer = client.get(API, headers={"Host": host})
    assert (answer.status_code, answer.json()["error"]) == (421, "invalid")


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_this_machine_is_let_in(client: TestClient, host: str) -> None:
    assert client.get(API, headers={"Host": host}).status_code == 200


def test_a_server_that_listens_everywhere_takes_literal_addresses_but_no_foreign_names() -> None:
    assert known_host("192.168.1.5", "0.0.0.0")
    assert not known_host("evil.example", "0.0.0.0")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_form_from_another_site_changes_nothing(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/sample/remove", headers=headers, follow_redirects=False)
    assert answer.status_code == 403
    assert len(client.get(API).json()["items"]) == 2


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost:8000"}],
)
def test_our_own_button_removes_the_sample(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/sample/remove", headers=headers, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert client.get(API).json()["items"] == []


def test_only_what_is_sent_to_a_hook_may_come_from_anywhere(client: TestClient) -> None:
    foreign = {"Host": "escucha.example", "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    sent = client.post("/hooks/nobody", content="no JSON", headers=foreign | {"Content-Type": "text/plain"})
    assert (sent.status_code, sent.json()["error"]) == (415, "invalid")
    for path in ("/hooks", "/hooksome/x", "/sources/hooks/x", "/api/v1/watches", "//hooks/x"):
        assert client.post(path, json={}, headers=foreign).status_code in (403, 421)


def test_an_oversized_body_is_refused(client: TestClient) -> None:
    assert client.post(API, json={"slug": "x", "name": "x" * 2_000_000}).status_code in (413, 422)


def test_our_files_travel_compressed_and_are_checked_at_each_visit(client: TestClient) -> None:
    answer = client.get("/static/vendor/vega.min.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "no-cache"
    again = client.get("/static/vendor/vega.min.js", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
