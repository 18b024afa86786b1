"""Telegram: what is said in the channels and groups that your bot is in, and in public channels that you name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from collectors.bookmark import bookmark
from collectors.dates import read_count
from collectors.http import Answer
from collectors.online import OnlineSource, list_of, moments_of
from collectors.telegram_preview import (
    is_missing,
    is_preview,
    post_name,
    post_to_mention,
    posts_of,
    posts_on_page,
    subscribers,
    when_posted,
)
from collectors.walk import Bounds, Place, Stretch, newest_first
from escucha.admission import admit_all
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Author, Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Page, SourceFacts, Span

LIMIT = 100
"""Updates that one request brings at most."""
KEPT = timedelta(hours=24)
"""How long Telegram keeps an update that nobody has fetched."""
UPDATES = ("channel_post", "edited_channel_post", "message", "edited_message")
BOUNDS = Bounds(first=timedelta(days=30), overlap=timedelta(days=2))
"""Of a public preview: edits and views of the last two days are read again."""
PREVIEW = "https://t.me"
NOT_TOLD = (400, 403)
"""Codes with which the Bot API says that this bot may not know something of a chat."""

_CHANNEL = re.compile(r"(?:https?://)?t\.me/(?:s/)?([A-Za-z]\w{3,31})/?", re.ASCII)
_CHAT = re.compile(r"-\d{1,20}|@?[A-Za-z]\w{3,31}", re.ASCII)
_ADDRESS = re.compile(r"https://t\.me/([A-Za-z]\w{3,31})/(\d+)", re.ASCII)


class TelegramSource(OnlineSource):
    """Reads a bot's updates, which Telegram forgets once they are confirmed, or the public preview of a channel.

    An update is confirmed by the next request's offset. So a run makes one request, with the offset that an earlier
    run saved together with its mentions: nothing is confirmed that is not saved.
    """

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="telegram",
        title="Telegram",
        query_hint="t.me/s/cafeslumbre",
        query_about=Note(
            "A public channel (t.me/s/channel), or the chats of your bot: their ids or @names, separated by commas. "
            "Leave it empty for all chats where the bot is."
        ),
        access="own key",
        needs=Note(
            "For public channels nothing. For groups and other channels a bot: create one with @BotFather (free, two "
            "minutes), add it to the chat, and switch its privacy mode off so that it sees all messages of a group. "
            "One watch per bot."
        ),
        keeps=Note("Posts as long as they exist; public posts are looked for every 7 days, and deleted ones removed."),
        blind=Note(
            "Private chats, chats where the bot is not, what was said before it came, deletions in groups, and views "
            "of posts that come through the bot."
        ),
        reach=Note("A bot hears what was said in the last 24 hours; a public channel can be read back to its start."),
        needs_credentials=(
            Credential(
                name="token", about=Note("The bot's token, as @BotFather gave it. Not needed for public channels."),
                optional=True,
            ),
        ),
        recheck_days=7,
        recheck_batch=20,
        followers_in_answer="second call",
        followers_batch=20,
    )
    base: ClassVar[str] = "https://api.telegram.org"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """What is new: of the channel whose preview is named, else of the bot's chats.

        Raises:
            Refused: the query is neither a channel nor a list of chats.
        """
        channel = channel_of(query.text)
        if channel:
            return self._preview(query, cursor, channel)
        return self._updates(query, cursor, chats_of(query.text))

    def _updates(self, query: Query, cursor: Cursor | None, chats: frozenset[str]) -> Iterator[Page]:
        notes, now = self._notes(query, cursor), self._clock.now()
        updates = list_of(self._call("getUpdates", {
            "offset": str(notes["offset"]) if notes.get("offset") else None, "limit": str(LIMIT), "timeout": "0",
            "allowed_updates": json.dumps(UPDATES),
        }), "result")  # fmt: skip
        more = len(updates) >= LIMIT
        offset = max((number + 1 for number in _numbers(updates)), default=notes.get("offset"))
        read_at = notes.get("read_at") if more else now.isoformat()
        yield self._page(
            query, updates, lambda update: to_mention(update) if is_from(update, chats) else None, update_name,
            bookmark(query, offset=offset, read_at=read_at), more=more,
            covers=None if more else _covered(notes.get("read_at"), now),
        )

    def _preview(self, query: Query, cursor: Cursor | None, channel: str) -> Iterator[Page]:
        def ask(place: Place) -> Stretch:
            page = self._shown(f"/s/{channel}", {"before": place.token})
            posts = posts_on_page(page.body)
            if not posts and not is_preview(page.body):
                raise Refused(
                    "The Telegram channel {channel} shows no public preview. Check its name; groups and private "
                    "channels can only be read by a bot that is added to them.",
                    channel=channel,
                )
            numbers = posts_of(posts)
            lowest = min(numbers, default=1)
            return Stretch(
                items=posts[::-1], times=moments_of(posts[::-1], when_posted),
                token=str(lowest) if lowest > 1 else None,
            )

        steps = newest_first(self._notes(query, cursor), ask, BOUNDS, self._clock.now(), query.since)
        return self._walked(query, steps, post_to_mention, post_name)

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for public posts; only one of which Telegram says "Post not found" is gone. Groups cannot be asked."""
        gone, fresh = set(), []
        for mention in mentions:
            address = _ADDRESS.fullmatch(mention.url or "") if _is_channel_post(mention) else None
            if address is None:
                continue
            page = self._shown(f"/{address[1]}/{address[2]}", {"embed": "1", "mode": "tme"})
            if is_missing(page.body):
                gone.add(mention.source_id)
            else:
                fresh += self._as_it_is(mention, page.body)
        return Checked(gone=frozenset(gone), fresh=tuple(fresh))

    @staticmethod
    def _as_it_is(mention: Mention, body: bytes) -> list[Mention]:
        posts = [post for post in posts_on_page(body) if post.get("post", "").lower() == mention.source_id]
        return list(admit_all(posts, post_to_mention, post_name)[0])

    def authors(self, authors: Sequence[Author]) -> Iterator[Author]:
        """Channels and groups with the number of their members; of a person Telegram tells none."""
        for author in authors:
            if author.id.startswith(("-", "@")):
                yield replace(author, followers=self._members(author))

    def _members(self, author: Author) -> int | None:
        if not self._keys.get("token"):
            public = author.id.startswith("@")
            return read_count(subscribers(self._shown(f"/{author.id[1:]}").body)) if public else None
        try:
            count = self._call("getChatMemberCount", {"chat_id": author.id}).get("result")
        except Refused as error:
            if error.details.get("code") in NOT_TOLD:
                return None
            raise
        return count if isinstance(count, int) else None

    def _call(self, method: str, params: Mapping[str, str | None]) -> Any:
        return self._get(f"/bot{quote(self._key('token'), safe=':')}/{method}", params)

    def _shown(self, path: str, params: Mapping[str, str | None] | None = None) -> Answer:
        """A public page. Its address has no key in it, whatever keys there are."""
        told = {name: value for name, value in (params or {}).items() if value}
        return self._web.get((self._keys.get("base_url") or PREVIEW).rstrip("/") + path, params=told)

    def _verdict(self, answer: Answer) -> SourceError | None:
        """What the Bot API says of a request that failed: a code, and sometimes how long to wait."""
        try:
            said = json.loads(answer.body)
        except (ValueError, RecursionError):
            return None
        if not isinstance(said, dict) or said.get("ok") is not False:
            return None
        wait = said.get("parameters") or {}
        return _meaning(said.get("error_code"), str(said.get("description") or ""), wait.get("retry_after"))


