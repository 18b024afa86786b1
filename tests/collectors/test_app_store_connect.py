"""One's own app's reviews: signed as Apple wants it, read without holes, and gone only where Apple says so."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.app_store_connect import country, hourly, read_own_app, to_mention, whole_key
from escucha.brand import Query
from escucha.errors import Refused
from escucha.source import Quota
from tests.collectors.fakes.app_store_connect import AppStoreConnectUpstream, failing, private_pem, review
from tests.collectors.fakes.upstream import NOW, SECRET


@pytest.fixture
def apple(tmp_path: Path) -> AppStoreConnectUpstream:
    made = AppStoreConnectUpstream(tmp_path)
    made.add(4)
    return made


def read(apple: AppStoreConnectUpstream) -> list[Any]:
    return [mention for page in apple.source().pages(apple.query, None) for mention in page.mentions]


def test_a_review_is_mapped_as_the_fact_sheet_says(shared: Path) -> None:
    file = shared / "upstream/app-store/handmade/connect-customer-reviews.json"
    (told,) = json.loads(file.read_text("utf-8"))["data"]
    mention = to_mention(told, "1")
    assert (mention.source, mention.kind) == ("app-store-connect", "review")
    assert mention.source_id == "00000028-b08c-0014-729e-000000000001"
    assert (mention.title, mention.text) == ("No me deja entrar", "Desde ayer dice que la contraseña no es válida.")
    assert mention.created_at == datetime(2026, 10, 2, 15, 10, 34, tzinfo=UTC)
    assert (mention.rating, mention.place, mention.lang) == (2.0, "ES", None)
    assert mention.author is not None
    assert (mention.author.handle, mention.author.followers) == ("pepelu_77", None)


@pytest.mark.parametrize(
    ("territory", "place"), [("MEX", "MX"), ("ARG", "AR"), ("USA", "US"), ("XKS", "XKS"), (None, None)]
)
def test_a_country_is_told_in_two_letters_where_it_has_two(territory: str | None, place: str | None) -> None:
    assert country(territory) == place


@pytest.mark.parametrize(
    ("text", "app"),
    [
        ("123456789", ("123456789", "")),
        (" esp, mex id123456789 ", ("123456789", "ESP,MEX")),
        ("ARG 1", ("1", "ARG")),
    ],
)
def test_a_query_is_an_app_and_perhaps_countries(text: str, app: tuple[str, str]) -> None:
    assert read_own_app(text) == app


@pytest.mark.parametrize("text", ["", "ESP", "es 123456789", "Lumbre", "ESP MEX 123456789"])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match="ESP,MEX 123456789"):
        read_own_app(text)


def test_the_countries_of_the_query_are_asked_for(apple: AppStoreConnectUpstream) -> None:
    apple.reviews.append(review("de-otro-pais", NOW, territory="BRA"))
    apple.query = Query(text="MEX,ESP 123456789")
    assert len(read(apple)) == 4
    assert apple.requests[0].url.params["filter[territory]"] == "MEX,ESP"


@pytest.mark.parametrize("change", [lambda key: key.replace("\n", "\\n"), lambda key: key.replace("\n", " "), str])
def test_a_key_that_a_form_has_folded_is_unfolded(change: Any, apple: AppStoreConnectUpstream) -> None:
    apple.keys["private_key"] = change(private_pem())
    assert len(read(apple)) == 4
    assert whole_key(apple.keys["private_key"]) == private_pem()


@pytest.mark.parametrize("key", [SECRET, f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----"])
def test_a_broken_key_is_refused_and_not_quoted(key: str, apple: AppStoreConnectUpstream) -> None:
    apple.keys["private_key"] = key
    with pytest.raises(Refused, match=r"whole text of the \.p8 file") as caught:
        read(apple)
    assert SECRET not in str(caught.value) + repr(caught.value.details)
    assert apple.requests == []


def test_a_missing_credential_is_named(apple: AppStoreConnectUpstream) -> None:
    del apple.keys["key_id"]
    with pytest.raises(Refused, match="needs key_id"):
        read(apple)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (failing(401, "NOT_AUTHORIZED"), "does not accept the key"),
        (failing(403, "FORBIDDEN_ERROR"), "role Customer Support"),
        (failing(403, "FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED"), "agreement"),
        (failing(404, "NOT_FOUND"), "no such app"),
        (failing(400, "PARAMETER_ERROR.INVALID"), "three letters"),
    ],
)
def test_apples_own_errors_say_what_to_do(apple: AppStoreConnectUpstream, answer: httpx.Response, said: str) -> None:
    apple.answer = lambda request: answer  # type: ignore[method-assign]
    with pytest.raises(Refused, match=said):
        read(apple)


def test_the_limit_of_the_hour_is_known(apple: AppStoreConnectUpstream) -> None:
    source = apple.source()
    list(source.pages(apple.query, None))
    assert source.quota == Quota(limit=3500, remaining=3000)
    assert hourly({}) is None


def test_the_next_page_is_asked_of_the_address_in_the_settings(apple: AppStoreConnectUpstream) -> None:
    apple.add(250)
    apple.keys["base_url"] = "https://apple.example"
    read(apple)
    assert {request.url.host for request in apple.requests} == {"apple.example"}


def test_a_review_that_goes_while_paging_hides_no_other(apple: AppStoreConnectUpstream) -> None:
    apple.add(250)
    found: set[str] = set()
    for number, page in enumerate(apple.source().pages(apple.query, None)):
        found |= {mention.source_id for mention in page.mentions}
        if number == 0:
            apple.delete(apple.items[-1])
    assert set(apple.items) <= found


def test_an_app_that_the_key_no_longer_sees_makes_none_of_its_reviews_gone(apple: AppStoreConnectUpstream) -> None:
    kept = read(apple)
    apple.reviews.clear()
    apple.apps.clear()
    with pytest.raises(Refused, match="no such app"):
        apple.source().recheck(kept)


def test_a_page_that_is_not_there_is_no_deletion(apple: AppStoreConnectUpstream) -> None:
    kept = read(apple)
    apple.failure = (404, {})
    with pytest.raises(Refused):
        apple.source().recheck(kept)


def test_the_second_look_brings_what_was_edited(apple: AppStoreConnectUpstream) -> None:
    kept = read(apple)
    apple.edit(kept[0].source_id, "Lumbre ya funciona")
    checked = apple.source().recheck([*kept[:2], replace(kept[2], url=None)])
    assert [mention.text for mention in checked.fresh][0:1] == ["Lumbre ya funciona"]
    assert len(checked.fresh) == 2
