"""C9: a process that holds the lock of a SQLite file for long. Light, as that process loads it too."""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from sqlalchemy import text

from escucha.errors import TryLater
from store.engine import Store
from tests.store.crashes.tally import Tally

CONTEXT = multiprocessing.get_context("forkserver")


def held_lock(
    store: Store, file: Path, held_s: float, rounds: int, writers: int = 4, *, patience: float | None = None
) -> Tally:
    """Hold the lock while writers wait, are refused in a sentence, and try again after a pause of chance.

    They must wait for `patience` seconds before, as long as the store says where it is left out.
    """
    dice, tally, begun = random.Random(7), Tally(cycles=rounds * writers), time.monotonic()
    must = _patience(store) if patience is None else patience
    waited: list[float] = []
    for _ in range(rounds):
        holder, free = holding(file)
        threads, ends = threading.active_count(), time.monotonic() + held_s
        with ThreadPoolExecutor(writers) as pool:
            found = [pool.submit(_insisting, store, dice.random()) for _ in range(writers)]
            time.sleep(max(0.0, ends - time.monotonic()))
            tally.faults["threads"] += max(0, threading.active_count() - threads - writers)
            free.set()
            for each in found:
                refused, said = each.result()
                waited += refused
                tally.faults["says not why"] += sum("busy with another process" not in what for what in said)
        holder.join(60)
    tally.faults["refused early"] += sum(seconds < must for seconds in waited)
    tally.figures |= {"refused": len(waited), "shortest_wait_s": round(min(waited, default=0), 2),
                      "longest_wait_s": round(max(waited, default=0), 2)}
    tally.seconds = round(time.monotonic() - begun, 1)
    return tally


def _patience(store: Store) -> float:
    """Seconds that a store waits for its turn, a little less for the clock's sake."""
    with store.read() as session:
        return 0.95 * int(session.scalar(text("PRAGMA busy_timeout")) or 0) / 1000


def holding(file: Path) -> tuple[Any, Event]:
    """Another process that holds a file's lock until it is told to let go; it holds it when this returns."""
    held, free = CONTEXT.Event(), CONTEXT.Event()
    holder = CONTEXT.Process(target=hold, args=(str(file), held, free))
    holder.start()
    assert held.wait(60)
    return holder, free


def hold(file: str, held: Event, free: Event) -> None:
    """What such a process does."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        held.set()
        free.wait(120)
        database.execute("COMMIT")


def _insisting(store: Store, chance: float) -> tuple[list[float], list[str]]:
    """Write; where it is refused, wait a little and try again. The seconds until each refusal, and what it said."""
    waited, said = [], []
    while True:
        begun = time.monotonic()
        try:
            with store.write() as session:
                session.execute(text("DELETE FROM tombstone WHERE mark = ''"))
        except TryLater as error:
            waited.append(time.monotonic() - begun)
            said.append(str(error))
            time.sleep(0.1 * chance)
        else:
            return waited, said
