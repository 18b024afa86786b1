"""Feeds: press, blogs, forums and Google Alerts, through RSS, Atom or JSON Feed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import urlsplit

from collectors.bookmark import bookmark
from collectors.feed import Entry, Feed, Item, read_feed
from collectors.http import Answer
from collectors.online import OnlineSource
from collectors.walk import moment
from escucha.admission import is_future
from escucha.brand import Query
from escucha.errors import TryLater
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.source import Cursor, Page, SourceFacts, Span

KNOWN = 200
"""Entries that are remembered from one visit to the next: where none of them shows again, some may have been missed."""

Notes = Mapping[str, Any]


class RssSource(OnlineSource):
    """Reads a feed whole each time it has changed; feeds cannot be searched, so the terms are matched here.

    A source that is a feed at an address of its own overrides `_asked` and `_mention`.
    """

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="rss",
        title="RSS",
        query_hint="https://www.google.com/alerts/feeds/…",
        query_about=Note(
            "The address of a feed (RSS, Atom or JSON Feed). A Google Alert with delivery to “RSS feed” gives one that "
            "searches for your brand."
        ),
        needs=Note("Nothing: no key, no cost."),
        keeps=Note("What the publisher allows; most let you keep a headline, a summary and the link."),
        blind=Note(
            "What left the feed between two visits (feeds show their last 10 to 100 entries), followers and reactions. "
            "Deleted articles are not noticed."
        ),
        reach=Note("As far back as the feed shows: days for a newspaper, months for a blog."),
    )

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """One page with the whole feed, or with nothing if it has not changed; none while the feed asks for rest.

        The cursor holds the answer's validators, when it was read, and marks of the entries that it showed.
        """
        notes, now = self._notes(query, cursor), self._clock.now()
        read_at = moment(notes.get("at"))
        if read_at and read_at <= now < read_at + timedelta(seconds=notes.get("rest", 0)):
            return
        answer = self._asked(query, notes.get("validators", {}))
        if answer.unchanged:
            yield Page(cursor={**notes, "at": now.isoformat()}, covers=Span(read_at, now) if read_at else None)
            return
        feed = read_feed(answer.body, answer.url, answer.headers.get("content-type", ""))
        yield self._read(query, feed, notes, answer.validators)

    def _asked(self, query: Query, validators: Mapping[str, str]) -> Answer:
        return self._web.get(query.text, validators=validators, verdict=self._verdict)

    def _mention(self, item: Item, entry: Entry, first_seen: FirstSeen) -> Mention:
        return to_mention(item, entry, first_seen)

    def _read(self, query: Query, feed: Feed, notes: Notes, validators: Mapping[str, str]) -> Page:
        now = self._clock.now()
        first_seen = FirstSeen(notes.get("undated", {}), now)
        shown: dict[str, datetime] = {}

        def read(entry: Entry) -> Mention | None:
            mention = self._mention(feed.item(entry), entry, first_seen)
            seal = mark(mention.source_id)
            if seal in shown:
                return None  # feeds put the newest first: a repeat further down is an older state
            shown[seal] = mention.created_at
            return mention

        page = self._page(query, feed.entries, read, entry_name, None)
        emptied = bool(notes.get("known")) and not feed.entries
        known = sorted(shown, key=lambda seal: shown[seal], reverse=True)[:KNOWN]
        kept = bookmark(
            query, validators=validators, undated=first_seen.times, known=notes["known"] if emptied else known,
            at=now.isoformat(), rest=feed.rest.total_seconds(),
        )
        return replace(page, cursor=kept, covers=covered(notes, shown, now), doubt=_emptied(feed) if emptied else None)


def covered(notes: Notes, shown: Mapping[str, datetime], now: datetime) -> Span | None:
    """The time of which a feed told everything: since the last visit if it still shows an entry known from then.

    Else entries may have come and gone in between, and it is what the feed shows, from its oldest entry on.
    """
    read_at = moment(notes.get("at"))
    if read_at and not shown.keys().isdisjoint(notes.get("known", ())):
        return Span(read_at, now)
    return Span(min(*shown.values(), now), now) if shown else None


def _emptied(feed: Feed) -> TryLater:
    return TryLater(
        "The feed at {host} is empty, where it had entries before. Nothing is concluded from it, and the watch goes "
        "on.",
        host=urlsplit(feed.url).hostname or "",
    )


def mark(source_id: str) -> str:
    """A short stand-in for an entry's id, which may be long."""
    return sha256(source_id.encode(errors="replace")).hexdigest()[:12]


class FirstSeen:
    """When we first saw the entries without a usable date: their time must not move each time the feed is read."""

    def __init__(self, known: Mapping[str, str], now: datetime) -> None:
        self._known = known
        self._now = now
        self.times: dict[str, str] = {}

    def when(self, source_id: str) -> datetime:
        """The time to go by for an undated entry."""
        key = mark(source_id)
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
