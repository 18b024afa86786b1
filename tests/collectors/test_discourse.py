"""A forum's posts are found by its search or read all together, in their authors' own words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.discourse import DiscourseSource, own_words, read_post, read_query, to_mention
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from tests.collectors.fakes import CLOCK, NOW, SECRET, WEB, wire
from tests.collectors.fakes.discourse import DiscourseUpstream

BASE = "https://foro.example"


@pytest.fixture
def forum(tmp_path: Path) -> DiscourseUpstream:
    return DiscourseUpstream(tmp_path)


@pytest.fixture
def whole(forum: DiscourseUpstream) -> DiscourseUpstream:
    """A forum of which every post is read."""
    forum.query = Query(text="@foro.example")
    return forum


def read(forum: DiscourseUpstream, cursor: Any = None) -> list[Any]:
    return [mention for page in forum.source().pages(forum.query, cursor) for mention in page.mentions]


def ids(mentions: list[Any]) -> set[str]:
    return {mention.source_id for mention in mentions}


def answering(answer: httpx.Response) -> DiscourseSource:
    return DiscourseSource(web=WEB, keys={}, transport=httpx.MockTransport(lambda _: wire(answer)), clock=CLOCK)


def test_a_recorded_post_is_mapped_as_the_fact_sheet_says(shared: Path) -> None:
    path = shared / "upstream/discourse/recorded/perceval-discourse_topic_1149.json"
    post = json.loads(path.read_text("utf-8"))["post_stream"]["posts"][0]
    mention = to_mention({**post, "topic_title": "[Support] uBlock Origin"}, BASE)
    assert mention.source_id == "foro.example:18952"
    assert mention.url == "https://foro.example/t/support-ublock-origin/1149/1"
    assert (mention.title, mention.kind, mention.parent_id) == ("[Support] uBlock Origin", "post", None)
    assert mention.text == "This is the new support and feedback thread for uBlock Origin"
    assert mention.created_at == datetime(2016, 1, 26, 20, 7, 49, 559000, tzinfo=UTC)
    assert mention.edited_at is None
    assert mention.author is not None
    assert (mention.author.handle, mention.author.name, mention.author.id) == (
        "gorhill", "Raymond Hill", "foro.example:2544",
    )  # fmt: skip
    engagement = mention.engagement
    assert (engagement.likes, engagement.comments, engagement.views, engagement.shares) == (6, 0, 109, None)


def test_a_recorded_answer_tells_its_edit_and_what_it_answers(shared: Path) -> None:
    path = shared / "upstream/discourse/recorded/perceval-discourse_topic_1149.json"
    post = json.loads(path.read_text("utf-8"))["post_stream"]["posts"][1]
    mention = to_mention({**post, "topic_title": "[Support] uBlock Origin"}, BASE)
    assert (mention.kind, mention.title, mention.parent_id) == ("comment", None, "foro.example:t/1149/1")
    assert mention.edited_at == datetime(2016, 2, 1, 15, 2, 1, 162000, tzinfo=UTC)
    assert mention.engagement.likes == 0
    assert "800x620" not in mention.text


def test_what_others_said_is_not_put_in_an_authors_mouth() -> None:
    cooked = (
        '<aside class="quote no-group" data-username="leo"><div class="title">leo:</div>'
        "<blockquote><p>Lumbre es horrible</p></blockquote></aside><p>No es así.</p>"
        '<aside class="onebox"><h3>Otra página</h3></aside>'
    )
    assert own_words(cooked) == "No es así."
    assert own_words("sin marcas &amp; nada") == "sin marcas & nada"


@pytest.mark.parametrize(
    "change",
    [{"deleted_at": "2026-11-22T00:00:00Z"}, {"user_deleted": True}, {"hidden": True}, {"post_type": 3},
     {"user_id": -1}],
)  # fmt: skip
def test_what_is_gone_or_said_by_the_forum_itself_is_left_out(forum: DiscourseUpstream, change: Any) -> None:
    forum.put(**change)
    assert read_post(forum.posts[0], BASE) is None


def test_a_search_asks_by_day_and_fetches_each_find_once(forum: DiscourseUpstream) -> None:
    forum.add(120)
    read(forum)
    searches = [request for request in forum.requests if request.url.path == "/search.json"]
    assert searches[0].url.params["q"] == "lumbre after:2026-10-23 order:latest"
    assert len(forum.requests) - len(searches) == 120


def test_what_an_earlier_run_has_read_is_not_fetched_again(forum: DiscourseUpstream) -> None:
    forum.add(120)
    forum.put(created_at="2026-11-22T11:00:00.000Z")
    *_, page = forum.source().pages(forum.query, None)
    forum.requests.clear()
    read(forum, page.cursor)
    assert [request.url.path for request in forum.requests if "posts" in request.url.path] == ["/posts/1121.json"]


def test_a_find_that_is_gone_when_it_is_fetched_is_left_out(forum: DiscourseUpstream) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        gone = request.url.path == "/posts/1001.json"
        return wire(httpx.Response(410, json={"errors": ["x"]}) if gone else forum.answer(request))

    forum.add(2)
    source = DiscourseSource(web=WEB, keys={}, transport=httpx.MockTransport(answer), clock=CLOCK)
    (page,) = source.pages(forum.query, None)
    assert (ids(list(page.mentions)), page.refusals) == ({forum.items[1]}, ())


def test_a_search_shows_of_a_topic_the_newest_find_and_reading_every_post_shows_all(forum: DiscourseUpstream) -> None:
    first = forum.put()
    forum.put(topic=1001)
    newest = forum.put(topic=1001)
    assert ids(read(forum)) == {newest}
    forum.query = Query(text="@foro.example", terms=("lumbre",))
    assert ids(read(forum)) == {*forum.items} > {first}


def test_a_search_that_shows_no_more_does_not_claim_to_have_read_all(forum: DiscourseUpstream) -> None:
    forum.add(520)
    *_, last = forum.source().pages(forum.query, None)
    assert last.covers is not None
    assert last.covers.start == forum.start + 21 * forum.spacing


def test_every_post_is_read_wherever_a_run_is_cut(whole: DiscourseUpstream) -> None:
    whole.add(130)
    whole.add(120, together=True)
    found: set[str] = set()
    cursor = None
    for _ in range(12):
        page = next(iter(whole.source().pages(whole.query, cursor)))
        found |= ids(list(page.mentions))
        cursor = json.loads(json.dumps(page.cursor))
    whole.add(3)
    assert found | ids(read(whole, cursor)) == set(whole.items)


def test_posts_that_are_not_public_are_stepped_over(whole: DiscourseUpstream) -> None:
    whole.add(60)
    whole.last += 130
    whole.add(1)
    assert ids(read(whole)) == set(whole.items)


def test_every_post_is_chosen_by_the_terms(whole: DiscourseUpstream) -> None:
    whole.put(cooked="<p>Otra cosa</p>")
    kept = whole.put()
    whole.query = replace(whole.query, terms=("lumbre",))
    assert ids(read(whole)) == {kept}


def test_a_forum_that_is_too_busy_is_asked_later(forum: DiscourseUpstream) -> None:
    forum.busy = True
    with pytest.raises(TryLater, match="too busy"):
        read(forum)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(200, text="<html>"), "does not answer as a Discourse forum"),
        (httpx.Response(404, text="<html>"), "does not answer as a Discourse forum"),
        (httpx.Response(403, json={"errors": ["x"], "error_type": "not_logged_in"}), "shows nothing to strangers"),
        (httpx.Response(400, json={"errors": ["q"], "error_type": "invalid_parameters"}), "three letters"),
    ],
)
def test_what_keeps_us_out_says_what_to_do(answer: httpx.Response, said: str) -> None:
    with pytest.raises(Refused, match=said):
        list(answering(answer).pages(Query(text="lumbre@foro.example"), None))


def test_a_limit_says_how_long_to_wait() -> None:
    body = {"errors": ["x"], "error_type": "rate_limit", "extras": {"wait_seconds": 17}}
    source = answering(httpx.Response(429, json=body))
    with pytest.raises(TryLater) as caught:
        list(source.pages(Query(text="lumbre@limite.example"), None))
    assert caught.value.after == 17


def test_a_key_goes_to_its_own_forum_alone(forum: DiscourseUpstream) -> None:
    read(forum)
    forum.query = Query(text="lumbre@otro.example")
    read(forum)
    sent = {request.url.host: request.headers.get("api-key") for request in forum.requests}
    assert sent == {"foro.example": SECRET, "otro.example": None}
    assert forum.requests[0].headers["api-username"] == "ana"


def test_a_second_look_tells_what_is_gone_and_what_changed(forum: DiscourseUpstream) -> None:
    forum.add(4)
    mentions = read(forum)
    erased, withdrawn, changed, _ = list(forum.items)
    forum.post(withdrawn)["user_deleted"] = True
    forum.edit(changed, "Lumbre, corregido")
    forum.delete(erased)
    checked = forum.source().recheck(mentions)
    assert checked.gone == {erased, withdrawn}
    fresh = {mention.source_id: mention for mention in checked.fresh}
    assert (fresh[changed].text, fresh[changed].title) == ("Lumbre, corregido", "Café")
    assert fresh[changed].edited_at == datetime(2026, 11, 22, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(404, text="<html>parked"), httpx.Response(429), httpx.Response(200, json={"id": 1}),
     httpx.Response(403, json={"errors": ["x"], "error_type": "invalid_access"})],
)  # fmt: skip
def test_a_forum_that_fails_deletes_nothing(forum: DiscourseUpstream, answer: httpx.Response) -> None:
    forum.add(1)
    (mention,) = read(forum)
    assert answering(answer).recheck([mention, replace(mention, raw=None)]).gone == frozenset()


def test_a_post_that_was_closed_to_us_is_no_deletion_and_keeps_no_other_from_being_asked(
    forum: DiscourseUpstream,
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        closed = request.url.path == "/posts/1002.json"
        refusal = httpx.Response(403, json={"errors": ["x"], "error_type": "invalid_access"})
        return wire(refusal if closed else forum.answer(request))

    forum.add(2)
    mentions = sorted(read(forum), key=lambda mention: mention.source_id, reverse=True)
    forum.delete(forum.items[0])
    source = DiscourseSource(web=WEB, keys={}, transport=httpx.MockTransport(answer), clock=CLOCK)
    assert source.recheck(mentions).gone == {"foro.example:1001"}


def test_a_backfill_goes_as_far_back_as_it_is_told(forum: DiscourseUpstream) -> None:
    old = forum.put(created_at="2026-01-02T00:00:00.000Z")
    assert old not in ids(read(forum))
    forum.query = replace(forum.query, since=NOW - timedelta(days=365))
    assert old in ids(read(forum))


def test_a_query_is_words_and_a_forum() -> None:
    assert read_query(" cafés  lumbre @ foro.example/ ").words == "cafés lumbre"
    assert read_query("@example.com/foro").base == "https://example.com/foro"
    assert read_query("ana@lumbre@http://127.0.0.1:80").words == "ana@lumbre"


@pytest.mark.parametrize("text", ["", "lumbre", "lumbre@", "@", "lumbre@a b", "lumbre@foro.example?x=1"])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match=r"cafés lumbre@foro\.example\.com"):
        read_query(text)
