"""One number that orders mentions by time: the key of every page, and the row of the full-text index."""

from __future__ import annotations

from datetime import datetime

IDS = 30
"""Bits of it that hold the mention's number: a thousand million of them, and seconds until the year 2242."""


def seek(created_at: datetime, id: int) -> int:
    """The key of a mention: later ones are larger, and of the same second those with the larger number."""
    return max(int(created_at.timestamp()), 0) << IDS | id & (1 << IDS) - 1


def id_of(key: int) -> int:
    """The number of the mention whose key it is."""
    return key & (1 << IDS) - 1


def from_moment(moment: datetime) -> int:
    """The lowest key that a mention of this second or later may have."""
    return max(int(moment.timestamp()), 0) << IDS
