"""Mastodon: the public posts under a hashtag of one server, with their authors' followers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import httpx

from collectors.bookmark import bookmark, notes_of
from collectors.clock import WALL, Clock
from collectors.http import Answer, Web, WebOptions
from collectors.plain import plain
from escucha.admission import admit, admit_all
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.mention import Author, Engagement, Mention
from escucha.source import Cursor, Page, SourceFacts
from escucha.text import mentions_any

LIMIT = 40
FIRST_PAGES = 10
"""How far back a new watch looks: 400 posts."""
RUN_PAGES = 50
"""Forward pages of one run; the next run goes on from there."""
LATE_MS = 3_600_000
"""Posts of other servers arrive late, with an id of the time they were written: each run looks an hour back."""

Post = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashtag:
    """A hashtag on one server, whose `base` is its address."""

    tag: str
    base: str


class MastodonSource:
    """Reads a hashtag's timeline: back once, then forward without gaps (`min_id`)."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="mastodon", query_hint="cafe@mastodon.social", recheck_days=30, followers_in_answer="yes"
    )

    def __init__(
        self,
        *,
        web: WebOptions,
        keys: Mapping[str, str],
        transport: httpx.BaseTransport | None = None,
        clock: Clock = WALL,
    ) -> None:
        self._web = Web(web, clock=clock, transport=transport)
        self._token = keys.get("token", "")
        self._clock = clock

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Posts since the cursor, oldest first; without one the newest 400, whose cursor comes with the last page."""
        hashtag = read_hashtag(query.text)
        newest = notes_of(query, cursor).get("min_id")
        return self._forward(query, hashtag, newest) if newest else self._back(query, hashtag)

    def _back(self, query: Query, hashtag: Hashtag) -> Iterator[Page]:
        posts = self._posts(hashtag, {})
        newest = max(ids(posts), key=_order, default=None)
        for step in range(1, FIRST_PAGES + 1):
            if newest is None or not ids(posts):
                return
            oldest = min(ids(posts), key=_order)
            older = self._posts(hashtag, {"max_id": oldest}) if step < FIRST_PAGES else []
            if not ids(older) or _order(min(ids(older), key=_order)) >= _order(oldest):
                yield self._page(query, hashtag, posts, bookmark(query, min_id=newest))
                return
            yield self._page(query, hashtag, posts, None)
            posts = older

    def _forward(self, query: Query, hashtag: Hashtag, newest: str) -> Iterator[Page]:
        position = overlapped(newest)
        for _ in range(RUN_PAGES):
            posts = self._posts(hashtag, {"min_id": position})
            reached = max(ids(posts), key=_order, default=position)
            if _order(reached) <= _order(position):
                return
            position = reached
            newest = max(newest, reached, key=_order)
            yield self._page(query, hashtag, posts, bookmark(query, min_id=newest))

    def _posts(self, hashtag: Hashtag, position: dict[str, str]) -> list[Post]:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        url = f"{hashtag.base}/api/v1/timelines/tag/{quote(hashtag.tag)}"
        return read_posts(self._web.get(url, params={"limit": str(LIMIT), **position}, headers=headers))

    def _page(self, query: Query, hashtag: Hashtag, posts: list[Post], cursor: Cursor | None) -> Page:
        server = urlsplit(hashtag.base).netloc

        def read(post: Post) -> Mention | None:
            return wanted(query, admit(to_mention(post, server), self._clock.now())) if is_public(post) else None

        mentions, refusals = admit_all(posts, read, post_name)
        return Page(mentions=mentions, cursor=cursor, refusals=refusals)


def read_hashtag(text: str) -> Hashtag:
    """`cafe@mastodon.social`, with or without `#`; an address (`cafe@http://127.0.0.1:3000`) for another scheme."""
    tag, _, server = text.strip().lstrip("#").partition("@")
    base = server.rstrip("/") if server.startswith(("http://", "https://")) else f"https://{server.rstrip('/')}"
    if not re.fullmatch(r"[\w·]+", tag) or not re.fullmatch(r"https?://[^\s/@?#]+", base):
        raise Refused(
            "The query {query} is no hashtag of a server. Write it as cafe@mastodon.social.", query=text.strip()
        )
    return Hashtag(tag=tag, base=base)


def read_posts(answer: Answer) -> list[Post]:
    """The posts of an answer. Raises Refused for a web page, TryLater for an answer that broke off."""
    host = urlsplit(answer.url).hostname or ""
    try:
        posts = json.loads(answer.body)
    except (ValueError, RecursionError):
        if answer.body.lstrip()[:1] == b"<":
            raise _no_mastodon(host) from None
        raise TryLater(
            "The answer of {host} broke off. Nothing is lost: the watch goes on by itself.", host=host
        ) from None
    if not isinstance(posts, list):
        raise _no_mastodon(host)
    return posts


def _no_mastodon(host: str) -> Refused:
    return Refused("{host} does not answer as a Mastodon server. Check the part of the query behind @.", host=host)


def ids(posts: list[Post]) -> list[str]:
    """The local ids of a page; a mangled post has none."""
    return [str(post["id"]) for post in posts if isinstance(post, dict) and post.get("id")]


def _order(local_id: str) -> tuple[int, str]:
    return len(local_id), local_id


def overlapped(newest: str) -> str:
    """The id to go on from: an hour before the newest, where ids are Mastodon's (milliseconds, shifted 16 bits)."""
    return str(max(0, int(newest) - (LATE_MS << 16))) if newest.isascii() and newest.isdigit() else newest


def is_public(post: Post) -> bool:
    """Whether a post may be listened to: its author's own words, public, and not kept from search engines."""
    return not post.get("reblog") and post["visibility"] == "public" and not post["account"].get("noindex")


def wanted(query: Query, mention: Mention) -> Mention | None:
    """The mention, if it holds one of the query's terms."""
    return mention if mentions_any(mention.text, query.terms) else None


def post_name(post: Any) -> str:
    """How a refused post is named to a person."""
    return f"post {post.get('id')}" if isinstance(post, dict) else "post"


def to_mention(post: Post, server: str) -> Mention:
    """Map a status (docs: entities/Status). `uri` is the same on every server, the local `id` is not."""
    edited = post.get("edited_at")
    return Mention(
        source="mastodon",
        source_id=post["uri"],
        kind="comment" if post.get("in_reply_to_id") else "post",
        text="\n".join(part for part in (post.get("spoiler_text") or "", plain(post["content"] or "")) if part),
        lang=(post.get("language") or "").lower() or None,
        url=post.get("url") or post["uri"],
        created_at=datetime.fromisoformat(post["created_at"]),
        edited_at=datetime.fromisoformat(edited) if edited else None,
        author=_author(post["account"], server),
        engagement=Engagement(
            likes=post.get("favourites_count"),
            comments=post.get("replies_count"),
            shares=(post.get("reblogs_count") or 0) + (post.get("quotes_count") or 0),
        ),
        raw=post,
    )


def _author(account: Mapping[str, Any], server: str) -> Author:
    handle = account["acct"]
    return Author(
        id=account.get("uri") or account["url"],
        handle=handle if "@" in handle else f"{handle}@{server}",
        name=account.get("display_name") or None,
        url=account.get("url"),
        followers=account.get("followers_count"),
    )
