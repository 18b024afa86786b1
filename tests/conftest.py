"""What every test may ask for: the shared material where it is present, and stores of both kinds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.engine import Store, open_store
from store.schema import migrate
from tests.postgres import emptied, postgres_server

ROOT = Path(__file__).parent.parent


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


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """A fresh SQLite store."""
    store = open_store(f"sqlite:///{tmp_path / 'escucha.db'}", "NORMAL")
    migrate(store)
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
