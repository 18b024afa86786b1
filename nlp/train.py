"""Makes the embedded model from labelled texts and a base encoder, and writes down how good it became.

The data folder has one folder a data set, each with train.jsonl.gz and perhaps dev.jsonl.gz (nlp/evaluate.py says
what a row looks like; nlp/lessons.py which sets are read). The base is a BertModel with a tokenizer.json beside it.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from escucha.errors import NotFound
from nlp import adapt
from nlp.adapt import Pull, Told
from nlp.certainty import thresholds
from nlp.chain import KINDS, Chain, ModelOptions
from nlp.confidence import temperature, temperatures_by_language
from nlp.encoder import GRAPH, HEADS, TOKENS, Encoder
from nlp.evaluate import Labelled, evaluate
from nlp.examples import HELD, LESSONS, Examples, write_examples
from nlp.export import export
from nlp.heads import Head, write_heads
from nlp.language import open_language
from nlp.learn import Progress, average, learn_once
from nlp.lessons import JOURNEY, MIX, Part, drawn, permitted, read_split
from nlp.school import Plan

CARD = "card.json"
BASE = Path("..", "models", "embed-e5s-32k")
"""Where the base encoder lies, seen from the data folder."""

SETTLE = Pull(base=0.1, rounds=100)
"""How far the shipped heads may move from the seeds' mean: a little. Further brought stage 3 points more on dev texts,
and cost pain as much."""
SETTLED_BY = 15_000
"""Texts that they are settled by."""
HELD_MOST, LESSONS_MOST = 3_000, 6_000
"""Examples that ship with the model: as many as fit into its 45 MB."""
REVIEWS = ("coah_coar", "meia2025")

Scores = Mapping[str, Mapping[str, Mapping[str, Any]]]
Sets = Mapping[str, Sequence[Labelled]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """By what plan and from which seeds and sets a model is made."""

    plan: Plan
    mix: Mapping[str, Part]
    seeds: tuple[int, ...]
    permissive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a training: the model's version, and its scores on the dev texts by the files as written.

    `scores` is kind → data set → {n, accuracy, macro_f1, ece, per_lang}; `stars` as the function of that name;
    `review` as nlp.certainty.thresholds.
    """

    version: str
    scores: Scores
    stars: Mapping[str, Mapping[str, float]]
    review: Mapping[str, Mapping[str, Any]]


def train(
    data: Path,
    out: Path,
    progress: Progress = lambda _share, _at: None,
    *,
    base: Path | None = None,
    plan: Plan | None = None,
    mix: Mapping[str, Part] = MIX,
    seeds: Sequence[int] = (1, 2),
    permissive: bool = False,
    kept: Path | None = None,
) -> Report:
    """Learn from `data` once from each seed, average, and write the model and card.json to `out`.

    Without a graphics card each seed takes about an hour of one processor core. What each came to is kept in the
    folder `kept` (`out`/seeds if not given): a run that was cut off goes on after the last finished one. `permissive`
    leaves out every text whose licence is for research or non-commercial use only, or unknown.

    Raises:
        NotFound: the folder, the journey texts in it, or the base encoder are missing.
        Invalid: a data set cannot be read.
    """
    plan, base, kept = plan or Plan(), base or data / BASE, kept or out / "seeds"
    asked, whole = read_split(data, "dev", mix), read_split(data, "train", mix)
    if permissive:
        whole = {name: rows for name, every in whole.items() if (rows := permitted(every, mix[name]))}
    check(data, base, whole, asked)
    runs = []
    for at, seed in enumerate(seeds):
        runs.append(kept / f"{'permissive' if permissive else 'default'}-{seed}.pt")
        sets = [(drawn(rows, mix[name], seed), mix[name].share) for name, rows in whole.items()]
        learn_once(base, sets, replace(plan, seed=seed), runs[-1], _within(progress, at / len(seeds), len(seeds)))
    progress(0.9, "measuring")
    model, heads = average(base, runs)
    export(model, out / GRAPH)
    shutil.copyfile(base / TOKENS, out / TOKENS)
    taught = {name: drawn(rows, mix[name], seeds[0]) for name, rows in whole.items()}
    report = finish(out, heads, taught, asked, Recipe(plan=plan, mix=mix, seeds=tuple(seeds), permissive=permissive))
    progress(1.0, "measuring")
    return report


def check(data: Path, base: Path, taught: Sets, asked: Sets) -> None:
    """Raise NotFound when there is nothing to learn from, or nothing that could learn."""
    if JOURNEY not in taught or JOURNEY not in asked:
        raise NotFound(
            "The folder {path} holds nothing to learn from: it needs {name}/train.jsonl.gz and {name}/dev.jsonl.gz. "
            "Check the path.", path=str(data), name=JOURNEY,
        )  # fmt: skip
    if not (base / TOKENS).exists():
        raise NotFound("The folder {path} holds no base encoder. Check the path.", path=str(base))


def finish(out: Path, heads: Mapping[str, Head], taught: Sets, asked: Sets, recipe: Recipe) -> Report:
    """Fit the heads and their temperatures to the graph in `out`; write them, the examples and the card."""
    write_heads(out / HEADS, heads)
    encoder = Encoder(out)
    held, lessons = read_vectors(encoder, asked), read_vectors(encoder, some_of(taught, SETTLED_BY))
    heads = {kind: settle(kind, head, lessons, held) for kind, head in heads.items()}
    write_heads(out / HEADS, heads)
    write_examples(out / HELD, few(held, HELD_MOST, staged_first=True))
    write_examples(out / LESSONS, few(lessons, LESSONS_MOST))
    encoder = Encoder(out)
    report = Report(
        version=encoder.version, scores=dev_scores(encoder, asked), stars=stars(heads, held),
        review=thresholds(held, heads),
    )
    written = json.dumps(card(report, taught, asked, recipe), indent=1, ensure_ascii=False)
    (out / CARD).write_text(written + "\n", "utf-8")
    return report


