"""The commands that keep data safe and move it: what they say, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.test_cli import Run, told
from tests.api.test_cli import run as run
from tests.postgres import postgres_server


def test_a_backup_made_from_the_command_line_is_restored_elsewhere(run: Run, tmp_path: Path) -> None:
    run("brand", "add", "Lumbre")
    made = told(run("backup", "copia.zip", "--json"))
    assert (made["kind"], made["rows"]["brand"]) == ("sqlite", 1)
    again = run("backup", "copia.zip", ESCUCHA_LANG="en")
    assert again.returncode == 1
    assert "copia.zip exists" in again.stderr
    refused = run("restore", "copia.zip", ESCUCHA_LANG="en")
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    elsewhere = {"ESCUCHA_DATABASE": f"sqlite:///{tmp_path / 'otra' / 'otra.db'}"}
    assert told(run("restore", "copia.zip", "--json", **elsewhere))["forgotten"] == 0
    (brand,) = told(run("brand", "list", "--json", **elsewhere))
    assert brand["slug"] == "lumbre"


def test_a_store_is_moved_from_the_command_line(run: Run, tmp_path: Path) -> None:
    run("brand", "add", "Lumbre")
    source = f"sqlite:///{tmp_path / 'data' / 'escucha.db'}"
    with postgres_server() as target:
        if target is None:
            pytest.skip("no PostgreSQL")
        moved = run("migrate-store", source, target, ESCUCHA_LANG="en")
        assert moved.returncode == 0, moved.stderr
        assert "All rows arrived, and their checksums agree" in moved.stdout
        again = run("migrate-store", source, target, ESCUCHA_LANG="en")
    assert again.returncode == 1
    assert "holds data already" in again.stderr
