"""The database loses no update, waits its turn, and refuses what it does not know."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from escucha.errors import ConfigError, TryLater
from store.engine import Store, open_store
from store.schema import migrate


def test_sqlite_is_opened_as_measured_to_be_safe(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}")
    with store.write() as session:
        settings = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_a_failed_unit_leaves_nothing_behind(store: Store) -> None:
    def half() -> None:
        with store.write() as session:
            session.execute(text("INSERT INTO author (source, key, handle) VALUES ('x', 'a', 'a')"))
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        half()
    with store.read() as session:
        assert session.scalar(text("SELECT count(*) FROM author")) == 0


def test_a_reader_sees_one_moment_while_a_writer_goes_on(sqlite_store: Store) -> None:
    insert = text("INSERT INTO author (source, key, handle) VALUES ('x', :key, 'a')")
    count = text("SELECT count(*) FROM author")
    with sqlite_store.read() as reading:
        assert reading.scalar(count) == 0
        with sqlite_store.write() as writing:
            writing.execute(insert, {"key": "a"})
        assert reading.scalar(count) == 0
    with sqlite_store.read() as reading:
        assert reading.scalar(count) == 1


def test_a_busy_database_is_explained_after_a_wait(tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    store = Store(f"sqlite:///{path}", busy_ms=50)
    migrate(store)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TryLater, match="busy with another process"), store.write():
        pytest.fail("the lock was held")
    other.execute("COMMIT")
    with store.write() as session:
        assert session.scalar(text("SELECT count(*) FROM brand")) == 0
    other.close()


def test_migrating_twice_changes_nothing(store: Store) -> None:
    assert migrate(store) is False


def test_a_database_of_a_newer_version_is_left_alone(sqlite_store: Store) -> None:
    with sqlite_store.connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="newer version of Escucha"):
        migrate(sqlite_store)


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE invoices (id INTEGER)")
    with pytest.raises(ConfigError, match="other data"):
        migrate(open_store(f"sqlite:///{path}"))


@pytest.mark.parametrize("content", [b"not a database at all, but some text that is long enough", b"\x00" * 4096])
def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "junk.db"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="damaged or is no database"):
        migrate(open_store(f"sqlite:///{path}"))
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("url", "says"), [("nonsense", "cannot be read"), ("mysql://x/y", "SQLite or PostgreSQL, not in mysql")]
)
def test_an_address_we_do_not_speak_is_refused(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        open_store(url)


def test_a_server_that_is_down_is_explained_without_its_password() -> None:
    store = open_store("postgresql+psycopg://ana:s3cr3t@127.0.0.1:9/none")
    with pytest.raises(TryLater, match="does not answer") as caught, store.read() as session:
        session.scalar(text("SELECT 1"))
    assert "s3cr3t" not in str(caught.value)
