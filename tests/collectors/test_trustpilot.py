"""Reviews are read as Trustpilot documents them, within what its plan allows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.trustpilot import Company, read_company, to_mention
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from tests.collectors.fakes.trustpilot import TrustpilotUpstream


@pytest.fixture
def site(tmp_path: Path) -> TrustpilotUpstream:
    made = TrustpilotUpstream(tmp_path)
    made.add(3)
    return made


def test_a_review_is_mapped_as_the_fact_sheet_says(shared: Path) -> None:
    answer = json.loads((shared / "upstream/trustpilot/handmade/public-reviews.json").read_text("utf-8"))
    mention = to_mention(answer["reviews"][0])
    assert (mention.source_id, mention.kind, mention.rating) == ("650000000000000000000001", "review", 1.0)
    assert mention.url == "https://www.trustpilot.com/reviews/650000000000000000000001"
    assert mention.text == "Tres semanas esperando y atención al cliente no contesta."
    assert (mention.title, mention.lang, mention.place) == ("Pedido perdido", "es", "Sevilla, España")
    assert mention.created_at == datetime(2026, 9, 14, 17, 12, 38, tzinfo=UTC)
    assert mention.edited_at is None
    assert mention.author is not None
    assert (mention.author.name, mention.author.followers) == ("Carmen", None)


def test_the_company_is_looked_for_once(site: TrustpilotUpstream) -> None:
    (page,) = site.source().pages(site.query, None)
    list(site.source().pages(site.query, page.cursor))
    assert sum(request.url.path.endswith("/find") for request in site.requests) == 1


def test_reviews_are_asked_for_newest_first_with_the_key_in_a_header(site: TrustpilotUpstream) -> None:
    site.query = Query(text="lumbre.example es")
    list(site.source().pages(site.query, None))
    asked = site.requests[-1]
    assert dict(asked.url.params) == {
        "page": "1", "perPage": "100", "orderBy": "createdat.desc", "language": "es",
    }  # fmt: skip
    assert asked.headers["apikey"] == "secreto-de-prueba"


def test_only_the_language_asked_for_is_read(site: TrustpilotUpstream) -> None:
    site.reviews[0]["language"] = "en"
    site.query = Query(text="lumbre.example en")
    (page,) = site.source().pages(site.query, None)
    assert [mention.lang for mention in page.mentions] == ["en"]


def test_a_last_page_that_is_full_is_followed_by_an_empty_one(tmp_path: Path) -> None:
    site = TrustpilotUpstream(tmp_path)
    site.add(100)
    pages = list(site.source().pages(site.query, None))
    assert {mention.source_id for page in pages for mention in page.mentions} == set(site.items)
    assert pages[-1].doubt is None
    assert pages[-1].covers is not None


def test_a_company_that_trustpilot_does_not_know_is_named(site: TrustpilotUpstream) -> None:
    with pytest.raises(Refused, match=r"otra\.example"):
        list(site.source().pages(Query(text="otra.example"), None))


def test_a_second_look_brings_changes_and_tells_what_is_gone(site: TrustpilotUpstream) -> None:
    (page,) = site.source().pages(site.query, None)
    kept = sorted(page.mentions, key=lambda mention: mention.source_id)
    site.edit(site.items[0], "Lumbre: corregido")
    site.delete(site.items[1])
    checked = site.source().recheck(kept)
    assert checked.gone == {kept[1].source_id}
    assert checked.fresh[0].text == "Lumbre: corregido"
    assert checked.fresh[0].edited_at is not None


def test_nothing_is_gone_where_the_company_is_not_found_either(site: TrustpilotUpstream) -> None:
    (page,) = site.source().pages(site.query, None)
    site.delete(site.items[0])
    site.known = False
    with pytest.raises(Refused, match="knows no company"):
        site.source().recheck(page.mentions)


def test_a_days_share_of_the_plan_is_not_exceeded(site: TrustpilotUpstream) -> None:
    site.keys["calls_a_year"] = "730"
    list(site.source().pages(site.query, None))
    assert len(site.requests) == 2
    with pytest.raises(TryLater, match="2 requests") as caught:
        list(site.source().pages(site.query, None))
    assert caught.value.after == 12 * 3600
    assert len(site.requests) == 2


@pytest.mark.parametrize("told", ["mucho", "12"])
def test_a_plan_that_is_no_number_is_refused(site: TrustpilotUpstream, told: str) -> None:
    site.keys["calls_a_year"] = told
    with pytest.raises(Refused, match="calls_a_year"):
        list(site.source().pages(site.query, None))


@pytest.mark.parametrize(("status", "said"), [(401, "API module"), (403, "which companies")])
def test_each_refusal_says_what_to_do(site: TrustpilotUpstream, status: int, said: str) -> None:
    site.failure = (status, {})
    with pytest.raises(Refused, match=said):
        list(site.source().pages(site.query, None))


@pytest.mark.parametrize(
    ("text", "company"),
    [
        ("lumbre.example", Company(domain="lumbre.example")),
        (" https://www.Lumbre.example/ ES ", Company(domain="www.lumbre.example", language="es")),
    ],
)
def test_a_query_is_a_domain_and_perhaps_a_language(text: str, company: Company) -> None:
    assert read_company(text) == company


@pytest.mark.parametrize("text", ["", "Cafés Lumbre", "lumbre", "lumbre.example español", "lumbre.example/es"])
def test_any_other_query_says_how_to_write_it(text: str) -> None:
    with pytest.raises(Refused, match=r"lumbre\.example es"):
        read_company(text)
