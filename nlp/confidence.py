"""Makes a score mean what it says: of the answers with a score of 0.8, about eight in ten should be right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nlp.heads import Head

BINS = 15


def temperature(head: Head, vectors: NDArray[np.float32], right: Sequence[str]) -> float:
    """What to divide a head's weights by so that the texts' true labels become likeliest, from 0.2 to 5.

    Guo et al. 2017, "On Calibration of Modern Neural Networks", §4.2. It changes no answer, only how sure it is.
    """
    from scipy.optimize import minimize_scalar

    at = np.arange(len(right)), np.array([head.classes.index(label) for label in right])

    def surprise(log_t: float) -> float:
        chances = head.cooled(float(np.exp(log_t))).probabilities(vectors)[at]
        return float(-np.log(np.maximum(chances, 1e-9)).mean())

    found = minimize_scalar(surprise, bounds=(np.log(0.2), np.log(5.0)), method="bounded")
    return round(float(np.exp(found.x)), 4)


def calibration_error(scores: Sequence[float], right: Sequence[bool], bins: int = BINS) -> float:
    """Expected calibration error: |share right − mean score| in bins of equal width, averaged over the texts."""
    if not scores:
        return 0.0
    said, true = np.asarray(scores, float), np.asarray(right, float)
    which = np.minimum((said * bins).astype(int), bins - 1)
    gaps = np.bincount(which, true - said, minlength=bins)
    return float(np.abs(gaps).sum() / len(said))


def chance_error(scores: Sequence[float], bins: int = BINS, tries: int = 200, seed: int = 0) -> float:
    """The calibration error that a model whose scores are exactly right would show on so few texts, on average.

    With 15 bins and 300 texts that is about 0.06: a smaller error cannot be asked of them.
    """
    chance, said = np.random.default_rng(seed), np.asarray(scores, float)
    return float(np.mean([calibration_error(scores, (chance.random(len(said)) < said).tolist(), bins)
                          for _ in range(tries)]))  # fmt: skip


def temperatures_by_language(
    head: Head, vectors: NDArray[np.float32], right: Sequence[str], langs: Sequence[str], *, least: int = 200,
    folds: int = 5, seed: int = 0,
) -> dict[str, float]:
    """What to divide a calibrated head's weights by for a text's language, where that helps on texts not fitted to.

    Only for languages with `least` texts, and only where the temperature, fitted on the other folds, makes the true
    labels likelier by more than twice the standard error of the gain: else the head's own stands.
    """
    found = {}
    for lang in sorted(set(langs)):
        at = np.array([place for place, one in enumerate(langs) if one == lang])
        if lang and len(at) >= least:
            rows, true = vectors[at], np.array(right)[at].tolist()
            gain = _gain(head, rows, true, np.random.default_rng(seed).permutation(len(at)) % folds)
            if gain.mean() > 2 * gain.std() / np.sqrt(len(gain)):
                found[lang] = temperature(head, rows, true)
    return found


def _gain(
    head: Head, vectors: NDArray[np.float32], right: Sequence[str], fold: NDArray[np.intp]
) -> NDArray[np.float64]:
    """How much likelier (in nats) each text's true label gets by the temperature of the other folds."""
    own = np.array([head.classes.index(label) for label in right])
    gain = np.zeros(len(right))
    for part in np.unique(fold):
        inside, outside = np.flatnonzero(fold == part), np.flatnonzero(fold != part)
        cooled = head.cooled(temperature(head, vectors[outside], np.array(right)[outside].tolist()))
        before, after = (one.probabilities(vectors[inside])[np.arange(len(inside)), own[inside]]
                         for one in (head, cooled))
        gain[inside] = np.log(np.maximum(after, 1e-9)) - np.log(np.maximum(before, 1e-9))
    return gain
