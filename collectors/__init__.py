"""The web: one module per source, each turning what an upstream says into mentions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from escucha.plugins import load, names

if TYPE_CHECKING:
    from collectors.http import WebOptions
    from escucha.source import Source, SourceFacts

GROUP = "escucha.sources"
SOURCES = {
    "file": "collectors.file:FileSource",
    "mastodon": "collectors.mastodon:MastodonSource",
    "reddit": "collectors.reddit:RedditSource",
    "rss": "collectors.rss:RssSource",
}


def open_source(name: str, web: WebOptions, keys: Mapping[str, str]) -> Source:
    """The source of that name, ready to be asked for pages. Raises NotFound, naming those that exist.

    Every source, plug-ins included, is built as `cls(web=…, keys=…)`; both are picklable, so that a run can be
    described on one machine and done on another.
    """
    source: Source = load(GROUP, SOURCES, name)(web=web, keys=keys)
    return source


def facts(name: str) -> SourceFacts:
    """What the source of that name declares about itself, without building it."""
    declared: SourceFacts = load(GROUP, SOURCES, name).facts
    return declared


def source_names() -> tuple[str, ...]:
    """The names of all sources, built in and installed, in order."""
    return tuple(sorted(names(GROUP, SOURCES)))
