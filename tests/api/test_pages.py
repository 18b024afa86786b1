"""The pages show what was heard, safely, in the reader's language, and every number leads to its mentions."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from starlette.testclient import TestClient

from api.dashboard.highlight import highlight
from api.dashboard.overview import bucket
from escucha.query.about import terms_of
from escucha.query.parse import parse
from store import brands, mentions
from store.engine import Store
from tests.api.conftest import Open, days_ago, say
from tests.make import NOW, brand, mention

PAGES = ["/", "/journey", "/mentions", "/sources", "/sources/add", "/rules", "/relevance", "/learning",
         "/jobs", "/data"]


def page(client: TestClient, path: str, status: int = 200) -> HTMLParser:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return HTMLParser(answer.text)


def words(tree: HTMLParser, selector: str) -> str:
    return " ".join(" ".join(node.text().split()) for node in tree.css(selector))


def behind(client: TestClient, href: str) -> int:
    """How many mentions a link leads to."""
    found = re.search(r"\d+", words(page(client, href), ".headline p"))
    assert found
    return int(found.group())


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_in_spanish_first_and_in_english_on_request(client: TestClient, path: str) -> None:
    assert page(client, path).css_first("html").attributes["lang"] == "es"
    english = page(client, f"{path}?ui=en")
    assert english.css_first("html").attributes["lang"] == "en"
    assert "Overview" in words(english, "nav")
    assert "Overview" in words(page(client, path), "nav"), "the choice is remembered"


@pytest.mark.parametrize("path", PAGES)
def test_without_a_brand_every_page_says_how_to_begin(opened: Open, sqlite_store: Store, path: str) -> None:
    assert len(page(opened(sqlite_store), path).css(".welcome li")) == 3


@pytest.mark.parametrize("path", PAGES)
def test_sample_data_are_marked_and_can_be_removed_from_every_page(client: TestClient, path: str) -> None:
    tree = page(client, path)
    assert "Datos de ejemplo" in words(tree, ".sample")
    assert tree.css_first(".sample form").attributes["action"] == "/sample/remove"


def test_a_brand_of_ones_own_is_not_marked_and_comes_first(opened: Open, filled: Store) -> None:
    with filled.write() as session:
        brands.add(session, brand("propia"))
    tree = page(opened(filled), "/")
    assert words(tree, ".brand summary") == "Propia"
    assert not tree.css(".sample")


def test_posts_are_escaped_and_their_links_are_only_web_links(client: TestClient) -> None:
    answer = client.get("/mentions?q=cafe")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; <mark>café</mark>" in answer.text
    assert "javascript:" not in answer.text
    outward = HTMLParser(answer.text).css("a.out")
    assert outward
    assert all(link.attributes["rel"] == "noopener nofollow ugc" for link in outward)


def test_a_chart_cannot_be_broken_out_of(opened: Open, sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        brands.add(session, brand("x", aliases=()))
    say(sqlite_store, "x", days_ago(1, "1"), sentiment="negative")
    text = opened(sqlite_store).get("/?q=%3C/script%3E%3Cb%3Ecaf%C3%A9").text
    assert "</script><b>" not in text


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("Café con leche", "CAFE", "<mark>Café</mark> con leche"),
        ("año <b>", "ano", "año &lt;b&gt;"),
        ("a & b", 'raw:"&"', "a &amp; b"),
        ("ﬁn de semana", "fin", "<mark>ﬁn</mark> de semana"),
        ("uno dos uno", "uno dos", "<mark>uno</mark> <mark>dos</mark> <mark>uno</mark>"),
        ("uno dos uno", '"uno dos"', "<mark>uno dos</mark> uno"),
        ("uno dos tres", '"uno dos" OR "dos tres"', "<mark>uno dos tres</mark>"),
        ("cafetería, café", "caf*", "<mark>cafetería</mark>, <mark>café</mark>"),
        ("café y té", "café -té", "<mark>café</mark> y té"),
        ("descafeinado", "cafe", "descafeinado"),
        ("(a+)", "(a)", "(<mark>a</mark>+)"),
        ("¡C++!", "raw:C++", "¡<mark>C</mark>++!"),
        ("☕☕ ya", "☕", "<mark>☕</mark><mark>☕</mark> ya"),
        ("nada", None, "nada"),
    ],
)
def test_searched_words_are_marked_in_their_own_spelling(text: str, query: str | None, expected: str) -> None:
    assert str(highlight(text, terms_of(parse(query)) if query else ())) == expected


def test_the_overview_shows_each_change_with_both_values(client: TestClient) -> None:
    tree = page(client, "/?brand=lumbre&period=28d")
    first, net, negative = (" ".join(card.text().split()) for card in tree.css(".figure"))
    assert "▲ +150 %" in first
    assert "de 2 a 5" in first
    assert "de 0 a +40" in net
    assert "+40 pts" in net
    assert "▼ −30 pp" in negative
    assert "de 50 % a 20 %" in negative


def test_no_change_is_claimed_where_listening_had_not_begun(client: TestClient) -> None:
    assert words(page(client, "/?period=90d"), ".figure .change").count("sin datos anteriores") == 3


def test_a_figure_with_little_behind_it_is_grey_and_says_its_n(client: TestClient) -> None:
    assert words(page(client, "/?period=28d"), ".figure .n.thin").startswith("n=5")


@pytest.mark.parametrize("path", ["/?brand=lumbre", "/journey?brand=lumbre&period=all"])
def test_every_number_leads_to_as_many_mentions(client: TestClient, path: str) -> None:
    tree, checked = page(client, path), 0
    for link in tree.css("a.big, .tallies a, .ranked td a, details.twin td a"):
        number = re.findall(r"\d+", link.text())[-1]
        assert behind(client, str(link.attributes["href"])) == int(number), link.html
        checked += 1
    assert checked >= 8


def test_every_mark_of_a_chart_leads_to_its_mentions_and_has_a_table_twin(client: TestClient) -> None:
    tree = page(client, "/?brand=lumbre")
    marks = re.findall(r'"href": ?"(/mentions[^"]+)", "low": ?\d+, "n": ?(\d+)', tree.css_first(".chart script").text())
    links = [(link.attributes["href"], link.text()) for link in tree.css("details.twin td:not(:nth-child(2)) a")]
    assert sorted((href.replace("\\u0026", "&"), n) for href, n in marks) == sorted(links)
    assert all(behind(client, str(href)) == int(n) for href, n in links)


def test_the_map_has_every_stage_with_goal_and_owner_even_without_mentions(client: TestClient) -> None:
    tree = page(client, "/journey")
    assert len(tree.css(".map thead th")) == 6
    assert "Elegir la solución" in words(tree, ".map td")
    assert "2 sin etapa" in words(tree, ".headline")


def test_filters_in_force_are_chips_with_their_way_out(client: TestClient) -> None:
    chips = page(client, "/mentions?brand=lumbre&sentiment=positive&q=cafe").css(".chips a")
    assert [chip.attributes["href"] for chip in chips] == [
        "/mentions?brand=lumbre&q=cafe", "/mentions?brand=lumbre&sentiment=positive"]


def test_an_empty_page_says_which_filter_to_drop(client: TestClient) -> None:
    tree = page(client, "/mentions?brand=lumbre&sentiment=negative&lang=en")
    ways = {link.text(): link.attributes["href"] for link in tree.css(".empty li a")}
    assert ways["Quitar el filtro «Sentimiento»"] == "/mentions?brand=lumbre&lang=en"
    assert ways["Quitar el filtro «Idioma»"] == "/mentions?brand=lumbre&sentiment=negative"


def test_mentions_go_on_to_the_next_page(opened: Open, sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        lumbre = brands.add(session, brand())
        said = [days_ago(number / 10, str(number)) for number in range(1, 36)]
        mentions.save(session, lumbre, said, NOW)
    client = opened(sqlite_store)
    first = page(client, "/mentions")
    onward = first.css_first(".pager a[rel=next]").attributes["href"]
    second = page(client, str(onward))
    ids = [card.attributes["id"] for tree in (first, second) for card in tree.css("article.mention")]
    assert (len(first.css("article.mention")), len(ids), len(set(ids))) == (30, 35, 35)


def test_mentions_that_wait_for_their_tags_are_announced(opened: Open, filled: Store) -> None:
    with filled.write() as session:
        mentions.save(session, brands.get(session, "lumbre"), [days_ago(0.1, "new")], NOW)
    assert "1 mención espera sus etiquetas" in words(page(opened(filled), "/"), ".notice")


def test_the_stamp_says_how_far_the_data_go(opened: Open, sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        lumbre = brands.add(session, brand(timezone="America/Mexico_City"))
        mentions.save(session, lumbre, [mention(created_at=NOW - timedelta(minutes=18))], NOW)
    assert words(page(opened(sqlite_store), "/"), ".stamp") == "Datos hasta 11:42"


@pytest.mark.parametrize(
    ("path", "status"), [("/nope", 404), ("/?brand=nope", 404), ("/?stage=nope", 422), ("/?from=zzz", 422),
                         ("/mentions?after=zzz", 422), ("/?from=2026-11-02&to=2026-11-01", 422)],
)
def test_a_wrong_address_gets_a_page_that_says_so(client: TestClient, path: str, status: int) -> None:
    assert words(page(client, path, status), ".empty h1") == "Algo no está bien"


def test_no_page_carries_inline_styles_or_scripts(client: TestClient) -> None:
    for path in PAGES:
        text = client.get(path).text
        assert not re.search(r"\sstyle=|\son\w+=|<style", text)
        assert all("src" in node.attributes or node.attributes.get("type") == "application/json"
                   for node in HTMLParser(text).css("script"))


@pytest.mark.parametrize("path", ["/?brand=lumbre", "/journey?brand=lumbre"])
def test_each_chart_is_valid_vega_lite_and_its_marks_lead_somewhere(client: TestClient, path: str) -> None:
    import altair

    (embedded,) = page(client, path).css("script[type='application/json']")
    spec = json.loads(embedded.text())
    altair.Chart.from_dict(spec, validate=True)
    assert re.findall(r'"href": "/mentions\?[^"]+"', json.dumps(spec))


@pytest.mark.parametrize(
    ("first", "last", "every"),
    [("2026-11-01", "2026-11-20", "day"), ("2026-01-01", "2026-11-20", "week"), ("2015-02-01", "2026-11-20", "month")],
)
def test_a_chart_has_as_many_bars_as_one_can_see(first: str, last: str, every: str) -> None:
    span = date.fromisoformat(first), date.fromisoformat(last)
    assert bucket(span, None) == every
    assert bucket((None, None), span) == every, "an open period is bounded by what was heard"
