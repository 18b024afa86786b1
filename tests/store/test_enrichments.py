"""What waits is claimed once, what fails is set aside, and no mention is left half tagged."""

from __future__ import annotations

from datetime import timedelta

import pytest

from escucha.brand import Brand
from escucha.filter import MentionFilter
from store import brands, enrichments, mentions, metrics
from store.engine import Store
from store.enrichments import LEASE, MAX_TRIES, Pending
from tests import make


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        brand = brands.add(session, make.brand())
        mentions.save(session, brand, [make.mention(str(i), f"texto {i}") for i in range(5)], make.NOW)
    return brand


def claim(store: Store, n: int = 10, later: timedelta = timedelta()) -> list[Pending]:
    with store.write() as session:
        return enrichments.claim(session, n, make.NOW + later)


def states(store: Store) -> list[str]:
    with store.read() as session:
        found = mentions.find(session, MentionFilter()).items
    return [item.state for item in sorted(found, key=lambda item: item.id)]


def test_nobody_claims_what_another_has_until_its_lease_ends(store: Store, lumbre: Brand) -> None:
    first = claim(store, 3)
    second = claim(store)
    assert [p.enrichment.text for p in first + second] == [f"texto {i}" for i in range(5)]
    assert claim(store) == []
    assert len(claim(store, later=LEASE + timedelta(seconds=1))) == 5


def test_labels_versions_and_vectors_are_saved_whole(store: Store, lumbre: Brand) -> None:
    (pending,) = claim(store, 1)
    with store.write() as session:
        enrichments.save(session, [(pending, make.understood(stage="advocacy", pain="problem"))], make.NOW)
    with store.read() as session:
        found = mentions.get(session, pending.id)
    assert found.state == "done"
    assert (found.enrichment.stage, found.enrichment.pain) == (make.Label("advocacy", 0.9), make.Label("problem", 0.9))
    assert found.enrichment.versions == {"test": "1"}
    assert found.enrichment.emotion is None


def test_a_mention_edited_while_it_was_tagged_goes_on_waiting(store: Store, lumbre: Brand) -> None:
    (pending,) = claim(store, 1)
    with store.write() as session:
        mentions.save(session, lumbre, [make.mention("0", "texto corregido")], make.NOW)
        enrichments.save(session, [(pending, make.understood())], make.NOW)
    assert states(store)[0] == "pending"
    assert [p.enrichment.text for p in claim(store, 1)] == ["texto corregido"]


def test_a_text_that_fails_is_set_aside_with_a_note_and_the_rest_go_on(store: Store, lumbre: Brand) -> None:
    for _ in range(MAX_TRIES):
        claimed = {p.enrichment.text: p for p in claim(store)}
        with store.write() as session:
            enrichments.fail(session, [(claimed.pop("texto 2"), "it cannot be read")], make.NOW)
            enrichments.release(session, list(claimed.values()))
    assert states(store) == ["pending", "pending", "failed", "pending", "pending"]
    with store.read() as session:
        (failed,) = mentions.find(session, MentionFilter(state="failed")).items
        assert metrics.count(session, MentionFilter(state="pending")) == 4
    assert failed.note == "it cannot be read"
    assert "texto 2" not in [p.enrichment.text for p in claim(store)]
