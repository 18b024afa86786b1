"""Regular expressions over a mention's words, parted by one space, for what stands near what.

They are read alike by Python (SQLite calls it) and by PostgreSQL.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from escucha.query.tree import Near, Phrase, Prefix, Within

START, END = "(?:^| )", "(?: |$)"
MOST = 255
"""The most repeats that PostgreSQL reads in one pair of braces."""


def within(asked: Within) -> str:
    """From some word on, each of the words follows soon enough."""
    skipped = _skipped(len(asked.words) + asked.most - 1)
    return START + "".join(f"(?={skipped}{re.escape(word)}{END})" for word in asked.words)


def near(asked: Near) -> str:
    """One of either side near one of the other; in order, the second begins only after the first has ended."""
    left, right = asked.left, asked.right
    if asked.ordered:
        return f"{START}(?:{_any(left)}) {_skipped(asked.most)}(?:{_any(right)}){END}"
    return f"{_after(left, right, asked.most)}|{_after(right, left, asked.most)}"


def _after(first: Sequence[Phrase | Prefix], second: Sequence[Phrase | Prefix], most: int) -> str:
    """The second begins within the first or at most `most` words behind it."""
    starts = (f"(?={_said(part)}{END}){_skipped(_length(part) + most)}" for part in first)
    return f"{START}(?:{'|'.join(starts)})(?:{_any(second)}){END}"


def _skipped(most: int) -> str:
    """Up to `most` words."""
    steps = [MOST] * (most // MOST) + [most % MOST]
    return "".join(f"(?:[^ ]+ ){{0,{step}}}" for step in steps)


def _any(parts: Sequence[Phrase | Prefix]) -> str:
    return "|".join(map(_said, parts))


def _said(part: Phrase | Prefix) -> str:
    return re.escape(part.stem) + "[^ ]*" if isinstance(part, Prefix) else " ".join(map(re.escape, part.words))


def _length(part: Phrase | Prefix) -> int:
    return 1 if isinstance(part, Prefix) else len(part.words)
