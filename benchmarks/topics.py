"""Whether the taught vectors still tell what a text is about: the kind of place a review speaks of.

    python -m benchmarks.topics ../shared/data

A logistic regression learns hotel, restaurant or attraction from 30, 200 and 1,200 reviews (meia2025) and is asked
about 400 others, on the embedded model's vectors and on the untouched base's; five draws each.
"""

from __future__ import annotations

import gzip
import json
import random
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from nlp.encoder import MODEL, Encoder, normal

SIZES = (30, 200, 1_200)
ASKED = 400
DRAWS = 5


def main(data: Path, model: Path = MODEL) -> dict[str, Any]:
    """Macro-F1 by the number of reviews learned from: median, least and most of the draws."""
    rows = reviews(data)
    texts, kinds = [row["text"] for row in rows], np.array([row["place_type"] for row in rows])
    taught = Encoder(model).vectors(texts)
    base = untouched(data.parent / "models" / "embed-e5s-32k", texts)
    return {
        "n": len(rows), "asked": ASKED, "draws": DRAWS,
        "cosine_to_base": round(float((taught * base).sum(1).mean()), 4),
        "macro_f1": {"embedded": probed(taught, kinds), "base": probed(base, kinds)},
    }  # fmt: skip


def reviews(data: Path) -> list[dict[str, Any]]:
    """As many reviews as the largest draw needs, at random."""
    with gzip.open(data / "meia2025" / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return random.Random(1).sample(rows, max(SIZES) + ASKED)


def probed(vectors: np.ndarray[Any, Any], kinds: np.ndarray[Any, Any]) -> dict[int, dict[str, float]]:
    """The scores of every size."""
    found: dict[int, dict[str, float]] = {}
    for size in SIZES:
        scores = []
        for draw in range(DRAWS):
            order = np.random.default_rng(draw).permutation(len(kinds))
            asked, taught = order[:ASKED], order[ASKED : ASKED + size]
            spread = (vectors - vectors[taught].mean(0)) * 12
            head = LogisticRegression(max_iter=1_000).fit(spread[taught], kinds[taught])
            scores.append(f1_score(kinds[asked], head.predict(spread[asked]), average="macro"))
        found[size] = {
            "median": round(statistics.median(scores), 3), "least": round(min(scores), 3),
            "most": round(max(scores), 3),
        }  # fmt: skip
    return found


def untouched(base: Path, texts: list[str]) -> np.ndarray[Any, Any]:
    """The base encoder's vectors, in full precision."""
    import torch
    from transformers import BertModel, PreTrainedTokenizerFast

    from nlp.encoder import LONGEST

    tokens = PreTrainedTokenizerFast(
        tokenizer_file=str(base / "tokenizer.json"), pad_token="<pad>", model_max_length=LONGEST
    )
    model = BertModel.from_pretrained(base, add_pooling_layer=False).eval()
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    vectors = np.zeros((len(texts), model.config.hidden_size), np.float32)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(order), 32):
            some = order[start : start + 32]
            given = tokens([normal(texts[at]) for at in some], padding=True, truncation=True, return_tensors="pt",
                           return_token_type_ids=False)  # fmt: skip
            mask = given["attention_mask"][..., None].float()
            mean = (model(**given).last_hidden_state.float() * mask).sum(1) / mask.sum(1)
            vectors[some] = torch.nn.functional.normalize(mean, dim=-1).numpy()
    return vectors


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "shared" / "data")
    print(json.dumps(main(folder), indent=1))
