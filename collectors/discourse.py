"""Discourse: posts of one forum, those that its search finds or all of them, newest first."""

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
from collectors.online import asked_of, formless, is_own, list_of, moments_of, object_of
from collectors.plain import plain
from collectors.searching import Searching, before_at
from collectors.several import Walk
from collectors.shallow import shallow
from collectors.translate import Abilities
from collectors.walk import Bounds, Place, Stretch, newest_first
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Page, SourceFacts

BOUNDS = Bounds(first=timedelta(days=30), overlap=timedelta(hours=6))
LAST_PAGE = 10
"""Pages that a search shows at most, 50 topics each."""
WINDOW = 50
"""Numbers that one request for all posts spans; those that are not public are missing among them."""
SPOKEN = 1
"""The post type of what people write; others are whispers and notes such as "closed this topic"."""
LIKE = 2

Post = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to ask the forum at `base` for: words, or (none) every post."""

    base: str
    words: str = ""


class DiscourseSource(Searching):
    """Searches, and fetches each post that is found in full; or reads all posts down by their number."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="discourse",
        title="Discourse",
        query_hint="cafés lumbre@foro.example.com",
        query_about=Note(
            "Words to search for, in the query language, and the forum's address after @. Without words "
            "(@foro.example.com) every post is read, and the watch's terms choose."
        ),
        needs=Note(
            "Nothing for a public forum. For one that is closed to strangers, an API key that its administrators make."
        ),
        keeps=Note("Posts as long as they exist there; deleted ones are looked for every 30 days and removed."),
        blind=Note(
            "Followers (forums have none) and closed categories. The search shows of each topic only its newest post "
            "with the words: read every post where all of them count."
        ),
        reach=Note("A search: the 500 topics with the newest finds. Every post: all that the forum has."),
        needs_credentials=(
            Credential(name="api_key", optional=True, about=Note("An API key of the forum, if it is closed.")),
            Credential(
                name="api_username", secret=False, optional=True,
                about=Note("The user name that the API key belongs to."),
            ),
            Credential(
                name="server", secret=False, optional=True, leads=True,
                about=Note("The forum that the API key belongs to: it is sent to no other."),
            ),
        ),
        searches=True,
        recheck_days=30,
        recheck_batch=20,
        fastest=300,
    )
    abilities: ClassVar[Abilities] = Abilities(
        quotes=None, least=3, tells=frozenset({"title", "engagement", "url"}), own=r"(?<![^\s(])-?#\w+"
    )

    @classmethod
    def part(cls, text: str) -> slice | None:
        """What stands before the last @."""
        return before_at(text)

    @classmethod
    def understood(cls, text: str) -> Asked:
        """The words and the forum. Raises Refused."""
        return read_query(text)

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Posts newer than the cursor, less an overlap."""
        base, now, known = read_query(query.text).base, self._clock.now(), dict[int, Post]()

        def walk(text: str) -> Walk:
            asked = read_query(text)
            if not asked.words:
                return lambda notes: newest_first(notes, partial(self._all, asked), BOUNDS, now, query.since)
            ask = partial(self._found, asked, known)
            return lambda notes: newest_first(notes, ask, BOUNDS, now, query.since, by="number")

        return self._walked(query, self._each(query, cursor, walk), partial(read_post, base=base), post_name)

    def _found(self, asked: Asked, known: dict[int, Post], place: Place) -> Stretch:
        """A page of the search, whose finds are cut short: each is fetched in full, once a run (`known`)."""
        page = int(place.token or 1)
        answer = self._ask(asked.base, "/search.json", {
            "q": f"{asked.words} after:{place.since.date()} order:latest", "page": str(page),
        })  # fmt: skip
        finds, told = list_of(answer, "posts"), answer.get("grouped_search_result") or {}
        if told.get("error"):
            raise TryLater(
                "{host} is too busy to search. Nothing is lost: the watch goes on by itself.",
                host=urlsplit(asked.base).netloc,
            )
        topics = [topic for topic in list_of(answer, "topics") if isinstance(topic, Mapping)]
        titles = {str(topic.get("id")): topic.get("title") for topic in topics}
        posts = [self._full(asked, find, known) for find in finds if _is_new(find, place.since)]
        more = bool(finds and told.get("more_full_page_results"))
        return Stretch(
            items=[{"topic_title": titles.get(str(post.get("topic_id"))), **post} for post in posts if post],
            times=moments_of(finds, when), token=str(page + 1) if more and page < LAST_PAGE else None,
            capped=more and page >= LAST_PAGE,
        )

    def _full(self, asked: Asked, find: Any, known: dict[int, Post]) -> Post:
        """The whole post of a find; empty where it has gone meanwhile, the find itself where it has no number."""
        number = find.get("id") if isinstance(find, Mapping) else None
        if not isinstance(number, int):
            return {"find": find}
        if number not in known:
            try:
                known[number] = object_of(self._ask(asked.base, f"/posts/{number}.json"))
            except Refused as error:
                if not error.details.get("gone"):
                    raise
                known[number] = {}
        return known[number]

    def _all(self, asked: Asked, place: Place) -> Stretch:
        """The posts whose numbers are up to the token; a gap of posts that are not public is stepped over."""
        top = int(place.token) if place.token else None
        posts = list_of(self._ask(asked.base, "/posts.json", {"before": place.token}), "latest_posts")
        numbers = [post["id"] for post in posts if isinstance(post, Mapping) and isinstance(post.get("id"), int)]
        lowest = min(numbers, default=None)
        if top is not None and (lowest is None or lowest >= top):
            lowest = top - WINDOW
        return Stretch(
            items=posts, times=moments_of(posts, when), token=str(lowest) if lowest is not None and lowest > 0 else None
        )

    def _ask(self, base: str, path: str, params: Mapping[str, str | None] | None = None) -> Any:
        key = self._keys.get("api_key") if is_own(self._keys.get("server", ""), base) else None
        names = {"Api-Key": key, "Api-Username": self._keys.get("api_username") or "system"} if key else {}
        return self._get(f"{self._keys.get('base_url') or base}{path}", params, headers=names)

    def _verdict(self, answer: Answer) -> SourceError | None:
        if answer.status < 400:
            return _no_discourse(answer.host) if answer.body.lstrip()[:1] == b"<" else None
        told = _errors_of(answer)
        kind = told.get("error_type")
        if answer.status in (404, 410):
            return _gone(answer.host) if told else _no_discourse(answer.host)
        if kind == "rate_limit" and "retry-after" not in answer.headers:
            return TryLater(
                "{host} asks us to slow down. Nothing is lost: the watch goes on by itself.",
                after=_seconds(told), host=answer.host,
            )
        if kind == "not_logged_in":
            return Refused(
                "{host} shows nothing to strangers. Ask its administrators for an API key and enter it on the page "
                "Sources.",
                host=answer.host,
            )
        if kind == "invalid_parameters":
            return Refused(
                "{host} does not take these words: most forums want three letters at least. Write a longer query.",
                host=answer.host,
            )
        return None

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask the forum that was asked, for each post by its number there."""

        def look(mention: Mention) -> Mention | None:
            base, raw = asked_of(mention) or "", mention.raw or {}
            post = object_of(self._ask(base, f"/posts/{quote(str(raw['id']), safe='')}.json"))
            if post.get("id") != raw["id"]:
                raise formless()  # of another post it tells nothing
            return None if is_gone(post) else to_mention({"topic_title": mention.title, **post}, base)

        return self._looked_at(mentions, look, asked_of)


