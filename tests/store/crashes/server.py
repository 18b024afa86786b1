"""C4: a PostgreSQL server that is stopped and killed while collectors save to it. They go on by themselves."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine

from escucha.errors import TryLater
from store.engine import Store, open_store
from store.schema import migrate
from tests.store.crashes import ingest
from tests.store.crashes.tally import Tally

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
COLLECTORS = 2
PAUSE = 0.02
"""Seconds until a collector tries again."""
BETWEEN = (0.1, 0.6)
"""Seconds between two misfortunes, once the store answers again."""
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A private server in a folder of its own."""

    where: Path
    port: int

    def database(self, name: str) -> str:
        """The address of a new database, in which "careless" commits do not wait for the disk."""
        url = f"postgresql+psycopg://postgres@127.0.0.1:{self.port}"
        admin = create_engine(f"{url}/postgres", isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
            waits = "off" if name == "careless" else "on"
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = {waits}")
        admin.dispose()
        return f"{url}/{name}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        addresses = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.where}"
        _run(BINARIES[-1], "-D", self.where / "data", "-w", "-l", self.where / "log", "start", "-o",
             f"{addresses} -c fsync=off -c wal_writer_delay=5000")

    def stop_at_once(self) -> None:
        """`pg_ctl stop -m immediate`: no checkpoint, no goodbye; then start it again."""
        _run(BINARIES[-1], "-D", self.where / "data", "-m", "immediate", "-w", "stop")
        self.start()

    def kill(self) -> None:
        """Kill its first process; when its children are gone, start it again."""
        first = self._first()
        family = [first, *(pid for pid, parent in _parents().items() if parent == first)]
        os.kill(first, signal.SIGKILL)
        _wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family))  # one not yet buried counts as running
        self.start()

    def kill_a_backend(self, dice: random.Random) -> None:
        """Kill a process that serves a client; the server makes itself anew."""
        found = []
        for pid, parent in _parents().items():
            with suppress(OSError):
                if parent == self._first() and b"127.0.0.1" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
        if found:
            os.kill(dice.choice(found), signal.SIGKILL)

    def _first(self) -> int:
        return int((self.where / "data" / "postmaster.pid").read_text().split()[0])


@contextmanager
def private_server() -> Iterator[Server | None]:
    """A server of this test's own; None where its programs are missing, or may not run."""
    if not BINARIES or (os.geteuid() == 0 and not any(user.pw_name == "postgres" for user in pwd.getpwall())):
        yield None
        return
    where = Path(tempfile.mkdtemp(prefix="escucha-pg-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = Server(where, probe.getsockname()[1])
    try:
        if os.geteuid() == 0:
            shutil.chown(where, "postgres")
        _run(BINARIES[-1].with_name("initdb"), "-D", where / "data", "-U", "postgres", "-A", "trust", "-N")
        server.start()
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):
            _run(BINARIES[-1], "-D", where / "data", "-m", "immediate", "stop")
        shutil.rmtree(where, ignore_errors=True)


@dataclass(slots=True)
class Collector:
    """One that saves page after page, on the one store that is never opened anew."""

    store: Store
    watch: int
    over: threading.Event
    pages: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Until it is over."""
        while not self.over.is_set():
            try:
                ingest.step(self.store, {"watch": self.watch}, self._told)
            except TryLater as error:
                self.refused[error.message] += 1
                time.sleep(PAUSE)
            except Exception as error:
                self.unexplained.append(f"{type(error).__name__}: {error}")
                time.sleep(PAUSE)

    def _told(self, pages: int) -> None:
        self.pages = pages


def crash_cycles(server: Server, cycles: int, *, seed: int = 7, until: str = "", careless: bool = False) -> Tally:
    """Stop it at once, kill it, kill one of its backends, in turn and so many times, while collectors save.

    `careless` plants a fault: the server acknowledges what is not on its disk yet.
    """
    dice, tally, begun = random.Random(seed), Tally(), time.monotonic()
    store, over = open_store(server.database("careless" if careless else "careful")), threading.Event()
    migrate(store)
    collectors = [Collector(store, watch, over) for watch in ingest.prepare(store, COLLECTORS)]
    with store.own_connection() as connection:
        connection.exec_driver_sql("CHECKPOINT")  # only pages are to be lost where a fault is planted
    threads = [threading.Thread(target=each.run) for each in collectors]
    for thread in threads:
        thread.start()
    blows: dict[str, Callable[[], None]] = {"stopped at once": server.stop_at_once, "first process killed": server.kill,
             "backend killed": lambda: server.kill_a_backend(dice)}
    try:
        for cycle in range(cycles):
            time.sleep(dice.uniform(*BETWEEN))
            name = list(blows)[cycle % len(blows)]
            before = [each.pages for each in collectors]
            blows[name]()
            tally.cycles += 1
            tally.crashed_while[name] += 1
            tally.faults["acknowledged and lost"] += _lost(store, collectors, before)
            if until and tally.faults[until]:
                break
            _wait_for_more(collectors)
    finally:
        over.set()
        for thread in threads:
            thread.join(PATIENCE)
    if not until:
        ingest.check(store, tally)
    for each in collectors:
        tally.faults["unexplained"] += len(each.unexplained)
        tally.figures["refused"] = tally.figures.get("refused", 0) + each.refused.total()
    tally.figures["unexplained"] = sorted({what[:300] for each in collectors for what in each.unexplained})[:5]
    store.close()
    tally.seconds = round(time.monotonic() - begun, 1)
    return tally


def _lost(store: Store, collectors: list[Collector], before: list[int]) -> int:
    """Pages that were acknowledged before a blow and are not there when the server answers again."""
    found: list[int] = []

    def read() -> bool:
        with suppress(TryLater):
            found[:] = [ingest.pages_read(store, each.watch) for each in collectors]
        return bool(found)

    _wait(read)
    return sum(max(0, pages - there) for pages, there in zip(before, found, strict=True))


def _wait_for_more(collectors: list[Collector]) -> None:
    """Until each of them has saved another page."""
    seen = [each.pages for each in collectors]
    _wait(lambda: all(each.pages > pages for each, pages in zip(collectors, seen, strict=True)))


def _wait(happened: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > ends:
            raise AssertionError("it does not go on")
        time.sleep(0.005)


def _parents() -> dict[int, int]:
    """The parent of every process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def _run(*command: object) -> None:
    words = [str(word) for word in command]
    if os.geteuid() == 0:  # a server refuses to run as root
        words = ["runuser", "-u", "postgres", "--", *words]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
