"""A file that is sent off while it is written: what was put in is taken out in pieces, and nothing can be changed."""

from __future__ import annotations

import io
from typing import Any


class Sink(io.RawIOBase):
    """Where a writer that expects a file may write; it is told how far it is, and cannot go back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        """As a file says it."""
        return True

    def tell(self) -> int:
        """Bytes written so far, taken or not."""
        return self._at

    def write(self, data: Any) -> int:
        """Put bytes in; how many they were."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._at += len(piece)
        return len(piece)

    def taken(self) -> bytes:
        """What was written since the last time."""
        piece = b"".join(self._pieces)
        self._pieces.clear()
        return piece
