"""Posts are mapped as Mastodon documents them, only what is public is taken, and tokens go to their server alone."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.mastodon import LIMIT, MastodonSource, id_at, read_query, to_mention
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from tests.collectors.fakes import CLOCK, DATA, NOW, SECRET, WEB, wire
from tests.collectors.fakes.mastodon import MastodonUpstream

BASE = "https://mastodon.example"


def post() -> dict[str, Any]:
    made: dict[str, Any] = json.loads((DATA / "mastodon-status.json").read_text("utf-8"))
    return made


def source(*answers: httpx.Response, **keys: str) -> MastodonSource:
    left = iter(answers)
    transport = httpx.MockTransport(lambda request: wire(next(left)))
    return MastodonSource(web=WEB, keys=keys, transport=transport, clock=CLOCK)


def read(server: MastodonUpstream, cursor: Any = None) -> list[Any]:
    return [mention for page in server.source().pages(server.query, cursor) for mention in page.mentions]


def test_a_post_is_mapped_as_the_fact_sheet_says() -> None:
    mention = to_mention(post(), BASE)
    assert mention.source_id == "https://mastodon.example/users/lupe/statuses/115600000000000000"
    assert mention.text == "El #cafe de Lumbre llegó frío\notra vez"
    assert (mention.lang, mention.kind) == ("es", "post")
    assert mention.created_at == datetime(2026, 11, 20, 15, tzinfo=UTC)
    assert mention.author is not None
    assert (mention.author.handle, mention.author.followers) == ("lupe@mastodon.example", 3200)
    assert (mention.engagement.likes, mention.engagement.comments, mention.engagement.shares) == (5, 3, 3)
    assert mention.raw == {**post(), "asked": BASE}


def test_what_a_server_does_not_count_stays_unknown() -> None:
    bare = {name: value for name, value in post().items() if not name.endswith("_count")}
    engagement = to_mention(bare, BASE).engagement
    assert (engagement.likes, engagement.comments, engagement.shares) == (None, None, None)


@pytest.mark.parametrize(
    "change",
    [{"reblog": {"id": "1"}}, {"visibility": "unlisted"}, {"visibility": "private"}, {"account": {"noindex": True}}],
)
def test_what_is_not_said_in_public_is_left_out(change: dict[str, Any]) -> None:
    hidden = {**deepcopy(post()), **change}
    page, _ = source(httpx.Response(200, json=[hidden]), httpx.Response(200, json=[])).pages(
        Query(text="cafe@a.example"), None
    )
    assert (page.mentions, page.refusals, page.passed) == ((), (), 1)


def test_a_first_run_is_bounded_and_the_next_one_goes_on_where_it_ended(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.add(LIMIT * 25)
    *_, last = pages = list(server.source().pages(server.query, None))
    assert len(server.requests) == len(pages) == 20
    assert (last.more, last.covers) == (True, None)
    found = {mention.source_id for page in pages for mention in page.mentions}
    found |= {mention.source_id for mention in read(server, last.cursor)}
    assert found == set(server.items)


def test_a_backfill_goes_as_far_back_as_it_is_told(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    old = server.put(NOW - timedelta(days=90))
    for _ in range(LIMIT):
        server.put(NOW - timedelta(days=40))
    server.add(1)
    assert old not in {mention.source_id for mention in read(server)}
    server.query = replace(server.query, since=NOW - timedelta(days=100))
    assert old in {mention.source_id for mention in read(server)}


def test_a_post_of_another_server_that_arrives_late_is_found(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.add(3)
    *_, page = server.source().pages(server.query, None)
    late = server.put(datetime.fromisoformat(server.posts[0]["created_at"]) + timedelta(seconds=10))
    assert late in {mention.source_id for mention in read(server, page.cursor)}


def test_a_server_that_repeats_itself_does_not_hold_the_run() -> None:
    same = [httpx.Response(200, json=[post()]) for _ in range(5)]
    pages = list(source(*same).pages(Query(text="cafe@a.example"), None))
    assert [len(page.mentions) for page in pages] == [1, 0]


def test_a_hashtag_that_falls_silent_is_a_doubt_and_no_news(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.add(3)
    *_, page = server.source().pages(server.query, None)
    server.posts.clear()
    (silent,) = server.source().pages(server.query, page.cursor)
    assert isinstance(silent.doubt, TryLater)


def test_a_token_is_sent_and_never_shown(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.keys = {"token": "secreto", "server": "mastodon.example"}
    server.failure = (401, {})
    with pytest.raises(Refused) as caught:
        list(server.source().pages(server.query, None))
    assert server.requests[0].headers["authorization"] == "Bearer secreto"
    assert "secreto" not in str(caught.value) + repr(caught.value.details)


def test_a_token_goes_to_its_own_server_alone(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.add(1)
    read(server)
    server.query = Query(text="cafe@otro.example")
    read(server)
    sent = {request.url.host: request.headers.get("authorization") for request in server.requests}
    assert sent == {"mastodon.example": f"Bearer {SECRET}", "otro.example": None}


def test_a_server_that_shows_nothing_to_strangers_says_what_to_enter(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.keys = {}
    server.failure = (401, {})
    with pytest.raises(Refused, match="Enter an access token"):
        read(server)


def test_the_limits_reset_time_is_obeyed(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.failure = (429, {"X-RateLimit-Reset": "2026-11-22T12:03:00.526148Z"})
    with pytest.raises(TryLater) as caught:
        list(server.source().pages(server.query, None))
    assert caught.value.after == pytest.approx(180.5, abs=0.1)


def test_what_is_left_of_the_limit_is_told(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.add(1)
    asking = server.source()
    list(asking.pages(server.query, None))
    assert (asking.quota.limit, asking.quota.remaining) == (300, 297)
    assert asking.quota.resets_at == datetime(2026, 11, 22, 12, 5, 0, 526148, tzinfo=UTC)


def test_a_search_reads_all_it_finds_even_those_of_one_second(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.query = Query(text='"café de lumbre"@mastodon.example')
    server.add(LIMIT + 5)
    server.add(LIMIT * 2 + 5, together=True)
    server.add(LIMIT + 5)
    *_, page = pages = list(server.source().pages(server.query, None))
    assert {mention.source_id for each in pages for mention in each.mentions} == set(server.items)
    assert server.requests[0].url.params["q"] == '"café de lumbre"'
    server.add(2)
    assert {mention.source_id for mention in read(server, page.cursor)} >= set(server.items[-2:])


def test_a_search_needs_a_token_of_that_server(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.query = Query(text='"cafés lumbre"@otro.example')
    with pytest.raises(Refused, match=r"cafe@otro\.example"):
        read(server)


@pytest.mark.parametrize(
    ("text", "tag", "words", "base"),
    [
        ("cafe@mastodon.social", "cafe", "", "https://mastodon.social"),
        (" #Café@mastodon.social/ ", "Café", "", "https://mastodon.social"),
        ("cafe@http://127.0.0.1:1234", "cafe", "", "http://127.0.0.1:1234"),
        ('"cafés lumbre" @ mastodon.social', "", '"cafés lumbre"', "https://mastodon.social"),
        ("(café OR té) lumbre@mastodon.social", "", "(café OR té) lumbre", "https://mastodon.social"),
    ],
)
def test_a_query_is_a_hashtag_or_a_search_and_a_server(text: str, tag: str, words: str, base: str) -> None:
    asked = read_query(text)
    assert (asked.tag, asked.words, asked.base) == (tag, words, base)


@pytest.mark.parametrize(
    "text",
    ["", "cafe", "@mastodon.social", "cafe@a@b", "cafe@a.example/x?y", '" "@a.example',
     '"lumbre"@', '"lumbre"@a b'],
)  # fmt: skip
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match=r"cafe@mastodon.social"):
        read_query(text)


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(200, text="<html>"), httpx.Response(404, text="<html>"), httpx.Response(200, json={"ok": True})],
)
def test_a_web_page_in_place_of_posts_names_the_server(answer: httpx.Response) -> None:
    with pytest.raises(Refused, match=r"a.example does not answer as a Mastodon server"):
        list(source(answer).pages(Query(text="cafe@a.example"), None))


def test_posts_that_break_off_are_tried_later() -> None:
    with pytest.raises(TryLater, match="cannot be read"):
        list(source(httpx.Response(200, text='[{"id": "1"')).pages(Query(text="cafe@a.example"), None))


def test_an_id_means_a_time() -> None:
    assert int(id_at(NOW + timedelta(hours=1))) - int(id_at(NOW)) == 3_600_000 << 16


def test_a_second_look_tells_what_is_gone_and_what_changed(tmp_path: Path) -> None:
    server = MastodonUpstream(tmp_path)
    server.add(3)
    mentions = read(server)
    gone, changed = mentions[0].source_id, mentions[1].source_id
    server.delete(gone)
    server.edit(changed, "Lumbre, corregido")
    checked = server.source().recheck(mentions)
    assert checked.gone == {gone}
    fresh = {mention.source_id: mention for mention in checked.fresh}
    assert fresh[changed].text == "Lumbre, corregido"
    assert fresh[changed].edited_at == datetime(2026, 11, 22, 11, tzinfo=UTC)


def test_a_recorded_no_is_a_deletion(shared: Path) -> None:
    recording = json.loads((shared / "upstream/mastodon/recorded/cassettes-test_status_missing.json").read_text())
    answer = recording["interactions"][0]["response"]
    mention = to_mention(post(), BASE)
    told = source(httpx.Response(answer["status"], json=answer["json"])).recheck([mention])
    assert told.gone == {mention.source_id}


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(404, text="<html>parked"), httpx.Response(401, json={"error": "x"}),
     httpx.Response(429, headers={"Retry-After": "9"}), httpx.Response(200, json={"id": "1"})],
)  # fmt: skip
def test_a_server_that_fails_or_is_no_more_deletes_nothing(answer: httpx.Response) -> None:
    mention = to_mention(post(), BASE)
    assert source(answer).recheck([mention, replace(mention, raw=None)]).gone == frozenset()


def test_a_server_that_fails_keeps_no_other_from_being_asked() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        down = request.url.host == "mastodon.example"
        return wire(httpx.Response(429) if down else httpx.Response(404, json={"error": "Record not found"}))

    asking = MastodonSource(web=WEB, keys={}, transport=httpx.MockTransport(answer), clock=CLOCK)
    other = {**post(), "uri": "https://otro.example/1"}
    mentions = [to_mention(post(), BASE), to_mention(post(), BASE), to_mention(other, "https://otro.example")]
    assert asking.recheck(mentions).gone == {"https://otro.example/1"}


@pytest.mark.parametrize(
    ("name", "count"), [("cassettes-test_hashtag_tl.json", 1), ("rtoot-get_timeline_hashtag_anonymous.json", 5)]
)
def test_a_recorded_timeline_is_read_whole(shared: Path, name: str, count: int) -> None:
    recording = json.loads((shared / "upstream/mastodon/recorded" / name).read_text("utf-8"))
    posts = next(i["response"]["json"] for i in recording["interactions"] if "/timelines/tag/" in i["request"]["url"])
    reading = source(httpx.Response(200, json=posts), httpx.Response(200, json=[]))
    page, *_ = reading.pages(Query(text="hoot@mastodon.social"), None)
    public = [entry for entry in posts if not entry["account"].get("noindex") and entry["visibility"] == "public"]
    assert len(posts) == count
    assert len(page.mentions) == len(public) > 0
    assert page.refusals == ()
    assert all(m.author and m.author.followers is not None and "<" not in m.text for m in page.mentions)
