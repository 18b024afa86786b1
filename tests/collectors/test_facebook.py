"""Facebook: what stands on one's own Page is mapped as the recordings show it; withdrawn recommendations are said."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.facebook import FacebookSource, read_query, to_mention
from escucha.brand import Query
from escucha.errors import Refused
from escucha.mention import Mention
from tests.collectors.fakes import CLOCK, SECRET, WEB, wire
from tests.collectors.fakes.facebook import PAGE, FacebookUpstream
from tests.collectors.test_contract import Store

AT = "2026-11-20T15:00:00+0000"


def source(*answers: httpx.Response) -> FacebookSource:
    left = iter(answers)
    return FacebookSource(
        web=WEB, keys={"access_token": SECRET, "page_id": PAGE}, clock=CLOCK,
        transport=httpx.MockTransport(lambda request: wire(next(left))),
    )


def mentions(pages: Any) -> list[Mention]:
    return [mention for page in pages for mention in page.mentions]


def recorded(shared: Path, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((shared / "upstream/facebook/recorded" / name).read_text("utf-8"))
    return told


def test_a_recorded_comment_is_mapped(shared: Path) -> None:
    mention = to_mention(recorded(shared, "comments-comment_info.json"))
    assert (mention.source_id, mention.kind) == ("10158371815748553_10158371930463553", "comment")
    assert mention.text == "This is really nice"
    assert mention.url == (
        "https://www.facebook.com/19292868552/posts/10158371815748553/?comment_id=10158371930463553"
    )
    assert mention.created_at == datetime(2021, 7, 21, 21, 5, 14, tzinfo=UTC)
    assert (mention.engagement.likes, mention.engagement.comments, mention.engagement.shares) == (0, 0, None)
    assert mention.author is None


def test_a_recorded_post_is_mapped(shared: Path) -> None:
    mention = to_mention(recorded(shared, "posts-single_post_data.json"))
    assert (mention.source_id, mention.kind, mention.parent_id) == ("175154750010052_424924701699721", "post", None)
    assert mention.text == "我测试一下 MyLife"
    assert (mention.engagement.likes, mention.engagement.comments, mention.engagement.shares) == (1, 0, None)


def test_a_person_is_an_id_of_this_page_and_perhaps_a_name() -> None:
    comment = {"id": "42_7", "message": "Hola", "created_time": AT, "comment_count": 0}
    named = to_mention({**comment, "from": {"id": "31", "name": "Ana Pruebas"}}).author
    nameless = to_mention({**comment, "from": {"id": "31"}}).author
    assert named is not None
    assert nameless is not None
    assert (named.id, named.handle, named.followers) == ("31", "Ana Pruebas", None)
    assert (nameless.handle, nameless.name) == ("31", None)


@pytest.mark.parametrize(("said", "stars"), [("positive", 5), ("negative", 1)])
def test_a_recommendation_counts_as_five_or_one(said: str, stars: int) -> None:
    review = {"created_time": AT, "recommendation_type": said, "review_text": "Muy rico", "reviewer": {"id": "31"},
              "open_graph_story": {"id": "900"}}
    mention = to_mention(review)
    assert (mention.kind, mention.source_id, mention.rating, mention.text) == ("review", "900", stars, "Muy rico")


def test_a_recommendation_without_words_is_a_rating_and_without_a_story_has_its_authors_id() -> None:
    answer = {"data": [{"created_time": AT, "recommendation_type": "negative", "reviewer": {"id": "31"}}]}
    (mention,) = mentions(source(httpx.Response(200, json=answer)).pages(Query(text="reviews"), None))
    assert (mention.source_id, mention.rating, mention.text) == (f"31:{AT}", 1, "")


def test_withdrawn_recommendations_are_said_clearly(shared: Path) -> None:
    told = json.loads((shared / "upstream/facebook/handmade/ratings-removed.json").read_text("utf-8"))
    with pytest.raises(Refused, match="Facebook does not give this out any more"):
        list(source(httpx.Response(400, json=told)).pages(Query(text="reviews"), None))


@pytest.mark.parametrize("name", ["error.json", "base-error_data.json"])
def test_recorded_errors_ask_a_person(shared: Path, name: str) -> None:
    told = recorded(shared, name)
    with pytest.raises(Refused, match="code 100"):
        list(source(httpx.Response(400, json=told)).pages(Query(text="comments"), None))


def test_visitors_posts_are_read_and_the_pages_own_words_left_out() -> None:
    own = {"id": f"{PAGE}_1", "message": "Novedades", "created_time": AT, "from": {"id": PAGE, "name": "Lumbre"}}
    answer = {"id": "1_8", "message": "¡Gracias!", "created_time": AT, "from": {"id": PAGE}, "comment_count": 0}
    reply = {"id": "1_9", "message": "De nada", "created_time": AT, "comment_count": 0, "parent": {"id": "1_8"}}
    sticker = {"id": "1_10", "message": "", "created_time": AT, "comment_count": 0}
    comments = {"data": [answer, reply, sticker], "summary": {"total_count": 3},
                "paging": {"cursors": {"after": "B"}, "previous": f"https://x?access_token={SECRET}"}}
    visit = {"id": f"{PAGE}_2", "message": "¿Abren hoy?", "created_time": AT, "shares": {"count": 2},
             "reactions": {"data": [], "summary": {"total_count": 6}}, "comments": comments}
    (page,) = source(httpx.Response(200, json={"data": [own, visit]})).pages(Query(text="comments"), None)
    assert [(m.source_id, m.kind, m.parent_id) for m in page.mentions] == [
        (f"{PAGE}_2", "post", None), ("1_9", "comment", "1_8"),
    ]
    assert page.passed == 3
    post = page.mentions[0]
    assert (post.engagement.likes, post.engagement.comments, post.engagement.shares) == (6, 3, 2)
    assert post.raw is not None
    assert post.raw["comments"] == {"summary": {"total_count": 3}}


@pytest.mark.parametrize("text", ["tagged", "reviews"])
def test_tags_and_recommendations_are_read_whole_and_go_on(tmp_path: Path, text: str) -> None:
    server, store = FacebookUpstream(tmp_path), Store()
    server.query = Query(text=text)
    server.add(130)
    store.run(server, pages=1)
    server.add(4)
    store.run(server)
    server.add(3)
    store.run(server)
    assert server.ids_of(store.mentions) == set(server.items)
    assert store.refusals == []


def test_what_stands_elsewhere_is_not_asked_for_again(tmp_path: Path) -> None:
    server, store = FacebookUpstream(tmp_path), Store()
    server.query = Query(text="tagged")
    server.add(3)
    store.run(server)
    server.requests.clear()
    server.delete(server.items[0])
    assert server.source().recheck(store.mentions).gone == frozenset()
    assert server.requests == []


@pytest.mark.parametrize("text", ["", "cafés lumbre", "#lumbre", "posts", "comments tagged"])
def test_any_other_query_says_what_can_be_read(text: str) -> None:
    with pytest.raises(Refused, match="comments, tagged or reviews"):
        read_query(text)


def test_a_page_is_a_number(tmp_path: Path) -> None:
    server = FacebookUpstream(tmp_path)
    server.keys["page_id"] = "cafeslumbre/../me"
    with pytest.raises(Refused, match="page_id"):
        list(server.source().pages(server.query, None))
    assert server.requests == []
