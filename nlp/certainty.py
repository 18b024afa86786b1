"""From which score on a label can be trusted, and below which a person should look.

The thresholds come from dev texts and are written to the model's card; `python -m benchmarks.certainty` prints the
curve that they are chosen from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.encoder import HEADS, MODEL
from nlp.examples import HELD, Examples, read_examples
from nlp.heads import Head, read_heads

CARD = "card.json"
WANTED = MappingProxyType({"sentiment": 0.85, "stage": 0.80, "pain": 0.80, "touchpoint": 0.80})
"""Of the labels that nobody is asked to check, how many should be right."""
MOST = 0.1
"""At most this share of a kind's labels is to be checked, even if the rest is less right than wanted: a list that
holds nearly everything helps nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """Labels with a score under `below` are to be checked. Of the others, `covered` of `n` dev texts, `accuracy` are
    right; of those to check, `accuracy_below` (None without any)."""

    below: float
    wanted: float
    accuracy: float
    covered: float
    accuracy_below: float | None
    n: int


def thresholds(held: Examples, heads: Mapping[str, Head]) -> dict[str, dict[str, Any]]:
    """The thresholds of the kinds in WANTED, ready for the card."""
    found = {kind: threshold(*answers(heads[kind], held, kind), wanted) for kind, wanted in WANTED.items()
             if kind in heads and held.told(kind)[1].size}  # fmt: skip
    return {kind: asdict(one) for kind, one in found.items()}


def threshold(scores: NDArray[np.float32], right: NDArray[np.bool_], wanted: float, most: float = MOST) -> Threshold:
    """The lowest threshold above which as many answers as wanted are right, with at most `most` of them below it."""
    order = np.argsort(-scores, kind="stable")
    good = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(good >= wanted)
    kept = max(int(enough[-1]) + 1 if enough.size else 0, int(np.ceil(len(order) * (1 - most))))
    below = 0.0 if kept == len(order) else float(np.floor(scores[order][kept - 1] * 10_000) / 10_000)
    above = scores >= below
    return Threshold(
        below=round(below, 4), wanted=wanted, accuracy=round(float(right[above].mean()), 4),
        covered=round(float(above.mean()), 4), n=len(right),
        accuracy_below=None if above.all() else round(float(right[~above].mean()), 4),
    )  # fmt: skip


def answers(head: Head, held: Examples, kind: str) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """How sure the head is of its answer to each dev text of a kind, and whether it is right."""
    vectors, true = held.told(kind)
    chances = head.probabilities(vectors)
    return chances.max(axis=1), np.array(head.classes)[chances.argmax(axis=1)] == true


@cache
def review_below() -> Mapping[str, float]:
    """The embedded model's thresholds by kind, from its card; from its dev texts where the card has none.

    They are made for the embedded model's scores; a hub model's or a brand's own head's are compared with them too.
    """
    card = json.loads((MODEL / CARD).read_text("utf-8"))
    found = card.get("review") or thresholds(read_examples(MODEL / HELD), read_heads(MODEL / HEADS))
    return MappingProxyType({kind: float(one["below"]) for kind, one in found.items()})
