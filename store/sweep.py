"""Makes what was deleted vanish from the database's files too, not only from its tables."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from store import months, partitions
from store.engine import Store
from store.tables import Base

PAGES = 500
"""Pages of the full-text index that are merged in one go, about a third of a second: others write in between."""
WORDS = "ix_mention_words"
BROKEN_OFF = """
SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE NOT indisvalid AND relname LIKE '%\\_ccnew%' AND indrelid::regclass::text LIKE 'mention%'
"""
"""What an index that was to be built anew leaves behind."""
PATIENCE = "60s"
"""How long PostgreSQL waits for transactions that still read the old index."""


def sweep(store: Store) -> bool:
    """Overwrite what was deleted; False where a reader stood in the way: then sweep again later.

    SQLite overwrites deleted rows at once (`secure_delete`), but its full-text index keeps deleted words until its
    segments are merged, and its log keeps pages until it is emptied. PostgreSQL keeps deleted rows until they are
    vacuumed, their words in the index until it is built anew, and samples of columns in its statistics.
    """
    if store.dialect == "sqlite":
        _merge(store)
        return store.checkpoint()
    return _vacuum(store)


def _merge(store: Store) -> None:
    """Bring the full-text index into one segment, step by step: merging into the oldest drops deleted words."""
    pages = -PAGES  # the first step says that all segments are meant
    while True:
        with store.connect() as connection:
            before = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
            connection.exec_driver_sql("INSERT INTO mention_words (mention_words, rank) VALUES ('merge', ?)", (pages,))
            changes = connection.exec_driver_sql("SELECT total_changes()").scalar_one() - before
        if changes < 2:  # the statement itself counts as one
            return
        pages = PAGES


def _vacuum(store: Store) -> bool:
    """Vacuum what rows were deleted from, and build the index of words anew beside the one in use: where the mentions
    are parted, that of the parts from which any have gone."""
    with store.own_connection() as connection:
        parted = partitions.parted(connection)
        notes, indexes = months.unswept(connection) if parted else ([], [WORDS])
        for name in (*Base.metadata.tables, *(partitions.BESIDE if parted else ())):
            connection.exec_driver_sql(f"VACUUM (ANALYZE) {name}")
        for index in connection.execute(text(BROKEN_OFF)).scalars().all():
            connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY {index}")
        connection.exec_driver_sql(f"SET lock_timeout = '{PATIENCE}'")
        try:
            for index in indexes:
                connection.exec_driver_sql(f"REINDEX INDEX CONCURRENTLY {index}")
        except OperationalError:
            return False
        finally:
            connection.exec_driver_sql("RESET lock_timeout")
        if parted:
            months.swept(connection, notes)
    return True
