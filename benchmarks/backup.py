"""Seconds and rows a second to back up, restore and move a store, on SQLite and PostgreSQL; `--rows` says how many."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path

from benchmarks import made
from escucha.brand import Brand
from store import backup, brands, mentions, moving
from store.engine import Store, open_store
from store.restore import restore
from store.schema import migrate
from tests.postgres import postgres_server

BATCH = 2_000
Figures = dict[str, float]


def filled(url: str, rows: int) -> None:
    """A store with so many mentions, with authors, words and counts."""
    with closing(open_store(url, "NORMAL")) as store:
        migrate(store)
        with store.write() as session:
            brand = brands.add(session, Brand(slug="bench", name="Bench"))
        said = made.mentions(rows)
        while batch := list(islice(said, BATCH)):
            with store.write() as session:
                mentions.save(session, brand, batch, made.END)
        store.checkpoint()


def timed(rows: int, act: Callable[[], object]) -> Figures:
    begun, busy = time.perf_counter(), time.process_time()
    act()
    seconds = time.perf_counter() - begun
    return {"seconds": round(seconds, 2), "cpu_seconds": round(time.process_time() - busy, 2),
            "mentions_per_s": round(rows / seconds)}


def kept(store: Store, folder: Path, rows: int, elsewhere: str) -> dict[str, object]:
    """Back up and restore."""
    file = folder / f"{store.dialect}.zip"
    told: dict[str, object] = {"backup": timed(rows, lambda: backup.make(store, file, made.END))}
    told["file_bytes_per_mention"] = round(file.stat().st_size / rows)
    return told | {"restore": timed(rows, lambda: restore(elsewhere, file))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        here = f"sqlite:///{folder / 'here.db'}"
        filled(here, rows)
        figures: dict[str, object] = {"rows": rows,
                                       "sqlite_bytes_per_mention": (folder / "here.db").stat().st_size // rows}
        with closing(open_store(here)) as store:
            figures["sqlite"] = kept(store, folder, rows, f"sqlite:///{folder / 'there.db'}")
        with postgres_server() as url, postgres_server() as other:
            figures["postgresql"] = "no server" if url is None or other is None else {
                "move_from_sqlite": timed(rows, lambda: moving.move(here, str(url))),
                **_there(str(url), folder, rows, other),
                "move_to_sqlite": timed(rows, lambda: moving.move(str(url), f"sqlite:///{folder / 'back.db'}")),
            }
    print(json.dumps({"backup": figures}, indent=2))


def _there(url: str, folder: Path, rows: int, other: str) -> dict[str, object]:
    with closing(open_store(url)) as store:
        return kept(store, folder, rows, other)


if __name__ == "__main__":
    main()
