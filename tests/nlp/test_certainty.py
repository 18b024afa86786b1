"""Thresholds that keep the rest as right as wanted, and never ask for nearly everything."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nlp.certainty import MOST, WANTED, review_below, threshold, thresholds
from nlp.confidence import chance_error, temperatures_by_language
from nlp.encoder import HEADS, MODEL
from nlp.heads import Head, read_heads
from nlp.quantify import embedded_dev


def graded(n: int = 2000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores between 0.4 and 1, each right as often as it says."""
    chance = np.random.default_rng(seed)
    scores = chance.uniform(0.4, 1, n).astype(np.float32)
    return scores, chance.random(n) < scores


def test_above_the_threshold_labels_are_as_right_as_wanted() -> None:
    scores, right = graded()
    found = threshold(scores, right, 0.75, most=0.2)
    assert found.accuracy == pytest.approx(right[scores >= found.below].mean(), abs=1e-4)
    assert found.accuracy >= 0.745
    assert found.covered > 0.8
    assert found.accuracy_below is not None
    assert found.accuracy_below < found.accuracy


def test_where_too_much_is_wanted_no_more_than_the_least_sure_part_is_to_be_checked() -> None:
    found = threshold(*graded(), wanted=0.99)
    assert found.covered == pytest.approx(1 - MOST, abs=0.01)
    assert found.accuracy < 0.99


def test_where_all_is_right_nothing_is_to_be_checked() -> None:
    scores, _ = graded(50)
    found = threshold(scores, np.ones(50, np.bool_), 0.9)
    assert (found.below, found.covered, found.accuracy_below) == (0.0, 1.0, None)


def test_the_thresholds_go_into_a_card_and_are_read_for_every_kind() -> None:
    found = thresholds(embedded_dev(), read_heads(MODEL / HEADS))
    assert json.loads(json.dumps(found)) == found
    assert set(found) == set(WANTED) == set(review_below())
    assert all(0 <= below < 1 for below in review_below().values())


def test_even_a_faultless_model_shows_a_calibration_error_on_few_texts() -> None:
    scores = graded(300)[0].tolist()
    assert chance_error(scores) > 2 * chance_error(graded(30_000)[0].tolist()) > 0


def test_a_language_is_cooled_only_where_its_scores_claim_too_much() -> None:
    chance = np.random.default_rng(0)
    vectors = chance.normal(0, 2, (1200, 2)).astype(np.float32)
    head = Head(classes=("a", "b"), weights=np.eye(2, dtype=np.float32), bias=np.zeros(2, np.float32))
    honest = head.probabilities(vectors)[:, 0]
    shy = head.cooled(4.0).probabilities(vectors)[:, 0]
    langs = ["es"] * 500 + ["pt"] * 500 + ["en"] * 200
    odds = np.where(np.array(langs) == "pt", shy, honest)
    right = np.where(chance.random(1200) < odds, "a", "b").tolist()
    found = temperatures_by_language(head, vectors, right, langs)
    assert set(found) == {"pt"}
    assert 2.5 < found["pt"] <= 5