def _meaning(code: Any, said: str, wait: Any) -> SourceError | None:
    if code == 429:
        return TryLater("Telegram asks us to slow down. Nothing is lost: the watch goes on by itself.", after=wait)
    if code in (401, 404):
        return Refused(
            "Telegram does not know this bot token. Ask @BotFather for the bot's token, enter it and resume the watch.",
            code=code,
        )
    if code == 409:
        return _conflict(said)
    if code in NOT_TOLD:
        return Refused(
            "Telegram does not let the bot read this chat. Check the chat's id, and that the bot is still a member.",
            code=code,
        )
    return None


def _conflict(said: str) -> SourceError:
    if "webhook" in said.lower():
        return Refused(
            "This bot sends its messages to another program (a webhook), so nobody else can read them. Use a bot of "
            "its own for Escucha, or remove the webhook.",
            code=409,
        )
    return TryLater(
        "Another program or watch reads this bot's messages at the same time. Use each bot in one place only; the "
        "watch goes on by itself.",
        after=60, code=409,
    )


def channel_of(text: str) -> str | None:
    """The channel whose public preview a query names (`t.me/s/channel`), or None."""
    found = _CHANNEL.fullmatch(text.strip())
    return found[1].lower() if found else None


def chats_of(text: str) -> frozenset[str]:
    """The chats that a query names, as ids or lower-case names; empty means all.

    Raises:
        Refused: something in it is no chat.
    """
    named = [part for part in re.split(r"[,\s]+", text.strip()) if part]
    for part in named:
        if not _CHAT.fullmatch(part):
            raise Refused(
                "{text} is no Telegram chat. Write a public channel like t.me/s/cafeslumbre, or chats of your bot "
                "like @cafeslumbre, -1001234567890; leave it empty for all of them.",
                text=part,
            )
    return frozenset(part.lstrip("@").lower() for part in named)


