"""Texts as their vectors with the labels people gave them: what heads are made from, and measured on, in seconds.

The model ships two: `lessons.npz`, a part of what it was taught with, and `held.npz`, dev texts that it never saw.
The texts themselves are in neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from escucha.errors import ModelError
from escucha.vector import pack, unpack
from nlp.heads import Floats

LESSONS, HELD = "lessons.npz", "held.npz"
Names = NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """`vectors` (texts, width) of version `reads`; `labels` maps a kind to a label for each text, "" where it has none.

    `langs` and `sets` are each text's language ("" if unknown) and the data set it comes from.
    """

    reads: str
    vectors: Floats
    labels: Mapping[str, Names]
    langs: Names
    sets: Names

    def told(self, kind: str) -> tuple[Floats, Names]:
        """The vectors and labels of the texts that have a label of this kind."""
        if kind not in self.labels:
            return self.vectors[:0], np.array([], np.str_)
        have = self.labels[kind] != ""
        return self.vectors[have], self.labels[kind][have]

    def of(self, at: Sequence[int] | NDArray[np.bool_]) -> Examples:
        """Some of the texts, by number or by mask."""
        return Examples(
            reads=self.reads, vectors=self.vectors[at], labels={kind: names[at] for kind, names in self.labels.items()},
            langs=self.langs[at], sets=self.sets[at],
        )  # fmt: skip


def read_examples(path: Path) -> Examples:
    """The examples in a file. Raises ModelError for a missing or damaged one."""
    try:
        with np.load(path, allow_pickle=False) as file:
            rows = file["vectors"]
            return Examples(
                reads=str(file["reads"]), vectors=unpack([row.tobytes() for row in rows]),
                labels={kind: file[f"is_{kind}"] for kind in file["kinds"].tolist()},
                langs=file["langs"], sets=file["sets"],
            )  # fmt: skip
    except Exception as error:  # numpy raises OSError, KeyError, ValueError and zipfile's own
        raise ModelError(
            "The model {path} cannot be read: {reason}. Train it again with `escucha train`.",
            path=str(path), reason=str(error)[:300],
        ) from error


def write_examples(path: Path, examples: Examples) -> None:
    """Write examples as plain arrays, no pickle."""
    rows = np.stack([np.frombuffer(vector.data, np.int8) for vector in pack(examples.vectors, examples.reads)])
    named: dict[str, Any] = {f"is_{kind}": names for kind, names in examples.labels.items()}
    np.savez_compressed(
        path, vectors=rows, reads=np.array(examples.reads), kinds=np.array(list(examples.labels)), langs=examples.langs,
        sets=examples.sets, **named,
    )  # fmt: skip
