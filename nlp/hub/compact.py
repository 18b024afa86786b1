"""A model that `escucha models export` made: run by onnxruntime and tokenizers alone, without torch.

The folder holds `model.onnx` (word pieces → probabilities or vectors), `tokenizer.json`, and `escucha.json`, which says
what it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from escucha.errors import ModelError
from nlp.encoder import READ, open_graph, version_of
from nlp.heads import Floats
from nlp.hub.opened import Opened, cannot_open

GRAPH, TOKENS, CARD = "model.onnx", "tokenizer.json", "escucha.json"
Kind = Literal["sentiment", "encoder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a compact model is: for what, made of which model, its labels (a classifier's), how many word pieces it
    reads, the number of its padding piece, and what is written before each text."""

    kind: Kind
    of: str
    labels: tuple[str, ...] = ()
    longest: int = 512
    pad: int = 0
    prefix: str = ""


def is_compact(folder: Path) -> bool:
    """Whether `escucha models export` made this folder."""
    return (folder / CARD).is_file()


def read_card(folder: Path) -> Card:
    """The card in a folder. Raises OSError, TypeError, KeyError or ValueError for a damaged one."""
    raw = json.loads((folder / CARD).read_text("utf-8"))
    return Card(**raw | {"labels": tuple(raw["labels"])})


def write_card(folder: Path, card: Card) -> None:
    """Write the card of a folder."""
    (folder / CARD).write_text(json.dumps(asdict(card), ensure_ascii=False, indent=1) + "\n", "utf-8")


def open_compact(folder: Path, kind: Kind, threads: int = 1) -> Opened:
    """Open a folder for what it was made for. Raises ModelError when it cannot be, or was made for something else."""
    try:
        card = read_card(folder)
        tokens, graph = _tokens(folder / TOKENS, card), open_graph(folder / GRAPH, threads)
        version = f"{folder.name}@{version_of(folder, (GRAPH, TOKENS, CARD))}"
    except Exception as error:  # onnxruntime and tokenizers raise kinds of their own
        raise cannot_open(str(folder), error) from error
    if card.kind != kind:
        raise ModelError(
            "The model in {folder} was exported as {kind}. Set it as nlp.{kind}.model.",
            folder=str(folder), kind=card.kind,
        )

    def answer(texts: list[str], at_once: int) -> Floats:
        read = tokens.encode_batch([card.prefix + text[:READ] for text in texts])
        order = sorted(range(len(read)), key=lambda at: len(read[at]))
        groups = (order[i : i + at_once] for i in range(0, len(order), at_once))
        parts = [graph.run(None, _padded([read[at] for at in group], card.pad))[0] for group in groups]
        return np.asarray(np.concatenate(parts)[np.argsort(order)], np.float32)

    return Opened(version=version, device="cpu", answer=answer, labels=card.labels)


def _tokens(path: Path, card: Card) -> Any:
    from tokenizers import Tokenizer

    tokens = Tokenizer.from_file(str(path))
    tokens.no_padding()
    tokens.enable_truncation(card.longest)
    return tokens


def _padded(rows: Sequence[Any], pad: int) -> dict[str, Any]:
    width = max(1, max(len(row) for row in rows))
    ids = np.full((len(rows), width), pad, np.int64)
    mask = np.zeros_like(ids)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row.ids
        mask[at, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}
