"""Several listings in one query: each keeps its own place, and only what all of them cover is covered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from collectors.several import walk_each
from collectors.walk import Notes, Step
from escucha.source import Span
from tests.collectors.fakes.upstream import NOW

HOUR = timedelta(hours=1)


class Listing:
    """A walk that gives the steps it was set up with, and remembers the notes it was started with."""

    def __init__(self, *steps: Step) -> None:
        self.steps, self.started = steps, list[Notes]()

    def __call__(self, notes: Notes) -> Iterator[Step]:
        self.started.append(notes)
        return iter(self.steps)


def whole(start: datetime, end: datetime = NOW, **more: Any) -> Step:
    return Step(items=["x"], notes={"known": end.isoformat(), "seen": True}, covers=Span(start, end), **more)


def test_what_is_covered_is_common_to_all_and_comes_with_the_last_step() -> None:
    mx, es = Listing(whole(NOW - 5 * HOUR)), Listing(whole(NOW - 3 * HOUR, NOW - HOUR))
    steps = list(walk_each({}, {"mx": mx, "es": es}))
    assert [step.covers for step in steps] == [None, Span(NOW - 3 * HOUR, NOW - HOUR)]


def test_what_an_earlier_run_covered_counts_where_no_hole_lies_between() -> None:
    *_, first = walk_each({}, {"mx": Listing(whole(NOW - 9 * HOUR, NOW - 2 * HOUR))})
    *_, joined = walk_each(first.notes, {"mx": Listing(whole(NOW - 3 * HOUR))})
    *_, broken = walk_each(first.notes, {"mx": Listing(whole(NOW - HOUR))})
    assert (joined.covers, broken.covers) == (Span(NOW - 9 * HOUR, NOW), Span(NOW - HOUR, NOW))


def test_a_doubt_about_one_covers_nothing() -> None:
    doubtful = whole(NOW - HOUR, empty=True)
    steps = list(walk_each({}, {"mx": Listing(doubtful), "es": Listing(whole(NOW - HOUR))}))
    assert [step.covers for step in steps] == [None, None]


def test_listings_without_a_common_time_cover_none() -> None:
    walks = {"mx": Listing(whole(NOW - 5 * HOUR, NOW - 4 * HOUR)), "es": Listing(whole(NOW - HOUR))}
    assert [step.covers for step in walk_each({}, walks)] == [None, None]


def test_a_walk_at_its_bound_ends_the_run_and_goes_first_in_the_next() -> None:
    cut = Step(items=["x"], notes={"seen": True, "walk": {}}, more=True)
    mx, es = Listing(whole(NOW - HOUR)), Listing(cut)
    *_, last = walk_each({}, {"es": es, "mx": mx})
    assert last.more
    assert mx.started == []
    again = Listing(whole(NOW - HOUR))
    list(walk_each(last.notes, {"mx": mx, "es": again}))
    assert again.started == [{"seen": True, "walk": {}}]


def test_a_listing_that_never_showed_anything_is_read_as_for_the_first_time() -> None:
    nothing = Step(items=[], notes={"known": NOW.isoformat(), "seen": False}, covers=Span(NOW - HOUR, NOW))
    mx = Listing(nothing)
    *_, last = walk_each({}, {"mx": mx})
    list(walk_each(last.notes, {"mx": mx}))
    assert mx.started == [{}, {}]


def test_a_listing_that_left_the_query_leaves_the_notes() -> None:
    *_, last = walk_each({}, {"mx": Listing(whole(NOW - HOUR)), "es": Listing(whole(NOW - HOUR))})
    *_, later = walk_each(last.notes, {"es": Listing(whole(NOW - HOUR))})
    assert (set(later.notes["walks"]), set(later.notes["covered"])) == ({"es"}, {"es"})
