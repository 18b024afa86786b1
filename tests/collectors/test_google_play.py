"""One's own Android app's reviews, asked for as a service account."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.google_play import read_package, to_mention
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from tests.collectors.fakes.google import ACCESS, complaint
from tests.collectors.fakes.google_play import PACKAGE, GooglePlayUpstream, review
from tests.collectors.fakes.upstream import NOW


@pytest.fixture
def play(tmp_path: Path) -> GooglePlayUpstream:
    made = GooglePlayUpstream(tmp_path)
    made.add(4)
    return made


def read(play: GooglePlayUpstream) -> list[Any]:
    return list(play.source().pages(play.query, None))


def handmade(shared: Path) -> list[dict[str, Any]]:
    told = json.loads((shared / "upstream/google-play/handmade/reviews-list-official.json").read_text("utf-8"))
    return list(told["reviews"])


def test_a_review_is_mapped_as_the_fact_sheet_says(shared: Path) -> None:
    mention = to_mention(handmade(shared)[0], PACKAGE)
    assert (mention.source, mention.source_id, mention.kind) == ("google-play", "gp:AOq0001", "review")
    assert (mention.title, mention.text) == (None, "Desde la última versión se cierra sola al pagar.")
    assert mention.created_at == datetime.fromtimestamp(1_790_000_000, UTC)
    assert (mention.rating, mention.lang, mention.engagement.likes, mention.place) == (1.0, "es-mx", 7, None)
    assert mention.url == "https://play.google.com/store/apps/details?id=com.lumbre.app&reviewId=gp%3AAOq0001"
    assert mention.author is not None
    assert (mention.author.handle, mention.author.followers) == ("Elena", None)


def test_a_reviewer_without_a_name_is_nobody(shared: Path) -> None:
    mention = to_mention(handmade(shared)[1], PACKAGE)
    assert (mention.author, mention.lang, mention.engagement.likes) == (None, "es", None)


@pytest.mark.parametrize(
    ("told", "title", "text"),
    [
        ({"text": "Va mal\tSe cierra"}, "Va mal", "Se cierra"),
        ({"text": "\tSe cierra"}, None, "Se cierra"),
        ({"text": "Se cierra"}, None, "Se cierra"),
        ({"text": "It closes", "originalText": "Se cierra"}, None, "Se cierra"),
    ],
)
def test_a_title_stands_before_a_tab_and_the_original_before_a_translation(
    told: dict[str, str], title: str | None, text: str
) -> None:
    entry = review("gp:1", NOW)
    entry["comments"][0]["userComment"] |= told
    mention = to_mention(entry, PACKAGE)
    assert (mention.title, mention.text) == (title, text)


def test_the_developers_answer_is_not_taken_for_the_review() -> None:
    entry = review("gp:1", NOW)
    entry["comments"].insert(0, {"developerComment": {"text": "Gracias", "lastModified": {"seconds": "1"}}})
    assert to_mention(entry, PACKAGE).text == "El café de Lumbre, pedido gp:1"


@pytest.mark.parametrize(
    "text",
    ["com.lumbre.app", " com.lumbre.app ", "https://play.google.com/store/apps/details?id=com.lumbre.app",
     "https://play.google.com/store/apps/details?hl=es&id=com.lumbre.app&gl=MX"],
)
def test_a_query_is_an_apps_name_or_address(text: str) -> None:
    assert read_package(text) == "com.lumbre.app"


@pytest.mark.parametrize("text", ["", "Lumbre", "com.lumbre app", "com.lumbre/../x", "https://ladron.example/?id=com.a"])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match=r"com\.lumbre\.app"):
        read_package(text)


def test_one_sign_in_serves_a_whole_run_and_its_token_is_nowhere(play: GooglePlayUpstream) -> None:
    play.add(250)
    pages = read(play)
    assert len(pages) == 3
    assert [request.url.path for request in play.requests].count("/token") == 1
    assert ACCESS not in repr([(page.cursor, page.mentions) for page in pages])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (complaint(401, "", reason="permissionDenied"), "may not read this app's reviews"),
        (complaint(403, "PERMISSION_DENIED"), "may not read this app's reviews"),
        (complaint(403, "PERMISSION_DENIED", reason="accessNotConfigured"), "switched off"),
        (complaint(404, "NOT_FOUND"), "no published app"),
    ],
)
def test_googles_own_errors_say_what_to_do(play: GooglePlayUpstream, answer: httpx.Response, said: str) -> None:
    before = play.answer
    play.answer = lambda request: (  # type: ignore[method-assign]
        before(request) if request.url.path == "/token" else answer
    )
    with pytest.raises(Refused, match=said):
        read(play)


def test_a_quota_that_is_used_up_is_no_refusal_though_it_comes_as_403(play: GooglePlayUpstream) -> None:
    before = play.answer
    play.answer = lambda request: (  # type: ignore[method-assign]
        before(request) if request.url.path == "/token" else complaint(403, "", reason="quotaExceeded")
    )
    with pytest.raises(TryLater):
        read(play)


def test_an_app_without_a_review_this_week_is_no_doubt(play: GooglePlayUpstream) -> None:
    play.reviews.clear()
    (page,) = read(play)
    assert (page.mentions, page.doubt) == ((), None)


def test_a_week_is_read_where_nothing_is_known(play: GooglePlayUpstream) -> None:
    (page,) = read(play)
    assert page.covers is not None
    assert (NOW - page.covers.start).days == play.source().facts.reach_days == 7


def test_a_missing_credential_is_named(play: GooglePlayUpstream) -> None:
    play.keys.clear()
    with pytest.raises(Refused, match="needs service_account"):
        list(play.source().pages(Query(text=PACKAGE), None))
