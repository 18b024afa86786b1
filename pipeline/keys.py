"""The keys a source is asked with: those of the settings, and those that were entered in the page."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

import collectors
from escucha.errors import ConfigError, NotFound
from escucha.source import Credential
from store import credentials
from store.credentials import Held
from store.vault import Vault

Settled = Mapping[str, Mapping[str, str]]
"""Credentials of the settings, by source name."""


def keys_for(
    session: Session, vault: Vault | None, settled: Settled, source: str, brand_id: int | None
) -> dict[str, str]:
    """A source's keys for a brand; what the settings say wins over what the page was told.

    A secret goes to the server that was named when it was entered: whoever names another one later, for all or for a
    brand alone, has to enter it anew. Else a page that shows no key would hand it to any server.

    Raises:
        ConfigError: stored keys were encrypted with another secret key.
    """
    stored = credentials.held(session, vault, source, brand_id) if vault else {}
    given = settled.get(source, {})
    declared = _declared(source)
    leads = [stored[one.name] for one in declared if one.leads and one.name in stored and not given.get(one.name)]
    secret = {one.name for one in declared if one.secret}
    kept = {name: one.value for name, one in stored.items()
            if name not in secret or all(_was_meant_for(leader, one) for leader in leads)}
    return {**kept, **{name: value for name, value in given.items() if name not in secret or not leads}}


def _was_meant_for(leader: Held, secret: Held) -> bool:
    """Whether a secret was entered for the server that a leading key names."""
    return leader.brand_id in (None, secret.brand_id) and secret.at >= leader.at


def _declared(source: str) -> tuple[Credential, ...]:
    try:
        return collectors.facts(source).needs_credentials
    except (NotFound, ConfigError):
        return ()
