"""Starts a watch: what is asked of a source, how often, and the address of one that is sent to."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from secrets import token_bytes, token_urlsafe

from sqlalchemy.orm import Session

import collectors
from escucha.brand import Brand, Query, Watch
from escucha.errors import Invalid
from store import credentials, watches
from store.vault import Vault

SIGNS = "secret"
"""The name of the key that signs what is sent to a watch."""


def start(
    session: Session, brand: Brand, source: str, query: Query, every: int, now: datetime, slowest: int | None = None
) -> Watch:
    """Start watching a source for a brand.

    Raises:
        NotFound: there is no such source.
        Invalid: the source is not to be asked so often.
        Conflict: the brand has this very watch.
    """
    facts = collectors.facts(source)
    if every < facts.fastest and not facts.pushed:
        raise Invalid("{source} may be asked every {seconds} seconds at most. Choose a longer interval.",
                      source=facts.title or source, seconds=facts.fastest)
    hook = token_urlsafe(24) if facts.pushed else None
    return watches.add(session, brand.id or 0, source, query, every, now, slowest=slowest, hook=hook)


def first_secret(session: Session, vault: Vault, watch: Watch, now: datetime) -> str | None:
    """Make the secret that signs what is sent to a watch, where the brand has none yet; it is shown this once.

    None where there is one already, or where the watch is not sent to.
    """
    if watch.hook is None or SIGNS in credentials.keys_of(session, vault, watch.source, watch.brand_id):
        return None
    made = "whsec_" + b64encode(token_bytes(24)).decode()
    credentials.put(session, vault, watch.source, watch.brand_id, {SIGNS: made}, now)
    return made
