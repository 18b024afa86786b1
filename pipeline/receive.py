"""Receives what is sent to a watch: checked and read by its source, saved like a run of its own."""

from __future__ import annotations

from datetime import datetime
from random import Random

import collectors
from collectors.http import WebOptions
from escucha.errors import NotFound, Refused
from escucha.source import Delivery, Receives, Refusal
from pipeline.collect import save
from pipeline.keys import Settled, keys_for
from pipeline.pull import admitted, gathered
from pipeline.rhythm import judge
from store import brands, watches
from store.engine import Store
from store.vault import Vault
from store.watches import Ledger


def receive(
    store: Store, vault: Vault | None, settled: Settled, web: WebOptions, hook: str, delivery: Delivery, now: datetime
) -> tuple[Ledger, tuple[Refusal, ...]]:
    """Save a delivery to the address `hook`; its line in the ledger, and what was refused.

    Raises:
        NotFound: nothing listens there.
        Refused: the signature is wrong, or the watch is paused.
        Invalid: the delivery cannot be read.
    """
    with store.read() as session:
        watch = watches.by_hook(session, hook)
        brand = brands.by_id(session, watch.brand_id)
        keys = keys_for(session, vault, settled, watch.source, watch.brand_id)
    if watch.state == "paused":
        raise Refused("This address is paused. Resume its watch on the page Sources.")
    source = collectors.open_source(watch.source, web, keys)
    if not isinstance(source, Receives):
        raise NotFound("Nothing listens at this address. Copy it again from the page Sources.")
    page = admitted(source.receive(watch.query, delivery), now)
    haul = gathered([page], watch.cursor, None, source)
    with store.write() as session:
        ledger = save(session, watch, brand, haul, now, vault)
        verdict = judge(watch, None, now, Random(), ledger)
        watches.settle(
            session, watch, ledger, now=now, next_at=verdict.next_at, pace=verdict.pace, cursor=haul.cursor, failures=0,
            state=watch.state,
        )
    return ledger, tuple(ledger.refusals)
