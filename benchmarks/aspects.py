"""How often a part's sentiment is that of the aspect it names, beside the sentiment of the whole sentence.

    python -m benchmarks.aspects --data ../shared/data > aspects.json

Restaurant reviews of SemEval-2016 task 5, dev sentences (es, en): people marked the words that name an aspect and its
polarity. An aspect's polarity is the sentiment of the part that holds those words; where no part does, the sentence's.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from escucha.enrichment import Enrichment, Label  # noqa: E402
from escucha.statistics import share  # noqa: E402
from nlp.chain import ModelOptions, tag_texts  # noqa: E402
from nlp.evaluate import score  # noqa: E402

LANGS = ("es", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """Where a sentence names an aspect, and whether it praises it."""

    start: int
    end: int
    polarity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence with the aspects that people marked in it."""

    text: str
    lang: str
    aspects: tuple[Aspect, ...]

    @property
    def mixed(self) -> bool:
        """Whether its aspects are not all felt alike."""
        return len({aspect.polarity for aspect in self.aspects}) > 1


def main(data: Path, split: str) -> dict[str, Any]:
    """The scores by language, of all sentences that name an aspect and of those with mixed polarities."""
    sentences = list(read_sentences(data / "semeval16_rest" / f"{split}.jsonl.gz"))
    read = [outcome.enrichment for outcome in tag_texts(ModelOptions(), [Enrichment(text=s.text) for s in sentences])]
    rows = list(zip(sentences, read, strict=True))
    return {
        "split": split,
        "with_parts": sum(bool(enrichment.parts) for enrichment in read),
        **{
            name: {
                "all": _compared([row for row in rows if row[0].lang in langs]),
                "mixed": _compared([row for row in rows if row[0].lang in langs and row[0].mixed]),
            } for name, langs in (*((lang, (lang,)) for lang in LANGS), ("both", LANGS))
        },
    }  # fmt: skip


def polarity(enrichment: Enrichment, aspect: Aspect) -> str:
    """The sentiment of the part where the aspect begins, or of the whole."""
    held = (part.sentiment for part in enrichment.parts if part.start <= aspect.start < part.end)
    return _name(next(held, enrichment.sentiment))


def read_sentences(path: Path) -> Iterator[Sentence]:
    """The sentences that name an aspect; token numbers are turned into characters."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["aspects"]:
                places = list(token_places(row["text"], row["tokens"]))
                yield Sentence(
                    text=row["text"], lang=row["lang"],
                    aspects=tuple(
                        Aspect(start=places[a["start"]][0], end=places[a["end"] - 1][1], polarity=a["polarity"])
                        for a in row["aspects"]
                    ),
                )  # fmt: skip


def token_places(text: str, tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where each token stands in the text. Raises ValueError where one does not."""
    at = 0
    for token in tokens:
        start = text.index(token, at)
        at = start + len(token)
        yield start, at


def _compared(rows: Sequence[tuple[Sentence, Enrichment]]) -> dict[str, Any]:
    pairs = [(aspect, read) for sentence, read in rows for aspect in sentence.aspects]
    return {
        "sentences": len(rows),
        "parts": _scored([(aspect.polarity, polarity(read, aspect)) for aspect, read in pairs]),
        "whole_sentence": _scored([(aspect.polarity, _name(read.sentiment)) for aspect, read in pairs]),
    }


def _scored(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    found = score(pairs)
    right = share(sum(true == given for true, given in pairs), len(pairs))
    return {
        "n": right.n, "accuracy": round(right.share, 3), "interval": [round(right.low, 3), round(right.high, 3)],
        "macro_f1": round(found["macro_f1"], 3),
        "f1": {name: round(one["f1"], 3) for name, one in found["per_class"].items()},
    }  # fmt: skip


def _name(label: Label | None) -> str:
    return label.label if label else ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="dev")
    asked = parser.parse_args()
    print(json.dumps(main(asked.data, asked.split), indent=2))
