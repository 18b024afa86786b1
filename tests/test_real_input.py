"""The main job on real input: labelled texts imported, recordings collected by the clock, everything enriched."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.real_input import SETS, run
from store.engine import Store


@pytest.mark.timeout(900)
def test_real_texts_and_recordings_end_up_tagged_and_counted(shared: Path, store: Store) -> None:
    seen = run(shared, store, splits=("dev",))
    imported = seen["imported"]
    assert set(imported) == {f"{name}/dev" for name in SETS}
    assert all(report["read"] == report["new"] > 600 for report in imported.values())
    collected = seen["collected"]
    assert collected["rss"]["watches"] > 90
    assert collected["rss"]["new"] > 300
    assert collected["mastodon"]["new"] >= 6
    assert collected["reddit"]["new"] >= 50
    told = sum(report["new"] for report in imported.values()) + sum(of["new"] for of in collected.values())
    stored = seen["stored"]
    assert (stored["mentions"], stored["pending"], stored["failed"]) == (told, 0, 0)
    for by in ("sentiment", "stage", "pain", "touchpoint", "lang"):
        assert sum(stored[by].values()) == told
    assert stored["lang"]["es"] > 1000
    assert stored["lang"]["en"] > 1000
