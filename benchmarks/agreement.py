"""Puts thousands of random queries to the matcher, SQLite and PostgreSQL, which must find the same: JSON of the counts.

    python -m benchmarks.agreement [--queries 5000] [--mentions 160] [--seeds 4]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from escucha.query.reading import Reading
from escucha.query.tree import Query
from store.engine import Store, open_store
from store.schema import migrate
from tests.corpus import Asked, corpus, filled, meant, queries
from tests.postgres import emptied, postgres_server


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--queries", type=int, default=5_000, help="in all, over all corpora")
    asked.add_argument("--mentions", type=int, default=160, help="of each corpus")
    asked.add_argument("--seeds", type=int, default=4, help="corpora")
    chosen = asked.parse_args()
    rounds = [compared(number, chosen.queries // chosen.seeds, chosen.mentions) for number in range(chosen.seeds)]
    total = {key: sum(one[key] for one in rounds) for key in ("queries", "telling", "found", "differences")}
    print(json.dumps({"mentions": chosen.mentions, "corpora": chosen.seeds, **total, "rounds": rounds}, indent=2))


def compared(number: int, n: int, mentions: int) -> dict[str, Any]:
    """One corpus in both stores, and `n` queries; `telling` ones mean some of its mentions and not others."""
    counted = {"queries": 0, "telling": 0, "found": 0, "differences": 0}
    shown: list[str] = []
    started = time.perf_counter()
    with stores() as opened:
        for store in opened:
            filled(store, corpus(mentions, number), number)
        both = [Asked(store) for store in opened]
        readings = [[(item.id, Reading.of(item)) for item in one.everything()] for one in both]

        @seed(number)
        @settings(max_examples=n, deadline=None, database=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(queries)
        def agree(query: Query) -> None:
            counted["queries"] += 1
            for one, read in zip(both, readings, strict=True):
                expected = meant(query, read)
                if one.ids(query) != expected:
                    counted["differences"] += 1
                    shown.append(f"{one.store.dialect}: {query!r}")
            counted["telling"] += 0 < len(expected) < mentions
            counted["found"] += len(expected)

        agree()
    return {"seed": number, "stores": [store.dialect for store in opened], **counted, "examples": shown[:10],
            "seconds": round(time.perf_counter() - started, 1)}


@contextmanager
def stores() -> Iterator[list[Store]]:
    """A fresh SQLite store, and one of PostgreSQL where there is a server."""
    with ExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory())
        urls = [f"sqlite:///{Path(folder) / 'escucha.db'}", opened.enter_context(postgres_server())]
        found = [open_store(url, "NORMAL") for url in urls if url]
        for store in found:
            opened.callback(store.close)
            migrate(store)
            if store.dialect == "postgresql":
                emptied(store)
        yield found


if __name__ == "__main__":
    main()
