"""One gate for the text of the world: what every store, model and page can hold."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MAX_TEXT = 100_000
"""Characters. A longer text is no mention but a document; it is refused with this number in the reason."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]+")
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")


def storable(text: str) -> str:
    """The text without what neither store can hold: NUL, lone surrogates and control characters (newline, tab stay)."""
    return _CONTROL.sub("", _UNSTORABLE.sub("", text)).strip()


def fold(text: str) -> str:
    """For matching: case and accents aside, ñ kept apart from n, one space between words."""
    if text.isascii():
        return " ".join(text.lower().split())
    letters = unicodedata.normalize("NFC", text).casefold()
    return " ".join(_BEYOND_ASCII.sub(_bare, letters).split())


def _bare(found: re.Match[str]) -> str:
    """A run of letters beyond ASCII without their accents."""
    return _stripped(found[0])


@lru_cache(maxsize=20_000)
def _stripped(letters: str) -> str:
    parts = unicodedata.normalize("NFKD", letters.replace("ñ", "\0"))
    bare = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return bare.casefold().replace("\0", "ñ")  # once more: ™ comes apart into capitals


def mentions_any(text: str, terms: tuple[str, ...]) -> bool:
    """Whether the text contains one of the terms as whole words, accents and case aside. No terms: always."""
    if not terms:
        return True
    haystack = fold(text)
    return any(re.search(rf"(?<!\w){re.escape(fold(term))}(?!\w)", haystack) for term in terms)
