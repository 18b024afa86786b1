"""The Play Store's page is read by position, is off until somebody answers for it, and an empty list proves nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors import open_source
from collectors.google_play import to_mention as official
from collectors.google_play_public import App, read_app, to_mention, told
from collectors.http import Answer, WebOptions
from escucha.errors import Refused, TryLater
from tests.collectors.fakes.google_play import review as official_review
from tests.collectors.fakes.google_play_public import PACKAGE, GooglePlayPublicUpstream, envelope, review
from tests.collectors.fakes.upstream import NOW

APP = App(PACKAGE, "es", "mx")


@pytest.fixture
def play(tmp_path: Path) -> GooglePlayPublicUpstream:
    made = GooglePlayPublicUpstream(tmp_path)
    made.add(4)
    return made


def read(play: GooglePlayPublicUpstream, cursor: Any = None) -> list[Any]:
    return list(play.source().pages(play.query, cursor))


def answered(inner: Any) -> Answer:
    return Answer(url="https://play.google.com/", status=200, body=envelope("oCPfdb", inner).content)


def test_it_is_off_until_somebody_accepts_its_terms() -> None:
    with pytest.raises(Refused, match="accepts its terms"):
        open_source("google-play-public", WebOptions(), {})


def test_the_recorded_answer_is_read_by_its_positions(shared: Path) -> None:
    body = (shared / "upstream/google-play/recorded/batchexecute-reviews.txt").read_bytes()
    reviews, token = told(Answer(url="https://play.google.com/", status=200, body=body))
    assert token is not None
    assert token.startswith("CsIBCr8BKpgB")
    mention = to_mention(reviews[0], App("com.twitter.android", "en", "us"))
    assert mention.source_id.startswith("gp:AOqpTOEG141w8NXyoj4CFpinz")
    assert mention.text.startswith("I see that a lot here rate the app for a glitch")
    assert mention.created_at == datetime.fromtimestamp(1_611_106_445, UTC)
    assert (mention.rating, mention.lang, mention.place, mention.engagement.likes) == (5.0, "en", "US", 1114)
    assert mention.author is not None
    assert (mention.author.handle, mention.author.followers) == ("hayzel rose ilagan", None)


def test_a_review_has_the_same_key_and_author_as_by_the_official_way() -> None:
    mine, theirs = to_mention(review("gp:1", NOW), APP), official(official_review("gp:1", NOW), PACKAGE)
    assert (mine.source, mine.source_id, mine.url) == (theirs.source, theirs.source_id, theirs.url)
    assert (mine.author, mine.created_at, mine.text) == (theirs.author, theirs.created_at, theirs.text)


@pytest.mark.parametrize("old_form", [True, False])
def test_the_mark_of_the_next_page_is_found_in_both_forms(old_form: bool, play: GooglePlayPublicUpstream) -> None:
    play.old_form = old_form
    play.add(300)
    found = {mention.source_id for page in read(play) for mention in page.mentions}
    assert found == set(play.items)
    assert len(play.requests) == 3


@pytest.mark.parametrize("inner", [[], [None], [[]], [[], None, ["x"], None]])
def test_an_answer_without_reviews_is_empty(inner: list[Any]) -> None:
    assert told(answered(inner))[0] == []


@pytest.mark.parametrize("mark", [None, [], [None], [None, ["x"]], [None, 7], [None, ""]])
def test_a_mark_that_is_no_text_is_the_end(mark: Any) -> None:
    assert told(answered([[review("gp:1", NOW)], None, mark, None]))[1] is None


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Before you continue</html>", b"", b")]}'\n\n[]", b")]}'\n\n[[\"er\", null, null, null, null, 400]]",
        json.dumps([["wrb.fr", "oCPfdb", None, None, None, [5, None, [["type.googleapis.com/"
                    "com.google.play.gateway.proto.PlayGatewayError", []]]], "generic"]]).encode(),
    ],
)  # fmt: skip
def test_what_is_no_list_of_reviews_is_never_taken_for_an_empty_one(body: bytes) -> None:
    with pytest.raises(TryLater, match="without its list"):
        told(Answer(url="https://play.google.com/", status=200, body=body))


def test_a_first_reading_that_was_empty_is_a_doubt_and_is_made_again(play: GooglePlayPublicUpstream) -> None:
    play.silent = True
    (page,) = read(play)
    assert "without a single review" in str(page.doubt)
    assert page.covers is None
    play.silent = False
    assert {mention.source_id for again in read(play, page.cursor) for mention in again.mentions} == set(play.items)


def test_an_empty_answer_later_is_a_doubt_and_no_deletion(play: GooglePlayPublicUpstream) -> None:
    *_, last = read(play)
    play.silent = True
    (page,) = read(play, last.cursor)
    assert page.doubt is not None
    assert page.gone == ()


def test_a_blocked_network_is_told_what_to_do(play: GooglePlayPublicUpstream) -> None:
    play.failure = (403, {})
    with pytest.raises(Refused, match="switch this source off"):
        read(play)


@pytest.mark.parametrize(
    ("text", "app"),
    [("es-mx com.lumbre.app", APP), (" PT_br com.lumbre.app ", App(PACKAGE, "pt", "br"))],
)
def test_a_query_is_language_country_and_app(text: str, app: App) -> None:
    assert read_app(text) == app


@pytest.mark.parametrize("text", ["", "com.lumbre.app", "es com.lumbre.app", "es-mx Lumbre", "es-mx com.a&x=1"])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match=r"es-mx com\.lumbre\.app"):
        read_app(text)


def test_the_page_is_asked_in_the_language_and_country_of_the_query(play: GooglePlayPublicUpstream) -> None:
    read(play)
    assert dict(play.requests[0].url.params) == {"hl": "es", "gl": "mx"}
    assert play.requests[0].method == "POST"
    assert isinstance(play.answer(play.requests[0]), httpx.Response)
