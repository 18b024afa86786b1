"""Telegram: a public channel's preview, the pages of its single posts, and the Bot API of a bot that is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx

from collectors.telegram import BOUNDS, TelegramSource, to_mention, update_name
from escucha.brand import Query
from tests.collectors.fakes.upstream import NOW, SECRET, Reading, Upstream, read_all

CHANNEL, CHAT = "cafeslumbre", -1001234567890
SHOWN = 20
"""Posts on one page of the preview."""
MEMBERS = 12_345


class TelegramUpstream(Upstream):
    """A channel of which the preview shows 20 posts a page, older ones by `before`; the bot hears the same posts.

    `items` are those of the preview, which can be read twice; updates are forgotten once they are confirmed.
    """

    kind = TelegramSource
    enough = 50
    overlap = BOUNDS.overlap

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text=f"t.me/s/{CHANNEL}")
        self.keys = {"token": SECRET}
        self.posts: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self._number, self._update = 1, 319_280_000

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            self._number += 1
            message = {
                "message_id": self._number, "date": int(self.moment(together).timestamp()),
                "chat": {"id": CHAT, "title": "Cafés Lumbre", "username": CHANNEL, "type": "channel"},
                "text": f"Café Lumbre número {self._number}",
            }
            self.posts.append(message)
            self.items.append(f"{CHANNEL}/{self._number}")
            self.hear("channel_post", message)

    def hear(self, kind: str, message: dict[str, Any]) -> None:
        """The bot gets an update."""
        self._update += 1
        self.updates.append({"update_id": self._update, kind: message})

    def ids_of(self, mentions: Any) -> set[str]:
        """The bot's chat and the channel whose preview is read are one."""
        return {mention.source_id.replace(f"{CHAT}:", f"{CHANNEL}/") for mention in mentions}

    def edit(self, item: str, text: str) -> None:
        post = self._post(item)
        post["text"] = text
        self.hear("edited_channel_post", {**post, "edit_date": post["date"] + 60})

    def delete(self, item: str) -> None:
        self.posts.remove(self._post(item))
        self.items.remove(item)

    def _post(self, item: str) -> dict[str, Any]:
        return next(post for post in self.posts if f"{CHANNEL}/{post['message_id']}" == item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path, asked = request.url.path, request.url.params
        if path.startswith("/bot"):
            return self._bot(path, asked)
        if path == f"/s/{CHANNEL}":
            return httpx.Response(200, text=self._preview(int(asked.get("before", 10**9))))
        single = re.fullmatch(rf"/{CHANNEL}/(\d+)", path)
        if single:
            found = [post for post in self.posts if post["message_id"] == int(single[1])]
            missing = '<div class="tgme_widget_message_error">Post not found</div>'
            return httpx.Response(200, text=shown(found[0]) if found else missing)
        if path == f"/{CHANNEL}":
            return httpx.Response(200, text='<div class="tgme_page_extra">12 345 subscribers</div>')
        return httpx.Response(200, text='<div class="tgme_page">Open in Telegram</div>')

    def _preview(self, before: int) -> str:
        page = [shown(post) for post in self.posts if post["message_id"] < before][-SHOWN:]
        if self.mangled and page:
            page.insert(1, '<div class="tgme_widget_message js-widget_message"><time class="time"></time></div>')
        return f'<div class="tgme_channel_info"></div><section class="tgme_channel_history">{"".join(page)}</section>'

    def _bot(self, path: str, asked: httpx.QueryParams) -> httpx.Response:
        if not path.startswith(f"/bot{self.keys['token']}/"):
            return failed(401, "Unauthorized")
        if path.endswith("/getChatMemberCount"):
            known = asked["chat_id"] in (str(CHAT), f"@{CHANNEL}")
            return done(MEMBERS) if known else failed(400, "Bad Request: chat not found")
        self.updates = [update for update in self.updates if update["update_id"] >= int(asked.get("offset", 0))]
        found: list[Any] = self.updates[: int(asked["limit"])]
        if self.mangled and found:
            found = [{**found[0], "channel_post": {"message_id": 1}}, *found[1:]]
        return done(found)


def done(result: Any) -> httpx.Response:
    """An answer of the Bot API."""
    return httpx.Response(200, json={"ok": True, "result": result})


def failed(code: int, description: str, **parameters: int) -> httpx.Response:
    """A refusal of the Bot API."""
    said = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    return httpx.Response(code, json=said)


def shown(post: dict[str, Any]) -> str:
    """A post as the preview shows it."""
    number = post["message_id"]
    when = f"{NOW.fromtimestamp(post['date'], NOW.tzinfo):%Y-%m-%dT%H:%M:%S+00:00}"
    return (
        f'<div class="tgme_widget_message_wrap js-widget_message_wrap"><div class="tgme_widget_message '
        f'js-widget_message" data-post="{CHANNEL}/{number}"><div class="tgme_widget_message_author"><a class='
        f'"tgme_widget_message_owner_name" href="https://t.me/{CHANNEL}"><span>Cafés Lumbre</span></a></div>'
        f'<div class="tgme_widget_message_text js-message_text">{post["text"]}</div><div class='
        f'"tgme_widget_message_footer"><span class="tgme_widget_message_views">12.3K</span><a class='
        f'"tgme_widget_message_date" href="https://t.me/{CHANNEL}/{number}"><time datetime="{when}" class="time">'
        f"10:00</time></a></div></div></div>"
    )


def recorded(folder: Path) -> Reading:
    """The updates among the recordings."""
    files = sorted(folder.glob("telegram/recorded/*.json"))
    updates = [update for file in files for update in json.loads(file.read_text("utf-8"))["result"]]
    return read_all(updates, to_mention, update_name)
