"""The heads: what reads a text's vector and says how likely each label of a kind is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Multinomial logistic regression of one kind.

    `weights` (width, classes) and `bias` (classes) are already divided by the temperature that was fitted on dev
    texts (Guo et al. 2017, "On Calibration of Modern Neural Networks"), so that probabilities mean what they say.
    `by_language` holds what to divide by besides for texts of a language, where dev texts showed a need for it.
    """

    classes: tuple[str, ...]
    weights: Floats
    bias: Floats
    by_language: Mapping[str, float] = field(default_factory=dict)

    def probabilities(self, vectors: Floats, langs: Sequence[str | None] = ()) -> Floats:
        """(texts, width) → (texts, classes), each row summing to 1. `langs` are the texts' languages, where known."""
        logits = vectors @ self.weights + self.bias
        if self.by_language and len(langs):
            logits /= np.array([[self.by_language.get(lang or "", 1.0)] for lang in langs], np.float32)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def cooled(self, temperature: float) -> Head:
        """The same answers, less sure (temperature above 1) or surer (below)."""
        weights, bias = self.weights / temperature, self.bias / temperature
        return replace(self, weights=weights.astype(np.float32), bias=bias.astype(np.float32))


def read_heads(path: Path) -> dict[str, Head]:
    """The heads in a file, by kind. Raises OSError, KeyError or ValueError for a missing or damaged one."""
    with np.load(path, allow_pickle=False) as file:
        kinds = file["kinds"].tolist()
        return {
            kind: Head(
                classes=tuple(file[f"{kind}_classes"].tolist()),
                weights=file[f"{kind}_weights"], bias=file[f"{kind}_bias"],
                by_language=_paired(file, kind),
            ) for kind in kinds
        }  # fmt: skip


def write_heads(path: Path, heads: Mapping[str, Head]) -> None:
    """Write heads as plain arrays, no pickle."""
    arrays: dict[str, Any] = {"kinds": np.array(list(heads))}
    for kind, head in heads.items():
        arrays |= {f"{kind}_classes": np.array(head.classes)}
        arrays |= {f"{kind}_weights": head.weights, f"{kind}_bias": head.bias}
        arrays |= {f"{kind}_langs": np.array(list(head.by_language), np.str_)}
        arrays |= {f"{kind}_temperatures": np.array(list(head.by_language.values()), np.float64)}
    np.savez(path, **arrays)


def _paired(file: Mapping[str, Any], kind: str) -> dict[str, float]:
    if f"{kind}_langs" not in file:  # heads written by an older version
        return {}
    return dict(zip(file[f"{kind}_langs"].tolist(), file[f"{kind}_temperatures"].tolist(), strict=True))
