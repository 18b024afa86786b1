"""Whether PostgreSQL has room for all the locks that a parted table takes: one for each part and index a question."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

CONNECTIONS = 20
"""That one Escucha opens at the most (SQLAlchemy's pool)."""
TAKEN = """
SELECT count(*) FROM pg_class WHERE oid IN (
    SELECT relid FROM pg_partition_tree('mention')
    UNION SELECT indexrelid FROM pg_index WHERE indrelid IN (SELECT relid FROM pg_partition_tree('mention')))
"""
EACH = "max_locks_per_transaction"
ROOM = "SELECT current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int"


@dataclass(frozen=True, slots=True, kw_only=True)
class Locks:
    """The setting `max_locks_per_transaction`: how it is, and what it must be for what Escucha may take at once."""

    setting: int
    needed: int

    @property
    def suffice(self) -> bool:
        """Whether there is room."""
        return self.setting >= self.needed


def of(connection: Connection) -> Locks:
    """As the table is now."""
    taken, room = (connection.execute(text(query)).scalar_one() for query in (TAKEN, ROOM))
    return Locks(setting=int(connection.exec_driver_sql(f"SHOW {EACH}").scalar_one()), needed=needed(taken, room))


def needed(taken: int, room: int) -> int:
    """What the setting must be for `CONNECTIONS` transactions that take so many locks each.

    PostgreSQL has room for the setting times `room`, the transactions that it admits; twice of it where several lock
    the same, as they do here.
    """
    return -(-CONNECTIONS * taken // (2 * room))
