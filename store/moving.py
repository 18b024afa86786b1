"""Moves everything from one database to another, to PostgreSQL or back, and shows that all of it arrived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, func, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from escucha.errors import ConfigError, Conflict, Invalid, NotFound
from store import cargo, fulltext, leader, months, partitions, rollups, schema, swap
from store.cargo import Told, unheard
from store.engine import Store, open_store
from store.tables import Base


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How many rows of each table arrived, and how many cells of the roll-ups were off and counted anew."""

    rows: Mapping[str, int]
    recounted: int = 0


def move(source: str, target: str, told: Told = unheard, parted: datetime | None = None) -> Moved:
    """Copy a database into an empty one and compare both; the source is only read.

    The target gets everything in one transaction (PostgreSQL) or one rename of a file (SQLite): whatever is killed,
    it holds all or nothing. `parted`: now, where it shall have monthly partitions (store.partitions).

    Raises:
        NotFound: there is no database at the source.
        Conflict: the target holds data, Escucha is running on either, or what arrived is not what was sent.
        ConfigError: the source is of another version.
        Invalid: both are the same, or the target does not take a row.
    """
    if make_url(source) == make_url(target):
        raise Invalid("Both addresses name the same database.")
    with _opened(source) as giver, _receiver(target) as taker, taker.connect() as into, giver.read() as session:
        _same_shape(session.connection())
        tables = Base.metadata.sorted_tables
        _empty(into, tables)
        if parted:
            _part(session.connection(), into, parted)
        sent = _copied(session.connection(), into, tables, told)
        _compared(into, tables, sent)
        recounted = _checked(into)
    return Moved(rows={name: digest.rows for name, digest in sent.items()}, recounted=recounted)


@contextmanager
def quiet(store: Store) -> Iterator[None]:
    """A database on which no Escucha keeps the clock, and none starts to meanwhile. Raises Conflict where one does."""
    lead = leader.candidate(store)
    if not lead.leads():
        with store.read() as session:
            session.execute(text("SELECT 1"))  # says what is wrong, if that is why nobody can lead
        raise Conflict("Escucha is running with this database ({where}). Stop it first.", where=shown(store.url))
    try:
        yield
    finally:
        lead.resign()


def shown(url: str) -> str:
    """A database's address without its password."""
    return make_url(url).render_as_string(hide_password=True)


@contextmanager
def _opened(url: str) -> Iterator[Store]:
    store = open_store(url)
    file = swap.file_of(url) if store.dialect == "sqlite" else None
    if file is not None and not file.exists():
        raise NotFound("There is no database at {where}.", where=str(file))
    with closing(store), quiet(store):
        yield store


@contextmanager
def _receiver(url: str) -> Iterator[Store]:
    """The store to write into; SQLite's is a draft beside its file, and takes its place when all is well."""
    if make_url(url).get_backend_name() == "postgresql":
        with _opened(url) as store:
            yield store
        return
    file = swap.file_of(url)
    if file.exists() and file.stat().st_size:
        raise Conflict("{where} holds data already. Choose an empty database.", where=str(file))
    with quiet(open_store(url)), swap.draft(file) as draft:
        with closing(open_store(f"sqlite:///{draft}", "NORMAL")) as store:
            yield store
        swap.settled(draft)
        swap.into_place(draft, file)


def _same_shape(connection: Connection) -> None:
    if schema.revision(connection) != schema.head():
        raise ConfigError("The database to move is not of this version of Escucha. Start this version on it once: that "
                          "brings it up to date.")


def _empty(into: Connection, tables: list[Table]) -> None:
    """Make the tables where there are none, and see that no row is in them."""
    schema.upgrade(into)
    there = set(inspect(into).get_table_names())
    for table in tables:
        if table.name in there and into.execute(select(text("1")).select_from(table).limit(1)).first():
            raise Conflict("{where} holds data already. Choose an empty database.",
                           where=into.engine.url.render_as_string(hide_password=True))


def _part(source: Connection, into: Connection, now: datetime) -> None:
    """Part the empty target into the months that the source has."""
    if partitions.parted(into):
        partitions.join(into)
    partitions.part(into, months.wanted(months.counted(source), now))


def _copied(source: Connection, into: Connection, tables: list[Table], told: Told) -> dict[str, cargo.Digest]:
    sent = {table.name: cargo.Digest() for table in tables}
    with cargo.without_indexes(into, sent), partitions.filling(into):
        for table in tables:
            with closing(cargo.rows(source, table)) as batches:
                counted = sent[table.name].through(batches)
                cargo.load(into, table, _told(table.name, counted, _count(source, table), told))
    cargo.number_on(into, tables)
    if into.dialect.name == "sqlite":  # PostgreSQL's has just been made
        fulltext.rebuild(into)
    return sent


def _count(source: Connection, table: Table) -> int:
    return source.execute(select(func.count()).select_from(table)).scalar_one()


def _told(name: str, batches: Iterator[Sequence[cargo.Row]], total: int, told: Told) -> Iterator[Sequence[cargo.Row]]:
    done = 0
    for batch in batches:
        yield batch
        told(name, done := done + len(batch), total)


def _compared(into: Connection, tables: list[Table], sent: Mapping[str, cargo.Digest]) -> None:
    """Read everything again where it arrived."""
    for table in tables:
        arrived = cargo.Digest()
        for _ in arrived.through(cargo.rows(into, table)):
            pass
        if arrived != sent[table.name]:
            raise Conflict("What arrived in the table {table} is not what was sent ({sent} rows, {arrived} arrived). "
                           "Nothing was moved.", table=table.name, sent=sent[table.name].rows, arrived=arrived.rows)


def _checked(into: Connection) -> int:
    """See that the full-text index is there and the roll-ups are right; how many of their cells were not."""
    fulltext.check(into)
    if into.dialect.name == "postgresql":
        valid = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_mention_words')")
        if not into.execute(valid).scalar():
            raise Conflict("The full-text index could not be made. Nothing was moved.")
    with Session(into, join_transaction_mode="create_savepoint") as session:
        wrong = len(rollups.verify(session))
        if wrong:
            rollups.rebuild(session)
            session.commit()
    return wrong
