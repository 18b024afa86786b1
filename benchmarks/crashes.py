"""What the store loses when it is killed, stopped, filled and held: the full counts of every crash test, as JSON.

`--share 0.1` runs a tenth of the cycles, `--only C3` one part. 1 where anything was found, or a planted fault was not.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from store.engine import Store, open_store
from store.schema import migrate
from tests.store.crashes import counting, disk, enrich, holding, ingest, reading, server, upgrade
from tests.store.crashes.nursery import Nursery, nursery

PLANTED = 200
"""Cycles within which a planted fault must show."""
Part = Callable[["Bench"], dict[str, Any]]


class Bench:
    """Where the cycles run, and how many of those in the plan: all, or a share."""

    def __init__(self, folder: Path, raising: Nursery, share: float) -> None:
        self._folder, self.nursery, self._share, self._made = folder, raising, share, 0

    def of(self, cycles: int) -> int:
        """So many cycles, or the share of them."""
        return max(1, round(cycles * self._share))

    def folder(self) -> Path:
        """A new, empty folder."""
        self._made += 1
        made = self._folder / str(self._made)
        made.mkdir()
        return made

    def store(self) -> tuple[Store, Path]:
        """A new, empty SQLite store as Escucha opens it, and its file."""
        file = self.folder() / "escucha.db"
        store = open_store(f"sqlite:///{file}")
        migrate(store)
        return store, file


def killed_while_collecting(bench: Bench) -> dict[str, Any]:
    """C1."""
    planted = {}
    for work, fault, aim in (("cursor_first", "lost", "saves"), ("rollups_apart", "roll-ups", "saved"),
                             ("words_apart", "full text", "saved")):
        seen = ingest.kill_cycles(bench.store()[0], bench.nursery, PLANTED, every=1, until=fault, work=work,
                                  aims=(aim,))
        planted[work] = seen.faults[fault] > 0
    told = ingest.kill_cycles(bench.store()[0], bench.nursery, bench.of(500)).told()
    return {**told, "planted_found": planted}


def killed_while_tagging(bench: Bench) -> dict[str, Any]:
    """C2."""
    planted = enrich.kill_cycles(bench.store()[0], bench.nursery, PLANTED, every=1, until="mixed labels",
                                 work="labels_apart", aims=("saved",))
    told = enrich.kill_cycles(bench.store()[0], bench.nursery, bench.of(300)).told()
    return {**told, "planted_found": {"labels_apart": planted.faults["mixed labels"] > 0}}


def killed_while_upgrading(bench: Bench) -> dict[str, Any]:
    """C3: for every revision."""
    told: dict[str, Any] = {"clean": True, "planted_found": {}}
    for to in upgrade.revisions():
        seen = upgrade.kill_cycles(bench.folder(), bench.nursery, to, bench.of(100_000), bench.of(100))
        planted = upgrade.kill_cycles(bench.folder(), bench.nursery, to, 1_000, PLANTED, work="without_hook")
        told["clean"] &= seen.clean
        told["planted_found"][f"without_hook_{to}"] = planted.faults["half"] > 0
        told[to] = seen.told()
    return told


def stopped_server(bench: Bench) -> dict[str, Any]:
    """C4."""
    with server.private_server() as found:
        if found is None:
            return {"not_tested": "PostgreSQL's programs are not installed here, or may not run"}
        planted = server.crash_cycles(found, PLANTED, until="acknowledged and lost", careless=True)
        told = server.crash_cycles(found, bench.of(60)).told()
        return {**told, "planted_found": {"careless": planted.faults["acknowledged and lost"] > 0}}


def full_disk(bench: Bench) -> dict[str, Any]:
    """C6, on a small disk."""
    try:
        with disk.a_small_disk(bench.folder()) as (folder, narrow):
            told = disk.full_cycles(folder, narrow, bench.of(20)).told()
        with disk.a_small_disk(bench.folder()) as (folder, narrow):
            planted = disk.full_cycles(folder, narrow, PLANTED, work=ingest.cursor_first)
    except disk.NoDisk as error:
        return {"not_tested": f"no small disk can be mounted here: {error}"}
    return {**told, "planted_found": {"cursor_first": planted.faults["lost"] > 0}}


def longest_file(bench: Bench) -> dict[str, Any]:
    """C6, under a limit on the length of files."""
    with disk.a_limit(bench.folder()) as (folder, narrow):
        told = disk.full_cycles(folder, narrow, bench.of(20)).told()
    with disk.a_limit(bench.folder()) as (folder, narrow):
        planted = disk.full_cycles(folder, narrow, PLANTED, work=ingest.cursor_first)
    return {**told, "planted_found": {"cursor_first": planted.faults["lost"] > 0}}


def stuck_reader(bench: Bench) -> dict[str, Any]:
    """C7."""
    megabytes = bench.of(105)
    told = reading.stuck_reader(bench.store()[0], megabytes).told()
    return {**told, "planted_found": {"left_alone": told["figures"]["bytes_if_left_alone"] > megabytes << 20}}


def counted_by_many(bench: Bench) -> dict[str, Any]:
    """C8."""
    store, file = bench.store()
    told = counting.counted_by_many(store.url, file, bench.of(500)).told()
    store, file = bench.store()
    planted = counting.counted_by_many(store.url, file, 500, count=counting.count_up_plainly)
    return {**told, "planted_found": {"count_up_plainly": planted.faults["lost"] + planted.faults["locked"] > 0}}


def held_lock(bench: Bench) -> dict[str, Any]:
    """C9: 10 seconds while four wait, five times."""
    store, file = bench.store()
    told = holding.held_lock(store, file, 10, bench.of(5)).told()
    impatient = Store(store.url, busy_ms=1)
    planted = holding.held_lock(impatient, file, 1, 1, patience=4.75)
    return {**told, "planted_found": {"impatient": planted.faults["refused early"] > 0}}


PARTS: dict[str, Part] = {
    "C1": killed_while_collecting, "C2": killed_while_tagging, "C3": killed_while_upgrading, "C4": stopped_server,
    "C6": full_disk, "C6b": longest_file, "C7": stuck_reader, "C8": counted_by_many, "C9": held_lock,
}


def main() -> None:
    """The parts that are asked for; each is told on stderr, too, when it is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS))
    asked = parser.parse_args()
    told = {}
    with tempfile.TemporaryDirectory() as folder, nursery() as raising:
        bench = Bench(Path(folder), raising, asked.share)
        for name in asked.only:
            told[name] = PARTS[name](bench)
            print(name, json.dumps(told[name]), file=sys.stderr, flush=True)
    print(json.dumps({"crashes": told}, indent=2))
    if any("not_tested" not in each and not (each["clean"] and all(each["planted_found"].values()))
           for each in told.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
