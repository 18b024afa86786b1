"""Walks a listing so that a walk cut anywhere goes on where it was, and leaves neither a hole nor a repeat.

A listing that shows the newest first is walked down from its top to what an earlier walk has read, less an overlap, for
no upstream's "since" is trusted. One that shows the oldest first is walked up. What a cut walk needs to go on is in the
notes that come with each step, to be saved together with its items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from escucha.errors import Refused, TryLater
from escucha.source import Span

Notes = Mapping[str, Any]

RUN_STEPS = 20
"""Requests of one run; what is left is read by the next, which follows at once."""
LONGEST_CIRCLE = 50
"""Requests in a row that come no further in time before we say that the upstream leads us round in circles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What to ask the upstream for.

    `since` is where the walk ends: ask no further back, where the upstream can be told. `until` is the newest moment
    still wanted, included (None: the top); `token` the upstream's own mark of the next page, as it gave it.
    """

    since: datetime
    until: datetime | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What one request gave.

    `items` are the upstream's own objects; `times` are the moments by which the listing is ordered, of those items
    that have one. `token` leads to the next page (None: this was the last). `total` is how long the listing says it
    is. `capped` says that the listing ends here because the upstream shows no more, not because there is no more.
    """

    items: Sequence[Any]
    times: Sequence[datetime]
    token: str | None = None
    total: int | None = None
    capped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The items of one request and the notes to save with them.

    `covers` is set with the last step of a walk: the time of which everything has been read. `more` says that the run
    ended at its bound. `empty` says that nothing came where at least the newest known item was to be expected.
    """

    items: Sequence[Any]
    notes: Notes
    covers: Span | None = None
    more: bool = False
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far a walk goes.

    `first` back on a first reading, `overlap` behind what is known, `steps` requests a run. `window` is how far back
    the upstream shows anything at all (None: no such bound): beyond it, an empty answer is no cause for doubt.
    """

    first: timedelta
    overlap: timedelta
    steps: int = RUN_STEPS
    window: timedelta | None = None


Ask = Callable[[Place], Stretch]
By = Literal["token", "time", "number"]


def newest_first(
    notes: Notes, ask: Ask, bounds: Bounds, now: datetime, since: datetime | None = None, by: By = "token"
) -> Iterator[Step]:
    """Walk down a listing whose newest items come first; `since` is how far a first reading goes back.

    `by` says how its pages hang together. "token": each leads to the next, whatever comes or goes meanwhile; one that
    is refused when a later run comes back with it starts the walk from the top. "time": the upstream obeys
    `Place.until`; every step asks from the oldest moment read (included), so that nothing can shift, and tokens serve
    only while one moment fills a whole page. "number": tokens are page numbers, under which items shift when one is
    deleted; unless the listing's total stands still, the page before is read once more.

    Raises:
        TryLater: the upstream leads round in circles.
    """
    left = bounds.steps
    if "walk" in notes:
        walk = _Walk.resumed(notes)
        for step in walk.down(ask, left, by):
            yield step
            notes = step.notes
        left -= walk.asked
        if "walk" in notes or left <= 0:
            return
    known = moment(notes.get("known"))
    floor = known - bounds.overlap if known else since or now - bounds.first
    expected = bool(known and notes.get("seen") and (bounds.window is None or known > now - bounds.window))
    fresh = _Walk(floor=floor, top=now, known=known, seen=bool(notes.get("seen")), expected=expected)
    for step in fresh.down(ask, left, by):
        # Behind the end of an older walk there is no hurry: two walks that follow each other at once never rest.
        yield step if left == bounds.steps else replace(step, more=False)


