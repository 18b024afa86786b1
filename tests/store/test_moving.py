"""A store that is moved arrives whole, row by row, or not at all."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, inspect, select, text

from escucha.errors import ConfigError, Conflict, Invalid, NotFound
from store import brands, leader, mentions, moving, rollups
from store.engine import Store, open_store
from store.schema import migrate
from store.tables import MentionRow
from tests import make
from tests.postgres import postgres_server
from tests.store.killed import KILLS, killed
from tests.store.stocked import contents, stock


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of PostgreSQL's."""
    request.getfixturevalue("postgres_url")
    with postgres_server() as url:
        assert url is not None
        yield url


def test_everything_arrives_in_postgresql_and_comes_back_the_same(
    sqlite_store: Store, elsewhere: str, tmp_path: Path
) -> None:
    stock(sqlite_store)
    sent = contents(sqlite_store)
    moving.move(sqlite_store.url, elsewhere)
    with closing(open_store(elsewhere)) as there:
        assert contents(there) == sent
    back = f"sqlite:///{tmp_path / 'back.db'}"
    moving.move(elsewhere, back)
    with closing(open_store(back)) as home:
        assert contents(home) == sent
        assert migrate(home) is False


def test_a_moved_store_goes_on_where_it_was(sqlite_store: Store, elsewhere: str) -> None:
    stock(sqlite_store)
    moving.move(sqlite_store.url, elsewhere)
    with closing(open_store(elsewhere)) as there:
        with there.write() as session:
            lumbre = brands.add(session, make.brand("lumbre"))
            assert mentions.save(session, lumbre, [make.mention("new")], make.NOW).new == 1
        with there.read() as session:
            assert rollups.verify(session) == []
            assert session.scalar(select(func.max(MentionRow.id))) == 5
            assert session.scalar(text("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_mention_words'"))


def test_the_moved_database_has_every_index_and_key_of_a_new_one(
    sqlite_store: Store, elsewhere: str, postgres_url: str
) -> None:
    moving.move(sqlite_store.url, elsewhere)
    with closing(open_store(elsewhere)) as moved, closing(open_store(postgres_url)) as new:
        migrate(new)
        assert _shape(moved) == _shape(new)


def _shape(store: Store) -> list[tuple[str, ...]]:
    with store.read() as session:
        indexes = session.execute(text("SELECT indexdef, '' FROM pg_indexes WHERE schemaname = 'public'"))
        keys = session.execute(text("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"))
        return sorted(tuple(row) for row in [*indexes, *keys])


def test_the_source_is_left_as_it_is(sqlite_store: Store, elsewhere: str) -> None:
    stock(sqlite_store)
    sqlite_store.checkpoint()
    file = Path(sqlite_store.url.removeprefix("sqlite:///"))
    before = file.read_bytes()
    moving.move(sqlite_store.url, elsewhere)
    assert file.read_bytes() == before


def test_a_database_that_holds_data_is_not_moved_into(sqlite_store: Store, elsewhere: str, tmp_path: Path) -> None:
    stock(sqlite_store)
    moving.move(sqlite_store.url, elsewhere)
    with closing(open_store(elsewhere)) as there:
        held = contents(there)
        for target in (elsewhere, sqlite_store.url.replace("escucha.db", "other.db")):
            (tmp_path / "other.db").write_bytes(b"something of somebody's")
            with pytest.raises(Conflict, match="holds data already"):
                moving.move(sqlite_store.url, target)
        assert contents(there) == held
    assert (tmp_path / "other.db").read_bytes() == b"something of somebody's"


def test_a_prepared_but_empty_database_is_moved_into(sqlite_store: Store, elsewhere: str) -> None:
    stock(sqlite_store)
    with closing(open_store(elsewhere)) as there:
        migrate(there)
        moving.move(sqlite_store.url, elsewhere)
        assert contents(there) == contents(sqlite_store)


