"""C3: upgrades of a database that are killed on the way. What is left is wholly the old shape or wholly the new one."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, Table, create_engine, insert, inspect

from store import rollups, schema
from store.engine import Store, open_store
from tests import make
from tests.store.crashes import ingest
from tests.store.crashes.nursery import Children, Nursery, Told
from tests.store.crashes.tally import Tally

BATCH = 1_000
WRITERS = 100
DAYS = 28
ONES = ("brand", "watch")
"""Tables of which there is one row, that the others hang on."""
FILLED = ("brand", "watch", "author", "mention")
Shape = tuple[Any, ...]


def kill_cycles(
    folder: Path, nursery: Nursery, to: str, rows: int, cycles: int, *, seed: int = 7, work: str = "upgrade"
) -> Tally:
    """Kill an upgrade to a revision so many times, at moments spread over the time that it takes."""
    dice, tally, begun = random.Random(seed), Tally(), time.monotonic()
    old = before(folder, to, rows)
    new, whole_s, told = _undisturbed(old, nursery, to)
    file = shutil.copyfile(old, folder / "killed.db")
    children = nursery.children(f"sqlite:///{file}", f"{__name__}:{work}")
    for cycle in range(cycles):
        _kill(children, tally, dice.uniform(0, 1.1 * whole_s), to)
        seen = shape(file)
        tally.faults["half"] += int(seen not in (told, new))
        tally.figures["wholly new"] = tally.figures.get("wholly new", 0) + int(seen == new)
        if tally.faults["half"]:
            break  # nothing can go on from there
        if seen != told or cycle % 10 == 9:
            _sound(file, tally)
            _again(file, to, new, tally)
            shutil.copyfile(old, file)
    if not tally.faults["half"]:
        _again(file, to, new, tally)
    tally.rows, tally.figures["undisturbed_s"] = rows, round(whole_s, 2)
    tally.seconds = round(time.monotonic() - begun, 1)
    return tally


def revisions() -> list[str]:
    """Every shape that a database may be brought to, the oldest first."""
    scripts = ScriptDirectory.from_config(schema._config())
    return [script.revision for script in scripts.walk_revisions()][::-1]


def upgrade(store: Store, order: dict[str, Any], told: Told) -> bool:
    """Bring the database to a revision as Escucha does."""
    if "to" in order:
        with store.connect() as connection:
            schema.upgrade(connection, order["to"])
    return False


def without_hook(store: Store, order: dict[str, Any], told: Told) -> bool:
    """The planted fault of migrating on SQLAlchemy's plain engine: the driver commits before each change of shape."""
    if "to" not in order:
        return False
    with create_engine(store.url).begin() as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, order["to"])
    return False


def before(folder: Path, to: str, rows: int) -> Path:
    """A database of the revision before, with so many mentions; empty, where there is none."""
    file = folder / "old.db"
    file.unlink(missing_ok=True)
    place = revisions().index(to)
    store = open_store(f"sqlite:///{file}", "NORMAL")
    if place:
        with store.connect() as connection:
            schema.upgrade(connection, revisions()[place - 1])
        with store.connect() as connection:
            _fill(connection, rows)
    store.checkpoint()
    store.close()
    return file


def shape(file: Path) -> Shape:
    """All that tells one revision's database from another's: its tables and indexes as written, and counts."""
    with closing(sqlite3.connect(file)) as database:
        tables = database.execute("SELECT name, sql FROM sqlite_master ORDER BY name, type").fetchall()
        counts = []
        for name, sql in tables:
            if sql and sql.startswith("CREATE TABLE") and "mention_words" not in name:
                counts.append((name, database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]))
        known = any(name == "alembic_version" for name, _ in tables)
        at = database.execute("SELECT * FROM alembic_version").fetchall() if known else []
    return (*tables, *counts, *at)


def _undisturbed(old: Path, nursery: Nursery, to: str) -> tuple[Shape, float, Shape]:
    """What the upgrade comes to, the seconds it takes, and what was there before."""
    file = shutil.copyfile(old, old.with_name("new.db"))
    children = nursery.children(f"sqlite:///{file}", f"{__name__}:upgrade")
    begun = time.monotonic()
    death = children.raise_one(None, {"to": to})
    taken = time.monotonic() - begun
    assert death.ended == "by itself", death
    return shape(file), taken, shape(old)


def _kill(children: Children, tally: Tally, life: float, to: str) -> None:
    death = children.raise_one(life, {"to": to})
    assert death.ended != "badly", death
    tally.cycles += 1
    tally.crashed_while[death.phase if death.ended == "killed" else "nothing: it was done"] += 1


def _sound(file: Path, tally: Tally) -> None:
    tally.checks += 1
    with closing(sqlite3.connect(file)) as database:
        said = database.execute("PRAGMA quick_check").fetchone()[0]
        tally.faults["integrity"] += int(said != "ok" or bool(database.execute("PRAGMA foreign_key_check").fetchall()))


def _again(file: Path, to: str, new: Shape, tally: Tally) -> None:
    """The upgrade is run again, and succeeds."""
    store = open_store(f"sqlite:///{file}", "NORMAL")
    with store.connect() as connection:
        schema.upgrade(connection, to)
    if to == schema.head():
        with store.read() as session:
            tally.faults["roll-ups"] += len(rollups.verify(session))
        tally.faults["full text"] += ingest.wrong_words(store)
    store.close()
    tally.faults["upgraded otherwise"] += int(shape(file) != new)


def _fill(connection: Connection, rows: int) -> None:
    """Believable rows for whatever columns there are."""
    tables = MetaData()
    tables.reflect(connection, only=[name for name in FILLED if inspect(connection).has_table(name)])
    for name in FILLED:
        table, n = tables.tables[name], 1 if name in ONES else WRITERS if name == "author" else rows
        for start in range(1, n + 1, BATCH):
            connection.execute(insert(table), [_row(table, k) for k in range(start, min(start + BATCH, n + 1))])


def _row(table: Table, k: int) -> dict[str, Any]:
    known: dict[str, Any] = {
        "id": k, "brand_id": 1, "watch_id": 1, "author_id": k % WRITERS + 1, "slug": "lumbre", "timezone": "UTC",
        "state": "done" if table.name == "mention" else "active", "text": f"El café número {k} llegó frío #lumbre",
        "source_id": str(k), "key": str(k), "likes": k % 9, "sentiment": ("positive", "negative", "neutral")[k % 3],
        "stage": f"stage{k % 5}", "pain": f"pain{k % 6}", "lang": "es", "day": date(2026, 1, 1 + k % DAYS),
        "created_at": make.NOW.replace(month=1, day=1 + k % DAYS, tzinfo=None), "folded": f"el cafe numero {k}",
    }
    return {column.name: known.get(column.name, _some(column)) for column in table.columns
            if column.name in known or not column.nullable}


def _some(column: Column[Any]) -> Any:
    """Any value that a column takes."""
    kind = column.type.python_type
    return {str: "x", int: 1, float: 1.0, bool: False, bytes: b"x", datetime: datetime(2026, 1, 1), dict: [],  # noqa: DTZ001
            list: []}.get(kind, "x")
