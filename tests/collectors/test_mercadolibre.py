"""Reviews and questions are read as Mercado Libre documents them, and a token that serves once is not lost."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.mercadolibre import LIMIT, Article, question_to_mention, read_article, read_query, to_mention
from collectors.walk import RUN_STEPS
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.mention import Mention
from escucha.source import Page
from tests.collectors.fakes.mercadolibre import MercadoLibreUpstream

ASKED = Query(text="questions:555")


@pytest.fixture
def shop(tmp_path: Path) -> MercadoLibreUpstream:
    made = MercadoLibreUpstream(tmp_path)
    made.add(3)
    return made


def handmade(shared: Path, name: str) -> Any:
    return json.loads((shared / "upstream/mercadolibre/handmade" / name).read_text("utf-8"))


def ids(pages: list[Page]) -> set[str]:
    return {mention.source_id for page in pages for mention in page.mentions}


def asked(shop: MercadoLibreUpstream, **fields: Any) -> Mention | None:
    shop.ask("¿Lumbre hace factura?", **fields)
    return question_to_mention(shop.questions[-1])


def test_a_review_is_mapped_as_the_fact_sheet_says(shared: Path) -> None:
    review = handmade(shared, "reviews-item.json")["reviews"][1]
    mention = to_mention(review, read_article("MLM9000000001"))
    assert mention is not None
    assert (mention.source_id, mention.kind, mention.rating) == ("900000002", "review", 1.0)
    assert (mention.title, mention.engagement.likes) == ("Se descompuso", 6)
    assert mention.text == "A la semana dejó de calentar y el vendedor no responde."
    assert (mention.place, mention.lang, mention.author) == ("MX", "es", None)
    assert mention.url == "https://articulo.mercadolibre.com.mx/MLM-9000000001"
    assert mention.created_at == datetime(2026, 9, 20, 8, 2, tzinfo=UTC)


def test_a_review_without_words_is_kept_for_its_rating(shared: Path) -> None:
    mention = to_mention(handmade(shared, "reviews-item.json")["reviews"][2], read_article("MLM9000000001"))
    assert mention is not None
    assert (mention.text, mention.title, mention.rating) == ("", None, 5.0)


def test_a_question_is_mapped_as_the_fact_sheet_says(shared: Path) -> None:
    mention = question_to_mention(handmade(shared, "questions-search.json")["questions"][0])
    assert mention is not None
    assert (mention.source_id, mention.kind) == ("question:11000000001", "comment")
    assert mention.text == "Hola, ¿hacen factura A? ¿Cuánto tarda a Córdoba?"
    assert (mention.place, mention.lang) == ("AR", "es")
    assert mention.created_at == datetime(2026, 9, 16, 18, 50, 27, 938000, tzinfo=UTC)
    assert mention.author is not None
    assert (mention.author.id, mention.author.followers) == ("100000009", None)


def test_brazil_writes_portuguese(shop: MercadoLibreUpstream) -> None:
    mention = asked(shop)
    assert mention is not None
    assert (mention.place, mention.lang) == ("BR", "pt")
    assert mention.url == "https://produto.mercadolivre.com.br/MLB-900000001"


@pytest.mark.parametrize("change", [{"status": "UNDER_REVIEW"}, {"hold": True}, {"suspected_spam": True}])
def test_a_question_that_is_not_shown_is_left_out(shop: MercadoLibreUpstream, change: dict[str, Any]) -> None:
    assert asked(shop, **change) is None


@pytest.mark.parametrize("change", [{"status": "BANNED"}, {"status": "DELETED"}, {"deleted_from_listing": True}])
def test_a_question_taken_away_is_told_as_gone(shop: MercadoLibreUpstream, change: dict[str, Any]) -> None:
    shop.query = ASKED
    number = shop.ask("¿Cuánto tarda? Escríbame a rosa@example.com")
    (page,) = shop.source().pages(shop.query, None)
    assert [mention.text for mention in page.mentions] == ["¿Cuánto tarda? Escríbame a [e-mail]"]
    shop.questions[0].update(change)
    (later,) = shop.source().pages(shop.query, page.cursor)
    assert (later.gone, later.mentions) == ((f"question:{number}",), ())


def test_questions_are_read_newest_first_down_to_the_newest_known(shop: MercadoLibreUpstream) -> None:
    shop.query = ASKED
    numbers = {f"question:{shop.ask(f'¿Lumbre {number}?')}" for number in range(2 * LIMIT + 5)}
    pages = list(shop.source().pages(shop.query, None))
    assert (ids(pages), len(pages)) == (numbers, 3)
    sent = shop.requests[0].url.params
    assert (sent["sort_fields"], sent["sort_types"], sent["api_version"]) == ("date_created", "DESC", "4")


def test_a_listing_that_is_not_shown_so_deep_ends_there_and_covers_what_it_showed(shop: MercadoLibreUpstream) -> None:
    shop.query, shop.deepest = ASKED, 2 * LIMIT
    for number in range(3 * LIMIT):
        shop.ask(f"¿Lumbre {number}?")
    pages = list(shop.source().pages(shop.query, None))
    assert len(ids(pages)) == 2 * LIMIT
    assert pages[-1].covers is not None
    assert pages[-1].covers.start > shop.start


def test_reviews_that_are_not_shown_so_deep_end_the_sweep(shop: MercadoLibreUpstream) -> None:
    shop.add(3 * LIMIT)
    shop.deepest = LIMIT - 5
    pages = list(shop.source().pages(shop.query, None))
    assert len(ids(pages)) == LIMIT
    assert pages[-1].covers is not None


def test_all_reviews_are_read_each_time_to_the_total(tmp_path: Path) -> None:
    shop = MercadoLibreUpstream(tmp_path)
    shop.add(120)
    (*_, last) = pages = list(shop.source().pages(shop.query, None))
    assert [request.url.params["offset"] for request in shop.requests] == ["0", "45", "90"]
    assert ids(pages) == set(shop.items)
    assert last.covers is not None
    assert ids(list(shop.source().pages(shop.query, last.cursor))) == set(shop.items)


def test_more_reviews_than_a_run_reads_are_gone_on_with_and_then_it_ends(tmp_path: Path) -> None:
    shop = MercadoLibreUpstream(tmp_path)
    shop.deepest = 10**6
    shop.add(LIMIT * RUN_STEPS + 100)
    first = list(shop.source().pages(shop.query, None))
    assert (len(first), first[-1].more) == (RUN_STEPS, True)
    rest = list(shop.source().pages(shop.query, first[-1].cursor))
    assert rest[-1].more is False
    assert ids([*first, *rest]) == set(shop.items)


def test_a_listing_that_changed_meanwhile_is_swept_once_more_and_no_more(tmp_path: Path) -> None:
    shop = MercadoLibreUpstream(tmp_path)
    shop.add(60)
    pages = []
    for page in shop.source().pages(shop.query, None):
        pages.append(page)
        shop.add(1)
    assert [request.url.params["offset"] for request in shop.requests] == ["0", "45", "0", "45"]
    assert pages[-1].covers is not None


def test_reviews_older_than_a_first_reading_goes_are_left_out(shop: MercadoLibreUpstream) -> None:
    shop.query = replace(shop.query, since=datetime.fromisoformat(shop.reviews[2]["date_created"]))
    (page,) = shop.source().pages(shop.query, None)
    assert ([mention.source_id for mention in page.mentions], page.passed) == ([shop.items[2]], 2)


def test_no_review_where_there_were_some_is_a_doubt(shop: MercadoLibreUpstream) -> None:
    (page,) = shop.source().pages(shop.query, None)
    shop.reviews.clear()
    (later,) = shop.source().pages(shop.query, page.cursor)
    assert isinstance(later.doubt, TryLater)
    assert later.gone == ()


def test_an_access_token_that_expired_is_renewed_and_the_new_pair_is_told(shop: MercadoLibreUpstream) -> None:
    shop.keys = {"access_token": "viejo", "refresh_token": "TG-1", "client_id": "1", "client_secret": "s"}
    source = shop.source()
    assert source.renewed is None
    (page,) = source.pages(shop.query, None)
    assert len(page.mentions) == 3
    assert source.renewed == {"access_token": "APP_USR-2", "refresh_token": "TG-2"}
    assert [request.url.path for request in shop.requests].count("/oauth/token") == 1
    shop.keys.update(source.renewed)
    again = shop.source()
    list(again.pages(shop.query, page.cursor))
    assert again.renewed is None


def test_without_an_access_token_one_is_got_first(shop: MercadoLibreUpstream) -> None:
    shop.keys = {"refresh_token": "TG-1", "client_id": "1", "client_secret": "s"}
    (page,) = shop.source().pages(shop.query, None)
    assert len(page.mentions) == 3
    assert shop.requests[0].url.path == "/oauth/token"


def test_the_new_pair_is_told_even_where_the_run_fails_later(shop: MercadoLibreUpstream) -> None:
    shop.keys = {"refresh_token": "TG-1", "client_id": "1", "client_secret": "s"}
    shop.query = Query(text="MLM1234567")
    source = shop.source()
    with pytest.raises(Refused, match="no article"):
        list(source.pages(shop.query, None))
    assert source.renewed == {"access_token": "APP_USR-2", "refresh_token": "TG-2"}


def test_a_refresh_token_that_served_already_asks_a_person_to_connect_again(shop: MercadoLibreUpstream) -> None:
    shop.keys = {"access_token": "viejo", "refresh_token": "TG-0", "client_id": "1", "client_secret": "s"}
    source = shop.source()
    with pytest.raises(Refused, match="serves once") as caught:
        list(source.pages(shop.query, None))
    assert source.renewed is None
    assert "TG-0" not in str(caught.value) + repr(caught.value.details)


def test_an_expired_token_that_cannot_be_renewed_says_so(shop: MercadoLibreUpstream) -> None:
    shop.keys = {"access_token": "viejo"}
    with pytest.raises(Refused, match="six hours"):
        list(shop.source().pages(shop.query, None))


def test_without_any_token_the_source_says_so(shop: MercadoLibreUpstream) -> None:
    shop.keys = {"client_id": "1"}
    with pytest.raises(Refused, match="Mercado Libre needs access_token"):
        list(shop.source().pages(shop.query, None))


@pytest.mark.parametrize(("status", "said"), [(403, "seller"), (404, "no article")])
def test_each_refusal_says_what_to_do(shop: MercadoLibreUpstream, status: int, said: str) -> None:
    shop.failure = (status, {})
    with pytest.raises(Refused, match=said):
        list(shop.source().pages(shop.query, None))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("MLM9000000001", Article(site="MLM", number="9000000001")),
        ("mla-900000001", Article(site="MLA", number="900000001")),
        ("https://articulo.mercadolibre.com.mx/MLM-900000001-cafetera-_JM", Article(site="MLM", number="900000001")),
        ("questions:123456", "123456"),
        ("Questions: 123456 ", "123456"),
    ],
)
def test_a_query_is_an_article_or_the_questions_of_a_seller(text: str, found: Article | str) -> None:
    assert read_query(text) == found


@pytest.mark.parametrize("text", ["", "cafetera", "MZZ123456", "questions:lumbre", "123456"])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match="MLM123456789"):
        read_query(text)
