"""C8: processes that read a number in one SQLite file and write the next one. Light, as every process loads it."""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from escucha.errors import TryLater
from store.engine import open_store
from tests.store.crashes.tally import Tally

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])
READ = text("SELECT n FROM counter")
WRITE = text("UPDATE counter SET n = :n")
Count = Callable[[str, int, Barrier, Connection], None]


def counted_by_many(
    url: str, file: Path, times: int, processes: int = 4, *, count: Count | None = None
) -> Tally:
    """Let processes read a number and write the next one, in one file; so many times each."""
    tally, begun = Tally(cycles=processes * times), time.monotonic()
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE counter (n INTEGER)")
        database.execute("INSERT INTO counter VALUES (0)")
        database.commit()
    ends, together = [CONTEXT.Pipe() for _ in range(processes)], CONTEXT.Barrier(processes)
    workers = [CONTEXT.Process(target=count or count_up, args=(url, times, together, mine)) for _, mine in ends]
    for worker in workers:
        worker.start()
    refused = sum(theirs.recv() for theirs, _ in ends)
    for worker in workers:
        worker.join(60)
    with closing(sqlite3.connect(file)) as database:
        (reached,) = database.execute("SELECT n FROM counter").fetchone()
    tally.faults += Counter({"lost": processes * times - refused - reached, "locked": refused})
    tally.seconds = round(time.monotonic() - begun, 1)
    return tally


def count_up(url: str, times: int, together: Barrier, told: Connection) -> None:
    """Count in Escucha's way; tell how often the file was refused."""
    store, refused = open_store(url, "NORMAL"), 0
    together.wait(60)
    for _ in range(times):
        try:
            with store.write() as session:
                session.execute(WRITE, {"n": (session.scalar(READ) or 0) + 1})
        except TryLater:
            refused += 1
    told.send(refused)


def count_up_plainly(url: str, times: int, together: Barrier, told: Connection) -> None:
    """The planted fault: SQLAlchemy's plain engine, whose transaction begins when it writes."""
    engine, refused = create_engine(url), 0
    together.wait(60)
    for _ in range(times):
        try:
            with engine.begin() as connection:
                connection.execute(WRITE, {"n": (connection.scalar(READ) or 0) + 1})
        except OperationalError:
            refused += 1
    told.send(refused)
