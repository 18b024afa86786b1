"""How fast texts are tagged, and how soon the first answer comes, beside scikit-learn's own pipeline of the same kind.

    python benchmarks/tag.py ../shared/data > tag.json
"""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["OMP_NUM_THREADS"] = "1"  # one core means one core, for numpy too

from escucha.enrichment import Enrichment  # noqa: E402
from nlp.chain import KINDS, ModelOptions, tag_texts  # noqa: E402
from nlp.evaluate import Labelled, read_labelled  # noqa: E402

BATCH = 64
RUNS = 5
FIRST = "Llevo tres semanas esperando el reembolso"
TAG_COLD = f"""
from escucha.enrichment import Enrichment
from nlp.chain import ModelOptions, tag_texts
assert tag_texts(ModelOptions(), [Enrichment(text={FIRST!r})])[0].enrichment.sentiment
"""
SKLEARN_COLD = """
import pickle, sys
pipeline = pickle.load(open(sys.argv[1], "rb"))
[head.predict_proba(pipeline["features"].transform([{first!r}])) for head in pipeline["heads"]]
"""


def main(data: Path) -> dict[str, Any]:
    """The figures, for the dev texts of `data`."""
    texts = [row.text for name in ("umsab", "journey") for row in read_labelled(data / name / "dev.jsonl.gz")[0]]
    lessons = read_labelled(data / "journey" / "train.jsonl.gz")[0]
    pipeline = sklearn_pipeline(lessons)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pipeline.pickle")
        path.write_bytes(pickle.dumps(pipeline))
        sklearn_cold = cold(SKLEARN_COLD.format(first=FIRST), str(path))
    return {
        "texts": len(texts),
        "words_per_text": round(statistics.mean(len(text.split()) for text in texts), 1),
        "texts_per_s": {"1 core": per_second(tag_all, texts), "2 cores": on_two_cores(texts)},
        "cold_start_s": cold(TAG_COLD),
        "sklearn": {
            "texts_per_s": {"1 core": per_second(lambda some: ask_sklearn(pipeline, some), texts)},
            "cold_start_s": sklearn_cold,
        },
    }


def tag_all(texts: list[str]) -> None:
    """Language, sentiment, stage, pain and touchpoint of every text, in batches."""
    for start in range(0, len(texts), BATCH):
        tag_texts(ModelOptions(), [Enrichment(text=text) for text in texts[start : start + BATCH]])


def sklearn_pipeline(rows: list[Labelled]) -> dict[str, Any]:
    """Word 1-2-grams and character 2-5-grams with one logistic regression for each kind, learned from the journey."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_union

    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True),
    )
    matrix = features.fit_transform([row.text for row in rows])
    heads = [LogisticRegression(max_iter=20, tol=0.1).fit(matrix, [row.labels[kind] for row in rows]) for kind in KINDS]
    return {"features": features, "heads": heads}


def ask_sklearn(pipeline: dict[str, Any], texts: list[str]) -> None:
    """The same four kinds (no language) from the pipeline, in the same batches."""
    for start in range(0, len(texts), BATCH):
        matrix = pipeline["features"].transform(texts[start : start + BATCH])
        for head in pipeline["heads"]:
            head.predict_proba(matrix)


def per_second(ask: Callable[[list[str]], None], texts: list[str]) -> int:
    """Texts a second, the median of several runs after one to warm up."""
    ask(texts[:BATCH])
    return round(len(texts) / statistics.median(timed(ask, texts) for _ in range(RUNS)))


def timed(ask: Callable[[list[str]], None], texts: list[str]) -> float:
    """Seconds of one run."""
    started = time.perf_counter()
    ask(texts)
    return time.perf_counter() - started


def on_two_cores(texts: list[str]) -> int:
    """Texts a second of two processes together, each with all the texts."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(tag_all, [texts, texts], chunksize=1)
        seconds = statistics.median(timed(lambda some: both(pool, some), texts) for _ in range(RUNS))
    return round(2 * len(texts) / seconds)


def both(pool: Any, texts: list[str]) -> None:
    """Both processes at work on the same texts."""
    pool.map(tag_all, [texts, texts], chunksize=1)


def cold(code: str, *arguments: str) -> float:
    """Seconds from the start of a fresh Python to its end, the median of several."""
    command = [sys.executable, "-c", code, *arguments]
    return round(statistics.median(timed(lambda _: run(command), []) for _ in range(RUNS)), 3)


def run(command: list[str]) -> None:
    """Run a command to its end. Raises CalledProcessError when it fails."""
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared" / "data")), indent=1))
