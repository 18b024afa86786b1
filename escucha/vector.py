"""A text's embedding as it is kept and sent: a direction in as few bytes as still tell texts apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Vector:
    """The direction of an embedding: one signed byte a number, the largest of them 127.

    `version` names what made it: vectors of two versions cannot be compared.
    """

    version: str
    data: bytes


def pack(vectors: Floats, version: str) -> list[Vector]:
    """(texts, width) → one Vector each. A vector's length is not kept."""
    import numpy as np

    most = np.abs(vectors).max(axis=1, keepdims=True)
    rounded = np.rint(vectors / np.where(most > 0, most, 1) * 127).astype(np.int8)
    return [Vector(version, row.tobytes()) for row in rounded]


def unpack(data: Sequence[bytes]) -> Floats:
    """The bytes of vectors of one version → (texts, width), each of length 1."""
    import numpy as np

    rows: NDArray[Any] = np.frombuffer(b"".join(data), np.int8).reshape(len(data), -1).astype(np.float32)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)
