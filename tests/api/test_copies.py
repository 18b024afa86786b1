"""The list tells how many say the same, and shows or counts them once where that is asked for."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from pipeline.duplicates import group_waiting
from pipeline.pool import Inline
from store.engine import Store
from tests.api.conftest import Open, days_ago, say

SYNDICATED = "Lumbre abre su primera cafetería en Monterrey y anuncia otras tres para el año próximo"


@pytest.fixture
def copied(filled: Store, opened: Open) -> TestClient:
    """The filled store, in which four say the same, with news of three outlets, one long ago, and two like praises."""
    for days, text in ((6, SYNDICATED), (7, f"{SYNDICATED} https://a.invalid"), (120, SYNDICATED)):
        say(filled, "lumbre", days_ago(days, f"s{days}", text), sentiment="neutral")
    for number in "12":
        say(filled, "lumbre", days_ago(8, f"p{number}", "Lo recomiendo muchísimo"), sentiment="positive")
    group_waiting(filled, Inline())
    return opened(filled)


def total(page: str) -> int:
    found = re.search(r'role="status">(\d+) ', page)
    assert found
    return int(found[1])


def test_a_card_tells_how_many_say_the_same_and_links_to_them(copied: TestClient) -> None:
    page = copied.get("/mentions?brand=lumbre&q=Monterrey&lang=es&ui=en").text
    links = re.findall(r'class="alike" href="([^"]+)">([^<]+)<', page)
    assert [said for _, said in links] == ["+2 the same", "+2 the same"]
    shown = copied.get(links[0][0].replace("&amp;", "&")).text
    assert total(shown) == 3
    assert shown.count("Monterrey") >= 3
    assert 'class="alike"' not in shown


def test_one_copy_is_told_in_the_singular(copied: TestClient) -> None:
    assert "+1 the same<" in copied.get("/mentions?brand=lumbre&q=recomiendo&ui=en").text


def test_copies_are_counted_and_shown_once_on_demand(copied: TestClient) -> None:
    every, once = (copied.get(f"/mentions?brand=lumbre&period=all{how}").text for how in ("", "&copies=once"))
    assert (total(every), total(once)) == (13, 7)
    assert "copies=once" in every
    assert every.count('<article class="mention"') == 13
    assert once.count('<article class="mention"') == 7


def test_the_api_takes_both_and_refuses_nonsense(copied: TestClient) -> None:
    found = copied.get("/api/v1/mentions?brand=lumbre&copies=once&q=Monterrey").json()["items"]
    assert [one["cluster"] for one in found] == [found[0]["id"]]
    assert len(copied.get(f"/api/v1/mentions?brand=lumbre&cluster={found[0]['id']}").json()["items"]) == 3
    assert copied.get("/api/v1/mentions?brand=lumbre&copies=twice").status_code == 422
    assert copied.get("/api/v1/mentions?brand=lumbre&cluster=0").status_code == 422
    assert copied.get("/api/v1/mentions?brand=lumbre&cluster=99999").json()["items"] == []


def test_the_choice_is_a_chip_with_a_way_out(copied: TestClient) -> None:
    page = copied.get("/mentions?brand=lumbre&copies=once&ui=en").text
    assert re.search(r'href="/mentions\?brand=lumbre"[^>]*><span>Copies:</span> only once', page)
