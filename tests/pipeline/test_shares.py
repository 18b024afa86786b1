"""Shares of a brand's mentions: put right from their vectors, with persons' corrections, or honestly not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from escucha.enrichment import Label
from escucha.filter import MentionFilter
from escucha.vector import Vector, pack
from nlp.heads import read_heads
from nlp.quantify import HEADS, MODEL, embedded_dev
from pipeline.shares import shares
from store import brands, corrections, enrichments, mentions, samples
from store.engine import Store
from tests.make import NOW, brand, mention, understood

LUMBRE = MentionFilter(brand="lumbre")


def hear(store: Store, n: int, version: str | None = None, seed: int = 0) -> list[int]:
    """`n` mentions with the vectors of dev texts and the labels that the embedded head gives them."""
    held = embedded_dev()
    rows, _ = held.told("sentiment")
    vectors = rows[np.random.default_rng(seed).choice(len(rows), n, replace=False)]
    head = read_heads(MODEL / HEADS)["sentiment"]
    chances = head.probabilities(vectors)
    said = [Label(head.classes[at], float(row[at])) for row, at in zip(chances, chances.argmax(1), strict=True)]
    packed: list[Vector] = pack(vectors, version or held.reads)
    with store.write() as session:
        if not brands.all_brands(session):
            brands.add(session, brand("lumbre"))
        mentions.save(session, brands.get(session, "lumbre"), [mention(f"{seed}-{at}") for at in range(n)], NOW)
        claimed = enrichments.claim(session, n, NOW)
        found = [replace(understood(), sentiment=label, vector=vector)
                 for label, vector in zip(said, packed, strict=True)]  # fmt: skip
        enrichments.save(session, list(zip(claimed, found, strict=True)), NOW)
    return [waiting.id for waiting in claimed]


def test_shares_are_put_right_with_an_interval_that_holds_them(store: Store) -> None:
    hear(store, 120)
    with store.read() as session:
        found = shares(session, LUMBRE, "sentiment")
    assert (found.n, found.read, found.corrected, found.why_not) == (120, 120, 0, None)
    assert sum(label.counted.count for label in found.labels) == 120
    right = [label.right for label in found.labels if label.right]
    assert sum(one.share for one in right) == pytest.approx(1, abs=1e-6)
    assert all(0 <= one.low <= one.share <= one.high <= 1 for one in right)
    for label in found.labels:
        assert label.right is not None
        assert label.right.low <= label.counted.share <= label.right.high


def test_what_persons_corrected_counts_as_they_said(store: Store) -> None:
    ids = hear(store, 120)
    with store.write() as session:
        for id in ids[:80]:
            corrections.correct(session, id, "sentiment", "positive", NOW)
    with store.read() as session:
        found = shares(session, LUMBRE, "sentiment")
    positive = next(label.right for label in found.labels if label.key == "positive")
    assert found.corrected == 80
    assert positive is not None
    assert positive.low >= 80 / 120


@pytest.mark.parametrize(
    ("n", "version", "filter", "why"),
    [
        (29, None, LUMBRE, "few"),
        (40, "older", LUMBRE, "vectors"),
        (40, None, replace(LUMBRE, sentiments=("positive", "neutral", "negative")), "selected"),
        (40, None, replace(LUMBRE, review=(("stage", 0.99),)), "selected"),
    ],
)
def test_where_shares_cannot_be_put_right_the_count_stands_alone_and_it_is_said_why(
    store: Store, n: int, version: str | None, filter: MentionFilter, why: str
) -> None:
    hear(store, n, version)
    with store.read() as session:
        found = shares(session, filter, "sentiment")
    assert (found.why_not, found.n) == (why, n)
    assert all(label.right is None for label in found.labels)


def test_a_brand_without_mentions_has_no_shares(store: Store) -> None:
    with store.write() as session:
        brands.add(session, brand("lumbre"))
    with store.read() as session:
        assert shares(session, LUMBRE, "stage").labels == ()


def test_a_sample_is_bounded_uniform_and_the_same_each_time(store: Store) -> None:
    ids = hear(store, 400)
    with store.read() as session:
        first = samples.draw(session, LUMBRE, embedded_dev().reads, 100)
        again = samples.draw(session, LUMBRE, embedded_dev().reads, 100)
    assert first.total == 400
    assert 85 <= first.drawn == len(first.vectors) <= 115
    assert set(first.vectors) == set(again.vectors)
    early = sum(id < ids[200] for id in first.vectors)
    assert 35 <= early <= 65
