"""The embedded model: one reading of a text tells how its author feels, at which stage, what hurts, where, and why.

A small multilingual encoder (ONNX, 8-bit) turns a text into a vector; a head for each kind of label reads the vector.
`escucha train` makes both; nlp/model/card.json says from what, and how good they are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from escucha.enrichment import Enrichment, Label
from escucha.errors import ModelError
from escucha.text import storable
from escucha.vector import pack
from nlp.chain import KINDS, ModelOptions
from nlp.heads import Floats, Head, read_heads

MODEL = Path(__file__).parent / "model"
GRAPH, TOKENS, HEADS = "encoder.onnx", "tokenizer.json", "heads.npz"
LONGEST = 192
"""Word pieces that are read. Reviews at 64 lose 2 points of accuracy between praise and complaint against 192."""
READ = 4_000
"""Characters that are read, so that a text of a million costs no more than a review."""

PAD = 1
"""The number of the tokenizer's padding piece."""

_LINK = re.compile(r"https?://\S+")
_HANDLE = re.compile(r"@\w+")
_SPACE = re.compile(r"\s+")


class Encoder:
    """Gives the kinds of label asked for, each with its probability, and the text's `vector` (length 1).

    `reading` is the version of the vectors: that of the graph alone, whatever the heads are. `heads` are all it has.
    Each text is read alone: the 8-bit arithmetic takes its scale from what is read together, so among other texts the
    same text would get other scores, and now and then another label.
    """

    name = "encoder"
    needs: tuple[str, ...] = ()

    def __init__(self, folder: Path, gives: Sequence[str] = (*KINDS, "vector"), *, threads: int = 1) -> None:
        """Open the model in a folder. Raises ModelError when a part is missing or damaged."""
        self.gives = tuple(gives)
        try:
            self.version = version_of(folder, (GRAPH, TOKENS, HEADS))
            self.reading = version_of(folder, (GRAPH, TOKENS))
            self._tokens = open_tokens(folder / TOKENS)
            self._graph = open_graph(folder / GRAPH, threads)
            self.heads = read_heads(folder / HEADS)
            self._heads = {kind: self.heads[kind] for kind in KINDS if kind in self.gives}
        except Exception as error:  # onnxruntime and tokenizers raise kinds of their own
            raise ModelError(
                "The model {path} cannot be read: {reason}. Train it again with `escucha train`.",
                path=str(folder), reason=str(error)[:300],
            ) from error

    def __call__(self, batch: Sequence[Enrichment]) -> list[Enrichment]:
        """The batch with its labels and vectors."""
        if not batch:
            return []
        vectors = self.vectors([enrichment.text for enrichment in batch])
        langs = [enrichment.lang.label if enrichment.lang else None for enrichment in batch]
        given: dict[str, Sequence[Any]] = {kind: labels(head, vectors, langs) for kind, head in self._heads.items()}
        if "vector" in self.gives:
            given["vector"] = pack(vectors, self.reading)
        rows = zip(*given.values(), strict=True)
        return [
            replace(enrichment, **dict(zip(given, row, strict=True)))
            for enrichment, row in zip(batch, rows, strict=True)
        ]

    def vectors(self, texts: Sequence[str]) -> Floats:
        """The vectors of one text or more, (texts, width), each of length 1."""
        return np.concatenate([self.together([text]) for text in texts], dtype=np.float32)

    def together(self, texts: Sequence[str]) -> Floats:
        """The vectors of a few short texts read at once: quicker, and each depends a little on the others."""
        read = self._tokens.encode_batch([normal(text) for text in texts])
        return np.asarray(self._graph.run(None, as_input([piece.ids for piece in read]))[0], np.float32)


def open_encoder(options: ModelOptions, without: Collection[str] = ()) -> Encoder:
    """The embedded model for what no other tagger gives."""
    gives = [field for field in (*KINDS, "vector") if field not in without]
    return Encoder(MODEL, gives, threads=options.threads)


def normal(text: str) -> str:
    """The text as the model reads it: links and handles masked, one blank between words, the base's prefix before."""
    masked = _HANDLE.sub("@user", _LINK.sub("http", storable(text[:READ])))
    return f"query: {_SPACE.sub(' ', masked).strip()}"


def as_input(rows: Sequence[Sequence[int]]) -> dict[str, NDArray[np.int64]]:
    """The graph's input: `input_ids` filled up to the longest row, and `attention_mask`, 1 where a piece stands."""
    ids = np.full((len(rows), max(map(len, rows))), PAD, np.int64)
    mask = np.zeros_like(ids)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
        mask[at, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def labels(head: Head, vectors: Floats, langs: Sequence[str | None] = ()) -> list[Label]:
    """The likeliest label of each vector, with its probability; `langs` are the texts' languages, where known."""
    odds = head.probabilities(vectors, langs)
    best = odds.argmax(axis=1)
    return [
        Label(head.classes[at], round(float(score), 4)) for at, score in zip(best, odds.max(axis=1), strict=True)
    ]


def open_tokens(path: Path) -> Any:
    """The tokenizer, cutting at LONGEST pieces and adding no padding."""
    from tokenizers import Tokenizer

    tokens = Tokenizer.from_file(str(path))
    tokens.no_padding()
    tokens.enable_truncation(LONGEST)
    return tokens


def open_graph(path: Path, threads: int) -> Any:
    """A session of onnxruntime on `threads` processor threads."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def version_of(folder: Path, parts: Sequence[str]) -> str:
    """A digest of the parts that answers depend on."""
    whole = hashlib.sha256()
    for path in (folder / name for name in parts):
        state = path.stat()
        whole.update(_digest(path, state.st_size, state.st_mtime_ns))
    return whole.hexdigest()[:12]


@lru_cache(maxsize=64)
def _digest(path: Path, _size: int, _changed: int) -> bytes:
    """A file's SHA-256, read once as long as the file stays as it is."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
