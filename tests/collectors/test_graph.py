"""Meta's Graph tells its errors under any status, writes the key into addresses, and hides what it deletes."""

from __future__ import annotations

import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.facebook import FacebookSource, when
from collectors.graph import after, bare, complaint, entries, goes_on, removed, signed
from collectors.http import Answer
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from tests.collectors.fakes import CLOCK, NOW, SECRET, WEB, wire
from tests.collectors.fakes.facebook import PAGE, FacebookUpstream
from tests.collectors.fakes.instagram import InstagramUpstream


def told(code: int, subcode: int | None = None, status: int = 400, **headers: str) -> Answer:
    error = {"message": f"Malformed access token {SECRET}", "code": code, "error_subcode": subcode}
    return Answer(url=f"https://graph.facebook.com/v25.0/x?access_token={SECRET}", status=status,
                  headers=headers, body=json.dumps({"error": error}).encode())


def verdict(answer: Answer) -> Any:
    return complaint(answer, "Instagram", "instagram_basic", NOW)


def page(*answers: httpx.Response) -> FacebookSource:
    left = iter(answers)
    return FacebookSource(
        web=WEB, keys={"access_token": SECRET, "page_id": PAGE}, clock=CLOCK,
        transport=httpx.MockTransport(lambda request: wire(next(left))),
    )


@pytest.mark.parametrize("code", [4, 17, 32, 613, 80002])
def test_codes_of_a_limit_ask_for_patience(code: int) -> None:
    assert isinstance(verdict(told(code)), TryLater)
    assert verdict(told(code)).after is None


def test_patience_lasts_as_long_as_the_usage_header_says_in_minutes() -> None:
    usage = {"178": [{"type": "instagram", "call_count": 100, "estimated_time_to_regain_access": 19},
                     {"type": "pages", "call_count": 3, "estimated_time_to_regain_access": 0}]}
    answer = told(80002, **{"x-business-use-case-usage": json.dumps(usage)})
    assert verdict(answer).after == 19 * 60


@pytest.mark.parametrize("usage", ["", "[]", "{", '{"1": 5}', '{"1": [{"estimated_time_to_regain_access": "bald"}]}'])
def test_a_usage_header_of_another_form_is_left_aside(usage: str) -> None:
    assert verdict(told(4, **{"x-business-use-case-usage": usage, "retry-after": "30"})).after == 30


@pytest.mark.parametrize(("code", "said"), [
    (190, "does not accept the key any more"), (10, "instagram_basic"), (200, "instagram_basic"),
    (283, "instagram_basic"), (12, "does not give this out any more"), (100, "did not accept the request"),
])
def test_other_codes_ask_a_person_and_say_what_to_do(code: int, said: str) -> None:
    error = verdict(told(code))
    assert isinstance(error, Refused)
    assert said in str(error)
    assert SECRET not in str(error) + repr(error.details)


def test_the_hashtag_limit_passes_by_itself_and_stops_no_other_watch() -> None:
    error = verdict(told(24))
    assert isinstance(error, TryLater)
    assert "30" in str(error)
    assert error.after is None


@pytest.mark.parametrize("code", [1, 2])
def test_trouble_on_their_side_passes_by_itself(code: int) -> None:
    assert isinstance(verdict(told(code, status=500)), TryLater)


def test_an_error_under_status_200_is_an_error() -> None:
    assert isinstance(verdict(told(190, status=200)), Refused)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"data": []}', b'{"error": "x"}'])
def test_what_is_no_error_of_graph_is_left_to_the_status(body: bytes) -> None:
    assert verdict(Answer(url="https://graph.facebook.com/", status=404, body=body)) is None


def test_only_a_page_that_has_a_next_one_gives_a_cursor() -> None:
    cursors = {"cursors": {"before": "a", "after": "b"}}
    assert after({"paging": {**cursors, "next": f"https://x/?access_token={SECRET}&after=b"}}) == "b"
    assert after({"paging": cursors}) is None
    assert after({"data": []}) is None
    with pytest.raises(TryLater):
        after({"paging": {"next": f"https://x/?access_token={SECRET}"}})


def test_addresses_of_further_pages_are_dropped_at_any_depth() -> None:
    edge = {"data": [{"id": "2"}], "paging": {"next": SECRET}}
    assert entries({"data": [{"id": "1", "replies": edge}], "paging": {"next": SECRET}}) == [
        {"id": "1", "replies": {"data": [{"id": "2"}]}}
    ]
    assert bare([{"paging": {}}]) == [{}]


