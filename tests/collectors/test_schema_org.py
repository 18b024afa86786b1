"""Reviews are read from a page's markup however broken it is, and only where the site lets us."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.clock import Clock
from collectors.markup import language, read_json, read_markup
from collectors.review import items_of, rating_of, to_mention
from collectors.robots import read_robots
from collectors.rss import FirstSeen
from collectors.schema_org import SchemaOrgSource, address_of
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.mention import Author, Mention
from tests.collectors.fakes import CLOCK, NOW, WEB, wire
from tests.collectors.fakes.schema_org import PAGE, SchemaOrgUpstream

QUERY = Query(text=PAGE)


def mentions_on(page: str | bytes, content_type: str = "text/html") -> list[Mention]:
    body = page if isinstance(page, bytes) else page.encode()
    first_seen = FirstSeen({}, NOW)
    return [to_mention(item, PAGE, first_seen) for item in items_of(read_markup(body, content_type, PAGE), PAGE)]


def linked(*values: Any) -> str:
    return "".join(f'<script type="application/ld+json">{json.dumps(value)}</script>' for value in values)


def review(**told: Any) -> dict[str, Any]:
    return {"@type": "Review", "reviewBody": "Rico", "datePublished": "2026-11-01", **told}


def source(*answers: httpx.Response, clock: Clock = CLOCK) -> SchemaOrgSource:
    left = iter([httpx.Response(404), *answers])
    transport = httpx.MockTransport(lambda request: wire(next(left)))
    return SchemaOrgSource(web=WEB, keys={}, transport=transport, clock=clock)


def test_a_graph_with_references_is_put_together(shared: Path) -> None:
    page = (shared / "upstream/schema-org/handmade/graph-with-id-references.html").read_bytes()
    lost, found = mentions_on(page)
    assert lost == Mention(
        source="schema-org", source_id="https://www.trustpilot.com/#/schema/Review/lumbre.example/65a1", kind="review",
        title="Pedido perdido", text='Tres semanas esperando y "nadie" contesta.', lang="es", url=PAGE, rating=1,
        created_at=datetime(2026, 9, 14, 17, 12, 38, tzinfo=UTC), place="Cafés Lumbre", raw=lost.raw,
        author=Author(id="https://www.trustpilot.com/users/5d00/", handle="Carmen", name="Carmen",
                      url="https://www.trustpilot.com/users/5d00/"),
    )
    assert (found.rating, found.author and found.author.name) == (5, "Iván")


@pytest.mark.parametrize(
    ("name", "count"),
    [("jsonld-hostthetoast_1.html", 60), ("jsonld-wyseguide_2.html", 17), ("jsonld-hogarmania_2.html", 0),
     ("jsonld-directoalpaladar_2.html", 0), ("extruct-misc-product_microdata.html", 0)],
)  # fmt: skip
def test_all_reviews_of_a_recorded_page_are_read_and_no_average_is_one(shared: Path, name: str, count: int) -> None:
    found = mentions_on((shared / "upstream/schema-org/recorded" / name).read_bytes())
    assert len(found) == count
    assert all(mention.text and mention.rating and mention.author and mention.place for mention in found)


def test_a_review_of_a_recorded_page_has_its_exact_values(shared: Path) -> None:
    first = mentions_on((shared / "upstream/schema-org/recorded/jsonld-hostthetoast_1.html").read_bytes())[0]
    assert first.created_at == datetime(2018, 8, 14, tzinfo=UTC)
    assert first.text.startswith("Not only does you recipe sound delicious, your photography is downright appetizing!")
    assert (first.rating, first.author and first.author.name) == (5, "Autor 9790eb")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('{"a": "b\nc\td"}', "b\nc\td"),
        ('{"a": "b",}', "b"),
        ('{"a": "b", /* nota, } */ }', "b"),
        ('{"a": "b" // https://x\n}', "b"),
        ('{"a": "http://x//y, }"}', "http://x//y, }"),
        ('<!-- {"a": "b"} -->', "b"),
        ('//<![CDATA[\n{"a": "b"}\n//]]>', "b"),
        ('/* <![CDATA[ */ {"a": "b"} /* ]]> */', "b"),
        ("{&quot;a&quot;: &quot;b&quot;}", "b"),
        ('{"a": "b"};', "b"),
    ],
)
def test_broken_json_is_mended(written: str, value: str) -> None:
    assert read_json(written) == [{"a": value}]


@pytest.mark.parametrize("written", ["", "   ", "{", "hola", '{"a": ', "/*" * 100_000, "[" * 100_000])
def test_what_cannot_be_mended_is_left_out(written: str) -> None:
    assert read_json(written) == []


def test_two_values_in_one_block_are_two_values() -> None:
    assert read_json('{"a": 1}\n{"a": 2}') == [{"a": 1}, {"a": 2}]


def test_reviews_are_found_wherever_they_stand() -> None:
    product = {"@type": ["Product"], "name": "Molino", "review": [review(author="Ana"), {"@id": "#otra"}]}
    others = [
        {"@graph": [{"@type": "http://schema.org/UserReview", "@id": "#otra", "description": "Tarde"}]},
        {"@type": "ClaimReview", "reviewBody": "Es falso"}, {"@type": "AggregateRating", "ratingValue": 4},
    ]
    first, second = mentions_on(linked(product, *others))
    assert (first.text, first.place) == ("Rico", "Molino")
    assert (second.source_id, second.text) == (f"{PAGE}#otra", "Tarde")


def test_markup_and_entities_in_a_text_are_gone() -> None:
    told = review(reviewBody="<p>Caf&eacute; &amp;quot;frío&amp;quot;</p><p>No vuelvo</p>", name="M&#225;s caro")
    (mention,) = mentions_on(linked(told))
    assert (mention.text, mention.title) == ('Café "frío"\n\nNo vuelvo', "Más caro")


@pytest.mark.parametrize(
    ("author", "name"),
    [("Ana", "Ana"), ({"@type": "Person", "name": "Ana"}, "Ana"), ([{"name": "Ana"}, {"name": "Eva"}], "Ana"),
     (None, None), ("", None), ({"@type": "Person"}, None)],
)  # fmt: skip
def test_an_author_is_a_name_an_object_a_list_or_missing(author: Any, name: str | None) -> None:
    (mention,) = mentions_on(linked(review(author=author)))
    assert (mention.author.name if mention.author else None) == name


@pytest.mark.parametrize(
    ("told", "rating"),
    [
        ({"ratingValue": "5"}, 5), ({"ratingValue": 1}, 1), ({"ratingValue": "4,5"}, 4.5), ("4", 4),
        ({"ratingValue": "8/10"}, 4.11), ({"ratingValue": "8", "bestRating": "10", "worstRating": "0"}, 4.2),
        ({"ratingValue": "8", "bestRating": 10}, 4.11), ({"ratingValue": "90 %"}, 4.6), ({"ratingValue": "100%"}, 5),
        ({"ratingValue": "3 de 5"}, 3), ({"ratingValue": "★★★★☆"}, 4), ([{"ratingValue": 2}], 2),
        ({"ratingvalue": "3"}, 3), ({"ratingValue": {"@value": "3"}}, 3),
        ({"ratingValue": "8"}, None), ({"ratingValue": "0"}, None), ({"ratingValue": ""}, None), (None, None),
        ({"ratingValue": "buena"}, None), ({"ratingValue": 3, "bestRating": 3, "worstRating": 3}, None),
    ],
)  # fmt: skip
def test_a_rating_is_brought_to_one_to_five_and_never_guessed(told: Any, rating: float | None) -> None:
    assert rating_of(told) == rating


def test_a_review_without_a_usable_date_keeps_the_time_it_was_first_seen() -> None:
    page = httpx.Response(200, text=linked(review(datePublished=None), review(reviewBody="Otro", datePublished="2099")))
    (first,) = source(page).pages(QUERY, None)
    assert {mention.created_at for mention in first.mentions} == {NOW}
    tomorrow = Clock(now=lambda: NOW + timedelta(days=1), monotonic=lambda: 0.0, sleep=lambda seconds: None)
    (again,) = source(page, clock=tomorrow).pages(QUERY, first.cursor)
    assert {mention.created_at for mention in again.mentions} == {NOW}
    assert {(mention.raw or {})["date_from"] for mention in again.mentions} == {"fetch"}


def test_reviews_that_share_an_id_are_told_apart() -> None:
    found = mentions_on(linked([review(**{"@id": "#r"}), review(**{"@id": "#r", "reviewBody": "Caro"})]))
    assert len({mention.source_id for mention in found}) == 2


def test_the_same_review_on_another_page_has_the_same_key() -> None:
    item = items_of(read_markup(linked(review()).encode(), "", PAGE), PAGE)[0]
    elsewhere = {**item, "page": f"{PAGE}?pagina=2"}
    first_seen = FirstSeen({}, NOW)
    assert to_mention(item, PAGE, first_seen).source_id == to_mention(elsewhere, PAGE, first_seen).source_id


MICRODATA = """
<html lang="es"><div itemscope itemtype="http://schema.org/Product"><h1 itemprop="name">Café molido</h1>
 <div itemprop="review" itemscope itemtype="http://schema.org/Review">
  <b itemprop="name">Muy rico</b> por <span itemprop="author" itemscope itemtype="https://schema.org/Person">
   <span itemprop="name">Eva</span></span>
  <time itemprop="datePublished" datetime="2026-11-02">ayer</time>
  <span itemprop="reviewRating" itemscope itemtype="http://schema.org/Rating">
   <meta itemprop="worstRating" content="0"><span itemprop="ratingValue">9</span>/<i itemprop="bestRating">10</i></span>
  <p itemprop="reviewBody">Huele <b>bien</b>.<br>Volveré.</p>
 </div></div></html>
