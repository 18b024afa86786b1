"""The public preview of Telegram channels (t.me/s/channel): the posts that its pages show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collectors.dates import read_count
from collectors.plain import plain
from collectors.shallow import shallow
from escucha.mention import Author, Engagement, Mention

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

Post = dict[str, Any]
"""One post as a page shows it: `post` (channel/number), `date`, `html`, `views`, `owner`, `reply`, `service`."""

_QUOTE = "tgme_widget_message_reply"
"""The post that is answered stands quoted in the answer, under the same class names as the answer's own words."""


def posts_on_page(body: bytes) -> list[Post]:
    """The posts of a page in its order, oldest first."""
    return [_post(node) for node in _parsed(body).css(".tgme_widget_message")]


def is_preview(body: bytes) -> bool:
    """Whether a page is the preview of a channel, even of an empty one."""
    return _parsed(body).css_first(".tgme_channel_info, .tgme_channel_history") is not None


def is_missing(body: bytes) -> bool:
    """Whether the page of a single post says, in so many words, that there is no such post."""
    said = _parsed(body).css_first(".tgme_widget_message_error")
    return said is not None and said.text().strip().lower().startswith("post not found")


def subscribers(body: bytes) -> str:
    """The number of subscribers on a channel's own page, in its digits; empty where none is told."""
    told = _parsed(body).css_first(".tgme_page_extra")
    found = re.match(r"([\d\s.,]+[KM]?)\s*(subscriber|member)", told.text().strip()) if told else None
    return re.sub(r"\s", "", found[1]) if found else ""


def posts_of(posts: Iterable[Post]) -> list[int]:
    """The numbers of posts, of those that have one."""
    numbers = [str(post.get("post") or "").rpartition("/")[2] for post in posts]
    return [int(number) for number in numbers if number.isdigit()]


def when_posted(post: Post) -> datetime:
    """The moment by which a channel is ordered."""
    return datetime.fromisoformat(post["date"])


def post_name(post: Any) -> str:
    """How a refused post is named to a person."""
    return f"post {post.get('post') or '?'}"


def post_to_mention(post: Post) -> Mention | None:
    """Map a post; None for what has no words, and for notices such as "channel created"."""
    identity = post["post"].lower()
    channel = identity.partition("/")[0]
    text = plain(post.get("html") or "")
    if post.get("service") or not text:
        return None
    return Mention(
        source="telegram",
        source_id=identity,
        text=text,
        url=f"https://t.me/{identity}",
        created_at=when_posted(post),
        author=Author(id=f"@{channel}", handle=channel, name=post.get("owner"), url=f"https://t.me/{channel}"),
        engagement=Engagement(views=read_count(post.get("views"))),
        parent_id=post.get("reply"),
        raw=post,
    )


def _post(node: LexborNode) -> Post:
    quote = node.css_first(f".{_QUOTE}")
    answered = re.search(r"t\.me/(\w+/\d+)", quote.attributes.get("href") or "") if quote else None
    said = node.css(".tgme_widget_message_text, .tgme_widget_message_poll_question")
    words = next((part for part in said if not _is_quoted(part, node)), None)
    moment = node.css_first(".tgme_widget_message_date time") or node.css_first("time[datetime]")
    told = {
        "post": node.attributes.get("data-post"),
        "date": moment.attributes.get("datetime") if moment else None,
        "html": words.inner_html if words else None,
        "views": _text(node, ".tgme_widget_message_views"),
        "owner": _text(node, ".tgme_widget_message_owner_name"),
        "reply": answered[1].lower() if answered else None,
        "service": "service_message" in (node.attributes.get("class") or "").split() or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _is_quoted(part: LexborNode, post: LexborNode) -> bool:
    """Whether it stands within the quote of the post that is answered."""
    around = part.parent
    while around is not None and around != post:
        if _QUOTE in (around.attributes.get("class") or "").split():
            return True
        around = around.parent
    return False


def _text(node: LexborNode, selector: str) -> str | None:
    found = node.css_first(selector)
    return found.text().strip() or None if found else None


def _parsed(body: bytes) -> LexborHTMLParser:
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(shallow(body.decode("utf-8", "replace")))
