"""The labelled texts that the embedded model learns from, and which of their pieces are worth knowing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.chain import KINDS
from nlp.evaluate import Labelled, read_labelled
from nlp.linear import weigh
from nlp.ngrams import BITS, pieces

JOURNEY = "journey"
WRITTEN = "journey_written"
LICENCES: Mapping[str, str] = {
    "umsab": "Apache-2.0 repository; the tweets are for research use",
    "airlines_es": "GPL-3.0 repository; terms of the original competition not seen",
    "coah_coar": "CC BY-NC-SA 4.0",
    "meia2025": "MIT repository; the Rest-Mex collection is for academic and research use",
    "us_airline": "MIT repository; the original is commonly given as CC BY-NC-SA 4.0",
    JOURNEY: "each text its own: GPL-3.0, MIT, PDDL, CC0, CC BY, CC BY-NC-SA, research use",
    WRITTEN: "written for this project, free",
}
"""The data sets and their licences. All may teach the sentiment; the last two teach the other kinds as well."""

AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Texts as rows of a sparse matrix (texts, pieces), with their labels and the data set each comes from."""

    matrix: Any
    rows: Sequence[Labelled]
    origin: NDArray[np.str_]

    def labels(self, kind: str) -> NDArray[np.str_]:
        """The label of that kind of each text; empty where it has none."""
        return np.array([row.labels.get(kind, "") for row in self.rows])


def read_split(data: Path, split: str) -> dict[str, list[Labelled]]:
    """The rows of one split (train or dev) of every data set that is there. Raises Invalid for an unreadable one."""
    paths = {name: data / name / f"{split}.jsonl.gz" for name in LICENCES}
    return {name: read_labelled(path)[0] for name, path in paths.items() if path.exists()}


def lesson(sets: Mapping[str, Sequence[Labelled]]) -> Lesson:
    """The texts of some data sets as one lesson: for each piece of a text 1 + ln(times), without rarity or length."""
    rows = [row for part in sets.values() for row in part]
    origin = np.repeat(np.array(list(sets)), [len(part) for part in sets.values()])
    return Lesson(matrix=_matrix([row.text for row in rows]), rows=rows, origin=origin)


def rarity(matrix: Any) -> NDArray[np.float32]:
    """Smoothed inverse document frequency of each piece, ln((1 + n) / (1 + df)) + 1 (as scikit-learn's)."""
    n, df = matrix.shape[0], matrix.getnnz(axis=0)
    return np.asarray(np.log((1 + n) / (1 + df)) + 1, dtype=np.float32)


def telling(school: Lesson, keep: int) -> NDArray[np.int64]:
    """The pieces to keep, ascending: those in at least two texts whose χ² with the labels of some kind ranks best."""
    from sklearn.feature_selection import chi2

    best = np.zeros(school.matrix.shape[1], np.int64)
    for kind in KINDS:
        labels = school.labels(kind)
        told = np.flatnonzero(labels != "")
        strength = np.nan_to_num(chi2(school.matrix[told], labels[told])[0])
        best = np.maximum(best, strength.argsort(kind="stable").argsort(kind="stable"))
    best[school.matrix.getnnz(axis=0) < 2] = -1
    order = np.argsort(-best, kind="stable")[:keep]
    return np.sort(order[best[order] >= 0])


def narrow(whole: Lesson, bins: NDArray[np.int64], idf: NDArray[np.float32]) -> Lesson:
    """The same texts with those pieces only, weighed by rarity, each text at length 1."""
    from sklearn.preprocessing import normalize

    weighed = normalize(whole.matrix[:, bins].multiply(idf[None, :]).tocsr())
    return Lesson(matrix=weighed, rows=whole.rows, origin=whole.origin)


def _matrix(texts: Sequence[str]) -> Any:
    import scipy.sparse

    parts = []
    for start in range(0, len(texts), AT_ONCE):
        some = texts[start : start + AT_ONCE]
        owner, bins, times = pieces(some)
        values = weigh(times, np.ones(len(times), np.float32))
        parts.append(scipy.sparse.csr_matrix((values, (owner, bins)), shape=(len(some), 1 << BITS)))
    return scipy.sparse.vstack(parts).tocsr()
