"""The calendar shows which days were read in full, and hatches the gaps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from escucha.brand import Query
from escucha.source import Span
from store import brands, watches
from store.coverage import calendar, joined, spans
from store.engine import Store
from store.mentions import Saved
from store.watches import Ledger
from tests import make


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_spans_that_touch_are_one() -> None:
    assert joined([Span(at(3), at(4)), Span(at(1), at(2)), Span(at(2), at(3)), Span(at(6), at(7))]) == [
        Span(at(1), at(4)), Span(at(6), at(7))
    ]


def test_a_day_counts_by_the_share_that_was_read_in_the_brands_zone() -> None:
    days = [date(2026, 11, day) for day in (1, 2, 3, 4)]
    shares = calendar([Span(at(1, 12), at(3))], days, ZoneInfo("UTC"), at(10))
    assert shares == {days[0]: 0.5, days[1]: 1.0, days[2]: 0.0, days[3]: 0.0}
    bogota = calendar([Span(at(2, 5), at(3, 5))], [date(2026, 11, 2)], ZoneInfo("America/Bogota"), at(10))
    assert bogota == {date(2026, 11, 2): 1.0}


def test_of_today_only_what_has_passed_counts() -> None:
    assert calendar([Span(at(2), at(2, 6))], [date(2026, 11, 2)], ZoneInfo("UTC"), at(2, 6)) == {date(2026, 11, 2): 1.0}


def test_a_day_of_a_clock_change_has_23_or_25_hours() -> None:
    madrid = ZoneInfo("Europe/Madrid")
    day = date(2026, 10, 25)
    start = datetime(2026, 10, 25, tzinfo=madrid)
    whole = Span(start.astimezone(UTC), start.astimezone(UTC) + timedelta(hours=25))
    assert calendar([whole], [day], madrid, at(10)) == {day: 1.0}
    short = Span(whole.start, whole.start + timedelta(hours=24))
    assert calendar([short], [day], madrid, at(10))[day] == 24 / 25


def test_the_ledgers_runs_tell_what_was_covered(store: Store) -> None:
    with store.write() as session:
        brand = brands.add(session, make.brand())
        watch = watches.add(session, brand.id or 0, "rss", Query(text="http://x"), 900, make.NOW)
        for start, end in ((at(1), at(2)), (at(2), at(3))):
            watches.write(session, watch.id, Ledger(saved=Saved(), covers=Span(start, end)), make.NOW)
        watches.write(session, watch.id, Ledger(saved=Saved()), make.NOW)
    with store.read() as session:
        assert spans(session, watch.id, at(1)) == [Span(at(1), at(3))]
        assert spans(session, watch.id, at(5)) == []
