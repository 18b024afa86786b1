"""Reviews of one's own places: by their last change, without translations, and gone only where Google says so."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.google_business import original, read_place, to_mention
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from tests.collectors.fakes.google import ACCESS, complaint
from tests.collectors.fakes.google_business import GoogleBusinessUpstream
from tests.collectors.fakes.upstream import NOW, SECRET


@pytest.fixture
def google(tmp_path: Path) -> GoogleBusinessUpstream:
    made = GoogleBusinessUpstream(tmp_path)
    made.query = Query(text="accounts/1/locations/2")
    made.add(4)
    return made


def read(google: GoogleBusinessUpstream, cursor: Any = None) -> list[Any]:
    return list(google.source().pages(google.query, cursor))


def mentions(google: GoogleBusinessUpstream) -> list[Any]:
    return [mention for page in read(google) for mention in page.mentions]


def handmade(shared: Path) -> list[dict[str, Any]]:
    told = json.loads((shared / "upstream/google-business/handmade/reviews-list.json").read_text("utf-8"))
    return list(told["reviews"])


def test_a_review_is_mapped_as_the_fact_sheet_says(shared: Path) -> None:
    mention = to_mention(("Lumbre Centro", handmade(shared)[0]))
    assert (mention.source, mention.source_id, mention.kind) == ("google-business", "r1", "review")
    assert mention.text == "El café estaba frío y tardaron 40 minutos."
    assert mention.created_at == datetime(2026, 9, 30, 10, 23, 45, 123456, tzinfo=UTC)
    assert mention.edited_at == datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert (mention.rating, mention.place, mention.title, mention.lang) == (2.0, "Lumbre Centro", None, None)
    assert mention.author is not None
    assert (mention.author.handle, mention.author.followers) == ("Marta P.", None)


def test_a_rating_without_words_by_an_anonymous_person_is_taken(shared: Path) -> None:
    mention = to_mention((None, handmade(shared)[1]))
    assert (mention.text, mention.rating, mention.author, mention.edited_at) == ("", 5.0, None, None)


def test_the_original_is_kept_and_the_translation_is_not(shared: Path) -> None:
    assert to_mention((None, handmade(shared)[2])).text == "Muy buen sitio"


@pytest.mark.parametrize(
    ("comment", "kept"),
    [
        ("(Translated by Google) Good place\n\n(Original)\nBuen sitio", "Buen sitio"),
        ("Buen sitio\n\n(Translated by Google)\nGood place", "Buen sitio"),
        ("(Translated by Google) Good place", "Good place"),
        ("Buen sitio (el Original)", "Buen sitio (el Original)"),
        ("", ""),
    ],
)
def test_a_translation_before_or_behind_the_text_goes(comment: str, kept: str) -> None:
    assert original(comment) == kept


def test_a_rating_that_is_not_told_is_unknown() -> None:
    review = {"reviewId": "r", "comment": "Café", "starRating": "STAR_RATING_UNSPECIFIED",
              "createTime": "2026-09-29T10:23:45Z", "updateTime": "2026-09-29T10:23:45Z"}
    assert to_mention((None, review)).rating is None


def test_the_name_of_the_place_comes_along(google: GoogleBusinessUpstream) -> None:
    assert {mention.place for mention in mentions(google)} == {"Lumbre Centro"}


def test_without_the_name_of_the_place_the_reviews_are_read_all_the_same(google: GoogleBusinessUpstream) -> None:
    answer = google.answer
    google.answer = lambda request: (  # type: ignore[method-assign]
        complaint(403, "PERMISSION_DENIED") if request.url.path.startswith("/v1/") else answer(request)
    )
    assert [mention.place for mention in mentions(google)] == [None, None]


def test_an_account_is_read_place_by_place_and_unverified_ones_are_left_out(google: GoogleBusinessUpstream) -> None:
    google.query = Query(text="accounts/1")
    assert {mention.place for mention in mentions(google)} == {"Lumbre Centro", "Lumbre Norte"}
    assert not any("locations/9" in request.url.path for request in google.requests)


def test_an_account_without_places_is_named(google: GoogleBusinessUpstream) -> None:
    google.query = Query(text="accounts/1")
    answer = google.answer
    google.answer = lambda request: (  # type: ignore[method-assign]
        httpx.Response(200, json={}) if request.url.path.startswith("/v1/") else answer(request)
    )
    with pytest.raises(Refused, match="account 1 has no verified place"):
        read(google)


@pytest.mark.parametrize(
    ("text", "place"), [("accounts/1/locations/2", ("1", "2")), (" accounts/17/ ", ("17", None))]
)
def test_a_query_is_a_place_or_an_account(text: str, place: tuple[str, str | None]) -> None:
    assert read_place(text) == place


@pytest.mark.parametrize("text", ["", "Lumbre", "locations/2", "accounts/x", "accounts/1/locations/2/reviews/3"])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match="accounts/123/locations/456"):
        read_place(text)


def test_one_sign_in_serves_a_whole_run_and_its_token_is_nowhere(google: GoogleBusinessUpstream) -> None:
    google.add(200)
    pages = read(google)
    assert len(pages) == 3
    assert [request.url.path for request in google.requests].count("/token") == 1
    assert ACCESS not in repr([(page.cursor, page.mentions) for page in pages])


def test_a_sign_in_that_ended_says_what_to_do(google: GoogleBusinessUpstream) -> None:
    google.keys["refresh_token"] = f"{SECRET}-old"
    with pytest.raises(Refused, match="publish your OAuth app") as caught:
        read(google)
    assert SECRET not in str(caught.value) + repr(caught.value.details)


def test_a_missing_credential_is_named(google: GoogleBusinessUpstream) -> None:
    del google.keys["refresh_token"]
    with pytest.raises(Refused, match="needs refresh_token"):
        read(google)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (complaint(429, "RESOURCE_EXHAUSTED", reason="RATE_LIMIT_EXCEEDED", metadata={"quota_limit_value": "0"}),
         "allows 0 requests"),
        (complaint(403, "PERMISSION_DENIED", reason="SERVICE_DISABLED",
                   metadata={"service": "mybusiness.googleapis.com"}), "mybusiness.googleapis.com is switched off"),
        (complaint(403, "PERMISSION_DENIED", reason="ACCESS_TOKEN_SCOPE_INSUFFICIENT"), "does not include"),
        (complaint(403, "PERMISSION_DENIED"), "may not read the reviews"),
        (complaint(404, "NOT_FOUND"), "no such place"),
    ],
)
def test_googles_own_errors_say_what_to_do(google: GoogleBusinessUpstream, answer: httpx.Response, said: str) -> None:
    before = google.answer
    google.answer = lambda request: (  # type: ignore[method-assign]
        answer if request.url.path.startswith("/v4/") else before(request)
    )
    with pytest.raises(Refused, match=said):
        read(google)


def test_a_quota_that_is_used_up_for_now_passes_by_itself(google: GoogleBusinessUpstream) -> None:
    before = google.answer
    google.answer = lambda request: (  # type: ignore[method-assign]
        complaint(429, "RESOURCE_EXHAUSTED", reason="RATE_LIMIT_EXCEEDED", metadata={"quota_limit_value": "300"})
        if request.url.path.startswith("/v4/") else before(request)
    )
    with pytest.raises(TryLater):
        read(google)


def test_a_place_that_is_gone_makes_none_of_its_reviews_gone(google: GoogleBusinessUpstream) -> None:
    kept = mentions(google)
    google.lost_places = {"2"}
    with pytest.raises(Refused, match="no such place"):
        google.source().recheck(kept)


def test_the_second_look_brings_what_was_edited(google: GoogleBusinessUpstream) -> None:
    kept = mentions(google)
    google.edit(kept[0].source_id, "Lumbre mejoró")
    checked = google.source().recheck(kept)
    assert checked.gone == frozenset()
    assert {mention.source_id: mention.text for mention in checked.fresh}[kept[0].source_id] == "Lumbre mejoró"
    assert {mention.place for mention in checked.fresh} == {"Lumbre Centro"}


def test_a_review_whose_raw_form_was_dropped_is_not_judged(google: GoogleBusinessUpstream) -> None:
    kept = [replace(mention, raw=None) for mention in mentions(google)]
    google.reviews["2"].clear()
    assert google.source().recheck(kept).gone == frozenset()


def test_a_review_that_goes_while_paging_is_noticed_by_the_total(google: GoogleBusinessUpstream) -> None:
    google.add(236)
    own = [review["reviewId"] for review in google.reviews["2"]]
    found: set[str] = set()
    for number, page in enumerate(google.source().pages(google.query, None)):
        found |= {mention.source_id for mention in page.mentions}
        if number == 0:
            google.delete(own[-1])
    assert found == set(own)


def test_a_backfill_goes_as_far_as_it_is_told(google: GoogleBusinessUpstream) -> None:
    google.query = replace(google.query, since=NOW - timedelta(days=30))
    (page,) = read(google)
    assert page.covers is not None
    assert (page.covers.start, page.covers.end) == (NOW - timedelta(days=30), NOW)
