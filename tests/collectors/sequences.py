"""Random lives of an upstream and of who listens to it, beside a model of what must have been heard.

A life is a sequence of steps: items come, change and go, time passes, and runs end well, are killed, or fail. After
each run that came to its end, and at the end of the life, what was heard is held against what is there. A seed tells
all of it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from escucha.errors import EscuchaError, SourceError, TryLater
from escucha.mention import Mention
from escucha.source import Page, Span
from tests.collectors.fakes.upstream import NOW, Upstream
from tests.collectors.ways import upstream_for
from tests.collectors.world import FIRST, MARK, World

MEMORY = Path("/dev/shm")
EARLIEST = datetime.min.replace(tzinfo=UTC)
NIGHT = (21_600, 72_000)
"""Seconds of a long pause: longer than most sources look back."""
LONGEST = timedelta(days=3)
"""So long there are long pauses: what some upstreams show for seven days alone is to be heard at the end of a life."""
MOST = 200
"""Items that come in a life, besides those it begins with and one flood."""
HUGE = 25
"""Every so many seeds a life begins with more than one run reads."""
HURRIES = 3
"""Runs that may ask to be followed at once where nothing has changed."""
ENDLESS = 15


@dataclass(frozen=True, slots=True)
class Fault:
    """A promise that was broken: its kind, and what happened."""

    kind: str
    said: str


@dataclass(kw_only=True)
class Story:
    """What happened in a life, and what was wrong about it."""

    case: str
    seed: int
    steps: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    requests: int = 0

    def fault(self, kind: str, said: str) -> None:
        """Note a fault, with the step at which it was seen."""
        if len(self.faults) < 20:
            self.faults.append(Fault(kind, f"step {len(self.steps)}: {said}"))

    def __str__(self) -> str:
        faults = "".join(f"\n  {fault.kind}: {fault.said}" for fault in self.faults)
        return f"{self.case}, seed {self.seed}:{faults}\nafter\n  " + "\n  ".join(self.steps)


class Listener:
    """What is kept of the pages that were saved, as the store keeps it."""

    def __init__(self) -> None:
        self.heard: dict[str, Mention] = {}
        self.gone: set[str] = set()
        self.cursor: Any = None

    def take(self, page: Page, key: Callable[[Mention], str]) -> None:
        """Save a page together with where to go on."""
        self.heard |= {key(mention): mention for mention in page.mentions}
        self.gone |= set(page.gone)
        if page.cursor is not None:
            self.cursor = json.loads(json.dumps(page.cursor))


class Life:
    """A world, who listens to it, and what is expected of them."""

    def __init__(self, case: str, seed: int, upstream: Upstream) -> None:
        self.dice = random.Random(f"{case} {seed}")
        self.world = World(upstream, self.dice)
        self.upstream = upstream
        self.world.ahead = timedelta(seconds=self.dice.choice([0, 0, 0, 40]))
        self.since = NOW - FIRST / 2 if self.dice.random() < 0.15 else None
        upstream.query = replace(upstream.query, since=self.since)
        self.story = Story(case=case, seed=seed)
        self.listener = Listener()
        self.told_at: dict[tuple[str, int], datetime] = {}
        self.owed: dict[str, int] = {}
        self.begun = NOW
        self.hurries = 0
        self.covered: Span | None = None
        self.flooded = False
        self.eager = False
        """Whether the next step is a run that is killed: most is lost where there is most to read."""

    def live(self) -> Story:
        """The whole life, with its story."""
        self._begin()
        acts = [act for act, weight in self._acts().items() for _ in range(weight)]
        for _ in range(self.dice.randint(15, 40)):
            self.world.wait(self._pause())
            act = self._cut if self.eager else self.dice.choice(acts)
            self.eager = False
            self._note(act())
        self._end()
        self.story.requests = len(self.upstream.requests)
        return self.story

    def _acts(self) -> Mapping[Callable[[], str], int]:
        acts = {
            self._come: 10, self._flood: 2, self._run: 5, self._cut: 7, self._busy: 4, self._fail: 4, self._look: 2,
        }
        acts |= {self.world.edit: 6} if self.upstream.edits else {}
        return acts | ({self.world.delete: 4} if self.upstream.deletes else {})

    def _begin(self) -> None:
        upstream, together = self.upstream, self.dice.random() < 0.1
        count = self.dice.choice([0, 3, *[upstream.enough] * 4])
        if self.story.seed % HUGE == HUGE - 1:
            together, count = False, min(9 * upstream.enough, upstream.deepest - MOST - upstream.enough)
        if count:
            self._note(self.world.add(count, together))
        self.eager = self.dice.random() < 0.5

    def _note(self, said: str) -> None:
        self.story.steps.append(f"{len(self.story.steps) + 1}. {self.world.now:%d %H:%M:%S} {said}")

    def _pause(self) -> int:
        pauses = [(1, 1), (1, 60), (1, 60), (60, 1800), (60, 1800), (3600, 21_600)]
        pauses += [NIGHT] if self.world.now - NOW < LONGEST else []
        return self.dice.randint(*self.dice.choice(pauses))

    # What happens there

    def _come(self) -> str:
        room = MOST - len(self.world.came) + (self.upstream.enough if self.flooded else 0)
        return self.world.add(min(self.dice.randint(0, 30), max(room, 1)), self.dice.random() < 0.15)

    def _flood(self) -> str:
        """More than a page in a night, or at once."""
        if self.flooded:
            return self._come()
        self.flooded = True
        self.eager = self.dice.random() < 0.5
        self.world.wait(self.dice.randint(*NIGHT))
        return f"a flood: {self.world.add(self.upstream.enough, self.dice.random() < 0.2)}"

    def _events(self) -> list[Callable[[], object]]:
        """What may happen during one run.

        Where pages are numbers, what goes between two requests and what comes between the next two hide an item from
        whatever a reader does, until the overlap is read again: so there it is one or the other.
        """
        come: list[Callable[[], object]] = [lambda: self.world.add(self.dice.randint(1, 5))]
        come += [self.world.edit] if self.upstream.edits else []
        go: list[Callable[[], object]] = [self.world.delete] * 2 if self.upstream.deletes else []
        return self.dice.choice([come, go or come]) if self.upstream.by == "number" else come + go

    # How it is listened to

    def _run(self) -> str:
        """A run; where it came no further than to the end of what an older one began, another after it."""
        begun = self.world.now
        whole = self._hear(self.listener)
        if whole and not self._is_up_to(begun):
            self.world.wait(60)
            whole = self._hear(self.listener)
        if whole:
            self._settle(self.listener)
        return "a run" if whole else "a run that was refused"

    def _is_up_to(self, moment: datetime) -> bool:
        until = self.covered.end if self.covered else moment
        kept = json.dumps(self.listener.cursor)
        return '"walk":' not in kept and '"round":' not in kept and until >= moment

    def _cut(self) -> str:
        read = self.dice.choice([1, 1, 2, 3, 4])
        kept = read if self.dice.random() < 0.7 else self.dice.randint(0, read)
        self._with_events(0.3)
        self._hear(self.listener, cut=read, kept=kept)
        return f"a run that was killed after {read} pages, {kept} of them saved"

    def _busy(self) -> str:
        self._with_events(1.0)
        self._hear(self.listener)
        return "a run while things happened"

    def _fail(self) -> str:
        world = self.world
        after = self.dice.choice([None, "30", "120", "900"])
        headers = {"Retry-After": after} if after else {}
        world.failure = (self.dice.choice([429, 429, 503, 503, 403]), headers)
        world.spared, world.lasts = self.dice.randint(0, 6), self.dice.choice([1, 3, -1, -1])
        self._with_events(0.2)
        self._hear(self.listener)
        said = f"a run that failed with {world.failure} after {world.spared} requests, for {world.lasts}"
        world.failure = None
        return said

    def _look(self) -> str:
        """A second look at what was heard."""
        source, listener = self.upstream.source(), self.listener
        self.begun = self.world.now
        known = [item for item in listener.heard if item not in listener.gone]
        if source.facts.recheck_days is None or not known:
            return "no second look"
        asked = self.dice.sample(sorted(known), min(len(known), source.facts.recheck_batch))
        self.world.ticks, self.world.spared, self.world.lasts = 0, self.dice.randint(0, 3), -1
        self.world.failure = (503, {}) if self.dice.random() < 0.2 else None
        try:
            checked = source.recheck([listener.heard[item] for item in asked])
        except Exception as error:
            self._failed(error)
            return "a second look that failed"
        finally:
            self.world.failure = None
        self._hear_gone(checked.gone)
        for mention in checked.fresh:
            if self._key(mention) not in asked:
                self.story.fault("invented", f"a second look tells {mention.source_id}, which was not asked for")
            self._judge(mention)
        listener.take(Page(mentions=checked.fresh, gone=tuple(checked.gone)), self._key)
        return f"a second look at {len(asked)}"

    def _with_events(self, chance: float) -> None:
        count = self.dice.randint(1, 4) if self.dice.random() < chance else 0
        acts = self._events()
        self.world.events = {self.dice.randint(1, 8): self.dice.choice(acts) for _ in range(count)}

    def _hear(self, listener: Listener, cut: int | None = None, kept: int | None = None) -> bool:
        """A run as the pipeline makes it; whether it came to its end. Of a killed one `kept` pages are saved."""
        world, read = self.world, 0
        world.ticks, world.asked_at, self.hurries, self.covered = 0, world.now, 0, None
        while True:
            self.begun, more = world.now, False
            try:
                for page in self.upstream.source().pages(self.upstream.query, listener.cursor):
                    read += 1
                    self._judge_page(page)
                    if kept is None or read <= kept:
                        listener.take(page, self._key)
                        self._judge_span(page, listener)
                        self.covered = page.covers or self.covered
                    more = page.more
                    if read == cut:
                        world.events = {}
                        return False
                    if not self.upstream.over_http:
                        world.tick()
            except Exception as error:
                self._failed(error)
                world.events = {}
                return False
            if not more:
                world.events = {}
                return True
            self.hurries += 1
            if self.hurries > ENDLESS:
                self.story.fault("endless", f"{self.hurries} runs ask to be followed at once")
                return False
            world.wait(1)

    def _failed(self, error: Exception) -> None:
        """A run may fail where something failed, where it is to wait, and where there is nothing at all."""
        world = self.world
        expected = world.failure is not None or world.now < world.held
        if isinstance(error, SourceError) and expected:
            return
        if isinstance(error, TryLater) and error.message.startswith("The allowance"):
            world.held = world.now + timedelta(seconds=error.after or 0)
            return
        if isinstance(error, EscuchaError) and not self.upstream.shown:
            return
        self.story.fault("error" if isinstance(error, EscuchaError) else "crash", f"{type(error).__name__}: {error}")

    # What is expected

    def _key(self, mention: Mention) -> str:
        return next(iter(self.upstream.ids_of([mention])))

    def _judge_page(self, page: Page) -> None:
        keys = [mention.source_id for mention in page.mentions]
        if len(set(keys)) < len(keys):
            self.story.fault("twice", f"a page has {len(keys) - len(set(keys))} keys twice")
        for refusal in page.refusals:
            self.story.fault("refused", f"{refusal.where}: {refusal.why}")
        for mention in page.mentions:
            self._judge(mention)
        self._hear_gone(page.gone)

    def _hear_gone(self, gone: Any) -> None:
        for item in set(gone) & set(self.upstream.items):
            self.story.fault("false gone", f"{item} is said to be gone, and is there")

    def _judge(self, mention: Mention) -> None:
        """One mention: of something that is there, in words that it had, and always of one time."""
        world, item = self.world, self._key(mention)
        if item not in world.came:
            self.story.fault("invented", f"{mention.source_id} was never there")
            return
        if item in world.went and world.went[item] < self.begun and not self.upstream.is_log:
            self.story.fault("ghost", f"{item} went at {world.went[item]}, and is told at {self.begun}")
        version = self._version(mention, item)
        for key in [(item, version), *([] if self.upstream.redates else [(item, -1)])]:
            first = self.told_at.setdefault(key, mention.created_at)
            if abs(first - mention.created_at) > world.ahead:  # a time to come is brought back to now
                self.story.fault("moved", f"{item} was of {first}, and is now of {mention.created_at}")

    def _version(self, mention: Mention, item: str) -> int:
        """Which of the item's texts a mention has: 0 is the first."""
        _, marked, rest = f"{mention.title} {mention.text}".partition(f"{MARK} ")
        if not marked:
            return 0
        owner, version = self.world.marks[int(rest.partition(" ")[0])]
        if owner != item:
            self.story.fault("mixed up", f"{item} is told with the words of {owner}")
        return version

    def _judge_span(self, page: Page, listener: Listener) -> None:
        """Of the time that a page says it covers, everything that was there by then was heard."""
        span, world = page.covers, self.world
        if span is None:
            return
        for item in self.upstream.shown:
            if item in listener.heard or world.came[item] > span.end or world.changed.get(item, span.end) > span.end:
                continue
            if span.start <= world.moments[item] <= span.end:
                self.story.fault("not covered", f"{item} of {world.moments[item]} in {span.start} to {span.end}")

    def _settle(self, listener: Listener) -> None:
        """After a run to the end: everything is heard, in its newest words as far back as edits are heard."""
        world, upstream = self.world, self.upstream
        since = self.since or EARLIEST
        due = [item for item in upstream.due if since <= world.moments[item] <= self.begun]
        missing = [item for item in due if item not in listener.heard]
        if missing:
            self.story.fault("lost", f"{len(missing)} items, such as {missing[0]} of {world.moments[missing[0]]}")
        newest = max(world.moments.values(), default=world.now)
        back_to = upstream.heard_again(newest, world.now)
        owed = self.owed if listener is self.listener else {}
        for item in due:
            if world.moments[item] >= back_to:
                owed[item] = world.version[item]
            if item in listener.heard and self._version(listener.heard[item], item) < owed.get(item, 0):
                self.story.fault("stale", f"{item} of {world.moments[item]} has not the words of {world.changed[item]}")
        if upstream.tells_deletions:
            for item in (world.went.keys() & listener.heard.keys()) - listener.gone:
                if world.moments[item] < back_to:
                    continue
                self.story.fault("kept", f"{item} went, and nothing was said of it")

    def _end(self) -> None:
        """Honest runs until it rests, a quiet one, and a reading from the start."""
        world = self.world
        world.wait(self.dice.choice([1, 21_600]))
        self._rest()
        world.wait(60)
        before, asked = dict(self.listener.heard), len(self.upstream.requests)
        self._rest()
        quiet = len(self.upstream.requests) - asked
        if self.hurries > HURRIES:
            self.story.fault("endless", f"{self.hurries} runs ask to be followed at once, though nothing happened")
        if _said(before) != _said(self.listener.heard):
            self.story.fault("restless", "a quiet run brings something else")
        world.wait(60)
        if self.upstream.keeps:
            self._read_anew(quiet)

    def _rest(self) -> None:
        """A run that comes to its end, after what it may have to wait for."""
        for _ in range(3):
            self.world.now = max(self.world.now, self.world.held)
            said = self._run()
            self._note(f"at last {said}")
            if said == "a run":
                return
        if self.upstream.shown:
            self.story.fault("error", "no run comes to its end any more")

    def _read_anew(self, quiet: int) -> None:
        reader, asked = Listener(), len(self.upstream.requests)
        if not self._hear(reader):
            return
        self._settle(reader)
        for item in self.upstream.due:
            if item in reader.heard and self._version(reader.heard[item], item) < self.world.version[item]:
                self.story.fault("stale", f"a reading from the start has not the newest words of {item}")
        whole = len(self.upstream.requests) - asked
        if self.since is None and quiet > 4 * whole + 10:  # up to two runs, each with pages read twice
            self.story.fault("endless", f"a quiet run asks {quiet} times, a reading from the start {whole} times")


def _said(heard: Mapping[str, Mention]) -> dict[str, tuple[str | None, str]]:
    return {item: (mention.title, mention.text) for item, mention in heard.items()}


def live(case: str, seed: int) -> Story:
    """The life that a seed tells, of a case's upstream."""
    with passing_folder() as folder:
        return Life(case, seed, upstream_for(case, folder)).live()


@contextmanager
def passing_folder() -> Iterator[Path]:
    """A folder for one life, in memory where there is such a place: every request writes its pace down there."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)
