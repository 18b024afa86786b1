"""Instagram: posts that tag your account, comments on your posts, and posts under a hashtag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from collectors.bookmark import notes_of
from collectors.graph import (
    GraphSource,
    Layer,
    RoundBounds,
    after,
    bare,
    entries,
    goes_on,
    item_name,
    of_the_object,
    rounds,
)
from collectors.online import list_of, moments_of, object_of
from collectors.pace import Allowance
from collectors.walk import Bounds, Notes, Place, Step, Stretch, moment, newest_first
from escucha.admission import admit_all
from escucha.brand import Query
from escucha.errors import Refused
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Page, SourceFacts

MEDIA_FIELDS = "id,caption,media_type,permalink,timestamp,like_count,comments_count"
COMMENT_FIELDS = "id,text,timestamp,username,like_count,parent_id"
COMMENTS = f"{COMMENT_FIELDS},replies{{{COMMENT_FIELDS}}}"
POSTS_A_PAGE = 10
COMMENTS_WITH_A_POST = 25
COMMENTS_A_PAGE = 50
MEDIA_A_PAGE = 50

TAGGED = Bounds(first=timedelta(days=30), overlap=timedelta(days=7))
"""An older post can be tagged later: a week behind the newest known is read again."""
UNDER_POSTS = RoundBounds(window=timedelta(days=30), overlap=timedelta(days=1))
SHOWN = timedelta(hours=25)
"""Under a hashtag Instagram shows 24 hours, not always in order: all of it is read each time, an hour for clocks."""
HASHTAG_PAGES = 40
HASHTAG = Bounds(first=SHOWN, overlap=SHOWN, steps=HASHTAG_PAGES, window=timedelta(hours=24))

HASHTAGS = Allowance(limit=30, name="hashtags", days=7)
SAME_HASHTAG = timedelta(days=7)
"""So long a hashtag that was looked up counts, however often it is asked for."""

NO_SUCH_USER = frozenset({110, 2_207_013})
"""A personal account, a closed one, or none: Instagram tells numbers of professional accounts alone."""
USERNAME = re.compile(r"[A-Za-z0-9._]{1,30}")


class InstagramSource(GraphSource):
    """Reads what Instagram shows to the owner of a professional account."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="instagram",
        title="Instagram",
        own=True,
        query_hint="tags",
        query_about=Note(
            "tags (posts that tag your account), comments (on your posts of the last 30 days), or one hashtag such as "
            "#cafelumbre."
        ),
        access="own key",
        needs=Note(
            "A professional Instagram account linked to a Facebook Page, and an app of your own at "
            "developers.facebook.com. Tags and comments work at once for your own account; hashtags need Meta's "
            "approval (feature Instagram Public Content Access). No cost."
        ),
        keeps=Note(
            "What the permission covers, as long as it exists there. Comments on your posts are looked for every 7 "
            "days and deleted ones removed; posts of others cannot be asked for again, so delete them when somebody "
            "asks you to."
        ),
        blind=Note(
            "Stories, private accounts, comments on posts older than 30 days, new replies deep in a long thread, and "
            "who wrote a post found by hashtag. Followers are told of professional accounts alone."
        ),
        reach=Note("Tags and comments as far back as you like; under a hashtag only the last 24 hours."),
        needs_credentials=(
            Credential(name="access_token", about=Note("A long-lived access token of your app.")),
            Credential(
                name="account_id", about=Note("The number of your Instagram account, such as 17841405309211844."),
                secret=False,
            ),
        ),
        recheck_days=7,
        recheck_batch=25,
        followers_in_answer="second call",
        followers_batch=1,
        fastest=900,
    )
    permissions: ClassVar[str] = (
        "instagram_basic, instagram_manage_comments, pages_show_list, pages_read_engagement; "
        "Instagram Public Content Access (#)"
    )

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """What the query names, newer than the cursor, less an overlap."""
        return self._walked(query, self._steps(read_query(query.text), query, notes_of(query, cursor)), read, item_name)

    def _steps(self, what: str, query: Query, notes: Notes) -> Iterator[Step]:
        now = self._clock.now()
        if what == "comments":
            return rounds(notes, self._posts, self._comments, UNDER_POSTS, now, query.since)
        if what == "tags":
            return newest_first(notes, self._tags, TAGGED, now, query.since)
        return self._hashtag(what.removeprefix("#"), notes, query.since)

    def _tags(self, place: Place) -> Stretch:
        fields = f"{MEDIA_FIELDS},username"
        return self._stretch(f"{self._own}/tags", {"fields": fields, "limit": str(MEDIA_A_PAGE)}, place, when)

    @property
    def _own(self) -> str:
        return self._account("account_id")

    # Comments

    def _posts(self, token: str | None, floor: datetime) -> Layer:
        fields = f"id,permalink,username,timestamp,comments.limit({COMMENTS_WITH_A_POST}){{{COMMENTS}}}"
        answer = self._graph(
            f"{self._own}/media", {"fields": fields, "limit": str(POSTS_A_PAGE), "after": token}
        )
        posts = [post for post in list_of(answer, "data") if isinstance(post, Mapping)]
        times = moments_of(posts, when)
        return Layer(
            items=[comment for post in posts for comment in _said(post.get("comments"), _media_of(post))],
            branches=[{"media": _media_of(post), "after": more} for post in posts
                      if (more := goes_on(post.get("comments"), floor, when))],
            last=times[-1] if times else None, token=after(answer),
        )

    def _comments(self, branch: Mapping[str, Any], floor: datetime) -> Layer:
        media = branch["media"]
        answer = self._graph(
            f"{media['id']}/comments", {"fields": COMMENTS, "limit": str(COMMENTS_A_PAGE), "after": branch["after"]}
        )
        more = goes_on(answer, floor, when)
        return Layer(items=_said(answer, media), branches=[{"media": media, "after": more}] if more else [])

    # Hashtags

    def _hashtag(self, tag: str, notes: Notes, since: datetime | None) -> Iterator[Step]:
        now = self._clock.now()
        known, found = moment(notes.get("known")), self._found(tag, notes, now)
        if known and known < now - SHOWN:
            notes = {}  # a day and more lies between: what was posted in it is not shown any more
        # All its pages have one cursor: Instagram alone knows how far a reader is. A run that was killed may have taken
        # pages with it, so the next one does not go on, but begins at the top.
        notes = {name: kept for name, kept in notes.items() if name != "walk"}
        bound = max(since, now - SHOWN) if since else None
        seen: set[str] = set()

        def ask(place: Place) -> Stretch:
            return self._recent(found["hashtag"], place, seen)

        for step in newest_first(notes, ask, HASHTAG, now, bound):
            yield replace(step, notes={**step.notes, **found})

    def _found(self, tag: str, notes: Notes, now: datetime) -> dict[str, str]:
        """The hashtag's number, and since when it counts among the 30 of a week."""
        asked = moment(notes.get("asked"))
        if asked and notes.get("hashtag") and asked > now - SAME_HASHTAG:
            return {"hashtag": notes["hashtag"], "asked": asked.isoformat()}
        self._web.spend(self._host, 1, HASHTAGS)
        answer = self._graph("ig_hashtag_search", {"user_id": self._own, "q": tag})
        known = entries(answer)
        if not known:
            raise Refused("Instagram does not know the hashtag #{tag}. Check how it is written.", tag=tag)
        return {"hashtag": str(object_of(known[0])["id"]), "asked": now.isoformat()}

    def _recent(self, hashtag: str, place: Place, seen: set[str]) -> Stretch:
        """A page under a hashtag. Its cursor may stay the same from page to page, so the pages are counted."""
        count, _, token = (place.token or "0:").partition(":")
        params = {"user_id": self._own, "fields": MEDIA_FIELDS, "limit": str(MEDIA_A_PAGE)}
        stretch = self._stretch(f"{hashtag}/recent_media", params, replace(place, token=token), when)
        new = {str(item.get("id")) for item in stretch.items if isinstance(item, Mapping)} - seen
        seen |= new
        further = new and stretch.token and int(count) + 1 < HASHTAG_PAGES
        more = f"{int(count) + 1}:{stretch.token}" if further else None
        return replace(stretch, token=more, capped=more is None)

    # Second looks

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for comments on the account's own posts, which alone can be asked for by their ids.

        Nothing is concluded where none of them can be seen: then it is the permission that is missing.
        """
        name = object_of(self._graph(self._own, {"fields": "username"})).get("username")
        ours = {m.source_id: m for m in mentions if name and _owner(m) == name}
        found, absent = self._looked_up(tuple(ours), COMMENT_FIELDS) if ours else ({}, set())
        told = [identity for identity, comment in found.items() if "text" in comment and "timestamp" in comment]
        fresh, _ = admit_all(told, lambda i: to_mention({**(ours[i].raw or {}), **bare(found[i])}), str)
        return Checked(gone=frozenset(absent) if found else frozenset(), fresh=fresh)

    def authors(self, authors: Sequence[Author]) -> Iterable[Author]:
        """The followers of professional accounts, one at a time; of others Instagram does not tell the number."""
        for author in authors:
            if USERNAME.fullmatch(author.handle):
                yield self._discovered(author)

    def _discovered(self, author: Author) -> Author:
        fields = f"business_discovery.username({author.handle}){{username,name,followers_count}}"
        try:
            answer = self._graph(self._own, {"fields": fields})
        except Refused as error:
            if of_the_object(error) and {error.details["code"], error.details["subcode"]} & NO_SUCH_USER:
                return replace(author, followers=None)
            raise
        told = object_of(answer, "business_discovery")
        return replace(author, followers=told.get("followers_count"), name=told.get("name") or author.name)


def read_query(text: str) -> str:
    """`tags`, `comments` or `#hashtag` (in lower case), as a query names it. Raises Refused for anything else."""
    asked = text.strip().casefold()
    if asked in ("tags", "comments") or re.fullmatch(r"#\w{1,100}", asked):
        return asked
    raise Refused(
        "Instagram cannot search for that. Write tags, comments, or one hashtag of letters and digits, such as "
        "#cafelumbre."
    )


def when(item: Any) -> datetime:
    """The moment of a post or comment."""
    return datetime.fromisoformat(item["timestamp"])


def read(item: Any) -> Mention | None:
    """What somebody else said: the account's own comments and posts without words are left out."""
    mention = to_mention(item)
    own = item.get("media", {}).get("username")
    return mention if mention.text and (own is None or own != item.get("username")) else None


