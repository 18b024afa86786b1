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
        return upgrade(connection)


def upgrade(connection: Connection, to: str = "head") -> bool:
    """Create or upgrade the tables inside the caller's transaction, to a revision; True if anything changed.

    Raises:
        ConfigError: as migrate().
    """
    if connection.dialect.name == "postgresql":  # SQLite's write lock does the same
        connection.execute(text("SELECT pg_advisory_xact_lock(727305)"))
    if revision(connection) == (head() if to == "head" else to):
        return False
    refuse_strangers(connection)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    return True


def refuse_strangers(connection: Connection) -> None:
    """Raise ConfigError for a database of a newer version, or with other data than Escucha's."""
    if (current := revision(connection)) is None:
        if set(inspect(connection).get_table_names()) - {"alembic_version"}:
            raise ConfigError("This database holds other data than Escucha's. Choose an empty one.")
    elif not known(current):
        raise ConfigError("This database was made by a newer version of Escucha ({revision}). Update Escucha; "
                          "nothing was changed.", revision=current)


def revision(connection: Connection) -> str | None:
    """The shape that a database has; None: it has no tables of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """The shape that this version of Escucha works with."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def known(revision: str) -> bool:
    """Whether this version of Escucha knows a shape; one that it does not know is a newer version's."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
