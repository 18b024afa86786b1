"""Collectors that each break one promise, to see that a random life finds them out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from collectors.hackernews import HackerNewsSource
from escucha.brand import Query
from escucha.source import Cursor, Page
from tests.collectors.fakes.hackernews import HackerNewsUpstream
from tests.collectors.sequences import Life, Story, passing_folder


class Hasty(HackerNewsSource):
    """Says with its first page where its last one ends: what is killed in between is lost."""

    fault = "lost"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        read = list(super().pages(query, cursor))
        return iter([replace(page, cursor=read[-1].cursor) for page in read])


class Forgetful(HackerNewsSource):
    """Leaves out what stands last on a page."""

    fault = "lost"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        return (replace(page, mentions=page.mentions[:-1]) for page in super().pages(query, cursor))


class Renaming(HackerNewsSource):
    """Names an item after the run in which it was heard."""

    fault = "invented"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        run = f"{self._clock.now():%d%H%M%S}"
        for page in super().pages(query, cursor):
            yield replace(page, mentions=tuple(replace(m, source_id=f"{run}-{m.source_id}") for m in page.mentions))


class Redating(HackerNewsSource):
    """Takes the moment of hearing for that of saying."""

    fault = "moved"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        for page in super().pages(query, cursor):
            yield replace(page, mentions=tuple(replace(m, created_at=self._clock.now()) for m in page.mentions))


class Alarming(HackerNewsSource):
    """Says of everything that it was deleted."""

    fault = "false gone"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        for page in super().pages(query, cursor):
            yield replace(page, gone=tuple(mention.source_id for mention in page.mentions))


class Boasting(HackerNewsSource):
    """Says with every page that it covers everything."""

    fault = "not covered"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        read = list(super().pages(query, cursor))
        return iter([replace(page, covers=read[-1].covers) for page in read])


class Hurrying(HackerNewsSource):
    """Never rests."""

    fault = "endless"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        return (replace(page, more=True) for page in super().pages(query, cursor))


class Stumbling(HackerNewsSource):
    """Breaks on what has nothing new."""

    fault = "crash"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        for page in super().pages(query, cursor):
            page.mentions[0]
            yield page


class Deaf(HackerNewsSource):
    """Hears each item once, and never of its changes."""

    fault = "stale"

    heard: dict[str, Any]

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        for page in super().pages(query, cursor):
            first = [self.heard.setdefault(mention.source_id, mention) for mention in page.mentions]
            yield replace(page, mentions=tuple(first))


BROKEN: Mapping[str, Any] = {
    kind.__name__: kind
    for kind in (Hasty, Forgetful, Renaming, Redating, Alarming, Boasting, Hurrying, Stumbling, Deaf)
}
"""By name; `fault` is the kind of fault that is to be noted."""


def live_broken(name: str, seed: int) -> Story:
    """The life that a seed tells, with a broken collector for a listener."""
    broken = type(name, (BROKEN[name],), {"heard": {}})
    with passing_folder() as folder:
        return Life(name, seed, type("Canary", (HackerNewsUpstream,), {"kind": broken})(folder)).live()
