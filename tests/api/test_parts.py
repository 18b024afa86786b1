"""A mention's parts are marked where they stand, and told in words below."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.dashboard.labels import Labels
from api.dashboard.parts import Told, marked, told
from api.i18n import Reader
from config.catalogue import read_catalogue
from escucha.enrichment import Label, Part
from escucha.query.tree import Phrase
from store import brands, enrichments, mentions
from store.engine import Store
from tests import make
from tests.api.conftest import Client, Open

TEXT = "Comida rica, entrega <b>lenta</b>"
GOOD = Part(start=0, end=11, sentiment=Label("positive", 0.9), pain=Label("none", 0.8), touchpoint=Label("none", 0.4))
BAD = Part(start=13, end=33, sentiment=Label("negative", 0.9), pain=Label("inefficiency", 0.8),
           touchpoint=Label("delivery", 0.9))


@pytest.fixture(scope="module")
def labels() -> Labels:
    return Labels(Reader("en"), read_catalogue())


def test_parts_are_marked_and_all_is_escaped() -> None:
    assert marked(TEXT, 0, (GOOD, BAD), None) == (
        '<mark class="part positive">Comida rica</mark>, '
        '<mark class="part negative">entrega &lt;b&gt;lenta&lt;/b&gt;</mark>'
    )


def test_a_title_and_a_text_get_the_parts_that_are_theirs() -> None:
    across = Part(start=3, end=9, sentiment=Label("neutral", 0.9))
    assert marked("Pésimo", 0, (across,), None) == 'Pés<mark class="part neutral">imo</mark>'
    assert marked("La app", 7, (across,), None) == '<mark class="part neutral">La</mark> app'
    assert marked("Pésimo", 0, (Part(start=7, end=13),), None) == "Pésimo"


def test_searched_words_are_marked_within_parts() -> None:
    assert marked("Comida rica", 0, (GOOD,), (Phrase(("rica",)),)) == (
        '<mark class="part positive">Comida <mark>rica</mark></mark>'
    )


def test_parts_that_overlap_or_lie_beyond_the_text_do_no_harm() -> None:
    shown = marked("Comida", 0, (GOOD, Part(start=3, end=8), Part(start=90, end=99)), ())
    assert shown == '<mark class="part positive">Comida</mark>'


def test_each_part_is_told_once_by_its_touchpoint_or_its_own_words(labels: Labels) -> None:
    assert told(TEXT, (GOOD, BAD, BAD), labels) == [
        Told("“Comida rica”", "positive", ""), Told("Delivery", "negative", "Inefficiency"),
    ]


def test_long_words_of_a_part_are_cut_between_words(labels: Labels) -> None:
    text = "La verdad es que nunca nadie me supo decir qué pasaba"
    (only,) = told(text, (Part(start=0, end=len(text)),), labels)
    assert only == Told("“La verdad es que nunca nadie me supo…”", "", "")


@pytest.fixture
def mixed(opened: Open, sqlite_store: Store) -> Client:
    """One mention with a title, whose text praises and blames."""
    with sqlite_store.write() as session:
        brand = brands.add(session, make.brand())
        mentions.save(session, brand, [make.mention("1", TEXT, title="Rico")], make.NOW)
        (waiting,) = enrichments.claim(session, 1, make.NOW)
        moved = (replace(part, start=part.start + 5, end=part.end + 5) for part in (GOOD, BAD))
        enrichments.save(session, [(waiting, replace(make.understood(), parts=tuple(moved)))], make.NOW)
    return opened(sqlite_store)


def test_the_api_gives_the_parts_with_the_mention(mixed: Client) -> None:
    (item,) = mixed.get("/api/v1/mentions").json()["items"]
    first, second = item["enrichment"]["parts"]
    assert second == {
        "start": 18, "end": 38, "sentiment": {"label": "negative", "score": 0.9},
        "pain": {"label": "inefficiency", "score": 0.8}, "touchpoint": {"label": "delivery", "score": 0.9},
    }  # fmt: skip
    read = f"{item['mention']['title']}\n{item['mention']['text']}"
    assert read[first["start"] : first["end"]] == "Comida rica"
    assert mixed.get(f"/api/v1/mentions/{item['id']}").json() == item


def test_the_page_marks_the_parts_in_the_text_below_the_title(mixed: Client) -> None:
    page = mixed.get("/mentions?period=all&ui=es").text
    assert "<h3>Rico</h3>" in page
    assert '<mark class="part positive">Comida rica</mark>, <mark class="part negative">entrega &lt;b&gt;' in page
    below = page.partition('<ul class="parts"')[2].partition("</ul>")[0]
    assert all(word in below for word in ("Entrega", "Negativo", "Ineficiencia"))
