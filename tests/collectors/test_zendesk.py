"""Tickets are read as Zendesk exports them, and no customer's address is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.helpdesk import account, masked, pseudonym
from collectors.zendesk import PACE, ZendeskSource, ready, to_mention
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.mention import Mention
from tests.collectors.fakes import CLOCK, WEB, wire
from tests.collectors.fakes.zendesk import ZendeskUpstream

TICKET: dict[str, Any] = {
    "url": "https://lumbre.zendesk.com/api/v2/tickets/35436.json", "id": 35436, "subject": "Pedido perdido",
    "description": "Mi pedido no llega. Escríbanme a Rosa@example.com", "status": "open", "requester_id": 7,
    "created_at": "2026-11-20T15:00:00Z", "updated_at": "2026-11-21T15:00:00Z", "generated_timestamp": 1795273200,
    "via": {"channel": "email", "source": {"from": {"address": "rosa@example.com"}}}, "tags": [],
    "satisfaction_rating": {"score": "bad", "comment": "Tardaron diez días"},
}
ROSA = {"id": 7, "name": "Rosa Díaz", "email": "Rosa@example.com", "phone": "+52 55 1234 5678", "role": "end-user"}


def mapped(ticket: dict[str, Any], user: dict[str, Any] | None = None) -> Mention | None:
    (item,) = ready({"tickets": [{**TICKET, **ticket}], "users": [user or ROSA]})
    return to_mention(item)


def source(*answers: httpx.Response, **keys: str) -> ZendeskSource:
    left = iter(answers)
    transport = httpx.MockTransport(lambda request: wire(next(left)))
    return ZendeskSource(web=WEB, keys={"token": "t", **keys}, transport=transport, clock=CLOCK)


def test_a_ticket_is_mapped_as_the_fact_sheet_says() -> None:
    mention = mapped({})
    assert mention is not None
    assert (mention.source_id, mention.kind, mention.title) == ("35436", "message", "Pedido perdido")
    assert mention.text == "Mi pedido no llega. Escríbanme a [e-mail]\n\nTardaron diez días"
    assert mention.url == "https://lumbre.zendesk.com/agent/tickets/35436"
    assert mention.created_at == datetime(2026, 11, 20, 15, tzinfo=UTC)
    assert (mention.rating, mention.place) == (1.0, "email")
    assert mention.raw is not None
    assert mention.raw["csat"] is True
    assert mention.author is not None
    assert (mention.author.name, mention.author.followers) == ("Rosa Díaz", None)
    assert mention.author.id == pseudonym("zendesk", "rosa@example.com", 7) != "7"


def test_no_address_of_a_customer_is_kept_not_even_of_a_refused_ticket(tmp_path: Path) -> None:
    desk = ZendeskUpstream(tmp_path)
    desk.add(3)
    desk.mangled = True
    pages = list(desk.source().pages(desk.query, None))
    assert any(page.refusals for page in pages)
    assert "example.com" not in repr(pages)


@pytest.mark.parametrize(("score", "rating"), [("good", 5.0), ("bad", 1.0), ("offered", None), ("unoffered", None)])
def test_only_a_given_score_is_a_rating(score: str, rating: float | None) -> None:
    mention = mapped({"satisfaction_rating": {"score": score}})
    assert mention is not None
    assert mention.rating == rating
    assert mention.raw is not None
    assert ("csat" in mention.raw) == (rating is not None)


def test_what_an_agent_opened_is_left_out() -> None:
    assert mapped({}, {**ROSA, "role": "agent"}) is None


def test_a_customer_that_did_not_come_along_is_known_by_number() -> None:
    (item,) = ready({"tickets": [TICKET]})
    mention = to_mention(item)
    assert mention is not None
    assert mention.author is not None
    assert (mention.author.id, mention.author.name) == ("7", None)


def test_a_deleted_ticket_is_told_as_gone(tmp_path: Path) -> None:
    desk = ZendeskUpstream(tmp_path)
    desk.add(3)
    (page,) = desk.source().pages(desk.query, None)
    desk.delete("1001")
    (later,) = desk.source().pages(desk.query, page.cursor)
    assert (later.gone, later.mentions, later.refusals) == (("1001",), (), ())


def test_a_mark_that_is_not_valid_any_more_starts_from_the_last_time(tmp_path: Path) -> None:
    desk = ZendeskUpstream(tmp_path)
    desk.add(3)
    (page,) = desk.source().pages(desk.query, None)
    assert page.cursor is not None
    answers = [httpx.Response(400, json={"error": "InvalidCursor"}), desk.answer(desk.requests[0])]
    (again,) = source(*answers).pages(desk.query, page.cursor)
    assert {mention.source_id for mention in again.mentions} == set(desk.items)


def test_a_mark_that_leads_nowhere_does_not_hold_the_run() -> None:
    still = {"tickets": [], "after_cursor": "x", "end_of_stream": False}
    with pytest.raises(TryLater, match="circles"):
        list(source(*[httpx.Response(200, json=still)] * 3).pages(Query(text="lumbre"), None))


def test_an_api_token_signs_with_its_e_mail_and_an_oauth_token_alone(tmp_path: Path) -> None:
    desk = ZendeskUpstream(tmp_path)
    desk.add(1)
    list(desk.source().pages(desk.query, None))
    desk.keys = {"token": "t"}
    list(desk.source().pages(desk.query, None))
    first, second = (request.headers["authorization"] for request in desk.requests)
    assert first == "Basic YWRtaW5AbHVtYnJlLmV4YW1wbGUvdG9rZW46c2VjcmV0by1kZS1wcnVlYmE="
    assert second == "Bearer t"


def test_ten_requests_a_minute_are_not_exceeded(tmp_path: Path) -> None:
    desk = ZendeskUpstream(tmp_path)
    desk.add(250)
    slept: list[float] = []
    clock = type(CLOCK)(now=CLOCK.now, monotonic=CLOCK.monotonic, sleep=slept.append)
    found = ZendeskSource(web=desk.web, keys=desk.keys, transport=desk.transport(), clock=clock)
    assert len(list(found.pages(desk.query, None))) == 3
    assert slept == [PACE, PACE, 2 * PACE, 2 * PACE]  # by the host and by the key, from one moment


@pytest.mark.parametrize(
    ("status", "said"), [(401, "token access"), (403, "administrators"), (404, "no help desk")]
)
def test_each_refusal_says_what_to_do(status: int, said: str) -> None:
    with pytest.raises(Refused, match=said):
        list(source(httpx.Response(status, json={"error": "x"})).pages(Query(text="lumbre"), None))


def test_an_export_that_begins_too_late_waits() -> None:
    with pytest.raises(TryLater) as caught:
        list(source(httpx.Response(422, json={"error": "x"})).pages(Query(text="lumbre"), None))
    assert caught.value.after == 120


@pytest.mark.parametrize("text", ["lumbre", "lumbre.zendesk.com", " https://Lumbre.zendesk.com/agent/home "])
def test_a_query_is_the_address_of_a_help_desk(text: str) -> None:
    assert account(text, "zendesk.com") == "lumbre"


@pytest.mark.parametrize("text", ["", "lumbre.example", "lumbre.zendesk.com.evil.example", "a/b", "a@b"])
def test_any_other_query_says_how_to_write_it_and_sends_no_key(text: str) -> None:
    with pytest.raises(Refused, match=r"lumbre\.zendesk\.com"):
        list(source().pages(Query(text=text), None))


def test_without_a_token_the_source_says_so() -> None:
    with pytest.raises(Refused, match="Zendesk needs token"):
        list(source(token="").pages(Query(text="lumbre"), None))


def test_addresses_are_masked_however_long_the_text_is() -> None:
    text = "a" * 90_000 + " ana.lopez+x@correo.example.mx. " + "b" * 9_000
    assert "ana" not in masked({"text": [text], "phone": "55"})["text"][0]
    assert masked({"phone": "55", "n": 3}) == {"n": 3}


def test_the_recorded_export_is_read_whole(shared: Path) -> None:
    recording = json.loads(
        (shared / "upstream/zendesk/recorded/zenpy-ticketsincrementaltest.test_get_values.json").read_text("utf-8")
    )
    export = recording["interactions"][1]["response"]["json"]
    (page,) = source(httpx.Response(200, json=export)).pages(Query(text="z3n-jteitelbaum"), None)
    assert len(page.mentions) == 40
    first = page.mentions[0]
    assert (first.source_id, first.text, first.place) == ("28", "test", "api")
    assert first.url == "https://z3n-jteitelbaum.zendesk.com/agent/tickets/28"
    assert first.created_at == datetime(2023, 9, 18, 15, 57, 42, tzinfo=UTC)
    assert page.cursor is not None
    assert page.cursor["mark"] == "MTcwNzI3MTc0MS4wfHw0MDQ1fA=="
