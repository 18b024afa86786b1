"""How well a class is learned from 16 examples: hides one at a time, adds it back, and scores it on the dev texts.

    python -m benchmarks.own_class

For each class of stage, pain and touchpoint with at least 20 dev texts of the journey set: its lessons are left out
and its column is taken from the embedded head; then the class is added as a marketer would add it, from 16 examples
drawn from its lessons and the catalogue's description. Five draws. Prints JSON: the class's F1 and the kind's macro-F1
with the median seconds of a fit, beside those of the head that ships, and of the nearest mean vector.
What this cannot show: the encoder itself was taught with the class that is hidden here.
"""

from __future__ import annotations

from statistics import fmean, median
from time import perf_counter
from typing import Any

import numpy as np

from config.catalogue import read_catalogue
from escucha.taxonomy import KINDS, entries
from nlp import adapt
from nlp.adapt import Told
from nlp.encoder import HEADS, MODEL
from nlp.evaluate import score
from nlp.examples import HELD, LESSONS, Examples, read_examples
from nlp.heads import Head, read_heads
from nlp.study import embed, joined, told

EXAMPLES, DRAWS, LEAST = 16, 5, 20
Pair = tuple[float, float]


def main() -> None:
    """Print the scores of every class that is common enough, and their means."""
    import json

    rows = [row for kind in KINDS for row in of_kind(kind)]
    ways = ("embedded", "added", "added_without_description", "nearest_mean")
    means = {way: {score: round(fmean(row[way][score] for row in rows), 3) for score in ("f1", "macro_f1")}
             for way in ways}
    seconds = median(second for row in rows for second in row.pop("seconds"))
    print(json.dumps({"examples": EXAMPLES, "draws": DRAWS, "classes": rows, "means": means,
                      "median_seconds_of_a_fit": round(seconds, 2)}, indent=1))


def of_kind(kind: str) -> list[dict[str, Any]]:
    """The scores of each class of a kind that is common enough."""
    held, lessons = read_examples(MODEL / HELD), of(read_examples(MODEL / LESSONS), kind)
    asked = of(held.of(held.sets == "journey"), kind)
    base = read_heads(MODEL / HEADS)[kind]
    meanings = {entry.key: [f"{entry.label[lang]}: {entry.meaning[lang]}" for lang in entry.meaning]
                for entry in entries(read_catalogue(), kind)}
    counts = {key: int((asked.labels == key).sum()) for key in meanings}
    return [{"kind": kind, "class": key, "dev": n, **hide(key, base, lessons, asked, meanings[key])}
            for key, n in counts.items() if n >= LEAST]


def of(examples: Examples, kind: str) -> Told:
    """The texts that have a label of a kind."""
    vectors, labels = examples.told(kind)
    return Told(vectors=vectors, labels=labels)


def hide(key: str, base: Head, lessons: Told, asked: Told, meaning: list[str]) -> dict[str, Any]:
    """The scores of a class that is hidden and added back."""
    theirs = np.flatnonzero(lessons.labels == key)
    rest = Told(vectors=lessons.vectors[lessons.labels != key], labels=lessons.labels[lessons.labels != key])
    described = told(embed(meaning), [key] * len(meaning))
    hidden, seconds = adapt.without(base, {key}), []
    added: list[Pair] = []
    bare: list[Pair] = []
    near: list[Pair] = []
    for draw in range(DRAWS):
        chosen = np.random.default_rng(draw).choice(theirs, min(EXAMPLES, len(theirs)), replace=False)
        own = Told(vectors=lessons.vectors[chosen], labels=lessons.labels[chosen])
        began = perf_counter()
        head = adapt.fit(hidden, rest, joined(own, described))
        seconds.append(perf_counter() - began)
        added.append(scores(key, asked, adapt.answers(head, asked.vectors)))
        bare.append(scores(key, asked, adapt.answers(adapt.fit(hidden, rest, own), asked.vectors)))
        near.append(scores(key, asked, nearest(joined(rest, own), asked)))
    return {
        "embedded": mean([scores(key, asked, adapt.answers(base, asked.vectors))]), "added": mean(added),
        "added_without_description": mean(bare), "nearest_mean": mean(near), "seconds": seconds,
    }


def nearest(known: Told, asked: Told) -> list[str]:
    """For each text the label whose mean vector is nearest in direction."""
    labels = sorted(set(known.labels.tolist()))
    means = np.stack([known.vectors[known.labels == label].mean(0) for label in labels])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return [labels[at] for at in (asked.vectors @ means.T).argmax(axis=1)]


def scores(key: str, asked: Told, given: list[str]) -> Pair:
    """F1 of a class, and macro-F1."""
    found = score(list(zip(asked.labels.tolist(), given, strict=True)))
    return found["per_class"][key]["f1"], found["macro_f1"]


def mean(pairs: list[Pair]) -> dict[str, float]:
    """The means over the draws, rounded."""
    return {"f1": round(fmean(f1 for f1, _ in pairs), 3), "macro_f1": round(fmean(macro for _, macro in pairs), 3)}


if __name__ == "__main__":
    main()
