"""Bluesky's posts are mapped as its lexicon says, sessions are renewed, and what its labels forbid is left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.bluesky import (
    SESSIONS,
    BlueskySource,
    is_open,
    read_post,
    read_query,
    read_stream,
    to_author,
    to_mention,
    when,
)
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.mention import Author
from tests.collectors.fakes import CLOCK, NOW, SECRET, WEB, wire
from tests.collectors.fakes.bluesky import DID, BlueskyUpstream


@pytest.fixture
def bluesky(tmp_path: Path) -> BlueskyUpstream:
    SESSIONS.clear()
    return BlueskyUpstream(tmp_path)


def read(upstream: BlueskyUpstream) -> list[Any]:
    return [mention for page in upstream.source().pages(upstream.query, None) for mention in page.mentions]


def calls(upstream: BlueskyUpstream) -> list[str]:
    return [request.url.path.rsplit(".", 1)[1] for request in upstream.requests]


def answering(status: int, body: Any, headers: dict[str, str] | None = None) -> BlueskySource:
    SESSIONS.clear()
    transport = httpx.MockTransport(lambda request: wire(httpx.Response(status, json=body, headers=headers)))
    return BlueskySource(web=WEB, keys={"handle": "a", "app_password": SECRET}, transport=transport, clock=CLOCK)


def test_a_recorded_post_is_mapped_as_the_fact_sheet_says(shared: Path) -> None:
    path = shared / "upstream/bluesky/recorded/feed.searchPosts_0e3ec.json"
    posts = json.loads(path.read_text("utf-8"))["interactions"][0]["response"]["json"]["posts"]
    mention = to_mention(posts[0])
    did = "did:plc:xxppgquw2duy3v2qh6mg5oiv"
    assert mention.source_id == f"at://{did}/app.bsky.feed.post/3lt4t5vltz22t"
    assert mention.url == f"https://bsky.app/profile/{did}/post/3lt4t5vltz22t"
    assert (mention.text, mention.lang, mention.kind) == ("Using #rstats for the plots.", "en", "comment")
    assert mention.created_at == datetime(2025, 7, 4, 8, 28, 35, 629000, tzinfo=UTC)
    assert mention.parent_id is not None
    assert mention.parent_id.endswith("/3lt4posc55k2t")
    assert mention.author == Author(
        id=did, handle="karlpettersson.bsky.social", name="Karl Pettersson", url=f"https://bsky.app/profile/{did}"
    )
    assert mention.raw is not None
    assert "viewer" not in mention.raw
    assert "viewer" not in mention.raw["author"]


def test_a_recorded_search_is_ordered_by_the_earlier_of_two_times(shared: Path) -> None:
    path = shared / "upstream/bluesky/recorded/feed.searchPosts_0e3ec.json"
    posts = json.loads(path.read_text("utf-8"))["interactions"][0]["response"]["json"]["posts"]
    times = [when(post) for post in posts]
    assert times == sorted(times, reverse=True)


def test_a_recorded_profile_tells_followers_and_verification(shared: Path) -> None:
    path = shared / "upstream/bluesky/recorded/actor.getProfiles_01031.json"
    profile = json.loads(path.read_text("utf-8"))["interactions"][0]["response"]["json"]["profiles"][0]
    author = to_author(profile)
    assert (author.handle, author.followers, author.verified) == ("favstats.eu", 3608, None)
    assert to_author({**profile, "verification": {"verifiedStatus": "valid"}}).verified is True


def test_a_false_clock_does_not_make_a_post_of_the_future(bluesky: BlueskyUpstream) -> None:
    bluesky.add(1)
    bluesky.posts[0]["record"]["createdAt"] = "2031-01-01T00:00:00Z"
    assert to_mention(bluesky.posts[0]).created_at == datetime.fromisoformat(bluesky.posts[0]["indexedAt"])


@pytest.mark.parametrize(
    "change",
    [
        {"labels": [{"val": "porn"}]},
        {"labels": [{"val": "!takedown"}]},
        {"author": {"did": DID, "handle": "a", "labels": [{"val": "!no-unauthenticated"}]}},
        {"record": {"text": "Lumbre", "labels": {"values": [{"val": "graphic-media"}]}}},
    ],
)
def test_what_a_label_forbids_is_left_out_and_counted(bluesky: BlueskyUpstream, change: dict[str, Any]) -> None:
    bluesky.add(2)
    first = bluesky.posts[0]
    first.update({**change, "record": {**first["record"], **change.get("record", {})}})
    (page,) = bluesky.source().pages(bluesky.query, None)
    assert ([m.source_id for m in page.mentions], page.passed) == ([bluesky.items[1]], 1)


def test_a_label_that_was_taken_back_or_means_something_else_forbids_nothing(bluesky: BlueskyUpstream) -> None:
    bluesky.add(1)
    labels = [{"val": "porn", "neg": True}, {"val": "bridged-from-bridgy-fed-activitypub"}]
    assert is_open({**bluesky.posts[0], "labels": labels})


def test_a_picture_without_a_word_is_no_mention(bluesky: BlueskyUpstream) -> None:
    bluesky.add(1)
    bluesky.posts[0]["record"]["text"] = " "
    assert read_post(bluesky.posts[0]) is None


def test_many_runs_sign_in_once(bluesky: BlueskyUpstream) -> None:
    bluesky.add(3)
    for _ in range(3):
        assert len(read(bluesky)) == 3
    assert calls(bluesky).count("createSession") == 1


def test_a_session_that_ended_is_renewed_without_the_password(bluesky: BlueskyUpstream) -> None:
    bluesky.add(3)
    read(bluesky)
    bluesky.expire()
    assert len(read(bluesky)) == 3
    assert (calls(bluesky).count("createSession"), calls(bluesky).count("refreshSession")) == (1, 1)


def test_a_session_that_cannot_be_renewed_is_begun_anew(bluesky: BlueskyUpstream) -> None:
    bluesky.add(3)
    read(bluesky)
    bluesky.expire(renewable=False)
    assert len(read(bluesky)) == 3
    assert calls(bluesky).count("createSession") == 2


def test_the_days_sign_ins_are_counted_and_end(bluesky: BlueskyUpstream) -> None:
    for _ in range(100):
        SESSIONS.clear()
        read(bluesky)
    SESSIONS.clear()
    with pytest.raises(TryLater, match="100 sign-ins") as caught:
        read(bluesky)
    assert caught.value.after == 12 * 3600


def test_a_wrong_password_names_what_to_enter(bluesky: BlueskyUpstream) -> None:
    bluesky.keys = {**bluesky.keys, "app_password": "otra"}
    source = bluesky.source()
    bluesky.keys = {**bluesky.keys, "app_password": SECRET}
    with pytest.raises(Refused, match="app password"):
        list(source.pages(bluesky.query, None))


def test_a_missing_key_is_named(bluesky: BlueskyUpstream) -> None:
    bluesky.keys = {"handle": "lumbre.bsky.social"}
    with pytest.raises(Refused, match="Bluesky needs app_password"):
        read(bluesky)


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (400, "BadQueryString", "does not understand this query"),
        (401, "AuthFactorTokenRequired", "Create an app password"),
        (401, "AccountTakedown", "closed or suspended"),
        (400, "Unheard", "did not understand the request"),
    ],
)
def test_each_error_says_what_to_do(status: int, error: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        list(answering(status, {"error": error}).pages(Query(text="lumbre"), None))


def test_the_limits_own_reset_is_obeyed() -> None:
    headers = {"ratelimit-limit": "3000", "ratelimit-remaining": "0",
               "ratelimit-reset": str(int((NOW + timedelta(seconds=90)).timestamp()))}  # fmt: skip
    source = answering(429, {"error": "RateLimitExceeded"}, headers)
    with pytest.raises(TryLater) as caught:
        list(source.pages(Query(text="lumbre"), None))
    assert caught.value.after == 90
    assert source.quota is not None
    assert (source.quota.limit, source.quota.remaining) == (3000, 0)


def test_a_language_is_asked_for_apart(bluesky: BlueskyUpstream) -> None:
    list(bluesky.source().pages(Query(text='"cafés lumbre" lang:es'), None))
    asked = bluesky.requests[-1].url.params
    assert (asked["q"], asked["lang"], asked["sort"], asked["limit"]) == ('"cafés lumbre"', "es", "latest", "100")


@pytest.mark.parametrize("text", ["", "lang:es", "lumbre lang:", "lumbre lang:español", "lumbre lang:es lang:pt"])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match="cafés lumbre"):
        read_query(text)


def test_an_author_who_blocked_us_is_no_deletion(bluesky: BlueskyUpstream) -> None:
    bluesky.add(3)
    mentions = read(bluesky)
    bluesky.blocked.add(bluesky.items[0])
    bluesky.delete(bluesky.items[1])
    checked = bluesky.source().recheck(mentions)
    assert checked.gone == {mentions[1].source_id}
    assert [mention.source_id for mention in checked.fresh] == [bluesky.items[-1]]


def test_followers_come_with_a_second_call_and_stay_unknown_where_they_are_not_told(bluesky: BlueskyUpstream) -> None:
    bluesky.followers["did:plc:callado"] = None
    asked = [Author(id=did, handle="x") for did in (DID, "did:plc:callado", "did:plc:cerrado")]
    found = {author.id: author.followers for author in bluesky.source().authors(asked)}
    assert found == {DID: 3200, "did:plc:callado": None}


def event(operation: str, rkey: str, text: str = "", at: int = 0, **record: Any) -> str:
    commit: dict[str, Any] = {"operation": operation, "collection": "app.bsky.feed.post", "rkey": rkey}
    if operation != "delete":
        commit["record"] = {"text": text, "createdAt": "2026-11-20T10:00:00Z", "langs": ["es"], **record}
    micros = int(datetime(2026, 11, 20, 10, tzinfo=UTC).timestamp()) * 1_000_000 + at
    return json.dumps({"did": DID, "time_us": micros, "kind": "commit", "commit": commit})


def test_a_recorded_stream_is_read_line_by_line(shared: Path) -> None:
    lines = (shared / "upstream/bluesky/recorded/jetstream-v1-golden.jsonl").read_text("utf-8").splitlines()
    page = read_stream(lines, Query(text="RSV"))
    (mention,) = page.mentions
    assert mention.source_id == "at://did:plc:q235v55g5unth4zjjdpacfdr/app.bsky.feed.post/3mmoojp4cd223"
    assert (mention.text, mention.kind, mention.lang) == ("Try RSV for a good time !!", "comment", "en")
    assert mention.created_at == datetime(2026, 5, 25, 14, 23, 28, 757000, tzinfo=UTC)
    assert (page.refusals, page.gone, page.passed) == ((), (), len(lines) - 1)
    assert page.cursor is not None
    assert page.cursor["time_us"] == max(json.loads(line)["time_us"] for line in lines)
    assert read_stream(lines, Query(text="nada")).mentions == ()


def test_a_stream_tells_edits_and_deletions() -> None:
    page = read_stream(
        [event("create", "1", "Lumbre uno", at=1), event("create", "2", "Lumbre dos", at=2),
         event("update", "1", "Lumbre corregido", at=3), event("delete", "2", at=4), event("delete", "3", at=5)],
        Query(text="lumbre"),
    )  # fmt: skip
    (mention,) = page.mentions
    assert (mention.text, mention.edited_at is not None) == ("Lumbre corregido", True)
    assert page.gone == (f"at://{DID}/app.bsky.feed.post/2", f"at://{DID}/app.bsky.feed.post/3")
    assert page.covers is not None
    assert page.covers.end - page.covers.start == timedelta(microseconds=4)


def test_a_closed_account_takes_its_posts_along() -> None:
    closed = {"did": DID, "time_us": 1_779_719_010_272_410, "kind": "account", "account": {"active": False}}
    page = read_stream([event("create", "1", "Lumbre"), json.dumps(closed)], Query(text="lumbre"))
    assert (page.mentions, page.gone) == ((), (f"at://{DID}/app.bsky.feed.post/1",))


def test_a_stream_is_matched_by_every_word_its_language_and_the_terms() -> None:
    lines = [event("create", "1", "Cafés Lumbre"), event("create", "2", "Lumbre, cafés", langs=["pt"]),
             event("create", "3", "lumbre"), event("create", "4", "lumbre, cafés: porno",
                                                   labels={"values": [{"val": "porn"}]})]  # fmt: skip

    def found(text: str, *terms: str) -> list[str]:
        return [mention.text for mention in read_stream(lines, Query(text=text, terms=terms)).mentions]

    assert found("lumbre cafés") == ["Cafés Lumbre", "Lumbre, cafés"]
    assert found('"cafés lumbre"') == ["Cafés Lumbre"]
    assert found("lumbre cafés lang:pt from:ana") == ["Lumbre, cafés"]
    assert found("lumbre", "cafés") == ["Cafés Lumbre", "Lumbre, cafés"]


def test_a_broken_line_of_a_stream_is_refused_alone() -> None:
    page = read_stream(["{", '{"time_us": "x"}', event("create", "1", "Lumbre")], Query(text="lumbre"))
    assert [refusal.where for refusal in page.refusals] == ["line 1", "line 2"]
    assert len(page.mentions) == 1
