"""Questions are searched by site and time; pauses that an answer asks for are obeyed, whoever asks next."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.clock import Clock
from collectors.http import WebOptions
from collectors.stackexchange import PAGES, Search, StackExchangeSource, read_search, to_mention
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.source import Quota
from tests.collectors.fakes import CLOCK, NOW, SECRET, WEB, wire
from tests.collectors.fakes.stackexchange import StackExchangeUpstream

HOSTS = count()


def asked_of(*answers: httpx.Response, **keys: str) -> StackExchangeSource:
    """The source with these answers, of a host of its own: a pause that one asks for holds for no other test."""
    left = iter(answers)
    transport = httpx.MockTransport(lambda request: wire(next(left)))
    there = {"base_url": f"https://otra-{next(HOSTS)}.example", **keys}
    return StackExchangeSource(web=WEB, keys=there, transport=transport, clock=CLOCK)


def upstream(folder: Path, number: int) -> StackExchangeUpstream:
    made = StackExchangeUpstream(folder)
    made.add(number)
    return made


def test_a_question_is_mapped_as_the_fact_sheet_says(tmp_path: Path) -> None:
    mention = to_mention(upstream(tmp_path, 1).questions[0], "es.stackoverflow")
    assert (mention.source_id, mention.kind, mention.lang) == ("es.stackoverflow:600001", "post", "es")
    assert (mention.title, mention.text) == ("Café Lumbre", "La API del café Lumbre número 600001")
    assert mention.created_at == datetime(2026, 11, 21, 16, 0, 30, tzinfo=UTC)
    assert mention.author is not None
    assert (mention.author.id, mention.author.handle) == ("es.stackoverflow:7", "Lupe & Cía")
    assert mention.author.followers is None
    assert (mention.engagement.likes, mention.engagement.comments, mention.engagement.views) == (2, 1, 40)


def test_a_question_of_a_deleted_account_has_no_author(tmp_path: Path) -> None:
    question = upstream(tmp_path, 1).questions[0]
    gone = {"user_type": "does_not_exist", "display_name": "user123"}
    assert to_mention({**question, "owner": gone}, "cooking").author is None
    assert to_mention({name: question[name] for name in question if name != "owner"}, "cooking").author is None


def test_the_language_of_a_site_in_several_languages_is_left_open(tmp_path: Path) -> None:
    assert to_mention(upstream(tmp_path, 1).questions[0], "spanish").lang is None


def test_a_search_is_bounded_by_time_and_asks_for_the_text(tmp_path: Path) -> None:
    server = upstream(tmp_path, 250)
    list(server.source().pages(replace(server.query, since=NOW - timedelta(days=2)), None))
    first, second, *_ = [request.url.params for request in server.requests]
    assert first["site"] == "es.stackoverflow"
    assert (first["sort"], first["order"], first["filter"], first["key"]) == ("creation", "desc", "withbody", SECRET)
    assert int(first["fromdate"]) == (NOW - timedelta(days=2)).timestamp()
    assert "todate" not in first
    assert int(second["todate"]) == server.questions[150]["creation_date"] + 1
    assert {request.url.params["page"] for request in server.requests} == {"1"}


def test_a_pause_that_an_answer_asks_for_is_made_before_the_next_request(tmp_path: Path) -> None:
    slept: list[float] = []
    clock = Clock(now=lambda: NOW, monotonic=lambda: 0.0, sleep=slept.append)
    server = upstream(tmp_path, 101)
    server.extra = {"backoff": 10.5}
    web = WebOptions(pace=0.0, shared=str(tmp_path / "pace"))
    list(StackExchangeSource(web=web, keys={}, transport=server.transport(), clock=clock).pages(server.query, None))
    assert slept == [10.5]


def test_a_long_pause_holds_for_other_runs_and_keys_too(tmp_path: Path) -> None:
    server = upstream(tmp_path, 3)
    server.extra = {"backoff": 90}
    list(server.source().pages(server.query, None))
    server.keys = {"key": "otra"}
    with pytest.raises(TryLater) as caught:
        list(server.source().pages(Query(text="cooking: lumbre"), None))
    assert caught.value.after == 90
    assert len(server.requests) == 1


def test_the_quota_is_told_as_the_body_tells_it(tmp_path: Path) -> None:
    server = upstream(tmp_path, 1)
    source = server.source()
    list(source.pages(server.query, None))
    assert source.quota == Quota(limit=10000, remaining=9989)


@pytest.mark.parametrize(
    ("number", "name", "said", "kind", "words"),
    [
        (400, "bad_parameter", "No site found for name `nada`", Refused, "no site of this name"),
        (400, "bad_parameter", "`key` doesn't match a known application", Refused, "did not accept our key"),
        (400, "bad_parameter", "pagesize", Refused, "did not understand"),
        (403, "access_denied", "page above 25 requires access token or app key", Refused, "did not accept our key"),
        (404, "no_method", "this method does not exist", Refused, "did not understand"),
        (500, "internal_error", "", TryLater, "having trouble"),
        (503, "temporarily_unavailable", "", TryLater, "having trouble"),
        (502, "throttle_violation", "Violation of backoff parameter", TryLater, "slow down"),
    ],
)
@pytest.mark.parametrize("status", [400, 200])
def test_errors_are_told_in_the_body_whatever_the_status(
    number: int, name: str, said: str, kind: type[Exception], words: str, status: int
) -> None:
    body = {"error_id": number, "error_name": name, "error_message": said}
    with pytest.raises(kind, match=words):
        list(asked_of(httpx.Response(status, json=body), key=SECRET).pages(Query(text="nada: lumbre"), None))


def test_a_used_up_quota_says_itself_when_it_begins_anew() -> None:
    said = "too many requests from this IP, more requests available in 17524 seconds"
    body = {"error_id": 502, "error_name": "throttle_violation", "error_message": said}
    with pytest.raises(TryLater) as caught:
        list(asked_of(httpx.Response(400, json=body)).pages(Query(text="cooking: lumbre"), None))
    assert caught.value.after == 17524


def test_answers_are_packed() -> None:
    body = gzip.compress(json.dumps({"items": [], "has_more": False}).encode())
    packed = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(body))
    transport = httpx.MockTransport(lambda request: packed)
    source = StackExchangeSource(web=WEB, keys={}, transport=transport, clock=CLOCK)
    (page,) = source.pages(Query(text="cooking: lumbre"), None)
    assert page.mentions == ()


def test_no_page_is_asked_for_that_needs_a_users_token(tmp_path: Path) -> None:
    server = upstream(tmp_path, 1)
    server.add(100 * (PAGES + 1), together=True)
    pages = list(server.source().pages(server.query, None))
    pages += server.source().pages(server.query, pages[-1].cursor)
    assert max(int(request.url.params["page"]) for request in server.requests) == PAGES
    (covered,) = [page.covers for page in pages if page.covers]
    assert covered.start == server.start + server.spacing  # and not a year back: the rest was not shown


def test_what_is_gone_or_edited_is_told_when_asked_again(tmp_path: Path) -> None:
    server = upstream(tmp_path, 4)
    mentions = [mention for page in server.source().pages(server.query, None) for mention in page.mentions]
    server.delete("es.stackoverflow:600002")
    server.edit("es.stackoverflow:600003", "Lumbre: corregido")
    checked = server.source().recheck(mentions)
    assert checked.gone == {"es.stackoverflow:600002"}
    edited = next(mention for mention in checked.fresh if mention.source_id == "es.stackoverflow:600003")
    assert edited.text == "Lumbre: corregido"
    assert edited.edited_at == edited.created_at + timedelta(minutes=1)
    assert server.requests[-1].url.path == "/2.3/questions/600001;600002;600003;600004"


def test_each_site_is_asked_for_its_own_questions(tmp_path: Path) -> None:
    server = upstream(tmp_path, 2)
    mentions = [mention for page in server.source().pages(server.query, None) for mention in page.mentions]
    mentions.append(replace(mentions[0], source_id="cooking:600001"))
    server.requests.clear()
    server.source().recheck(mentions)
    assert [(r.url.params["site"], r.url.path) for r in server.requests] == [
        ("cooking", "/2.3/questions/600001"), ("es.stackoverflow", "/2.3/questions/600001;600002"),
    ]  # fmt: skip


def test_an_answer_that_lacks_everything_deletes_nothing(tmp_path: Path) -> None:
    server = upstream(tmp_path, 2)
    mentions = [mention for page in server.source().pages(server.query, None) for mention in page.mentions]
    server.questions.clear()
    assert server.source().recheck(mentions).gone == frozenset()


@pytest.mark.parametrize(
    ("text", "site", "words"),
    [
        ("es.stackoverflow: lumbre", "es.stackoverflow", "lumbre"),
        (" cooking.stackexchange.com : cafés lumbre ", "cooking", "cafés lumbre"),
        ("https://es.stackoverflow.com/: lumbre", "es.stackoverflow", "lumbre"),
        ("SuperUser.com:lumbre: api", "superuser", "lumbre: api"),
    ],
)
def test_a_query_is_a_site_and_words(text: str, site: str, words: str) -> None:
    assert read_search(text) == Search(site=site, words=words)


@pytest.mark.parametrize("text", ["", "lumbre", "cafés lumbre: x", ": lumbre", "cooking:", "cooking:  "])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match=r"es.stackoverflow: lumbre"):
        read_search(text)


@pytest.mark.parametrize("page", [1, 2])
def test_recorded_questions_keep_what_their_project_left_in_them(shared: Path, page: int) -> None:
    file = shared / f"upstream/stackexchange/recorded/perceval-question-page-{page}.json"
    told: dict[str, Any] = json.loads(file.read_text("utf-8"))
    mentions = [to_mention(question, "stackoverflow") for question in told["items"]]
    assert [mention.source_id for mention in mentions] == ["stackoverflow:1"] * 2
    first = mentions[0]
    assert first.created_at == datetime(2016, 4, 6, 2, 1, 16, tzinfo=UTC)
    assert first.author is not None
    assert (first.author.id, first.author.url) == ("stackoverflow:3", "http://stackoverflow.com/users/3/zhquan_example_3")
    assert (first.engagement.likes, first.engagement.comments, first.engagement.views) == (1, 1, 17)
    (read,) = asked_of(httpx.Response(200, json={**told, "has_more": False})).pages(Query(text="cooking: x"), None)
    assert len(read.refusals) == 2  # their titles and texts were taken out
