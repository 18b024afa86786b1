"""Makes the embedded model from labelled texts and a base encoder, and writes down how good it became.

The data folder has one folder a data set, each with train.jsonl.gz and perhaps dev.jsonl.gz (nlp/evaluate.py says
what a row looks like; nlp/lessons.py which sets are read). The base is a BertModel with a tokenizer.json beside it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from escucha.errors import NotFound
from nlp.chain import KINDS, Chain
from nlp.confidence import temperature
from nlp.encoder import GRAPH, HEADS, TOKENS, Encoder
from nlp.evaluate import Labelled, evaluate
from nlp.export import export
from nlp.heads import Head, write_heads
from nlp.learn import Progress, learn
from nlp.lessons import JOURNEY, MIX, Part, drawn, read_split
from nlp.school import Plan

CARD = "card.json"
BASE = Path("..", "models", "embed-e5s-32k")
"""Where the base encoder lies, seen from the data folder."""

Scores = Mapping[str, Mapping[str, Mapping[str, Any]]]
Sets = Mapping[str, Sequence[Labelled]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a training: the model's version, the temperature fitted for each kind, and its scores.

    `scores` is kind → data set → {n, accuracy, macro_f1, ece, per_lang} on the dev texts, by the files as written.
    """

    version: str
    temperatures: Mapping[str, float]
    scores: Scores


def train(
    data: Path,
    out: Path,
    progress: Progress = lambda _share, _at: None,
    *,
    base: Path | None = None,
    plan: Plan | None = None,
    mix: Mapping[str, Part] = MIX,
) -> Report:
    """Learn from `data`, write the model and card.json to `out`. Without a graphics card this takes about an hour.

    Raises:
        NotFound: the folder, the journey texts in it, or the base encoder are missing.
        Invalid: a data set cannot be read.
    """
    plan = plan or Plan()
    base = base or data / BASE
    taught, asked = read_split(data, "train", mix), read_split(data, "dev", mix)
    check(data, base, taught, asked)
    taught = {name: drawn(rows, mix[name], plan.seed) for name, rows in taught.items()}
    model, heads = learn(base, [(rows, mix[name].share) for name, rows in taught.items()], plan, progress)
    export(model, out / GRAPH)
    shutil.copyfile(base / TOKENS, out / TOKENS)
    progress(0.9, "measuring")
    return finish(out, heads, taught, asked, plan, mix)


def check(data: Path, base: Path, taught: Sets, asked: Sets) -> None:
    """Raise NotFound when there is nothing to learn from, or nothing that could learn."""
    if JOURNEY not in taught or JOURNEY not in asked:
        raise NotFound(
            "The folder {path} holds nothing to learn from: it needs {name}/train.jsonl.gz and {name}/dev.jsonl.gz. "
            "Check the path.", path=str(data), name=JOURNEY,
        )  # fmt: skip
    if not (base / TOKENS).exists():
        raise NotFound("The folder {path} holds no base encoder. Check the path.", path=str(base))


def finish(
    out: Path, heads: Mapping[str, Head], taught: Sets, asked: Sets, plan: Plan, mix: Mapping[str, Part]
) -> Report:
    """Fit the temperatures to the graph in `out`, and write the heads and the card."""
    write_heads(out / HEADS, heads)
    temperatures = fit(Encoder(out), heads, asked)
    write_heads(out / HEADS, {kind: head.cooled(temperatures.get(kind, 1.0)) for kind, head in heads.items()})
    encoder = Encoder(out)
    report = Report(version=encoder.version, temperatures=temperatures, scores=dev_scores(encoder, asked))
    written = json.dumps(card(report, taught, asked, plan, mix), indent=1, ensure_ascii=False)
    (out / CARD).write_text(written + "\n", "utf-8")
    return report


def fit(encoder: Encoder, heads: Mapping[str, Head], asked: Sets) -> dict[str, float]:
    """The temperature of each kind that the dev texts have."""
    rows = [row for part in asked.values() for row in part]
    vectors = encoder.vectors([row.text for row in rows])
    found = {}
    for kind, head in heads.items():
        told = [at for at, row in enumerate(rows) if row.labels.get(kind) in head.classes]
        if told:
            found[kind] = temperature(head, vectors[told], [rows[at].labels[kind] for at in told])
    return found


def dev_scores(encoder: Encoder, sets: Sets) -> Scores:
    """Scores on dev texts: kind → data set → {n, accuracy, macro_f1, ece, per_lang}."""
    found = {name: evaluate(rows, Chain([encoder])) for name, rows in sets.items()}
    return {
        kind: {name: _rounded(scores[kind]) for name, scores in found.items() if kind in scores} for kind in KINDS
    }


def card(report: Report, taught: Sets, asked: Sets, plan: Plan, mix: Mapping[str, Part]) -> dict[str, Any]:
    """What the model card says, ready for JSON."""
    return {
        "model": "multilingual-e5-small (MIT) with 32,768 word pieces, taught all kinds at once; ONNX, 8-bit weights",
        "version": report.version,
        "date": datetime.now(UTC).date().isoformat(),
        "data": [
            {"name": name, "licence": mix[name].licence, "train": len(rows), "share": mix[name].share,
             "dev": len(asked.get(name, ()))} for name, rows in taught.items()
        ],
        "plan": asdict(plan),
        "temperatures": report.temperatures,
        "temperatures_fitted_on": "the dev texts scored below",
        "dev": report.scores,
    }  # fmt: skip


def _rounded(scores: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: round(scores[key], 4) for key in ("n", "accuracy", "macro_f1", "ece")}
    if langs := scores.get("per_lang"):
        kept["per_lang"] = {lang: _rounded(one) for lang, one in langs.items()}
    return kept
