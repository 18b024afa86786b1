"""C1: a collector that is killed while it saves. Its upstream says what is known, so what must be stored is too."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from sqlalchemy import func, select
from sqlalchemy.exc import DatabaseError

from escucha.brand import Query
from escucha.errors import ConfigError
from escucha.mention import Author, Engagement, Mention
from pipeline.collect import save, settle
from pipeline.pull import Haul
from store import brands, fulltext, rollups, watches
from store.engine import Store
from store.mentions import Saved
from store.tables import MentionRow, RunRow
from store.watches import Ledger
from tests import make
from tests.pipeline.killing import NOT_ASKED, integrity, ledger_violations
from tests.store.crashes.nursery import AIMS, Nursery, Told, kill
from tests.store.crashes.tally import Tally

PAGE = 12
"""New items on a page; five more were told before: one edited, one with more likes, one that may have been deleted."""
SPACING = timedelta(minutes=53)
START = make.NOW - timedelta(days=300)
SOURCE = "mastodon"
GAP = 0.005
"""Seconds between the two transactions of a planted fault."""


def kill_cycles(
    store: Store, nursery: Nursery, cycles: int, *, seed: int = 7, every: int = 25, until: str = "",
    work: str = "step", aims: Sequence[str | None] = AIMS,
) -> Tally:
    """C1: kill a collecting child so many times; check all after `every` so many, until the fault `until` is found."""
    dice, tally, begun = random.Random(seed), Tally(), time.monotonic()
    prepare(store)
    children = nursery.children(store.url, f"{__name__}:{work}")
    for cycle in range(1, cycles + 1):
        death = kill(children, tally, dice, aims=aims)
        tally.faults["acknowledged and lost"] += int(pages_read(store) < death.told)
        if cycle % every == 0 or cycle == cycles:
            check(store, tally)
            if tally.faults[until]:
                break
    tally.seconds = round(time.monotonic() - begun, 1)
    return tally


def prepare(store: Store, listening: int = 1) -> list[int]:
    """Brands, each with a watch of its own; their numbers."""
    numbers = []
    with store.write() as session:
        for place in range(1, listening + 1):
            brand = brands.add(session, make.brand(f"lumbre{place}", timezone="America/Bogota"))
            numbers.append(watches.add(session, brand.id or 0, SOURCE, Query(text="lumbre"), 60, START).id)
    return numbers


def step(store: Store, order: dict[str, Any], told: Told) -> bool:
    """Read one more page, and save it as the collector does."""
    watch_id = order.get("watch", 1)
    with store.read() as session:
        watch = watches.get(session, watch_id)
        brand = brands.by_id(session, watch.brand_id)
    number = (watch.cursor or {"pages": 0})["pages"]
    haul = page(number, order.get("weight", 0), watch_id)
    settle(store, watch, brand, haul, moment(number), random.Random(number))
    told(number + 1)
    return True


def page(number: int, weight: int = 0, watch: int = 1) -> Haul:
    """What a watch's upstream says on a page: new items, and some it told before. `weight` more bytes an item."""
    first = number * PAGE
    again = [(first - 3, 0), (first - 5, 0), (first - 7, 1), (first - 32, 0)]
    told = [item(watch, k, 0, weight) for k in range(first, first + PAGE)]
    told += [item(watch, k, edit, weight, likes=3 + (k % PAGE == 7)) for k, edit in again if k >= 0]
    gone = (identity(watch, first - 20),) if number % 3 == 0 and first >= 20 else ()
    return Haul(mentions=tuple(told), gone=gone, cursor={"pages": number + 1}, more=True)


def item(watch: int, k: int, edit: int, weight: int, likes: int = 3) -> Mention:
    """One item as it was first told, or after its edit."""
    return replace(
        make.mention(identity(watch, k), said(k, edit)), created_at=START + k * SPACING,
        author=Author(id=f"a{k % 7}", handle=f"@a{k % 7}", followers=k % 7 * 10),
        engagement=Engagement(likes=likes, comments=1, shares=0), raw={"more": "x" * weight} if weight else None,
    )


def identity(watch: int, k: int) -> str:
    """What a watch's upstream calls an item."""
    return f"post-{watch}-{k}"


