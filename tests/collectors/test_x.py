"""X is read for as little money as it can be: every post is counted, nothing is read beyond what may be paid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.clock import Clock
from collectors.x import XSource, read_target
from collectors.x_bill import Bill
from collectors.x_post import moment_of, to_mention, together, versions
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.mention import Author, Mention
from escucha.source import Page
from tests.collectors.fakes import CLOCK, NOW, SECRET, WEB, wire
from tests.collectors.fakes.x import BRAND, XUpstream, problem

KEYS = count()


@pytest.fixture
def upstream(tmp_path: Path) -> XUpstream:
    return XUpstream(tmp_path)


def read(upstream: XUpstream, cursor: Any = None) -> tuple[list[Page], Any]:
    pages = list(upstream.source().pages(upstream.query, cursor))
    return pages, json.loads(json.dumps(pages[-1].cursor))


def mentions(pages: list[Page]) -> list[Mention]:
    return [mention for page in pages for mention in page.mentions]


def answering(*answers: httpx.Response, **keys: str) -> XSource:
    """A source with a token of its own: what one asks for patience about holds for no other."""
    left: Iterator[httpx.Response] = iter(answers)
    transport = httpx.MockTransport(lambda request: wire(next(left)))
    token = f"{SECRET}-{next(KEYS)}"
    return XSource(web=WEB, keys={"bearer_token": token, **keys}, transport=transport, clock=CLOCK)


def post(**change: Any) -> dict[str, Any]:
    told = {"id": "1970000000000000001", "text": "hola", "author_id": "7", "created_at": "2026-11-20T14:00:00.000Z"}
    return {"post": {**told, **change}, "user": {"id": "7", "username": "paulacafe"}}


@pytest.mark.parametrize("names", ["old", "new"])
def test_both_sets_of_names_give_the_same_mention(shared: Path, names: str) -> None:
    file = shared / f"upstream/x/handmade/recent-search-{names}-names.json"
    (item,) = together(json.loads(file.read_text("utf-8")))
    mention = to_mention(item)
    assert mention is not None
    assert replace(mention, raw=None) == Mention(
        source="x", source_id="1970000000000000001", kind="comment", lang="es",
        text="El cold brew de @lumbre salva mis lunes ☕ #café",
        url="https://x.com/paulacafe/status/1970000000000000001",
        created_at=datetime(2026, 10, 1, 14, tzinfo=UTC), parent_id="1969999999999999999",
        author=Author(id="2244", handle="paulacafe", name="Paula Café", url="https://x.com/paulacafe", followers=4120,
                      verified=False),
        engagement=replace(mention.engagement, likes=25, comments=1, shares=3, views=1830),
    )


def test_a_recorded_search_without_fields_takes_times_from_ids(shared: Path) -> None:
    told = json.loads((shared / "upstream/x/recorded/tweepy-search_recent_tweets.json").read_text("utf-8"))
    (first, *_) = together(told["interactions"][0]["response"]["json"])
    mention = to_mention(first)
    assert mention is not None
    assert mention.created_at.isoformat(timespec="seconds") == "2022-10-07T22:42:12+00:00"
    assert (mention.author, mention.engagement.likes) == (None, None)
    assert mention.url == "https://x.com/i/status/1578516068309794817"


def test_a_repost_is_left_out_under_either_name() -> None:
    for kind, name in (("retweeted", "referenced_tweets"), ("reposted", "referenced_posts")):
        assert to_mention(post(**{name: [{"type": kind, "id": "1"}]})) is None
    assert to_mention(post(referenced_tweets=[{"type": "quoted", "id": "1"}])) is not None


def test_a_long_post_is_read_whole_and_unescaped() -> None:
    for name in ("note_tweet", "note_post"):
        mention = to_mention(post(text="Me &lt;3…", **{name: {"text": "Me &lt;3 el café &amp; el pan"}}))
        assert mention is not None
        assert mention.text == "Me <3 el café & el pan"


@pytest.mark.parametrize(("told", "lang"), [("es", "es"), ("und", None), ("qme", None), (None, None), ("PT", "pt")])
def test_a_language_that_x_does_not_know_is_none(told: str | None, lang: str | None) -> None:
    mention = to_mention(post(lang=told))
    assert mention is not None
    assert mention.lang == lang


def test_an_edit_keeps_the_first_identity_and_the_latest_text() -> None:
    first, last = "1970000000000000001", "1970000000900000001"
    mention = to_mention(post(id=last, edit_history_tweet_ids=[last, first], text="corregido"))
    assert mention is not None
    assert (mention.source_id, mention.text, mention.url) == (first, "corregido", f"https://x.com/paulacafe/status/{last}")
    assert (mention.created_at, mention.edited_at) == (moment_of(first), datetime(2026, 11, 20, 14, tzinfo=UTC))
    assert versions({"id": "9", "edit_history_post_ids": ["10", "9"]}) == ["9", "10"]


def test_the_place_and_description_of_people_are_not_asked_for(upstream: XUpstream) -> None:
    upstream.add(1)
    read(upstream)
    asked = upstream.requests[0].url.params
    assert asked["expansions"] == "author_id"
    assert not {"location", "description", "created_at"} & set(asked["user.fields"].split(","))


def test_a_search_leaves_reposts_out_and_reaches_seven_days(upstream: XUpstream) -> None:
    upstream.add(1)
    upstream.query = Query(text='"cafés lumbre" OR @lumbre', since=NOW - timedelta(days=90))
    pages, _ = read(upstream)
    asked = upstream.requests[0].url.params
    assert asked["query"] == '("cafés lumbre" OR @lumbre) -is:retweet'
    assert asked["start_time"] == "2026-11-15T12:05:00Z"
    assert pages[-1].covers is not None
    assert pages[-1].covers.start == NOW - timedelta(days=7, minutes=-5)  # what X hides is not claimed


def test_a_watch_that_rested_for_long_claims_no_more_than_x_shows(upstream: XUpstream) -> None:
    upstream.add(1)
    _, cursor = read(upstream)
    later = Clock(now=lambda: NOW + timedelta(days=30), monotonic=lambda: 0.0, sleep=lambda seconds: None)
    upstream.posts.clear()
    source = XSource(web=upstream.web, keys=upstream.keys, transport=upstream.transport(), clock=later)
    (page,) = source.pages(upstream.query, cursor)
    assert upstream.requests[-1].url.params["start_time"] == "2026-12-15T12:05:00Z"
    assert page.covers is not None
    assert page.covers.start == datetime(2026, 12, 15, 12, 5, tzinfo=UTC)
    assert page.doubt is None


def test_a_poll_asks_again_for_ten_minutes_only(upstream: XUpstream) -> None:
    upstream.add(50)
    pages, cursor = read(upstream)
    upstream.requests.clear()
    pages, _ = read(upstream, cursor)
    start = moment_of(upstream.items[-1]) - timedelta(minutes=10)
    assert upstream.requests[0].url.params["start_time"] == start.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len(mentions(pages)) == 21  # one every half minute


def test_what_a_page_costs_counts_each_post_and_person_once_in_a_run(upstream: XUpstream) -> None:
    upstream.add(150)
    pages, _ = read(upstream)
    assert [round(page.cost, 3) for page in pages] == [0.57, 0.25]  # 100 posts and 7 people, then 50 posts
    assert upstream.sent == 150


@pytest.mark.parametrize("most", [10, 99, 100, 101, 115, 149, 150, 500])
def test_never_more_posts_are_read_than_may_be_paid_for(upstream: XUpstream, most: int) -> None:
    upstream.add(150)
    upstream.query = Query(text="lumbre", most=most)
    pages, problem = [], None
    try:
        for page in upstream.source().pages(upstream.query, None):
            pages.append(page)
    except TryLater as error:
        problem = error
    assert upstream.sent <= most
    assert len(mentions(pages)) == upstream.sent
    assert (problem is None) == (upstream.sent == 150)


def test_what_the_budget_cut_goes_on_where_it_was(upstream: XUpstream) -> None:
    upstream.add(150)
    upstream.query = Query(text="lumbre", most=60)
    found, cursor = set[str](), None
    for _ in range(2):
        pages = upstream.source().pages(upstream.query, cursor)
        page = next(pages)
        found, cursor = found | {m.source_id for m in page.mentions}, json.loads(json.dumps(page.cursor))
        with pytest.raises(TryLater, match="budget for X allows 0 more"):
            next(pages)
    rest, _ = read(upstream, cursor)
    assert found | {mention.source_id for mention in mentions(rest)} == set(upstream.items)


@pytest.mark.parametrize(("text", "most"), [("lumbre", 9), ("lumbre", 0), ("mentions:@lumbre", 10)])
def test_where_less_than_ten_posts_may_be_paid_for_nothing_is_asked(upstream: XUpstream, text: str, most: int) -> None:
    upstream.add(3)
    upstream.query = Query(text=text, most=most)
    with pytest.raises(TryLater, match=f"allows {most} more posts") as caught:
        read(upstream)
    assert upstream.requests == []
    assert caught.value.after == (datetime(2026, 12, 1, tzinfo=UTC) - NOW).total_seconds()


def test_a_budget_in_december_waits_for_january() -> None:
    with pytest.raises(TryLater) as caught:
        Bill(left=3).size(datetime(2026, 12, 31, 23, tzinfo=UTC))
    assert caught.value.after == 3600


@pytest.mark.parametrize(("own", "cost"), [("@Lumbre", 0.01 + 3 * 0.001 + 3 * 0.01), ("", 0.01 + 3 * 0.005 + 3 * 0.01)])
def test_mentions_of_the_apps_own_account_cost_less(upstream: XUpstream, own: str, cost: float) -> None:
    upstream.add(3)
    upstream.keys["own_handle"] = own
    upstream.query = Query(text="mentions:@lumbre")
    pages, cursor = read(upstream)
    assert round(sum(page.cost for page in pages), 4) == round(cost, 4)
    assert upstream.requests[-1].url.path == f"/2/users/{BRAND}/mentions"
    upstream.requests.clear()
    upstream.add(1)
    pages, _ = read(upstream, cursor)
    assert [request.url.path for request in upstream.requests] == [f"/2/users/{BRAND}/mentions"]
    assert upstream.items[-1] in {mention.source_id for mention in mentions(pages)}


def test_mentions_are_paged_and_may_lie_further_back_than_a_search(upstream: XUpstream) -> None:
    upstream.add(130)
    upstream.query = Query(text="mentions:lumbre", since=NOW - timedelta(days=30))
    pages, _ = read(upstream)
    assert {mention.source_id for mention in mentions(pages)} == set(upstream.items)
    first, second = upstream.requests[-2:]
    assert first.url.params["start_time"] == "2026-10-23T12:00:00Z"
    assert "pagination_token" in second.url.params


def test_an_account_that_is_not_there_needs_a_person(upstream: XUpstream) -> None:
    upstream.query = Query(text="mentions:@nadie")
    with pytest.raises(Refused, match="no account named @nadie"):
        read(upstream)


def test_the_new_names_are_tried_after_a_400_and_kept(upstream: XUpstream) -> None:
    upstream.add(120)
    upstream.names = "post"
    pages, cursor = read(upstream)
    assert len(mentions(pages)) == 120
    assert mentions(pages)[0].engagement.shares == 3
    assert [("tweet.fields" in r.url.params) for r in upstream.requests] == [True, False, False]
    upstream.requests.clear()
    read(upstream, cursor)
    assert all("post.fields" in request.url.params for request in upstream.requests)


def test_a_query_that_x_does_not_understand_is_told_once(upstream: XUpstream) -> None:
    upstream.names = "neither"
    with pytest.raises(Refused, match="does not understand this query"):
        read(upstream)
    assert len(upstream.requests) == 2


def test_a_token_that_a_later_run_cannot_use_begins_from_the_top(upstream: XUpstream) -> None:
    upstream.add(150)
    page = next(upstream.source().pages(upstream.query, None))
    refused = [problem(400, "invalid-request")] * 2
    last = {"data": upstream.posts[:1], "meta": {"result_count": 1}}
    nothing = {"meta": {"result_count": 0}}
    answers = [*refused, httpx.Response(200, json=last), httpx.Response(200, json=nothing)]
    first, *_ = answering(*answers).pages(upstream.query, page.cursor)
    assert first.covers is not None


def test_partial_errors_leave_the_rest(upstream: XUpstream) -> None:
    upstream.add(2)
    told = {"data": upstream.posts, "meta": {"result_count": 2}, "errors": [{"type": "x/resource-not-found"}]}
    (page,) = answering(httpx.Response(200, json=told)).pages(upstream.query, None)
    assert (len(page.mentions), page.gone) == (2, ())


@pytest.mark.parametrize("told", [{}, {"errors": [{"title": "no"}]}])
def test_an_answer_of_nothing_but_errors_is_no_empty_listing(told: dict[str, Any]) -> None:
    with pytest.raises(TryLater, match="cannot be read"):
        list(answering(httpx.Response(200, json=told)).pages(Query(text="lumbre"), None))


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (problem(402, "https://api.x.com/2/problems/credits-depleted"), Refused, "credits"),
        (httpx.Response(402), Refused, "credits"),
        (problem(429, "https://api.x.com/2/problems/usage-capped"), Refused, "spending limit"),
        (problem(403, "https://api.x.com/2/problems/usage-capped"), Refused, "spending limit"),
        (problem(403, "https://api.x.com/2/problems/client-forbidden"), Refused, "belongs to a project"),
        (problem(401, "about:blank"), Refused, "did not accept our key"),
        (problem(503, "about:blank"), TryLater, "having trouble"),
        (problem(429, "about:blank"), TryLater, "slow down"),
    ],
)
def test_each_error_says_what_to_do(answer: httpx.Response, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        list(answering(answer, answer, answer).pages(Query(text="lumbre"), None))


def test_a_429_waits_until_the_moment_that_x_names(shared: Path) -> None:
    body = json.loads((shared / "upstream/x/handmade/too-many-requests-429.json").read_text("utf-8"))
    headers = {"x-rate-limit-reset": str(int(NOW.timestamp()) + 420), "x-rate-limit-remaining": "0"}
    with pytest.raises(TryLater) as caught:
        list(answering(httpx.Response(429, json=body, headers=headers)).pages(Query(text="lumbre"), None))
    assert caught.value.after == 420


def test_an_estimate_reads_no_post(upstream: XUpstream) -> None:
    upstream.add(40)
    told = upstream.source().estimate(Query(text="lumbre"))
    assert (told.posts, told.least, told.most, told.asking) == (41, 0.205, 0.615, 0.005)
    assert [request.url.path for request in upstream.requests] == ["/2/tweets/counts/recent"]
    assert upstream.sent == 0
    upstream.names = "post"
    assert upstream.source().estimate(Query(text="mentions:@lumbre")).posts == 41
    assert upstream.requests[-1].url.params["query"] == "@lumbre -is:retweet"


def test_a_recorded_count_is_added_up(shared: Path) -> None:
    told = json.loads((shared / "upstream/x/recorded/tweepy-get_recent_tweets_count.json").read_text("utf-8"))
    body = told["interactions"][0]["response"]["json"]
    estimate = answering(httpx.Response(200, json=body)).estimate(Query(text="Tweepy"))
    assert estimate.posts == sum(hour["tweet_count"] for hour in body["data"]) == body["meta"]["total_tweet_count"]


def test_a_recheck_tells_what_is_gone_private_and_edited(upstream: XUpstream) -> None:
    upstream.add(6)
    pages, _ = read(upstream)
    kept = mentions(pages)
    deleted, private, edited = upstream.items[0], upstream.items[1], upstream.items[2]
    upstream.delete(deleted)
    upstream.private.add(private)
    upstream.edit(edited, "Lumbre: corregido")
    upstream.sent = 0
    checked = upstream.source().recheck(kept)
    assert checked.gone == {deleted, private}
    fresh = {mention.source_id: mention for mention in checked.fresh}
    assert set(fresh) == set(upstream.items) - {private}
    assert fresh[edited].text == "Lumbre: corregido"
    before = next(mention for mention in kept if mention.source_id == edited)
    assert fresh[edited].author == before.author
    assert fresh[edited].url != before.url
    assert round(checked.cost, 4) == round(upstream.sent * 0.005, 4) == 0.025
    again = upstream.source().recheck([fresh[edited]])
    assert (again.gone, again.fresh[0].text) == (frozenset(), "Lumbre: corregido")


def test_not_authorized_for_all_is_no_deletion(upstream: XUpstream) -> None:
    upstream.add(3)
    pages, _ = read(upstream)
    upstream.private |= set(upstream.items)
    assert upstream.source().recheck(mentions(pages)).gone == frozenset()


def test_the_token_is_sent_in_a_header_and_never_shown(upstream: XUpstream) -> None:
    upstream.add(1)
    read(upstream)
    assert upstream.requests[0].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in str(upstream.requests[0].url)
    with pytest.raises(Refused, match="bearer_token"):
        XSource(web=WEB, keys={}, clock=CLOCK).pages(upstream.query, None)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (" lumbre lang:es ", "search", "(lumbre lang:es) -is:retweet"),
        ("lumbre -is:retweet", "search", "lumbre -is:retweet"),
        ("mentions:@Lumbre_MX", "mentions", "Lumbre_MX"),
        ("mentions: lumbre", "mentions", "lumbre"),
    ],
)
def test_a_query_is_a_search_or_an_accounts_mentions(text: str, kind: str, value: str) -> None:
    target = read_target(text)
    assert (target.kind, target.value) == (kind, value)


@pytest.mark.parametrize(
    "text", ["", " ", "mentions:", "mentions:@dos nombres", "mentions:@demasiado_largo_x", "x" * 500]
)
def test_any_other_query_shows_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match="mentions:@lumbre"):
        read_target(text)
