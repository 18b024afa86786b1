"""A score of 0.8 is right eight times in ten, or is made so."""

from __future__ import annotations

import numpy as np
import pytest

from nlp.confidence import calibration_error, temperature
from nlp.heads import Head

EYE = Head(classes=("no", "sí"), weights=np.eye(2, dtype=np.float32), bias=np.zeros(2, np.float32))


def test_the_error_is_that_counted_by_hand() -> None:
    scores, right = [0.95, 0.95, 0.55, 0.55], [True, False, True, True]
    assert calibration_error(scores, right) == pytest.approx((2 * 0.45 + 2 * 0.45) / 4)


def test_scores_that_mean_what_they_say_have_no_error() -> None:
    assert calibration_error([0.75] * 4, [True, True, True, False]) == 0.0
    assert calibration_error([1.0], [True]) == 0.0
    assert calibration_error([], []) == 0.0


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_what_was_made_too_sure_is_cooled_by_as_much(factor: float) -> None:
    chance = np.random.default_rng(1)
    logits = chance.normal(size=(4_000, 2)).astype(np.float32)
    sure = EYE.probabilities(logits)[:, 1]
    right = ["sí" if chance.random() < share else "no" for share in sure]
    assert temperature(EYE, logits * factor, right) == pytest.approx(factor, rel=0.15)


def test_cooling_changes_how_sure_it_is_and_no_answer() -> None:
    vectors = np.array([[2.0, 0.0], [0.0, 1.0]], np.float32)
    before, after = EYE.probabilities(vectors), EYE.cooled(2.0).probabilities(vectors)
    assert (before.argmax(1) == after.argmax(1)).all()
    assert (after.max(1) < before.max(1)).all()
    np.testing.assert_allclose(after.sum(1), 1, rtol=1e-5)
