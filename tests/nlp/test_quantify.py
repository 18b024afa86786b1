"""Shares put right: what QuaPy finds, the true mix of other texts, and the same numbers each time."""

from __future__ import annotations

import numpy as np
import pytest

from nlp.examples import Examples
from nlp.heads import Head
from nlp.quantify import calibrated, embedded_dev, likeliest, pooled, quantifier


def flat(classes: int = 3, scale: float = 1.5) -> Head:
    """A head that reads the first numbers of a vector as logits."""
    names = ("a", "b", "c")[:classes]
    return Head(classes=names, weights=np.eye(classes, dtype=np.float32) * scale, bias=np.zeros(classes, np.float32))


def texts(counts: list[int], seed: int) -> Examples:
    """Texts of overlapping classes: a unit step in their class's direction, and noise."""
    chance = np.random.default_rng(seed)
    of = np.repeat(np.arange(len(counts)), counts)
    vectors = (np.eye(len(counts))[of] + chance.normal(0, 0.8, (len(of), len(counts)))).astype(np.float32)
    names = np.array(["a", "b", "c"])[of]
    blank = np.full(len(of), "")
    return Examples(reads="v", vectors=vectors, labels={"stage": names}, langs=blank, sets=blank)


def test_the_likeliest_shares_are_those_of_quapy() -> None:
    aggregative = pytest.importorskip("quapy.method.aggregative")
    head, asked = flat(), texts([40, 100, 160], 3)
    chances, prior = head.probabilities(asked.vectors).astype(float), np.array([0.5, 0.3, 0.2])
    theirs = aggregative.EMQ.EM(prior, chances, epsilon=1e-12)[0]
    ours = likeliest(chances, np.ones((1, len(chances))), 1 / prior[None], close=1e-10)[0]
    assert np.abs(ours - theirs).max() < 1e-6


def test_shares_of_another_mix_come_nearer_than_by_counting_and_within_the_interval() -> None:
    head, told, asked = flat(), texts([300, 300, 300], 1), texts([400, 60, 40], 2)
    able = calibrated(head, told, "stage", draws=100)
    assert able is not None
    mix, true = able.mix(asked.vectors), np.array([0.8, 0.12, 0.08])
    counted = np.eye(3)[head.probabilities(asked.vectors).argmax(axis=1)].mean(axis=0)
    assert np.abs(mix.shares - true).mean() < np.abs(counted - true).mean()
    assert ((mix.low <= true) & (true <= mix.high)).all()
    assert ((mix.low <= mix.shares) & (mix.shares <= mix.high)).all()


def test_the_same_vectors_give_the_same_interval() -> None:
    able = calibrated(flat(), texts([60, 60, 60], 1), "stage", draws=20)
    assert able is not None
    first, again = (able.mix(texts([30, 30, 30], 2).vectors) for _ in range(2))
    assert (first.low == again.low).all()
    assert (first.high == again.high).all()


def test_a_label_with_few_dev_texts_is_not_put_right_but_keeps_its_column() -> None:
    able = calibrated(flat(), texts([60, 60, 4], 1), "stage", draws=20)
    assert able is not None
    mix = able.mix(texts([50, 30, 20], 2).vectors)
    assert mix.classes == ("a", "b")
    assert mix.shares.sum() < 1


def test_a_label_without_dev_texts_is_left_out() -> None:
    able = calibrated(flat(), texts([60, 60, 0], 1), "stage", draws=5)
    assert able is not None
    assert able.columns.tolist() == [0, 1, -1]
    assert able.mix(texts([50, 50, 0], 2).vectors).shares.sum() == pytest.approx(1)


def test_a_kind_without_dev_texts_cannot_be_put_right() -> None:
    assert calibrated(flat(), texts([60, 60, 60], 1), "pain") is None


def test_probabilities_are_added_up_by_column() -> None:
    rows = pooled(np.array([[0.5, 0.3, 0.2]]), np.array([0, 1, 0]))
    assert rows[0].tolist() == pytest.approx([0.7, 0.3])


@pytest.mark.parametrize("kind", ["sentiment", "stage", "pain", "touchpoint"])
def test_the_embedded_model_puts_its_own_dev_texts_right(kind: str) -> None:
    able, (vectors, true) = quantifier(kind), embedded_dev().told(kind)
    assert able is not None
    mix = able.mix(vectors)
    for label, low, high in zip(mix.classes, mix.low, mix.high, strict=True):
        assert low - 0.05 <= (true == label).mean() <= high + 0.05
