"""What every test may ask for: the shared material where it is present, and stores of both kinds."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.engine import Store, open_store
from store.schema import migrate
from tests.postgres import emptied, postgres_server

ROOT = Path(__file__).parent.parent
MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""Bytes that must be free in memory for the tests' files to lie there."""
LONGEST_FIRST = (
    "collectors/test_contract.py", "collectors/test_hostile.py", "test_real_input.py", "pipeline/test_kills.py",
    "store/test_crashes.py",
    "collectors/test_sequences.py", "api/test_cli.py", "nlp/test_train.py", "nlp/test_encoder.py", "test_secrets.py",
    "api/test_browser.py", "api/test_sources_browser.py",
)  # fmt: skip
"""Modules that begin early, so that no process works on alone at the end."""


def pytest_configure() -> None:
    """Keep the tests' files in memory where there is room: every request of a collector writes its pace down."""
    if not MEMORY.is_dir():
        return
    about = os.statvfs(MEMORY)
    if about.f_bavail * about.f_frsize > ROOM and not about.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long modules first; the others stay as they are."""
    turns = {ROOT / "tests" / name: turn for turn, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: turns.get(item.path, len(turns)))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recordings and labelled texts that lies beside the repository where it was given."""
    folder = ROOT.parent / "shared"
    if not (folder / "upstream").is_dir():
        pytest.skip("the shared recordings are not beside this repository")
    return folder


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL database of this run's own."""
    with postgres_server() as url:
        if url is None:
            pytest.skip("no PostgreSQL: set ESCUCHA_TEST_POSTGRES, start a server, or install its binaries")
        yield url


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and no rows, to copy."""
    path = tmp_path_factory.mktemp("empty") / "escucha.db"
    store = open_store(f"sqlite:///{path}", "NORMAL")
    migrate(store)
    store.close()
    return path


@pytest.fixture
def sqlite_store(tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    """A fresh SQLite store."""
    path = shutil.copyfile(empty_database, tmp_path / "escucha.db")
    store = open_store(f"sqlite:///{path}", "NORMAL")
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A fresh store, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_store")
        return
    store = open_store(request.getfixturevalue("postgres_url"))
    migrate(store)
    emptied(store)
    yield store
    store.close()
