"""How long forgetting takes, how long it keeps others from writing, and whether anything is left: prints JSON.

    python -m benchmarks.keeping [--rows 200000] [--postgres URL]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from escucha.brand import Brand
from escucha.keeping import Retention
from escucha.mention import Author, Mention
from pipeline import forget, night
from store import brands, mentions, retention, rollups
from store.engine import Store, open_store
from store.schema import migrate
from store.sweep import sweep

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
MARKER = "zqmarcador"
SAID = 1_000
"""Mentions of the person who is erased."""


def words() -> list[str]:
    dice = Random(7)
    return [f"{dice.choice('bcdfglmnprst')}{dice.choice('aeiou')}{dice.getrandbits(20):x}" for _ in range(40_000)]


def made(rows: int) -> Iterator[Mention]:
    """Mentions of a thousand days; the person who is erased said every so many of them."""
    dice, known = Random(8), words()
    for n in range(rows):
        hers = n % (rows // SAID) == 0
        text = " ".join(known[int(len(known) * dice.random() ** 3)] for _ in range(25))
        author = Author(id=MARKER, handle=f"@{MARKER}") if hers else Author(id=f"p{n % 5000}", handle=f"p{n % 5000}")
        yield Mention(source="mastodon", source_id=f"{MARKER}{n}" if hers else str(n), author=author,
                      text=f"{text} {MARKER}{n}" if hers else text,
                      created_at=NOW - timedelta(days=n // 8 % 1000, seconds=n),
                      raw={"content": text, "account": {"acct": author.handle}})


@contextmanager
def clocked(report: dict[str, Any], name: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    report[name] = round(time.perf_counter() - begun, 2)


class Watched:
    """Notes the longest write transaction of a store: that long others wait."""

    def __init__(self, store: Store) -> None:
        self.longest, self._store, self._write, self._connect = 0.0, store, store.write, store.connect

    def __enter__(self) -> Watched:
        self._store.write, self._store.connect = self._timed(self._write), self._timed(self._connect)  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        self._store.write, self._store.connect = self._write, self._connect  # type: ignore[method-assign]

    def _timed(self, opened: Callable[[], Any]) -> Callable[[], Any]:
        @contextmanager
        def timed() -> Iterator[Any]:
            with opened() as session:
                begun = time.perf_counter()
                yield session
            self.longest = max(self.longest, time.perf_counter() - begun)

        return timed


def left(folder: Path) -> dict[str, int]:
    """How often the marker stands in the files, whole or without its first letters."""
    counts = {path.name: path.read_bytes().lower().count(MARKER[2:].encode()) for path in sorted(folder.iterdir())}
    return {name: n for name, n in counts.items() if n}


def measured(store: Store, rows: int, folder: Path | None) -> dict[str, Any]:
    report: dict[str, Any] = {"rows": rows, "store": store.dialect}
    with clocked(report, "filled_s"):
        _fill(store, rows)
    store.checkpoint()
    if folder:
        report["left_before"] = left(folder)
    with store.read() as session:
        person = forget.found(session, "mastodon", MARKER)
    with Watched(store) as watched:
        with clocked(report, "erase_s"):
            report["erased"] = forget.erase(store, person, NOW).mentions
        report["erase_longest_write_s"] = round(watched.longest, 2)
        watched.longest = 0.0
        with clocked(report, "sweep_s"):
            sweep(store)
        report["sweep_longest_write_s"] = round(watched.longest, 2)
    if folder:
        report["left_after"] = left(folder)
    with store.write() as session:
        retention.put(session, Retention(days=900, raw_days=500))
    with store.read() as session, clocked(report, "preview_s"):
        foreseen = night.foreseen(session, NOW)
    report["foreseen"] = {"mentions": foreseen.mentions, "raws": foreseen.raws}
    with Watched(store) as watched:
        with clocked(report, "night_s"):
            done = night.tidy(store, NOW)
        report["night_longest_write_s"] = round(watched.longest, 2)
    assert done is not None
    report["night"] = {"mentions": done.removed.mentions, "raws": done.removed.raws}
    with store.read() as session:
        report["rollups_wrong"] = len(rollups.verify(session))
    return report


def _fill(store: Store, rows: int) -> None:
    with store.write() as session:
        brand = brands.add(session, Brand(slug="lumbre", name="Lumbre"))
    page = list[Mention]()
    for mention in made(rows):
        page.append(mention)
        if len(page) == 2000:
            _save(store, brand, page)
            page.clear()
    _save(store, brand, page)


def _save(store: Store, brand: Brand, page: list[Mention]) -> None:
    with store.write() as session:
        mentions.save(session, brand, page, NOW)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--postgres", default="", help="the address of an empty database")
    asked = parser.parse_args()
    reports = []
    with tempfile.TemporaryDirectory() as folder:
        stores = [(open_store(f"sqlite:///{folder}/store/escucha.db", "NORMAL"), Path(folder) / "store")]
        stores += [(open_store(asked.postgres), None)] if asked.postgres else []  # type: ignore[list-item]
        for store, where in stores:
            migrate(store)
            reports.append(measured(store, asked.rows, where))
            store.close()
    print(json.dumps(reports, indent=2))


if __name__ == "__main__":
    main()