def test_the_key_travels_in_a_header_and_in_no_address(tmp_path: Path) -> None:
    server = FacebookUpstream(tmp_path)
    server.add(server.enough)
    pages = list(server.source().pages(server.query, None))
    assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {SECRET}"}
    assert not [request.url for request in server.requests if SECRET in str(request.url)]
    assert {request.url.path.split("/")[1] for request in server.requests} == {"v25.0"}
    assert SECRET not in repr(pages)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(Refused, match="access_token"):
        list(FacebookSource(web=WEB, keys={"page_id": PAGE}, clock=CLOCK).pages(Query(text="comments"), None))


# Rounds


def ids(pages: Any) -> set[str]:
    return {mention.source_id for each in pages for mention in each.mentions}


def test_a_new_comment_on_an_old_post_is_found(tmp_path: Path) -> None:
    server = FacebookUpstream(tmp_path)
    server.add(4)
    *_, last = server.source().pages(server.query, None)
    server.objects["42899988_777777"] = {
        "id": "42899988_777777", "message": "Café Lumbre, tarde pero seguro", "like_count": 0, "comment_count": 0,
        "created_time": "2026-11-22T11:00:00+0000",
    }  # fmt: skip
    assert "42899988_777777" in ids(server.source().pages(server.query, last.cursor))


def test_a_second_round_reads_on_only_where_there_is_something_new(tmp_path: Path) -> None:
    server = FacebookUpstream(tmp_path)
    server.start = NOW - timedelta(days=10)
    server.add(server.enough)
    *_, last = server.source().pages(server.query, None)
    server.requests.clear()
    list(server.source().pages(server.query, last.cursor))
    assert [request.url.path.rpartition("/")[2] for request in server.requests] == ["feed", "feed"]


@pytest.mark.parametrize(("days", "goes_on_to"), [((1, 3), "B"), ((4, 9), None), ((9, 4), "B"), ((), "B")])
def test_comments_are_read_on_while_newer_ones_may_follow(days: tuple[int, ...], goes_on_to: str | None) -> None:
    said = [{"created_time": (NOW - timedelta(days=ago)).isoformat()} for ago in days]
    edge = {"data": said, "paging": {"cursors": {"after": "B"}, "next": "https://x"}}
    assert goes_on(edge, NOW - timedelta(days=3), when) == goes_on_to
    assert goes_on(None, NOW, when) is None


def test_a_post_that_goes_while_its_comments_are_read_stops_nothing(tmp_path: Path) -> None:
    server = FacebookUpstream(tmp_path)
    server.add(server.enough)
    reading = server.source().pages(server.query, None)
    first = next(reading)
    gone = server.posts.pop(0)
    under = {i for i in server.items if i.startswith(gone["id"].removeprefix(f"{PAGE}_"))}
    assert ids([first, *reading]) >= set(server.items) - under


def test_a_cursor_that_ran_out_between_two_runs_starts_the_round_from_the_top(tmp_path: Path) -> None:
    server = InstagramUpstream(tmp_path)
    server.add(server.enough)
    first = next(server.source().pages(server.query, None))
    stale = json.loads(json.dumps(first.cursor))
    whole = server.answer

    def answer(request: httpx.Request) -> httpx.Response:
        old = request.url.params.get("after") == stale["round"]["branches"][0]["after"] and len(server.requests) < 3
        return server.wrong(100) if old else whole(request)

    server.answer = answer  # type: ignore[method-assign]
    server.requests.clear()
    assert ids(server.source().pages(server.query, stale)) == set(server.items)


def test_a_dead_key_in_the_middle_of_a_round_is_no_reason_to_start_anew(tmp_path: Path) -> None:
    server = InstagramUpstream(tmp_path)
    server.add(server.enough)
    first = next(server.source().pages(server.query, None))
    server.error = (190, 463)
    server.requests.clear()
    with pytest.raises(Refused, match="key"):
        list(server.source().pages(server.query, first.cursor))
    assert len(server.requests) == 1


def test_a_listing_that_leads_round_in_circles_is_left() -> None:
    answer = {"data": [{"id": f"{PAGE}_1", "created_time": "2026-11-22T11:00:00+0000", "message": "Hola"}],
              "paging": {"cursors": {"after": "A"}, "next": "https://x"}}
    with pytest.raises(TryLater, match="circles"):
        list(page(*[httpx.Response(200, json=answer)] * 5).pages(Query(text="comments"), None))


def test_an_account_that_had_posts_and_shows_none_is_doubted(tmp_path: Path) -> None:
    server = FacebookUpstream(tmp_path)
    server.add(2)
    *_, last = server.source().pages(server.query, None)
    server.posts.clear()
    (again,) = server.source().pages(server.query, last.cursor)
    assert again.doubt is not None