"""


def test_microdata_is_read_where_there_is_no_json() -> None:
    (mention,) = mentions_on(MICRODATA)
    assert (mention.title, mention.text, mention.place) == ("Muy rico", "Huele bien.\nVolveré.", "Café molido")
    assert (mention.rating, mention.lang) == (4.6, "es")
    assert mention.created_at == datetime(2026, 11, 2, tzinfo=UTC)
    assert mention.author == Author(id="tienda.example:Eva", handle="Eva", name="Eva")


def test_microdata_nested_without_end_is_no_way_to_bring_us_down() -> None:
    assert mentions_on('<div itemscope itemprop="x">' * 3000) == []
    assert mentions_on("<div itemscope>" + '<div itemscope itemprop="x">' * 3000) == []


def test_microdata_does_not_repeat_what_json_told() -> None:
    assert len(mentions_on(MICRODATA + linked(review()))) == 1


OLD = b'<script type="application/ld+json">{"@type": "Review", "reviewBody": "Caf\xe9"}</script>'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(linked(review(reviewBody="Café")).encode(), "text/html; charset=utf-8"), (OLD, "text/html; charset=nada"),
     (b'<meta charset="iso-8859-1">' + OLD, "text/html"), (OLD, "text/html; charset=windows-1252")],
)  # fmt: skip
def test_a_page_is_read_in_its_own_encoding(body: bytes, content_type: str) -> None:
    assert mentions_on(body, content_type)[0].text == "Café"


@pytest.mark.parametrize(
    ("told", "tag"), [("es_MX", "es-mx"), ({"alternateName": "pt"}, "pt"), ("español", None), (None, None), ("", None)]
)
def test_a_language_is_a_tag_or_nothing(told: Any, tag: str | None) -> None:
    assert language(told) == tag


ROBOTS = b"""# tienda
User-agent: otrobot
Disallow: /
User-agent: *
User-agent: mas
Disallow: /privado
Allow: /privado/opiniones
Disallow: /*?orden=
Disallow: /*.pdf$
Crawl-delay: 5
Sitemap: https://tienda.example/mapa.xml
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/", True), ("/privado/x", False), ("/privado/opiniones", True), ("/cafe?orden=precio", False), ("/a.pdf", False),
     ("/a.pdf?x", True), ("/priv%61do", False), ("/cafe?pagina=2", True)],
)  # fmt: skip
def test_the_longest_rule_of_robots_decides(path: str, allowed: bool) -> None:
    robots = read_robots(ROBOTS)
    assert robots.allows(f"https://tienda.example{path}") is allowed
    assert robots.delay == 5


def test_rules_for_escucha_take_the_place_of_those_for_all() -> None:
    robots = read_robots(b"User-agent: *\nDisallow: /\n\nUser-agent: Escucha/1.0\nDisallow:\n")
    assert robots.allows("https://a.example/x")
    assert not read_robots(b"user-agent: *\r\ndisallow: /\r\n").allows("https://a.example/x")
    assert read_robots(b"<html>no hay</html>").allows("https://a.example/x")


def test_a_page_that_robots_may_not_read_is_not_asked_for(tmp_path: Path) -> None:
    shop = SchemaOrgUpstream(tmp_path)
    shop.add(3)
    shop.robots = "User-agent: *\nDisallow: /cafe\n"
    with pytest.raises(Refused, match=r"tienda\.example asks programs not to read this page"):
        list(shop.source().pages(shop.query, None))
    assert [request.url.path for request in shop.requests] == ["/robots.txt"]


def test_a_next_page_that_robots_may_not_read_ends_the_reading(tmp_path: Path) -> None:
    shop = SchemaOrgUpstream(tmp_path)
    shop.add(25)
    shop.robots = "User-agent: *\nDisallow: /*?pagina=2\n"
    found = [mention for page in shop.source().pages(shop.query, None) for mention in page.mentions]
    assert len(found) == 10


def test_a_site_without_robots_is_read_and_one_that_is_down_is_tried_later(tmp_path: Path) -> None:
    shop = SchemaOrgUpstream(tmp_path)
    shop.add(3)
    shop.robots = None
    (page,) = shop.source().pages(shop.query, None)
    assert len(page.mentions) == 3
    shop.failure = (503, {"Retry-After": "9"})
    with pytest.raises(TryLater):
        list(shop.source().pages(shop.query, page.cursor))


def test_pages_that_have_not_changed_are_not_sent_again(tmp_path: Path) -> None:
    shop = SchemaOrgUpstream(tmp_path)
    shop.add(25)
    *_, last = shop.source().pages(shop.query, None)
    again = list(shop.source().pages(shop.query, last.cursor))
    assert [len(page.mentions) for page in again] == [0, 0, 0]
    assert all("if-none-match" in request.headers for request in shop.requests[-3:])
    shop.edit(shop.items[0], "Lumbre, corregido")
    changed = [mention.text for page in shop.source().pages(shop.query, again[-1].cursor) for mention in page.mentions]
    assert "Lumbre, corregido" in changed
    assert len(changed) == 5  # of the third page alone


def test_a_long_row_of_pages_takes_several_runs_and_ends(tmp_path: Path) -> None:
    shop = SchemaOrgUpstream(tmp_path)
    shop.add(600)
    read, runs = list(shop.source().pages(shop.query, None)), 1
    while read[-1].more:
        read, runs = [*read, *shop.source().pages(shop.query, read[-1].cursor)], runs + 1
    assert (runs, len(read)) == (5, 50)
    assert len({mention.source_id for page in read for mention in page.mentions}) == 500


@pytest.mark.parametrize("link", ["https://otro.example/2", "//otro.example/2", "javascript:alert(1)", "http://[x"])
def test_the_next_page_lies_on_the_same_host(link: str) -> None:
    assert read_markup(f'<a rel="next" href="{link}">más</a>'.encode(), "", PAGE).next is None


def test_a_page_that_leads_back_to_itself_is_read_once() -> None:
    page = httpx.Response(200, text=f'<link rel="next" href="#mas">{linked(review())}')
    assert len(list(source(page).pages(QUERY, None))) == 1


def test_a_page_without_markup_says_what_to_do_and_one_with_an_average_alone_is_fine() -> None:
    with pytest.raises(Refused, match=r"tienda\.example has no reviews in schema\.org form"):
        list(source(httpx.Response(200, text="<html>Hola</html>")).pages(QUERY, None))
    (page,) = source(httpx.Response(200, text=linked({"@type": "Product", "name": "Café"}))).pages(QUERY, None)
    assert (page.mentions, page.doubt) == ((), None)


def test_a_page_that_suddenly_shows_no_review_is_doubted() -> None:
    (page,) = source(httpx.Response(200, text=linked(review()))).pages(QUERY, None)
    (empty,) = source(httpx.Response(200, text="<html>Un momento…</html>")).pages(QUERY, page.cursor)
    assert empty.mentions == ()
    assert isinstance(empty.doubt, TryLater)


def test_older_reviews_than_a_first_reading_wants_are_left_out() -> None:
    page = httpx.Response(200, text=linked([review(), review(datePublished="2026-10-01", reviewBody="Viejo")]))
    (read,) = source(page).pages(replace(QUERY, since=datetime(2026, 10, 15, tzinfo=UTC)), None)
    assert [mention.text for mention in read.mentions] == ["Rico"]
    assert read.passed == 1


def test_a_query_is_the_address_of_a_page() -> None:
    assert address_of(" https://tienda.example/cafe?x=1#opiniones ") == "https://tienda.example/cafe?x=1"
    for text in ("", "tienda.example", "ftp://tienda.example/x", "https://", "https://a b", "http://[x"):
        with pytest.raises(Refused, match="https://tienda"):
            address_of(text)
