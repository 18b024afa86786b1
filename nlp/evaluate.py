"""Compares a model's labels with labels given by people: how often it is right, and where it is not."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from escucha.enrichment import SENTIMENTS, Enrichment, Label
from escucha.errors import Invalid, NotFound
from escucha.statistics import share
from escucha.text import storable
from nlp.chain import KINDS, Outcome, Tag
from nlp.confidence import calibration_error

EMOTIONS = ("anger", "joy", "sadness", "fear", "surprise", "disgust", "other")
_RECOMMENDED = {"recommended": "positive", "not_recommended": "negative"}
MISSING = ""
"""What a text that could not be tagged counts as: a wrong answer of no class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A text with the labels that people gave it (kind → label), its language where it is known, and the licence that
    its row names."""

    text: str
    labels: Mapping[str, str]
    lang: str | None = None
    licence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that was not taken, by its number from 1, and why."""

    number: int
    why: str


def read_labelled(path: Path) -> tuple[list[Labelled], list[BadLine]]:
    """Texts and labels of a JSONL file, gzipped or not, and the lines that could not be read.

    A row has `text` and any of sentiment, stage, pain, touchpoint, emotion; `label` is read as the sentiment or the
    emotion where it holds one, and `aspects` as the sentiment where all of theirs are the same. `lang` and `licence`
    are optional.

    Raises:
        NotFound: no such file.
        Invalid: it is not text, or has no labelled row at all.
    """
    rows: list[Labelled] = []
    bad: list[BadLine] = []
    for number, line in enumerate(_lines(path), 1):
        row = read_row(line)
        if isinstance(row, Labelled):
            rows.append(row)
        elif row:
            bad.append(BadLine(number=number, why=row))
    if not rows:
        first = f" (line {bad[0].number}: {bad[0].why})" if bad else ""
        raise Invalid(
            "The file {path} has no labelled text{first}. Each line is a JSON object with text and sentiment, stage, "
            "pain or touchpoint.", path=str(path), first=first,
        )
    return rows, bad


def read_row(line: str) -> Labelled | str:
    """One row of a labelled file, or what is wrong with it; an empty string for a blank line."""
    if not line.strip():
        return ""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return "not JSON"
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        return "no text"
    labels = {kind: row[kind] for kind in KINDS if isinstance(row.get(kind), str) and row[kind]}
    labels = {**_read_aspects(row.get("aspects")), **_read_label(row.get("label")), **labels}
    if not labels:
        return "no label"
    lang, licence = (row[key] if isinstance(row.get(key), str) else None for key in ("lang", "licence"))
    return Labelled(text=row["text"], labels=labels, lang=lang, licence=licence)


def evaluate(rows: Sequence[Labelled], tag: Tag, *, at_once: int = 256) -> dict[str, Any]:
    """Scores of `tag` for each kind of label that the rows have.

    For each: n, accuracy, macro_f1 (mean F1 of the classes), each with its 95 % `_interval` (Wilson's, and the
    percentiles of 500 bootstrap draws of the texts), ece (expected calibration error of the scores), per_class
    (precision, recall, f1 and n), confusion (true label → given label → texts) and per_lang (the same without the last
    two). Ratios are from 0 to 1. A text that could not be tagged counts as wrong.
    """
    outcomes: list[Outcome] = []
    for start in range(0, len(rows), at_once):
        outcomes += tag([Enrichment(text=storable(row.text)) for row in rows[start : start + at_once]])
    scores = {kind: _kind(kind, rows, outcomes) for kind in KINDS if any(kind in row.labels for row in rows)}
    return {"n": len(rows), "failed": sum(outcome.note is not None for outcome in outcomes), **scores}


