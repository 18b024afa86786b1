"""Turns a wish and a filter into a file: streamed to who asked for it, or written whole to the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from api.exports.columns import Exported
from api.exports.reading import chunks
from api.exports.wish import FormatName, Wish
from escucha.errors import Invalid
from escucha.filter import MentionFilter
from store.engine import Store

WRITERS: dict[FormatName, str] = {
    "csv": "delimited", "jsonl": "lines", "xlsx": "workbook", "parquet": "parquet",
}  # fmt: skip
Told = Callable[[int], Any]


def stream(store: Store, filter: MentionFilter, wish: Wish, told: Told = lambda _: None) -> Iterator[bytes]:
    """The file in pieces, each made when it is asked for; `told` hears how many more mentions were read."""
    return written_as(wish, counted(chunks(store, filter, wish.raw), told))


def written_as(wish: Wish, read: Iterable[Sequence[Exported]]) -> Iterator[bytes]:
    """Mentions as the wished file, in pieces."""
    writer = import_module(f"api.exports.{WRITERS[wish.format]}")
    pieces: Iterator[bytes] = writer.pieces(read, wish)
    return pieces


def counted(read: Iterable[Sequence[Exported]], told: Told) -> Iterator[Sequence[Exported]]:
    """The same, telling how many there were of each."""
    for chunk in read:
        yield chunk
        told(len(chunk))


def save(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file beside its place and move it there when it is whole; another of that name is replaced.

    Raises:
        Invalid: the folder does not exist or may not be written to, or the disk is full.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Invalid("{file} cannot be written: {reason}.", file=str(path), reason=reason) from None
    finally:
        part.unlink(missing_ok=True)
