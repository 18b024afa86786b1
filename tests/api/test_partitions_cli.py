"""The commands that part the mentions by month: what they say, and what they refuse."""

from __future__ import annotations

from pathlib import Path

from tests.api.test_cli import Run, told
from tests.api.test_cli import run as run
from tests.postgres import postgres_server


def test_partitions_are_for_postgresql(run: Run) -> None:
    refused = run("partitions", "on", ESCUCHA_LANG="en")
    assert refused.returncode == 1
    assert "Monthly partitions are PostgreSQL's" in refused.stderr


def test_partitions_are_turned_on_shown_and_turned_off(run: Run, tmp_path: Path, postgres_url: str) -> None:
    run("brand", "add", "Lumbre")
    with postgres_server() as url:
        assert url is not None
        moved = run("migrate-store", f"sqlite:///{tmp_path / 'data' / 'escucha.db'}", url, "--partitions",
                    ESCUCHA_LANG="en")
        assert moved.returncode == 0, moved.stderr
        there = {"ESCUCHA_DATABASE": url, "ESCUCHA_LANG": "en"}
        parts = told(run("partitions", "show", "--json", **there))["parts"]
        assert (len(parts), parts[-1]["month"]) == (5, None)
        assert "already" in run("partitions", "on", **there).stderr
        assert "in one table" in run("partitions", "off", **there).stdout
        assert "in one table" in run("partitions", "show", **there).stdout
        assert "other" in run("partitions", "on", **there).stdout
        (brand,) = told(run("brand", "list", "--json", **there))
    assert brand["slug"] == "lumbre"
