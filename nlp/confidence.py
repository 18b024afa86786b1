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
