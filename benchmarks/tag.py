"""How fast texts are tagged, how soon the first answer comes and what it takes in memory, beside transformers + torch.

    python -m benchmarks.tag ../shared/data > tag.json
"""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ["OMP_NUM_THREADS"] = "1"  # one core means one core, for numpy and torch too

from escucha.enrichment import Enrichment  # noqa: E402
from nlp.chain import ModelOptions, tag_texts  # noqa: E402
from nlp.encoder import LONGEST, MODEL, normal  # noqa: E402
from nlp.evaluate import read_labelled  # noqa: E402

BATCH = 64
RUNS = 3
AT_ONCE = 16
"""Texts that torch reads together, those of like length."""
SOME = 192
"""Texts that the slower stacks are asked."""
FIRST = "Llevo tres semanas esperando el reembolso"
MEMORY = "; print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
"""Kilobytes at most. Not getrusage's, which a new process inherits from the one that started it."""
TAG_COLD = (
    "from escucha.enrichment import Enrichment; from nlp.chain import ModelOptions, tag_texts; "
    f"assert tag_texts(ModelOptions(), [Enrichment(text={FIRST!r})])[0].enrichment.sentiment" + MEMORY
)
TORCH_COLD = (
    "import sys; sys.path.insert(0, 'benchmarks'); from tag import FIRST, open_torch, ask_torch; "
    "ask_torch(*open_torch(sys.argv[1]), [FIRST])" + MEMORY
)


def main(data: Path) -> dict[str, Any]:
    """The figures, for the dev texts of `data` and the base encoder beside it."""
    tweets = [row.text for row in read_labelled(data / "umsab" / "dev.jsonl.gz")[0]]
    posts = [row.text for row in read_labelled(data / "journey" / "dev.jsonl.gz")[0]]
    base = data.parent / "models" / "embed-e5s-32k"
    return {
        "words_per_text": {"tweets": words(tweets), "posts": words(posts)},
        "model_mb": round(sum(path.stat().st_size for path in MODEL.iterdir()) / 1e6, 1),
        "embedded": {
            "texts_per_s": {
                "tweets, 1 core": per_second(tag_all, tweets), "posts, 1 core": per_second(tag_all, posts),
                "tweets, 2 cores": on_two_cores(tweets),
            },
            "one_text_ms": one_by_one(tweets[:200]),
            **cold(TAG_COLD),
            "escucha_tag_cold_start_s": command_cold(),
            "peak_mb": peak(tweets),
        },
        "transformers + torch, the same encoder": beside(str(base), tweets[:SOME]),
        "transformers + torch, of RoBERTa-base's size": beside("roberta-base-sized", tweets[:SOME]),
    }  # fmt: skip


def words(texts: list[str]) -> float:
    """Words a text, on average."""
    return round(statistics.mean(len(text.split()) for text in texts), 1)


def tag_all(texts: list[str]) -> None:
    """Language and every kind of label of every text, in batches."""
    for start in range(0, len(texts), BATCH):
        tag_texts(ModelOptions(), [Enrichment(text=text) for text in texts[start : start + BATCH]])


def peak(texts: list[str]) -> int:
    """Megabytes that a fresh process needed at most to tag all the texts."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.map(tag_all, [texts])
        return pool.apply(most_memory)


def most_memory() -> int:
    """Megabytes this process has needed at most."""
    return round(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024)


def beside(name: str, texts: list[str]) -> dict[str, Any]:
    """The same figures of a stack of torch and transformers: only the vector, in full precision."""
    model, tokens = open_torch(name)
    rate = per_second(lambda some: ask_torch(model, tokens, some), texts)
    return {"texts_per_s": {"tweets, 1 core": rate}, **cold(TORCH_COLD, name)}


def open_torch(name: str) -> tuple[Any, Any]:
    """A BertModel and its tokenizer: a folder's, or a random one of RoBERTa-base's size with the same tokenizer."""
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.set_num_threads(1)
    folder = Path(name)
    model = BertModel.from_pretrained(name) if folder.is_dir() else BertModel(BertConfig(vocab_size=50_265))
    tokens = PreTrainedTokenizerFast(
        tokenizer_file=str(MODEL / "tokenizer.json"), pad_token="<pad>", model_max_length=LONGEST
    )
    return model.eval(), tokens


def ask_torch(model: Any, tokens: Any, texts: list[str]) -> None:
    """The mean of each text's last layer, texts of like length together."""
    import torch

    order = sorted(texts, key=len)
    with torch.no_grad():
        for start in range(0, len(order), AT_ONCE):
            some = [normal(text) for text in order[start : start + AT_ONCE]]
            given = tokens(some, padding=True, truncation=True, return_tensors="pt", return_token_type_ids=False)
            mask = given["attention_mask"][..., None]
            (model(**given).last_hidden_state * mask).sum(1) / mask.sum(1)


def per_second(ask: Callable[[list[str]], None], texts: list[str]) -> int:
    """Texts a second, the median of several runs after one to warm up."""
    ask(texts[:BATCH])
    return round(len(texts) / statistics.median(timed(ask, texts) for _ in range(RUNS)))


def one_by_one(texts: list[str]) -> dict[str, float]:
    """Milliseconds for a text asked alone: median and 95th percentile."""
    taken = sorted(timed(tag_all, [text]) * 1000 for text in texts)
    return {"p50": round(taken[len(taken) // 2], 1), "p95": round(taken[int(len(taken) * 0.95)], 1)}


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


def cold(code: str, *arguments: str) -> dict[str, float]:
    """A fresh Python's seconds from its start to its end with one answer given, and its megabytes: medians."""
    found = [run([sys.executable, "-c", code, *arguments]) for _ in range(RUNS)]
    seconds, memory = zip(*found, strict=True)
    return {"cold_start_s": round(statistics.median(seconds), 2), "first_answer_mb": round(statistics.median(memory))}


def command_cold() -> float:
    """Seconds of the command itself, `escucha tag`, with one line to answer: the median."""

    def once(texts: list[str]) -> None:
        subprocess.run(
            [sys.executable, "-m", "api", "tag"], cwd=ROOT, check=True, capture_output=True, text=True, input=texts[0]
        )

    return round(statistics.median(timed(once, [FIRST]) for _ in range(RUNS)), 2)


def run(command: list[str]) -> tuple[float, float]:
    """Seconds and megabytes of a command. Raises CalledProcessError when it fails."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return time.perf_counter() - started, int(done.stdout.split()[-1]) / 1024


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared" / "data")), indent=1))
