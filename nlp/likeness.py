"""Tells which texts say the same, or nearly: copies, retweets, syndicated news, a campaign with a word changed.

Two texts are exact copies when their words are the same, addresses, names of accounts, accents, case, symbols and
pictographs aside. They are near copies when their words and pairs of words, as sets, have at least ALIKE in common
(Jaccard). Near ones are found by MinHash: a text's signature of PERMUTATIONS numbers is cut into BANDS bands, and only
texts that share a whole band are compared (Broder 1997; Leskovec et al., "Mining of Massive Datasets", 3.4).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

ALIKE = 0.6
"""From this Jaccard of words and pairs of words two texts are near copies: one word in seven may be another."""
FEWEST = 3
"""Words under which even the same text is no copy: everybody says "gracias" for themselves."""
NEAR_FROM = 6
"""Words from which near copies are looked for. In shorter texts one other word is another thing said."""
PERMUTATIONS = 64
BANDS = 16
"""With four numbers a band, texts with 0.6 in common share one with 89 % probability, with 0.7 with 99 %."""
SEED = 1
BATCH = 500
"""Texts signed at once: enough for the arrays to pay, few enough for the processor's cache."""

Pair = tuple[int, int]

_ASIDE = re.compile(r"https?://\S+|www\.\S+|(?<!\w)@\w[\w.@-]*")
"""Addresses, and names of accounts."""
_BARE = re.compile(r"(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/\S*")
"""Addresses without https://: bit.ly/3xyz."""
_RETWEET = re.compile(r"\A\s*rt\b[\s:]*(?=@)")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]+")
_WORD = re.compile(r"[^\W_]+")
_UNSEEN = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufe0f\ufeff")
_PARTED = str.maketrans({chr(c): " " for c in range(128) if not chr(c).isalnum()})
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True, slots=True)
class Signature:
    """`same` is what exact copies share ("": too short to be anybody's copy); `bands` are 60-bit numbers of which near
    copies very probably share one (none: only exact copies count)."""

    same: str
    bands: tuple[int, ...] = ()


def sign(texts: Sequence[str]) -> list[Signature]:
    """The signature of each text. It is the same on every machine and in every process."""
    return list(chain.from_iterable(_signed(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)))


def groups(
    exact: Iterable[Pair], maybe: Iterable[Pair], texts: Mapping[int, str], cluster: Mapping[int, int]
) -> list[set[int]]:
    """Who says the same: groups of two and more.

    `exact` are pairs of numbers whose texts are the same; the texts of those in `maybe` are compared, unless others
    have joined the two before. A number that is in a `cluster` stands in the group by its cluster's number.
    """
    joined: dict[int, int] = {}
    sets: dict[int, frozenset[str]] = {}
    for one, other in exact:
        _join(joined, cluster.get(one, one), cluster.get(other, other))
    for pair in maybe:
        one, other = (_root(joined, cluster.get(number, number)) for number in pair)
        if one != other and _near(pair, texts, sets):
            joined[one] = other
    found: dict[int, set[int]] = {}
    for number in list(joined):
        root = _root(joined, number)
        found.setdefault(root, {root}).add(number)
    return list(found.values())


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """How much two texts' shingles have in common, 0 to 1 (Jaccard)."""
    common = len(one & other)
    return common / ((len(one) + len(other) - common) or 1)


def shingles(text: str) -> frozenset[str]:
    """A text's words and pairs of words, or nothing where it is too short for near copies."""
    words = compared(text)
    if len(words) < NEAR_FROM:
        return frozenset()
    return frozenset(words).union(map(" ".join, pairwise(words)))


def compared(text: str) -> list[str]:
    """The words by which a text is compared."""
    text = text.casefold()
    if "@" in text or "/" in text or "www." in text:
        text = _ASIDE.sub(" ", _RETWEET.sub("", text))
        text = _BARE.sub(" ", text) if "/" in text else text
    if not text.isascii():
        text = _BEYOND_ASCII.sub(_bare, text)
    return text.translate(_PARTED).split() if text.isascii() else _WORD.findall(text)  # the first is twice as fast


def _bare(found: re.Match[str]) -> str:
    return _plain(found[0])


@lru_cache(maxsize=20_000)
def _plain(letters: str) -> str:
    """Letters without their accents, space for what is no letter, and nothing for what is not seen."""
    parts = unicodedata.normalize("NFKD", letters).casefold()
    return "".join(
        letter if letter.isalnum() else " " for letter in parts
        if not (unicodedata.combining(letter) or letter in _UNSEEN)
    )


def _signed(texts: Sequence[str]) -> list[Signature]:
    said = [compared(text) for text in texts]
    banded = [words for words in said if len(words) >= NEAR_FROM]
    bands = iter(_bands(banded).tolist() if banded else ())
    return [
        Signature(
            blake2b(" ".join(words).encode(), digest_size=16).hexdigest() if len(words) >= FEWEST else "",
            tuple(next(bands)) if len(words) >= NEAR_FROM else (),
        )
        for words in said
    ]


def _bands(said: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """A row of BANDS numbers for each list of words, from the MinHash of its words and pairs of words."""
    ends = np.cumsum(np.fromiter(map(len, said), np.int64, len(said)))
    (hashed,) = RMinHash.hash_token_sets([list(chain.from_iterable(said))])
    words = np.array(hashed, np.uint64)
    pairs = (words * _ODD ^ np.roll(words, -1)) * _MIX
    tokens = np.delete(np.column_stack((words, pairs)).ravel(), 2 * ends - 1)  # a text's last word begins no pair
    offsets = np.concatenate(([0], 2 * ends - np.arange(1, len(said) + 1))).astype(np.uint64)
    rows = RMinHash.digest_matrix_from_flat_token_hashes(tokens, offsets, PERMUTATIONS, SEED).to_rows()
    return _folded(np.fromiter(chain.from_iterable(rows), np.uint64, len(said) * PERMUTATIONS))


def _folded(signature: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Each band's numbers as one of 60 bits, with the band's place, and the version of the signatures, in it: those of
    another version never meet."""
    cut = signature.reshape(-1, BANDS, PERMUTATIONS // BANDS)
    folded = np.arange(BANDS, dtype=np.uint64) + np.uint64(RMinHash.ALGORITHM_VERSION << 8)
    for place in range(cut.shape[2]):
        folded = (folded ^ cut[:, :, place]) * _ODD
        folded = (folded ^ folded >> np.uint64(29)) * _MIX
    return (folded >> np.uint64(4)).astype(np.int64)


def _near(pair: Pair, texts: Mapping[int, str], sets: dict[int, frozenset[str]]) -> bool:
    for number in pair:
        if number not in sets:
            sets[number] = shingles(texts[number])
    return likeness(sets[pair[0]], sets[pair[1]]) >= ALIKE


def _join(joined: dict[int, int], one: int, other: int) -> None:
    one, other = _root(joined, one), _root(joined, other)
    if one != other:
        joined[one] = other


def _root(joined: dict[int, int], number: int) -> int:
    path = []
    while number in joined:
        path.append(number)
        number = joined[number]
    for passed in path:  # so that the next way is short
        joined[passed] = number
    return number
