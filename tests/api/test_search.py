"""The search box and the API read the query language, order what they find, and say what cannot be read."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from starlette.testclient import TestClient

from api.selection import View

API = "/api/v1"


def texts(client: TestClient, **asked: str) -> list[str]:
    answer = client.get(f"{API}/mentions", params={"brand": "lumbre", **asked})
    assert answer.status_code == 200, answer.text
    return [item["mention"]["text"] for item in answer.json()["items"]]


def page(client: TestClient, status: int = 200, **asked: str) -> HTMLParser:
    answer = client.get("/mentions", params={"brand": "lumbre", "period": "all", **asked})
    assert answer.status_code == status, answer.text
    return HTMLParser(answer.text)


def test_the_api_reads_the_query_language(client: TestClient) -> None:
    assert texts(client, q="cafe rico") == ["Qué rico café"]
    assert texts(client, q='coffee OR "alguien lo conoce"') == ["¿Alguien lo conoce?", "Nice coffee"]
    assert len(texts(client, q="café -frío")) == 2


@pytest.mark.parametrize("order", ["newest", "engagement", "relevance"])
def test_each_order_gives_the_same_mentions(client: TestClient, order: str) -> None:
    assert sorted(texts(client, q="café", order=order)) == sorted(texts(client, q="café"))


def test_what_cannot_be_read_is_refused_with_its_place(client: TestClient) -> None:
    answer = client.get(f"{API}/mentions", params={"q": 'frío AND (café', "ui": "es"})
    assert answer.status_code == 422
    told = answer.json()
    assert (told["error"], told["details"]["line"], told["details"]["column"]) == ("invalid", 1, 10)


def test_the_page_says_what_cannot_be_read_and_keeps_what_was_written(client: TestClient) -> None:
    tree = page(client, 422, q="(café")
    assert "columna 1" in tree.css_first("#problem").text() or "column 1" in tree.css_first("#problem").text()
    box = tree.css_first('input[type="search"]')
    assert (box.attributes["value"], box.attributes["aria-invalid"]) == ("(café", "true")
    assert not tree.css("article.mention")


def test_the_page_orders_as_its_address_says_and_offers_what_has_a_meaning(client: TestClient) -> None:
    plain, searched = page(client), page(client, q="café", order="relevance")
    orders = {link.attributes["href"].partition("order=")[2]: link for link in plain.css("details.menu li a")
              if "order=" in (link.attributes["href"] or "")}  # type: ignore[union-attr]
    assert set(orders) == {"newest", "engagement"}
    assert "aria-current" in orders["newest"].attributes
    current = [link.attributes["href"] for link in searched.css('details.menu li a[aria-current="true"]')]
    assert any("order=relevance" in (href or "") and "q=caf" in (href or "") for href in current)
    assert [card.text() for card in searched.css("article.mention mark")]


def test_a_page_of_an_order_leads_on_in_it(client: TestClient) -> None:
    hidden = page(client, order="engagement").css_first('form.search input[name="order"]')
    assert hidden.attributes["value"] == "engagement"


def test_an_order_without_a_meaning_falls_back_and_leaves_other_pages_addresses_alone() -> None:
    assert View(order="relevance").ordered == "newest"
    assert View(order="relevance", q="café").ordered == "relevance"
    assert View(order="uncertainty").ordered == "newest"
    assert View(review=True).ordered == "uncertainty"
    assert View(review=True, order="newest").ordered == "newest"
    assert View(order="engagement").address("/mentions") == "/mentions?order=engagement"
    assert View(order="engagement").address("/journey") == "/journey"
