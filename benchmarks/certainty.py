"""How right labels are above a score, and which scores ask a person to look (nlp/certainty.py).

Reads the dev texts that come with the model (nlp/model/held.npz); prints, for each kind, ten points of the curve from
the surest tenth to all, and the threshold chosen.

    python -m benchmarks.certainty
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from nlp.certainty import WANTED, answers, thresholds
from nlp.confidence import calibration_error, chance_error
from nlp.encoder import HEADS, MODEL
from nlp.examples import Examples
from nlp.heads import Head, read_heads
from nlp.quantify import embedded_dev

LEAST = 200
"""Texts of a language group whose calibration is looked at alone."""


def main() -> None:
    """Measure and print JSON."""
    heads, held = read_heads(MODEL / HEADS), embedded_dev()
    chosen = thresholds(held, heads)
    print(json.dumps({
        "kinds": {kind: {"chosen": chosen[kind], "curve": curve(heads[kind], held, kind)} for kind in WANTED},
        "texts_with_a_label_to_check": any_doubt(heads, held, {kind: chosen[kind]["below"] for kind in WANTED}),
        "calibration_by_language": {kind: by_language(heads[kind], held, kind) for kind in heads},
    }, indent=1))  # fmt: skip


def curve(head: Head, held: Examples, kind: str) -> list[dict[str, Any]]:
    """The share of the texts whose labels are surest, from which score that is, and how many of them are right."""
    scores, right = answers(head, held, kind)
    order = np.argsort(-scores)
    points = [(part / 10, round(len(order) * part / 10)) for part in range(1, 11)]
    return [
        {"share": share, "n": n, "score_from": round(float(scores[order[n - 1]]), 3),
         "accuracy": round(float(right[order[:n]].mean()), 3)}
        for share, n in points
    ]  # fmt: skip


def any_doubt(heads: dict[str, Head], held: Examples, below: dict[str, float]) -> dict[str, Any]:
    """Of the texts with every kind of label, how many have one to check."""
    all_told = np.all([held.labels[kind] != "" for kind in below], axis=0)
    unsure = [heads[kind].probabilities(held.vectors[all_told]).max(axis=1) < score for kind, score in below.items()]
    return {"n": int(all_told.sum()), "share": round(float(np.any(unsure, axis=0).mean()), 3)}


def by_language(head: Head, held: Examples, kind: str) -> dict[str, Any]:
    """Expected calibration error by language, beside what a faultless model would get from as few texts."""
    langs = held.langs[held.labels[kind] != ""]
    scores, right = answers(head, held, kind)
    found = {}
    for lang in np.unique(langs):
        at = langs == lang
        if at.sum() >= LEAST:
            found[str(lang)] = {
                "n": int(at.sum()), "ece": round(calibration_error(scores[at].tolist(), right[at].tolist()), 4),
                "ece_of_a_faultless_model": round(chance_error(scores[at].tolist()), 4),
            }
    return found


if __name__ == "__main__":
    main()