def read_query(text: str) -> Asked:
    """`cafés lumbre@foro.example.com`, or every post: `@foro.example.com`; the forum may lie in a folder.

    Raises:
        Refused: anything else, with an example.
    """
    words, at, server = (part.strip() for part in text.rpartition("@"))
    base = server.rstrip("/") if server.startswith(("http://", "https://")) else f"https://{server.rstrip('/')}"
    if not at or not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s@?#]+)*", base):
        raise Refused(
            "The query {query} names no forum. Write it as cafés lumbre@foro.example.com, or @foro.example.com for "
            "every post.",
            query=text.strip(),
        )
    return Asked(words=" ".join(words.split()), base=base)


def _place(address: str) -> str:
    """A forum's address without its scheme, to compare."""
    return re.sub(r"^https?://", "", address.strip()).rstrip("/").lower()


def _no_discourse(host: str) -> Refused:
    return Refused("{host} does not answer as a Discourse forum. Check the part of the query behind @.", host=host)


def _gone(host: str) -> Refused:
    """What the forum itself says is not there: the detail `gone` marks it."""
    return Refused("{host} has nothing at this address. Check the query.", host=host, gone=True)


def _errors_of(answer: Answer) -> Mapping[str, Any]:
    """Discourse's own words about an error; empty where it is not Discourse that speaks."""
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) and "errors" in told else {}