def to_mention(item: Mapping[str, Any]) -> Mention:
    """Map a comment or a post. Posts found by hashtag come without their author; `like_count` may be hidden."""
    comment, media = "text" in item, item.get("media", {})
    name = item.get("username")
    return Mention(
        source="instagram",
        source_id=item["id"],
        kind="comment" if comment else "post",
        text=(item["text"] if comment else item.get("caption")) or "",
        url=item.get("permalink") or media.get("permalink"),
        created_at=when(item),
        author=Author(id=name, handle=name, url=f"https://www.instagram.com/{name}/") if name else None,
        engagement=Engagement(likes=item.get("like_count"), comments=item.get("comments_count")),
        parent_id=item.get("parent_id") or media.get("id"),
        raw=item,
    )


def _media_of(post: Mapping[str, Any]) -> dict[str, Any]:
    """What a comment needs of its post: the number, the address and whose it is."""
    return {name: post.get(name) for name in ("id", "permalink", "username")}


def _said(edge: Any, media: Mapping[str, Any]) -> list[Any]:
    """The comments of an edge and the replies that came with them, each with its post, without the others."""
    said: list[Any] = []
    for comment in entries(edge) if edge else ():
        if not isinstance(comment, Mapping):
            said.append(comment)
            continue
        replies = [reply for reply in list_of(comment.get("replies") or {}, "data") if isinstance(reply, Mapping)]
        said.append({**{name: value for name, value in comment.items() if name != "replies"}, "media": media})
        said += [{"parent_id": comment.get("id"), **reply, "media": media} for reply in replies]
    return said


def _owner(mention: Mention) -> Any:
    """Whose post a stored comment stands under."""
    media = (mention.raw or {}).get("media")
    return media.get("username") if mention.kind == "comment" and isinstance(media, Mapping) else None
