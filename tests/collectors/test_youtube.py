"""YouTube is read within its units: searched seldom, polled cheaply, replies included, and nothing lost in a cut."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.clock import Clock
from collectors.youtube import YouTubeSource, read_target
from collectors.youtube_item import count_of, followers_of, replies_hidden, said_in, to_mention
from collectors.youtube_round import RUN_REQUESTS, SEARCH_EVERY
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.mention import Author
from escucha.source import Page
from tests.collectors.fakes import CLOCK, NOW, SECRET, WEB, wire
from tests.collectors.fakes.youtube import CHANNEL, YouTubeUpstream, problem

KEYS = count()


@pytest.fixture
def youtube(tmp_path: Path) -> YouTubeUpstream:
    return YouTubeUpstream(tmp_path)


def at(youtube: YouTubeUpstream, now: datetime) -> YouTubeSource:
    clock = Clock(now=lambda: now, monotonic=lambda: 0.0, sleep=lambda seconds: None)
    return YouTubeSource(web=youtube.web, keys=youtube.keys, transport=youtube.transport(), clock=clock)


def read(youtube: YouTubeUpstream, cursor: Any = None, now: datetime = NOW) -> tuple[list[Page], Any]:
    pages = list(at(youtube, now).pages(youtube.query, cursor))
    return pages, json.loads(json.dumps(pages[-1].cursor)) if pages else cursor


def ids(pages: list[Page]) -> set[str]:
    return {mention.source_id for page in pages for mention in page.mentions}


def asked(youtube: YouTubeUpstream) -> Counter[str]:
    return Counter(request.url.path.rsplit("/", 1)[-1] for request in youtube.requests)


def answering(*answers: httpx.Response, **keys: str) -> YouTubeSource:
    """A source with a key of its own: what one asks for patience about holds for no other."""
    left: Iterator[httpx.Response] = iter(answers)
    transport = httpx.MockTransport(lambda request: wire(next(left)))
    return YouTubeSource(web=WEB, keys={"api_key": f"{SECRET}-{next(KEYS)}", **keys}, transport=transport, clock=CLOCK)


def test_a_video_is_mapped_with_its_language_and_figures(youtube: YouTubeUpstream) -> None:
    youtube.add(5)
    mention = to_mention(youtube._with_figures("video-00000"))
    assert (mention.source_id, mention.kind, mention.title) == ("video-00000", "post", "Café Lumbre")
    assert mention.url == "https://www.youtube.com/watch?v=video-00000"
    assert mention.lang == "es-mx"
    assert mention.author == Author(id=CHANNEL, handle="Cafés Lumbre", name="Cafés Lumbre",
                                    url=f"https://www.youtube.com/channel/{CHANNEL}")
    assert (mention.engagement.views, mention.engagement.likes, mention.engagement.comments) == (1200, 40, 1)


def test_a_reply_knows_its_comment_and_video() -> None:
    reply = {"id": "Ug1.9", "snippet": {
        "parentId": "Ug1", "textDisplay": "a &lt;3 b", "textOriginal": "a <3 b", "authorDisplayName": "@lupe",
        "authorChannelId": {"value": "UCx"}, "likeCount": 4, "publishedAt": "2026-11-20T10:00:00Z",
        "updatedAt": "2026-11-20T11:00:00Z",
    }}  # fmt: skip
    mention = to_mention({"comment": reply, "video": "dQw4w9WgXcQ"})
    assert (mention.text, mention.kind, mention.parent_id) == ("a <3 b", "comment", "Ug1")
    assert mention.url == "https://www.youtube.com/watch?v=dQw4w9WgXcQ&lc=Ug1.9"
    assert mention.edited_at == datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert mention.author is not None
    assert (mention.author.handle, mention.author.followers) == ("lupe", None)
    assert (mention.engagement.likes, mention.engagement.comments) == (4, None)


def test_a_comment_of_a_closed_account_has_no_author() -> None:
    comment = {"id": "Ug1", "snippet": {"textDisplay": "hola", "publishedAt": "2026-11-20T10:00:00Z"}}
    assert to_mention({"comment": comment}).author is None


def test_recorded_answers_are_mapped_exactly(shared: Path) -> None:
    folder = shared / "upstream/youtube/recorded"
    threads = json.loads((folder / "comment_threads-comment_threads_by_video_paged_1.json").read_text("utf-8"))["items"]
    mention = to_mention(said_in(threads[1])[0])
    assert mention.source_id == "Ugy4OzAuz5uJuFt3FH54AaABAg"
    assert mention.text == "Please use CLS on your own search results page.."
    assert mention.created_at == datetime(2019, 11, 21, 19, 18, 39, tzinfo=UTC)
    assert (mention.parent_id, mention.engagement.likes, mention.engagement.comments) == ("F1UP7wRCPH8", 1, 0)
    assert [replies_hidden(thread) for thread in threads] == [0, 0, 0, 0, 2]
    video = json.loads((folder / "videos-videos_info_single.json").read_text("utf-8"))["items"][0]
    told = to_mention(video)
    assert (told.source_id, told.lang, told.engagement.views) == ("D-lhorsDlUQ", "en", None)
    channel = json.loads((folder / "channels-info.json").read_text("utf-8"))["items"][0]
    assert followers_of(channel) is None


@pytest.mark.parametrize("file", ["search-search_by_keywords_p1.json", "search-search_by_keywords_p2.json"])
def test_every_video_of_a_recorded_search_is_asked_for(shared: Path, file: str) -> None:
    found = json.loads((shared / "upstream/youtube/recorded" / file).read_text("utf-8"))
    first, *rest = [item["id"]["videoId"] for item in found["items"]]
    nothing = httpx.Response(200, json={"kind": "youtube#videoListResponse", "items": []})
    one = httpx.Response(200, json={"kind": "youtube#videoListResponse", "items": [{"id": first}]})
    search = httpx.Response(200, json={**found, "nextPageToken": None})
    pages = list(answering(search, one, nothing, nothing).pages(Query(text="surf"), None))
    assert {identity for page in pages for identity in page.gone} == set(rest)
    *_, blocked = answering(search, nothing, nothing).pages(Query(text="surf"), None)
    assert blocked.gone == (), "an answer that lacks all of them may be a block"


def test_numbers_come_as_text_and_unknown_is_not_zero() -> None:
    assert (count_of("0"), count_of(None), count_of("x"), count_of(7)) == (0, None, None, 7)


def test_videos_are_searched_for_seldom_and_comments_asked_for_each_time(youtube: YouTubeUpstream) -> None:
    youtube.add(12)
    _, cursor = read(youtube)
    assert asked(youtube) == {"search": 1, "videos": 1, "commentThreads": 3, "comments": 2}
    youtube.requests.clear()
    youtube.add(1)
    pages, cursor = read(youtube, cursor, NOW + SEARCH_EVERY - timedelta(minutes=1))
    assert asked(youtube) == {"videos": 1, "commentThreads": 3}
    assert youtube.items[-1] in ids(pages)
    new = youtube.add_video(NOW)
    pages, cursor = read(youtube, cursor, NOW + SEARCH_EVERY)
    assert asked(youtube)["search"] == 1
    assert new in ids(pages)
    after = next(r.url.params["publishedAfter"] for r in youtube.requests if r.url.path.endswith("search"))
    assert after == "2026-11-20T12:00:00Z"


def test_a_quiet_video_costs_nothing_until_its_number_of_comments_changes(youtube: YouTubeUpstream) -> None:
    youtube.add(12)
    _, cursor = read(youtube)
    later = NOW + timedelta(days=3)
    pages, cursor = read(youtube, cursor, later)
    youtube.requests.clear()
    later += timedelta(minutes=15)
    _, cursor = read(youtube, cursor, later)
    assert asked(youtube) == {"videos": 1}
    answer = youtube.add_comment(later, parent=next(iter(youtube.comments)))
    pages, _ = read(youtube, cursor, later)
    assert asked(youtube)["commentThreads"] == 1
    assert answer in ids(pages)


def test_a_comment_that_came_where_one_was_deleted_is_heard_with_the_next_search(youtube: YouTubeUpstream) -> None:
    youtube.add(12)
    _, cursor = read(youtube)
    later = NOW + timedelta(days=3)
    _, cursor = read(youtube, cursor, later)
    old = next(reversed(youtube.comments))
    new = youtube.add_comment(later, video=youtube.comments[old]["snippet"]["videoId"])
    youtube.delete(old)
    pages, cursor = read(youtube, cursor, later + timedelta(minutes=15))
    assert new not in ids(pages)
    pages, _ = read(youtube, cursor, later + SEARCH_EVERY)
    assert new in ids(pages)


def test_replies_that_a_thread_does_not_show_are_read_once(youtube: YouTubeUpstream) -> None:
    youtube.add(4)
    thread = youtube.items[-1]
    for _ in range(11):
        youtube.add_comment(NOW, parent=thread)
    pages, cursor = read(youtube)
    assert ids(pages) == set(youtube.items)
    assert asked(youtube)["comments"] == 3
    _, cursor = read(youtube, cursor)
    assert asked(youtube)["comments"] == 3
    new = youtube.add_comment(NOW, parent=thread)
    pages, _ = read(youtube, cursor)
    assert asked(youtube)["comments"] == 6
    assert new in ids(pages)


def test_a_video_that_went_away_is_gone_and_not_asked_for_again(youtube: YouTubeUpstream) -> None:
    youtube.add(9)
    _, cursor = read(youtube)
    youtube.delete("video-00001")
    youtube.items = [item for item in youtube.items if item != "video-00001"]
    pages, cursor = read(youtube, cursor)
    assert {identity for page in pages for identity in page.gone} == {"video-00001"}
    youtube.requests.clear()
    read(youtube, cursor)
    assert "video-00001" not in youtube.requests[0].url.params["id"]


def test_an_answer_with_a_video_that_cannot_be_read_says_of_no_other_that_it_is_gone(youtube: YouTubeUpstream) -> None:
    youtube.add(9)
    _, cursor = read(youtube)
    broken = {"kind": "youtube#videoListResponse", "items": [{"snippet": None}]}
    (page,) = answering(httpx.Response(200, json=broken)).pages(youtube.query, cursor)
    assert (page.gone, len(page.refusals)) == ((), 1)


def test_a_video_that_only_one_answer_lacks_is_not_gone(youtube: YouTubeUpstream) -> None:
    youtube.add(9)
    _, cursor = read(youtube)
    told = [youtube._with_figures(number) for number in youtube.videos]
    lists = [{"kind": "youtube#videoListResponse", "items": items} for items in (told[:2], told[2:])]
    page = next(answering(*(httpx.Response(200, json=one) for one in lists)).pages(youtube.query, cursor))
    assert (page.gone, ids([page])) == ((), {told[0]["id"], told[1]["id"]})


def test_comments_that_are_switched_off_are_no_failure(youtube: YouTubeUpstream) -> None:
    youtube.add(30)
    youtube.comments_off.add("video-00001")
    pages, cursor = read(youtube)
    assert set(youtube.videos) <= ids(pages)
    told = ids(pages) - set(youtube.videos)
    assert told == {name for name, c in youtube.comments.items() if c["snippet"]["videoId"] != "video-00001"} > set()
    youtube.requests.clear()
    read(youtube, cursor)
    assert "video-00001" not in [r.url.params.get("videoId") for r in youtube.requests]
    youtube.query = Query(text="video:video-00001")
    (page,) = at(youtube, NOW).pages(youtube.query, None)
    assert page.mentions == ()


def test_a_single_video_that_is_not_there_needs_a_person(youtube: YouTubeUpstream) -> None:
    youtube.query = Query(text="video:no-existe-1")
    with pytest.raises(Refused, match="no such video"):
        read(youtube)


@pytest.mark.parametrize("text", [f"channel:{CHANNEL}", "channel:@lumbre"])
def test_a_channels_comments_come_in_one_list(youtube: YouTubeUpstream, text: str) -> None:
    youtube.add(90)
    youtube.query = Query(text=text)
    pages, cursor = read(youtube)
    assert ids(pages) == set(youtube.comments)
    assert {r.url.params.get("allThreadsRelatedToChannelId") for r in youtube.requests} <= {CHANNEL, None}
    looked_up = asked(youtube)["channels"]
    assert looked_up == text.count("@")
    youtube.add(3)
    pages, _ = read(youtube, cursor)
    assert set(youtube.items[-3:]) <= ids(pages)
    assert asked(youtube)["channels"] == looked_up


@pytest.mark.parametrize("text", [f"channel:{CHANNEL}", "lumbre"])
def test_a_run_cut_after_any_page_goes_on_where_it_was(youtube: YouTubeUpstream, text: str) -> None:
    youtube.add(140)
    youtube.query = Query(text=text)
    cursor, found = None, set[str]()
    for _ in range(60):
        page = next(at(youtube, NOW).pages(youtube.query, cursor))
        cursor, found = json.loads(json.dumps(page.cursor)), found | ids([page])
        youtube.add(1)
        if set(youtube.items[:143]) <= found | set(youtube.videos):
            break
    pages, _ = read(youtube, cursor)
    assert set(youtube.comments) <= found | ids(pages)


def test_what_the_round_covers_is_told_with_its_last_page(youtube: YouTubeUpstream) -> None:
    youtube.add(50)
    pages, _ = read(youtube)
    assert [page.covers is None for page in pages] == [True] * (len(pages) - 1) + [False]
    assert pages[-1].covers is not None
    assert (pages[-1].covers.start, pages[-1].covers.end) == (NOW - timedelta(days=30), NOW)


def test_an_unknown_handle_says_how_to_find_it(youtube: YouTubeUpstream) -> None:
    youtube.query = Query(text="channel:@nadie")
    with pytest.raises(Refused, match="no YouTube channel named @nadie"):
        read(youtube)


def test_a_long_round_is_made_in_several_runs_and_ends(youtube: YouTubeUpstream) -> None:
    youtube.add(3)
    for number in range(90):
        youtube.add_video(NOW - timedelta(days=60, minutes=number))
        youtube.add_comment(NOW, video=f"video-{number + 3:05}")
    found, cursor, runs, more = set[str](), None, 0, True
    while more:
        pages, cursor = read(youtube, cursor)
        found, more, runs = found | ids(pages), pages[-1].more, runs + 1
        assert len(pages) <= RUN_REQUESTS
    assert (found, runs) == (set(youtube.items), 2)


def test_a_token_that_is_not_valid_any_more_begins_the_list_again(youtube: YouTubeUpstream) -> None:
    youtube.add(90)
    youtube.query = Query(text=f"channel:{CHANNEL}")
    page = next(at(youtube, NOW).pages(youtube.query, None))
    cursor = json.loads(json.dumps(page.cursor))
    refusing = answering(problem(400, "processingFailure"))
    reading = refusing.pages(youtube.query, cursor)
    restarted = next(reading)
    with pytest.raises(TryLater, match="begins that list again"):
        next(reading)
    pages, _ = read(youtube, restarted.cursor)
    assert ids(pages) == set(youtube.comments)


def test_a_search_whose_token_is_stale_begins_again(youtube: YouTubeUpstream) -> None:
    youtube.add(3)
    for number in range(60):
        youtube.add_video(NOW - timedelta(minutes=number))
    page = next(at(youtube, NOW).pages(youtube.query, None))
    restarted = next(answering(problem(400, "invalidPageToken")).pages(youtube.query, page.cursor))
    pages, _ = read(youtube, restarted.cursor)
    assert set(youtube.videos) <= ids(pages)


def test_the_days_units_are_never_overdrawn(youtube: YouTubeUpstream) -> None:
    youtube.add(60)
    youtube.keys["daily_units"] = "103"
    pages = at(youtube, NOW).pages(youtube.query, None)
    saved = [next(pages) for _ in range(4)]
    with pytest.raises(TryLater, match="allowance of 103 units") as caught:
        next(pages)
    assert caught.value.after == 20 * 3600  # 12:00 UTC is 4:00 in California
    assert asked(youtube) == {"search": 1, "videos": 1, "commentThreads": 2}
    youtube.keys["daily_units"] = "10000"
    rest, _ = read(youtube, saved[-1].cursor)
    assert ids(saved) | ids(rest) == set(youtube.items)


def test_what_is_left_of_the_units_is_told(youtube: YouTubeUpstream) -> None:
    youtube.add(4)  # a search, the figures of three videos, their comments
    source = at(youtube, NOW)
    list(source.pages(youtube.query, None))
    assert source.quota is not None
    assert (source.quota.limit, source.quota.remaining, source.quota.unit) == (10_000, 10_000 - 104, "units")
    assert source.quota.resets_at == datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.mark.parametrize("units", ["muchas", "-5", "1.5"])
def test_units_that_are_no_number_are_refused(youtube: YouTubeUpstream, units: str) -> None:
    youtube.keys["daily_units"] = units
    with pytest.raises(Refused, match="whole number"):
        read(youtube)


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (problem(403, "quotaExceeded"), TryLater, "midnight in California"),
        (problem(403, "userRateLimitExceeded"), TryLater, "slow down"),
        (problem(400, "keyInvalid"), Refused, "does not accept this key"),
        (problem(400, "badRequest", "API_KEY_INVALID"), Refused, "does not accept this key"),
        (problem(403, "accessNotConfigured"), Refused, "Switch on"),
        (problem(403, "forbidden", "SERVICE_DISABLED"), Refused, "Switch on"),
        (problem(403, "ipRefererBlocked"), Refused, "restricted"),
        (problem(404, "channelNotFound"), Refused, "no such video"),
        (problem(503, "backendError"), TryLater, "having trouble"),
        (httpx.Response(403, text="<html>"), Refused, "HTTP 403"),
        (httpx.Response(200, json={"items": []}), TryLater, "cannot be read"),
    ],
)
def test_each_error_says_what_to_do(answer: httpx.Response, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        list(answering(answer, answer, answer).pages(Query(text=f"channel:{CHANNEL}"), None))


def test_a_quota_that_is_used_up_waits_for_midnight_in_california(tmp_path: Path) -> None:
    youtube = YouTubeUpstream(tmp_path)
    source = YouTubeSource(web=youtube.web, keys={"api_key": SECRET}, clock=CLOCK,
                           transport=httpx.MockTransport(lambda _: wire(problem(403, "quotaExceeded"))))
    with pytest.raises(TryLater) as caught:
        list(source.pages(youtube.query, None))
    assert caught.value.after == 20 * 3600


@pytest.mark.parametrize(
    ("name", "kind"), [("error_permission_resp.json", Refused), ("error_response.json", Refused)]
)
def test_recorded_errors_are_understood(shared: Path, name: str, kind: type[Exception]) -> None:
    body = json.loads((shared / "upstream/youtube/recorded" / name).read_text("utf-8"))
    answer = httpx.Response(body["error"]["code"], json=body)
    with pytest.raises(kind):
        list(answering(answer).pages(Query(text="lumbre"), None))


def test_the_key_is_in_no_address(youtube: YouTubeUpstream) -> None:
    youtube.add(4)
    read(youtube)
    assert all(SECRET not in str(request.url) for request in youtube.requests)
    with pytest.raises(Refused, match="api_key"):
        YouTubeSource(web=WEB, keys={}, transport=youtube.transport(), clock=CLOCK).pages(youtube.query, None)


def test_subscribers_come_in_one_call_and_hidden_ones_stay_unknown(youtube: YouTubeUpstream) -> None:
    asked_for = [Author(id=CHANNEL, handle="lumbre"), Author(id="UC" + "a" * 22, handle="lupe"),
                 Author(id="UCnadie", handle="nadie")]
    told = list(at(youtube, NOW).authors(asked_for))
    assert told == [replace(asked_for[0], followers=12300), asked_for[1]]
    assert len(youtube.requests) == 1


@pytest.mark.parametrize("strict", [False, True])
def test_what_is_rechecked_is_told_afresh_or_gone(youtube: YouTubeUpstream, strict: bool) -> None:
    youtube.add(30)
    pages, _ = read(youtube)
    kept = [mention for page in pages for mention in page.mentions]
    kept = list({mention.source_id: mention for mention in kept}.values())
    youtube.delete(youtube.items[-1])
    youtube.delete("video-00002")
    edited = youtube.items[-1]
    youtube.edit(edited, "Lumbre: corregido")
    youtube.strict = strict
    checked = at(youtube, NOW).recheck(kept)
    assert checked.gone == {mention.source_id for mention in kept} - set(youtube.items)
    fresh = {mention.source_id: mention for mention in checked.fresh}
    assert set(fresh) == set(youtube.items)
    before = next(mention for mention in kept if mention.source_id == edited)
    assert fresh[edited].text == "Lumbre: corregido"
    assert (fresh[edited].url, fresh[edited].parent_id) == (before.url, before.parent_id)


def test_an_answer_without_the_form_of_a_list_makes_nothing_gone(youtube: YouTubeUpstream) -> None:
    youtube.add(6)
    pages, _ = read(youtube)
    kept = [mention for page in pages for mention in page.mentions if mention.kind == "comment"]
    with pytest.raises(TryLater):
        answering(httpx.Response(200, json={})).recheck(kept)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (' "cafés lumbre" ', "words", '"cafés lumbre"'),
        ("café: lumbre", "words", "café: lumbre"),
        (f"channel:{CHANNEL}", "channel", CHANNEL),
        ("channel: @lumbre", "channel", "@lumbre"),
        ("video:dQw4w9WgXcQ", "video", "dQw4w9WgXcQ"),
    ],
)
def test_a_query_is_words_a_channel_or_a_video(text: str, kind: str, value: str) -> None:
    target = read_target(text)
    assert (target.kind, target.value) == (kind, value)


@pytest.mark.parametrize("text", ["", "  ", "channel:lumbre", "video:corto", "channel:", "x" * 201])
def test_any_other_query_shows_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match="channel:@lumbre"):
        YouTubeSource(web=WEB, keys={"api_key": SECRET}, clock=CLOCK).pages(Query(text=text), None)
