"""What monthly partitions cost and save: one table and parts side by side on PostgreSQL, over 24 months; prints JSON.

    python -m benchmarks.partitions [--rows 40000] [--times 5]

Both stores take the same work in turns, so that whatever else the machine does falls on both. The rows are saved as
collectors do, and copied within the databases for as many times.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

from sqlalchemy import select, text

from benchmarks import made
from benchmarks.store import BATCH, multiplied, p, size, timed
from escucha.brand import Brand
from escucha.filter import MentionFilter
from escucha.keeping import Retention
from escucha.mention import Mention
from escucha.query.parse import parse
from pipeline.partitions import keep_months, show, turn_off, turn_on
from store import brands, enrichments, found, mentions, months, partitions, removal, retention, rollups
from store.engine import Store, open_store
from store.schema import migrate
from store.seek import from_moment
from store.sweep import sweep
from store.tables import MentionRow
from tests.postgres import postgres_server

DAYS = 730
RUNS = 60
LABELLED = 5_000
REPEATED = 10_000
Stores = Mapping[str, Store]


def said(rows: int) -> Iterator[Mention]:
    """Two years of mentions, each with a rare word."""
    for number, mention in enumerate(made.mentions(rows, DAYS)):
        yield replace(mention, text=f"{mention.text} raro{number % 7919}")


def prepared(store: Store, *, parted: bool) -> Brand:
    """Make the tables, and where they are asked for the parts of the months to come in."""
    migrate(store)
    if parted:
        ever = {(made.END - timedelta(days=day)).date().replace(day=1): months.WORTH for day in range(DAYS + 1)}
        with store.connect() as connection:
            partitions.part(connection, months.wanted(ever, made.END))
        store.close()  # its connections plan as before
    with store.write() as session:
        return brands.add(session, Brand(slug="marca", name="Marca"))


def in_turns(stores: Stores, act: Callable[[Store], object], runs: int) -> dict[str, list[float]]:
    """Milliseconds of each run on each store; what comes first changes."""
    spent: dict[str, list[float]] = {name: [] for name in stores}
    for run in range(runs):
        for name in sorted(stores, reverse=run % 2 == 0):
            spent[name].append(timed(lambda: act(stores[name])))  # noqa: B023 (called at once)
    return spent


def saved(stores: Stores, brand: Brand, told: list[Mention]) -> dict[str, float]:
    """Seconds that saving takes in each store."""
    spent = dict.fromkeys(stores, 0.0)
    for first in range(0, len(told), BATCH):
        batch = told[first : first + BATCH]
        for name, runs in in_turns(stores, lambda store: _save(store, brand, batch), 1).items():  # noqa: B023
            spent[name] += sum(runs) / 1_000
    return spent


def labelled(store: Store) -> None:
    """Understand some that wait, as the taggers' results are saved."""
    with store.write() as session:
        claimed = enrichments.claim(session, 500, made.END)
    with store.write() as session:
        enrichments.save(session, list(zip(claimed, made.labels(len(claimed)), strict=True)), made.END)


def questions(stores: Stores) -> dict[str, dict[str, dict[str, float]]]:
    """Pages, searches, and mentions by their numbers."""
    with next(iter(stores.values())).read() as session:
        ids = session.scalars(select(MentionRow.id)).all()

    def asked(make: Callable[[random.Random], Callable[[Any], object]]) -> dict[str, dict[str, float]]:
        dice = {name: random.Random(3) for name in stores}

        def act(store: Store) -> None:
            (name,) = (name for name, one in stores.items() if one is store)
            with store.read() as session:
                make(dice[name])(session)

        return {name: p(runs) for name, runs in in_turns(stores, act, RUNS).items()}

    def page(dice: random.Random) -> Callable[[Any], object]:
        after = str(from_moment(made.END - timedelta(days=dice.randrange(1, DAYS - 30))))
        return lambda session: mentions.find(session, MentionFilter(brand="marca"), limit=50, after=after)

    def week(dice: random.Random) -> Callable[[Any], object]:
        end = made.END - timedelta(days=dice.randrange(1, DAYS - 30))
        filter = MentionFilter(brand="marca", since=end - timedelta(days=7), until=end)
        return lambda session: mentions.find(session, filter, limit=50)

    def rare(dice: random.Random) -> Callable[[Any], object]:
        filter = MentionFilter(brand="marca", query=parse(f"raro{dice.randrange(7919)}"))
        return lambda session: mentions.find(session, filter, limit=50)

    def numbered(dice: random.Random) -> Callable[[Any], object]:
        chosen = dice.sample(ids, 500)
        return lambda session: found.loaded(session, chosen)

    return {"newest_50": asked(page), "newest_50_of_a_week": asked(week), "rare_word": asked(rare),
            "500_by_number": asked(numbered)}  # fmt: skip


