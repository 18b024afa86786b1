"""How the words of a query are spelled where it is written: accents that our own search looks past, others may not."""

from __future__ import annotations

from collections.abc import Mapping

from escucha.words import placed


def spellings(text: str) -> Mapping[str, tuple[str, ...]]:
    """The spellings of each word of a text (escucha.words), in small letters, each once, in order."""
    found: dict[str, tuple[str, ...]] = {}
    for word, start, end in placed(text):
        found[word] = tuple(dict.fromkeys((*found.get(word, ()), text[start:end].lower())))
    return found
