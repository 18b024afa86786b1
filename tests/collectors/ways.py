"""Every way in which every source is asked: by default, and by what else a query or a key makes it do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from collectors.mercadolibre import BOUNDS
from tests.collectors.fakes import UPSTREAMS, Upstream
from tests.collectors.fakes.youtube import CHANNEL


def asking(text: str) -> Callable[[Upstream], None]:
    """The upstream is asked another query."""

    def change(upstream: Upstream) -> None:
        upstream.query = replace(upstream.query, text=text)

    return change


def _repository(upstream: Any) -> None:
    asking("lumbre/lumbre-app")(upstream)
    upstream.overlap = None  # its listings are ordered by the last change


def _rated(upstream: Any) -> None:
    upstream.rated = True


def _new_lemmy(upstream: Any) -> None:
    upstream.version, upstream.by = "1.0.2", "token"


def _all_posts(upstream: Any) -> None:
    asking("@foro.example")(upstream)
    upstream.by, upstream.deepest = "token", 3000


def _phrase(upstream: Any) -> None:
    asking('"lumbre"@mastodon.example')(upstream)
    upstream.by = "time"


def _feeds(upstream: Any) -> None:
    upstream.keys, upstream.enough = {}, 60  # a feed takes long to parse


def _bot(upstream: Any) -> None:
    asking("")(upstream)
    upstream.overlap, upstream.is_log, upstream.keeps = None, True, False


def _questions(upstream: Any) -> None:
    asking("questions:555")(upstream)
    upstream.tells_deletions, upstream.overlap = True, BOUNDS.overlap


WAYS: Mapping[str, Mapping[str, Callable[[Any], None]]] = {
    "discourse": {"all posts": _all_posts},
    "facebook": {"tagged": asking("tagged"), "reviews": asking("reviews")},
    "freshdesk": {"ratings": _rated},
    "github": {"repository": _repository},
    "instagram": {"tags": asking("tags"), "hashtag": asking("#cafelumbre")},
    "lemmy": {"1.0": _new_lemmy},
    "mastodon": {"phrase": _phrase},
    "mercadolibre": {"questions": _questions},
    "reddit": {"feeds": _feeds},
    "telegram": {"bot": _bot},
    "threads": {"mentions": asking("mentions")},
    "youtube": {"channel": asking(f"channel:{CHANNEL}")},
}
"""Other ways in which a source is asked, each as a change to its upstream before anything is there."""
CASES = sorted([*UPSTREAMS, *(f"{name} {way}" for name, ways in WAYS.items() for way in ways)])


def upstream_for(case: str, folder: Path) -> Upstream:
    """The upstream of a case: a source's name, perhaps with one of its other ways."""
    name, _, way = case.partition(" ")
    upstream = UPSTREAMS[name](folder)
    if way:
        WAYS[name][way](upstream)
    return upstream
