"""How the embedded model does on hard.jsonl: texts written to go wrong, by the reason why they would.

    python -m benchmarks.hard

Irony, complaints that name no hurt, slang, questions and wishes at each stage, long reviews that turn at the end, and
praise beside complaint. None of them was learned from.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from escucha.enrichment import Enrichment
from escucha.statistics import share
from nlp.encoder import MODEL, Encoder

TEXTS = Path(__file__).parent / "hard.jsonl"


def main(model: Path = MODEL) -> dict[str, Any]:
    """Per cause and in all: how many sentiments and stages are right, with the interval."""
    rows = [json.loads(line) for line in TEXTS.read_text("utf-8").splitlines()]
    answers = Encoder(model)([Enrichment(text=row["text"]) for row in rows])
    right = [
        (row["cause"], {kind: getattr(answer, kind).label == row[kind] for kind in ("sentiment", "stage")})
        for row, answer in zip(rows, answers, strict=True)
    ]
    causes = list(dict.fromkeys(cause for cause, _ in right))
    return {cause: counted([found for of, found in right if of == cause]) for cause in causes} | {
        "all": counted([found for _, found in right])
    }


def counted(found: list[dict[str, bool]]) -> dict[str, Any]:
    """Right answers of `n`, with the 95 % Wilson interval of their share."""
    n = len(found)
    shares = {kind: share(sum(one[kind] for one in found), n) for kind in ("sentiment", "stage")}
    return {"n": n, **{kind: {"right": one.count, "low": round(one.low, 3), "high": round(one.high, 3)}
                       for kind, one in shares.items()}}  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
