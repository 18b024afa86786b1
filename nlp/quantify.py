"""How large each label's share really is: the count of a classifier's answers, put right for its known errors.

A classifier that takes one label for another miscounts, and the more so the further a period's mix is from the one
it learned on. So the shares are those that make the heads' probabilities likeliest (the EM algorithm of Saerens,
Latinne & Decaestecker 2002, Neural Computation 14:21–41), after the probabilities' bias has been taken out on dev
texts (Alexandari, Kundaje & Shrikumar 2020, ICML, "Maximum likelihood with bias-corrected calibration is hard to
beat at label shift adaptation"; the temperature is in the heads already).

That is right where only the mix is another. Texts of another kind than the dev texts have other errors, and there the
plain count is nearer. Which of the two holds for a brand nobody knows, so the share stands between (LEAN), and its
interval holds what the corrected share may be and what the count may be. `python -m benchmarks.shares` measures both
cases beside classify-and-count, ACC and PACC. QuaPy finds the same likeliest shares and is what the
tests compare with; it is not used at run time because it brings pandas and matplotlib and takes seconds to import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from escucha.statistics import share
from nlp.encoder import HEADS, MODEL
from nlp.examples import HELD, Examples, read_examples
from nlp.heads import Head, read_heads

Reals = NDArray[np.float64]
ENOUGH = 15
"""Dev texts that a label needs to be put right; labels with fewer are put right together, as one."""
DRAWS = 200
THIN = 4
"""Each draw takes one in THIN of a label's dev texts: a brand's texts are not a draw of the dev texts, and only so
did the intervals hold the truth on other texts as often as they promise (benchmarks/shares.py)."""
LEAN = 0.5
"""How heavily the plain count weighs beside the texts' own evidence: of what is gained where only the mix
changes it leaves half or more, and of what is lost on texts of another source it spares about two thirds."""
AT_MOST = 1_000
"""Texts in each draw; of more, each draw takes that many, which makes the interval a little too wide."""
TINY = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """The shares of some labels among all, each with its 95 % interval, 0 to 1, in the order of `classes`."""

    classes: tuple[str, ...]
    shares: Reals
    low: Reals
    high: Reals


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantifier:
    """Puts shares right for one kind.

    `classes` are the labels with enough dev texts; where others were seen, they are one more column, the last.
    `columns` says to which column each class of the head belongs, `pulls` (1, columns) what turns the head's
    probabilities into likelihoods, up to a factor of each text, and `drawn` (draws, columns) the same of redrawn
    dev texts.
    """

    head: Head
    classes: tuple[str, ...]
    columns: NDArray[np.intp]
    pulls: Reals
    drawn: Reals

    def mix(self, vectors: NDArray[np.float32], seed: int = 0) -> Mix:
        """The shares among the texts of these vectors; the same seed gives the same interval."""
        chance = np.random.default_rng(seed)
        rows = pooled(self.head.probabilities(vectors), self.columns)
        best = likeliest(rows, np.ones((1, len(rows))), self.pulls, LEAN, close=1e-7)[0]
        some = rows if len(rows) <= AT_MOST else rows[chance.choice(len(rows), AT_MOST, replace=False)]
        counts = chance.multinomial(len(some), np.full(len(some), 1 / len(some)), len(self.drawn))
        low, high = np.quantile(likeliest(some, counts, self.drawn), (0.025, 0.975), axis=0)
        counted = [share(int(n), len(rows)) for n in np.bincount(rows.argmax(axis=1), minlength=len(best))]
        told = len(self.classes)
        return Mix(
            classes=self.classes, shares=best[:told],
            low=np.minimum.reduce([low, best, [one.low for one in counted]])[:told],
            high=np.maximum.reduce([high, best, [one.high for one in counted]])[:told],
        )  # fmt: skip


@cache
def quantifier(kind: str) -> Quantifier | None:
    """The embedded model's own, made once; None for a kind without a head or without dev texts."""
    heads, held = read_heads(MODEL / HEADS), embedded_dev()
    return calibrated(heads[kind], held, kind) if kind in heads and kind in held.labels else None


@cache
def embedded_dev() -> Examples:
    """The dev texts that come with the embedded model. `reads` is the version of vectors that its heads read."""
    return read_examples(MODEL / HELD)


def calibrated(
    head: Head, held: Examples, kind: str, *, draws: int = DRAWS, seed: int = 0, enough: int = ENOUGH, thin: int = THIN
) -> Quantifier | None:
    """A head's quantifier from dev texts that it did not learn from; None where none has a label of this kind."""
    vectors, right = held.told(kind)
    known = np.isin(right, head.classes)
    if not known.any():
        return None
    of = np.array([head.classes.index(label) for label in right[known]])
    classes, columns = _columns(head, np.bincount(of, minlength=len(head.classes)), enough)
    rows, truth = pooled(head.probabilities(vectors[known]), columns), columns[of]
    once = np.ones((1, len(truth)))
    return Quantifier(
        head=head, classes=classes, columns=columns, pulls=pulls(rows, truth, once),
        drawn=pulls(rows, truth, redrawn(truth, draws, np.random.default_rng(seed), thin)),
    )  # fmt: skip


