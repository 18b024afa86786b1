"""Counts agree with the mentions behind them, whatever is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from escucha.filter import MentionFilter
from escucha.journey import Dimension
from escucha.query.parse import parse
from store import brands, enrichments, mentions, metrics
from store.engine import Store
from store.health import health
from tests import make

FEELINGS = ["positive", "negative", "neutral", "negative"]
STAGES = ["purchase", "retention", "none"]
START = datetime(2026, 10, 30, 12, tzinfo=UTC)


@pytest.fixture
def filled(store: Store) -> Store:
    """24 mentions, one every nine hours, labels in a fixed rotation."""
    with store.write() as session:
        lumbre = brands.add(session, make.brand(timezone="UTC"))
        said = [make.mention(str(i), created_at=START + timedelta(hours=9 * i)) for i in range(24)]
        mentions.save(session, lumbre, said, make.NOW)
        claimed = enrichments.claim(session, 100, make.NOW)
        labels = [make.understood(sentiment=FEELINGS[i % 4], stage=STAGES[i % 3]) for i in range(24)]
        enrichments.save(session, list(zip(claimed, labels, strict=True)), make.NOW)
    return store


def test_the_mix_is_the_net_sentiment_of_its_counts(filled: Store) -> None:
    with filled.read() as session:
        mix = metrics.mix(session, MentionFilter())
    assert (mix.positive.count, mix.neutral.count, mix.negative.count, mix.n) == (6, 6, 12, 24)
    assert mix.net == pytest.approx(-25.0)


@pytest.mark.parametrize("by", ["stage", "sentiment", "source", "lang", "pain", "touchpoint"])
def test_tallies_add_up_to_the_count(filled: Store, by: Dimension) -> None:
    with filled.read() as session:
        tallies = metrics.tallies(session, MentionFilter(), by)
        assert sum(tally.n for tally in tallies) == metrics.count(session, MentionFilter()) == 24
    assert [tally.n for tally in tallies] == sorted((tally.n for tally in tallies), reverse=True)


@pytest.mark.parametrize(
    ("every", "first", "buckets"), [("day", "2026-10-30", 10), ("week", "2026-10-26", 2), ("month", "2026-10-01", 2)]
)
def test_series_cover_every_bucket_from_first_to_last(filled: Store, every: str, first: str, buckets: int) -> None:
    with filled.read() as session:
        (series,) = metrics.series(session, MentionFilter(), "mentions", None, every)  # type: ignore[arg-type]
    assert series.points[0].at == first
    assert len(series.points) == buckets
    assert sum(point.n for point in series.points) == 24


def test_a_series_by_stage_splits_the_whole(filled: Store) -> None:
    with filled.read() as session:
        by_stage = metrics.series(session, MentionFilter(), "net_sentiment", "stage", "month")
    assert {series.key: sum(p.n for p in series.points) for series in by_stage} == dict.fromkeys(STAGES, 8)
    for series in by_stage:
        for point in series.points:
            assert point.value is not None
            assert point.low is not None
            assert point.high is not None
            assert point.low <= point.value <= point.high


def test_a_bucket_without_mentions_has_no_rate(filled: Store) -> None:
    with filled.write() as session:
        lumbre = brands.get(session, "lumbre")
        mentions.save(session, lumbre, [make.mention("late", created_at=START + timedelta(days=60))], make.NOW)
    with filled.read() as session:
        (series,) = metrics.series(session, MentionFilter(), "negative_share", None, "month")
    assert [(point.n, point.value is None) for point in series.points] == [(4, False), (20, False), (0, True)]


def test_nothing_at_all_is_an_empty_answer(store: Store) -> None:
    with store.read() as session:
        assert metrics.series(session, MentionFilter(), "mentions", None, "day") == []
        assert metrics.mix(session, MentionFilter()).net is None
        assert health(session).newest is None


def test_health_tells_what_waits(filled: Store) -> None:
    with filled.read() as session:
        seen = health(session)
    assert (seen.mentions, seen.pending, seen.failed, seen.brands) == (24, 0, 0, 1)
    assert seen.newest == START + timedelta(hours=9 * 23)


def test_the_days_heard_are_the_first_and_the_last(filled: Store) -> None:
    with filled.read() as session:
        assert metrics.days(session, MentionFilter()) == (date(2026, 10, 30), date(2026, 11, 8))
        assert metrics.days(session, MentionFilter(query=parse("nothing like it"))) is None
