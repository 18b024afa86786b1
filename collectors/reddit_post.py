"""Reads Reddit's posts and comments, as its API and its feeds give them: which are gone, and what the others say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from collectors.feed import Entry, Feed
from collectors.plain import plain
from collectors.shallow import shallow
from collectors.walk import Step
from escucha.mention import Author, Engagement, Mention

GONE = ("[deleted]", "[removed]", "[deleted by user]", "[ Removed by Reddit ]")

Post = Mapping[str, Any]


def when(child: Any) -> datetime:
    """When a post or comment of the API was written."""
    return datetime.fromtimestamp(child["data"]["created_utc"], UTC)


def published(entry: Any) -> datetime:
    """When an entry of a feed was written."""
    return datetime.fromisoformat(entry["published"])


def name_of(child: Any) -> str | None:
    """The id of a post or comment of the API, or None where it is mangled."""
    data = child.get("data") if isinstance(child, Mapping) else None
    name = data.get("name") if isinstance(data, Mapping) and "author" in data else None
    return name if isinstance(name, str) else None


def item_name(item: Any) -> str:
    """How a refused item is named to a person."""
    data = item.get("data", item) if isinstance(item, Mapping) else None
    return f"item {data.get('name') or data.get('id')}" if isinstance(data, Mapping) else "item"


def is_gone(post: Post) -> bool:
    """Whether its author or a moderator took the item back: then it is not ours to keep."""
    author, text = post.get("author", ""), post.get("selftext", post.get("body"))
    return author is None or author in GONE or text in GONE or bool(post.get("removed_by_category"))


def gone_of(step: Step) -> tuple[str, ...]:
    """The ids of the items of a page that were taken back."""
    told = [(name_of(item), item) for item in step.items]
    return tuple(name for name, child in told if name and is_gone(child["data"]))


def read_child(child: Any) -> Mention | None:
    """The mention in an item of the API, or None where it was taken back."""
    post = child["data"]
    return None if is_gone(post) else to_mention(post)


def to_mention(post: Post) -> Mention:
    """Map a post (kind t3) or comment (t1). Karma is not followers, and Reddit declares no language."""
    edited = post.get("edited")
    name = post["name"]
    comment = name.startswith("t1_")
    return Mention(
        source="reddit",
        source_id=name,
        kind="comment" if comment else "post",
        title=None if comment else post["title"],
        text=post["body"] if comment else post.get("selftext") or "",
        url=f"https://www.reddit.com{permalink(post)}",
        created_at=datetime.fromtimestamp(post["created_utc"], UTC),
        edited_at=datetime.fromtimestamp(edited, UTC) if edited and edited is not True else None,
        author=Author(
            id=post.get("author_fullname") or post["author"],
            handle=post["author"],
            url=f"https://www.reddit.com/user/{post['author']}",
        ),
        engagement=Engagement(
            likes=None if post.get("score_hidden") else post.get("score"), comments=post.get("num_comments"),
            shares=post.get("num_crossposts"),
        ),
        parent_id=post.get("parent_id") if comment else None,
        raw=post,
    )


def permalink(post: Post) -> str:
    """The path of an item's page, which old answers do not tell for comments."""
    path: str | None = post.get("permalink")
    return path or f"/r/{post['subreddit']}/comments/{post['link_id'][3:]}/_/{post['id']}/"


def entry_of(feed: Feed, entry: Entry) -> dict[str, Any]:
    """What we keep of a feed's entry: its `id` is that of the item in the API."""
    item = feed.item(entry)
    contents = [part.get("value", "") for part in entry.get("content", [])] or [entry.get("summary", "")]
    return {
        "id": feed_id(str(entry.get("id") or ""), item.url or ""), "title": item.title, "html": contents[0],
        "author": (item.author or "").removeprefix("/u/"), "url": item.url,
        "published": item.published.isoformat() if item.published else None,
    }  # fmt: skip


def feed_id(given: str, url: str) -> str:
    """`t3_…` or `t1_…`: as the feed gives it, else from the address of the item's page; empty where neither tells."""
    if told := re.search(r"(?:^|/)(t\d_\w+)$", given):  # the reader of feeds takes it for a relative address
        return told[1]
    found = re.search(r"/comments/(\w+)(?:/[^/?#]*/(\w+))?", url)
    if not found:
        return ""
    return f"t1_{found[2]}" if found[2] else f"t3_{found[1]}"


def read_entry(entry: Mapping[str, Any]) -> Mention | None:
    """The mention in an entry of a feed; what is no post or comment (a subreddit), or was taken back, is left out."""
    name, author = entry["id"], entry["author"]
    if name.startswith(("t2_", "t5_")) or was_taken_back(entry):
        return None
    comment = name.startswith("t1_")
    return Mention(
        source="reddit",
        source_id=name,
        kind="comment" if comment else "post",
        title=None if comment else entry["title"],
        text=words_of(entry["html"]),
        url=entry["url"],
        created_at=published(entry),
        author=Author(id=author, handle=author, url=f"https://www.reddit.com/user/{author}") if author else None,
        raw=dict(entry),
    )


def was_taken_back(entry: Mapping[str, Any]) -> bool:
    """Whether a feed shows that the item was deleted or removed."""
    return entry["author"] in GONE or entry["title"] in GONE or words_of(entry["html"]) in GONE


def gone_entries(step: Step) -> tuple[str, ...]:
    """The ids of a feed's entries that were taken back."""
    return tuple(entry["id"] for entry in step.items if entry["id"] and was_taken_back(entry))


def words_of(html: str) -> str:
    """What the author wrote: the feeds put it into a `div.md`, before a line of links of their own."""
    from selectolax.lexbor import LexborHTMLParser

    written = LexborHTMLParser(shallow(html)).css_first("div.md")
    return plain(written.html or "") if written else ""
