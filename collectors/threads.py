"""Threads: posts that contain a word or a topic tag, and posts that mention your profile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from collectors.graph import GraphSource, bare, item_name
from collectors.online import object_of
from collectors.pace import Allowance
from collectors.searching import Searching
from collectors.several import Walk
from collectors.translate import Abilities
from collectors.walk import Bounds, Place, Stretch, newest_first
from escucha.admission import admit_all
from escucha.brand import Query
from escucha.errors import Refused
from escucha.mention import Author, Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Page, SourceFacts

FIELDS = "id,text,media_type,permalink,timestamp,username,has_replies,is_quote_post,is_reply"
LIMIT = 50
REPOST = "REPOST_FACADE"
BOUNDS = Bounds(first=timedelta(days=30), overlap=timedelta(days=1))
SEARCHES = Allowance(limit=2200, name="searches")
"""A day, for one person across all apps; a search that finds nothing is not counted there, but here it is."""
LANGUAGE = re.compile(r'[#"()*:]|(?<!\S)-|\b(?:AND|OR|NOT|Y|O|NO|O?NEAR)\b')
"""Signs by which a query is told from a topic, whose name may hold spaces."""
FIRST_DAY = datetime(2023, 7, 5, 12, tzinfo=UTC)
"""The earliest `since` that Threads takes."""


class ThreadsSource(Searching, GraphSource):
    """Searches Threads, or reads the mentions of one's own profile."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="threads",
        title="Threads",
        query_hint="cafés lumbre",
        query_about=Note(
            "Words to search for, in the query language; or one topic such as #cafelumbre, or mentions (of your own "
            "profile)."
        ),
        access="approval",
        needs=Note(
            "An app of your own at developers.facebook.com and a Threads profile. Until Meta approves the permission "
            "threads_keyword_search, a search looks through your own posts only, so it brings nothing here; mentions "
            "then come from the app's testers only. No cost. 2,200 searches a day."
        ),
        keeps=Note(
            "What the permission covers, as long as it exists there. Posts are looked for every 7 days, and those that "
            "Threads says are gone are removed."
        ),
        blind=Note(
            "Private profiles, followers, likes, and posts with words that Threads finds offensive: those it answers "
            "with an empty list. Your own posts are left out."
        ),
        reach=Note("Since July 2023, as far as the search shows."),
        needs_credentials=(
            Credential(name="access_token", about=Note("A long-lived Threads access token; it holds 60 days.")),
        ),
        searches=True,
        recheck_days=7,
        recheck_batch=25,
        fastest=900,
        renew_days=50,
    )
    base: ClassVar[str] = "https://graph.threads.net"
    version: ClassVar[str] = "v1.0"
    abilities: ClassVar[Abilities] = Abilities(quotes=None, longest=200, tells=frozenset({"url"}))
    permissions: ClassVar[str] = "threads_basic, threads_keyword_search, threads_manage_mentions"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Posts newer than the cursor, less an overlap, without one's own and without mere reposts."""
        own: list[str] = []
        now = self._clock.now()

        def walk(text: str) -> Walk:
            search = read_query(text)

            def ask(place: Place) -> Stretch:
                own[:] = own or [self._own_name()]
                return self._mentions(place) if search is None else self._found(search, place)

            return lambda notes: newest_first(notes, ask, BOUNDS, now, query.since)

        def read(item: Any) -> Mention | None:
            if item.get("media_type") == REPOST or item.get("username") in own:
                return None
            mention = to_mention(item)
            return mention if mention.text else None

        return self._walked(query, self._each(query, cursor, walk), read, item_name)

    @classmethod
    def part(cls, text: str) -> slice | None:
        """All but the name of one's own mentions, and a topic by itself."""
        asked = " ".join(text.split())
        topic = asked.startswith("#") and not LANGUAGE.search(asked[1:])
        return None if topic or asked.casefold() == "mentions" else super().part(text)

    @classmethod
    def understood(cls, text: str) -> dict[str, str] | None:
        """What to search for. Raises Refused."""
        return read_query(text)

    def _own_name(self) -> str:
        return str(object_of(self._graph("me", {"fields": "id,username"})).get("username") or "")

    def _found(self, search: Mapping[str, str], place: Place) -> Stretch:
        self._web.spend(self._host, 1, SEARCHES)
        return self._stretch("keyword_search", {**search, "search_type": "RECENT", **_bounds(place)}, place, when)

    def _mentions(self, place: Place) -> Stretch:
        return self._stretch("me/mentions", _bounds(place), place, when)

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for the posts by their ids.

        Whether Threads shows posts of others by their ids depends on the permission. So one that is not there counts
        as gone only where another of the same author still is, or where posts of two authors are, of whom one at least
        is not oneself.
        """
        asked = {mention.source_id: mention for mention in mentions}
        found, absent = self._looked_up(tuple(asked), FIELDS) if asked else ({}, set())
        seen = {_author_of(asked[identity]) for identity in found}
        gone = {identity for identity in absent if len(seen) > 1 or _author_of(asked[identity]) in seen}
        told = [identity for identity, post in found.items() if post.get("text") and "timestamp" in post]
        fresh, _ = admit_all(told, lambda i: to_mention({**(asked[i].raw or {}), **bare(found[i])}), str)
        return Checked(gone=frozenset(gone), fresh=fresh)

    def renew(self) -> Mapping[str, str]:
        """A key that holds 60 days from now. The given one must be a day old at least, and not have run out.

        Raises:
            TryLater, Refused: as for any request.
        """
        params = {"grant_type": "th_refresh_token", "access_token": self._key("access_token")}
        token = object_of(self._get("refresh_access_token", params)).get("access_token")
        if not isinstance(token, str) or not token:
            raise Refused("Threads did not renew the key. Enter a new one on the page Sources and resume the watch.")
        return {"access_token": token}


def read_query(text: str) -> dict[str, str] | None:
    """What to search for, or None for mentions. Raises Refused where the query names nothing."""
    asked = " ".join(text.split())
    if asked.casefold() == "mentions":
        return None
    tag = asked.startswith("#")
    words = asked.removeprefix("#").strip() if tag else asked
    if not words or "#" in words or len(words) > 200:
        raise Refused(
            "Write what Threads is to search for: words such as cafés lumbre, one topic such as #cafelumbre, or "
            "mentions for posts that mention your profile."
        )
    return {"q": words, "search_mode": "TAG" if tag else "KEYWORD"}


def _bounds(place: Place) -> dict[str, str]:
    since = max(place.since, FIRST_DAY)
    return {"fields": FIELDS, "limit": str(LIMIT), "since": str(int(since.timestamp()))}


def when(item: Any) -> datetime:
    """The moment of a post."""
    return datetime.fromisoformat(item["timestamp"])


def to_mention(item: Mapping[str, Any]) -> Mention:
    """Map a post. Threads tells neither likes nor followers, and not what a reply answers."""
    name = item.get("username")
    return Mention(
        source="threads",
        source_id=item["id"],
        kind="comment" if item.get("is_reply") else "post",
        text=item.get("text") or "",
        url=item.get("permalink"),
        created_at=when(item),
        author=Author(id=name, handle=name, url=f"https://www.threads.com/@{name}") if name else None,
        raw=item,
    )


def _author_of(mention: Mention) -> str | None:
    return mention.author.id if mention.author else None
