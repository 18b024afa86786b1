"""Reddit is read through praw with an approved app, else through its feeds, and says clearly what it lacks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.clock import Clock
from collectors.http import WebOptions
from collectors.reddit import BOUNDS, RedditSource, Search, read_search
from collectors.reddit_post import feed_id, to_mention
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.mention import Mention
from escucha.source import Quota
from tests.collectors.fakes import CLOCK, DATA, NOW, SECRET, WEB, wire
from tests.collectors.fakes.reddit import RedditUpstream

KEYS = {"client_id": "app-lumbre", "client_secret": "secreto-de-prueba"}


def post() -> dict[str, Any]:
    made: dict[str, Any] = json.loads((DATA / "reddit-post.json").read_text("utf-8"))["data"]
    return made


def test_a_post_is_mapped_as_the_fact_sheet_says() -> None:
    mention = to_mention(post())
    assert (mention.source_id, mention.title) == ("t3_1abcde", "¿Alguien ha ido a Cafés Lumbre?")
    assert mention.url == "https://www.reddit.com/r/mexico/comments/1abcde/x/"
    assert mention.author is not None
    assert (mention.author.id, mention.author.handle, mention.author.followers) == ("t2_9xyz", "tomasa", None)
    assert (mention.engagement.likes, mention.engagement.comments, mention.engagement.shares) == (12, 7, 1)
    assert mention.lang is None


@pytest.mark.parametrize("keys", [{"client_id": "a"}, {"client_id": "", "client_secret": "b"}])
def test_half_an_app_is_named_as_such(keys: dict[str, str]) -> None:
    with pytest.raises(Refused, match=r"both the id and the secret"):
        list(RedditSource(web=WEB, keys=keys, clock=CLOCK).pages(Query(text="lumbre"), None))


def test_only_the_token_and_the_search_are_asked_for(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.add(120)
    list(reddit.source().pages(reddit.query, None))
    assert (
        reddit.asked
        == ["https://www.reddit.com/api/v1/access_token"] + ["https://oauth.reddit.com/r/mexico/search"] * 2
    )


def test_a_planted_praw_ini_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "praw.ini").write_text("[DEFAULT]\noauth_url=https://evil.example\nusername=x\npassword=y\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("praw_username", "x")
    monkeypatch.setenv("praw_password", "y")
    reddit = RedditUpstream(tmp_path)
    reddit.add(1)
    list(reddit.source().pages(reddit.query, None))
    assert {url.split("/")[2] for url in reddit.asked} == {"www.reddit.com", "oauth.reddit.com"}


def test_its_addresses_can_be_set_for_a_loopback_server(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.keys |= {"oauth_url": "http://127.0.0.1:1", "reddit_url": "http://127.0.0.1:2"}
    reddit.add(1)
    list(reddit.source().pages(reddit.query, None))
    assert reddit.asked == ["http://127.0.0.1:2/api/v1/access_token", "http://127.0.0.1:1/r/mexico/search"]


def test_a_second_run_stops_where_the_first_had_been(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.add(900)
    *_, last = reddit.source().pages(reddit.query, None)
    reddit.asked.clear()
    reddit.add(5)
    pages = list(reddit.source().pages(reddit.query, last.cursor))
    assert len(pages) == 8  # the overlap: six hours of posts every 30 seconds
    assert pages[-1].covers is not None
    assert pages[-1].covers.start == NOW - timedelta(hours=20) + timedelta(seconds=900 * 30) - BOUNDS.overlap


@pytest.mark.parametrize(
    "change",
    [{"author": None}, {"author": "[deleted]"}, {"selftext": "[removed]"}, {"removed_by_category": "moderator"}],
)
def test_what_was_taken_back_is_left_out(tmp_path: Path, change: dict[str, Any]) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.add(2)
    reddit.posts[0]["data"].update(change)
    (page,) = reddit.source().pages(reddit.query, None)
    assert [mention.source_id for mention in page.mentions] == ["t3_1"]
    assert (page.gone, page.passed) == (("t3_0",), 1)


@pytest.mark.parametrize(
    ("status", "headers", "kind", "words"),
    [
        (404, {}, Refused, "no subreddit mexico"),
        (302, {"location": "https://www.reddit.com/subreddits/search"}, Refused, "no subreddit mexico"),
        (403, {"www-authenticate": 'Bearer error="insufficient_scope"'}, Refused, "id and secret"),
        (400, {}, Refused, "did not understand"),
        (429, {}, TryLater, "slow down"),
    ],
)
def test_each_answer_says_who_acts_next(
    tmp_path: Path, status: int, headers: dict[str, str], kind: type[Exception], words: str
) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.failure = (status, headers)
    with pytest.raises(kind, match=words):
        list(reddit.source().pages(reddit.query, None))


def test_an_outage_passes_by_itself(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.failure = (503, {})
    with pytest.raises(TryLater, match="HTTP 503"):
        list(reddit.source().pages(reddit.query, None))


def test_a_network_that_is_down_passes_by_itself() -> None:
    class Unplugged:
        def __init__(self) -> None:
            self.headers: dict[str, str] = {}

        def request(self, *args: Any, **options: Any) -> Any:
            raise OSError("no route to host")

    with pytest.raises(TryLater, match="cannot be reached"):
        list(RedditSource(web=WEB, keys=KEYS, session=Unplugged(), clock=CLOCK).pages(Query(text="lumbre"), None))


@pytest.mark.parametrize(
    ("text", "words", "subreddit"),
    [
        ("cafés lumbre", "cafés lumbre", "all"),
        ("r/mexico: lumbre", "lumbre", "mexico"),
        ("/r/Mexico:lumbre OR brasa", "lumbre OR brasa", "Mexico"),
    ],
)
def test_a_query_may_name_a_subreddit(text: str, words: str, subreddit: str) -> None:
    search = read_search(text)
    assert (search.words, search.subreddit) == (words, subreddit)


def test_an_empty_query_says_what_to_write() -> None:
    with pytest.raises(Refused, match="r/mexico"):
        read_search("  ")


@pytest.mark.parametrize("text", ["r/mexico", "r/méxico: lumbre", "r/mexico:", "/r/mexico top"])
def test_a_subreddit_alone_is_no_query(text: str) -> None:
    with pytest.raises(Refused, match=r"r/mexico comments"):
        read_search(text)


@pytest.mark.parametrize("text", ["r/mexico comments", "/r/mexico Comentarios "])
def test_a_query_may_list_the_comments_of_a_subreddit(text: str) -> None:
    assert read_search(text) == Search(words="", subreddit="mexico")


def comment() -> dict[str, Any]:
    return {
        "name": "t1_d4y8bdp", "id": "d4y8bdp", "body": "El café de Lumbre llegó frío", "author": "tomasa",
        "subreddit": "mexico", "link_id": "t3_4r4inc", "parent_id": "t1_d4y8b00", "created_utc": NOW.timestamp() - 60,
        "score": 1, "score_hidden": True, "edited": False, "link_title": "Cafeterías",
    }  # fmt: skip


def test_a_comment_is_mapped_with_what_it_answers() -> None:
    mention = to_mention(comment())
    assert (mention.kind, mention.title, mention.text) == ("comment", None, "El café de Lumbre llegó frío")
    assert mention.url == "https://www.reddit.com/r/mexico/comments/4r4inc/_/d4y8bdp/"
    assert mention.parent_id == "t1_d4y8b00"
    assert mention.engagement.likes is None  # its score is hidden while it is new


def test_the_comments_of_a_subreddit_are_matched_by_the_terms(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    other = {**comment(), "name": "t1_otra", "body": "Nada que ver"}
    reddit.posts = [{"kind": "t1", "data": data} for data in (comment(), other)]
    (page,) = reddit.source().pages(Query(text="r/mexico comments", terms=("lumbre",)), None)
    assert reddit.asked[-1] == "https://oauth.reddit.com/r/mexico/comments"
    assert [mention.source_id for mention in page.mentions] == ["t1_d4y8bdp"]
    assert page.passed == 1


def test_a_listing_cut_by_reddit_covers_no_more_than_it_showed(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.add(1200)
    *_, last = reddit.source().pages(reddit.query, None)
    oldest_shown = NOW - timedelta(hours=20) + timedelta(seconds=201 * 30)
    assert last.covers is not None
    assert last.covers.start == oldest_shown
    assert reddit.params[-1]["count"] == "900"


def test_a_short_listing_covers_all_that_was_asked_for(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.add(30)
    (page,) = reddit.source().pages(replace(reddit.query, since=NOW - timedelta(days=90)), None)
    assert page.covers is not None
    assert page.covers.start == NOW - timedelta(days=90)


def test_it_tells_the_limit_that_reddit_tells(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.limits = {"x-ratelimit-remaining": "599.0", "x-ratelimit-reset": "349", "x-ratelimit-used": "1"}
    source = reddit.source()
    list(source.pages(reddit.query, None))
    assert source.quota == Quota(limit=600, remaining=599, resets_at=NOW + timedelta(seconds=349))


def test_a_limit_that_is_used_up_holds_every_watch_with_this_app(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.limits = {"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "349", "x-ratelimit-used": "600"}
    list(reddit.source().pages(reddit.query, None))
    with pytest.raises(TryLater) as caught:
        list(reddit.source().pages(Query(text="otra"), None))
    assert caught.value.after == 349


def test_requests_of_one_app_keep_the_shared_pace(tmp_path: Path) -> None:
    slept: list[float] = []
    clock = Clock(now=lambda: NOW, monotonic=lambda: 0.0, sleep=slept.append)
    reddit = RedditUpstream(tmp_path)
    reddit.add(1)
    web = WebOptions(pace=2.0, shared=str(tmp_path / "pace"))
    for _ in range(2):
        list(RedditSource(web=web, keys=KEYS, session=reddit, clock=clock).pages(reddit.query, None))
    assert slept == [2.0]


def test_patience_without_a_header_lasts_until_the_limit_begins_anew(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.failure = (429, {"x-ratelimit-reset": "77"})
    with pytest.raises(TryLater) as caught:
        list(reddit.source().pages(reddit.query, None))
    assert caught.value.after == 77


def kept(reddit: RedditUpstream) -> list[Mention]:
    return [mention for page in reddit.source().pages(reddit.query, None) for mention in page.mentions]


def test_what_is_gone_or_edited_is_told_when_asked_again(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.add(4)
    mentions = kept(reddit)
    reddit.delete("t3_1")
    reddit.edit("t3_2", "Lumbre: corregido")
    reddit.posts = [post for post in reddit.posts if post["data"]["name"] != "t3_3"]
    checked = reddit.source().recheck(mentions)
    assert checked.gone == {"t3_1", "t3_3"}
    assert {mention.source_id: mention.text for mention in checked.fresh}["t3_2"] == "Lumbre: corregido"
    assert reddit.params[-1]["id"] == "t3_3,t3_2,t3_1,t3_0"


def test_an_answer_that_lacks_everything_deletes_nothing(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.add(3)
    mentions = kept(reddit)
    reddit.posts = []
    assert reddit.source().recheck(mentions).gone == frozenset()
    assert reddit.source().recheck(mentions[:1]).gone == {"t3_2"}


def test_an_answer_in_pieces_deletes_nothing(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.add(3)
    mentions = kept(reddit)
    del reddit.posts[0]["data"]["author"]
    assert reddit.source().recheck(mentions).gone == frozenset()


def test_without_an_app_the_feeds_give_the_same_items(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.add(120)
    by_app = {mention.source_id: mention for mention in kept(reddit)}
    pages = list(reddit.feeds().pages(reddit.query, None))
    by_feed = {mention.source_id: mention for page in pages for mention in page.mentions}
    assert set(by_feed) == set(by_app) == set(reddit.items)
    first, same = by_feed["t3_0"], by_app["t3_0"]
    assert (first.title, first.text, first.url, first.created_at) == (
        same.title, same.text, same.url, same.created_at
    )  # fmt: skip
    assert first.author is not None
    assert (first.author.handle, first.author.followers) == ("tomasa", None)
    assert first.engagement.likes is None
    assert str(reddit.requests[0].url) == (
        "https://www.reddit.com/r/mexico/search.rss?q=caf%C3%A9s+lumbre&sort=new&t=all&type=link&restrict_sr=1&limit=100"
    )


def test_feeds_are_read_two_pages_a_run_and_go_on_with_an_app(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.add(350)
    pages = list(reddit.feeds().pages(reddit.query, None))
    assert (len(pages), pages[-1].more) == (2, True)
    rest = [m.source_id for p in reddit.source().pages(reddit.query, pages[-1].cursor) for m in p.mentions]
    assert {m.source_id for p in pages for m in p.mentions} | set(rest) >= set(reddit.items)


def feeds(*answers: httpx.Response, asked: list[httpx.Request] | None = None, **keys: str) -> RedditSource:
    left = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        (asked if asked is not None else []).append(request)
        return wire(next(left))

    return RedditSource(web=WEB, keys=keys, transport=httpx.MockTransport(answer), clock=CLOCK)


def atom(*entries: str) -> httpx.Response:
    text = f'<feed xmlns="http://www.w3.org/2005/Atom">{"".join(entries)}</feed>'
    return httpx.Response(200, text=text, headers={"content-type": "application/atom+xml"})


AT = "<updated>2026-11-22T11:00:00+00:00</updated>"
ENTRY = (
    "<entry><author><name>/u/ana</name></author><id>t1_abc</id><title>/u/ana on Cafeterías</title>"
    '<link href="https://www.reddit.com/r/mexico/comments/xyz/cafes/abc/"/>'
    '<content type="html">&lt;div class="md"&gt;&lt;p&gt;Lumbre &amp;amp; yo&lt;/p&gt;&lt;/div&gt;</content>'
    f"{AT}</entry>"
)


def test_the_feed_of_a_subreddits_comments_gives_comments(tmp_path: Path) -> None:
    asked: list[httpx.Request] = []
    (page,) = feeds(atom(ENTRY), asked=asked).pages(Query(text="r/mexico comments"), None)
    (mention,) = page.mentions
    assert asked[0].url.path == "/r/mexico/comments/.rss"
    assert (mention.source_id, mention.kind, mention.title, mention.text) == ("t1_abc", "comment", None, "Lumbre & yo")
    assert mention.created_at == datetime(2026, 11, 22, 11, tzinfo=UTC)


def test_subreddits_among_the_results_and_deleted_items_are_left_out() -> None:
    subreddit = ENTRY.replace("t1_abc", "t5_2qk")
    deleted = ENTRY.replace("t1_abc", "t1_def").replace("/u/ana<", "[deleted]<")
    (page,) = feeds(atom(subreddit, deleted)).pages(Query(text="lumbre"), None)
    assert (page.mentions, page.passed, page.gone) == ((), 2, ("t1_def",))


def test_a_feed_that_gives_its_first_page_again_ends_there() -> None:
    full = [ENTRY.replace("t1_abc", f"t1_{n}") for n in range(25)]
    pages = list(feeds(atom(*full), atom(*full)).pages(Query(text="lumbre"), None))
    assert [len(page.mentions) for page in pages] == [25, 0]
    assert pages[-1].covers is not None
    assert pages[-1].covers.start == datetime(2026, 11, 22, 11, tzinfo=UTC)


def test_the_token_of_somebodys_feeds_is_sent_and_never_kept() -> None:
    asked: list[httpx.Request] = []
    full = [ENTRY.replace("t1_abc", f"t1_{n}") for n in range(25)]
    source = feeds(atom(*full), atom(), asked=asked, feed_user="ana", feed_token=SECRET)
    pages = list(source.pages(Query(text="lumbre"), None))
    assert [(r.url.params["user"], r.url.params["feed"]) for r in asked] == [("ana", SECRET)] * 2
    assert SECRET not in repr(pages)


def test_without_a_token_feeds_are_asked_for_once_a_minute(tmp_path: Path) -> None:
    slept: list[float] = []
    clock = Clock(now=lambda: NOW, monotonic=lambda: 0.0, sleep=slept.append)
    web = WebOptions(shared=str(tmp_path))
    for keys in ({}, {}, {"feed_token": "x"}, {"feed_token": "x", "base_url": "http://127.0.0.1:1"}):
        transport = httpx.MockTransport(lambda request: wire(atom(ENTRY)))
        list(RedditSource(web=web, keys=keys, transport=transport, clock=clock).pages(Query(text="lumbre"), None))
    assert slept[0] == 60.0


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (httpx.Response(403, text="<html>blocked</html>"), Refused, "blocks the address of this server"),
        (httpx.Response(404), Refused, "no subreddit mexico"),
        (httpx.Response(200, text="<html><body>Are you a person?</body></html>"), TryLater, "cannot be read"),
        (httpx.Response(503, headers={"retry-after": "9"}), TryLater, "HTTP 503"),
    ],
)
def test_each_answer_to_a_feed_says_who_acts_next(answer: httpx.Response, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        list(feeds(answer).pages(Query(text="r/mexico: lumbre"), None))


def test_a_subreddit_that_leads_to_the_list_of_subreddits_does_not_exist() -> None:
    there = httpx.Response(302, headers={"location": "https://www.reddit.com/subreddits/search.rss?q=nope"})
    with pytest.raises(Refused, match="no subreddit nope"):
        list(feeds(there, atom()).pages(Query(text="r/nope: lumbre"), None))


def test_the_limit_of_the_feeds_is_obeyed() -> None:
    slow = httpx.Response(429, headers={"x-ratelimit-reset": "41", "x-ratelimit-remaining": "0"})
    with pytest.raises(TryLater) as caught:
        list(feeds(slow, base_url="https://otro.example").pages(Query(text="lumbre"), None))
    assert caught.value.after == 41


def test_the_feeds_conclude_nothing_about_deletions(tmp_path: Path) -> None:
    reddit = RedditUpstream(tmp_path)
    reddit.add(2)
    mentions = kept(reddit)
    reddit.delete("t3_0")
    assert reddit.feeds().recheck(mentions).gone == frozenset()


@pytest.mark.parametrize(
    ("given", "url", "name"),
    [
        ("t3_abc", "", "t3_abc"),
        ("https://www.reddit.com/r/mexico/t3_abc", "", "t3_abc"),
        ("https://www.reddit.com/r/space/comments/42babr/the/", "https://www.reddit.com/r/space/comments/42babr/the/",
         "t3_42babr"),
        ("x", "https://www.reddit.com/r/space/comments/42babr/the/cz9/", "t1_cz9"),
        ("", "https://www.reddit.com/r/space/", ""),
    ],
)  # fmt: skip
def test_an_entry_has_the_id_of_the_item(given: str, url: str, name: str) -> None:
    assert feed_id(given, url) == name


def test_a_recorded_comment_that_was_deleted_is_known_as_such(shared: Path, tmp_path: Path) -> None:
    path = shared / "upstream/reddit/recorded/testcomment-refresh__deleted_comment.json"
    calls = json.loads(path.read_text("utf-8"))["interactions"]
    reddit = RedditUpstream(tmp_path)
    reddit.posts = calls[1]["response"]["json"]["data"]["children"]
    mention = replace(to_mention(comment()), source_id="t1_d7ltvl0")
    assert reddit.source().recheck([mention]).gone == {"t1_d7ltvl0"}


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("testsubreddit-search.json", 6),
        ("testsubredditlistings-new.json", 30),
        ("testsubredditstreams-submissions.json", 15),
        ("public-listing-2026-a.json", 10),
        ("testsubredditlistings-comments.json", 40),
    ],
)
def test_a_recorded_listing_is_read_whole(shared: Path, tmp_path: Path, name: str, count: int) -> None:
    recording = json.loads((shared / "upstream/reddit/recorded" / name).read_text("utf-8"))
    answers = [i["response"].get("json") for i in recording.get("interactions", [])] or [recording]
    listing = next(answer["data"] for answer in answers if answer.get("kind") == "Listing")
    reddit = RedditUpstream(tmp_path)
    reddit.posts = list(reversed(listing["children"]))
    reddit.query = Query(text="r/mexico: native:cafés lumbre")  # the recording answers another question
    pages = list(reddit.source().pages(reddit.query, None))
    assert len({mention.source_id for page in pages for mention in page.mentions}) == count
    assert [page.refusals for page in pages] == [()] * len(pages)
