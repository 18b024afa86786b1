"""Reads the mentions of an export in steps, so that neither memory nor a transaction grows with their number."""

from __future__ import annotations

from collections.abc import Iterator

from api.exports.columns import Exported
from escucha.filter import MentionFilter
from store import found, standing
from store.engine import Store

CHUNK = 1_000
"""Mentions that are read at once, in a transaction of their own."""


def chunks(store: Store, filter: MentionFilter, raw: bool = False) -> Iterator[list[Exported]]:
    """The mentions that a filter means, newest first, in lists of CHUNK; `raw` adds the sources' own answers.

    Each step goes on after the last mention of the one before: what arrives meanwhile neither shifts nor repeats any.
    """
    after: str | None = None
    while True:
        with store.read() as session:
            page = found.find(session, filter, limit=CHUNK, after=after)
            places = standing.of(session, [tagged.id for tagged in page.items], raw)
        yield [Exported(tagged=tagged, standing=places[tagged.id]) for tagged in page.items if tagged.id in places]
        if page.next is None:
            return
        after = page.next
