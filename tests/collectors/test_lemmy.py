"""Lemmy's servers of both kinds are read alike, and what they delete or remove goes here."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.lemmy import LemmySource, Site, read_query, read_view, to_mention, unmarked
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from tests.collectors.fakes import CLOCK, SECRET, WEB, wire
from tests.collectors.fakes.lemmy import BASE, LemmyUpstream

SITE = Site(base=BASE, languages={39: "es"})


@pytest.fixture
def lemmy(tmp_path: Path) -> LemmyUpstream:
    return LemmyUpstream(tmp_path)


@pytest.fixture
def newer(tmp_path: Path) -> LemmyUpstream:
    """A server of version 1.0."""
    server = LemmyUpstream(tmp_path)
    server.version = "1.0.2"
    return server


def pages(server: LemmyUpstream, cursor: Any = None) -> list[Any]:
    return list(server.source().pages(server.query, cursor))


def read(server: LemmyUpstream) -> list[Any]:
    return [mention for page in pages(server) for mention in page.mentions]


def answering(*answers: httpx.Response, **keys: str) -> LemmySource:
    left = iter(answers)
    return LemmySource(
        web=WEB, keys=keys, transport=httpx.MockTransport(lambda request: wire(next(left))), clock=CLOCK
    )


def test_a_comment_of_the_older_api_is_mapped(shared: Path) -> None:
    view = json.loads((shared / "upstream/lemmy/handmade/v3-search.json").read_text("utf-8"))["comments"][0]
    mention = to_mention(view, SITE)
    assert mention.source_id == mention.url == "https://feddit.example/comment/501"
    assert (mention.text, mention.title, mention.kind) == ("Yo compro en Lumbre y todo bien", None, "comment")
    assert (mention.lang, mention.parent_id) == ("es", "https://feddit.example/comment/400")
    assert mention.created_at == datetime(2026, 9, 30, 14, 52, 0, 123456, tzinfo=UTC)
    assert mention.author is not None
    assert (mention.author.id, mention.author.handle) == ("https://feddit.example/u/ramon", "ramon@feddit.example")
    assert (mention.author.name, mention.author.followers) == ("Ramón", None)
    assert (mention.engagement.likes, mention.engagement.comments) == (4, 0)


def test_a_post_of_the_newer_api_is_mapped(shared: Path) -> None:
    view = json.loads((shared / "upstream/lemmy/handmade/v4-search.json").read_text("utf-8"))["posts"][0]
    mention = to_mention(view, SITE)
    assert mention.source_id == "https://feddit.example/post/90"
    assert (mention.title, mention.text) == ("¿Dónde compráis café?", "Busco alternativa a Lumbre")
    assert (mention.kind, mention.parent_id, mention.lang) == ("post", None, "es")
    assert (mention.engagement.likes, mention.engagement.comments) == (12, 6)
    assert mention.author is not None
    assert mention.author.handle == "ines@feddit.example"


def test_a_comment_with_none_above_answers_the_post(lemmy: LemmyUpstream) -> None:
    lemmy.add(1)
    assert to_mention(lemmy.views[0], SITE).parent_id == f"{BASE}/post/90"


@pytest.mark.parametrize("flag", ["deleted", "removed"])
def test_what_is_deleted_or_removed_is_reported_as_gone(lemmy: LemmyUpstream, flag: str) -> None:
    lemmy.kept_flags = True
    lemmy.add(2)
    lemmy.views[0]["comment"][flag] = True
    (page,) = pages(lemmy)
    assert page.gone == (lemmy.items[0],)
    assert [mention.source_id for mention in page.mentions] == [lemmy.items[1]]


def test_programs_that_post_are_left_out(lemmy: LemmyUpstream) -> None:
    lemmy.add(1)
    assert read_view({**lemmy.views[0], "creator": {"name": "bot", "bot_account": True}}, SITE) is None


def test_a_part_of_a_word_is_not_the_word(lemmy: LemmyUpstream) -> None:
    lemmy.add(2)
    lemmy.views[0]["comment"]["content"] = "deslumbrefante"
    (page,) = pages(lemmy)
    assert ([m.source_id for m in page.mentions], page.passed) == ([lemmy.items[1]], 1)


def test_each_version_is_asked_as_it_understands(lemmy: LemmyUpstream, newer: LemmyUpstream) -> None:
    for server in (lemmy, newer):
        server.add(1)
        read(server)
    older, latest = lemmy.requests[1].url, newer.requests[1].url
    assert (older.path, older.params["q"], older.params["page"]) == ("/api/v3/search", "lumbre", "1")
    assert (latest.path, latest.params["search_term"]) == ("/api/v4/search", "lumbre")
    assert "page" not in latest.params


def test_a_server_without_the_older_api_is_found_out(newer: LemmyUpstream) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return wire(httpx.Response(404) if "/v3/" in request.url.path else newer.answer(request))

    newer.add(1)
    source = LemmySource(web=WEB, keys={}, transport=httpx.MockTransport(answer), clock=CLOCK)
    assert [m.source_id for page in source.pages(newer.query, None) for m in page.mentions] == newer.items


def test_the_newer_api_is_read_whole_wherever_it_is_cut(newer: LemmyUpstream) -> None:
    newer.add(130)
    newer.add(120, together=True)
    found: set[str] = set()
    cursor = None
    for _ in range(10):
        page = next(iter(newer.source().pages(newer.query, cursor)))
        found |= {mention.source_id for mention in page.mentions}
        cursor = json.loads(json.dumps(page.cursor))
    newer.add(3)
    found |= {mention.source_id for page in pages(newer, cursor) for mention in page.mentions}
    assert found == set(newer.items)


def test_the_newer_api_loses_nothing_when_items_go_meanwhile(newer: LemmyUpstream) -> None:
    newer.add(150)
    found: set[str] = set()
    for page in newer.source().pages(newer.query, None):
        found |= {mention.source_id for mention in page.mentions}
        newer.delete(newer.items[-1])
    assert set(newer.items) <= found


def test_a_server_that_became_newer_amid_a_walk_is_read_from_the_top(lemmy: LemmyUpstream) -> None:
    lemmy.add(230)
    page = next(iter(lemmy.source().pages(lemmy.query, None)))
    lemmy.version = "1.0.0"
    found = {mention.source_id for each in pages(lemmy, page.cursor) for mention in each.mentions}
    assert found == set(lemmy.items)


@pytest.mark.parametrize("version", ["0.19.11", "1.0.2"])
def test_a_second_look_tells_what_is_gone_and_what_changed(lemmy: LemmyUpstream, version: str) -> None:
    lemmy.version = version
    lemmy.add(4)
    mentions = {mention.source_id: mention for mention in read(lemmy)}
    gone, erased, changed, _ = list(lemmy.items)
    lemmy.delete(gone)
    lemmy.views = [view for view in lemmy.views if LemmyUpstream._what(view)["ap_id"] != erased]
    lemmy.edit(changed, "Lumbre, corregido")
    checked = lemmy.source().recheck(list(mentions.values()))
    assert checked.gone == {gone, erased}
    fresh = {mention.source_id: mention for mention in checked.fresh}
    assert fresh[changed].text == "Lumbre, corregido"
    assert fresh[changed].edited_at == datetime(2026, 11, 22, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(404, text="<html>parked"), httpx.Response(429), httpx.Response(200, json={"comment_view": {}}),
     httpx.Response(400, json={"error": "instance_is_private"})],
)  # fmt: skip
def test_a_server_that_fails_deletes_nothing(lemmy: LemmyUpstream, answer: httpx.Response) -> None:
    lemmy.add(1)
    (mention,) = read(lemmy)
    site = httpx.Response(200, json={"version": "0.19.3", "all_languages": []})
    assert answering(site, answer).recheck([mention, replace(mention, raw=None)]).gone == frozenset()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(200, text="<html>"), "does not answer as a Lemmy server"),
        (httpx.Response(200, json={"version": "?"}), "does not answer as a Lemmy server"),
        (httpx.Response(400, json={"error": "instance_is_private"}), "shows nothing to strangers"),
    ],
)
def test_what_keeps_us_out_says_what_to_do(answer: httpx.Response, said: str) -> None:
    with pytest.raises(Refused, match=said):
        list(answering(answer, answer).pages(Query(text="lumbre@feddit.example"), None))


def test_a_limit_that_comes_as_an_error_asks_for_patience() -> None:
    source = answering(httpx.Response(400, json={"error": "rate_limit_error"}))
    with pytest.raises(TryLater) as caught:
        list(source.pages(Query(text="lumbre@limite-lemmy.example"), None))
    assert caught.value.after == 600


def test_a_token_goes_to_its_own_server_alone(lemmy: LemmyUpstream) -> None:
    read(lemmy)
    lemmy.query = Query(text="lumbre@otro.example")
    read(lemmy)
    sent = {request.url.host: request.headers.get("authorization") for request in lemmy.requests}
    assert sent == {"feddit.example": f"Bearer {SECRET}", "otro.example": None}


def test_a_query_is_words_and_a_server() -> None:
    asked = read_query(' cafés  "lumbre" @ lemmy.world/ ')
    assert (asked.words, asked.base) == ('cafés "lumbre"', "https://lemmy.world")
    assert read_query("lumbre@http://127.0.0.1:80").base == "http://127.0.0.1:80"


@pytest.mark.parametrize("text", ["", "lumbre", "@lemmy.world", "lumbre@", "lumbre@a/b", "lumbre@a b"])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match=r"cafés lumbre@lemmy\.world"):
        read_query(text)


def test_markdown_is_read_as_words() -> None:
    assert unmarked("## Hola\n> cita de **Lumbre**, `café` y [su web](https://lumbre.example)") == (
        "Hola\ncita de Lumbre, café y su web"
    )
    assert unmarked("2 * 3 ** 4 y snake_case") == "2 * 3 ** 4 y snake_case"
