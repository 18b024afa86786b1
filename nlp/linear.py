"""The embedded model: how a text feels, at which stage its author stands, what hurts and where — by its words.

Multinomial logistic regression over pieces of text (nlp/ngrams.py) weighed by sublinear TF-IDF, all four kinds of
label in one pass with numpy alone. `escucha train` makes the weights; nlp/model/card.json says from what.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from escucha.enrichment import Enrichment, Label
from escucha.errors import ModelError
from nlp.chain import KINDS, ModelOptions
from nlp.ngrams import BITS, pieces

MODEL = Path(__file__).parent / "model"
WEIGHTS = "linear.npz"
AT_ONCE = 256

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What was learned.

    `bins` (n) are the pieces that count, ascending; `idf` (n) their rarity; `weights` (n, c) and `bias` (c) hold the
    columns of all kinds side by side, and `classes` the labels of each kind in the order of its columns.
    """

    bins: NDArray[np.uint32]
    idf: Floats
    weights: Floats
    bias: Floats
    classes: Mapping[str, tuple[str, ...]]
    version: str

    def columns(self, kind: str) -> slice:
        """The columns of one kind."""
        sizes = [len(labels) for labels in self.classes.values()]
        at = list(self.classes).index(kind)
        return slice(sum(sizes[:at]), sum(sizes[: at + 1]))


class Linear:
    """Gives the kinds of label asked for, each with its probability among the labels of its kind."""

    name = "linear"
    needs: tuple[str, ...] = ()

    def __init__(self, learned: Weights, kinds: Sequence[str] = KINDS) -> None:
        self.gives = tuple(kinds)
        self.version = learned.version
        self._heads = [(kind, learned.classes[kind], learned.columns(kind)) for kind in kinds]
        self._learned = learned
        self._row = np.full(1 << BITS, -1, np.int32)
        self._row[learned.bins] = np.arange(len(learned.bins), dtype=np.int32)

    def __call__(self, batch: Sequence[Enrichment]) -> list[Enrichment]:
        """The batch with a label of each kind."""
        done: list[Enrichment] = []
        for start in range(0, len(batch), AT_ONCE):
            part = batch[start : start + AT_ONCE]
            logits = self.logits([enrichment.text for enrichment in part])
            answers = [_labels(logits[:, columns], classes) for _, classes, columns in self._heads]
            for enrichment, *labels in zip(part, *answers, strict=True):
                given: dict[str, Any] = dict(zip(self.gives, labels, strict=True))
                done.append(replace(enrichment, **given))
        return done

    def logits(self, texts: Sequence[str]) -> Floats:
        """The raw scores, (texts, c)."""
        owner, bins, times = pieces(texts)
        rows = self._row[bins]
        known = rows >= 0
        owner, rows = owner[known], rows[known]
        values = weigh(times[known], self._learned.idf[rows])
        edges = np.searchsorted(owner, np.arange(len(texts) + 1))
        return np.stack([self._score(values[a:b], rows[a:b]) for a, b in pairwise(edges)])

    def _score(self, values: Floats, rows: NDArray[np.int32]) -> Floats:
        length = np.sqrt(values @ values) or np.float32(1)
        return np.asarray(values @ self._learned.weights[rows] / length + self._learned.bias, dtype=np.float32)


def weigh(times: NDArray[np.int64], idf: Floats) -> Floats:
    """Sublinear TF-IDF of pieces, (1 + ln tf) · idf (Manning, Raghavan & Schütze 2008, §6.4.1), not yet of length 1."""
    return (1 + np.log(times, dtype=np.float32)) * idf


def open_linear(options: ModelOptions, without: Collection[str] = ()) -> Linear:  # noqa: ARG001 (every tagger's door)
    """The embedded model for the kinds of label that no other tagger gives."""
    return Linear(read_weights(MODEL), [kind for kind in KINDS if kind not in without])


def read_weights(folder: Path) -> Weights:
    """The weights in a folder. Raises ModelError when they are missing or damaged."""
    path = folder / WEIGHTS
    try:
        with np.load(path, allow_pickle=False) as file:
            return _unpack({key: file[key] for key in file.files})
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ModelError(
            "The model {path} cannot be read: {reason}. Train it again with `escucha train`.",
            path=str(path), reason=str(error),
        ) from error


def write_weights(folder: Path, learned: Weights) -> None:
    """Write the weights as plain arrays (no pickle), each column in 255 steps: a quarter of the size."""
    folder.mkdir(parents=True, exist_ok=True)
    step = np.abs(learned.weights).max(axis=0) / 127
    arrays: dict[str, Any] = {f"classes_{kind}": np.array(labels) for kind, labels in learned.classes.items()}
    arrays |= {"bins": learned.bins, "idf": learned.idf.astype(np.float16), "bias": learned.bias, "step": step}
    arrays |= {"weights": np.rint(learned.weights / step).astype(np.int8)}
    arrays |= {"kinds": np.array(list(learned.classes)), "version": np.array(learned.version)}
    np.savez(folder / WEIGHTS, **arrays)


def _unpack(arrays: Mapping[str, NDArray[Any]]) -> Weights:
    return Weights(
        bins=arrays["bins"],
        idf=arrays["idf"].astype(np.float32),
        weights=arrays["weights"] * arrays["step"],
        bias=arrays["bias"],
        classes={kind: tuple(arrays[f"classes_{kind}"].tolist()) for kind in arrays["kinds"].tolist()},
        version=str(arrays["version"]),
    )


def _labels(logits: Floats, classes: Sequence[str]) -> list[Label]:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    best = odds.argmax(axis=1)
    scores = odds.max(axis=1) / odds.sum(axis=1)
    return [Label(classes[i], round(float(score), 4)) for i, score in zip(best, scores, strict=True)]
