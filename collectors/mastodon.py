"""Mastodon: the public posts under a hashtag of one server, or those that its search finds, with followers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from collectors.http import Answer
from collectors.online import asked_of, is_own, list_of, moments_of
from collectors.plain import plain
from collectors.searching import Searching, before_at
from collectors.several import Walk
from collectors.translate import Abilities
from collectors.walk import Bounds, Place, Stretch, newest_first
from escucha.brand import Query
from escucha.errors import Refused, SourceError
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Page, SourceFacts

LIMIT = 40
BOUNDS = Bounds(first=timedelta(days=30), overlap=timedelta(hours=1))
"""Posts of other servers arrive late, in the place of the time they were written: each run looks an hour back."""
TAG = re.compile(r"\s*#?([\w·]+)@\S+\s*")
SHIFT = 16
"""Mastodon's ids are milliseconds since 1970, shifted by so many bits."""

Post = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A hashtag (`tag`), or `words` as its search takes them, to ask one server for, whose `base` is its address."""

    base: str
    tag: str = ""
    words: str = ""

    @property
    def server(self) -> str:
        """The server's name, with its port if it has an unusual one."""
        return urlsplit(self.base).netloc


class MastodonSource(Searching):
    """Walks a hashtag's timeline down by `max_id`, or a search by stretches of time."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="mastodon",
        title="Mastodon",
        query_hint="cafe@mastodon.social",
        query_about=Note(
            "A hashtag and the server to ask: cafe@mastodon.social. With an access token also a search, in the query "
            'language: "cafés lumbre"@mastodon.social.'
        ),
        needs=Note(
            "Nothing for hashtags on most servers; some show them only with an access token of an account there, which "
            "is free. Searching for a phrase always needs one."
        ),
        keeps=Note("Posts as long as they exist there; deleted ones are looked for every 30 days and removed."),
        blind=Note(
            "Posts without the hashtag, posts that this server never received, and all followers of authors on other "
            "servers: their number is at least the one shown. Authors who ask not to be indexed are left out."
        ),
        reach=Note("What the server still has; a first reading goes 30 days back."),
        needs_credentials=(
            Credential(
                name="token", optional=True,
                about=Note("An access token with the permissions read:statuses and read:search."),
            ),
            Credential(
                name="server", secret=False, optional=True, leads=True,
                about=Note("The server the token belongs to, such as mastodon.social: it is sent to no other."),
            ),
        ),
        searches=True,
        recheck_days=30,
        recheck_batch=20,
        followers_in_answer="yes",
    )
    abilities: ClassVar[Abilities] = Abilities(tells=frozenset({"lang", "followers", "engagement", "url", "site"}))

    @classmethod
    def part(cls, text: str) -> slice | None:
        """What stands before the last @, unless it is a hashtag."""
        return None if TAG.fullmatch(text) else before_at(text)

    @classmethod
    def understood(cls, text: str) -> Asked:
        """The hashtag or the words, and the server. Raises Refused."""
        return read_query(text)

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Posts newer than the cursor, less an overlap, newest first."""
        asked = read_query(query.text)
        if asked.words and not self._token(asked):
            raise Refused(
                "{host} searches only for those who have an account. Enter an access token of one, and its server, on "
                "the page Sources; or ask for a hashtag: cafe@{host}.",
                host=asked.server,
            )
        now = self._clock.now()

        def walk(text: str) -> Walk:
            asked = read_query(text)
            if asked.tag:
                return lambda notes: newest_first(notes, partial(self._tagged, asked), BOUNDS, now, query.since)
            return lambda notes: newest_first(notes, partial(self._found, asked), BOUNDS, now, query.since, by="time")

        return self._walked(query, self._each(query, cursor, walk), partial(read_post, base=asked.base), post_name)

    def _tagged(self, asked: Asked, place: Place) -> Stretch:
        """A page of the hashtag's timeline, below the id that is the token."""
        path = f"/api/v1/timelines/tag/{quote(asked.tag)}"
        posts = self._posts(asked, path, {"limit": str(LIMIT), "max_id": place.token})
        oldest = min(ids(posts), key=_order, default=None)
        if oldest and place.token and _order(oldest) >= _order(place.token):
            return Stretch(items=(), times=())  # this server does not know max_id: it shows the same again
        return Stretch(items=posts, times=moments_of(posts, when), token=oldest)

    def _found(self, asked: Asked, place: Place) -> Stretch:
        """A page of a search; `max_id` bounds it by the time that the id means, `offset` pages within one moment."""
        start = int(place.token or 0)
        posts = self._posts(asked, "/api/v2/search", {
            "q": asked.words, "type": "statuses", "limit": str(LIMIT), "offset": str(start),
            "max_id": id_at(place.until + timedelta(seconds=1)) if place.until else None,
        }, "statuses")  # fmt: skip
        more = str(start + len(posts)) if len(posts) >= LIMIT else None
        return Stretch(items=posts, times=moments_of(posts, when), token=more)

    def _posts(self, asked: Asked, path: str, params: Mapping[str, str | None], *within: str) -> list[Post]:
        answer = self._ask(asked, path, params)
        if not isinstance(answer, dict if within else list):
            raise _no_mastodon(asked.server)
        posts: list[Post] = list_of(answer, *within)
        return posts

    def _ask(self, asked: Asked, path: str, params: Mapping[str, str | None] | None = None) -> Any:
        token = self._token(asked)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._get(f"{self._keys.get('base_url') or asked.base}{path}", params, headers=headers)

    def _token(self, asked: Asked) -> str:
        """The token, if it is this server's; one of which nobody said whose it is goes to none."""
        return self._keys.get("token", "") if is_own(self._keys.get("server", ""), asked.base) else ""

    def _verdict(self, answer: Answer) -> SourceError | None:
        if answer.status in (404, 410):
            return _gone(answer.host) if _says_error(answer) else _no_mastodon(answer.host)
        if answer.status in (401, 422) and not (self._keys.get("token") and self._keys.get("server")):
            return Refused(
                "{host} shows its posts only to those who have an account. Enter an access token of an account there "
                "and its server on the page Sources, or ask another server.",
                host=answer.host,
            )
        if answer.status == 200 and answer.body.lstrip()[:1] == b"<":
            return _no_mastodon(answer.host)
        return None

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask the server that was asked, for each post by its id there."""

        def look(mention: Mention) -> Mention:
            base, raw = asked_of(mention) or "", mention.raw or {}
            return to_mention(self._ask(Asked(base=base), f"/api/v1/statuses/{quote(str(raw['id']), safe='')}"), base)

        return self._looked_at(mentions, look, asked_of)


def _gone(host: str) -> Refused:
    """What the server itself says is not there: the detail `gone` marks it."""
    return Refused("{host} has nothing at this address. Check the query.", host=host, gone=True)


def _says_error(answer: Answer) -> bool:
    """Whether it is Mastodon that says no: its errors are objects with an `error`."""
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and "error" in told


def read_query(text: str) -> Asked:
    """`cafe@mastodon.social`, with or without `#`, or a search: `"cafés lumbre"@mastodon.social`.

    The server may be an address (`cafe@http://127.0.0.1:3000`). Raises Refused for anything else, with an example.
    """
    tag = TAG.fullmatch(text)
    words, _, server = (part.strip() for part in text.rpartition("@"))
    base = server.rstrip("/") if server.startswith(("http://", "https://")) else f"https://{server.rstrip('/')}"
    if not re.search(r"\w", words) or re.search(r"\w@\w", words) or not re.fullmatch(r"https?://[^\s/@?#]+", base):
        raise Refused(
            "The query {query} is no hashtag of a server. Write it as cafe@mastodon.social.", query=text.strip()
        )
    return Asked(tag=tag[1], base=base) if tag else Asked(words=" ".join(words.split()), base=base)


def _no_mastodon(host: str) -> Refused:
    return Refused("{host} does not answer as a Mastodon server. Check the part of the query behind @.", host=host)


def ids(posts: list[Post]) -> list[str]:
    """The local ids of a page; a mangled post has none."""
    return [str(post["id"]) for post in posts if isinstance(post, dict) and post.get("id")]


def _order(local_id: str) -> tuple[int, str]:
    return len(local_id), local_id


def id_at(moment: datetime) -> str:
    """The id that a post of that moment would have on a Mastodon server."""
    return str(int(moment.timestamp() * 1000) << SHIFT)


def when(post: Post) -> datetime:
    """The moment that a post says it was written, which is also what its place in a timeline goes by."""
    return datetime.fromisoformat(post["created_at"])


def is_public(post: Post) -> bool:
    """Whether a post may be listened to: its author's own words, public, and not kept from search engines."""
    return not post.get("reblog") and post["visibility"] == "public" and not post["account"].get("noindex")


