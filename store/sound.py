"""Looks through a SQLite database's file: whether it is whole and of one moment, and how much is in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from escucha.errors import ConfigError
from store.engine import explained
from store.tables import Base


def counts(path: Path) -> Mapping[str, int]:
    """How many rows each table has, once every page, index and foreign key has been looked at; nobody may write to it.

    Raises:
        ConfigError: the file is damaged, or was copied while somebody wrote to it.
    """
    with explained(), closing(sqlite3.connect(path, isolation_level=None)) as database:
        said = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if said != "ok":
            raise _damaged(path, said.splitlines()[-1])
        if (astray := database.execute("PRAGMA foreign_key_check").fetchone()) is not None:
            raise _damaged(path, f"{astray[0]} {astray[1]} → {astray[2]}")
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        ours = [table.name for table in Base.metadata.sorted_tables if table.name in names]
        return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in ours}  # noqa: S608


def _damaged(path: Path, reason: str) -> ConfigError:
    return ConfigError("The database in {file} is damaged ({reason}). Use a backup from before.", file=path.name,
                       reason=reason)
