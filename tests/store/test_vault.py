"""Keys of sources are kept so that the database alone tells nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from escucha.brand import Brand
from escucha.errors import ConfigError
from store import brands, credentials
from store.engine import Store
from store.vault import Vault, key_in, new_key
from tests import make


@pytest.fixture
def vault() -> Vault:
    return Vault(new_key())


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        return brands.add(session, make.brand())


def test_a_brands_own_key_wins_over_everybodys(store: Store, lumbre: Brand, vault: Vault) -> None:
    with store.write() as session:
        credentials.put(session, vault, "youtube", None, {"api_key": "de todos", "daily_units": "500"}, make.NOW)
        credentials.put(session, vault, "youtube", lumbre.id, {"api_key": "de lumbre"}, make.NOW)
    with store.read() as session:
        assert credentials.keys_of(session, vault, "youtube", lumbre.id) == {
            "api_key": "de lumbre", "daily_units": "500"
        }
        assert credentials.keys_of(session, vault, "youtube", None)["api_key"] == "de todos"
        assert credentials.entered(session, "youtube", lumbre.id) == {"api_key": make.NOW}
        assert credentials.owner_of(session, "youtube", "daily_units", lumbre.id or 0) is None


def test_a_key_entered_again_takes_the_place_of_the_former(store: Store, vault: Vault) -> None:
    with store.write() as session:
        credentials.put(session, vault, "x", None, {"token": "uno"}, make.NOW)
        credentials.put(session, vault, "x", None, {"token": "dos"}, make.NOW)
    with store.write() as session:
        assert credentials.keys_of(session, vault, "x", None) == {"token": "dos"}
        assert credentials.remove(session, "x", None) == 1
        assert credentials.keys_of(session, vault, "x", None) == {}


def test_neither_file_nor_log_of_the_database_holds_the_key(sqlite_store: Store, vault: Vault, tmp_path: Path) -> None:
    with sqlite_store.write() as session:
        credentials.put(session, vault, "x", None, {"token": "s3cr3t-of-lumbre"}, make.NOW)
    assert all(b"s3cr3t-of-lumbre" not in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())


def test_another_secret_key_opens_nothing_and_says_so(store: Store, vault: Vault) -> None:
    with store.write() as session:
        credentials.put(session, vault, "x", None, {"token": "uno"}, make.NOW)
    with store.read() as session, pytest.raises(ConfigError, match="another secret key"):
        credentials.keys_of(session, Vault(new_key()), "x", None)


def test_a_secret_key_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "secret.key"
    assert key_in(file) == key_in(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["secret.key"]


def test_a_secret_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    file.write_text(new_key())
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        key_in(file)


def test_a_setting_that_is_no_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="is no key"):
        Vault("hola")
