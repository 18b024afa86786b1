"""A hashtag's posts are mapped as Mastodon documents them, and only what is public is taken."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.mastodon import FIRST_PAGES, LIMIT, MastodonSource, overlapped, read_hashtag, to_mention
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from tests.collectors.fakes import CLOCK, DATA, WEB, wire
from tests.collectors.fakes.mastodon import MastodonUpstream


def post() -> dict[str, Any]:
    made: dict[str, Any] = json.loads((DATA / "mastodon-status.json").read_text("utf-8"))
    return made


def source(*answers: httpx.Response, **keys: str) -> MastodonSource:
    left = iter(answers)
    transport = httpx.MockTransport(lambda request: wire(next(left)))
    return MastodonSource(web=WEB, keys=keys, transport=transport, clock=CLOCK)


def test_a_post_is_mapped_as_the_fact_sheet_says() -> None:
    mention = to_mention(post(), "mastodon.example")
    assert mention.source_id == "https://mastodon.example/users/lupe/statuses/115600000000000000"
    assert mention.text == "El #cafe de Lumbre llegó frío\notra vez"
    assert (mention.lang, mention.kind) == ("es", "post")
    assert mention.created_at == datetime(2026, 11, 20, 15, tzinfo=UTC)
    assert mention.author is not None
    assert (mention.author.handle, mention.author.followers) == ("lupe@mastodon.example", 3200)
    assert (mention.engagement.likes, mention.engagement.comments, mention.engagement.shares) == (5, 3, 3)


@pytest.mark.parametrize(
    "change",
    [{"reblog": {"id": "1"}}, {"visibility": "unlisted"}, {"visibility": "private"}, {"account": {"noindex": True}}],
)
def test_what_is_not_said_in_public_is_left_out(change: dict[str, Any]) -> None:
    hidden = {**deepcopy(post()), **change}
    (page,) = source(httpx.Response(200, json=[hidden]), httpx.Response(200, json=[])).pages(
        Query(text="cafe@a.example"), None
    )
    assert (page.mentions, page.refusals) == ((), ())


def test_a_first_run_is_bounded_and_only_its_last_page_moves_the_cursor(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.add(LIMIT * (FIRST_PAGES + 5))
    pages = list(server.source().pages(server.query, None))
    assert [page.cursor is None for page in pages] == [True] * (FIRST_PAGES - 1) + [False]
    assert len(server.requests) == FIRST_PAGES


def test_a_post_of_another_server_that_arrives_late_is_found(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.add(3)
    *_, page = server.source().pages(server.query, None)
    late = {**deepcopy(server.posts[1]), "id": str(int(server.posts[1]["id"]) + 1), "uri": "https://otro.example/tarde"}
    server.posts.insert(2, late)
    found = [
        mention.source_id for again in server.source().pages(server.query, page.cursor) for mention in again.mentions
    ]
    assert "https://otro.example/tarde" in found


def test_a_server_that_repeats_itself_does_not_hold_the_run(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.add(3)
    *_, page = server.source().pages(server.query, None)
    same = [httpx.Response(200, json=list(reversed(server.posts))) for _ in range(5)]
    assert len(list(source(*same).pages(server.query, page.cursor))) <= 1


def test_a_token_is_sent_and_never_shown(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.keys = {"token": "secreto"}
    server.failure = (401, {})
    with pytest.raises(Refused) as caught:
        list(server.source().pages(server.query, None))
    assert server.requests[0].headers["authorization"] == "Bearer secreto"
    assert "secreto" not in str(caught.value) + repr(caught.value.details)


def test_the_limits_reset_time_is_obeyed(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.failure = (429, {"X-RateLimit-Reset": "2026-11-22T12:03:00.526148Z"})
    with pytest.raises(TryLater) as caught:
        list(server.source().pages(server.query, None))
    assert caught.value.after == pytest.approx(180.5, abs=0.1)


@pytest.mark.parametrize(
    ("text", "tag", "base"),
    [
        ("cafe@mastodon.social", "cafe", "https://mastodon.social"),
        (" #Café@mastodon.social/ ", "Café", "https://mastodon.social"),
        ("cafe@http://127.0.0.1:1234", "cafe", "http://127.0.0.1:1234"),
    ],
)
def test_a_query_is_a_hashtag_and_a_server(text: str, tag: str, base: str) -> None:
    hashtag = read_hashtag(text)
    assert (hashtag.tag, hashtag.base) == (tag, base)


@pytest.mark.parametrize(
    "text", ["", "cafe", "@mastodon.social", "ca fe@mastodon.social", "cafe@a@b", "cafe@a.example/x?y"]
)
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match=r"cafe@mastodon.social"):
        read_hashtag(text)


def test_a_web_page_in_place_of_posts_names_the_server() -> None:
    with pytest.raises(Refused, match=r"a.example does not answer as a Mastodon server"):
        list(source(httpx.Response(200, text="<html>")).pages(Query(text="cafe@a.example"), None))


def test_posts_that_break_off_are_tried_later() -> None:
    with pytest.raises(TryLater, match="broke off"):
        list(source(httpx.Response(200, text='[{"id": "1"')).pages(Query(text="cafe@a.example"), None))


def test_the_overlap_is_an_hour_in_mastodons_ids_and_none_in_others() -> None:
    assert (int("115600000000000000") - int(overlapped("115600000000000000"))) >> 16 == 3_600_000
    assert overlapped("AbCdEf") == "AbCdEf"


@pytest.mark.parametrize(
    ("name", "count"), [("cassettes-test_hashtag_tl.json", 1), ("rtoot-get_timeline_hashtag_anonymous.json", 5)]
)
def test_a_recorded_timeline_is_read_whole(shared: Path, name: str, count: int) -> None:
    recording = json.loads((shared / "upstream/mastodon/recorded" / name).read_text("utf-8"))
    posts = next(i["response"]["json"] for i in recording["interactions"] if "/timelines/tag/" in i["request"]["url"])
    reading = source(httpx.Response(200, json=posts), httpx.Response(200, json=[]))
    (page,) = reading.pages(Query(text="hoot@mastodon.social"), None)
    public = [entry for entry in posts if not entry["account"].get("noindex") and entry["visibility"] == "public"]
    assert len(posts) == count
    assert len(page.mentions) == len(public) > 0
    assert page.refusals == ()
    assert all(m.author and m.author.followers is not None and "<" not in m.text for m in page.mentions)
