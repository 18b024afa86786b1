"""A bot's updates are confirmed only once they are saved; a channel's preview is read without any key."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors.telegram import TelegramSource, channel_of, chats_of, to_mention
from collectors.telegram_preview import is_missing, post_to_mention, posts_on_page, subscribers
from escucha.brand import Query
from escucha.errors import Refused, TryLater
from escucha.mention import Author
from tests.collectors.fakes import CLOCK, NOW, SECRET, WEB, wire
from tests.collectors.fakes.telegram import CHANNEL, CHAT, MEMBERS, TelegramUpstream, failed

EVERYTHING = Query(text="")


def source(answer: httpx.Response, **keys: str) -> TelegramSource:
    transport = httpx.MockTransport(lambda request: wire(answer))
    return TelegramSource(web=WEB, keys=keys or {"token": SECRET}, transport=transport, clock=CLOCK)


def said(**changes: Any) -> dict[str, Any]:
    message = {
        "message_id": 7, "date": 1_795_000_000, "text": "El café llegó frío",
        "chat": {"id": -5, "title": "Clientes", "type": "supergroup", "username": "ClientesLumbre"},
        "from": {"id": 42, "is_bot": False, "first_name": "Ana", "last_name": "Ruiz", "language_code": "es"},
    }
    return {"update_id": 1, "message": {**message, **changes}}


@pytest.fixture
def telegram(tmp_path: Path) -> TelegramUpstream:
    made = TelegramUpstream(tmp_path)
    made.query = EVERYTHING
    return made


def test_a_recorded_message_is_mapped_as_the_bot_api_gives_it(shared: Path) -> None:
    answer = json.loads((shared / "upstream/telegram/recorded/perceval-telegram_messages.json").read_text("utf-8"))
    first, second, third = [to_mention(update) for update in answer["result"]]
    assert first is not None
    assert second is not None
    assert third is not None
    assert [m.source_id for m in (first, second, third)] == ["-1:31", "-2:32", "-1:33"]
    assert (first.text, first.kind, first.url) == ("Testing, testing", "message", None)
    assert first.created_at == datetime(2016, 6, 30, 12, 22, 5, tzinfo=UTC)
    assert first.author == Author(id="8", handle="sdd", name="Santi", url="https://t.me/sdd")


def test_a_message_of_a_public_group_has_an_address_and_tells_what_it_answers() -> None:
    mention = to_mention(said(reply_to_message={"message_id": 3, "text": "de otra persona"}))
    assert mention is not None
    assert (mention.url, mention.parent_id) == ("https://t.me/clienteslumbre/7", "-5:3")
    assert mention.author == Author(id="42", handle="Ana Ruiz", name="Ana Ruiz")
    assert "de otra persona" not in json.dumps(mention.raw)


def test_the_caption_of_a_photo_and_the_question_of_a_poll_are_its_text() -> None:
    photo, poll = to_mention(said(text=None, caption="Mira")), to_mention(said(text=None, poll={"question": "¿Café?"}))
    assert photo
    assert poll
    assert (photo.text, poll.text) == ("Mira", "¿Café?")


@pytest.mark.parametrize(
    "changes",
    [
        {"text": None}, {"chat": {"id": 42, "type": "private"}}, {"is_automatic_forward": True},
        {"from": {"id": 9, "is_bot": True, "first_name": "Avisos"}},
    ],
)
def test_what_has_no_words_or_is_private_or_a_bots_is_left_out(changes: dict[str, Any]) -> None:
    assert to_mention(said(**changes)) is None


def test_an_admin_who_speaks_for_the_group_is_taken_as_the_group() -> None:
    mention = to_mention(said(**{"from": {"id": 1087968824, "is_bot": True}, "sender_chat": {"id": -5, "title": "C"}}))
    assert mention
    assert mention.author
    assert mention.author.id == "-5"


def test_an_edit_comes_under_the_same_key(telegram: TelegramUpstream) -> None:
    telegram.add(1)
    telegram.edit(telegram.items[0], "Lumbre: corregido")
    (page,) = telegram.source().pages(EVERYTHING, None)
    (mention,) = page.mentions
    assert (mention.source_id, mention.text) == (f"{CHAT}:2", "Lumbre: corregido")
    assert mention.edited_at == mention.created_at + timedelta(seconds=60)


def test_nothing_is_confirmed_before_it_is_saved(telegram: TelegramUpstream) -> None:
    telegram.add(3)
    (lost,) = telegram.source().pages(EVERYTHING, None)  # its cursor is never saved: the machine stopped
    (page,) = telegram.source().pages(EVERYTHING, None)
    assert [m.source_id for m in page.mentions] == [m.source_id for m in lost.mentions]
    telegram.add(1)
    (later,) = telegram.source().pages(EVERYTHING, page.cursor)
    assert [m.source_id for m in later.mentions] == [f"{CHAT}:5"]
    assert [request.url.params.get("offset") for request in telegram.requests] == [None, None, "319280004"]


def test_more_than_a_hundred_updates_take_more_than_one_run(telegram: TelegramUpstream) -> None:
    telegram.add(130)
    (first,) = telegram.source().pages(EVERYTHING, None)
    (second,) = telegram.source().pages(EVERYTHING, first.cursor)
    assert (len(first.mentions), first.more, first.covers) == (100, True, None)
    assert (len(second.mentions), second.more) == (30, False)


def test_a_run_covers_the_time_since_the_last_but_no_more_than_telegram_keeps(telegram: TelegramUpstream) -> None:
    (first,) = telegram.source().pages(EVERYTHING, None)
    assert first.covers is None  # the bot may have been added just now
    late = {**(first.cursor or {}), "read_at": (NOW - timedelta(days=3)).isoformat()}
    (page,) = telegram.source().pages(EVERYTHING, late)
    assert page.covers is not None
    assert (page.covers.start, page.covers.end) == (NOW - timedelta(hours=24), NOW)


@pytest.mark.parametrize("text", [f"@{CHANNEL}", "@CafesLumbre", str(CHAT), f"-7, {CHAT}"])
def test_only_the_chats_that_are_named_are_taken(telegram: TelegramUpstream, text: str) -> None:
    telegram.add(2)
    telegram.hear("message", said()["message"])
    (page,) = telegram.source().pages(Query(text=text), None)
    assert (len(page.mentions), page.passed) == (2, 1)


def test_a_mangled_update_is_refused_and_confirmed(telegram: TelegramUpstream) -> None:
    telegram.add(3)
    telegram.mangled = True
    (page,) = telegram.source().pages(EVERYTHING, None)
    assert [refusal.where for refusal in page.refusals] == ["update 319280001"]
    telegram.mangled = False
    (later,) = telegram.source().pages(EVERYTHING, page.cursor)
    assert (later.mentions, later.refusals) == ((), ())


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (failed(401, "Unauthorized"), Refused, "bot token"),
        (failed(404, "Not Found"), Refused, "bot token"),
        (failed(409, "Conflict: can't use getUpdates method while webhook is active"), Refused, "webhook"),
        (failed(409, "Conflict: terminated by other getUpdates request"), TryLater, "at the same time"),
        (failed(403, "Forbidden: bot was kicked from the channel chat"), Refused, "still a member"),
        (failed(502, "Bad Gateway"), TryLater, "trouble"),
        (httpx.Response(200, json={"ok": False, "error_code": 401, "description": "x"}), Refused, "bot token"),
        (httpx.Response(200, json={"ok": True, "result": {}}), TryLater, "form"),
    ],
)
def test_what_telegram_says_of_a_failure_is_told_in_words(answer: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        list(source(answer).pages(EVERYTHING, None))
    assert SECRET not in str(caught.value) + repr(getattr(caught.value, "details", {}))


def test_telegram_is_given_the_time_that_it_asks_for(tmp_path: Path) -> None:
    telegram = TelegramUpstream(tmp_path)
    transport = httpx.MockTransport(lambda request: wire(failed(429, "Too Many Requests", retry_after=37)))
    asked = TelegramSource(web=telegram.web, keys=telegram.keys, transport=transport, clock=CLOCK)
    with pytest.raises(TryLater) as caught:
        list(asked.pages(EVERYTHING, None))
    assert caught.value.after == 37


def test_without_a_token_only_a_public_channel_can_be_read(telegram: TelegramUpstream) -> None:
    telegram.keys = {}
    telegram.add(3)
    page, *_ = telegram.source().pages(Query(text=f"https://t.me/s/{CHANNEL}"), None)
    assert len(page.mentions) == 3
    with pytest.raises(Refused, match="token"):
        list(telegram.source().pages(EVERYTHING, None))


def test_a_post_of_the_preview_is_mapped(telegram: TelegramUpstream) -> None:
    telegram.add(1)
    page, *_ = telegram.source().pages(Query(text=f"t.me/{CHANNEL}"), None)
    (mention,) = page.mentions
    assert (mention.source_id, mention.url) == (f"{CHANNEL}/2", f"https://t.me/{CHANNEL}/2")
    assert mention.created_at == telegram.start + telegram.spacing
    assert mention.engagement.views == 12_300
    assert mention.author == Author(
        id=f"@{CHANNEL}", handle=CHANNEL, name="Cafés Lumbre", url=f"https://t.me/{CHANNEL}"
    )


ANSWER = """
<div class="tgme_widget_message js-widget_message" data-post="CafesLumbre/9">
 <a class="tgme_widget_message_reply" href="https://t.me/CafesLumbre/4">
  <div class="tgme_widget_message_text js-message_reply_text">El precio de ayer</div></a>
 <div class="tgme_widget_message_text js-message_text">Hoy <b>sube</b><br/>otra vez <i class="emoji"><b>🙂</b></i></div>
 <a class="tgme_widget_message_date"><time datetime="2026-11-20T15:00:00+00:00"></time></a>
