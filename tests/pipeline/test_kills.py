"""A process that dies while it collects loses nothing and repeats nothing, wherever it was."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from escucha.brand import Watch
from pipeline.collect import save
from pipeline.means import Means
from pipeline.pull import Haul, Order, pull
from store import brands, watches
from store.mentions import Saved
from store.watches import Ledger
from tests.pipeline.held import KINDS, Held
from tests.pipeline.killing import SOON, Report, kill_cycles

CYCLES = 25
PATIENCE = 60
"""Cycles within which a planted fault must show."""
GAP = 0.6
"""Seconds that the planted ledger comes after its mentions: wide enough for a death on any machine to fall into it."""


def test_a_collector_that_is_killed_again_and_again_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    report = kill_cycles(f"sqlite:///{tmp_path / 'killed.db'}", tmp_path, CYCLES)
    assert (+report.faults, report.integrity) == ({}, "ok")
    assert (report.cycles, report.killed_while_running) == (CYCLES, CYCLES)
    assert report.rows > 100
    assert {told["walk"] for told in report.sources.values()} == {kind.walk for kind in KINDS}


def test_a_cursor_that_is_saved_before_its_mentions_is_found_out(tmp_path: Path) -> None:
    report = planted(tmp_path, "cursor_first", "lost")
    assert report.faults["lost"] > 0


def test_a_ledger_that_is_written_after_its_mentions_is_found_out(tmp_path: Path) -> None:
    report = planted(tmp_path, "ledger_last", "ledger", soon=GAP)
    assert report.faults["ledger"] > 0
    assert report.faults["lost"] == 0


def planted(folder: Path, name: str, fault: str, soon: float = SOON) -> Report:
    """Cycles of a collector with a planted fault, until it shows."""
    return kill_cycles(f"sqlite:///{folder / 'planted.db'}", folder, PATIENCE, every=5, until=fault,
                       soon=soon, work=f"{__name__}:{name}")


def cursor_first(means: Means, now: datetime) -> None:
    """The planted fault of a collector that moves on before it has saved what it heard."""
    found = hauls(means, now)
    for watch, haul in found:
        with means.store.write() as session:
            close(session, watch, haul, Ledger(saved=Saved()), now)
    for watch, haul in found:
        with means.store.write() as session:
            watches.write(session, watch.id, saved(session, watch, haul, now), now)


def ledger_last(means: Means, now: datetime) -> None:
    """The planted fault of a collector that saves what it heard, and writes down later how much it was."""
    ledgers = []
    for watch, haul in hauls(means, now):
        with means.store.write() as session:
            ledgers.append((watch, haul, saved(session, watch, haul, now)))
    if any(ledger.saved.new for _, _, ledger in ledgers):
        time.sleep(GAP)
    for watch, haul, ledger in ledgers:
        with means.store.write() as session:
            close(session, watch, haul, ledger, now)


def hauls(means: Means, now: datetime) -> list[tuple[Watch, Haul]]:
    """What all sources tell now, by watch."""
    with means.store.write() as session:
        due = watches.claim_due(session, now)
    orders = [Order(source=watch.source, query=watch.query, cursor=watch.cursor, web=means.web,
                    keys=means.keys[watch.source]) for watch in due]
    return list(zip(due, means.pool.map(pull, orders, [now] * len(due)), strict=True))


def saved(session: Session, watch: Watch, haul: Haul, now: datetime) -> Ledger:
    """Save what was heard."""
    return save(session, watch, brands.by_id(session, watch.brand_id), haul, now)


def close(session: Session, watch: Watch, haul: Haul, ledger: Ledger, now: datetime) -> None:
    """End a run."""
    watches.settle(session, watch, ledger, now=now, next_at=now + timedelta(minutes=1), pace=60, cursor=haul.cursor,
                   failures=0, state="active")


def test_the_comparison_sees_every_kind_of_fault(tmp_path: Path) -> None:
    held = Held(KINDS[-1], tmp_path, datetime.now(UTC) - timedelta(days=9))
    held.add(20)
    held.edit(random.Random(1))
    held.delete(random.Random(1))
    (edited,), (gone,) = held.edits, held.gone
    rows = {item: held.edits.get(item, "as it came") for item in held.fake.items}
    assert not any(held.compared(list(rows.items())).values())
    other = next(item for item in rows if item != edited)
    assert held.compared([(i, t) for i, t in rows.items() if i != other])["lost"] == 1
    assert held.compared([*rows.items(), (other, rows[other])])["repeated"] == 1
    assert held.compared(list((rows | {edited: "as it came"}).items()))["stale"] == 1
    assert held.compared([*rows.items(), ("another", "")])["never_said"] == 1
    assert held.compared([*rows.items(), (gone, "")])["kept_though_deleted"] == 1
