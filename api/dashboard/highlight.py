"""Shows strangers' text safely: the searched words marked, all else escaped, and links only to the web."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from escucha.query.tree import Phrase, Prefix
from escucha.rule import whole
from escucha.text import fold
from escucha.words import placed

Term = Phrase | Prefix


def highlight(text: str, terms: Sequence[Term]) -> Markup:
    """The text, escaped, with every word, phrase and beginning that is searched for in <mark>, in its own spelling."""
    return _between(text, _spans(text, terms)) if terms else escape(text)


def _spans(text: str, terms: Sequence[Term]) -> Iterator[tuple[int, int]]:
    """Where the terms stand, from left to right; what overlaps is one stretch."""
    told = list(placed(text))
    found = sorted((told[at][1], told[at + length - 1][2]) for term in terms for at, length in _places(term, told))
    start, end = -1, -1
    for first, last in found:
        if first >= end:
            if end > start:
                yield start, end
            start, end = first, last
        end = max(end, last)
    if end > start:
        yield start, end


def _places(term: Term, told: Sequence[tuple[str, int, int]]) -> Iterator[tuple[int, int]]:
    """At which word a term stands, and how many it has."""
    for at, (word, _, _) in enumerate(told):
        if isinstance(term, Prefix):
            if word.startswith(term.stem):
                yield at, 1
        elif word == term.words[0] and tuple(one for one, _, _ in told[at : at + len(term.words)]) == term.words:
            yield at, len(term.words)


def _between(text: str, spans: Iterable[tuple[int, int]]) -> Markup:
    parts, at = [], 0
    for start, end in spans:
        parts += [escape(text[at:start]), Markup("<mark>"), escape(text[start:end]), Markup("</mark>")]
        at = end
    return Markup("").join([*parts, escape(text[at:])])


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
    return _between(text, ((origin[f.start()], origin[f.end() - 1] + 1) for f in pattern.finditer(folded)))


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