def said(k: int, edit: int) -> str:
    """An item's text."""
    return f"El café número {k} llegó frío" if not edit else f"Corrijo: el café número {k} sí llegó caliente"


def moment(number: int) -> datetime:
    """When a page is read."""
    return START + (number + 1) * PAGE * SPACING


def expected(pages: int, watch: int = 1) -> dict[str, str]:
    """What a watch must have stored when so many pages have been read."""
    found = {}
    for k in range(pages * PAGE):
        edited = k % PAGE == 5 and (k + 7) // PAGE < pages
        gone = k % PAGE == 4 and (k + 20) // PAGE < pages and (k + 20) // PAGE % 3 == 0
        if not gone:
            found[identity(watch, k)] = said(k, int(edited))
    return found


def pages_read(store: Store, watch_id: int = 1) -> int:
    """How far a watch's cursor says that it got."""
    with store.read() as session:
        return int((watches.get(session, watch_id).cursor or {"pages": 0})["pages"])


def check(store: Store, tally: Tally) -> None:
    """Compare a store at rest with what its upstream has told, its ledger, its roll-ups and its full text."""
    tally.checks += 1
    with store.read() as session:
        for watch in watches.all_watches(session):
            pages = int((watch.cursor or {"pages": 0})["pages"])
            query = select(MentionRow.source_id, MentionRow.text).where(MentionRow.watch_id == watch.id)
            rows, due = [(row[0], row[1]) for row in session.execute(query)], expected(pages, watch.id)
            stored = dict(rows)
            lines = session.scalar(select(func.count(RunRow.id)).where(RunRow.watch_id == watch.id)) or 0
            tally.faults += Counter({
                "lost": len(due.keys() - stored.keys()), "not yet told": len(stored.keys() - due.keys()),
                "repeated": len(rows) - len(stored), "lines": abs(lines - pages),
                "other text": sum(stored[name] != due[name] for name in due.keys() & stored.keys()),
            })
        tally.rows = session.scalar(select(func.count(MentionRow.id))) or 0
        tally.faults += Counter({
            "roll-ups": len(rollups.verify(session)), "ledger": ledger_violations(session),
            "integrity": int(integrity(session, store) not in ("ok", NOT_ASKED)),
        })
    tally.faults["full text"] += wrong_words(store)


def wrong_words(store: Store) -> int:
    """1 where the full-text index is not that of the mentions."""
    try:
        with store.connect() as connection:
            fulltext.check(connection)
    except (DatabaseError, ConfigError):
        return 1
    return 0


def cursor_first(store: Store, order: dict[str, Any], told: Told) -> bool:
    """The planted fault of a collector that moves on before it has saved what it heard."""
    with store.read() as session:
        watch = watches.get(session, 1)
        brand = brands.by_id(session, watch.brand_id)
    number = (watch.cursor or {"pages": 0})["pages"]
    with store.write() as session:
        watches.settle(session, watch, Ledger(saved=Saved()), now=START, next_at=START, pace=60, failures=0,
                       state="active", cursor={"pages": number + 1})
    time.sleep(GAP)
    with store.write() as session:
        save(session, watch, brand, page(number, order.get("weight", 0)), moment(number))
    return True


def rollups_apart(store: Store, order: dict[str, Any], told: Told) -> bool:
    """The planted fault of roll-ups that are written in a transaction of their own."""
    with put_off(rollups.Delta, "write") as (write, calls):
        step(store, order, told)
    time.sleep(GAP)
    with store.write() as session:
        for delta, _ in calls:
            write(delta, session)
    return True


def words_apart(store: Store, order: dict[str, Any], told: Told) -> bool:
    """The planted fault of a full-text index that is written in a transaction of its own."""
    with put_off(fulltext, "put") as (put, calls):
        step(store, order, told)
    time.sleep(GAP)
    with store.connect() as connection:
        for _, entries in calls:
            put(connection, entries)
    return True


@contextmanager
def put_off(owner: Any, name: str) -> Iterator[tuple[Callable[..., Any], list[tuple[Any, ...]]]]:
    """For planted faults: a function that only notes how it was called, the function itself, and those calls."""
    calls: list[tuple[Any, ...]] = []
    function = getattr(owner, name)
    with mock.patch.object(owner, name, lambda *given: calls.append(given)):
        yield function, calls