def test_a_long_round_ends_at_its_bound_and_goes_on_at_once(tmp_path: Path) -> None:
    server = FacebookUpstream(tmp_path)
    server.add(4600)
    pages = list(server.source().pages(server.query, None))
    assert [each.more for each in pages] == [False] * 19 + [True]
    assert {each.covers for each in pages} == {None}
    while pages[-1].more:
        pages += server.source().pages(server.query, json.loads(json.dumps(pages[-1].cursor)))
    assert ids(pages) == set(server.items)


# Second looks


def test_a_missing_object_is_told_apart_whether_it_spoils_the_answer_or_is_left_out(tmp_path: Path) -> None:
    for kind in (InstagramUpstream, FacebookUpstream):
        server = kind(tmp_path / kind.__name__)
        server.add(5)
        kept = [mention for each in server.source().pages(server.query, None) for mention in each.mentions]
        victim = server.items[2]
        server.delete(victim)
        server.edit(server.items[0], "Lumbre: corregido")
        checked = server.source().recheck(kept)
        assert checked.gone == {victim}
        assert {mention.source_id for mention in checked.fresh} == set(server.items)
        assert "Lumbre: corregido" in {mention.text for mention in checked.fresh}


def test_nothing_is_gone_where_nothing_can_be_seen(tmp_path: Path) -> None:
    server = FacebookUpstream(tmp_path)
    server.add(5)
    kept = [mention for each in server.source().pages(server.query, None) for mention in each.mentions]
    server.objects.clear()
    assert server.source().recheck(kept).gone == frozenset()


def test_a_lost_permission_deletes_nothing(tmp_path: Path) -> None:
    server = FacebookUpstream(tmp_path)
    server.add(5)
    kept = [mention for each in server.source().pages(server.query, None) for mention in each.mentions]
    server.error = (10, 0)
    assert server.source().recheck(kept).gone == frozenset()


def test_a_version_that_knows_no_common_look_up_is_asked_one_by_one(tmp_path: Path) -> None:
    server = FacebookUpstream(tmp_path)
    server.add(3)
    kept = [mention for each in server.source().pages(server.query, None) for mention in each.mentions]
    server.together = lambda asked: server.wrong(100)  # type: ignore[method-assign]
    victim = server.items[-1]
    server.delete(victim)
    assert server.source().recheck(kept).gone == {victim}


# Deliveries


def test_a_delivery_is_signed_with_the_secret_of_the_app() -> None:
    body = '{"object": "page", "ñ": 1}'.encode()
    good = "sha256=" + hmac.new(b"secreto", body, "sha256").hexdigest()
    assert signed(body, good, "secreto")
    assert not signed(body + b" ", good, "secreto")
    assert not signed(body, good, "otro")
    assert not signed(body, good.removeprefix("sha256="), "secreto")
    assert not signed(body, "sha256=ñ", "secreto")
    assert not signed(body, "", "secreto")


def test_without_a_secret_nothing_counts_as_signed() -> None:
    assert not signed(b"{}", "sha256=" + hmac.new(b"", b"{}", "sha256").hexdigest(), "")


def change(**value: Any) -> dict[str, Any]:
    return {"field": "feed", "value": value}


def test_removed_posts_and_comments_of_a_delivery_are_listed_once() -> None:
    delivery = {"object": "page", "entry": [
        {"id": PAGE, "changes": [
            change(item="comment", verb="remove", comment_id="42_7", post_id=f"{PAGE}_42"),
            change(item="comment", verb="remove", comment_id="42_7", post_id=f"{PAGE}_42"),
            change(item="status", verb="remove", post_id=f"{PAGE}_43"),
            change(item="comment", verb="add", comment_id="42_8", post_id=f"{PAGE}_42"),
            change(item="comment", verb="edited", comment_id="42_9", post_id=f"{PAGE}_42"),
        ]},
    ]}  # fmt: skip
    assert removed(delivery) == ("42_7", f"{PAGE}_43")


def test_a_like_taken_back_removes_no_post() -> None:
    changes = [change(item=item, verb="remove", post_id=f"{PAGE}_42") for item in ("like", "reaction")]
    assert removed({"entry": [{"changes": changes}]}) == ()


@pytest.mark.parametrize("delivery", [
    None, [], {}, {"entry": {}}, {"entry": [None, {"changes": [None, {"field": "feed"}]}]},
    {"entry": [{"changes": [{"field": "ratings", "value": {"verb": "remove", "item": "post", "post_id": "1"}}]}]},
    {"entry": [{"changes": [change(item="post", verb="remove")]}]},
])
def test_a_delivery_of_another_form_removes_nothing(delivery: Any) -> None:
    assert removed(delivery) == ()
