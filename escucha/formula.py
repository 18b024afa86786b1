"""Texts that a spreadsheet would run as a formula: made harmless with an apostrophe, and brought back as they were."""

from __future__ import annotations

import re

_AHEAD = "[\\s\u00ad\u200b-\u200f\u2060\ufeff]*"
"""What may stand before a formula: spaces of every kind, and what nobody sees."""
_RISKY = re.compile(f"'*(?:{_AHEAD}[=+\\-@＝＋－＠]|[\t\r\n])")
_GUARDED = re.compile(f"'+(?:{_AHEAD}[=+\\-@＝＋－＠]|[\t\r\n])")


def guarded(text: str) -> str:
    """The text with an apostrophe before it if a spreadsheet could take it for a formula.

    One that begins with apostrophes before such a sign gets one more, so that `unguarded` gives every text back.
    """
    return f"'{text}" if _RISKY.match(text) else text


def unguarded(text: str) -> str:
    """The text as it was before `guarded`."""
    return text[1:] if _GUARDED.match(text) else text
