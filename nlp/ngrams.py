"""Cuts texts into words, pairs of words and bits of words, and gives each bit a number a model can weigh.

Every piece is a span of one long array of characters. Its number is a polynomial hash taken from prefix sums
(Karp & Rabin 1987): hash(start, end) = (H[end] - H[start]) / P^start modulo 2^64, which numpy gives for all spans at
once. No vocabulary is kept, so no word of the training texts is in the model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from escucha.text import fold, storable

BITS = 20
"""Pieces fall into 2^BITS bins."""
READ = 4_000
"""Characters of a text that are read: what comes after says little more about its author's mood."""
CHARS = (2, 3, 4, 5)
WORDS = (1, 2)

_P = np.uint64(0x9E3779B97F4A7C15)
_P_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_SPACE = 32
_LINK = re.compile(r"(?:https?://|www\.|pic\.twitter\.com/)\S+", re.IGNORECASE)
_HANDLE = re.compile(r"@\w+")
_LONG = re.compile(r"(.)\1{2,}", re.DOTALL)
_NUMBER = re.compile(r"\d")
_TOKEN = re.compile(r"\w+|[^\w\s]")

Ints = NDArray[np.int64]


def normal(text: str) -> str:
    """The text as the model reads it: folded, links and handles masked, "buenooooo" as "buenoo", digits as 0."""
    text = _HANDLE.sub(" ø ", _LINK.sub(" ł ", storable(text[:READ])))
    text = _LONG.sub(r"\1\1", _NUMBER.sub("0", fold(text)))
    return f" {' '.join(_TOKEN.findall(text))} "


def pieces(texts: Sequence[str]) -> tuple[Ints, Ints, Ints]:
    """Pieces of each text as (text index, bin, times it occurs there): three arrays, sorted by text and bin."""
    ready = [normal(text) for text in texts]
    codes = np.frombuffer("".join(ready).encode("utf-32-le"), dtype=np.uint32)
    owner = np.repeat(np.arange(len(ready)), [len(text) for text in ready])
    starts, ends, salts = _spans(codes)
    keys = (owner[starts] << BITS) | _bins(codes, starts, ends, salts)
    found, times = np.unique(keys, return_counts=True)
    return found >> BITS, found & ((1 << BITS) - 1), times


def _spans(codes: NDArray[np.uint32]) -> tuple[Ints, Ints, Ints]:
    """Start, end and kind of every piece: character n-grams within a word and its borders, words, pairs of words.

    Two blanks in a row are where two texts meet; no piece reaches over them.
    """
    blank = codes == _SPACE
    before = np.concatenate([[0], np.cumsum(blank)])
    parts: list[tuple[Ints, Ints, int]] = []
    for n in CHARS:
        starts = np.arange(max(0, len(codes) - n + 1))
        inside = (before[starts + n - 1] == before[starts + 1]) & (before[starts + 2] < before[starts] + 2)
        parts.append((starts[inside], starts[inside] + n, n))
    edges = np.flatnonzero(blank)
    filled = np.diff(edges) > 1
    for n in WORDS:
        whole = np.logical_and.reduce([filled[i : len(filled) - n + 1 + i] for i in range(n)])
        parts.append((edges[:-n][whole], edges[n:][whole], 16 + n))
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([np.full(len(part[0]), part[2]) for part in parts]),
    )


def _bins(codes: NDArray[np.uint32], starts: Ints, ends: Ints, salts: Ints) -> Ints:
    powers = np.cumprod(np.full(len(codes), _P))
    inverses = np.cumprod(np.full(len(codes), _P_INVERSE))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(codes * powers)])
    hashes = (sums[ends] - sums[starts]) * inverses[starts] + salts.astype(np.uint64) * _P
    hashes = (hashes ^ (hashes >> np.uint64(32))) * _MIX
    bins: Ints = (hashes >> np.uint64(64 - BITS)).astype(np.int64)
    return bins
