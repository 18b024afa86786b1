"""Rows a second into the store: our save, on SQLite and PostgreSQL, beside the ORM's usual way in the same run."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks import made
from escucha.brand import Brand
from escucha.mention import Mention
from store import brands, mentions
from store.engine import Store, open_store
from store.mentions import _row
from store.schema import migrate
from store.tables import MentionRow
from tests.postgres import emptied, postgres_server

ROWS = 20_000
BATCH = 1_000
ROUNDS = 3


def fresh(store: Store) -> Brand:
    migrate(store)
    if store.dialect == "postgresql":
        emptied(store)
    with store.write() as session:
        return brands.add(session, Brand(slug="bench", name="Bench"))


def ours(store: Store, brand: Brand, said: list[Mention]) -> None:
    for start in range(0, len(said), BATCH):
        with store.write() as session:
            mentions.save(session, brand, said[start : start + BATCH], made.END)


def the_orm_way(store: Store, brand: Brand, said: list[Mention]) -> None:
    """Objects added to a session, without authors and without asking what is there: less work than ours does."""
    for start in range(0, len(said), BATCH):
        with store.write() as session:
            batch = [replace(mention, author=None) for mention in said[start : start + BATCH]]
            session.add_all(MentionRow(**_row(brand, mention, {}, made.END, None)) for mention in batch)


def rate(store: Store, save: Callable[[Store, Brand, list[Mention]], None], said: list[Mention]) -> tuple[int, int]:
    """Rows a second for new rows and for the same rows again (0 where that is not asked)."""
    brand = fresh(store)
    times = []
    for _ in range(2 if save is ours else 1):
        start = time.perf_counter()
        save(store, brand, said)
        times.append(time.perf_counter() - start)
    return round(len(said) / times[0]), round(len(said) / times[1]) if len(times) > 1 else 0


def measure(opened: Callable[[int], Store], said: list[Mention]) -> dict[str, int]:
    new, again, orm = [], [], []
    for turn in range(ROUNDS):  # interleaved, so that a noisy neighbour hits both alike
        first, second = rate(opened(2 * turn), ours, said)
        new.append(first)
        again.append(second)
        orm.append(rate(opened(2 * turn + 1), the_orm_way, said)[0])
    return {
        "new_rows_per_s": round(statistics.median(new)), "repeated_rows_per_s": round(statistics.median(again)),
        "orm_add_all_rows_per_s": round(statistics.median(orm)),
    }


def main() -> None:
    said = list(made.mentions(ROWS))
    figures: dict[str, object] = {"rows": ROWS, "batch": BATCH, "rounds": ROUNDS, "with": "authors, indexes"}
    with tempfile.TemporaryDirectory() as folder:
        figures["sqlite_full"] = measure(lambda n: open_store(f"sqlite:///{Path(folder) / f'{n}.db'}"), said)
    with postgres_server() as url:
        if url is None:
            figures["postgresql"] = "no server"
        else:
            figures["postgresql"] = measure(lambda _: open_store(url), said)
    print(json.dumps({"ingest": figures}, indent=2))


if __name__ == "__main__":
    main()
