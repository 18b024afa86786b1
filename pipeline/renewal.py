"""Exchanges keys that end by themselves for fresh ones, in good time."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

import collectors
from collectors.http import WebOptions
from escucha.errors import EscuchaError
from escucha.source import RenewsKeys
from pipeline.keys import keys_for
from pipeline.means import Means
from pipeline.pull import unknown
from store import credentials

log = logging.getLogger(__name__)


def renew_due(means: Means, now: datetime) -> int:
    """Renew the keys that were entered in the page long enough ago; how many sets of keys are fresh now."""
    renewed = 0
    for facts in collectors.known():
        if facts.renew_days is not None:
            old = _old(means, facts.name, now - timedelta(days=facts.renew_days))
            renewed += sum(_renew(means, facts.name, owner, now) for owner in old)
    return renewed


def ask(source: str, web: WebOptions, keys: Mapping[str, str]) -> tuple[Mapping[str, str], EscuchaError | None]:
    """Ask a source for fresh keys (on the pool)."""
    try:
        opened = collectors.open_source(source, web, keys)
        return (opened.renew() if isinstance(opened, RenewsKeys) else {}), None
    except EscuchaError as error:
        return {}, error
    except Exception as error:  # a collector's own mistake must not stop the others
        return {}, unknown(source, error, keys)


def _old(means: Means, source: str, before: datetime) -> list[int | None]:
    """Whose keys of a source (None: everybody's) were entered before a moment."""
    with means.store.read() as session:
        return [owner for owner, at in credentials.owners(session, source) if at < before]


def _renew(means: Means, source: str, owner: int | None, now: datetime) -> bool:
    if means.vault is None:
        return False
    with means.store.read() as session:
        keys = keys_for(session, means.vault, means.keys, source, owner)
    fresh, problem = means.pool.submit(ask, source, means.web, keys).result()
    if problem is not None:  # the watch says the same, where a person looks, once the key has ended
        log.warning("The keys of %s could not be renewed: %s", source, problem)
    if fresh:
        with means.store.write() as session:
            credentials.put(session, means.vault, source, owner, fresh, now)
    return bool(fresh)