def read_post(post: Post, base: str) -> Mention | None:
    """The mention in a post of a server; None for what may not be listened to."""
    return to_mention(post, base) if is_public(post) else None


def post_name(post: Any) -> str:
    """How a refused post is named to a person."""
    return f"post {post.get('id')}" if isinstance(post, dict) else "post"


def to_mention(post: Post, base: str) -> Mention:
    """Map a status (docs: entities/Status). `uri` is the same on every server, the local `id` is not.

    The raw form also says which server was `asked` (its address), for the local id to mean something later.
    """
    edited = post.get("edited_at")
    shares = [count for count in (post.get("reblogs_count"), post.get("quotes_count")) if count is not None]
    return Mention(
        source="mastodon",
        source_id=post["uri"],
        kind="comment" if post.get("in_reply_to_id") else "post",
        text="\n".join(part for part in (post.get("spoiler_text") or "", plain(post["content"] or "")) if part),
        lang=(post.get("language") or "").lower() or None,
        url=post.get("url") or post["uri"],
        created_at=when(post),
        edited_at=datetime.fromisoformat(edited) if edited else None,
        author=_author(post["account"], urlsplit(base).netloc),
        engagement=Engagement(
            likes=post.get("favourites_count"),
            comments=post.get("replies_count"),
            shares=sum(shares) if shares else None,
        ),
        raw={**post, "asked": base},
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
