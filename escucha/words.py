"""Cuts texts into words, the one way that searching, the stores and the highlights share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from escucha.text import fold

LONGEST = 100
"""Characters of a word that are told apart: no language has longer ones, and PostgreSQL bounds what it indexes."""
KEPT, SHORT = 50_000, 30
"""How many pieces of texts are kept with their words, and how many characters such a piece has at most: some 10 MB."""

_WORD = re.compile(r"\w+|[\u2190-\u2bff\U0001f000-\U0001faff]")
_HASHTAG = re.compile(r"[#＃](\w*[^\W\d_]\w*)")


def words(text: str) -> tuple[str, ...]:
    """The words of a text in order: runs of letters, digits and _, case and accents aside, ñ kept apart from n.

    A pictograph is a word of its own; all other symbols only part words.
    """
    return tuple(spaced(text).split())


def spaced(text: str) -> str:
    """The words of a text in order, parted by one space."""
    return " ".join(filter(None, map(_SAID.__getitem__, text.split())))


def hashtags(text: str) -> tuple[str, ...]:
    """The hashtags of a text, folded and without their sign, each once, in order. `#1` is a number, not a hashtag."""
    if "#" not in text and "＃" not in text:
        return ()
    return tuple(dict.fromkeys(tag[:LONGEST] for tag in _HASHTAG.findall(fold(text))))


def placed(text: str) -> Iterator[tuple[str, int, int]]:
    """The words of a text with the characters of it that each spans: from, and to before."""
    letters: list[str] = []
    origin: list[tuple[int, int]] = []
    start = 0
    while start < len(text):  # a letter and its accents fold as one
        end = start + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        parts = fold(text[start:end]) or " "
        letters += parts
        origin += [(start, end)] * len(parts)
        start = end
    for found in _WORD.finditer("".join(letters)):
        yield found[0][:LONGEST], origin[found.start()][0], origin[found.end() - 1][1]


class _Said(dict[str, str]):
    """What stands between two spaces, and the words in it: most of what people write, they write again."""

    def __missing__(self, written: str) -> str:
        found = " ".join(word[:LONGEST] for word in _WORD.findall(fold(written)))
        if len(written) <= SHORT:
            if len(self) >= KEPT:
                self.clear()
            self[written] = found
        return found


_SAID = _Said()
