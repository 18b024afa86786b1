"""A walk cut anywhere goes on and ends with exactly what the listing holds, whatever comes and goes meanwhile."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.walk import Bounds, By, Place, Step, Stretch, newest_first, oldest_first
from escucha.errors import Refused, TryLater

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SIZE = 4
BOUNDS = Bounds(first=timedelta(days=30), overlap=timedelta(minutes=30), steps=3)


@dataclass
class Listing:
    """Items `(moment, number)`; pages of four, by each of the ways in which upstreams page."""

    items: list[tuple[datetime, int]] = field(default_factory=list)
    number: int = 0
    newest: datetime = NOW - timedelta(days=2)
    told_total: bool = True
    asked: int = 0

    def add(self, minutes: int) -> None:
        """A new item, so many minutes after the newest."""
        self.number += 1
        self.newest += timedelta(minutes=minutes)  # also where the newest was removed: nothing comes with an old time
        self.items.append((self.newest, self.number))

    def remove(self, place: int) -> None:
        """The item at a place goes."""
        if self.items:
            del self.items[place % len(self.items)]

    def page(self, place: Place, by: By) -> Stretch:
        """What the upstream answers, newest first."""
        self.asked += 1
        found = sorted(self.items, reverse=True)
        if by == "time":
            found = [item for item in found if item[0] >= place.since and (not place.until or item[0] <= place.until)]
        total = len(found) if self.told_total else None
        if by == "token":  # a server-side cursor: behind this very item
            mark = tuple(json.loads(place.token)) if place.token else None
            found = [item for item in found if mark is None or (item[0].isoformat(), item[1]) < mark]
            page, rest = found[:SIZE], found[SIZE:]
            token = json.dumps([page[-1][0].isoformat(), page[-1][1]]) if rest else None
        else:
            start = int(place.token or 0) * SIZE
            page, rest = found[start : start + SIZE], found[start + SIZE :]
            token = str(int(place.token or 0) + 1) if rest else None
        return Stretch(items=page, times=[at for at, _ in page], token=token, total=total)

    def rising(self, place: Place) -> Stretch:
        """The same, oldest first."""
        found = sorted(item for item in self.items if item[0] >= place.since)
        start = int(place.token or 0) * SIZE
        page, rest = found[start : start + SIZE], found[start + SIZE :]
        return Stretch(items=page, times=[at for at, _ in page], token=str(int(place.token or 0) + 1) if rest else None)


class Reader:
    """What a pipeline keeps between runs: the notes and the items, saved step by step."""

    def __init__(self, listing: Listing, by: By | None) -> None:
        self.listing, self.by = listing, by
        self.notes: dict[str, Any] = {}
        self.heard: set[tuple[datetime, int]] = set()

    def steps(self) -> Any:
        if self.by is None:
            return oldest_first(self.notes, self.listing.rising, BOUNDS, NOW)
        return newest_first(self.notes, lambda place: self.listing.page(place, self.by or "token"), BOUNDS, NOW,
                            by=self.by)

    def take(self, step: Step) -> None:
        self.heard |= set(step.items)
        self.notes = json.loads(json.dumps(step.notes))

    def run(self, cut: int | None = None) -> bool:
        """One run, cut after so many steps; whether the upstream had been read to its end."""
        for number, step in enumerate(self.steps(), 1):
            self.take(step)
            if number == cut:
                return False
        return not step.more

    def finish(self) -> None:
        rests = [self.run() for _ in range(40)]
        assert any(rests), "the reader never rests"


act = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 20)),
    st.tuples(st.just("remove"), st.integers(0, 40)),
    st.tuples(st.just("run"), st.integers(1, 4)),
)


@pytest.mark.parametrize("by", ["time", "token", "number", None])
@given(start=st.lists(st.integers(0, 20), max_size=40), acts=st.lists(act, max_size=25), told=st.booleans())
@settings(max_examples=150, deadline=None)
def test_whatever_comes_goes_and_is_cut_everything_that_is_there_arrives(
    by: By | None, start: list[int], acts: list[tuple[str, int]], told: bool
) -> None:
    listing = Listing(told_total=told)
    for minutes in start:
        listing.add(minutes)
    reader = Reader(listing, by)
    for what, how in acts:
        if what == "run":
            reader.run(cut=how)
        elif what == "add":
            listing.add(how)
        elif by != "number" or reader.notes.get("walk") is None:
            listing.remove(how)  # page numbers shift under a walk that rests for long: the next test
    reader.finish()
    assert set(listing.items) <= reader.heard


@given(size=st.integers(5, 40), gone=st.integers(0, 39), told=st.booleans())
@settings(max_examples=100, deadline=None)
def test_under_page_numbers_an_item_deleted_between_two_requests_hides_no_other(
    size: int, gone: int, told: bool
) -> None:
    listing = Listing(told_total=told)
    for _ in range(size):
        listing.add(5)
    reader = Reader(listing, "number")
    for number, step in enumerate(reader.steps()):
        reader.take(step)
        if number == 0:
            listing.remove(gone)
    reader.finish()
    assert set(listing.items) <= reader.heard


def test_a_second_walk_asks_no_further_than_the_overlap() -> None:
    listing = Listing()
    for _ in range(60):
        listing.add(30)
    reader = Reader(listing, "token")
    while not reader.run():
        pass
    listing.asked = 0
    assert reader.run()
    assert listing.asked == 1


def test_a_token_that_is_refused_later_starts_the_walk_from_the_top() -> None:
    listing = Listing()
    for _ in range(30):
        listing.add(5)
    reader = Reader(listing, "token")
    reader.run(cut=2)
    asked: list[Place] = []

    def forgetful(place: Place) -> Stretch:
        asked.append(place)
        if len(asked) == 1:
            raise Refused("An expired token.")
        return listing.page(place, "token")

    reader.heard.clear()
    for step in newest_first(reader.notes, forgetful, BOUNDS, NOW):
        reader.heard |= set(step.items)
    assert asked[0].token is not None
    assert asked[1].token is None
    assert max(listing.items) in reader.heard


def test_a_refusal_of_a_first_request_is_no_expired_token() -> None:
    def refuse(place: Place) -> Stretch:
        raise Refused("The key was revoked.")

    with pytest.raises(Refused, match="revoked"):
        list(newest_first({}, refuse, BOUNDS, NOW))


def test_an_upstream_that_leads_round_in_circles_is_noticed() -> None:
    pages = {None: "a", "a": "b", "b": "a"}

    def circle(place: Place) -> Stretch:
        return Stretch(items=["x"], times=[NOW - timedelta(hours=1)], token=pages[place.token])

    def go_round() -> None:
        notes: Any = {}
        for _ in range(100):
            for step in newest_first(notes, circle, BOUNDS, NOW):
                notes = step.notes

    with pytest.raises(TryLater, match="circles"):
        go_round()


def test_a_listing_that_ends_by_its_own_limit_covers_no_more_than_it_showed() -> None:
    edge = NOW - timedelta(hours=3)
    capped = Stretch(items=["x"], times=[NOW, edge], capped=True)
    known = {"known": (NOW - timedelta(days=2)).isoformat(), "seen": True}
    (step,) = newest_first(known, lambda _: capped, BOUNDS, NOW)
    assert step.covers is not None
    assert (step.covers.start, step.covers.end) == (edge, NOW)


def test_nothing_where_something_was_is_told_as_a_doubt_unless_the_upstream_forgets() -> None:
    empty = Stretch(items=[], times=[])
    known = {"known": (NOW - timedelta(days=3)).isoformat(), "seen": True}
    (step,) = newest_first(known, lambda _: empty, BOUNDS, NOW)
    assert step.empty
    day = Bounds(first=BOUNDS.first, overlap=BOUNDS.overlap, window=timedelta(days=1))
    (step,) = newest_first(known, lambda _: empty, day, NOW)
    assert not step.empty
    (step,) = newest_first({"known": NOW.isoformat(), "seen": False}, lambda _: empty, BOUNDS, NOW)
    assert not step.empty


def test_a_pinned_old_item_on_top_ends_no_walk() -> None:
    listing = Listing()
    for _ in range(10):
        listing.add(60)
    pinned = (NOW - timedelta(days=400), 999)

    def with_pin(place: Place) -> Stretch:
        page = listing.page(place, "token")
        top = [pinned] if place.token is None else []
        return Stretch(items=[*top, *page.items], times=[at for at, _ in [*top, *page.items]], token=page.token)

    heard: set[Any] = set()
    for step in newest_first({}, with_pin, BOUNDS, NOW):
        heard |= set(step.items)
    assert set(listing.items) <= heard