def pooled(chances: NDArray[Any], columns: NDArray[np.intp]) -> Reals:
    """Probabilities (texts, classes) added up to columns; what belongs to none (−1) is left out."""
    made = np.zeros((len(chances), int(columns.max()) + 1))
    for at, column in enumerate(columns):
        if column >= 0:
            made[:, column] += chances[:, at]
    return np.maximum(made, TINY)


def pulls(rows: Reals, truth: NDArray[np.intp], weights: Reals, steps: int = 200) -> Reals:
    """(texts, columns) probabilities, each text's column and (draws, texts) weights → (draws, columns).

    The factors a, one a column, after which the probabilities are right on average, Σ w·a·p/(a·p) = Σ w·[truth]
    (iterative proportional scaling), divided by the share of each column.
    """
    return np.concatenate([_pulls(rows, truth, some, steps) for some in _blocks(weights, rows)])


def _pulls(rows: Reals, truth: NDArray[np.intp], weights: Reals, steps: int) -> Reals:
    want = weights @ np.eye(rows.shape[1])[truth]
    found = np.ones_like(want)
    for _ in range(steps):
        gives = found * ((weights / (found @ rows.T)) @ rows)
        step = want / np.maximum(gives, TINY)
        found = found * step
        found /= found.mean(axis=1, keepdims=True)
        if np.abs(step - 1).max() < 1e-3:
            break
    return np.asarray(found / np.maximum(want / want.sum(axis=1, keepdims=True), TINY))


def likeliest(rows: Reals, weights: NDArray[Any], pulls: Reals, lean: float = 0.0, close: float = 1e-4) -> Reals:
    """The shares (draws, columns) that make texts likeliest: (texts, columns) probabilities, (draws, texts) weights.

    `pulls` is (draws, columns). `lean` says how heavily the plain count weighs beside each text's own evidence: it is
    the Dirichlet prior's centre, with `lean` times as many texts as there are. With none, and 1/prior for `pulls`, this
    is QuaPy's EMQ. Ends where a step moves no share by `close`.
    """
    parts = zip(_blocks(weights, rows), _blocks(pulls, rows), strict=True)
    return np.concatenate([_likeliest(rows, some / some.sum(axis=1, keepdims=True), pull, lean, close)
                           for some, pull in parts])  # fmt: skip


def _likeliest(rows: Reals, weights: Reals, pulls: Reals, lean: float, close: float, steps: int = 60) -> Reals:
    """EM in the long steps of SQUAREM (Varadhan & Roland 2008, Scand. J. Statist. 35:335–353, scheme S3)."""
    counted = lean * (weights @ np.eye(rows.shape[1])[rows.argmax(axis=1)])

    def em(shares: Reals) -> Reals:
        pulled = shares * pulls
        return np.asarray((pulled * ((weights / (pulled @ rows.T)) @ rows) + counted) / (1 + lean))

    shares = np.full(pulls.shape, 1 / rows.shape[1])
    for _ in range(steps):
        first = em(shares)
        once = first - shares
        if np.abs(once).max() < close:
            return first
        twice = em(first) - first - once
        length = np.linalg.norm(once, axis=1) / np.maximum(np.linalg.norm(twice, axis=1), TINY)
        far = np.clip(length, 1, 64)[:, None]
        leapt = np.maximum(shares + 2 * far * once + far**2 * twice, TINY)
        shares = em(leapt / leapt.sum(axis=1, keepdims=True))
    return shares


def _blocks(values: NDArray[Any], rows: Reals) -> list[NDArray[Any]]:
    """Some draws at a time: products of this size stay in the cache, and are not spread over busy processors."""
    return np.array_split(values, max(1, min(len(values), round(len(values) * rows.size / 160_000))))


def redrawn(truth: NDArray[np.intp], draws: int, chance: np.random.Generator, thin: int) -> Reals:
    """Weights (draws, texts) of a bootstrap within each label, of one in `thin` of its texts; their sums are kept."""
    weights = np.zeros((draws, len(truth)))
    for label in np.unique(truth):
        at = np.flatnonzero(truth == label)
        some = max(2, round(len(at) / thin))
        weights[:, at] = chance.multinomial(some, np.full(len(at), 1 / len(at)), draws) * (len(at) / some)
    return weights


def _columns(head: Head, seen: Sequence[int] | NDArray[Any], enough: int) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    own = [at for at, n in enumerate(seen) if n >= enough]
    columns = np.full(len(head.classes), -1)
    columns[own] = range(len(own))
    if any(0 < n < enough for n in seen):
        columns[columns < 0] = len(own)
    return tuple(head.classes[at] for at in own), columns
