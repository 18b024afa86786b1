"""Brings a database to this version's shape, wholly or not at all."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from escucha.errors import ConfigError
from store.engine import Store


def migrate(store: Store) -> bool:
    """Create or upgrade the tables in one transaction; True if anything changed.

    Raises:
        ConfigError: the database was made by a newer version, or holds something else than Escucha's data.
    """
    with store.connect() as connection:
        if store.dialect == "postgresql":  # SQLite's write lock does the same
            connection.execute(text("SELECT pg_advisory_xact_lock(727305)"))
        current, head = _current(connection), _head()
        if current == head:
            return False
        _refuse_strangers(connection, current)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return True


def _refuse_strangers(connection: Connection, current: str | None) -> None:
    if current is None:
        if set(inspect(connection).get_table_names()) - {"alembic_version"}:
            raise ConfigError("This database holds other data than Escucha's. Choose an empty one.")
    elif current not in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}:
        raise ConfigError("This database was made by a newer version of Escucha ({revision}). Update Escucha; "
                          "nothing was changed.", revision=current)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _head() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
