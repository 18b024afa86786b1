"""The three readings of a query agree: in memory, in SQLite's full-text index, and in PostgreSQL's."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from escucha.query.reading import Reading
from escucha.query.tree import Query
from store.engine import Store
from tests.corpus import Asked, corpus, filled, meant, queries

EXAMPLES, MENTIONS, SEED = 400, 160, 5


def test_memory_and_the_store_find_the_same(store: Store) -> None:
    filled(store, corpus(MENTIONS, SEED), SEED)
    asked = Asked(store)
    readings = [(item.id, Reading.of(item)) for item in asked.everything()]
    assert len(readings) == MENTIONS
    some = 0

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(queries)
    def agree(query: Query) -> None:
        nonlocal some
        expected = meant(query, readings)
        some += 0 < len(expected) < MENTIONS
        assert asked.ids(query) == expected

    agree()
    assert some > EXAMPLES / 3  # most queries tell mentions apart
