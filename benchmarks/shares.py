"""How far the shares are off that a classifier counts, and those that are put right for its errors.

The dev texts that come with the model (nlp/model/held.npz) are split in halves, label by label, 5 times, both ways:
one half says how the classifier errs, from the other mixes are drawn (the artificial-prevalence protocol: shares
uniform over the simplex, 100 to 500 texts with replacement), 50 a half, 500 in all: only the
mix is another (`another_mix`). The opposite case: each data set and language in turn is asked in its own mix, and the
others tell the errors (`another_source`). Prints, for each kind, the mean absolute error of a label's share by method
(ours is `put_right`; `emq_calibrated` is ours without leaning on the count), and how often the 95 % interval held the
true share.

    python -m benchmarks.shares [--mixes 50]
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.optimize import nnls

from nlp.encoder import HEADS, MODEL
from nlp.examples import Examples
from nlp.heads import Head, read_heads
from nlp.quantify import ENOUGH, Quantifier, calibrated, embedded_dev, likeliest, pooled

KINDS = ("sentiment", "stage", "pain", "touchpoint")
SPLITS = 5


def main() -> None:
    """Measure and print JSON."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--mixes", type=int, default=50, help="mixes of each half; there are ten halves")
    mixes = asked.parse_args().mixes
    heads, held = read_heads(MODEL / HEADS), embedded_dev()
    print(json.dumps({kind: measure(heads[kind], held, kind, mixes) for kind in KINDS}, indent=1, ensure_ascii=False))


class Tally:
    """Errors and intervals as they come in, of the labels with enough dev texts."""

    def __init__(self, head: Head, held: Examples, kind: str) -> None:
        whole = calibrated(head, held, kind, draws=1)
        assert whole
        self.head, self.kind, self.labels = head, kind, whole.classes
        self.errors: dict[str, list[float]] = defaultdict(list)
        self.inside: list[Any] = []
        self.wide: list[float] = []

    def add(self, able: Quantifier, told: Examples, vectors: Any, true: Any) -> None:
        """One mix: `true` are the shares of the quantifier's columns."""
        shown = [able.classes.index(label) for label in self.labels if label in able.classes]
        for name, found in others(able, told, self.kind, vectors).items():
            self.errors[name].append(float(np.abs(found - true)[shown].mean()))
        mix, right = able.mix(vectors), true[shown]
        self.errors["put_right"].append(float(np.abs(mix.shares[shown] - right).mean()))
        self.inside.append(float(np.mean((mix.low[shown] <= right + 1e-9) & (right <= mix.high[shown] + 1e-9))))
        self.wide.append(float((mix.high - mix.low)[shown].mean()))

    def told(self) -> dict[str, Any]:
        """What came of it."""
        return {
            "mixes": len(self.wide),
            "mean_absolute_error": {name: round(float(np.mean(found)), 4) for name, found in self.errors.items()},
            "interval_95": {"coverage": round(float(np.mean(self.inside)), 3),
                            "mean_width": round(float(np.mean(self.wide)), 3)},
        }  # fmt: skip


def measure(head: Head, held: Examples, kind: str, mixes: int) -> dict[str, Any]:
    """The errors and the coverage of one kind."""
    by_mix, by_source = Tally(head, held, kind), Tally(head, held, kind)
    chance = np.random.default_rng(0)
    for told, asked in halves(held, kind, chance):
        able = calibrated(head, told, kind, enough=ENOUGH // 2)
        assert able
        vectors, labels = asked.told(kind)
        of = column_of(head, able.columns, labels)
        for _ in range(mixes):
            at, true = mixed(of, int(able.columns.max()) + 1, chance)
            by_mix.add(able, told, vectors[at], true)
    for told, asked in sources(held, kind):
        able = calibrated(head, told, kind)
        assert able
        vectors, labels = asked.told(kind)
        of = column_of(head, able.columns, labels)
        by_source.add(able, told, vectors, np.bincount(of[of >= 0], minlength=int(able.columns.max()) + 1) / len(of))
    return {"dev_texts": len(held.told(kind)[1]), "labels": list(by_mix.labels), "another_mix": by_mix.told(),
            "another_source": by_source.told()}  # fmt: skip


def sources(held: Examples, kind: str) -> Iterator[tuple[Examples, Examples]]:
    """Each data set and language, with all the others to tell the errors."""
    own = held.of(held.labels[kind] != "")
    names = np.char.add(np.char.add(own.sets, " "), own.langs)
    for name in np.unique(names):
        yield own.of(names != name), own.of(names == name)


def halves(held: Examples, kind: str, chance: np.random.Generator) -> Iterator[tuple[Examples, Examples]]:
    """Disjoint halves with half of each label, as (what tells the errors, what is asked)."""
    own = held.of(held.labels[kind] != "")
    for _ in range(SPLITS):
        first = np.zeros(len(own.langs), np.bool_)
        for label in np.unique(own.labels[kind]):
            at = chance.permutation(np.flatnonzero(own.labels[kind] == label))
            first[at[: len(at) // 2]] = True
        yield own.of(first), own.of(~first)
        yield own.of(~first), own.of(first)


def column_of(head: Head, columns: Any, labels: Any) -> Any:
    """Each text's column; −1 for a label that has none."""
    return np.array([columns[head.classes.index(label)] if label in head.classes else -1 for label in labels])


def mixed(of: Any, columns: int, chance: np.random.Generator) -> tuple[Any, Any]:
    """Texts, by number, in a mix drawn at random, and the shares of its columns."""
    there = [column for column in range(columns) if (of == column).any()]
    counts = np.zeros(columns, int)
    counts[there] = chance.multinomial(chance.integers(100, 501), chance.dirichlet(np.ones(len(there))))
    at = [chance.choice(np.flatnonzero(of == column), counts[column]) for column in there]
    return np.concatenate(at), counts / counts.sum()


def others(able: Quantifier, told: Examples, kind: str, vectors: Any) -> dict[str, Any]:
    """The shares by classify-and-count, ACC, PACC (Bella et al. 2010), and EM on the probabilities as they are and
    without their bias."""
    head, columns = able.head, able.columns
    truth = column_of(head, columns, told.told(kind)[1])
    known = pooled(head.probabilities(told.told(kind)[0]), columns)[truth >= 0]
    new, truth = pooled(head.probabilities(vectors), columns), truth[truth >= 0]
    hard = np.eye(new.shape[1])
    prior = np.bincount(truth, minlength=new.shape[1]) / len(truth)
    return {
        "classify_and_count": hard[new.argmax(1)].mean(0),
        "acc": adjusted(hard[known.argmax(1)], truth, hard[new.argmax(1)].mean(0)),
        "pacc": adjusted(known, truth, new.mean(0)),
        "emq": likeliest(new, np.ones((1, len(new))), 1 / np.maximum(prior, 1e-6)[None])[0],
        "emq_calibrated": likeliest(new, np.ones((1, len(new))), able.pulls)[0],
    }


def adjusted(known: Any, truth: Any, counted: Any) -> Any:
    """The shares q ≥ 0, Σq = 1, whose expected count lies nearest to what was counted."""
    columns = known.shape[1]
    expected = np.stack([known[truth == at].mean(0) if (truth == at).any() else np.eye(columns)[at]
                         for at in range(columns)], axis=1)  # fmt: skip
    heavy = 1e3
    found, _ = nnls(np.vstack([expected, np.full(columns, heavy)]), np.append(counted, heavy))
    return found / found.sum()


if __name__ == "__main__":
    main()
