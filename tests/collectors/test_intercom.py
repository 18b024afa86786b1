"""Conversations are read as Intercom documents them, and no customer's address is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.helpdesk import pseudonym
from collectors.intercom import IntercomSource, read_channels, ready, to_mention
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from tests.collectors.fakes import CLOCK, NOW, WEB, wire
from tests.collectors.fakes.intercom import IntercomUpstream


@pytest.fixture
def desk(tmp_path: Path) -> IntercomUpstream:
    made = IntercomUpstream(tmp_path)
    made.add(3)
    return made


def source(answer: Callable[[httpx.Request], httpx.Response], **keys: str) -> IntercomSource:
    transport = httpx.MockTransport(lambda request: wire(answer(request)))
    return IntercomSource(web=WEB, keys={"access_token": "t", **keys}, transport=transport, clock=CLOCK)


def changed(desk: IntercomUpstream, **fields: Any) -> dict[str, Any]:
    made = deepcopy(desk.conversations[0])
    made["source"].update(fields)
    return made


def test_a_conversation_is_mapped_as_the_fact_sheet_says(shared: Path) -> None:
    answer = json.loads((shared / "upstream/intercom/handmade/conversations-search.json").read_text("utf-8"))
    mention = to_mention(ready(answer["conversations"][0]))
    assert mention is not None
    assert (mention.source_id, mention.kind, mention.place, mention.rating) == ("515", "message", "whatsapp", 2.0)
    assert mention.text == "Hola, mi pedido no llega y ya pasaron 10 días\n\nTardan mucho"
    assert (mention.title, mention.url, mention.lang) == (None, None, None)
    assert mention.created_at == datetime.fromtimestamp(1790500000, UTC)
    assert mention.author is not None
    assert (mention.author.name, mention.author.followers) == ("Rosa", None)
    assert mention.author.id == pseudonym("intercom", "rosa@example.com", None)
    assert mention.raw is not None
    assert mention.raw["csat"] is True
    assert "rosa@" not in repr(mention)


@pytest.mark.parametrize("kind", ["admin", "bot", "team"])
def test_what_no_customer_began_is_left_out(desk: IntercomUpstream, kind: str) -> None:
    assert to_mention(ready(changed(desk, author={"type": kind, "id": 1}))) is None


@pytest.mark.parametrize("kind", ["user", "lead", "contact", "visitor"])
def test_customers_have_several_names(desk: IntercomUpstream, kind: str) -> None:
    assert to_mention(ready(changed(desk, author={"type": kind, "id": 1}))) is not None


def test_no_address_of_a_customer_is_kept_not_even_of_a_refused_conversation(desk: IntercomUpstream) -> None:
    desk.mangled = True
    (page,) = desk.source().pages(desk.query, None)
    assert page.refusals
    assert "example" not in repr(page).replace("[e-mail]", "")


def test_a_redacted_message_is_told_as_gone(desk: IntercomUpstream) -> None:
    (page,) = desk.source().pages(desk.query, None)
    desk.find("516")["source"].update(redacted=True, body=None)
    desk.touch("516")
    (later,) = desk.source().pages(desk.query, page.cursor)
    assert later.gone == ("516",)
    assert {mention.source_id for mention in later.mentions} == {"515", "517"}
    assert desk.source().recheck(page.mentions).gone == {"516"}


def test_a_missing_page_is_no_deletion(desk: IntercomUpstream) -> None:
    (page,) = desk.source().pages(desk.query, None)
    with pytest.raises(Refused):
        source(lambda request: httpx.Response(404, text="<html>not here")).recheck(page.mentions)
    with pytest.raises(Refused):
        source(lambda request: httpx.Response(401, json={"errors": [{"code": "unauthorized"}]})).recheck(page.mentions)


def test_the_search_asks_by_last_change_and_a_day_more_than_it_needs(desk: IntercomUpstream) -> None:
    (page,) = desk.source().pages(desk.query, None)
    list(desk.source().pages(desk.query, page.cursor))
    asked = json.loads(desk.requests[-1].content)
    (bound,) = asked["query"]["value"]
    assert (bound["field"], bound["operator"]) == ("updated_at", ">")
    newest = max(entry["updated_at"] for entry in desk.conversations)
    assert bound["value"] == newest - 3600 - 86_400
    assert asked["sort"] == {"field": "updated_at", "order": "descending"}
    assert desk.requests[-1].headers["intercom-version"] == "2.15"
    assert desk.requests[-1].headers["authorization"] == "Bearer secreto-de-prueba"


def test_a_mark_of_an_earlier_run_that_is_refused_starts_from_the_top(tmp_path: Path) -> None:
    desk = IntercomUpstream(tmp_path)
    desk.add(60)
    first = next(iter(desk.source().pages(desk.query, None)))
    refused: list[bool] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if "starting_after" in json.loads(request.content)["pagination"] and not refused:
            refused.append(True)
            return httpx.Response(400, json={"type": "error.list", "errors": [{"code": "parameter_invalid"}]})
        return desk.answer(request)

    pages = list(source(answer).pages(desk.query, first.cursor))
    assert {mention.source_id for page in pages for mention in page.mentions} == set(desk.items)


@pytest.mark.parametrize(
    ("region", "host"),
    [("", "api.intercom.io"), ("us", "api.intercom.io"), ("EU", "api.eu.intercom.io"), ("au", "api.au.intercom.io")],
)
def test_each_region_has_its_host(desk: IntercomUpstream, region: str, host: str) -> None:
    desk.keys["region"] = region
    list(desk.source().pages(desk.query, None))
    assert desk.requests[-1].url.host == host


def test_another_region_is_refused(desk: IntercomUpstream) -> None:
    desk.keys["region"] = "mx"
    with pytest.raises(Refused, match="us, eu or au"):
        list(desk.source().pages(desk.query, None))


def test_only_the_channels_asked_for_are_taken(desk: IntercomUpstream) -> None:
    desk.conversations[0]["source"]["type"] = "email"
    desk.query = Query(text="Email, sms")
    (page,) = desk.source().pages(desk.query, None)
    assert ([mention.source_id for mention in page.mentions], page.passed) == (["515"], 2)


@pytest.mark.parametrize("text", ["", "lumbre", "email, fax"])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match="whatsapp, email"):
        read_channels(text)


def test_the_moment_when_the_limit_begins_anew_is_obeyed(desk: IntercomUpstream) -> None:
    desk.failure = (429, {"X-RateLimit-Reset": str(int(NOW.timestamp()) + 10)})
    with pytest.raises(TryLater) as caught:
        list(desk.source().pages(desk.query, None))
    assert caught.value.after == 10


@pytest.mark.parametrize(("status", "said"), [(401, "region"), (403, "permission")])
def test_each_refusal_says_what_to_do(desk: IntercomUpstream, status: int, said: str) -> None:
    desk.failure = (status, {})
    with pytest.raises(Refused, match=said):
        list(desk.source().pages(desk.query, None))