def forgotten(store: Store) -> dict[str, Any]:
    """What a night does when the oldest month is kept no longer, step by step, in seconds."""
    with store.write() as session:
        retention.put(session, Retention(days=DAYS - 40))
    spent: dict[str, Any] = {"mentions": 0}

    def remove() -> None:
        while True:
            with store.write() as session:
                (brand,) = brands.all_brands(session)
                chosen = retention.old_mentions(session, retention.policy(session), brand, made.END, BATCH)
                spent["mentions"] += removal.remove(session, [id for _, id in chosen])
            if not chosen:
                return

    steps = {"remove_s": remove, "parts_s": lambda: keep_months(store, made.END), "sweep_s": lambda: sweep(store)}
    spent |= {name: round(timed(step) / 1_000, 2) for name, step in steps.items()}
    with store.read() as session:
        assert rollups.verify(session) == []
    return spent | {"parts_left": len(show(store).parts)}


def measured(stores: Stores, rows: int, times: int) -> dict[str, Any]:
    for name, store in stores.items():
        brand = prepared(store, parted=name == "parts")
    spent = saved(stores, brand, list(said(rows)))
    for store in stores.values():
        multiplied(store, times)
        with store.write() as session:
            rollups.rebuild(session)
        with store.own_connection() as connection:
            connection.execute(text("VACUUM ANALYZE"))
    again = saved(stores, brand, list(islice(said(rows), REPEATED)))
    tagged = in_turns(stores, labelled, LABELLED // 500)
    report: dict[str, Any] = {
        "rows": rows * times, "parts": len(show(stores["parts"]).parts),
        "ingest_rows_per_s": {name: round(rows / seconds) for name, seconds in spent.items()},
        "heard_again_rows_per_s": {name: round(min(REPEATED, rows) / seconds) for name, seconds in again.items()},
        "labelled_rows_per_s": {name: round(1_000 * LABELLED / sum(runs)) for name, runs in tagged.items()},
        **questions(stores),
        "bytes_per_mention": {name: round(size(store) / (rows * times)) for name, store in stores.items()},
        "forget_a_month": {name: forgotten(store) for name, store in stores.items()},
    }  # fmt: skip
    report["turn_on_s"] = round(timed(lambda: turn_on(stores["one_table"], made.END)) / 1_000, 1)
    report["turn_off_s"] = round(timed(lambda: turn_off(stores["one_table"])) / 1_000, 1)
    return report


def _save(store: Store, brand: Brand, batch: list[Mention]) -> None:
    with store.write() as session:
        mentions.save(session, brand, batch, made.END)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    with ExitStack() as stack:
        urls = {name: stack.enter_context(postgres_server()) for name in ("one_table", "parts")}
        if None in urls.values():
            raise SystemExit("no PostgreSQL server")
        stores = {name: open_store(url or "") for name, url in urls.items()}
        report = measured(stores, asked.rows, asked.times)
        for store in stores.values():
            store.close()
    print(json.dumps({"partitions": report}, indent=2))


if __name__ == "__main__":
    main()
