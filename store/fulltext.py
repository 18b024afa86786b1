"""The full-text index of mentions: FTS5 on SQLite, GIN on PostgreSQL, both over the words that escucha.words cuts.

A row of the FTS5 table is a mention's `seek`, so that its newest matches come first without sorting. What is put in
must be taken out word for word. PostgreSQL keeps its index by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

MAKE = {
    "sqlite": (
        # ascii: letters beyond ASCII are letters, as escucha.words has folded and parted them already
        # columnsize: nobody asks how long a text is (bm25 does), and a row for each would be kept
        "CREATE VIRTUAL TABLE mention_words USING fts5(words, content='mention', content_rowid='seek', columnsize=0, "
        "tokenize=\"ascii tokenchars '_'\")",
    ),
    "postgresql": (
        "CREATE INDEX ix_mention_words ON mention USING gin (array_to_tsvector(string_to_array(words, ' ')))",
    ),
}
DROP = {
    "sqlite": ("DROP TABLE mention_words",),
    "postgresql": ("DROP INDEX ix_mention_words",),
}
PARTS = """
SELECT pg_class.oid::regclass::text FROM pg_class LEFT JOIN pg_inherits ON inhrelid = pg_class.oid
WHERE relkind = 'i' AND to_regclass('ix_mention_words') IN (pg_class.oid, inhparent)
"""
"""PostgreSQL's index, or its parts where the mentions are parted (store.partitions)."""
Entry = tuple[int, str]
"""A mention's `seek` and `words`."""


def put(connection: Connection, entries: Sequence[Entry]) -> None:
    """Put mentions in. They are sorted first: FTS5 writes a segment whenever a row is not after the one before."""
    if entries and connection.dialect.name == "sqlite":
        connection.exec_driver_sql("INSERT INTO mention_words (rowid, words) VALUES (?, ?)", sorted(entries))


def take(connection: Connection, entries: Sequence[Entry]) -> None:
    """Take mentions out, as they were put in."""
    if entries and connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "INSERT INTO mention_words (mention_words, rowid, words) VALUES ('delete', ?, ?)", sorted(entries)
        )


def rebuild(connection: Connection) -> None:
    """Make the index anew from the mentions."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("INSERT INTO mention_words (mention_words) VALUES ('rebuild')")
        return
    for index in connection.execute(text(PARTS)).scalars().all():
        connection.exec_driver_sql(f"REINDEX INDEX {index}")


def check(connection: Connection) -> None:
    """Compare the index with the mentions. Raises sqlalchemy.exc.DatabaseError where they differ (SQLite)."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("INSERT INTO mention_words (mention_words, rank) VALUES ('integrity-check', 1)")
