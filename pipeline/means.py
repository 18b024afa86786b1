"""What the verbs work with: the store, the pool, and the options of collectors and models."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field

from collectors.http import WebOptions
from nlp.chain import ModelOptions
from store.engine import Store
from store.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Built once at the doors (api) and handed down.

    `keys` holds the settings' credentials by source name; `vault` opens those that were entered in the page (None:
    there are none). `budget` is what a paid source may cost in a month, in US dollars, where nobody says otherwise.
    """

    store: Store
    pool: Executor
    web: WebOptions
    models: ModelOptions
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    vault: Vault | None = None
    budget: float = 10.0
