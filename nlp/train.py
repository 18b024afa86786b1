"""Teaches the embedded model from labelled texts, tries a few settings, and writes down how good it became.

The data folder has one folder a data set, each with train.jsonl.gz and perhaps dev.jsonl.gz (nlp/evaluate.py says
what a row looks like). Settings are chosen by macro-F1 on the dev texts, so the scores in the card flatter a little.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from escucha.errors import Invalid, NotFound
from nlp.chain import KINDS, Chain, Tag
from nlp.evaluate import Labelled, evaluate, score
from nlp.lessons import JOURNEY, LICENCES, WRITTEN, Lesson, lesson, narrow, rarity, read_split, telling
from nlp.linear import Linear, Weights, read_weights, write_weights

CARD = "card.json"
KEEP = 200_000
"""Pieces of text that the model knows."""

Progress = Callable[[float, str], None]
"""Called with the share done, from 0 to 1, and the kind of label at work."""
Scores = Mapping[str, Mapping[str, Mapping[str, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How one kind is learned.

    `c` is the inverse strength of the L2 penalty; `balance` how far rare labels are lifted (0 not at all, 1 until
    all count the same); `written` the weight of a text written for training, where a real one weighs 1.
    """

    c: float
    balance: float
    written: float


GRID = tuple(
    Setting(c=c, balance=balance, written=written)
    for (c, balance), written in product(((3.0, 0.5), (3.0, 1.0), (8.0, 0.5)), (0.3, 1.0))
)
"""The settings that are tried; each costs about 5 seconds a kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What was learned of one kind: its classes, weights (pieces, classes) and bias (classes)."""

    classes: tuple[str, ...]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a training: the model's version, the setting chosen for each kind, and its scores.

    `scores` is kind → data set → {n, accuracy, macro_f1} on the dev texts, by the weights as they were written.
    """

    version: str
    settings: Mapping[str, Setting]
    scores: Scores


def train(
    data: Path,
    out: Path,
    progress: Progress | None = None,
    *,
    grid: Sequence[Setting] = GRID,
    keep: int = KEEP,
) -> Report:
    """Learn from `data` and write the weights and card.json to `out`. The same data gives the same weights.

    Raises:
        NotFound: the folder, or the journey texts in it, are missing.
        Invalid: a data set cannot be read, or a kind has fewer than two labels to tell apart.
    """
    taught, asked = read_split(data, "train"), read_split(data, "dev")
    if JOURNEY not in taught or JOURNEY not in asked:
        raise NotFound(
            "The folder {path} holds nothing to learn from: it needs {name}/train.jsonl.gz and {name}/dev.jsonl.gz. "
            "Check the path.", path=str(data), name=JOURNEY,
        )  # fmt: skip
    school, exam = lesson(taught), lesson(asked)
    bins = telling(school, keep)
    idf = rarity(school.matrix)[bins]
    school, exam = narrow(school, bins, idf), narrow(exam, bins, idf)
    settings, heads = {}, {}
    for at, kind in enumerate(KINDS):
        if progress is not None:
            progress(at / len(KINDS), kind)
        settings[kind], heads[kind] = choose(kind, school, exam, grid)
    write_weights(out, join(bins, idf, heads))
    learned = read_weights(out)
    report = Report(version=learned.version, settings=settings, scores=dev_scores(Chain([Linear(learned)]), asked))
    (out / CARD).write_text(json.dumps(card(report, taught, asked), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return report


def choose(kind: str, school: Lesson, exam: Lesson, grid: Sequence[Setting]) -> tuple[Setting, Head]:
    """The setting that answers the exam best (mean macro-F1 over the data sets in it), and what it learned."""
    tried = [(setting, fit(kind, school, setting)) for setting in grid]
    return max(tried, key=lambda pair: mark(kind, pair[1], exam))


def fit(kind: str, school: Lesson, setting: Setting) -> Head:
    """Multinomial logistic regression of one kind. Raises Invalid when there is nothing to tell apart."""
    from sklearn.linear_model import LogisticRegression

    labels = school.labels(kind)
    told = np.flatnonzero(labels != "")
    classes, which = np.unique(labels[told], return_inverse=True)
    if len(classes) < 2:
        raise Invalid("The texts have fewer than two labels of {kind}: there is nothing to tell apart.", kind=kind)
    weights = weigh_rows(which, school.origin[told] == WRITTEN, setting)
    model = LogisticRegression(C=setting.c, max_iter=200, tol=1e-3)
    model.fit(school.matrix[told], which, sample_weight=weights)
    coef, bias = model.coef_, model.intercept_
    if len(classes) == 2:  # scikit-learn then learns one column for the difference
        coef, bias = np.vstack([-coef, coef]) / 2, np.concatenate([-bias, bias]) / 2
    return Head(classes=tuple(classes.tolist()), weights=coef.T, bias=bias)


def weigh_rows(which: NDArray[np.int64], written: NDArray[np.bool_], setting: Setting) -> NDArray[np.float64]:
    """The weight of each text, 1 on average, by where it comes from and how rare its label is."""
    weights = np.where(written, setting.written, 1.0)
    counts = np.bincount(which, weights)
    weights = weights * (counts.mean() / counts[which]) ** setting.balance
    return np.asarray(weights / weights.mean())


def mark(kind: str, head: Head, exam: Lesson) -> float:
    """Mean over the exam's data sets of the macro-F1 of one kind."""
    given = np.array(head.classes)[(exam.matrix @ head.weights + head.bias).argmax(axis=1)]
    labels = exam.labels(kind)
    marks = []
    for name in np.unique(exam.origin[labels != ""]):
        told = (exam.origin == name) & (labels != "")
        marks.append(score(list(zip(labels[told].tolist(), given[told].tolist(), strict=True)))["macro_f1"])
    return float(np.mean(marks)) if marks else 0.0


