"""Writes mentions as JSON Lines: an object a line, with the sources' own answers where they are wished."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from api.exports.columns import NAMES, Exported, row, written
from api.exports.wish import Wish


def pieces(chunks: Iterable[Sequence[Exported]], wish: Wish) -> Iterator[bytes]:
    """The file, a piece per chunk."""
    for chunk in chunks:
        yield b"".join(_line(exported, wish.raw) for exported in chunk)


def _line(exported: Exported, raw: bool) -> bytes:
    record: dict[str, Any] = {name: written(value) for name, value in zip(NAMES, row(exported), strict=True)}
    if raw:
        record["raw"] = exported.standing.raw
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
