"""A small store of mentions behind the real application, at a fixed time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from config.settings import Settings
from escucha.mention import Mention
from store import brands, enrichments, mentions
from store.engine import Store
from tests.make import NOW, brand, mention, understood

Client = TestClient
Open = Callable[[Store], TestClient]


def say(store: Store, slug: str, said: Mention, **labels: str) -> None:
    """Something is heard about a brand, and understood at once."""
    with store.write() as session:
        mentions.save(session, brands.get(session, slug), [said], NOW)
        claimed = enrichments.claim(session, 10, NOW)
        enrichments.save(session, [(waiting, understood(**labels)) for waiting in claimed], NOW)


def days_ago(days: float, number: str, text: str = "El café llegó frío", **changes: object) -> Mention:
    return mention(number, text, created_at=NOW - timedelta(days=days), **changes)


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens the application on a store, as a browser on localhost sees it."""
    clients: list[TestClient] = []

    def open_client(store: Store) -> TestClient:
        app = create_app(Settings(), store, clock=lambda: NOW)
        clients.append(TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def filled(sqlite_store: Store) -> Store:
    """One brand with five mentions in the last 28 days and two in the 28 before."""
    with sqlite_store.write() as session:
        brands.add(session, brand("lumbre", rivals=("nebula",), sample=True))
        brands.add(session, brand("nebula", sample=True))
    crisis = {"sentiment": "negative", "stage": "purchase", "pain": "problem"}
    say(sqlite_store, "lumbre", days_ago(1, "1"), touchpoint="delivery", **crisis)
    say(sqlite_store, "lumbre", days_ago(2, "2", "Qué rico café"), sentiment="positive", stage="advocacy")
    say(sqlite_store, "lumbre", days_ago(3, "3", "¿Alguien lo conoce?"), sentiment="neutral", stage="awareness")
    say(sqlite_store, "lumbre", days_ago(4, "4", "Nice coffee", source="reddit"), sentiment="positive", lang="en")
    attack = days_ago(5, "5", "<script>alert(1)</script> café", url="javascript:alert(1)")
    say(sqlite_store, "lumbre", attack, sentiment="positive")
    say(sqlite_store, "lumbre", days_ago(30, "6"), **crisis)
    say(sqlite_store, "lumbre", days_ago(40, "7"), sentiment="positive", stage="purchase")
    say(sqlite_store, "lumbre", days_ago(90, "8"), sentiment="positive", stage="retention")
    return sqlite_store


@pytest.fixture
def client(opened: Open, filled: Store) -> TestClient:
    """The application on the filled store."""
    return opened(filled)