def score(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """n, accuracy, macro-F1 and the classes' precision, recall, F1 of (true, given) pairs.

    As scikit-learn's f1_score(average="macro", zero_division=0): the classes are those used on either side, and a
    ratio of nothing is 0.
    """
    right = Counter(true for true, given in pairs if true == given)
    trues, givens = Counter(true for true, _ in pairs), Counter(given for _, given in pairs)
    labels = sorted({*trues, *givens} - {MISSING})
    classes = {label: _class(right[label], trues[label], givens[label]) for label in labels}
    return {
        "n": len(pairs),
        "accuracy": _ratio(right.total(), len(pairs)),
        "macro_f1": _ratio(sum(c["f1"] for c in classes.values()), len(classes)),
        "per_class": classes,
    }


def _read_label(label: Any) -> dict[str, str]:
    if not isinstance(label, str):
        return {}
    sentiment: str = _RECOMMENDED.get(label, label)
    if sentiment in SENTIMENTS:
        return {"sentiment": sentiment}
    emotion = "other" if label == "others" else label  # EmoEvent writes others
    return {"emotion": emotion} if emotion in EMOTIONS else {}


def _read_aspects(aspects: Any) -> dict[str, str]:
    rows = aspects if isinstance(aspects, list) else []
    found = {str(row.get("polarity")) for row in rows if isinstance(row, dict)}
    return {"sentiment": found.pop()} if len(found) == 1 and found <= set(SENTIMENTS) else {}


def _class(right: int, true: int, given: int) -> dict[str, Any]:
    return {
        "precision": _ratio(right, given),
        "recall": _ratio(right, true),
        "f1": _ratio(2 * right, true + given),
        "n": true,
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _kind(kind: str, rows: Sequence[Labelled], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    told = [
        (row.lang or "", row.labels[kind], getattr(outcome.enrichment, kind) or Label(MISSING, 0.0))
        for row, outcome in zip(rows, outcomes, strict=True)
        if kind in row.labels
    ]
    langs = sorted({lang for lang, _, _ in told if lang})
    per_lang = {lang: _answers([(true, given) for said, true, given in told if said == lang]) for lang in langs}
    for scores in per_lang.values():
        del scores["per_class"], scores["confusion"]
    return {**_answers([(true, given) for _, true, given in told]), "per_lang": per_lang}


def _answers(told: Sequence[tuple[str, Label]]) -> dict[str, Any]:
    right = [true == given.label for true, given in told]
    pairs = [(true, given.label) for true, given in told]
    counted = Counter(pairs)
    sure = share(sum(right), len(right))
    return {
        **score(pairs),
        "accuracy_interval": [sure.low, sure.high],
        "macro_f1_interval": macro_f1_interval(pairs),
        "ece": calibration_error([given.score for _, given in told], right),
        "confusion": {
            true: {given: counted[true, given] for given in sorted({given for _, given in counted})}
            for true in sorted({true for true, _ in counted})
        },
    }  # fmt: skip


def macro_f1_interval(pairs: Sequence[tuple[str, str]], draws: int = 500, seed: int = 1) -> list[float]:
    """The 95 % percentile bootstrap interval of the macro-F1 of (true, given) pairs (Efron 1979)."""
    labels = sorted({label for pair in pairs for label in pair})
    n, wide = len(pairs), len(labels)
    cells = np.array([labels.index(true) * wide + labels.index(given) for true, given in pairs])
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(draws if n else 0):
        table = np.bincount(cells[chance.integers(0, n, n)], minlength=wide * wide).reshape(wide, wide)
        used = table.sum(0) + table.sum(1)
        shown = (used > 0) & (np.array(labels) != MISSING)
        found.append(float((2 * np.diag(table)[shown] / used[shown]).mean()))
    return [float(at) for at in np.percentile(found, [2.5, 97.5])] if found else [0.0, 1.0]


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as raw, _unpacked(raw, path) as file:
            yield from io.TextIOWrapper(file, encoding="utf-8-sig")
    except FileNotFoundError:
        raise NotFound("The file {path} does not exist. Check the name.", path=str(path)) from None
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise Invalid("The file {path} cannot be read: {reason}.", path=str(path), reason=str(error)) from None


def _unpacked(raw: BinaryIO, path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
