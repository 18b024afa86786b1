"""A post of X as a mention, whichever of X's two sets of names an answer uses ("tweet" or "post")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

from collectors.online import list_of
from escucha.mention import Author, Engagement, Mention

FIRST_ID = datetime.fromtimestamp(1_288_834_974.657, UTC)
"""X's ids count milliseconds from here, in all but their lowest 22 bits."""
NO_LANGUAGE = frozenset({"und", "zxx", "qam", "qct", "qht", "qme", "qst", "art"})
"""What X writes for "not known" and for posts of tags, links or pictures alone."""


def together(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The posts of an answer, each with the user who wrote it, if X sent them."""
    users = {str(user["id"]): user for user in users_of(answer)}
    posts = list_of(answer, "data")
    return [{"post": post, "user": users.get(str(post.get("author_id"))) if isinstance(post, Mapping) else None}
            for post in posts]


def users_of(answer: Mapping[str, Any]) -> list[Any]:
    """The users that came along with an answer's posts."""
    users = list_of(answer.get("includes") or {}, "users")
    return [user for user in users if isinstance(user, Mapping) and "id" in user]


def when(item: Any) -> datetime:
    """The moment by which X orders: that of the post, or what its id tells."""
    post = item["post"]
    told = post.get("created_at")
    return datetime.fromisoformat(told) if told else moment_of(post["id"])


def moment_of(identity: str) -> datetime:
    """When an id was given, to the millisecond."""
    return FIRST_ID + timedelta(milliseconds=int(identity) >> 22)


def item_name(item: Any) -> str:
    """How a refused post is named to a person."""
    post = item.get("post") if isinstance(item, Mapping) else None
    return f"post {post.get('id')}" if isinstance(post, Mapping) else "post"


def versions(post: Mapping[str, Any]) -> list[str]:
    """The ids of a post and its edits, oldest first: every edit has a new id on X."""
    told = post.get("edit_history_tweet_ids") or post.get("edit_history_post_ids") or []
    return sorted({post["id"], *told}, key=int)


def is_repost(post: Mapping[str, Any]) -> bool:
    """Whether it only repeats another's post."""
    return "retweeted" in _references(post) or "reposted" in _references(post)


def to_mention(item: Mapping[str, Any]) -> Mention | None:
    """Map a post; one that only repeats another's is left out. The id of its first version stays its identity."""
    post, user = item["post"], item["user"]
    if is_repost(post):
        return None
    first, *edits = versions(post)
    answered = _references(post).get("replied_to")
    lang = (post.get("lang") or "").lower()
    return Mention(
        source="x",
        source_id=first,
        kind="comment" if answered else "post",
        text=unescape(_long_text(post) or post["text"]),
        lang=lang if lang and lang not in NO_LANGUAGE else None,
        url=f"https://x.com/{user['username'] if user else 'i'}/status/{post['id']}",
        created_at=moment_of(first) if edits else when(item),
        edited_at=when(item) if edits else None,
        author=_author(post.get("author_id"), user),
        engagement=_engagement(post.get("public_metrics") or {}),
        parent_id=answered,
        raw=post,
    )


def _long_text(post: Mapping[str, Any]) -> str | None:
    """The whole of a long post, of which `text` is the beginning."""
    note = post.get("note_tweet") or post.get("note_post") or {}
    return note.get("text") or None


def _references(post: Mapping[str, Any]) -> dict[str, str]:
    told = post.get("referenced_tweets") or post.get("referenced_posts") or []
    return {reference["type"]: reference["id"] for reference in told}


def _author(identity: str | None, user: Mapping[str, Any] | None) -> Author | None:
    if identity is None:
        return None
    if user is None:
        return Author(id=identity, handle=identity)
    return Author(
        id=identity, handle=user["username"], name=user.get("name"), url=f"https://x.com/{user['username']}",
        followers=(user.get("public_metrics") or {}).get("followers_count"), verified=user.get("verified"),
    )


def _engagement(metrics: Mapping[str, Any]) -> Engagement:
    shares = [metrics.get(name) for name in ("repost_count", "retweet_count", "quote_count")]
    told = [count for count in shares if isinstance(count, int)]
    return Engagement(
        likes=metrics.get("like_count"), comments=metrics.get("reply_count"), shares=sum(told) if told else None,
        views=metrics.get("impression_count"),
    )
