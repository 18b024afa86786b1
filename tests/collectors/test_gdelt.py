"""GDELT is asked by stretches of time; what it says in place of an answer is understood, copies are left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.clock import Clock
from collectors.gdelt import LANGUAGES, WINDOW, GdeltSource, address_key, read_query, repaired, tidy, to_mention
from collectors.http import WebOptions
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from tests.collectors.fakes import CLOCK, NOW, WEB, wire
from tests.collectors.fakes.gdelt import GdeltUpstream

HOSTS = count()
ARTICLE = {
    "url": "https://www.diario.example/economia/lumbre.html?utm_medium=x#top", "title": "Lumbre abre , otra vez ( ya )",
    "seendate": "20261120T031500Z", "domain": "diario.example", "language": "Spanish", "sourcecountry": "Mexico",
    "socialimage": "", "url_mobile": "",
}  # fmt: skip


def gdelt(folder: Path, number: int = 0) -> GdeltUpstream:
    made = GdeltUpstream(folder)
    made.add(number)
    return made


def asked_of(*answers: httpx.Response) -> GdeltSource:
    """The source with these answers, of a host of its own: a pause that one asks for holds for no other test."""
    left = iter(answers)
    transport = httpx.MockTransport(lambda request: wire(next(left)))
    there = {"base_url": f"https://gdelt-{next(HOSTS)}.example"}
    return GdeltSource(web=WEB, keys=there, transport=transport, clock=CLOCK)


def said(text: str, status: int = 200) -> httpx.Response:
    return httpx.Response(status, text=text, headers={"content-type": "text/html; charset=utf-8"})


def found(*articles: Any) -> httpx.Response:
    return httpx.Response(200, json={"articles": list(articles)})


def test_an_article_is_mapped_as_the_fact_sheet_says() -> None:
    mention = to_mention(ARTICLE)
    assert (mention.source_id, mention.kind) == ("diario.example/economia/lumbre.html", "article")
    assert (mention.title, mention.text) == ("Lumbre abre, otra vez (ya)", "Lumbre abre, otra vez (ya)")
    assert (mention.lang, mention.place) == ("es", "Mexico")
    assert mention.created_at == datetime(2026, 11, 20, 3, 15, tzinfo=UTC)
    assert mention.raw is not None
    assert mention.raw["date_from"] == "seen"
    assert mention.author is not None
    assert (mention.author.name, mention.author.followers) == ("diario.example", None)


@pytest.mark.parametrize(("language", "code"), [("Portuguese", "pt"), ("Klingon", None), ("", None)])
def test_the_names_of_languages_become_codes(language: str, code: str | None) -> None:
    assert to_mention({**ARTICLE, "language": language}).lang == code


def test_every_language_has_a_code_of_its_own() -> None:
    assert len(set(LANGUAGES.values())) == len(LANGUAGES)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://www.X.example/a/?fbclid=1&id=7", "x.example/a?id=7"),
        ("https://x.example/a?id=7#c", "x.example/a?id=7"),
        ("https://x.example/A", "x.example/A"),
    ],
)
def test_one_article_has_one_key_however_it_is_linked(url: str, key: str) -> None:
    assert address_key(url) == key


def test_titles_lose_the_spaces_around_punctuation() -> None:
    assert tidy("¿ Lumbre ? Sí , &amp; no .") == "¿Lumbre? Sí, & no."


def test_copies_of_an_article_on_one_day_are_counted_as_left_out() -> None:
    copy = {**ARTICLE, "url": "https://otro.example/1", "domain": "otro.example", "seendate": "20261120T090000Z"}
    day_after = {**copy, "url": "https://otro.example/2", "seendate": "20261121T090000Z"}
    (page,) = asked_of(found(day_after, copy, ARTICLE)).pages(Query(text="lumbre"), None)
    assert [mention.source_id for mention in page.mentions] == ["otro.example/2", "otro.example/1"]
    assert page.passed == 1


def test_an_answer_at_the_limit_is_followed_by_what_is_older(tmp_path: Path) -> None:
    server = gdelt(tmp_path, 280)
    pages = list(server.source().pages(server.query, None))
    first, second = [request.url.params for request in server.requests]
    assert (first["mode"], first["maxrecords"], first["sort"]) == ("artlist", "250", "datedesc")
    assert first["query"] == '"café lumbre" sourcelang:spanish'
    assert first["startdatetime"] == "20261023120000"
    edge = server.articles[30]["seendate"]
    assert second["enddatetime"] == datetime.strftime(to_mention(server.articles[30]).created_at + timedelta(seconds=1),
                                                      "%Y%m%d%H%M%S")  # fmt: skip
    assert edge.startswith(second["enddatetime"][:8])
    assert pages[-1].covers is not None
    assert pages[-1].covers.start == NOW - timedelta(days=30)


def test_a_moment_with_more_articles_than_an_answer_holds_is_read_from_both_ends(tmp_path: Path) -> None:
    server = gdelt(tmp_path, 3)
    server.add(450, together=True)
    server.add(2)
    pages = list(server.source().pages(server.query, None))
    assert {mention.source_id for page in pages for mention in page.mentions} == set(server.items)
    assert pages[-1].covers is not None
    assert pages[-1].covers.start == NOW - timedelta(days=30)


def test_where_both_ends_do_not_meet_the_hole_is_told(tmp_path: Path) -> None:
    server = gdelt(tmp_path, 3)
    server.add(600, together=True)
    pages = list(server.source().pages(server.query, None))
    assert pages[-1].covers is not None
    assert pages[-1].covers.start == to_mention(server.articles[3]).created_at
    assert server.items[0] in {mention.source_id for mention in pages[-1].mentions}


def test_a_short_time_is_widened_for_gdelt_refuses_it(tmp_path: Path) -> None:
    server = gdelt(tmp_path, 3)
    query = replace(server.query, since=NOW - timedelta(minutes=5))
    (page,) = server.source().pages(query, None)
    assert server.requests[0].url.params["startdatetime"] == "20261122100001"
    assert page.mentions == ()


def test_nothing_older_than_its_window_is_asked_for_or_promised(tmp_path: Path) -> None:
    server = gdelt(tmp_path, 3)
    (page,) = server.source().pages(replace(server.query, since=NOW - timedelta(days=400)), None)
    assert page.covers is not None
    assert NOW - WINDOW < page.covers.start < NOW - WINDOW + timedelta(days=1)
    assert server.requests[0].url.params["startdatetime"] > "20260824120000"


def test_an_empty_answer_is_an_object_without_articles() -> None:
    (page,) = asked_of(httpx.Response(200, text="{}\n")).pages(Query(text="lumbre"), None)
    assert (page.mentions, page.doubt) == ((), None)


def test_nothing_where_something_was_is_doubted(tmp_path: Path) -> None:
    server = gdelt(tmp_path, 3)
    server.articles[-1]["seendate"] = "20261122T113000Z"
    *_, last = server.source().pages(server.query, None)
    server.articles.clear()
    (page,) = server.source().pages(server.query, last.cursor)
    assert page.doubt is not None


@pytest.mark.parametrize(
    "sentence",
    [
        "The specified phrase is too short.",
        "One or more of your keywords were too short, too long or too common: (de)",
        "Queries containing OR'd terms must be surrounded by ().",
        "Parentheses may only be used around OR'd statements.",
        "Your query was too short or too long.",
    ],
)
def test_what_is_wrong_with_a_query_is_said_in_gdelts_words(sentence: str) -> None:
    with pytest.raises(Refused) as caught:
        list(asked_of(said(f"{sentence}\n")).pages(Query(text="de la"), None))
    assert sentence in str(caught.value)


@pytest.mark.parametrize("text", ["<html><body>Invalid query? No: busy</body></html>", "Service unavailable", ""])
def test_any_other_sentence_passes_by_itself(text: str) -> None:
    with pytest.raises(TryLater, match="could not answer"):
        list(asked_of(said(text)).pages(Query(text="lumbre"), None))


@pytest.mark.parametrize("status", [200, 429])
def test_the_wish_for_fewer_requests_comes_under_either_status(status: int) -> None:
    wish = "Please limit requests to one every 5 seconds or contact kalev@example.org for larger queries."
    with pytest.raises(TryLater, match="slow down") as caught:
        list(asked_of(said(wish, status)).pages(Query(text="lumbre"), None))
    assert caught.value.after == 60


def test_requests_are_five_seconds_apart_whatever_the_settings_say(tmp_path: Path) -> None:
    slept: list[float] = []
    clock = Clock(now=lambda: NOW, monotonic=lambda: 0.0, sleep=slept.append)
    server = gdelt(tmp_path, 280)
    web = WebOptions(pace=1.0, shared=str(tmp_path / "pace"))
    list(GdeltSource(web=web, keys={}, transport=server.transport(), clock=clock).pages(server.query, None))
    assert slept == [pytest.approx(5.1)]


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (rb'{"title":"Caf\e9 Lumbre"}', "Cafe9 Lumbre"),
        (rb'{"title":"C:\\e \"Lumbre\" \u00e9 \u12"}', 'C:\\e "Lumbre" é u12'),
        (b'{"title":"Lumbre\tdos"}', "Lumbre\tdos"),
        (b'{"title":"Caf\xe9"}', "Caf\ufffd"),
    ],
)
def test_broken_json_is_repaired(body: bytes, title: str) -> None:
    assert repaired(body) == {"title": title}


def test_json_that_broke_off_is_tried_later() -> None:
    with pytest.raises(TryLater, match="cannot be read"):
        repaired(b'{"articles": [{"url"')


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ('"cafés lumbre" country:ES lang:es', '"cafés lumbre" sourcecountry:SP sourcelang:spanish'),
        ("lumbre country:cl", "lumbre sourcecountry:CI"),
        ('"lumbre"', "lumbre"),
        ('lumbre OR "cafés lumbre" country:MX', '(lumbre OR "cafés lumbre") sourcecountry:MX'),
        ("(lumbre OR brasa) lang:pt", "(lumbre OR brasa) sourcelang:portuguese"),
        ('lumbre domainis:elpais.com near5:"café frío"', 'lumbre domainis:elpais.com near5:"café frío"'),
        ('  "cafés   lumbre" ', '"cafés lumbre"'),
    ],
)
def test_a_query_is_written_as_gdelt_wants_it(text: str, asked: str) -> None:
    assert read_query(text) == asked


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Write the words"),
        ("country:MX", "Write the words"),
        ("lumbre country:ZZ", "country ZZ is not known here"),
        ("lumbre lang:xx", "language xx is not known here"),
        ("lumbre domain:el-pais.com", "dash in it"),
    ],
)
def test_any_other_query_says_how_to_write_it(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read_query(text)


def test_the_handmade_sentence_and_answers_are_understood(shared: Path) -> None:
    folder = shared / "upstream/gdelt/handmade"
    with pytest.raises(Refused, match="phrase is too short"):
        list(asked_of(said((folder / "bad-query-200.html").read_text("utf-8"))).pages(Query(text="lumbre"), None))
    answer = httpx.Response(200, content=(folder / "artlist.json").read_bytes())
    (page,) = asked_of(answer).pages(Query(text="lumbre"), None)
    assert [mention.title for mention in page.mentions] == [
        "Cafés Lumbre abre 12 tiendas en México", "Retiran un lote de café molido, avisan las autoridades",
    ]  # fmt: skip
