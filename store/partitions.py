"""Parts the table of mentions by month on PostgreSQL, for a store that asks for it, and makes it one table again.

The rest of Escucha does not notice. A parted table can keep unique only what holds the column that parts it. So each
part has the keys of the whole, and a table beside them, `identity`, keeps between them what makes a mention one of its
kind: its number, and its source's number once a brand. Triggers write it with every mention, and what hangs on a
mention rests on it. They also note in `unswept` from which months mentions have gone, so that a sweep (store.sweep)
need not build the index of words of the others anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from escucha.errors import Conflict, Invalid
from store import months
from store.cargo import MEMORY, Told, unheard

MENTION, IDENTITY, UNSWEPT = "mention", "identity", "unswept"
BESIDE = (IDENTITY, UNSWEPT)
"""The tables that are there only while the mentions are parted."""
FORMER = "mention_former"
"""The table's name while what is in it goes into the one that takes its place."""
STEP = 50_000
"""Mentions that are carried over by one statement."""
PATIENCE = "5s"
INDEXES = """
SELECT replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = 'mention'::regclass
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u')) ORDER BY relname
"""
UNIQUE = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'u' AND conrelid = to_regclass(:keeper)
"""
OUTWARD = """
SELECT format('ALTER TABLE mention ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
WHERE contype = 'f' AND conrelid = 'mention'::regclass ORDER BY conname
"""
INWARD = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND confrelid = to_regclass(:keeper) ORDER BY conname
"""
TRIGGERS = """
CREATE OR REPLACE FUNCTION mention_heard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO identity (id, source, source_id, brand_id) SELECT id, source, source_id, brand_id FROM fresh;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION mention_renamed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE identity SET id = NEW.id, source = NEW.source, source_id = NEW.source_id, brand_id = NEW.brand_id
    WHERE id = OLD.id;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION mention_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    DELETE FROM identity USING gone WHERE identity.id = gone.id;
    INSERT INTO unswept (month)
    SELECT DISTINCT date_trunc('month', to_timestamp(seek >> 30) AT TIME ZONE 'UTC')::date FROM gone;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION mention_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO unswept (month)
    VALUES (date_trunc('month', to_timestamp(OLD.seek >> 30) AT TIME ZONE 'UTC')::date);
    RETURN NEW;
END $$;
CREATE TRIGGER mention_heard AFTER INSERT ON mention REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION mention_heard();
CREATE TRIGGER mention_renamed BEFORE UPDATE OF id, source, source_id, brand_id ON mention
    FOR EACH ROW EXECUTE FUNCTION mention_renamed();
CREATE TRIGGER mention_moved BEFORE UPDATE OF seek ON mention
    FOR EACH ROW WHEN (OLD.seek <> NEW.seek) EXECUTE FUNCTION mention_moved();
CREATE TRIGGER mention_gone AFTER DELETE ON mention REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION mention_gone();
"""
FUNCTIONS = "mention_heard, mention_renamed, mention_moved, mention_gone"
PLANS = "plan_cache_mode"
"""PostgreSQL's setting for this role and database: a plan that is kept from when a part was empty reads all of it each
time, until the part is analysed. So every question is planned anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hung:
    """What hangs on the table, as the catalogue has it: whoever adds an index need not tell this module.

    `unique` is the key (name, definition); `inward` are the foreign keys of others (table, name, definition).
    """

    unique: tuple[str, str]
    indexes: Sequence[str]
    outward: Sequence[str]
    inward: Sequence[tuple[str, str, str]]


def parted(connection: Connection) -> bool:
    """Whether the table of mentions is parted."""
    if connection.dialect.name == "sqlite":
        return False
    kind = text("SELECT relkind FROM pg_class WHERE oid = to_regclass('mention')")
    return connection.execute(kind).scalar() == "p"


def keeper(connection: Connection) -> str:
    """The table whose `id` a foreign key to mentions names: a migration that makes one asks for it."""
    return IDENTITY if parted(connection) else MENTION


def refuse_sqlite(connection: Connection) -> None:
    """Raise Invalid for a database that has no partitions."""
    if connection.dialect.name == "sqlite":
        raise Invalid("Monthly partitions are PostgreSQL's. `escucha migrate-store` moves this database there.")


def part(connection: Connection, wanted: Collection[date], told: Told = unheard) -> None:
    """Part the table into these months and one for the rest, in the caller's transaction. Nobody may use it.

    Raises:
        Invalid: it is SQLite's.
        Conflict: it is parted already.
    """
    refuse_sqlite(connection)
    if parted(connection):
        raise Conflict("The mentions are in monthly partitions already. `escucha partitions show` lists them.")
    hung = _set_aside(connection, MENTION)
    _run(connection, [f"CREATE TABLE {MENTION} (LIKE {FORMER} INCLUDING ALL EXCLUDING INDEXES) "
                      "PARTITION BY RANGE (seek)"])
    within = {months.name(month): "FOR VALUES FROM ({}) TO ({})".format(*months.bounds(month)) for month in wanted}
    within[months.REST] = "DEFAULT"
    _run(connection, [f"CREATE TABLE {name} PARTITION OF {MENTION} {bounds}" for name, bounds in within.items()])
    _carry(connection, told)
    _run(connection, [f"ALTER TABLE {name} ADD PRIMARY KEY (id), ADD {hung.unique[1]}" for name in within])
    _run(connection, [*hung.indexes, *hung.outward])
    _identify(connection, hung.unique)
    _run(connection, [f"CREATE TABLE {UNSWEPT} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, month date)"])
    _run(connection, [TRIGGERS, *_pointing(hung, IDENTITY), f"ANALYZE {MENTION}", f"ANALYZE {IDENTITY}"])
    _plan(connection, f"SET {PLANS} = force_custom_plan")


def join(connection: Connection, told: Told = unheard) -> None:
    """Make the parted table one again, in the caller's transaction. Nobody may use it.

    Raises:
        Invalid: it is SQLite's.
        Conflict: it is not parted.
    """
    refuse_sqlite(connection)
    if not parted(connection):
        raise Conflict("The mentions are not in monthly partitions.")
    hung = _set_aside(connection, IDENTITY)
    _run(connection, [f"CREATE TABLE {MENTION} (LIKE {FORMER} INCLUDING ALL EXCLUDING INDEXES)"])
    _carry(connection, told)
    key, definition = hung.unique
    clear(connection)
    _run(connection, [
        f"ALTER TABLE {MENTION} ADD CONSTRAINT pk_mention PRIMARY KEY (id)",
        f'ALTER TABLE {MENTION} ADD CONSTRAINT "{key}" {definition}', *hung.indexes, *hung.outward,
        *_pointing(hung, MENTION), f"ANALYZE {MENTION}",
    ])


def clear(connection: Connection) -> None:
    """Take away what stood beside a parted table that has gone."""
    _run(connection, [f"DROP TABLE {', '.join(BESIDE)}", f"DROP FUNCTION {FUNCTIONS}"])
    _plan(connection, f"RESET {PLANS}")


@contextmanager
def filling(connection: Connection) -> Iterator[None]:
    """Within it the empty table takes rows without a word to `identity`, which is made at the end: far sooner done.

    Foreign keys to mentions are away meanwhile (store.cargo.without_indexes).
    """
    if not parted(connection):
        yield
        return
    unique = _unique(connection, IDENTITY)
    _run(connection, [f"DROP TABLE {IDENTITY}", f"ALTER TABLE {MENTION} DISABLE TRIGGER USER"])
    yield
    _identify(connection, unique)
    _run(connection, [f"ALTER TABLE {MENTION} ENABLE TRIGGER USER"])


def _set_aside(connection: Connection, keeper: str) -> _Hung:
    """Give the table its former name, with nothing that points at it; what hung on it."""
    _run(connection, [f"SET LOCAL lock_timeout = '{PATIENCE}'", f"LOCK TABLE {MENTION} IN ACCESS EXCLUSIVE MODE",
                      f"SET LOCAL maintenance_work_mem = '{MEMORY}'"])
    given = {"keeper": keeper}
    hung = _Hung(
        unique=_unique(connection, keeper),
        indexes=connection.execute(text(INDEXES)).scalars().all(),
        outward=connection.execute(text(OUTWARD)).scalars().all(),
        inward=[(table, name, rule) for table, name, rule in connection.execute(text(INWARD), given)],
    )
    _run(connection, [f"ALTER TABLE {table} DROP CONSTRAINT {name}" for table, name, _ in hung.inward])
    _run(connection, [f"ALTER TABLE {MENTION} RENAME TO {FORMER}"])
    return hung


def _carry(connection: Connection, told: Told) -> None:
    """Put all rows into the new table, hand it the numbers, and let the former one go."""
    first, last = connection.exec_driver_sql(f"SELECT min(id), max(id) FROM {FORMER}").one()  # noqa: S608
    for low in range(first, last + 1, STEP) if first is not None else ():
        _run(connection, [f"INSERT INTO {MENTION} SELECT * FROM {FORMER} WHERE id >= {low} AND id < {low + STEP}"])  # noqa: S608
        told(MENTION, min(low + STEP, last + 1) - first, last + 1 - first)
    numbers = connection.exec_driver_sql(f"SELECT pg_get_serial_sequence('{FORMER}', 'id')").scalar()
    _run(connection, [f"ALTER SEQUENCE {numbers} OWNED BY {MENTION}.id", f"DROP TABLE {FORMER}"])


def _identify(connection: Connection, unique: tuple[str, str]) -> None:
    name, definition = unique
    _run(connection, [
        f"CREATE TABLE {IDENTITY} AS SELECT id, source, source_id, brand_id FROM {MENTION}",  # noqa: S608
        f"ALTER TABLE {IDENTITY} ADD CONSTRAINT pk_identity PRIMARY KEY (id)",
        f'ALTER TABLE {IDENTITY} ADD CONSTRAINT "{name}" {definition}',
    ])


def _unique(connection: Connection, keeper: str) -> tuple[str, str]:
    name, definition = connection.execute(text(UNIQUE), {"keeper": keeper}).one()
    return name, definition


def _pointing(hung: _Hung, keeper: str) -> Iterator[str]:
    """The foreign keys of others, to `keeper` now."""
    for table, name, rule in hung.inward:
        before, _, after = rule.partition(" REFERENCES ")
        yield f"ALTER TABLE {table} ADD CONSTRAINT {name} {before} REFERENCES {keeper}{after[after.index('('):]}"


def _plan(connection: Connection, how: str) -> None:
    database = connection.exec_driver_sql("SELECT quote_ident(current_database())").scalar()
    _run(connection, [f"ALTER ROLE CURRENT_USER IN DATABASE {database} {how}"])


def _run(connection: Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)
