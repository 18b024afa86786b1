"""YouTube's videos and comments, each as one mention."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from escucha.mention import Author, Engagement, Mention

WATCH = "https://www.youtube.com/watch?v="

Said = Mapping[str, Any]
"""A comment as YouTube gave it (`comment`), the video it belongs to (`video`) and its number of `replies`, if told."""


def to_mention(item: Mapping[str, Any]) -> Mention:
    """Map a video of videos.list, or a comment with what is known around it (`Said`)."""
    return _comment(item) if "comment" in item else _video(item)


def item_name(item: Any) -> str:
    """How a refused item is named to a person."""
    thing = item.get("comment", item) if isinstance(item, Mapping) else None
    return f"item {thing.get('id')}" if isinstance(thing, Mapping) else "item"


def said_in(thread: Any) -> list[Said]:
    """A thread's comment and the replies that came with it; a mangled thread is given as it is, to be refused."""
    snippet = thread.get("snippet") if isinstance(thread, Mapping) else None
    if not isinstance(snippet, Mapping):
        return [{"comment": thread}]
    video = snippet.get("videoId")
    top = {"comment": snippet.get("topLevelComment"), "video": video, "replies": snippet.get("totalReplyCount")}
    return [top, *({"comment": reply, "video": video} for reply in replies_shown(thread))]


def replies_shown(thread: Mapping[str, Any]) -> list[Any]:
    """The replies that come with a thread: five at most, whatever their number."""
    replies = thread.get("replies")
    shown = replies.get("comments") if isinstance(replies, Mapping) else None
    return shown if isinstance(shown, list) else []


def replies_hidden(thread: Any) -> int:
    """The number of a thread's replies, where it has more than came with it; else 0."""
    snippet = thread.get("snippet") if isinstance(thread, Mapping) else None
    told = snippet.get("totalReplyCount") if isinstance(snippet, Mapping) else None
    return told if isinstance(told, int) and told > len(replies_shown(thread)) else 0


def thread_when(thread: Any) -> datetime:
    """The moment by which threads are ordered: that of the comment which began it."""
    return comment_when(thread["snippet"]["topLevelComment"])


def comment_when(comment: Any) -> datetime:
    """When a comment was published."""
    return datetime.fromisoformat(comment["snippet"]["publishedAt"])


def count_of(told: Any) -> int | None:
    """A number of YouTube's statistics, which come as text; None where it is not told."""
    return int(told) if isinstance(told, str | int) and str(told).isdigit() else None


def followers_of(channel: Mapping[str, Any]) -> int | None:
    """Subscribers, rounded to three figures by YouTube; None where the channel hides them."""
    statistics = channel.get("statistics") or {}
    return None if statistics.get("hiddenSubscriberCount") else count_of(statistics.get("subscriberCount"))


def video_of(mention: Mention) -> str | None:
    """The id of the video that a stored comment belongs to, as its address says."""
    return next(iter(parse_qs(urlsplit(mention.url or "").query).get("v", [])), None)


def _video(video: Mapping[str, Any]) -> Mention:
    snippet, statistics = video["snippet"], video.get("statistics") or {}
    lang = snippet.get("defaultAudioLanguage") or snippet.get("defaultLanguage")
    return Mention(
        source="youtube",
        source_id=video["id"],
        title=snippet["title"],
        text=snippet.get("description") or "",
        lang=lang.lower() if lang else None,
        url=f"{WATCH}{video['id']}",
        created_at=datetime.fromisoformat(snippet["publishedAt"]),
        author=_author(snippet.get("channelId"), snippet.get("channelTitle")),
        engagement=Engagement(
            likes=count_of(statistics.get("likeCount")), comments=count_of(statistics.get("commentCount")),
            views=count_of(statistics.get("viewCount")),
        ),
        raw=video,
    )


def _comment(said: Said) -> Mention:
    comment, snippet = said["comment"], said["comment"]["snippet"]
    video = snippet.get("videoId") or said.get("video")
    published, updated = comment_when(comment), snippet.get("updatedAt")
    edited = datetime.fromisoformat(updated) if updated else published
    return Mention(
        source="youtube",
        source_id=comment["id"],
        kind="comment",
        text=snippet.get("textOriginal") or snippet["textDisplay"],
        url=f"{WATCH}{video}&lc={comment['id']}" if video else None,
        created_at=published,
        edited_at=edited if edited > published else None,
        author=_author((snippet.get("authorChannelId") or {}).get("value"), snippet.get("authorDisplayName")),
        engagement=Engagement(likes=snippet.get("likeCount"), comments=said.get("replies")),
        parent_id=snippet.get("parentId") or video,
        raw=comment,
    )


def _author(channel: str | None, name: str | None) -> Author | None:
    """A channel; its name is its handle since 2023 (`@lupe`). A closed account has neither id nor name."""
    if not channel:
        return None
    return Author(id=channel, handle=(name or "").removeprefix("@") or channel, name=name,
                  url=f"https://www.youtube.com/channel/{channel}")
