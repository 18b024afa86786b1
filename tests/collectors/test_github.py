"""Issues are found by a search or read from a repository; programs and pull requests are no customers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.github import (
    GitHubSource,
    Repo,
    api_path,
    read_comment,
    read_discussion,
    read_issue,
    read_query,
    to_mention,
)
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.mention import Mention
from escucha.source import Page
from tests.collectors.fakes import CLOCK, NOW, SECRET, WEB, wire
from tests.collectors.fakes.github import REPO, GitHubUpstream, missing, text_of

HOSTS = count()


def github(folder: Path, number: int = 0) -> GitHubUpstream:
    made = GitHubUpstream(folder)
    made.add(number)
    return made


def own(folder: Path, number: int = 0) -> GitHubUpstream:
    made = github(folder, number)
    made.query = Query(text=REPO)
    return made


def asked_of(*answers: httpx.Response, **keys: str) -> GitHubSource:
    """The source with these answers, of a host of its own: a pause that one asks for holds for no other test."""
    left = iter(answers)
    transport = httpx.MockTransport(lambda request: wire(next(left)))
    there = {"base_url": f"https://api-{next(HOSTS)}.example", **keys}
    return GitHubSource(web=WEB, keys=there, transport=transport, clock=CLOCK)


def read(pages: list[Page]) -> dict[str, Mention]:
    return {mention.source_id: mention for page in pages for mention in page.mentions}


def test_an_issue_is_mapped_as_the_fact_sheet_says(tmp_path: Path) -> None:
    mention = to_mention({**github(tmp_path, 1).issues[0], "body": "<!-- Describe -->\r\nNo abre Lumbre\r\n"})
    assert (mention.source_id, mention.kind, mention.title) == ("I_1", "post", "Café Lumbre no abre")
    assert (mention.text, mention.lang) == ("No abre Lumbre", None)
    assert mention.url == f"https://github.com/{REPO}/issues/1"
    assert mention.created_at == datetime(2026, 11, 21, 16, 0, 30, tzinfo=UTC)
    assert mention.author is not None
    assert (mention.author.id, mention.author.handle, mention.author.followers) == ("7", "lupe", None)
    assert (mention.engagement.likes, mention.engagement.comments) == (3, 2)


def test_a_comment_that_changed_was_edited_and_an_issue_that_changed_was_perhaps_not(tmp_path: Path) -> None:
    server = github(tmp_path, 1)
    later = {"updated_at": text_of(NOW)}
    assert to_mention({**server.add_comment(), **later}).edited_at == NOW
    assert to_mention({**server.issues[0], **later}).edited_at is None


def test_what_an_account_that_was_deleted_wrote_has_no_author(tmp_path: Path) -> None:
    server = github(tmp_path, 1)
    assert to_mention({**server.issues[0], "user": None}).author is None


def test_programs_pull_requests_and_the_owners_answers_are_left_out(tmp_path: Path) -> None:
    server = github(tmp_path, 1)
    issue, comment = server.issues[0], server.add_comment()
    bot = {"login": "dependabot[bot]", "id": 1, "type": "Bot"}
    assert read_issue({**issue, "pull_request": {"url": "x"}}) is None
    assert read_issue({**issue, "user": bot}) is None
    assert read_comment({**comment, "user": bot}) is None
    assert read_comment({**comment, "author_association": "OWNER"}) is None
    assert read_comment({**comment, "html_url": f"https://github.com/{REPO}/pull/3#issuecomment-1"}) is None
    assert read_discussion({**server.add_discussion(), "author": {"__typename": "Bot", "login": "x"}}) is None
    assert read_comment(comment) is not None


def test_a_search_asks_by_stretches_of_time_and_signs_its_requests(tmp_path: Path) -> None:
    server = github(tmp_path, 250)
    list(server.source().pages(replace(server.query, since=NOW - timedelta(days=2)), None))
    first, second, *_ = server.requests
    assert first.url.params["q"] == '"café lumbre" in:title,body is:issue created:>=2026-11-20T12:00:00Z'
    assert second.url.params["q"].endswith(f"created:2026-11-20T12:00:00Z..{server.issues[150]['created_at']}")
    assert {request.url.params["page"] for request in server.requests} == {"1"}
    assert first.headers["authorization"] == f"Bearer {SECRET}"
    assert first.headers["x-github-api-version"] == "2022-11-28"


def test_without_a_token_nothing_is_signed(tmp_path: Path) -> None:
    server = github(tmp_path, 1)
    server.keys = {}
    list(server.source().pages(server.query, None))
    assert "authorization" not in server.requests[0].headers


def test_more_than_a_thousand_of_one_moment_are_told_as_a_hole(tmp_path: Path) -> None:
    server = github(tmp_path)
    server.add(1100, together=True)
    pages = list(server.source().pages(server.query, None))
    assert len(read(pages)) == 1000
    (covered,) = [page.covers for page in pages if page.covers]
    assert covered.start == server.start + server.spacing


def test_a_search_that_ran_out_of_time_is_asked_once_more(tmp_path: Path) -> None:
    server = github(tmp_path, 3)
    server.unfinished = 1
    (page,) = server.source().pages(server.query, None)
    assert len(server.requests) == 2
    assert (page.doubt, page.covers is None) == (None, False)


def test_from_a_search_that_runs_out_of_time_again_nothing_is_concluded(tmp_path: Path) -> None:
    server = github(tmp_path, 3)
    server.unfinished = 2
    (page,) = server.source().pages(server.query, None)
    assert len(page.mentions) == 3
    assert "ran out of time" in str(page.doubt)
    assert page.covers is None


def test_a_repository_gives_its_issues_comments_and_discussions(tmp_path: Path) -> None:
    server = own(tmp_path, 2)
    server.add_comment()
    server.add_discussion()
    pages = list(server.source().pages(server.query, None))
    found = read(pages)
    assert sorted(found) == ["D_4", "IC_3", "I_1", "I_2"]
    assert (found["IC_3"].kind, found["IC_3"].parent_id) == ("comment", f"https://api.github.com/repos/{REPO}/issues/1")
    assert (found["D_4"].title, found["D_4"].engagement.likes) == ("¿Café Lumbre en Perú?", 4)
    assert found["D_4"].author is not None
    assert found["D_4"].author.id == "7"
    assert [page.covers is None for page in pages] == [True, True, False]
    assert server.requests[0].url.params["since"] == "2026-08-24T12:00:00Z"


def test_discussions_are_not_asked_for_without_a_token(tmp_path: Path) -> None:
    server = own(tmp_path, 1)
    server.keys = {}
    list(server.source().pages(server.query, None))
    assert [request.url.path for request in server.requests] == [
        f"/repos/{REPO}/issues", f"/repos/{REPO}/issues/comments",
    ]  # fmt: skip


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5])
def test_a_repository_read_in_pieces_is_read_whole(tmp_path: Path, cut: int) -> None:
    server = own(tmp_path, 250)
    expected = set(server.items)
    expected |= {server.add_comment()["node_id"] for _ in range(130)}
    expected |= {server.add_discussion()["id"] for _ in range(70)}
    found: dict[str, Mention] = {}
    cursor: Any = None
    for _ in range(10):
        for page in islice(server.source().pages(server.query, cursor), cut):
            found |= read([page])
            cursor = json.loads(json.dumps(page.cursor))
    assert set(found) == expected


def test_a_change_in_a_repository_is_heard(tmp_path: Path) -> None:
    server = own(tmp_path, 3)
    pages = list(server.source().pages(server.query, None))
    server.edit("I_1", "Lumbre: corregido")
    server.discussions.append({**server.add_discussion(), "id": "D_nueva", "updatedAt": text_of(NOW)})
    found = read(list(server.source().pages(server.query, pages[-1].cursor)))
    assert found["I_1"].text == "Lumbre: corregido"
    assert "D_nueva" in found


def test_a_long_reading_of_a_repository_goes_on_where_it_stopped(tmp_path: Path) -> None:
    server = own(tmp_path, 2100)
    pages = list(server.source().pages(server.query, None))
    assert pages[-1].more
    rest = list(server.source().pages(server.query, pages[-1].cursor))
    assert set(read(pages)) | set(read(rest)) == set(server.items)


@pytest.mark.parametrize(
    ("status", "headers", "body", "after"),
    [
        (403, {"retry-after": "30"}, {"message": "secondary"}, 30),
        (429, {"retry-after": "31"}, {}, 31),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 45)}, {}, 45),
        (403, {}, {"message": "You have exceeded a secondary rate limit."}, 60),
    ],
)
def test_limits_are_obeyed_however_they_are_told(
    status: int, headers: dict[str, str], body: dict[str, str], after: float
) -> None:
    with pytest.raises(TryLater, match="slow down") as caught:
        list(asked_of(httpx.Response(status, headers=headers, json=body)).pages(Query(text="lumbre"), None))
    assert caught.value.after == after


def test_the_recorded_warning_of_abuse_is_a_limit(shared: Path) -> None:
    body = (shared / "upstream/github/recorded/perceval-abuse-rate-limit.json").read_text("utf-8")
    with pytest.raises(TryLater, match="slow down"):
        list(asked_of(httpx.Response(403, text=body)).pages(Query(text="lumbre"), None))


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [
        (401, "lumbre", "did not accept our token"),
        (403, REPO, "Give the token access"),
        (404, REPO, "no such repository"),
        (410, REPO, "switched off"),
        (422, "repo:nadie/nada lumbre", "did not understand the search"),
    ],
)
def test_each_refusal_says_what_to_do(status: int, text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        list(asked_of(httpx.Response(status, json={"message": "x"}), token=SECRET).pages(Query(text=text), None))


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("RATE_LIMITED", TryLater, "slow down"),
        ("NOT_FOUND", Refused, "no such repository"),
        ("FORBIDDEN", Refused, "Give the token access"),
        ("SOMETHING", TryLater, "could not answer"),
    ],
)
def test_errors_of_discussions_come_with_status_200(kind: str, error: type[Exception], words: str) -> None:
    told = httpx.Response(200, json={"data": {"repository": None}, "errors": [{"type": kind, "message": "x"}]})
    empty = [httpx.Response(200, json=[]), httpx.Response(200, json=[])]
    with pytest.raises(error, match=words):
        list(asked_of(*empty, told, token=SECRET).pages(Query(text=REPO), None))


def test_a_deleted_issue_and_a_deleted_comment_are_gone(tmp_path: Path) -> None:
    server = own(tmp_path, 3)
    server.add_comment()
    found = read(list(server.source().pages(server.query, None)))
    server.delete("I_2")
    server.comments.clear()
    assert server.source().recheck(list(found.values())).gone == {"I_2", "IC_4"}


def test_in_a_repository_that_we_cannot_see_any_more_nothing_is_concluded(tmp_path: Path) -> None:
    server = own(tmp_path, 1)
    mentions = list(read(list(server.source().pages(server.query, None))).values())
    assert asked_of(missing(), missing()).recheck(mentions).gone == frozenset()


def test_a_limit_while_asking_again_deletes_nothing(tmp_path: Path) -> None:
    mentions = [to_mention(github(tmp_path, 1).issues[0])]
    with pytest.raises(TryLater):
        asked_of(httpx.Response(403, headers={"retry-after": "9"})).recheck(mentions)


def test_followers_come_with_the_account(tmp_path: Path) -> None:
    server = github(tmp_path, 1)
    author = to_mention(server.issues[0]).author
    assert author is not None
    (told,) = server.source().authors([author])
    assert (told.id, told.followers, told.name) == ("7", 321, "Lupe")


def test_an_account_that_is_gone_or_has_a_new_owner_is_not_told(tmp_path: Path) -> None:
    author = to_mention(github(tmp_path, 1).issues[0]).author
    assert author is not None
    other = httpx.Response(200, json={"id": 8, "login": "lupe", "followers": 5})
    assert list(asked_of(missing(), other).authors([author, author])) == []


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (' "cafés lumbre" ', '"cafés lumbre"'),
        ("repo:lumbre/app frío", "repo:lumbre/app frío"),
        ("lumbre/lumbre-app", Repo(owner="lumbre", name="lumbre-app")),
        ("https://github.com/lumbre/lumbre.app.git", Repo(owner="lumbre", name="lumbre.app")),
    ],
)
def test_a_query_is_words_or_a_repository(text: str, asked: Any) -> None:
    assert read_query(text) == asked


@pytest.mark.parametrize("text", ["", "  ", "lumbre created:>2026-01-01", "lumbre is:pr", "lumbre in:body", "x" * 157])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match=r"owner/name"):
        read_query(text)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://github.com/a/b.c/issues/5", "/repos/a/b.c/issues/5"),
        ("https://github.com/a/b/issues/5#issuecomment-77", "/repos/a/b/issues/comments/77"),
        ("https://github.com/a/b/discussions/5", None),
        ("", None),
    ],
)
def test_an_item_is_asked_for_where_the_api_has_it(url: str, path: str | None) -> None:
    assert api_path(url) == path


def test_a_recorded_comment_is_mapped_whole(shared: Path) -> None:
    (comment,) = json.loads((shared / "upstream/github/recorded/perceval-issue-comments-1.json").read_text("utf-8"))
    mention = to_mention(comment)
    assert (mention.source_id, mention.kind, mention.text) == ("1", "comment", "My first comment")
    assert mention.engagement.likes == 3
    assert mention.edited_at == datetime(2017, 11, 26, 11, 34, 39, tzinfo=UTC)


def test_the_recorded_pull_request_is_left_out(shared: Path) -> None:
    (issue,) = json.loads((shared / "upstream/github/recorded/perceval-issues-1.json").read_text("utf-8"))
    assert read_issue(issue) is None
