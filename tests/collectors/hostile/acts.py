"""What a server does with one request, from the connection up to the pages that it leads to."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.collectors.hostile.content import Content
from tests.collectors.hostile.server import Talk, head
from tests.collectors.hostile.spoils import first_text, spoilt


def reset_midway(talk: Talk) -> None:
    told = talk.honest().content
    talk.say(head("200 OK", {"Content-Length": str(len(told) + 900)}), told[: len(told) // 2])
    talk.reset()


def closed_midway(talk: Talk) -> None:
    told = talk.honest().content
    talk.say(head("200 OK", {"Content-Length": str(len(told) + 900)}), told)


def chunked_cut(talk: Talk) -> None:
    told = talk.honest().content
    talk.say(head("200 OK", {"Transfer-Encoding": "chunked"}), f"{len(told):x}\r\n".encode(), told, b"\r\n9")


def chunked(talk: Talk) -> None:
    told = talk.honest()
    parts = [told.content[start : start + 7] for start in range(0, len(told.content), 7)]
    names = {"Transfer-Encoding": "chunked", "Content-Type": told.headers.get("content-type", "")}
    line = f"{told.status_code} {told.reason_phrase}"
    told_in_parts = b"".join(b"%x;x=y\r\n%s\r\n" % (len(part), part) for part in parts)
    talk.say(head(line, names), told_in_parts, b"0\r\nX: y\r\n\r\n")
    talk.stays = True


def slow_headers(talk: Talk) -> None:
    talk.say(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    talk.drip(b"x")


def slow_body(talk: Talk) -> None:
    talk.say(head("200 OK", {"Content-Length": "900000"}), b"[")
    talk.drip(b" ")


def slow_chunks(talk: Talk) -> None:
    talk.say(head("200 OK", {"Transfer-Encoding": "chunked"}))
    talk.drip(b"1\r\n \r\n")


def for_ever_informed(talk: Talk) -> None:
    talk.drip(b"HTTP/1.1 102 Processing\r\n\r\n")


def slow_error(talk: Talk) -> None:
    talk.say(head("503 Service Unavailable", {"Content-Length": "60000"}))
    talk.drip(b"x")


def endless_body(talk: Talk) -> None:
    talk.say(head("200 OK", {"Content-Type": "application/json"}))
    talk.flood(b" " * 65_536)


def endless_headers(talk: Talk) -> None:
    talk.say(b"HTTP/1.1 200 OK\r\n")
    talk.flood(b"X-More: " + b"x" * 4_000 + b"\r\n")


def long_winded(talk: Talk) -> None:
    """One text goes on for ten megabytes."""
    told = talk.honest()
    start, mark, rest = spoilt(told.content, first_text(lambda text: f"{text}@@@")).partition(b"@@@")
    length = len(start) + len(rest) + len(mark) * 3_500_000
    kind = told.headers.get("content-type", "")
    talk.say(head("200 OK", {"Content-Length": str(length), "Content-Type": kind}), start)
    for _ in range(350):
        talk.say(b" ja" * 10_000)
    talk.say(rest)


@cache
def bomb() -> bytes:
    """A hundred megabytes of blanks in a hundred kilobytes."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * (1 << 20)) for _ in range(100)) + packer.flush()


def old_protocol(talk: Talk) -> None:
    told = talk.honest()
    talk.say(head(f"{told.status_code} {told.reason_phrase}", {"Content-Type": told.headers.get("content-type", "")})
             .replace(b"HTTP/1.1", b"HTTP/1.0"), told.content)


def closes_at_once(talk: Talk) -> None:
    told = talk.honest()
    talk.repeat(told)
    talk.stays = False  # although nothing was said of it


def says_more(talk: Talk) -> None:
    talk.repeat(talk.honest())
    talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    talk.stays = False


def continues_first(talk: Talk) -> None:
    talk.say(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    talk.repeat(talk.honest())


def told_with(headers: dict[str, str]) -> Callable[[Talk], None]:
    """The honest answer with other headers."""

    def act(talk: Talk) -> None:
        told = talk.honest()
        told.headers.update(headers)
        talk.repeat(told)

    return act


def without_kind(talk: Talk) -> None:
    told = talk.honest()
    told.headers.pop("content-type", None)
    talk.repeat(told)


def round_in_circles(talk: Talk) -> None:
    talk.answer(b"", "302 Found", {"Location": talk.request.url.raw_path.decode()})


def ever_on(talk: Talk) -> None:
    talk.answer(b"", "307 Temporary Redirect", {"Location": f"/otra/{talk.number}"})


def first_page_again(talk: Talk) -> None:
    """Every page of a listing is its first."""
    place = talk.request.url.path
    if place not in talk.memory:
        talk.memory[place] = talk.honest()
    talk.repeat(talk.memory[place])


def two_pages_in_turn(talk: Talk) -> None:
    """A leads to B, and B to A."""
    pages = talk.memory.setdefault(talk.request.url.path, [])
    if len(pages) < 2:
        pages.append(talk.honest())
        talk.repeat(pages[-1])
        return
    talk.memory["turn"] = talk.memory.get("turn", 0) + 1
    talk.repeat(pages[(talk.memory["turn"] - 1) % 2])


def overlapping(talk: Talk) -> None:
    """Each page begins with the items of the page before."""
    told = talk.honest()
    if told.status_code != 200:
        talk.repeat(told)
        return
    before = talk.memory.get("items", [])
    kept: list[Any] = []

    def joined(items: list[Any]) -> list[Any]:
        kept.extend(items)
        return [*before, *items]

    data = spoilt(told.content, lambda content: content.lists(joined) if _is_flat(content) else None)
    talk.memory["items"] = kept
    talk.repeat(told, data)


def restless(talk: Talk) -> None:
    """Every answer tells every text anew."""
    told = talk.honest()
    talk.repeat(told, spoilt(told.content, lambda content: content.texts(lambda text: f"{text} ({talk.number})")))


def _is_flat(content: Content) -> bool:
    """Whether a body has one list of items, so that items of another answer can be put into it."""
    found: list[int] = []
    content.lists(lambda items: found.append(len(items)) or items)  # type: ignore[func-returns-value]
    return len(found) == 1
