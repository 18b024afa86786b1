"""What upstreams hold and ever held, to compare with what a store made of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from collectors import freshdesk, hackernews, lemmy, mastodon
from tests.collectors.fakes.freshdesk import FreshdeskUpstream
from tests.collectors.fakes.hackernews import HackerNewsUpstream
from tests.collectors.fakes.lemmy import LemmyUpstream
from tests.collectors.fakes.mastodon import MastodonUpstream
from tests.collectors.fakes.upstream import Upstream

AGAIN = 5
"""So many of the newest items lie within the overlap that every run reads again: what comes a little later does not,
and so what is lost once stays lost and is seen."""
USUAL, BURST = 12, 130
BURSTS, TOGETHER, EDITS, DELETES = 0.04, 0.1, 0.5, 0.2
"""Shares of the turns with many items at once, with all of them at one moment, with an edit, with a deletion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A source: how its listing is walked, how far behind the newest known item a run reads again.

    `parts` are the listings of which its cursor keeps notes apart; `deletes` says that items are deleted, too.
    """

    upstream: type[Upstream]
    walk: str
    overlap: timedelta
    parts: tuple[str, ...] = ()
    deletes: bool = False

    @property
    def name(self) -> str:
        """The source's name."""
        return str(self.upstream.kind.facts.name)

    def begun(self, at: datetime) -> dict[str, Any]:
        """The notes of a source that has read everything up to a moment: no first reading bounds what comes."""
        notes = {"known": at.isoformat(), "seen": False}
        return dict.fromkeys(self.parts, notes) or notes


KINDS = (
    Kind(upstream=HackerNewsUpstream, walk="newest first, by time", overlap=hackernews.BOUNDS.overlap),
    Kind(upstream=MastodonUpstream, walk="newest first, by token", overlap=mastodon.BOUNDS.overlap),
    Kind(upstream=LemmyUpstream, walk="newest first, by number", overlap=lemmy.BOUNDS.overlap, deletes=True),
    Kind(upstream=FreshdeskUpstream, walk="oldest first", overlap=freshdesk.BOUNDS.overlap, deletes=True,
         parts=("tickets", "deleted", "spam")),
)


class Held:
    """One upstream, and what a complete listener must have heard of it.

    `ever` are all ids that it ever had, oldest first; `edits` the texts that items must have by now; `gone` the ids
    that it told to be deleted (others just vanish from it).
    """

    def __init__(self, kind: Kind, folder: Path, start: datetime) -> None:
        self.kind = kind
        self.fake = kind.upstream(folder)
        self.fake.start, self.fake.spacing = start, kind.overlap / (AGAIN + 1)  # type: ignore[misc]
        self.ever: list[str] = []
        self.edits: dict[str, str] = {}
        self.gone: set[str] = set()
        self.deleted = 0

    def turn(self, dice: random.Random) -> None:
        """Some time passes: items come, the newest may change, any may go."""
        self.add(BURST if dice.random() < BURSTS else dice.randint(0, USUAL), dice.random() < TOGETHER)
        if dice.random() < EDITS:
            self.edit(dice)
        if self.kind.deletes and dice.random() < DELETES:
            self.delete(dice)

    def add(self, count: int, together: bool = False) -> None:
        """New items."""
        before = len(self.fake.items)
        self.fake.add(count, together)
        self.ever += self.fake.items[before:]

    def edit(self, dice: random.Random) -> None:
        """One of the newest items gets another text."""
        recent = [item for item in self.ever[-AGAIN:] if item in self.fake.items]
        if recent:
            item = dice.choice(recent)
            self.edits[item] = f"Lumbre corregido {len(self.ever)} {dice.randrange(10**6)}"
            self.fake.edit(item, self.edits[item])

    def delete(self, dice: random.Random) -> None:
        """Any item goes."""
        if not self.fake.items:
            return
        item = dice.choice(self.fake.items)
        self.fake.delete(item)
        self.deleted += 1
        if self.kind.parts:
            self.gone.add(item)

    def compared(self, rows: Sequence[tuple[str, str]]) -> Counter[str]:
        """What is wrong with the `(source_id, text)` that a store has, by kind of fault."""
        count, texts = Counter(identity for identity, _ in rows), dict(rows)
        return Counter({
            "lost": sum(item not in count for item in self.fake.items),
            "repeated": sum(times - 1 for times in count.values()),
            "stale": sum(texts.get(item, text) != text for item, text in self.edits.items()),
            "never_said": len(count.keys() - set(self.ever)),
            "kept_though_deleted": len(count.keys() & self.gone),
        })