def test_a_row_that_arrives_changed_is_found_and_nothing_is_moved(sqlite_store: Store, elsewhere: str) -> None:
    """The canary: a target that spoils one character of one row."""
    stock(sqlite_store)
    with closing(open_store(elsewhere)) as there:
        migrate(there)
        with there.connect() as connection:
            connection.exec_driver_sql("""
                CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN IF NEW.id = 2 THEN NEW.text := NEW.text || '.'; END IF; RETURN NEW; END $$
            """)
            connection.exec_driver_sql(
                "CREATE TRIGGER spoil BEFORE INSERT ON mention FOR EACH ROW EXECUTE FUNCTION spoil()"
            )
        with pytest.raises(Conflict, match="table mention is not what was sent"):
            moving.move(sqlite_store.url, elsewhere)
        with there.read() as session:
            assert session.scalar(select(func.count()).select_from(MentionRow)) == 0


def test_roll_ups_that_were_off_are_counted_anew(sqlite_store: Store, elsewhere: str) -> None:
    stock(sqlite_store)
    with sqlite_store.connect() as connection:
        connection.exec_driver_sql("UPDATE tally SET n = n + 1 WHERE dimension = ''")
    assert moving.move(sqlite_store.url, elsewhere).recounted > 0
    with closing(open_store(elsewhere)) as there, there.read() as session:
        assert rollups.verify(session) == []


def test_a_row_that_postgresql_does_not_take_is_explained(sqlite_store: Store, elsewhere: str) -> None:
    stock(sqlite_store)
    with sqlite_store.connect() as connection:
        connection.exec_driver_sql("UPDATE mention SET text = 'a' || char(0) || 'b' WHERE id = 1")
    with pytest.raises(Invalid, match="row of the table mention is not taken"):
        moving.move(sqlite_store.url, elsewhere)
    with closing(open_store(elsewhere)) as there, there.read() as session:
        assert inspect(session.connection()).get_table_names() == []


def test_a_store_on_which_escucha_runs_is_not_moved(sqlite_store: Store, elsewhere: str) -> None:
    running = leader.candidate(sqlite_store)
    assert running.leads()
    with pytest.raises(Conflict, match="Escucha is running with this database"):
        moving.move(sqlite_store.url, elsewhere)
    running.resign()
    moving.move(sqlite_store.url, elsewhere)


def test_what_cannot_be_moved_is_explained(sqlite_store: Store, elsewhere: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    with pytest.raises(NotFound, match="no database at"):
        moving.move(f"sqlite:///{missing}", elsewhere)
    assert not missing.exists()
    with pytest.raises(Invalid, match="same database"):
        moving.move(sqlite_store.url, sqlite_store.url)
    with pytest.raises(Invalid, match="in a file"):
        moving.move(elsewhere, "sqlite://")
    with sqlite_store.connect() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")
    with pytest.raises(ConfigError, match="Start this version on it once"):
        moving.move(sqlite_store.url, elsewhere)


def test_a_move_that_is_killed_leaves_the_target_empty(sqlite_store: Store, elsewhere: str, tmp_path: Path) -> None:
    stock(sqlite_store)
    back = tmp_path / "back.db"
    there = open_store(elsewhere)
    begun = time.monotonic()
    moving.move(sqlite_store.url, elsewhere)
    longest_s = 1.2 * (time.monotonic() - begun)
    _emptied(there)
    for seed in range(KILLS):
        for target in (elsewhere, f"sqlite:///{back}"):
            code = killed(partial(moving.move, sqlite_store.url, target), seed, longest_s)
            assert code in (-signal.SIGKILL, 0)
        whole = contents(sqlite_store)
        with there.connect() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(727305)")  # the server has done with the dead one
            made = inspect(connection).has_table("mention")
        assert not made or contents(there) == whole
        if back.exists():
            with closing(open_store(f"sqlite:///{back}")) as home:
                assert contents(home) == whole
            back.unlink()
        _emptied(there)
    there.close()
    moving.move(sqlite_store.url, elsewhere)


def _emptied(store: Store) -> None:
    with store.connect() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