def settle(kind: str, head: Head, lessons: Examples, held: Examples) -> Head:
    """The head that ships: what the seeds' mean was, moved towards what the shipped vectors say, and cooled.

    Averaging and rounding moved the vectors a little away from the heads that were learned with them.
    """
    nothing = Told(vectors=lessons.vectors[:0], labels=lessons.langs[:0])
    taught = lessons.told(kind)
    found = adapt.fit(head, Told(vectors=taught[0], labels=taught[1]), nothing, SETTLE)
    asked = held.of(np.isin(held.labels[kind], found.classes))
    if not len(asked.sets):
        return found
    vectors, right = asked.vectors, asked.labels[kind].tolist()
    found = found.cooled(temperature(found, vectors, right))
    return replace(found, by_language=temperatures_by_language(found, vectors, right, asked.langs.tolist()))


def read_vectors(encoder: Encoder, sets: Sets) -> Examples:
    """The texts of some sets as examples."""
    named = [(name, row) for name, rows in sets.items() for row in rows]
    return Examples(
        reads=encoder.reading,
        vectors=encoder.vectors([row.text for _, row in named]),
        labels={kind: np.array([row.labels.get(kind, "") for _, row in named]) for kind in KINDS},
        langs=np.array([row.lang or "" for _, row in named]),
        sets=np.array([name for name, _ in named]),
    )


def few(examples: Examples, most: int, *, staged_first: bool = False, seed: int = 1) -> Examples:
    """At most `most` of the examples, at random; with `staged_first`, all that have a stage before the others."""
    order = np.random.default_rng(seed).permutation(len(examples.sets))
    if staged_first:
        order = order[np.argsort(examples.labels["stage"][order] == "", kind="stable")]
    return examples.of(np.sort(order[:most]))


def some_of(sets: Sets, most: int, seed: int = 1) -> Sets:
    """At most `most` texts at random; those with a stage go first, as they are the fewest and have every kind."""
    chance = random.Random(seed)
    rows = [(name, row) for name, part in sets.items() for row in part]
    order = sorted(chance.sample(rows, len(rows)), key=lambda named: "stage" not in named[1].labels)
    chosen: dict[str, list[Labelled]] = {}
    for name, row in order[:most]:
        chosen.setdefault(name, []).append(row)
    return chosen


def stars(heads: Mapping[str, Head], held: Examples) -> dict[str, dict[str, float]]:
    """Per set of reviews: of those with 1–2 or 4–5 stars, how many are told apart.

    `of_three` counts an answer of "neutral" as wrong, `of_two` takes the likelier of the other two.
    """
    found = {}
    for name in REVIEWS:
        rows = held.of((held.sets == name) & np.isin(held.labels["sentiment"], ("negative", "positive")))
        if len(rows.sets) and "sentiment" in heads:
            head, right = heads["sentiment"], rows.labels["sentiment"]
            odds = head.probabilities(rows.vectors)
            two = odds[:, [head.classes.index("negative"), head.classes.index("positive")]].argmax(axis=1)
            found[name] = {
                "n": len(right),
                "of_three": float((np.array(head.classes)[odds.argmax(axis=1)] == right).mean()),
                "of_two": float((np.array(["negative", "positive"])[two] == right).mean()),
            }
    return found


def dev_scores(encoder: Encoder, sets: Sets) -> Scores:
    """Scores on dev texts: kind → data set → {n, accuracy, macro_f1, ece, per_lang}."""
    chain = Chain([open_language(ModelOptions()), encoder])
    found = {name: evaluate(rows, chain) for name, rows in sets.items()}
    return {
        kind: {name: _rounded(scores[kind]) for name, scores in found.items() if kind in scores} for kind in KINDS
    }


def card(report: Report, taught: Sets, asked: Sets, recipe: Recipe) -> dict[str, Any]:
    """What the model card says, ready for JSON."""
    return {
        "model": "multilingual-e5-small (MIT) with 32,768 word pieces, taught all kinds at once; ONNX, 8-bit weights",
        "version": report.version,
        "date": datetime.now(UTC).date().isoformat(),
        "permissive": recipe.permissive,
        "seeds": recipe.seeds,
        "data": [
            {"name": name, "licence": recipe.mix[name].licence, "train": len(rows), "share": recipe.mix[name].share,
             "dev": len(asked.get(name, ()))} for name, rows in taught.items()
        ],
        "plan": asdict(recipe.plan),
        "temperatures_fitted_on": "the dev texts scored below",
        "dev": report.scores,
        "review": report.review,
        "stars": {name: _four(row) for name, row in report.stars.items()},
    }  # fmt: skip


def _within(progress: Progress, start: float, parts: int) -> Progress:
    return lambda share, at: progress(0.9 * (start + share / parts), at)


def _four(row: Mapping[str, float]) -> dict[str, float]:
    return {key: round(value, 4) for key, value in row.items()}


def _rounded(scores: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {key: round(scores[key], 4) for key in ("n", "accuracy", "macro_f1", "ece")}
    kept |= {key: [round(at, 4) for at in scores[key]] for key in ("accuracy_interval", "macro_f1_interval")}
    if langs := scores.get("per_lang"):
        kept["per_lang"] = {lang: _rounded(one) for lang, one in langs.items()}
    return kept