def join(bins: NDArray[np.int64], idf: NDArray[np.float32], heads: Mapping[str, Head]) -> Weights:
    """The heads side by side, with a version made from what they hold."""
    weights = np.hstack([head.weights for head in heads.values()]).astype(np.float32)
    bias = np.concatenate([head.bias for head in heads.values()]).astype(np.float32)
    digest = hashlib.sha256(b"".join(part.tobytes() for part in (bins, idf, weights, bias))).hexdigest()
    classes = {kind: head.classes for kind, head in heads.items()}
    return Weights(
        bins=bins.astype(np.uint32), idf=idf, weights=weights, bias=bias, classes=classes, version=digest[:12]
    )


def dev_scores(tag: Tag, sets: Mapping[str, Sequence[Labelled]]) -> Scores:
    """Scores of a chain on dev texts: kind → data set → {n, accuracy, macro_f1}."""
    found = {name: evaluate(rows, tag) for name, rows in sets.items()}
    return {
        kind: {
            name: {key: round(scores[kind][key], 4) for key in ("n", "accuracy", "macro_f1")}
            for name, scores in found.items() if kind in scores
        }
        for kind in KINDS
    }  # fmt: skip


def card(report: Report, taught: Mapping[str, Sequence[Labelled]], asked: Mapping[str, Sequence[Labelled]]) -> Any:
    """What the model card says, ready for JSON."""
    return {
        "model": "logistic regression over word 1-2-grams and character 2-5-grams, TF-IDF, hashed, 8-bit weights",
        "version": report.version,
        "date": datetime.now(UTC).date().isoformat(),
        "data": [
            {"name": name, "licence": LICENCES[name], "train": len(rows), "dev": len(asked.get(name, ()))}
            for name, rows in taught.items()
        ],
        "settings": {kind: asdict(setting) for kind, setting in report.settings.items()},
        "chosen_on": "the dev texts scored below",
        "dev": report.scores,
    }
