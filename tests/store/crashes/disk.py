"""C6: a disk that is full while a collector saves, and has room again later."""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from escucha.errors import TryLater
from escucha.filter import MentionFilter
from store import metrics
from store.engine import Store, open_store
from store.schema import migrate
from tests.store.crashes import ingest
from tests.store.crashes.nursery import Work
from tests.store.crashes.tally import Tally

SMALL = "8m"
LEAST, MOST = 30_000, 200_000
"""Bytes that are left when a collector begins."""
WEIGHT = 2_000
"""More bytes an item, so that room ends after some pages."""
PAGES = 400
"""A disk that takes so many has no end."""
Narrow = Callable[[int], Callable[[], None]]
"""Leaves so many bytes of room; what it gives back makes all of it free again."""


class NoDisk(Exception):
    """Why a small disk cannot be mounted here."""


def full_cycles(folder: Path, narrow: Narrow, cycles: int, *, seed: int = 7, work: Work = ingest.step) -> Tally:
    """Fill the disk of a folder so many times, and look at what is stored, read, said, and saved when there is room."""
    dice, tally, begun = random.Random(seed), Tally(), time.monotonic()
    store = open_store(f"sqlite:///{folder / 'escucha.db'}", "NORMAL")
    migrate(store)
    ingest.prepare(store)
    for _ in range(cycles):
        ingest.step(store, {}, lambda _: None)
        widen = narrow(dice.randint(LEAST, MOST))
        try:
            said, pages = _until_full(store, work)
            tally.faults["says not where"] += int(str(folder) not in said)
            tally.faults["acknowledged and lost"] += int(ingest.pages_read(store) < pages)
            tally.faults["does not read"] += _reads_wrong(store)
        finally:
            widen()
        tally.cycles += 1
        ingest.check(store, tally)
        if tally.faults["lost"]:
            break
        seen = ingest.pages_read(store)
        ingest.step(store, {}, lambda _: None)
        tally.faults["does not go on"] += int(ingest.pages_read(store) != seen + 1)
    ingest.check(store, tally)
    store.close()
    tally.figures["said"] = said.replace(str(folder), "…")
    tally.seconds = round(time.monotonic() - begun, 1)
    return tally


def _until_full(store: Store, work: Work) -> tuple[str, int]:
    """Save until there is no room; what is said then, and how many pages were acknowledged."""
    reached = [ingest.pages_read(store)]
    for _ in range(PAGES):
        try:
            work(store, {"weight": WEIGHT}, reached.append)
        except TryLater as error:
            return str(error), reached[-1]
    raise AssertionError("the disk has no end")


def _reads_wrong(store: Store) -> int:
    """0 where this process and a new one read on while the disk is full."""
    other = open_store(store.url)
    counts = set()
    for each in (store, other):
        with each.read() as session:
            counts.add(metrics.count(session, MentionFilter()))
    other.close()
    return int(len(counts) != 1 or counts == {0})


@contextmanager
def a_small_disk(within: Path) -> Iterator[tuple[Path, Narrow]]:
    """A disk of 8 MB in memory. Raises NoDisk where none can be mounted."""
    folder = within / "small"
    folder.mkdir()
    asked = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)]
    told = subprocess.run(asked, capture_output=True, text=True) if shutil.which("mount") else None
    if told is None or told.returncode:
        raise NoDisk(told.stderr.strip() if told else "there is no mount")
    try:
        yield folder, lambda left: _with_ballast(folder, left)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def a_limit(within: Path) -> Iterator[tuple[Path, Narrow]]:
    """A limit on how long this process's files may be (RLIMIT_FSIZE): SQLite hears of an I/O error then."""
    folder, before = within / "limited", resource.getrlimit(resource.RLIMIT_FSIZE)
    folder.mkdir()

    def narrow(left: int) -> Callable[[], None]:
        longest = max(file.stat().st_size for file in folder.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (longest + left // 4, before[1]))
        return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)

    yield folder, narrow


def _with_ballast(folder: Path, left: int) -> Callable[[], None]:
    """Fill a disk with one file, but for so many bytes."""
    about, ballast = os.statvfs(folder), folder / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, about.f_bavail * about.f_frsize - left))
    return ballast.unlink
