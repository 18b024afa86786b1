"""Threads: searches and mentions are mapped as documented, within what a day allows."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.threads import SEARCHES, ThreadsSource, read_query, to_mention
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.mention import Author, Mention
from tests.collectors.fakes import CLOCK, SECRET, WEB, wire
from tests.collectors.fakes.threads import OWN, ThreadsUpstream
from tests.collectors.test_contract import Store


def source(*answers: httpx.Response) -> ThreadsSource:
    left = iter(answers)
    return ThreadsSource(
        web=WEB, keys={"access_token": SECRET}, clock=CLOCK,
        transport=httpx.MockTransport(lambda request: wire(next(left))),
    )


def me() -> httpx.Response:
    return httpx.Response(200, json={"id": "1", "username": OWN})


def mentions(pages: Any) -> list[Mention]:
    return [mention for page in pages for mention in page.mentions]


def test_the_handmade_posts_are_mapped_as_the_fact_sheet_says(shared: Path) -> None:
    told = json.loads((shared / "upstream/threads/handmade/keyword-search.json").read_text("utf-8"))
    post, reply = (to_mention(item) for item in told["data"])
    assert (post.source_id, post.kind, reply.kind) == ("17900000000000001", "post", "comment")
    assert post.text == "¿Alguien ha probado el cold brew de Cafés Lumbre? Me llegó la caja rota otra vez 😤"
    assert post.url == "https://www.threads.com/@ana.prueba/post/AAA111"
    assert post.created_at == datetime(2026, 10, 2, 9, 41, 3, tzinfo=UTC)
    assert post.author == Author(id="ana.prueba", handle="ana.prueba", url="https://www.threads.com/@ana.prueba")
    assert post.engagement.total is None


def test_a_missing_permission_is_named(shared: Path) -> None:
    told = json.loads((shared / "upstream/threads/handmade/no-permission.json").read_text("utf-8"))
    with pytest.raises(Refused, match="threads_keyword_search"):
        list(source(me(), httpx.Response(500, json=told)).pages(Query(text="lumbre"), None))


def test_ones_own_posts_reposts_and_wordless_posts_are_left_out() -> None:
    post = {"id": "1", "text": "Café", "timestamp": "2026-11-22T11:00:00+0000", "username": "ana"}
    data = [
        post, {**post, "id": "2", "username": OWN}, {**post, "id": "3", "media_type": "REPOST_FACADE"},
        {**post, "id": "4", "text": ""},
    ]  # fmt: skip
    (page,) = source(me(), httpx.Response(200, json={"data": data})).pages(Query(text="café"), None)
    assert ([mention.source_id for mention in page.mentions], page.passed) == (["1"], 3)


@pytest.mark.parametrize(("text", "path", "asked"), [
    ("café lumbre", "/v1.0/keyword_search", {"q": "café lumbre", "search_mode": "KEYWORD", "search_type": "RECENT"}),
    ("#cafelumbre", "/v1.0/keyword_search", {"q": "cafelumbre", "search_mode": "TAG", "search_type": "RECENT"}),
    ("Mentions", "/v1.0/me/mentions", {}),
])
def test_a_query_is_words_a_topic_or_mentions(tmp_path: Path, text: str, path: str, asked: dict[str, str]) -> None:
    server, store = ThreadsUpstream(tmp_path), Store()
    server.query = Query(text=text)
    server.add(60)
    store.run(server)
    assert server.ids_of(store.mentions) == set(server.items)
    request = server.requests[1]
    assert request.url.path == path
    assert {name: request.url.params.get(name) for name in asked} == asked


@pytest.mark.parametrize("text", ["", "  ", "#", "#a #b", "x" * 201])
def test_a_query_that_names_nothing_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match="cafés lumbre"):
        read_query(text)


def test_no_more_is_asked_than_a_day_allows(tmp_path: Path) -> None:
    server = ThreadsUpstream(tmp_path)
    server.source()._web.spend("graph.threads.net", SEARCHES.limit, SEARCHES)
    with pytest.raises(TryLater, match="2200 searches"):
        list(server.source().pages(server.query, None))
    server.query = Query(text="mentions")
    list(server.source().pages(server.query, None))


def test_threads_is_asked_no_further_back_than_it_takes(tmp_path: Path) -> None:
    server = ThreadsUpstream(tmp_path)
    server.query = Query(text="lumbre", since=datetime(2020, 1, 1, tzinfo=UTC))
    list(server.source().pages(server.query, None))
    assert int(server.requests[-1].url.params["since"]) >= 1_688_540_400


def kept(server: ThreadsUpstream, count: int) -> list[Mention]:
    server.add(count)
    return mentions(server.source().pages(server.query, None))


def test_what_is_gone_counts_where_posts_of_others_can_be_seen(tmp_path: Path) -> None:
    server = ThreadsUpstream(tmp_path)
    known = kept(server, 6)
    victim = server.items[0]
    server.delete(victim)
    assert server.source().recheck(known).gone == {victim}


def test_where_only_ones_own_posts_can_be_seen_no_other_counts_as_gone(tmp_path: Path) -> None:
    server = ThreadsUpstream(tmp_path)
    known = kept(server, 6)
    own = [replace(m, author=Author(id=OWN, handle=OWN)) if m.source_id == server.items[0] else m for m in known]
    server.objects = {server.items[0]: server.objects[server.items[0]]}
    assert server.source().recheck(own).gone == frozenset()


def test_a_key_is_exchanged_for_a_fresh_one(tmp_path: Path) -> None:
    assert ThreadsUpstream(tmp_path).source().renew() == {"access_token": f"{SECRET}-2"}


@pytest.mark.parametrize("told", [{}, {"access_token": ""}, {"access_token": None, "expires_in": 5}])
def test_a_renewal_without_a_key_asks_a_person(told: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="did not renew"):
        source(httpx.Response(200, json=told)).renew()


def test_an_expired_key_cannot_be_renewed_and_is_not_shown() -> None:
    error = {"error": {"message": f"Error validating {SECRET}", "code": 190, "error_subcode": 463}}
    with pytest.raises(Refused) as caught:
        source(httpx.Response(401, json=error)).renew()
    assert SECRET not in str(caught.value) + repr(caught.value.details)