@dataclass(kw_only=True)
class _Walk:
    """A walk down from `top` to `floor`; `edge` is how far it has come, `known` what an earlier walk had read."""

    floor: datetime
    top: datetime
    known: datetime | None
    seen: bool = False
    expected: bool = False
    until: datetime | None = None
    token: str | None = None
    edge: datetime | None = None
    newest: datetime | None = None
    stuck: int = 0
    asked: int = 0
    before: tuple[Place, int | None] | None = None
    """The page before, and how long the listing was then: what is read once more where pages are numbers."""

    @staticmethod
    def resumed(notes: Notes) -> _Walk:
        """The walk that a run left unfinished."""
        kept = notes["walk"]
        return _Walk(
            floor=datetime.fromisoformat(kept["floor"]), top=datetime.fromisoformat(kept["top"]),
            known=moment(notes.get("known")), seen=bool(notes.get("seen")), token=kept.get("token"),
            stuck=kept.get("stuck", 0), until=moment(kept.get("until")), edge=moment(kept.get("edge")),
            newest=moment(kept.get("newest")), before=_Walk._page_before(kept),
        )

    @staticmethod
    def _page_before(kept: Notes) -> tuple[Place, int | None] | None:
        before = kept.get("before")
        if before is None:
            return None
        return Place(since=datetime.fromisoformat(kept["floor"]), token=before["token"]), before["total"]

    def down(self, ask: Ask, left: int, by: By) -> Iterator[Step]:
        """The steps of one run."""
        while True:
            place = Place(since=self.floor, until=self.until, token=self.token)
            place, stretch = self._asked_at(place, ask)
            items = [*self._slipped(stretch, ask, by), *stretch.items]
            self.before = (place, stretch.total) if by == "number" else None
            empty, self.expected = self.expected and not items, False
            if self._at_the_end(stretch):
                yield Step(items=items, notes=self._over(), covers=self._covers(stretch), empty=empty)
                return
            self._move(stretch, by)
            more = self.asked >= left
            yield Step(items=items, notes=self._under_way(), more=more, empty=empty)
            if more:
                return

    def _asked_at(self, place: Place, ask: Ask) -> tuple[Place, Stretch]:
        self.asked += 1
        try:
            stretch = ask(place)
        except Refused:
            if self.asked > 1 or place.token is None:
                raise
            self.until, self.edge, self.before = None, None, None  # the token of an earlier run is not valid any more
            place = Place(since=self.floor)
            stretch = ask(place)
        self.seen = self.seen or bool(stretch.times)
        self.newest = max([*stretch.times, *([self.newest] if self.newest else [])], default=None)
        return place, stretch

    def _slipped(self, stretch: Stretch, ask: Ask, by: By) -> Sequence[Any]:
        """The page before, read once more where an item may have slipped into it."""
        if by != "number" or self.before is None:
            return ()
        place, total = self.before
        if stretch.total is not None and stretch.total == total:
            return ()
        self.asked += 1
        return ask(place).items

    def _at_the_end(self, stretch: Stretch) -> bool:
        # The last item counts, not the oldest: pinned ones stand on top whatever their age.
        return stretch.token is None or bool(stretch.times and stretch.times[-1] < self.floor)

    def _move(self, stretch: Stretch, by: By) -> None:
        edge = stretch.times[-1] if stretch.times else None
        older = edge is not None and (self.edge is None or edge < self.edge)
        self.stuck = 0 if older else self.stuck + 1
        if self.stuck > LONGEST_CIRCLE or (stretch.token == self.token and not older):
            raise TryLater("The source leads round in circles. Nothing is lost: the watch goes on by itself.")
        self.edge = edge if older else self.edge
        if by == "time" and edge is not None and (self.until is None or edge < self.until):
            self.until, self.token = edge, None
        else:
            self.token = stretch.token

    def _over(self) -> Notes:
        # Where nothing was ever seen nothing is known: the next reading goes as far back as the first. Times that the
        # upstream cannot mean, of the year 1 or to come, move nothing out of what was read.
        known = max(filter(None, (self.newest, self.known)), default=None)
        known = min(max(known, self.floor), self.top) if known else None
        return {"known": known.isoformat() if known else None, "seen": self.seen}

    def _under_way(self) -> Notes:
        """Notes to go on from at the next page, and the page before it, where pages may have shifted by then."""
        walk = {"floor": self.floor, "top": self.top, "until": self.until, "edge": self.edge, "newest": self.newest}
        kept: dict[str, Any] = {name: at.isoformat() for name, at in walk.items() if at is not None}
        if self.before:
            kept["before"] = {"token": self.before[0].token, "total": self.before[1]}
        return {
            "known": self.known.isoformat() if self.known else None, "seen": self.seen,
            "walk": {**kept, "token": self.token, "stuck": self.stuck},
        }

    def _covers(self, stretch: Stretch) -> Span:
        """All down to the floor; a capped listing covers no more than it showed."""
        edge = stretch.times[-1] if stretch.times else self.edge
        hidden = stretch.capped and edge is not None and edge > self.floor
        return Span(edge if hidden and edge else self.floor, self.top)


def oldest_first(
    notes: Notes, ask: Ask, bounds: Bounds, now: datetime, since: datetime | None = None
) -> Iterator[Step]:
    """Walk up a listing whose oldest items (or changes) come first, asking always from the newest moment read.

    `ask` gets `Place.since`, that moment, included; and, while one moment fills a whole page, the upstream's token.

    Raises:
        TryLater: the upstream leads round in circles.
    """
    known, seen = moment(notes.get("known")), bool(notes.get("seen"))
    begun = known - bounds.overlap if known else since or now - bounds.first
    start, token, stuck = moment(notes.get("at")) or begun, notes.get("token"), 0
    for number in range(1, bounds.steps + 1):
        stretch = ask(Place(since=start, token=token))
        passed = [time for time in stretch.times if time <= now]  # a time to come would be waited for until it came
        edge = max(passed[-1], begun) if passed else None
        moved = edge is not None and edge > start
        stuck = 0 if moved else stuck + 1
        if not moved and stretch.token is not None and (stretch.token == token or stuck > LONGEST_CIRCLE):
            raise TryLater("The source leads round in circles. Nothing is lost: the watch goes on by itself.")
        start, token = (edge, None) if moved and edge else (start, stretch.token)
        known = max(filter(None, (known, edge)), default=None)
        last, empty = stretch.token is None, seen and number == 1 and not stretch.items
        seen = seen or bool(stretch.times)
        kept = {"known": known.isoformat() if known else None, "seen": seen}
        if last:
            yield Step(items=stretch.items, notes=kept, covers=Span(begun, now), empty=empty)
            return
        more = number == bounds.steps
        yield Step(
            items=stretch.items, notes={**kept, "at": start.isoformat(), "token": token}, more=more, empty=empty
        )


def moment(text: Any) -> datetime | None:
    """A moment as notes keep it."""
    return datetime.fromisoformat(text) if isinstance(text, str) else None
