"""Reddit's search is read through praw with an approved app, and says clearly what it lacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collectors.reddit import LATE, RedditSource, read_search, to_mention
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from tests.collectors.fakes import CLOCK, DATA, WEB
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


@pytest.mark.parametrize("keys", [{}, {"client_id": "a"}, {"client_id": "", "client_secret": "b"}])
def test_without_keys_it_says_what_is_needed_and_what_to_do_instead(keys: dict[str, str]) -> None:
    with pytest.raises(Refused, match=r"approved.*search.rss"):
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
    assert len(pages) == 1
    assert LATE / 600 < 100  # the overlap fits on that page


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


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("testsubreddit-search.json", 6),
        ("testsubredditlistings-new.json", 30),
        ("testsubredditstreams-submissions.json", 15),
        ("public-listing-2026-a.json", 10),
    ],
)
def test_a_recorded_listing_is_read_whole(shared: Path, tmp_path: Path, name: str, count: int) -> None:
    recording = json.loads((shared / "upstream/reddit/recorded" / name).read_text("utf-8"))
    answers = [i["response"].get("json") for i in recording.get("interactions", [])] or [recording]
    listing = next(answer["data"] for answer in answers if answer.get("kind") == "Listing")
    reddit = RedditUpstream(tmp_path)
    reddit.posts = list(reversed(listing["children"]))
    pages = list(reddit.source().pages(reddit.query, None))
    assert len({mention.source_id for page in pages for mention in page.mentions}) == count
    assert [page.refusals for page in pages] == [()] * len(pages)