def _seconds(told: Mapping[str, Any]) -> float | None:
    wait = (told.get("extras") or {}).get("wait_seconds")
    return float(wait) if isinstance(wait, int | float) else None


def when(post: Any) -> datetime:
    """The moment by which posts and finds are ordered."""
    return datetime.fromisoformat(post["created_at"])


def _is_new(find: Any, since: datetime) -> bool:
    """Whether a find is to be fetched: the search goes by days, and so shows more than is asked for."""
    times = moments_of([find], when)
    return not times or times[0] >= since


def post_name(post: Any) -> str:
    """How a refused post is named to a person."""
    return f"post {post.get('id')}" if isinstance(post, dict) else "post"


def is_gone(post: Post) -> bool:
    """Whether its author deleted it, or a moderator removed or hid it."""
    return bool(post.get("deleted_at") or post.get("user_deleted") or post.get("hidden"))


def read_post(post: Post, base: str) -> Mention | None:
    """The mention in a post of a forum; None for what is deleted or hidden, and for what the forum itself says."""
    if is_gone(post) or post.get("post_type", SPOKEN) != SPOKEN or (post.get("user_id") or 0) < 0:
        return None
    return to_mention(post, base)


def to_mention(post: Post, base: str) -> Mention:
    """Map a post. Its number is the forum's own, so the forum stands before it.

    The raw form also says which forum was `asked` (its address).
    """
    forum, first = _place(base), post["post_number"] == 1
    return Mention(
        source="discourse",
        source_id=f"{forum}:{post['id']}",
        kind="post" if first else "comment",
        title=(post.get("topic_title") or None) if first else None,
        text=own_words(post["cooked"]),
        url=f"{base}/t/{post.get('topic_slug') or '-'}/{post['topic_id']}/{post['post_number']}",
        created_at=when(post),
        edited_at=datetime.fromisoformat(post["updated_at"]) if post.get("version", 1) > 1 else None,
        author=Author(
            id=f"{forum}:{post.get('user_id') or post['username']}", handle=post["username"],
            name=post.get("name") or None, url=f"{base}/u/{quote(post['username'])}",
        ),
        engagement=Engagement(likes=_likes(post), comments=post.get("reply_count"), views=post.get("reads")),
        parent_id=None if first else f"{forum}:t/{post['topic_id']}/{post.get('reply_to_post_number') or 1}",
        raw={**post, "asked": base},
    )  # fmt: skip


def _likes(post: Post) -> int | None:
    """The likes among the actions; an action that nobody took is missing there."""
    actions = post.get("actions_summary")
    if actions is None:
        return None
    return sum(int(action.get("count", 0)) for action in actions if action.get("id") == LIKE)


def own_words(cooked: str) -> str:
    """What the author wrote: quotes of others, previews of linked pages and captions of pictures are left out."""
    if "<" not in cooked:
        return plain(cooked)
    from selectolax.lexbor import LexborHTMLParser

    page = LexborHTMLParser(shallow(cooked))
    for node in page.css("aside.quote, aside.onebox, .lightbox-wrapper .meta"):
        node.decompose()
    return plain(page.body.html or "") if page.body else ""
