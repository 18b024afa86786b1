"""Tries a model out before it is used: how many texts at once are fastest, and how it agrees with another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from escucha.errors import Invalid, NotFound
from nlp.evaluate import Labelled, read_row, score
from nlp.heads import Floats
from nlp.hub.opened import Opened
from nlp.stream import read_line

SIZES = (8, 16, 32, 64)
SAMPLE = 64
LIMIT = 60.0
"""Seconds after which no further size is tried."""
NEIGHBOURS = 10
Tell = Callable[[int], None]
"""Is told how many more texts have been read."""


def fastest(model: Opened, texts: Sequence[str], tell: Tell, clock: Callable[[], float] = time.perf_counter) -> int:
    """The size, of SIZES, at which the model reads the sample fastest; the smallest of those within a twentieth."""
    sample = (list(texts)[:: max(1, len(texts) // SAMPLE)] * SAMPLE)[:SAMPLE]
    model.answer(sample[:8], 8)  # the first answer pays for what is only made once
    began, took = clock(), dict[int, float]()
    for size in SIZES:
        if took and clock() - began > LIMIT:
            break
        before = clock()
        model.answer(sample, size)
        took[size] = clock() - before
        tell(len(sample))
    return min(size for size, seconds in took.items() if seconds <= 1.05 * min(took.values()))


def read_all(model: Opened, texts: Sequence[str], at_once: int, tell: Tell) -> tuple[Floats, float]:
    """The model's answers to all texts, and how many it read in a second."""
    began, parts = time.perf_counter(), list[Floats]()
    for start in range(0, len(texts), SAMPLE):
        some = list(texts[start : start + SAMPLE])
        parts.append(model.answer(some, at_once))
        tell(len(some))
    return np.concatenate(parts), round(len(texts) / (time.perf_counter() - began), 1)


def same_labels(ours: Sequence[str], theirs: Sequence[str], rows: Sequence[Labelled]) -> dict[str, Any]:
    """How often two models give the same sentiment; where texts carry people's labels, how right each is on those."""
    same = sum(a == b for a, b in zip(ours, theirs, strict=True))
    told = [(row.labels["sentiment"], a, b) for row, a, b in zip(rows, ours, theirs, strict=True)
            if "sentiment" in row.labels]  # fmt: skip
    found: dict[str, Any] = {"n": len(rows), "same_label": round(same / len(rows), 4), "labelled": len(told)}
    if told:
        found["embedded"] = _score([(true, a) for true, a, _ in told])
        found["this"] = _score([(true, b) for true, _, b in told])
    return found


def same_neighbours(ours: Floats, theirs: Floats) -> dict[str, Any]:
    """Of each text's ten nearest by one encoder, the share that are among its ten nearest by the other; the mean."""
    k = min(NEIGHBOURS, len(ours) - 1)
    if k < 1:
        return {"n": len(ours), "same_neighbours": None}
    pairs = zip(_nearest(ours, k), _nearest(theirs, k), strict=True)
    shared = np.mean([len({*a} & {*b}) / k for a, b in pairs])
    return {"n": len(ours), "same_neighbours": round(float(shared), 4)}


def same_answers(before: Floats, after: Floats, *, labels: bool) -> dict[str, Any]:
    """How near an exported model's answers are to the original's: probabilities, or vectors of length 1."""
    if labels:
        same = (before.argmax(axis=1) == after.argmax(axis=1)).mean()
        gap = np.abs(before - after).max(axis=1)
        return {
            "n": len(before), "same_label": round(float(same), 4), "mean_gap": round(float(gap.mean()), 4),
            "largest_gap": round(float(gap.max()), 4),
        }  # fmt: skip
    cosines = (before * after).sum(axis=1)
    return {
        **same_neighbours(before, after), "mean_cosine": round(float(cosines.mean()), 4),
        "lowest_cosine": round(float(cosines.min()), 4),
    }  # fmt: skip


def read_texts(paths: Sequence[Path]) -> list[Labelled]:
    """The texts of files, one a line: plain, or JSON with `text` and perhaps people's labels.

    Raises:
        NotFound: no such file.
        Invalid: it is not text, or has none.
    """
    rows = [row for path in paths for row in _rows(path)]
    if not rows:
        raise Invalid("The file {path} has no text.", path=", ".join(map(str, paths)))
    return rows


def _rows(path: Path) -> Iterator[Labelled]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        raise NotFound("The file {path} does not exist. Check the name.", path=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid("The file {path} cannot be read: {reason}.", path=str(path), reason=str(error)) from None
    for number, line in enumerate(lines, 1):
        row, plain = read_row(line), read_line(line, number)
        if isinstance(row, Labelled):
            yield row
        elif plain is not None and plain.text:
            yield Labelled(text=plain.text, labels={})


def _score(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    found = score(pairs)
    return {name: round(found[name], 4) for name in ("accuracy", "macro_f1")}


def _nearest(vectors: Floats, k: int) -> Any:
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -2)
    return np.argpartition(-alike, k - 1, axis=1)[:, :k]