def is_from(update: Any, chats: frozenset[str]) -> bool:
    """Whether an update belongs to one of the chats. One without its form does, so that it is refused and seen."""
    message = _message(update)
    if not chats or message is None or not isinstance(message.get("chat"), dict):
        return True
    chat = message["chat"]
    return str(chat.get("id")) in chats or str(chat.get("username") or "").lower() in chats


def update_name(update: Any) -> str:
    """How a refused update is named to a person."""
    return f"update {update.get('update_id')}" if isinstance(update, dict) else "update"


def to_mention(update: Any) -> Mention | None:
    """Map an update; None for what has no words, is said in private, or is said by a bot or twice."""
    message = _message(update)
    if message is None:
        if "update_id" not in update:
            raise KeyError("update_id")
        return None  # a kind of update that we did not ask for
    chat, text = message["chat"], message.get("text") or message.get("caption") or _question(message)
    if not text or chat["type"] == "private" or message.get("is_automatic_forward") or _by_a_bot(message):
        return None
    number, answered = message["message_id"], message.get("reply_to_message") or {}
    edited = message.get("edit_date")
    return Mention(
        source="telegram",
        source_id=f"{chat['id']}:{number}",
        kind="post" if chat["type"] == "channel" else "message",
        text=text,
        url=f"{PREVIEW}/{chat['username'].lower()}/{number}" if chat.get("username") else None,
        created_at=datetime.fromtimestamp(message["date"], UTC),
        edited_at=datetime.fromtimestamp(edited, UTC) if edited else None,
        author=_author(message),
        parent_id=f"{chat['id']}:{answered['message_id']}" if answered.get("message_id") else None,
        raw={**message, "reply_to_message": {"message_id": answered["message_id"]}} if answered else message,
    )


def _message(update: Any) -> dict[str, Any] | None:
    found = [update[name] for name in UPDATES if name in update]
    return found[0] if found else None


def _question(message: Mapping[str, Any]) -> str:
    return (message.get("poll") or {}).get("question") or ""


def _by_a_bot(message: Mapping[str, Any]) -> bool:
    return bool((message.get("from") or {}).get("is_bot")) and not message.get("sender_chat")


def _author(message: Mapping[str, Any]) -> Author | None:
    """The channel or group that speaks, else the person."""
    chat = message.get("sender_chat") or (message["chat"] if message["chat"]["type"] == "channel" else None)
    who = chat or message.get("from")
    if not who:
        return None
    name = who.get("title") or " ".join(filter(None, (who.get("first_name"), who.get("last_name"))))
    username = who.get("username")
    return Author(
        id=str(who["id"]), handle=username or name or str(who["id"]), name=name or None,
        url=f"{PREVIEW}/{username}" if username else None,
    )


def _is_channel_post(mention: Mention) -> bool:
    """Only channels show single posts; of a group's messages the preview might deny all."""
    raw = mention.raw or {}
    return "post" in raw or (raw.get("chat") or {}).get("type") == "channel"


def _numbers(updates: Sequence[Any]) -> list[int]:
    told = [update.get("update_id") for update in updates if isinstance(update, dict)]
    return [number for number in told if isinstance(number, int)]


def _covered(read_at: str | None, now: datetime) -> Span | None:
    """Since the last run, as far back as Telegram keeps updates. Of a first run it is unknown: the bot may be new."""
    return Span(max(datetime.fromisoformat(read_at), now - KEPT), now) if read_at else None
