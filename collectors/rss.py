"""Feeds: press, blogs, forums and Google Alerts, through RSS, Atom or JSON Feed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

import httpx

from collectors.bookmark import bookmark, notes_of
from collectors.clock import WALL, Clock
from collectors.feed import Entry, Item, read_feed
from collectors.http import Web, WebOptions
from escucha.admission import admit, admit_all, is_future
from escucha.brand import Query
from escucha.mention import Author, Engagement, Mention
from escucha.source import Cursor, Page, SourceFacts
from escucha.text import mentions_any


class RssSource:
    """Reads a feed whole each time it has changed; feeds cannot be searched, so the terms are matched here."""

    facts: ClassVar[SourceFacts] = SourceFacts(name="rss", query_hint="https://www.google.com/alerts/feeds/…")

    def __init__(
        self,
        *,
        web: WebOptions,
        keys: Mapping[str, str],  # noqa: ARG002 (feeds need none)
        transport: httpx.BaseTransport | None = None,
        clock: Clock = WALL,
    ) -> None:
        self._web = Web(web, clock=clock, transport=transport)
        self._clock = clock

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """One page with the whole feed, or none if it has not changed. The cursor holds the answer's validators."""
        notes = notes_of(query, cursor)
        answer = self._web.get(query.text, validators=notes.get("validators", {}))
        if answer.unchanged:
            return
        feed = read_feed(answer.body, answer.url, answer.headers.get("content-type", ""))
        first_seen = FirstSeen(notes.get("undated", {}), self._clock.now())

        def read(entry: Entry) -> Mention | None:
            mention = admit(to_mention(feed.item(entry), entry, first_seen), self._clock.now())
            return mention if mentions_any(f"{mention.title} {mention.text}", query.terms) else None

        mentions, refusals = admit_all(feed.entries, read, entry_name)
        unique = tuple({mention.source_id: mention for mention in reversed(mentions)}.values())[::-1]
        notes = bookmark(query, validators=answer.validators, undated=first_seen.times)
        yield Page(mentions=unique, cursor=notes, refusals=refusals)


class FirstSeen:
    """When we first saw the entries without a usable date: their time must not move each time the feed is read."""

    def __init__(self, known: Mapping[str, str], now: datetime) -> None:
        self._known = known
        self._now = now
        self.times: dict[str, str] = {}

    def when(self, source_id: str) -> datetime:
        """The time to go by for an undated entry."""
        key = sha256(source_id.encode(errors="replace")).hexdigest()[:12]
        self.times[key] = self._known.get(key, self._now.isoformat())
        return datetime.fromisoformat(self.times[key])

    def usable(self, moment: datetime | None) -> datetime | None:
        """A feed's time, unless it lies in the future."""
        return moment if moment and not is_future(moment, self._now) else None


def entry_name(entry: Any) -> str:
    """How a refused entry is named to a person."""
    get = entry.get if hasattr(entry, "get") else {}.get
    return str(get("id") or get("link") or get("url") or get("title") or "entry")[:200]


def source_id(item: Item) -> str:
    """The entry's own id, else a hash of its address and title."""
    if item.id:
        return item.id
    return sha256(f"{item.url or ''}\n{item.title}".encode(errors="replace")).hexdigest()[:32]


def to_mention(item: Item, entry: Entry, first_seen: FirstSeen) -> Mention:
    """Map an entry. `raw["date_from"]` says "fetch" where the feed's own time could not be used."""
    identity = source_id(item)
    published = first_seen.usable(item.published)
    return Mention(
        source="rss",
        source_id=identity,
        kind="article",
        title=item.title or None,
        text=item.text,
        lang=item.lang,
        url=item.url,
        created_at=published or first_seen.when(identity),
        author=Author(id=item.author, handle=item.author, name=item.author) if item.author else None,
        engagement=Engagement(comments=item.comments),
        raw={**entry, "date_from": "feed" if published else "fetch"},
    )
