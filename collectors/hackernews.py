"""Hacker News: stories and comments that its search finds, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from collectors.online import list_of, moments_of, object_of
from collectors.plain import plain
from collectors.searching import Searching
from collectors.several import Walk
from collectors.translate import Abilities
from collectors.walk import Bounds, Place, Stretch, newest_first
from escucha.brand import Query
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.source import Checked, Cursor, Page, SourceFacts

LIMIT = 100
BOUNDS = Bounds(first=timedelta(days=30), overlap=timedelta(hours=6))
"""The search indexes most items within minutes; six hours behind the newest known it is asked again."""


class HackerNewsSource(Searching):
    """Searches through Algolia, which shows about 1,000 hits of a query: so it is asked by stretches of time."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="hackernews",
        title="Hacker News",
        query_hint='"cafés lumbre"',
        query_about=Note("Words to search for, in the query language."),
        needs=Note("Nothing: no key, no cost. 10,000 requests an hour."),
        keeps=Note("Posts as long as they exist there; deleted ones are looked for every 7 days and removed."),
        blind=Note("Followers (karma is no audience), and posts that do not name the words."),
        reach=Note("Everything since 2007."),
        searches=True,
        recheck_days=7,
    )
    base: ClassVar[str] = "https://hn.algolia.com"
    abilities: ClassVar[Abilities] = Abilities(accents="folded", tells=frozenset({"title", "engagement", "url"}))

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Hits newer than the cursor, less an overlap."""
        now = self._clock.now()

        def walk(words: str) -> Walk:
            ask = partial(self._stretch, words)
            return lambda notes: newest_first(notes, ask, BOUNDS, now, query.since, by="time")

        return self._walked(query, self._each(query, cursor, walk), to_mention, hit_name)

    def _stretch(self, words: str, place: Place) -> Stretch:
        bounds = [f"created_at_i>={int(place.since.timestamp())}"]
        if place.until:
            bounds.append(f"created_at_i<={int(place.until.timestamp())}")
        page = int(place.token or 0)
        answer = self._get("/api/v1/search_by_date", {
            "query": words, "tags": "(story,comment)", "numericFilters": ",".join(bounds), "page": str(page),
            "hitsPerPage": str(LIMIT), "typoTolerance": "false", "advancedSyntax": "true",
        })  # fmt: skip
        hits, pages = list_of(answer, "hits"), answer.get("nbPages")
        more = bool(hits) and isinstance(pages, int) and page + 1 < pages
        return Stretch(items=hits, times=moments_of(hits, when), token=str(page + 1) if more else None)

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for the items as Hacker News has them: null, deleted or dead ones are gone."""
        base = self._keys.get("base_url") or "https://hacker-news.firebaseio.com"
        gone = set()
        for mention in mentions:
            item = self._get(f"{base}/v0/item/{mention.source_id}.json")
            if item is None or object_of(item).get("deleted") is True or item.get("dead") is True:
                gone.add(mention.source_id)
        return Checked(gone=frozenset(gone))


def when(hit: Any) -> datetime:
    """The moment by which the search is ordered."""
    return datetime.fromtimestamp(hit["created_at_i"], UTC)


def hit_name(hit: Any) -> str:
    """How a refused hit is named to a person."""
    return f"item {hit.get('objectID')}" if isinstance(hit, dict) else "item"


def to_mention(hit: dict[str, Any]) -> Mention:
    """Map a hit. Karma is not followers; the language of the site is English, but is found out like any other."""
    comment = hit.get("comment_text")
    identity = hit["objectID"]
    return Mention(
        source="hackernews",
        source_id=identity,
        kind="post" if comment is None else "comment",
        title=hit.get("title") or None,
        text=plain(comment or hit.get("story_text") or ""),
        url=f"https://news.ycombinator.com/item?id={identity}",
        created_at=when(hit),
        author=Author(id=hit["author"], handle=hit["author"],
                      url=f"https://news.ycombinator.com/user?id={hit['author']}"),
        engagement=Engagement(likes=hit.get("points"), comments=hit.get("num_comments")),
        parent_id=str(hit["parent_id"]) if hit.get("parent_id") else None,
        raw={name: value for name, value in hit.items() if name != "_highlightResult"},
    )
