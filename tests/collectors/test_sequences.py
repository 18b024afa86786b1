"""Whatever happens to an upstream and to whoever listens, nothing is lost, repeated, made up or held for deleted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.collectors.broken import BROKEN, live_broken
from tests.collectors.fakes import UPSTREAMS
from tests.collectors.sequences import live
from tests.collectors.ways import CASES, WAYS

SEEDS = 2
"""Lives of every source; those that are asked in several ways share them, each way with one at least."""


def lives() -> Iterator[tuple[str, int]]:
    """A case and a seed for each life."""
    for name in sorted(UPSTREAMS):
        cases = [name, *(f"{name} {way}" for way in WAYS.get(name, ()))]
        for seed in range(max(SEEDS, len(cases))):
            yield cases[seed % len(cases)], seed


@pytest.mark.parametrize(("case", "seed"), list(lives()))
def test_whatever_happens_everything_is_heard_and_nothing_else(case: str, seed: int) -> None:
    story = live(case, seed)
    assert not story.faults, story


def test_every_source_and_every_way_of_asking_it_is_lived() -> None:
    assert {case for case, _ in lives()} == set(CASES)


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_collector_that_breaks_its_promise_is_found_out(name: str) -> None:
    kinds = ({fault.kind for fault in live_broken(name, seed).faults} for seed in range(10))
    assert any(BROKEN[name].fault in found for found in kinds)
