"""A file that has gone bad is refused with what to do, or works; it is never written over."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from escucha.errors import ConfigError, EscuchaError
from escucha.filter import MentionFilter
from store import brands, mentions, rollups, sound, wishes
from store.engine import Store, open_store
from store.schema import migrate
from store.tables import Base
from tests.api.test_cli import environment
from tests.store.damaged import WAYS, mutation
from tests.store.killed import FULL
from tests.store.stocked import stock

MUTATIONS = range(200 if FULL else len(WAYS))
TELLS_WHAT_TO_DO = ("Restore a backup", "Update Escucha", "Choose an empty one", "Check its permissions")
ALWAYS_SEEN = ("no database", "of a newer version", "of somebody else", "truncated")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with rows in every table."""
    path = tmp_path_factory.mktemp("good") / "escucha.db"
    with closing(open_store(f"sqlite:///{path}", "NORMAL")) as store:
        migrate(store)
        stock(store, 25)
        store.checkpoint()
    return path


@pytest.fixture
def file(good: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoiled."""
    path = tmp_path / "escucha.db"
    shutil.copyfile(good, path)
    return path


def served(store: Store) -> None:
    """Start on a database, and read everything that is in it."""
    migrate(store)
    with store.read() as session:
        for mapper in Base.registry.mappers:
            session.scalars(select(mapper.class_)).all()
        brands.all_brands(session)
        mentions.find(session, MentionFilter())
        rollups.verify(session)
        wishes.read(session.connection())


@pytest.mark.parametrize("seed", MUTATIONS, ids=lambda seed: f"{mutation(seed)[0]} {seed}")
def test_a_database_that_was_spoiled_is_refused_or_works(file: Path, seed: int) -> None:
    name, spoil = mutation(seed)
    spoil(file)
    before = file.read_bytes()
    with closing(open_store(f"sqlite:///{file}")) as store:
        refused = _refused(store)
    if refused is None:
        assert name not in ALWAYS_SEEN, "it was not noticed"
    else:
        assert file.read_bytes() == before, "it was written over"
    if isinstance(refused, ConfigError):
        assert any(advice in refused.message for advice in TELLS_WHAT_TO_DO), refused.message


def _refused(store: Store) -> EscuchaError | None:
    """Why a database is not served; None where it is. Anything but a sentence for a person is a failure."""
    try:
        served(store)
    except EscuchaError as error:
        return error
    return None


def test_what_opening_does_not_see_a_thorough_look_does(file: Path) -> None:
    """The canary: damage that a start passes by, and that a backup must not carry on."""
    data = bytearray(file.read_bytes())
    start = data.index(b"palabra 7 ")
    data[start - 2_000 : start + 2_000] = bytes(4_000)
    file.write_bytes(data)
    with closing(open_store(f"sqlite:///{file}")) as store:
        migrate(store)
    with pytest.raises(ConfigError, match="damaged"):
        sound.counts(file)


def test_the_command_line_says_it_in_one_sentence(file: Path, tmp_path: Path) -> None:
    file.write_bytes(file.read_bytes()[:20_000])
    for words in (["backup", "b.zip"], ["serve", "--no-clock", "--port", "0"]):
        done = subprocess.run(
            [sys.executable, "-m", "api", *words], cwd=tmp_path, capture_output=True, text=True, timeout=60,
            check=False, env=environment(ESCUCHA_DATABASE=f"sqlite:///{file}", ESCUCHA_LANG="en"),
        )
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("✗ "), done.stderr
    assert not (tmp_path / "b.zip").exists()
