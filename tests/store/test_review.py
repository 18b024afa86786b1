"""Mentions to check: unsure labels, stars against the text, the least sure first, and never what a person decided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from escucha.enrichment import Enrichment, Label
from escucha.errors import Invalid
from escucha.filter import MentionFilter
from escucha.review import doubts
from store import brands, corrections, enrichments, mentions, metrics
from store.engine import Store
from tests.make import NOW, brand, mention, understood

BELOW = (("sentiment", 0.6), ("stage", 0.5))
TO_CHECK = MentionFilter(brand="lumbre", review=BELOW)


def scored(sentiment: str = "neutral", **scores: float) -> Enrichment:
    """An enrichment that is sure (0.9), but for the kinds given."""
    plain = understood(sentiment=sentiment)
    labels = {kind: Label(getattr(plain, kind).label, score) for kind, score in scores.items()}
    return replace(plain, **labels)  # type: ignore[arg-type]


def hear(store: Store, number: str, enrichment: Enrichment, rating: float | None = None) -> int:
    with store.write() as session:
        mentions.save(session, brands.get(session, "lumbre"), [mention(number, rating=rating)], NOW)
        claimed = enrichments.claim(session, 10, NOW)
        enrichments.save(session, [(waiting, enrichment) for waiting in claimed], NOW)
        return claimed[0].id


@pytest.fixture
def heard(store: Store) -> dict[str, int]:
    """Sure and unsure mentions, and some whose stars contradict the text."""
    with store.write() as session:
        brands.add(session, brand("lumbre"))
    return {
        "sure": hear(store, "1", scored()),
        "unsure": hear(store, "2", scored(stage=0.45)),
        "lost": hear(store, "3", scored(stage=0.2)),
        "praised": hear(store, "4", scored("positive"), rating=1),
        "damned": hear(store, "5", scored("negative"), rating=5),
        "agreed": hear(store, "6", scored("negative"), rating=1),
        "middling": hear(store, "7", scored("negative"), rating=3),
    }


def test_unsure_labels_and_contradicting_stars_are_to_be_checked_the_least_sure_first(
    store: Store, heard: dict[str, int]
) -> None:
    with store.read() as session:
        found = mentions.find(session, TO_CHECK, order="uncertainty")
        assert metrics.count(session, TO_CHECK) == 4
    assert [item.id for item in found.items] == [heard[name] for name in ("damned", "praised", "lost", "unsure")]


def test_the_query_and_the_card_agree_on_what_to_check(store: Store, heard: dict[str, int]) -> None:
    with store.read() as session:
        everything = mentions.find(session, MentionFilter(brand="lumbre")).items
        asked = {item.id for item in mentions.find(session, TO_CHECK, order="uncertainty").items}
    told = {item.id: doubts(item, dict(BELOW)) for item in everything}
    assert {id for id, found in told.items() if found} == asked
    assert told[heard["lost"]].kinds == ("stage",)
    assert told[heard["praised"]].stars
    assert not told[heard["lost"]].stars


def test_pages_of_doubt_follow_on_without_gap_or_repeat(store: Store, heard: dict[str, int]) -> None:
    seen: list[int] = []
    after = None
    with store.read() as session:
        for _ in range(4):
            page = mentions.find(session, TO_CHECK, limit=1, after=after, order="uncertainty")
            seen += [item.id for item in page.items]
            after = page.next
    assert after is None
    assert len(set(seen)) == len(seen) == 4


def test_what_a_person_decided_is_not_asked_again(store: Store, heard: dict[str, int]) -> None:
    with store.write() as session:
        corrections.correct(session, heard["lost"], "stage", "purchase", NOW)
        corrections.correct(session, heard["praised"], "sentiment", "positive", NOW)
    with store.read() as session:
        left = mentions.find(session, TO_CHECK, order="uncertainty").items
        decided = mentions.get(session, heard["praised"])
    assert {item.id for item in left} == {heard["damned"], heard["unsure"]}
    assert not doubts(decided, dict(BELOW))


def test_a_key_that_no_page_gave_and_an_order_without_review_are_refused(store: Store, heard: dict[str, int]) -> None:
    with store.read() as session:
        for key in ("yesterday", f"0.1~{2**64}", "0.1~-1"):
            with pytest.raises(Invalid, match="not one we gave"):
                mentions.find(session, TO_CHECK, after=key, order="uncertainty")
        with pytest.raises(Invalid, match="not one we gave"):
            mentions.find(session, TO_CHECK, after=f"2026-11-19T10:00:00Z~{2**64}")
        with pytest.raises(Invalid, match="review=true"):
            mentions.find(session, MentionFilter(brand="lumbre"), order="uncertainty")
