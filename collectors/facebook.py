"""Facebook: what people write on your own Page: comments, posts, posts that tag it, and recommendations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    rounds,
)
from collectors.online import list_of, moments_of
from collectors.walk import Bounds, Notes, Place, Step, Stretch, newest_first
from escucha.admission import admit_all
from escucha.brand import Query
from escucha.errors import Refused
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Page, SourceFacts

SAID = "id,message,created_time,permalink_url,from{id,name}"
COMMENT_FIELDS = f"{SAID},like_count,comment_count,parent{{id}}"
POST_FIELDS = f"{SAID},shares,reactions.limit(0).summary(true)"
COUNTED = "comments.limit(0).summary(true)"
REVIEW_FIELDS = "created_time,recommendation_type,rating,review_text,reviewer{id,name},open_graph_story{id}"
ASKED_AGAIN = "id,message,created_time,permalink_url"
"""What posts and comments both have, so that one request can ask for both."""
POSTS_A_PAGE = 10
COMMENTS_WITH_A_POST = 25
COMMENTS_A_PAGE = 100
NEWEST_FIRST = "reverse_chronological"

LISTED = Bounds(first=timedelta(days=30), overlap=timedelta(days=7))
"""An older post can be edited so that it tags the Page, and a review be changed: a week is read again."""
UNDER_POSTS = RoundBounds(window=timedelta(days=30), overlap=timedelta(days=1))
STARS = {"positive": 5.0, "negative": 1.0}


class FacebookSource(GraphSource):
    """Reads one's own Page."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="facebook",
        title="Facebook",
        own=True,
        query_hint="comments",
        query_about=Note(
            "comments (comments and visitors' posts on your Page, on posts of the last 30 days), tagged (posts that "
            "tag your Page), or reviews (recommendations, where Facebook still gives them)."
        ),
        access="own key",
        needs=Note(
            "A Page of your own and an app of your own at developers.facebook.com, which gives a Page access token "
            "that does not run out. No cost. Other people's Pages need Meta's approval and are not read."
        ),
        keeps=Note(
            "What the permission covers, as long as it exists there: what stands on your Page is looked for every 7 "
            "days, and deleted ones are removed."
        ),
        blind=Note(
            "Groups, private profiles, other Pages, comments on posts older than 30 days, followers of people, and "
            "often the name of who wrote. Facebook has withdrawn recommendations from newer apps."
        ),
        reach=Note("As far back as your Page goes."),
        needs_credentials=(
            Credential(name="access_token", about=Note("A Page access token of your app.")),
            Credential(
                name="page_id", about=Note("The number of your Page, such as 175154750010052."), secret=False
            ),
        ),
        recheck_days=7,
        recheck_batch=25,
        fastest=600,
    )
    permissions: ClassVar[str] = "pages_show_list, pages_read_engagement, pages_read_user_content"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """What the query names, newer than the cursor, less an overlap. The Page's own words are left out."""
        page = self._page_id

        def read(item: Any) -> Mention | None:
            mention = to_mention(item)
            own = mention.author is not None and mention.author.id == page
            return mention if (mention.text or mention.rating) and not own else None

        return self._walked(query, self._steps(read_query(query.text), query, notes_of(query, cursor)), read, item_name)

    @property
    def _page_id(self) -> str:
        return self._account("page_id")

    def _steps(self, what: str, query: Query, notes: Notes) -> Iterator[Step]:
        now = self._clock.now()
        if what == "comments":
            return rounds(notes, self._posts, self._comments, UNDER_POSTS, now, query.since)
        ask = self._tagged if what == "tagged" else self._reviews
        return newest_first(notes, ask, LISTED, now, query.since)

    def _tagged(self, place: Place) -> Stretch:
        params = {"fields": f"{POST_FIELDS},{COUNTED}", "limit": "50"}
        return self._stretch(f"{self._page_id}/tagged", params, place, when)

    def _reviews(self, place: Place) -> Stretch:
        return self._stretch(f"{self._page_id}/ratings", {"fields": REVIEW_FIELDS, "limit": "50"}, place, when)

    def _posts(self, token: str | None, floor: datetime) -> Layer:
        newest = f"comments.filter(stream).order({NEWEST_FIRST}).limit({COMMENTS_WITH_A_POST}).summary(true)"
        answer = self._graph(f"{self._page_id}/feed", {
            "fields": f"{POST_FIELDS},{newest}{{{COMMENT_FIELDS}}}", "limit": str(POSTS_A_PAGE), "after": token,
        })  # fmt: skip
        posts = list_of(answer, "data")
        whole = [post for post in posts if isinstance(post, Mapping)]
        times = moments_of(posts, when)
        return Layer(
            items=[*(_alone(post) for post in posts), *(said for post in whole for said in _said(post))],
            branches=[{"post": post.get("id"), "after": more} for post in whole
                      if (more := goes_on(post.get("comments"), floor, when))],
            last=times[-1] if times else None, token=after(answer),
        )

    def _comments(self, branch: Mapping[str, Any], floor: datetime) -> Layer:
        post = branch["post"]
        answer = self._graph(f"{post}/comments", {
            "fields": COMMENT_FIELDS, "filter": "stream", "order": NEWEST_FIRST, "limit": str(COMMENTS_A_PAGE),
            "after": branch["after"],
        })  # fmt: skip
        more = goes_on(answer, floor, when)
        return Layer(items=_said({"id": post, "comments": answer}),
                     branches=[{"post": post, "after": more}] if more else [])

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for what stands on this Page, which alone can be asked for by its id.

        Nothing is concluded where none of it can be seen: then it is the permission that is missing.
        """
        ours = {m.source_id: m for m in mentions if _stands_on(m, self._page_id)}
        found, absent = self._looked_up(tuple(ours), ASKED_AGAIN) if ours else ({}, set())
        told = [identity for identity, item in found.items() if item.get("message")]
        fresh, _ = admit_all(told, lambda i: to_mention({**(ours[i].raw or {}), **bare(found[i])}), str)
        return Checked(gone=frozenset(absent) if found else frozenset(), fresh=fresh)


def read_query(text: str) -> str:
    """`comments`, `tagged` or `reviews`. Raises Refused for anything else."""
    asked = text.strip().casefold()
    if asked in ("comments", "tagged", "reviews"):
        return asked
    raise Refused("Facebook lets nobody search its posts. Write comments, tagged or reviews, to read your own Page.")


def when(item: Any) -> datetime:
    """The moment of a post, comment or recommendation."""
    return datetime.fromisoformat(item["created_time"])


def to_mention(item: Mapping[str, Any]) -> Mention:
    """Map a post, a comment or a recommendation. `from` is often missing; ids of people hold for this Page alone."""
    if "recommendation_type" in item or "review_text" in item:
        return _review(item)
    comment = "post" in item or "comment_count" in item
    parent = (item.get("parent") or item.get("post") or {}).get("id")
    return Mention(
        source="facebook",
        source_id=item["id"],
        kind="comment" if comment else "post",
        text=item.get("message") or "",
        url=item.get("permalink_url"),
        created_at=when(item),
        author=_person(item.get("from")),
        engagement=Engagement(
            likes=item["like_count"] if "like_count" in item else _total(item.get("reactions")),
            comments=item["comment_count"] if "comment_count" in item else _total(item.get("comments")),
            shares=(item.get("shares") or {}).get("count"),
        ),
        parent_id=parent if comment else None,
        raw=item,
    )


def _review(item: Mapping[str, Any]) -> Mention:
    """A recommendation: yes counts as 5 and no as 1. It has no id of its own; that of its story stands for it."""
    story, reviewer = item.get("open_graph_story") or {}, item.get("reviewer") or {}
    identity = story.get("id") or f"{reviewer['id']}:{item['created_time']}"
    return Mention(
        source="facebook",
        source_id=identity,
        kind="review",
        text=item.get("review_text") or "",
        created_at=when(item),
        author=_person(reviewer),
        rating=STARS.get(item.get("recommendation_type", ""), item.get("rating")),
        raw=item,
    )


def _person(who: Mapping[str, Any] | None) -> Author | None:
    if not who or not who.get("id"):
        return None
    return Author(id=who["id"], handle=who.get("name") or who["id"], name=who.get("name"))


def _total(edge: Mapping[str, Any] | None) -> Any:
    return ((edge or {}).get("summary") or {}).get("total_count")


def _alone(post: Any) -> Any:
    """A post without the comments that came with it, which are mentions of their own; their number stays."""
    if not isinstance(post, Mapping) or not isinstance(post.get("comments"), Mapping):
        return bare(post)
    return bare({**post, "comments": {"summary": post["comments"].get("summary")}})


def _said(post: Mapping[str, Any]) -> list[Any]:
    """The comments of a post, each with the post's id."""
    edge = post.get("comments")
    comments = entries(edge) if edge else []
    return [{**c, "post": {"id": post.get("id")}} if isinstance(c, Mapping) else c for c in comments]


def _stands_on(mention: Mention, page: str) -> bool:
    """Whether a stored post or comment stands on the Page: a post's id begins with that of the Page it is on."""
    post = (mention.raw or {}).get("post")
    place = post.get("id") if isinstance(post, Mapping) else mention.source_id
    return mention.kind != "review" and str(place).startswith(f"{page}_")
