"""Asks for the followers that search answers lack, in batches, and seldom twice for one author."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import collectors
from collectors.http import WebOptions
from escucha.errors import EscuchaError
from escucha.mention import Author
from escucha.source import KnowsFollowers
from pipeline.collect import facts_of
from pipeline.keys import keys_for
from pipeline.means import Means
from pipeline.pull import unknown
from store import authors, watches

CACHE = timedelta(days=7)
"""How long a number is believed before it is asked for again; its age is shown."""
BATCHES = 10
"""Requests of one source in one round."""


def ask(
    source: str, web: WebOptions, keys: Mapping[str, str], unknown_ones: tuple[Author, ...]
) -> tuple[tuple[Author, ...], EscuchaError | None]:
    """Ask a source about authors (on the pool). What it does not tell stays unknown: it is never 0."""
    try:
        opened = collectors.open_source(source, web, keys)
        return (tuple(opened.authors(unknown_ones)) if isinstance(opened, KnowsFollowers) else ()), None
    except EscuchaError as error:
        return (), error
    except Exception as error:  # a collector's own mistake must not stop the others
        return (), unknown(source, error, keys)


def fill_followers(means: Means, now: datetime, stop: Callable[[], bool] = lambda: False) -> int:
    """Ask about the authors whose followers are unknown or old; of how many the number is known now."""
    told = 0
    for source, brand_id in _sources(means):
        for _ in range(BATCHES):
            if stop():
                return told
            asked, known = _batch(means, source, brand_id, now)
            told += known
            if not asked:
                break
    return told


def _sources(means: Means) -> list[tuple[str, int]]:
    """Sources that tell followers in a second call, each with a brand whose keys may be used."""
    with means.store.read() as session:
        active = {watch.source: watch.brand_id for watch in watches.all_watches(session) if watch.state == "active"}
    return [(s, brand) for s, brand in sorted(active.items()) if facts_of(s).followers_in_answer == "second call"]


def _batch(means: Means, source: str, brand_id: int, now: datetime) -> tuple[bool, int]:
    """Whether there is more to ask, and how many numbers came."""
    facts = facts_of(source)
    recorded = facts.recorded_as or source
    with means.store.read() as session:
        waiting = tuple(authors.waiting(session, recorded, now, CACHE, facts.followers_batch))
        try:
            keys = keys_for(session, means.vault, means.keys, source, brand_id)
        except EscuchaError:
            return False, 0
    if not waiting:
        return False, 0
    found, problem = means.pool.submit(ask, source, means.web, keys, waiting).result()
    ids = {author.id for author in waiting}
    told = [replace(author, handle=author.handle or author.id) for author in found if author.id in ids]
    with means.store.write() as session:
        there = authors.known(session, recorded, ids)  # somebody may have been erased while we asked
        authors.save(session, [(recorded, author) for author in told if author.id in there], now)
        if problem is None:
            authors.asked(session, recorded, sorted(ids), now)
    return problem is None, sum(author.followers is not None for author in told)
