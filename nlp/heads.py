"""The heads: what reads a text's vector and says how likely each label of a kind is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    """

    classes: tuple[str, ...]
    weights: Floats
    bias: Floats

    def probabilities(self, vectors: Floats) -> Floats:
        """(texts, width) → (texts, classes), each row summing to 1."""
        logits = vectors @ self.weights + self.bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def cooled(self, temperature: float) -> Head:
        """The same answers, less sure (temperature above 1) or surer (below)."""
        weights, bias = self.weights / temperature, self.bias / temperature
        return Head(classes=self.classes, weights=weights.astype(np.float32), bias=bias.astype(np.float32))


def read_heads(path: Path) -> dict[str, Head]:
    """The heads in a file, by kind. Raises OSError, KeyError or ValueError for a missing or damaged one."""
    with np.load(path, allow_pickle=False) as file:
        kinds = file["kinds"].tolist()
        return {
            kind: Head(
                classes=tuple(file[f"{kind}_classes"].tolist()),
                weights=file[f"{kind}_weights"], bias=file[f"{kind}_bias"],
            ) for kind in kinds
        }  # fmt: skip


def write_heads(path: Path, heads: Mapping[str, Head]) -> None:
    """Write heads as plain arrays, no pickle."""
    arrays: dict[str, Any] = {"kinds": np.array(list(heads))}
    for kind, head in heads.items():
        arrays |= {f"{kind}_classes": np.array(head.classes)}
        arrays |= {f"{kind}_weights": head.weights, f"{kind}_bias": head.bias}
    np.savez(path, **arrays)
