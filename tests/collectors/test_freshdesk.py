"""Tickets and ratings are read as Freshdesk lists them, and no customer's address is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.freshdesk import FreshdeskSource, ready, to_mention, to_survey
from collectors.helpdesk import pseudonym
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from tests.collectors.fakes import CLOCK, NOW, WEB, wire
from tests.collectors.fakes.freshdesk import FreshdeskUpstream


@pytest.fixture
def desk(tmp_path: Path) -> FreshdeskUpstream:
    made = FreshdeskUpstream(tmp_path)
    made.add(3)
    return made


def source(*answers: httpx.Response, **keys: str) -> FreshdeskSource:
    left = iter(answers)
    transport = httpx.MockTransport(lambda request: wire(next(left)))
    return FreshdeskSource(web=WEB, keys={"api_key": "k", **keys}, transport=transport, clock=CLOCK)


def test_a_recorded_ticket_is_mapped_as_the_fact_sheet_says(shared: Path) -> None:
    ticket = json.loads((shared / "upstream/freshdesk/recorded/ticket-1.json").read_text("utf-8"))
    mention = to_mention(ready(ticket), "lumbre")
    assert mention is not None
    assert (mention.source_id, mention.kind, mention.place) == ("1", "message", "portal")
    assert (mention.title, mention.text) == (
        "This is a sample ticket", "This is a sample ticket, feel free to delete it.",
    )
    assert mention.url == "https://lumbre.freshdesk.com/a/tickets/1"
    assert mention.created_at == datetime(2016, 5, 18, 4, 36, 4, tzinfo=UTC)
    assert mention.author is not None
    assert (mention.author.name, mention.author.followers) == ("Dummyname", None)
    assert mention.author.id == pseudonym("freshdesk", "dummyname@example.com", None)
    assert "example.com" not in repr(mention)


def test_a_ticket_without_its_customer_is_known_by_number_and_its_zone_is_heard(shared: Path) -> None:
    (ticket,) = json.loads((shared / "upstream/freshdesk/recorded/all-tickets.json").read_text("utf-8"))
    mention = to_mention(ready(ticket), "lumbre")
    assert mention is not None
    assert mention.author is not None
    assert mention.author.id == "5004272351"
    assert mention.created_at == datetime(2014, 12, 31, 2, 27, 9, tzinfo=UTC)


@pytest.mark.parametrize("change", [{"spam": True}, {"deleted": True}, {"source": 10}])
def test_what_no_customer_wrote_or_what_is_gone_is_left_out(desk: FreshdeskUpstream, change: dict[str, Any]) -> None:
    assert to_mention(ready({**desk.tickets[0], **change}), "lumbre") is None


def test_no_address_of_a_customer_is_kept_not_even_of_a_refused_ticket(desk: FreshdeskUpstream) -> None:
    desk.mangled = True
    pages = list(desk.source().pages(desk.query, None))
    assert pages[0].refusals
    assert "example.com" not in repr(pages)
    assert "1234" not in repr(pages)


@pytest.mark.parametrize("change", [{"deleted": True}, {"spam": True}])
def test_tickets_deleted_or_marked_as_spam_are_told_as_gone(desk: FreshdeskUpstream, change: dict[str, Any]) -> None:
    first, page = desk.source().pages(desk.query, None)
    assert first.gone == page.gone == ()
    desk.change("2", **change)
    later, _ = desk.source().pages(desk.query, page.cursor)
    assert later.gone == ("2",)
    assert "2" not in {mention.source_id for mention in later.mentions}


def test_what_is_gone_is_told_once_a_run_with_its_first_page(tmp_path: Path) -> None:
    desk = FreshdeskUpstream(tmp_path)
    desk.add(120)
    desk.delete("5")
    pages = list(desk.source().pages(desk.query, None))
    assert [page.gone for page in pages] == [("5",), (), (), ()]


def test_a_rating_is_a_mention_of_its_own(desk: FreshdeskUpstream) -> None:
    desk.rate("2", -102, "Café Lumbre: nadie respondió a rosa@example.com")
    _, page = desk.source().pages(desk.query, None)
    (rating,) = page.mentions
    assert (rating.source_id, rating.kind, rating.parent_id, rating.rating) == ("rating:900", "survey", "2", 1.5)
    assert rating.text == "Café Lumbre: nadie respondió a [e-mail]"
    assert rating.raw is not None
    assert rating.raw["csat"] is True


def test_a_rating_known_already_is_asked_for_an_hour_only(desk: FreshdeskUpstream) -> None:
    desk.rate("2", 103, "")
    *_, page = desk.source().pages(desk.query, None)
    desk.requests.clear()
    desk.rate("1", 100, "regular")
    *_, later = desk.source().pages(desk.query, page.cursor)
    assert {mention.source_id for mention in later.mentions} == {"rating:900", "rating:901"}
    assert desk.requests[-1].url.params["created_since"] == "2026-11-21T15:02:00Z"


def test_many_ratings_are_read_page_by_page_and_none_twice_over(tmp_path: Path) -> None:
    desk = FreshdeskUpstream(tmp_path)
    desk.add(1)
    for number in range(120):
        desk.rate("1", 103, f"gracias {number}")
    pages = list(desk.source().pages(desk.query, None))
    assert [len(page.mentions) for page in pages] == [1, 50, 50, 20]
    assert pages[1].cursor is not None
    resumed = list(desk.source().pages(desk.query, pages[1].cursor))
    assert [len(page.mentions) for page in resumed][-2:] == [50, 20]


def test_a_rating_of_an_unknown_face_is_left_out() -> None:
    given = ready({"id": 1, "ticket_id": 2, "created_at": "2026-11-20T00:00:00Z", "ratings": {"default_question": 7}})
    assert to_survey(given, "lumbre") is None


def test_a_plan_without_surveys_hinders_no_ticket(desk: FreshdeskUpstream) -> None:
    desk.surveys = False
    page, last = desk.source().pages(desk.query, None)
    assert (len(page.mentions), len(last.mentions)) == (3, 0)


def test_surveys_that_are_refused_for_a_moment_are_read_later(tmp_path: Path) -> None:
    desk = FreshdeskUpstream(tmp_path)
    desk.add(1)
    for number in range(120):
        desk.rate("1", 103, f"gracias {number}")
    *_, first, second = list(desk.source().pages(desk.query, None))[:3]
    desk.surveys = False
    *_, refused = desk.source().pages(desk.query, first.cursor)
    assert refused.covers is None
    desk.surveys = True
    *_, third = desk.source().pages(desk.query, refused.cursor)
    assert len(second.mentions) == 50
    assert len(third.mentions) == 20


def test_what_is_covered_is_told_when_the_ratings_are_read_too(desk: FreshdeskUpstream) -> None:
    desk.rate("2", 103, "gracias")
    tickets, ratings = desk.source().pages(desk.query, None)
    assert tickets.covers is None
    assert ratings.covers is not None
    assert ratings.covers.end == NOW


def test_tickets_are_asked_for_with_texts_and_in_the_order_of_change(desk: FreshdeskUpstream) -> None:
    list(desk.source().pages(desk.query, None))
    asked = next(request for request in desk.requests if "include" in request.url.params)
    assert asked.url.params["include"] == "description,requester,stats"
    assert (asked.url.params["order_by"], asked.url.params["order_type"]) == ("updated_at", "asc")
    assert asked.url.params["updated_since"] == "2026-10-23T11:59:59Z"
    assert asked.headers["authorization"] == "Basic c2VjcmV0by1kZS1wcnVlYmE6WA=="


def test_pages_never_grow_deep(tmp_path: Path) -> None:
    desk = FreshdeskUpstream(tmp_path)
    desk.add(400)
    list(desk.source().pages(desk.query, None))
    assert {request.url.params["page"] for request in desk.requests} == {"1"}


def test_a_ticket_that_slips_a_page_back_while_one_moment_is_read_is_not_lost(tmp_path: Path) -> None:
    desk = FreshdeskUpstream(tmp_path)
    desk.add(160, together=True)
    found = set()
    for number, page in enumerate(desk.source().pages(desk.query, None)):
        found |= {mention.source_id for mention in page.mentions}
        if number == 1:
            desk.change("1", status=4)
    assert found == set(desk.items)


@pytest.mark.parametrize(("status", "said"), [(401, "API key"), (403, "agent"), (404, "no help desk")])
def test_each_refusal_says_what_to_do(status: int, said: str) -> None:
    with pytest.raises(Refused, match=said):
        list(source(httpx.Response(status, json={"code": "x"})).pages(Query(text="lumbre"), None))


def test_an_answer_that_is_no_listing_is_tried_later() -> None:
    with pytest.raises(TryLater, match="form"):
        list(source(httpx.Response(200, json={"message": "x"})).pages(Query(text="lumbre"), None))


@pytest.mark.parametrize("text", ["", "lumbre.zendesk.com", "support.lumbre.example"])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match=r"lumbre\.freshdesk\.com"):
        list(source().pages(Query(text=text), None))
