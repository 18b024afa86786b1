"""The main job on real input: labelled texts imported, recordings collected by the clock, everything enriched."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.real_input import SETS, run
from store.engine import Store

FEW = {"sqlite": (120, 6), "postgresql": (30, 12)}
"""Lines of each set, and of how many recordings one is collected; benchmarks/real_input.py takes them all."""


@pytest.mark.timeout(900)
def test_real_texts_and_recordings_end_up_tagged_and_counted(shared: Path, store: Store) -> None:
    lines, one_in = FEW[store.dialect]
    seen = run(shared, store, splits=("dev",), lines=lines, one_in=one_in)
    imported = seen["imported"]
    assert set(imported) == {f"{name}/dev" for name in SETS}
    assert all(report["read"] == report["new"] == lines for report in imported.values())
    collected = seen["collected"]
    assert collected["rss"]["watches"] > 90 // one_in
    assert collected["rss"]["new"] > 150 // one_in
    assert collected["mastodon"]["new"] > 0
    assert collected["reddit"]["new"] > 0
    told = sum(report["new"] for report in imported.values()) + sum(of["new"] for of in collected.values())
    stored = seen["stored"]
    assert (stored["mentions"], stored["pending"], stored["failed"]) == (told, 0, 0)
    for by in ("sentiment", "stage", "pain", "touchpoint", "lang"):
        assert sum(stored[by].values()) == told
    assert stored["lang"]["es"] > lines
    assert stored["lang"]["en"] > lines // 2
