"""Proportions and net sentiment carry intervals that agree with the literature."""

from __future__ import annotations

import pytest

from escucha.statistics import sentiment_mix, share


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_intervals_agree_with_published_ones(count: int, n: int, low: float, high: float) -> None:
    """Newcombe 1998, table of method 3; 1/29 and 0/10 are worked examples there."""
    part = share(count, n)
    assert (part.low, part.high) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))


def test_no_mentions_leave_the_interval_wide_open() -> None:
    nothing = share(0, 0)
    assert (nothing.share, nothing.low, nothing.high) == (0.0, 0.0, 1.0)


def test_net_sentiment_follows_its_worked_example() -> None:
    """metrics.md b1: 80 positive, 20 negative, 100 neutral give 30."""
    mix = sentiment_mix(80, 100, 20)
    assert mix.net == pytest.approx(30.0)
    assert mix.net_low is not None
    assert mix.net_high is not None
    assert 20 < mix.net_low < 30 < mix.net_high < 40


@pytest.mark.parametrize("counts", [(1, 0, 0), (0, 0, 1), (0, 1, 0), (3, 0, 3), (500, 1, 0)])
def test_net_intervals_hold_the_net_and_stay_in_range(counts: tuple[int, int, int]) -> None:
    mix = sentiment_mix(*counts)
    assert mix.net is not None
    assert mix.net_low is not None
    assert mix.net_high is not None
    assert -100 <= mix.net_low <= mix.net <= mix.net_high <= 100
    assert mix.net_low < mix.net_high
