"""Studies a brand: fits a head from its corrections and examples, and says how good it is beside the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from nlp import adapt
from nlp.adapt import Pull, Told
from nlp.confidence import calibration_error, temperature
from nlp.encoder import GRAPH, HEADS, MODEL, TOKENS, Encoder, version_of
from nlp.evaluate import score
from nlp.examples import HELD, LESSONS, read_examples
from nlp.heads import Floats, Head, read_heads

HELD_BACK = 5
"""One correction in so many is not learned from, so that the head can be measured on it."""
FOLDS = 4
"""In so many rounds the examples of an own label are asked for, each in the round that does not learn from it."""

QUICK = Pull(rounds=40)
"""How long those rounds fit: enough to tell which examples are found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What every brand's head of a kind is made from: the embedded head, lessons, and dev texts to measure on.

    `reads` is the version of all vectors.
    """

    reads: str
    base: Head
    lessons: Told
    held: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a brand brings: its corrections (learned from, and held back), the examples and descriptions of its own
    labels, and the head that serves it now (None: the embedded one)."""

    learned: Told
    held_back: Told
    examples: Told
    described: Told
    before: Head | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The head that was fitted, and how good it is.

    `report` is ready for JSON: `held_back` and `elsewhere` (the model's dev texts) each with n and accuracy, macro_f1
    and ece `before` and `after`; `own` maps an own label to its examples and how many of them were `found` by a head
    that had not learned from them; `temperature`, and `seconds` that it took.
    """

    head: Head
    report: Mapping[str, Any]


def held_back(mention_id: int) -> bool:
    """Whether a mention's corrections are kept for measuring: one in five, the same ones every time."""
    return int.from_bytes(blake2b(str(mention_id).encode(), digest_size=4).digest()) % HELD_BACK == 0


@cache
def material(kind: str, folder: Path = MODEL) -> Material:
    """The material that ships with the model. Raises ModelError for files that are missing or damaged."""
    lessons, held = read_examples(folder / LESSONS), read_examples(folder / HELD)
    base = read_heads(folder / HEADS)[kind]
    return Material(reads=lessons.reads, base=base, lessons=_told(lessons.told(kind)), held=_told(held.told(kind)))


@cache
def reading(folder: Path = MODEL) -> str:
    """The version of the vectors that today's embedded encoder makes."""
    return version_of(folder, (GRAPH, TOKENS))


def nothing(width: int) -> Floats:
    """No vectors of this width."""
    return np.zeros((0, width), np.float32)


def embed(texts: Sequence[str]) -> Floats:
    """The vectors of some texts, (texts, width), by the embedded encoder. Raises ModelError if it cannot be opened."""
    return _encoder().vectors(texts) if texts else nothing(0)


def study(given: Material, wish: Wish) -> Study:
    """Fit a brand's head and measure it. Pure; seconds."""
    began = perf_counter()
    own = joined(wish.learned, wish.examples, wish.described)
    fitted = adapt.fit(given.base, given.lessons, own)
    warmth = _warmth(fitted, given.held)
    head, before = fitted.cooled(warmth), wish.before or given.base
    report = {
        "corrections": len(wish.learned) + len(wish.held_back), "learned": len(wish.learned),
        "held_back": compared(before, head, wish.held_back), "elsewhere": compared(before, head, given.held),
        "own": found(given, wish), "temperature": warmth,
    }
    return Study(head=head, report={**report, "seconds": round(perf_counter() - began, 2)})


def compared(before: Head, after: Head, told: Told) -> dict[str, Any]:
    """How good two heads are on the same texts."""
    return {"n": len(told), "before": _scores(before, told), "after": _scores(after, told)}


def found(given: Material, wish: Wish) -> dict[str, dict[str, int]]:
    """For each own label with examples: how many there are, and how many are found without learning from them."""
    right: dict[str, int] = dict.fromkeys(sorted(set(wish.examples.labels.tolist())), 0)
    for fold in range(FOLDS if right else 0):
        asked = _positions(wish.examples) % FOLDS == fold
        own = joined(wish.learned, _some(wish.examples, ~asked), wish.described)
        head = adapt.fit(given.base, given.lessons, own, QUICK)
        answers = adapt.answers(head, wish.examples.vectors[asked])
        for label, answer in zip(wish.examples.labels[asked].tolist(), answers, strict=True):
            right[label] += label == answer
    return {
        label: {"examples": int((wish.examples.labels == label).sum()), "found": n} for label, n in right.items()
    }


def joined(*parts: Told) -> Told:
    """Texts of several sources as one."""
    full = [part for part in parts if len(part)]
    if not full:
        return parts[0]
    return Told(vectors=np.concatenate([p.vectors for p in full]), labels=np.concatenate([p.labels for p in full]))


def told(vectors: Floats, labels: Sequence[str]) -> Told:
    """Vectors with their labels."""
    return Told(vectors=vectors, labels=np.array(labels, np.str_))


def _told(pair: tuple[Floats, Any]) -> Told:
    return Told(vectors=pair[0], labels=pair[1])


def _some(of: Told, which: Any) -> Told:
    return Told(vectors=of.vectors[which], labels=of.labels[which])


def _positions(of: Told) -> Any:
    """The number of each text among those of its label, so that every fold has some of each."""
    seen: dict[str, int] = {}
    places = []
    for label in of.labels.tolist():
        places.append(seen.get(label, 0))
        seen[label] = places[-1] + 1
    return np.array(places, np.intp)


def _warmth(head: Head, held: Told) -> float:
    known = _some(held, np.isin(held.labels, head.classes))
    return temperature(head, known.vectors, known.labels.tolist()) if len(known) else 1.0


def _scores(head: Head, of: Told) -> dict[str, float]:
    """Accuracy, mean F1 of the labels that the texts have, and expected calibration error."""
    if not len(of):
        return {}
    odds = head.probabilities(of.vectors)
    given = [head.classes[at] for at in odds.argmax(axis=1)]
    scores = score(list(zip(of.labels.tolist(), given, strict=True)))
    right = [true == answer for true, answer in zip(of.labels.tolist(), given, strict=True)]
    ece = calibration_error(odds.max(axis=1).tolist(), right)
    macro = np.mean([of_class["f1"] for of_class in scores["per_class"].values() if of_class["n"]])
    return {"accuracy": scores["accuracy"], "macro_f1": float(macro), "ece": ece}


@cache
def _encoder() -> Encoder:
    return Encoder(MODEL, ("vector",))
