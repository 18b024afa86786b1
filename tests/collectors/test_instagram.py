"""Instagram: tags, comments and hashtags are mapped as the recordings show them, and limits are kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.instagram import HASHTAGS, InstagramSource, read, read_query, to_mention
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.mention import Author, Mention
from tests.collectors.fakes import CLOCK, NOW, SECRET, WEB, wire
from tests.collectors.fakes.instagram import ACCOUNT, HASHTAG, NAME, InstagramUpstream
from tests.collectors.test_contract import Store

MEDIA = {"id": "17990", "permalink": "https://www.instagram.com/p/P0/", "username": NAME}
COMMENT = {
    "id": "17850", "text": "El café llegó frío ☕", "timestamp": "2026-11-20T15:00:00+0000", "username": "ana.lopez",
    "like_count": 4, "media": MEDIA,
}  # fmt: skip


def watching(folder: Path, text: str) -> InstagramUpstream:
    server = InstagramUpstream(folder)
    server.query = Query(text=text)
    return server


def source(*answers: Any) -> InstagramSource:
    left = iter(answers)
    return InstagramSource(
        web=WEB, keys={"access_token": SECRET, "account_id": ACCOUNT}, clock=CLOCK,
        transport=httpx.MockTransport(lambda request: wire(httpx.Response(200, json=next(left)))),
    )


def mentions(pages: Any) -> list[Mention]:
    return [mention for page in pages for mention in page.mentions]


def test_a_comment_is_mapped_as_the_fact_sheet_says() -> None:
    mention = to_mention(COMMENT)
    assert (mention.source, mention.source_id, mention.kind) == ("instagram", "17850", "comment")
    assert (mention.text, mention.url, mention.parent_id) == (
        "El café llegó frío ☕", "https://www.instagram.com/p/P0/", "17990",
    )
    assert mention.created_at == datetime(2026, 11, 20, 15, tzinfo=UTC)
    assert mention.author == Author(id="ana.lopez", handle="ana.lopez", url="https://www.instagram.com/ana.lopez/")
    assert (mention.engagement.likes, mention.engagement.comments) == (4, None)


def test_a_recorded_tag_is_mapped(shared: Path) -> None:
    told = json.loads((shared / "upstream/instagram/recorded/users-tagged_medias.json").read_text("utf-8"))
    mention = to_mention(told["data"][2])
    assert (mention.source_id, mention.kind) == ("17846368219941692", "post")
    assert mention.text == "Cute.. #cute #loveyou  @ikroskun"
    assert mention.url == "https://www.instagram.com/p/B8gQCApHMT-/"
    assert mention.created_at == datetime(2020, 2, 13, 10, 35, 40, tzinfo=UTC)
    assert (mention.engagement.likes, mention.engagement.comments) == (3, 6)
    assert mention.author is None


def test_a_recorded_comment_that_mentions_an_account_is_mapped(shared: Path) -> None:
    told = json.loads((shared / "upstream/instagram/recorded/users-mentioned_comment.json").read_text("utf-8"))
    mention = to_mention(told["mentioned_comment"])
    assert (mention.kind, mention.text, mention.engagement.likes) == ("comment", "@ikroskun good", 0)
    assert mention.author is not None
    assert mention.author.handle == "ikroskun"


def test_hidden_likes_are_unknown_and_not_none_at_all() -> None:
    assert to_mention({k: v for k, v in COMMENT.items() if k != "like_count"}).engagement.likes is None


def test_the_accounts_own_answers_and_wordless_posts_are_left_out() -> None:
    assert read({**COMMENT, "username": NAME}) is None
    assert read({"id": "1", "timestamp": COMMENT["timestamp"], "media_type": "IMAGE"}) is None
    assert read(COMMENT) is not None


def test_replies_come_with_their_comment_and_name_it_as_what_they_answer() -> None:
    reply = {"id": "17852", "text": "A mí también, Lumbre", "timestamp": "2026-11-20T16:00:00+0000", "username": "beto"}
    own = {**reply, "id": "17853", "username": NAME}
    comment = {**{k: v for k, v in COMMENT.items() if k != "media"}, "replies": {"data": [reply, own]}}
    post = {**MEDIA, "timestamp": "2026-11-20T14:00:00+0000", "comments": {"data": [comment]}}
    (page,) = source({"data": [post]}).pages(Query(text="comments"), None)
    assert [(m.source_id, m.parent_id) for m in page.mentions] == [("17850", "17990"), ("17852", "17850")]
    assert page.passed == 1
    assert page.mentions[0].raw == COMMENT


@pytest.mark.parametrize("text", ["tags", "#cafelumbre"])
def test_tags_and_hashtags_are_read_whole_and_go_on(tmp_path: Path, text: str) -> None:
    server, store = watching(tmp_path, text), Store()
    server.add(130)
    store.run(server, pages=2)
    server.add(4)
    store.run(server)
    server.add(3)
    store.run(server)
    assert server.ids_of(store.mentions) == set(server.items)
    assert store.refusals == []


def test_under_a_hashtag_one_cursor_leads_from_page_to_page(tmp_path: Path) -> None:
    server = watching(tmp_path, "#cafelumbre")
    server.add(130)
    pages = list(server.source().pages(server.query, None))
    shown = [request for request in server.requests if request.url.path.endswith(f"{HASHTAG}/recent_media")]
    assert [request.url.params.get("after") for request in shown] == [None, "QVFIigual", "QVFIigual"]
    assert all(request.url.params["user_id"] == ACCOUNT for request in shown)
    assert {mention.author for mention in mentions(pages)} == {None}


def test_a_hashtag_out_of_order_is_read_to_its_end(tmp_path: Path) -> None:
    server = watching(tmp_path, "#cafelumbre")
    server.add(130)
    mixed = sorted(server.objects.values(), key=lambda media: media["id"][::-1])
    server.objects = {media["id"]: media for media in mixed}
    store = Store()
    store.run(server)
    assert server.ids_of(store.mentions) == set(server.items)


def test_a_hashtag_page_that_repeats_itself_ends_the_reading(tmp_path: Path) -> None:
    media = {"id": "1", "caption": "Café", "timestamp": "2026-11-22T11:00:00+0000"}
    same = {"data": [media], "paging": {"cursors": {"after": "A"}, "next": "https://x"}}
    assert len(list(source({"data": [{"id": HASHTAG}]}, same, same).pages(Query(text="#cafe"), None))) == 2


def test_a_hashtag_is_looked_up_once_a_week_and_counts_once(tmp_path: Path) -> None:
    server = watching(tmp_path, "#cafelumbre")
    server.add(2)
    *_, page = server.source().pages(server.query, None)
    again = server.source()
    *_, page = again.pages(server.query, page.cursor)
    looked_up = [request for request in server.requests if "ig_hashtag_search" in request.url.path]
    assert len(looked_up) == 1
    late = json.loads(json.dumps({**page.cursor, "asked": (NOW - timedelta(days=8)).isoformat()}))
    list(server.source().pages(server.query, late))
    looked_up = [request for request in server.requests if "ig_hashtag_search" in request.url.path]
    assert len(looked_up) == 2


def test_the_thirty_first_hashtag_of_a_week_waits(tmp_path: Path) -> None:
    server = watching(tmp_path, "#cafelumbre")
    server.source()._web.spend("graph.facebook.com", HASHTAGS.limit, HASHTAGS)
    with pytest.raises(TryLater, match="30 hashtags"):
        list(server.source().pages(server.query, None))
    assert server.requests == []
    list(server.source().pages(Query(text="tags"), None))


def test_a_hashtag_that_nobody_knows_is_said(tmp_path: Path) -> None:
    server = watching(tmp_path, "#nadieloescribe")
    with pytest.raises(Refused, match="#nadieloescribe"):
        list(server.source().pages(server.query, None))


def test_after_more_than_a_day_a_hashtag_covers_only_what_is_shown(tmp_path: Path) -> None:
    server = watching(tmp_path, "#cafelumbre")
    server.add(3)
    *_, page = server.source().pages(server.query, None)
    assert page.cursor is not None
    old = {**page.cursor, "known": (NOW - timedelta(days=5)).isoformat()}
    *_, page = server.source().pages(server.query, old)
    assert page.covers is not None
    assert page.covers.start >= NOW - timedelta(hours=25)
    *_, page = server.source().pages(replace(server.query, since=NOW - timedelta(days=90)), None)
    assert page.covers is not None
    assert page.covers.start >= NOW - timedelta(hours=25)


def test_followers_of_a_professional_account_are_told_and_of_others_unknown(tmp_path: Path) -> None:
    server = InstagramUpstream(tmp_path)
    ana, beto = Author(id="ana", handle="ana"), Author(id="beto", handle="beto")
    asked = list(server.source().authors([ana, beto, Author(id="x", handle="no es){username}")]))
    assert [(author.handle, author.followers) for author in asked] == [("ana", 4200), ("beto", None)]
    assert asked[0].name == "Ana"


def test_a_dead_key_is_no_unknown_account(tmp_path: Path) -> None:
    server = InstagramUpstream(tmp_path)
    server.error = (190, 463)
    with pytest.raises(Refused):
        list(server.source().authors([Author(id="ana", handle="ana")]))


def test_the_recorded_account_is_read_as_followers(shared: Path) -> None:
    told = json.loads((shared / "upstream/instagram/recorded/discovery-user_fields.json").read_text("utf-8"))
    (author,) = source(told).authors([Author(id="f", handle="facebookfordevelopers")])
    assert (author.followers, author.name) == (64976, "Facebook for Developers")


def test_posts_of_others_are_not_asked_for_again(tmp_path: Path) -> None:
    server = watching(tmp_path, "tags")
    server.add(3)
    kept = mentions(server.source().pages(server.query, None))
    server.requests.clear()
    server.delete(server.items[0])
    checked = server.source().recheck(kept)
    assert (checked.gone, checked.fresh) == (frozenset(), ())
    assert [request.url.params["fields"] for request in server.requests] == ["username"]


def test_comments_of_another_account_are_not_judged_with_this_ones_key(tmp_path: Path) -> None:
    server = InstagramUpstream(tmp_path)
    server.add(3)
    kept = mentions(server.source().pages(server.query, None))
    theirs = {**COMMENT, "media": {**MEDIA, "username": "otra"}}
    other = [replace(mention, source_id=f"9{mention.source_id}", raw=theirs) for mention in kept]
    assert server.source().recheck([*kept, *other]).gone == frozenset()


@pytest.mark.parametrize(("text", "what"), [
    ("tags", "tags"), (" Comments ", "comments"), ("#CafeLumbre", "#cafelumbre"), ("#café", "#café"), ("#ñam", "#ñam"),
])
def test_a_query_names_tags_comments_or_a_hashtag(text: str, what: str) -> None:
    assert read_query(text) == what


@pytest.mark.parametrize("text", ["", "#", "cafelumbre", "#cafe lumbre", "#cafe☕", "@cafeslumbre", "#a,#b"])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match="#cafelumbre"):
        read_query(text)


def test_an_account_is_a_number(tmp_path: Path) -> None:
    server = InstagramUpstream(tmp_path)
    server.keys["account_id"] = "cafeslumbre"
    with pytest.raises(Refused, match="account_id"):
        list(server.source().pages(server.query, None))
