"""A brand's own head: the embedded one, moved by the brand's corrections and examples, in seconds and on the CPU.

It reads the vectors that the encoder made, so nothing is encoded again. It is multinomial logistic regression whose
weights are held near the embedded head's (a Gaussian prior around them: Evgeniou & Pontil 2004, "Regularized
multi-task learning"), learned together from the lessons that ship with the model, so that what holds elsewhere is
not forgotten, and from the brand's own texts, each of which weighs as much as many lessons.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.examples import Names
from nlp.heads import Floats, Head

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Texts as their vectors (texts, width) of length 1, with a label each."""

    vectors: Floats
    labels: Names

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """How strongly what pulls at the weights. Tried out on half of the journey's dev texts.

    `own` is what one of the brand's texts weighs in lessons: at 30, twenty corrections that go against the lessons
    are followed on a third of the texts like them, at a loss of 2 points on others; at 100 it is a half, and 6 points.
    `fresh` is what a text of a label weighs that the embedded head does not have. `base` is the pull towards the
    embedded head's weights, per lesson; `rounds` is how often the fit is improved at most; `rare` is how far the
    lessons of rare labels are lifted (weight ∝ count^−rare).
    """

    own: float = 30.0
    fresh: float = 300.0
    base: float = 1e-3
    rounds: int = 100
    rare: float = 0.5


def fit(base: Head, lessons: Told, own: Told, pull: Pull | None = None) -> Head:
    """The base head moved towards what `own` says; labels that it does not have become classes of their own.

    Lessons whose label the base does not have are left out.
    """
    pull = pull or Pull()
    start = with_classes(base, lessons, own)
    at = {label: number for number, label in enumerate(start.classes)}
    known = np.array([label in at for label in lessons.labels], bool)
    vectors = np.concatenate([lessons.vectors[known], own.vectors])
    right = np.array([at[label] for label in [*lessons.labels[known], *own.labels]], np.intp)
    weighs = np.where(np.isin(own.labels, base.classes), pull.own, pull.fresh)
    weight = np.concatenate([lifted(lessons.labels[known], pull.rare), weighs])
    return _descend(start, vectors, right, weight / max(int(known.sum()), 1), pull)


def lifted(labels: Names, rare: float) -> Doubles:
    """The weight of each text by how frequent its label is, 1 on average."""
    _, at, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weight = counts[at].astype(np.float64) ** -rare
    return np.asarray(weight / weight.mean() if len(weight) else weight)


def with_classes(base: Head, lessons: Told, own: Told) -> Head:
    """The base with a class for each label that only `own` has.

    It starts from the direction in which its texts differ from the lessons, as long as the base's classes are, and
    with a bias at which it answers for a text of its own.
    """
    fresh = sorted(set(own.labels.tolist()) - set(base.classes))
    if not fresh:
        return base
    middle = lessons.vectors.mean(0) if len(lessons) else own.vectors.mean(0)
    length = float(np.linalg.norm(base.weights, axis=0).mean())
    weights, bias = [base.weights], [base.bias]
    for label in fresh:
        mean = own.vectors[own.labels == label].mean(0)
        apart = mean - middle
        column = apart / max(float(np.linalg.norm(apart)), 1e-9) * length
        best = float((mean @ base.weights + base.bias).max())
        weights.append(column[:, None].astype(np.float32))
        bias.append(np.array([best - float(mean @ column)], np.float32))
    return Head(classes=(*base.classes, *fresh), weights=np.concatenate(weights, 1), bias=np.concatenate(bias))


def without(head: Head, labels: Collection[str]) -> Head:
    """The head as if it had never known some labels: the others' probabilities keep their proportions."""
    stay = [number for number, label in enumerate(head.classes) if label not in labels]
    return Head(classes=tuple(head.classes[at] for at in stay), weights=head.weights[:, stay], bias=head.bias[stay])


def answers(head: Head, vectors: Floats) -> list[str]:
    """The likeliest label of each vector."""
    return [head.classes[at] for at in head.probabilities(vectors).argmax(axis=1)] if len(vectors) else []


def to_bytes(head: Head) -> bytes:
    """Weights and bias as little-endian 32-bit floats: `width` rows of one number a class, then the bias."""
    return np.vstack([head.weights, head.bias]).astype("<f4").tobytes()


def from_bytes(classes: Sequence[str], data: bytes) -> Head:
    """The head whose `to_bytes` gave `data`."""
    rows = np.frombuffer(data, "<f4").reshape(-1, len(classes)).astype(np.float32)
    return Head(classes=tuple(classes), weights=rows[:-1], bias=rows[-1])


def _descend(start: Head, vectors: Floats, right: NDArray[np.intp], weight: Doubles, pull: Pull) -> Head:
    """L-BFGS (Liu & Nocedal 1989) on the weighted log loss plus `pull.base`/2 times the squared way from the start."""
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    shape = (vectors.shape[1] + 1, len(start.classes))
    origin = np.vstack([start.weights, start.bias]).astype(np.float64).ravel()
    padded = np.hstack([vectors, np.ones((len(vectors), 1), np.float32)])
    weight, rows = weight.astype(np.float32), np.arange(len(right))

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        logits = padded @ flat.astype(np.float32).reshape(shape)
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        total = odds.sum(axis=1, keepdims=True)
        surprise = float(weight @ (np.log(total[:, 0]) - logits[rows, right]))
        odds /= total
        odds[rows, right] -= 1
        slope = padded.T @ (odds * weight[:, None])
        moved = flat - origin
        return surprise + pull.base / 2 * float(moved @ moved), slope.ravel().astype(np.float64) + pull.base * moved

    with threadpool_limits(1, user_api="blas"):  # beside other work, threads that wait for each other cost tenfold
        found = minimize(loss, origin, jac=True, method="L-BFGS-B", options={"maxiter": pull.rounds})
    table = found.x.reshape(shape).astype(np.float32)
    return Head(classes=start.classes, weights=table[:-1], bias=table[-1])
