"""Shows strangers' text safely: the searched words marked, all else escaped, and links only to the web."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from escucha.rule import whole
from escucha.text import fold


def highlight(text: str, query: str | None) -> Markup:
    """The text, escaped, with every occurrence of the query's words in <mark>; accents and case do not matter."""
    words = fold(query or "").split()
    if not words:
        return escape(text)
    return _marked(text, re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))))


def excerpt(text: str, words: Sequence[str], width: int = 280) -> Markup:
    """The stretch of the text around the first of the words or phrases, each marked where it stands whole."""
    pattern = whole(tuple(words))
    folded, origin = _folded(text)
    found = pattern.search(folded)
    start = max(0, min(origin[found.start()] - width // 3, len(text) - width)) if found else 0
    end = start + width
    ends = ("…" if start else "", "…" if end < len(text) else "")
    return Markup(ends[0]) + _marked(text[start:end], pattern) + Markup(ends[1])  # noqa: S704 (our own dots)


def _marked(text: str, pattern: re.Pattern[str]) -> Markup:
    folded, origin = _folded(text)
    parts, at = [], 0
    for found in pattern.finditer(folded):
        start, end = origin[found.start()], origin[found.end() - 1] + 1
        parts += [escape(text[at:start]), Markup("<mark>"), escape(text[start:end]), Markup("</mark>")]
        at = end
    return Markup("").join([*parts, escape(text[at:])])


def safe_link(url: str | None) -> str | None:
    """An address that a page may link to: http and https only, so that no post can carry a script."""
    try:
        return url if url and urlsplit(url).scheme.lower() in ("http", "https") else None
    except ValueError:
        return None


def _folded(text: str) -> tuple[str, list[int]]:
    """The text folded letter by letter, and for each folded letter the place it came from."""
    letters, origin = [], []
    for place, letter in enumerate(text):
        for part in fold(letter) or letter:
            letters.append(part)
            origin.append(place)
    return "".join(letters), origin
