"""Every figure of the language models, as one JSON document: quality, confidence, shares, own classes, topics, speed.

    python -m benchmarks.nlp --data ../shared/data > nlp.json
    python -m benchmarks.nlp --data ../shared/data --only quality hard --model data/permissive

`--model` asks the parts that can be asked of another folder of weights than the embedded ones (quality, hard, topics).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks import hard, tag, topics  # noqa: E402
from nlp.chain import Chain, ModelOptions  # noqa: E402
from nlp.encoder import HEADS, MODEL, Encoder  # noqa: E402
from nlp.evaluate import evaluate, read_labelled  # noqa: E402
from nlp.heads import read_heads  # noqa: E402
from nlp.language import open_language  # noqa: E402
from nlp.lessons import read_split  # noqa: E402
from nlp.train import read_vectors, stars  # noqa: E402

SAMPLE = ROOT / "config" / "sample"


def main() -> None:
    """Measure what is asked for and print JSON."""
    parts: Mapping[str, Callable[[Path, Path], Any]] = {
        "size_mb": lambda _, model: size(model),
        "quality": quality,
        "sample": lambda _, model: on_sample(model),
        "hard": lambda _, model: hard.main(model),
        "topics": topics.main,
        "aspects": lambda data, _: printed("aspects", "--data", str(data)),
        "confidence": lambda _data, _model: printed("certainty"),
        "shares": lambda _data, _model: printed("shares"),
        "own_class": lambda _data, _model: printed("own_class"),
        "speed": lambda data, _: tag.main(data),
    }
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    asked.add_argument("--model", type=Path, default=MODEL)
    asked.add_argument("--only", nargs="*", choices=parts, default=list(parts))
    told = asked.parse_args()
    found = {name: parts[name](told.data, told.model) for name in told.only}
    print(json.dumps({"model": Encoder(told.model).version, **found}, indent=1, ensure_ascii=False))


def size(model: Path) -> dict[str, float]:
    """Megabytes of each part of the model."""
    return {path.name: round(path.stat().st_size / 1e6, 2) for path in sorted(model.iterdir()) if path.is_file()}


def quality(data: Path, model: Path) -> dict[str, Any]:
    """Scores on every dev set, with intervals, confusions and languages; and of the stars, what is told apart."""
    sets = read_split(data, "dev")
    chain = Chain([open_language(ModelOptions()), encoder := Encoder(model)])
    reviews = {name: rows for name, rows in sets.items() if name in ("coah_coar", "meia2025")}
    return {
        **{name: evaluate(rows, chain) for name, rows in sets.items()},
        "stars 1-2 against 4-5": stars(read_heads(model / HEADS), read_vectors(encoder, reviews)),
    }


def on_sample(model: Path) -> dict[str, Any]:
    """Scores on the sample's mentions, which no model learned from, with their writers' labels."""
    rows = [row for path in sorted(SAMPLE.glob("*.jsonl")) for row in read_labelled(path)[0]]
    return evaluate(rows, Chain([open_language(ModelOptions()), Encoder(model)]))


def printed(name: str, *arguments: str) -> Any:
    """What another benchmark prints, run in a process of its own."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()
