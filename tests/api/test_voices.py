"""Share of voice compares a brand with its rivals, counted alike, and a repeated text once."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from store import brands, mentions, rollups
from store.engine import Store
from store.tables import MentionRow
from tests.api.conftest import Open, days_ago
from tests.make import NOW, brand


@pytest.fixture
def compared(sqlite_store: Store) -> Store:
    """Lumbre with eight mentions, four of which repeat one; its rival Brasa with five; a third that nobody compares."""
    with sqlite_store.write() as session:
        lumbre = brands.add(session, brand("lumbre", rivals=("brasa", "unheard")))
        brasa, other = brands.add(session, brand("brasa")), brands.add(session, brand("otra"))
        mentions.save(session, lumbre, [days_ago(1, str(n), f"Lumbre {n}") for n in range(8)], NOW)
        mentions.save(session, brasa, [days_ago(1, str(n), f"Brasa {n}") for n in range(5)], NOW)
        mentions.save(session, other, [days_ago(1, str(n), f"Otra {n}") for n in range(9)], NOW)
        with rollups.kept(session, [1, 2, 3, 4, 5]):
            session.execute(update(MentionRow).where(MentionRow.id.in_([2, 3, 4, 5])).values(copy=True, cluster_id=1))
    return sqlite_store


@pytest.fixture
def reader(opened: Open, compared: Store) -> TestClient:
    return opened(compared)


def test_a_repeated_text_counts_once_and_only_rivals_are_compared(reader: TestClient) -> None:
    items = reader.get("/api/v1/share-of-voice?brand=lumbre").json()["items"]
    counted = [(one["brand"], one["share"]["count"], one["share"]["n"]) for one in items]
    assert counted == [("brasa", 5, 9), ("lumbre", 4, 9)]
    first = items[0]["share"]
    assert first["share"] == pytest.approx(5 / 9)
    assert first["low"] < first["share"] < first["high"]


def test_all_are_counted_under_the_same_filters(reader: TestClient) -> None:
    items = reader.get("/api/v1/share-of-voice?brand=lumbre&q=brasa").json()["items"]
    assert {one["brand"]: one["share"]["count"] for one in items} == {"brasa": 5, "lumbre": 0}


def test_without_a_rival_that_is_listened_to_there_is_no_share(reader: TestClient) -> None:
    assert reader.get("/api/v1/share-of-voice?brand=otra").json() == {"items": []}
    assert reader.get("/api/v1/share-of-voice?brand=nadie").status_code == 404


def test_the_overview_shows_it(reader: TestClient) -> None:
    assert "Cuota de voz" in reader.get("/?brand=lumbre&ui=es").text
    assert "Cuota de voz" not in reader.get("/?brand=otra&ui=es").text
