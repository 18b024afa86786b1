"""The store survives what kills, fills, holds and stops it; and each of these tests finds the fault it is there for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from collectors.http import WebOptions
from escucha.errors import TryLater
from nlp.chain import ModelOptions
from pipeline.means import Means
from pipeline.pool import Inline
from pipeline.schedule import Clock
from store import wal, watches
from store.engine import Store
from tests.pipeline.test_schedule import wait
from tests.store.crashes import counting, disk, enrich, holding, ingest, reading, server, upgrade
from tests.store.crashes.nursery import Nursery, nursery
from tests.store.crashes.server import Server
from tests.store.crashes.tally import Tally

BUSY = "The database is busy with another process."
PATIENCE = 60
"""Cycles within which a planted fault must show."""
ROWS = 200


@pytest.fixture(scope="module")
def at_home() -> Iterator[Nursery]:
    """One nursery for all that is killed."""
    with nursery() as raising:
        yield raising


@pytest.fixture(scope="module")
def private() -> Iterator[Server]:
    """A PostgreSQL server that may be killed."""
    with server.private_server() as found:
        if found is None:
            pytest.skip("NOT TESTED: PostgreSQL's programs are not installed here, or may not run")
        yield found


def found(tally: Tally) -> dict[str, int]:
    """The faults of cycles, without those that never were."""
    return dict(+tally.faults)


def test_a_collector_that_is_killed_leaves_items_cursor_counts_and_words_of_whole_pages(
    sqlite_store: Store, at_home: Nursery
) -> None:
    tally = ingest.kill_cycles(sqlite_store, at_home, 12, every=4)
    assert found(tally) == {}
    assert tally.cycles == 12
    assert tally.rows > 2 * ingest.PAGE


@pytest.mark.parametrize(
    ("work", "fault", "aim"),
    [("cursor_first", "lost", "saves"), ("rollups_apart", "roll-ups", "saved"), ("words_apart", "full text", "saved")],
)
def test_a_collector_that_saves_in_two_transactions_is_found_out(
    sqlite_store: Store, at_home: Nursery, work: str, fault: str, aim: str
) -> None:
    tally = ingest.kill_cycles(sqlite_store, at_home, PATIENCE, every=1, until=fault, work=work, aims=(aim,))
    assert tally.faults[fault]


def test_taggers_that_are_killed_leave_no_label_or_all_and_their_claims_end(
    sqlite_store: Store, at_home: Nursery
) -> None:
    tally = enrich.kill_cycles(sqlite_store, at_home, 6, every=3)
    assert found(tally) == {}
    assert tally.rows > 2 * enrich.FRESH


def test_labels_that_are_saved_in_two_transactions_are_found_out(sqlite_store: Store, at_home: Nursery) -> None:
    tally = enrich.kill_cycles(sqlite_store, at_home, PATIENCE, every=1, until="mixed labels", work="labels_apart",
                               aims=("saved",))
    assert tally.faults["mixed labels"]


@pytest.mark.parametrize("to", upgrade.revisions())
def test_an_upgrade_that_is_killed_leaves_the_old_shape_or_the_new_one(
    tmp_path: Path, at_home: Nursery, to: str
) -> None:
    tally = upgrade.kill_cycles(tmp_path, at_home, to, ROWS, 4)
    assert found(tally) == {}
    assert tally.cycles == 4


def test_an_upgrade_whose_changes_of_shape_are_committed_one_by_one_is_found_out(
    tmp_path: Path, at_home: Nursery
) -> None:
    tally = upgrade.kill_cycles(tmp_path, at_home, upgrade.revisions()[-1], ROWS, PATIENCE, work="without_hook")
    assert tally.faults["half"]


def test_a_server_that_is_stopped_and_killed_loses_no_page_and_collectors_go_on_by_themselves(private: Server) -> None:
    tally = server.crash_cycles(private, 3)
    assert found(tally) == {}
    assert len(tally.crashed_while) == 3
    assert tally.figures["refused"] > 0


def test_a_server_that_acknowledges_too_early_is_found_out(private: Server) -> None:
    tally = server.crash_cycles(private, 9, until="acknowledged and lost", careless=True)
    assert tally.faults["acknowledged and lost"]


@pytest.mark.parametrize("full", ["disk", "limit"])
def test_where_no_room_is_left_it_says_where_and_goes_on_when_there_is(tmp_path: Path, full: str) -> None:
    with narrowed(tmp_path, full) as (folder, narrow):
        assert found(disk.full_cycles(folder, narrow, 2)) == {}


@pytest.mark.parametrize("full", ["disk", "limit"])
def test_a_collector_that_moves_on_before_it_finds_no_room_is_found_out(tmp_path: Path, full: str) -> None:
    with narrowed(tmp_path, full) as (folder, narrow):
        assert disk.full_cycles(folder, narrow, 5, work=ingest.cursor_first).faults["lost"]


def test_a_log_that_grows_under_a_reader_is_told_and_emptied_when_the_reader_leaves(sqlite_store: Store) -> None:
    tally = reading.stuck_reader(sqlite_store, 2)
    assert found(tally) == {}
    assert "grown to 2 MB" in tally.figures["said"]
    assert tally.figures["bytes_if_left_alone"] > 2 << 20, "else nobody would have to empty it"


def test_a_short_log_and_a_server_s_own_are_left_alone(store: Store) -> None:
    wal.trim(store)
    if store.dialect == "postgresql":
        assert wal.size(store) == 0
        wal.trim(store, limit=-1)


def test_processes_that_count_in_one_file_lose_nothing_and_wait_their_turn(sqlite_store: Store, tmp_path: Path) -> None:
    assert found(counting.counted_by_many(sqlite_store.url, tmp_path / "escucha.db", 40)) == {}


def test_processes_that_begin_when_they_write_lose_what_others_wrote(sqlite_store: Store, tmp_path: Path) -> None:
    tally = counting.counted_by_many(sqlite_store.url, tmp_path / "escucha.db", 100, count=counting.count_up_plainly)
    assert tally.faults["lost"] + tally.faults["locked"] > 0


@pytest.mark.parametrize(("busy_ms", "faults"), [(300, set()), (1, {"refused early"})])
def test_writers_wait_for_another_process_and_say_so_when_it_takes_too_long(
    sqlite_store: Store, tmp_path: Path, busy_ms: int, faults: set[str]
) -> None:
    impatient = Store(sqlite_store.url, busy_ms=busy_ms)
    tally = holding.held_lock(impatient, tmp_path / "escucha.db", 1.0, 1, patience=0.28)
    assert set(found(tally)) == faults
    assert tally.figures["refused"] > 0
    impatient.close()


def test_the_clock_goes_on_when_another_process_lets_go_and_no_threads_pile_up(
    sqlite_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ingest.prepare(sqlite_store)
    impatient = Store(sqlite_store.url, busy_ms=50)
    means = Means(store=impatient, pool=Inline(), web=WebOptions(), models=ModelOptions())
    holder, free = holding.holding(tmp_path / "escucha.db")
    with caplog.at_level(logging.WARNING), Clock(means, collect=0.05, enrich=0.05, read_back=0.05):
        assert wait(lambda: caplog.text.count(BUSY) >= 4)
        early = {thread.name for thread in threading.enumerate()}
        assert wait(lambda: caplog.text.count(BUSY) >= 24)
        assert {thread.name for thread in threading.enumerate()} <= early
        free.set()
        holder.join(10)
        assert wait(lambda: ran(sqlite_store))
    impatient.close()


@pytest.mark.parametrize(
    ("error", "says"),
    [(psycopg.errors.DiskFull("could not extend file: No space left on device"), "There is no room left on the disk"),
     (psycopg.OperationalError("server closed the connection unexpectedly"), "does not answer")],
)
def test_what_postgresql_s_driver_says_itself_while_rows_are_copied_is_explained(
    sqlite_store: Store, error: Exception, says: str
) -> None:
    with pytest.raises(TryLater, match=says), sqlite_store.write():
        raise error


def test_a_mistake_of_ours_that_the_driver_finds_is_not_taken_for_trouble(sqlite_store: Store) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation), sqlite_store.write():
        raise psycopg.errors.UniqueViolation


def ran(store: Store) -> bool:
    """Whether the watch has been run."""
    with store.read() as session:
        return watches.get(session, 1).last_run_at is not None


@contextmanager
def narrowed(tmp_path: Path, full: str) -> Iterator[tuple[Path, disk.Narrow]]:
    """A folder whose room can be made narrow, in one of two ways."""
    try:
        with (disk.a_small_disk if full == "disk" else disk.a_limit)(tmp_path) as made:
            yield made
    except disk.NoDisk as error:
        pytest.skip(f"NOT TESTED: no small disk can be mounted here ({error})")
