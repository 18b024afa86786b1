"""C7: a reader that does not leave, while SQLite's log grows."""

from __future__ import annotations

import time

from sqlalchemy import text

from escucha.errors import TryLater
from store import wal
from store.engine import Store
from tests.store.crashes import ingest
from tests.store.crashes.tally import Tally

WEIGHT = 100_000
"""More bytes an item, so that the log grows in few pages."""


def stuck_reader(store: Store, megabytes: int) -> Tally:
    """Let the log grow past a size while somebody reads: it is told, and emptied when the reader has left."""
    tally, begun, limit = Tally(cycles=1), time.monotonic(), megabytes << 20
    ingest.prepare(store)
    with store.read() as session:
        session.execute(text("SELECT count(*) FROM mention"))
        while wal.size(store) <= limit:
            ingest.step(store, {"weight": WEIGHT}, lambda _: None)
        tally.figures |= {"bytes": wal.size(store), "said": _told(store, limit)}
        tally.faults["not told"] += int(tally.figures["said"] is None)
    ingest.step(store, {}, lambda _: None)
    tally.figures["bytes_if_left_alone"] = wal.size(store)
    tally.faults["told without a reader"] += int(_told(store, limit) is not None)
    tally.faults["not emptied"] += int(wal.size(store) != 0)
    ingest.check(store, tally)
    tally.seconds = round(time.monotonic() - begun, 1)
    return tally


def _told(store: Store, limit: int) -> str | None:
    try:
        wal.trim(store, limit)
    except TryLater as error:
        return str(error)
    return None