</div>
<div class="tgme_widget_message service_message" data-post="CafesLumbre/10">
 <div class="tgme_widget_message_text">Cafés Lumbre pinned a photo</div><time datetime="2026-11-20T15:01:00+00:00">
</div>
<div class="tgme_widget_message" data-post="CafesLumbre/11"><a class="tgme_widget_message_photo"></a>
 <time datetime="2026-11-20T15:02:00+00:00"></time></div>
"""


def test_the_words_of_the_post_that_is_answered_are_not_the_answers() -> None:
    answer, notice, photo = [post_to_mention(post) for post in posts_on_page(ANSWER.encode())]
    assert answer is not None
    assert answer.text == "Hoy sube\notra vez 🙂"
    assert (answer.source_id, answer.parent_id) == ("cafeslumbre/9", "cafeslumbre/4")
    assert answer.engagement.views is None
    assert (notice, photo) == (None, None)


def test_a_channel_without_a_preview_is_told_so() -> None:
    page = httpx.Response(200, text='<div class="tgme_page">If you have Telegram, you can contact</div>')
    with pytest.raises(Refused, match="otrocanal shows no public preview"):
        list(source(page).pages(Query(text="t.me/s/otrocanal"), None))


def test_only_a_post_that_telegram_denies_is_gone(telegram: TelegramUpstream) -> None:
    telegram.add(2)
    preview = [m for page in telegram.source().pages(Query(text=f"t.me/s/{CHANNEL}"), None) for m in page.mentions]
    telegram.delete(f"{CHANNEL}/2")
    telegram.edit(f"{CHANNEL}/3", "Lumbre: corregido")
    checked = telegram.source().recheck(preview)
    assert checked.gone == {f"{CHANNEL}/2"}
    assert [mention.text for mention in checked.fresh] == ["Lumbre: corregido"]


@pytest.mark.parametrize(
    ("page", "missing"),
    [
        ('<div class="tgme_widget_message_error">Post not found</div>', True),
        ('<div class="tgme_widget_message_error">Channel with username <b>@x</b> not found</div>', False),
        ('<div class="tgme_widget_message_error">Please open Telegram to view this post</div>', False),
        ("", False),
    ],
)
def test_a_hidden_post_is_not_a_missing_one(page: str, missing: bool) -> None:
    assert is_missing(page.encode()) is missing


def test_messages_of_groups_are_never_found_gone(telegram: TelegramUpstream) -> None:
    group = to_mention(said())
    assert group is not None
    assert telegram.source().recheck([group]).gone == frozenset()
    assert telegram.requests == []


def test_a_channels_members_are_its_followers_and_a_persons_stay_unknown(telegram: TelegramUpstream) -> None:
    asked = [
        Author(id=f"@{CHANNEL}", handle=CHANNEL), Author(id=str(CHAT), handle="c"), Author(id="-3", handle="x"),
        Author(id="42", handle="ana"),
    ]
    told = {author.id: author.followers for author in telegram.source().authors(asked)}
    assert told == {f"@{CHANNEL}": MEMBERS, str(CHAT): MEMBERS, "-3": None}
    telegram.keys = {}
    assert {a.id: a.followers for a in telegram.source().authors(asked[:2])} == {
        f"@{CHANNEL}": MEMBERS, str(CHAT): None,
    }


@pytest.mark.parametrize(
    ("text", "digits"), [("12 345 subscribers", "12345"), ("5.31M subscribers", "5.31M"), ("@someone", "")]
)
def test_the_number_of_subscribers_is_read_from_the_channels_page(text: str, digits: str) -> None:
    assert subscribers(f'<div class="tgme_page_extra">{text}</div>'.encode()) == digits


@pytest.mark.parametrize("text", ["https://otro.example/s/canal", "12345", "@a, café"])
def test_a_query_that_names_no_chat_says_how_to_write_one(text: str) -> None:
    with pytest.raises(Refused, match=r"t\.me/s/cafeslumbre"):
        chats_of(text)


def test_a_query_names_a_preview_or_chats() -> None:
    assert channel_of(" https://t.me/s/CafesLumbre/ ") == "cafeslumbre"
    assert channel_of("@cafeslumbre") is None
    assert chats_of("@CafesLumbre -100123,-7") == {"cafeslumbre", "-100123", "-7"}
    assert chats_of("  ") == frozenset()
