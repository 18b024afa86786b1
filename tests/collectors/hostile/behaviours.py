"""Every way in which a server misbehaves, by name."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from escucha.errors import Refused, SourceError, TryLater
from tests.collectors.hostile import acts
from tests.collectors.hostile.content import at
from tests.collectors.hostile.server import Behaviour, Talk, head
from tests.collectors.hostile.spoils import (
    Spoil,
    always,
    each,
    first_text,
    innermost,
    is_word,
    lists,
    no_zone,
    number,
    of_zone,
    spoilt,
    surrogates,
    texts,
    times,
    twice,
    twice_with_another_text,
    with_depth,
)

HTML = b"<!doctype html><html><head><title>Un momento</title></head><body><h1>Verifica que eres humano</h1></body>"
DAY = 86_400.0
Make = Callable[..., Behaviour]


def failing(name: str, act: Callable[[Talk], None], error: type[Exception] = TryLater, **more: Any) -> Behaviour:
    """Nothing can be read: the run says so with this error, and nothing is lost."""
    return Behaviour(name=name, act=act, fails=True, error=error, **more)


def lying(name: str, act: Callable[[Talk], None], **more: Any) -> Behaviour:
    """Something can be read that may be wrong: what is brought is clean, and what comes afterwards arrives."""
    return Behaviour(name=name, act=act, **more)


def harmless(name: str, act: Callable[[Talk], None], **more: Any) -> Behaviour:
    """Odd but readable: everything arrives."""
    return Behaviour(name=name, act=act, harmless=True, **more)


def status(name: str, line: str, headers: dict[str, str] | None = None, body: bytes = HTML, **more: Any) -> Behaviour:
    """Every request is answered with one status."""
    return failing(name, lambda talk: talk.answer(body, line, headers), **more)


def patient(name: str, asked: str | None, after: float | None, line: str = "429 Too Many Requests") -> Behaviour:
    """The upstream asks for patience in one of the ways that exist."""
    headers = {} if asked is None else {"Retry-After": asked}
    return status(name, line, headers, b"{}", after=after, speaks_of_after=True)


def raw(name: str, data: bytes, **more: Any) -> Behaviour:
    """Every request is answered with the same bytes, and the connection closes."""
    return failing(name, lambda talk: talk.say(data), **more)


def body(name: str, data: bytes, kind: str = "application/json") -> Behaviour:
    """Every request is answered with the same body, under status 200."""
    return lying(name, lambda talk: talk.answer(data, headers={"Content-Type": kind}), of_body=True)


def spoiled(name: str, spoil: Spoil) -> Behaviour:
    """The honest answer, spoiled."""

    def act(talk: Talk) -> None:
        response = talk.honest()
        talk.repeat(response, spoilt(response.content, spoil) if response.status_code == 200 else None)

    return lying(name, act, of_body=True)


def recoded(name: str, recode: Callable[[bytes], bytes], make: Make = lying) -> Behaviour:
    """The honest answer in other bytes."""

    def act(talk: Talk) -> None:
        response = talk.honest()
        talk.repeat(response, recode(response.content))

    return make(name, act, of_body=True)


def soon(seconds: int) -> str:
    """A date as HTTP writes it."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def dated(talk: Talk) -> None:
    talk.answer(b"{}", "429 Too Many Requests", {"Retry-After": soon(600)})


def packed(name: str, encoding: str, pack: Callable[[bytes], bytes], make: Make = failing, **more: Any) -> Behaviour:
    """The honest answer, packed well or badly."""

    def act(talk: Talk) -> None:
        told = talk.honest()
        talk.answer(pack(told.content), f"{told.status_code} {told.reason_phrase}",
                    {"Content-Encoding": encoding, "Content-Type": told.headers.get("content-type", "")})

    return make(name, act, **more)


def redirected(name: str, to: str, error: type[Exception] = Refused) -> Behaviour:
    return status(name, "302 Found", {"Location": to}, b"", error=error)


ALL = (
    # Statuses.
    patient("429 for 120 seconds", "120", 120.0),
    failing("429 until a date", dated, after=600.0, speaks_of_after=True),
    patient("429 without a word", None, None),
    patient("429 for 1e9 seconds", "1000000000", DAY),
    patient("429 for 1e400 seconds", "9" * 400, DAY),
    patient("429 for -5 seconds", "-5", None),
    patient("429 for text", "mañana", None),
    status("500", "500 Internal Server Error"),
    status("502", "502 Bad Gateway"),
    patient("503 for 45 seconds", "45", 45.0, "503 Service Unavailable"),
    status("504", "504 Gateway Timeout"),
    status("520", "520 Web Server Returned an Unknown Error"),
    status("599", "599 Network Connect Timeout Error"),
    status("408", "408 Request Timeout"),
    status("401", "401 Unauthorized", error=Refused),
    status("403", "403 Forbidden", error=Refused),
    status("404", "404 Not Found", error=Refused),
    status("410", "410 Gone", error=Refused),
    status("418", "418 I'm a teapot", error=Refused),
    status("451", "451 Unavailable For Legal Reasons", error=Refused),
    status("301 to nowhere", "301 Moved Permanently", error=Refused),
    status("204", "204 No Content", body=b"", error=None),
    status("304 unasked", "304 Not Modified", body=b"", error=None),
    # Connections.
    failing("connection refused", lambda talk: None, refuses=True),
    failing("reset before the answer", Talk.reset),
    failing("closed before the answer", lambda talk: None),
    failing("reset in the body", acts.reset_midway),
    failing("body shorter than its length", acts.closed_midway),
    failing("chunked body cut", acts.chunked_cut),
    raw("chunk of no size", head("200 OK", {"Transfer-Encoding": "chunked"}) + b"zz\r\nx\r\n"),
    raw("length that is no number", head("200 OK", {"Content-Length": "mucho"}) + b"{}"),
    raw("two lengths", head("200 OK", {"Content-Length": "2", "content-length": "3"}) + b"{}x"),
    raw("no HTTP", b"220 smtp.example ESMTP\r\n"),
    lying("HTTP/9.9", lambda talk: talk.say(b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}")),
    raw("status of four digits", b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}"),
    raw("header with NUL", b"HTTP/1.1 200 OK\r\nX: \x00\r\nContent-Length: 2\r\n\r\n{}"),
    raw("switching protocols", head("101 Switching Protocols", {"Upgrade": "websocket"}), error=SourceError),
    failing("silence", Talk.fall_silent, waits=True),
    failing("slow headers", acts.slow_headers, waits=True),
    failing("slow body", acts.slow_body, waits=True),
    failing("slow chunks", acts.slow_chunks, waits=True),
    failing("slow error", acts.slow_error, waits=True),
    failing("for ever processing", acts.for_ever_informed, waits=True),
    failing("endless body", acts.endless_body, Refused),
    failing("endless headers", acts.endless_headers),
    raw("header of a megabyte", head("200 OK", {"X-Long": "x" * 1_000_000, "Content-Length": "2"}) + b"{}"),
    # Packing.
    packed("gzip bomb", "gzip", lambda data: acts.bomb(), error=Refused),
    packed("gzip cut", "gzip", lambda data: gzip.compress(data, 1)[:-9]),
    packed("gzip that is none", "gzip", lambda data: b"no " + data),
    packed("deflate that is none", "deflate", lambda data: b"no " + data),
    packed("br unasked", "br", lambda data: b"\x0b\x02\x80" + data, error=Refused),
    packed("packing unknown", "lzma-secreto", lambda data: data, error=Refused),
    packed("gzip", "gzip", gzip.compress, harmless),
    packed("deflate", "deflate", zlib.compress, harmless),
    packed("deflate without a header", "deflate", lambda data: zlib.compress(data)[2:-4], harmless),
    # Odd but right.
    harmless("HTTP/1.0", acts.old_protocol),
    harmless("chunks of seven bytes", acts.chunked),
    harmless("closes at once", acts.closes_at_once),
    harmless("a second answer unasked", acts.says_more),
    harmless("100 and 103 first", acts.continues_first),
    harmless("cookies", acts.told_with({"Set-Cookie": "a=" + "b" * 4_000, "Set-Cookie2": "c=d; Domain=.example"})),
    harmless("sixty headers", acts.told_with({f"X-H{n}": "x" * 1_000 for n in range(60)})),
    harmless("no content type", acts.without_kind),
    # Redirects.
    redirected("redirect to the metadata service", "http://169.254.169.254/latest/meta-data/"),
    redirected("redirect inside", "http://10.0.0.1/"),
    redirected("redirect to a file", "file:///etc/passwd"),
    redirected("redirect to a script", "javascript:alert(1)", SourceError),
    redirected("redirect to no address", "http://[::bad", SourceError),
    failing("redirect in circles", acts.round_in_circles, Refused),
    failing("redirect for ever", acts.ever_on, Refused),
    # Bodies.
    body("empty body", b""),
    body("blanks", b" \n "),
    body("null", b"null"),
    body("true", b"true"),
    body("a number", b"42"),
    body("a text", b'"hola"'),
    body("an empty list", b"[]"),
    body("an empty object", b"{}"),
    body("a list of nulls", b"[null, null]"),
    body("a list of numbers", b"[1, 2.5, -3]"),
    body("not a number", b"NaN"),
    body("nested too deep", b"[" * 200_000),
    body("nested deep", b"[" * 900 + b"]" * 900),
    body("a number of 5000 digits", b'{"data": ' + b"9" * 5_000 + b"}"),
    body("HTML page", HTML, "text/html; charset=utf-8"),
    body("HTML page as JSON", HTML),
    body("XML of another kind", b'<?xml version="1.0"?><opml version="2.0"><body/></opml>', "application/xml"),
    body("billion laughs", b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ja"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
         b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><rss version="2.0"><channel>'
         b"<item><title>&d;</title></item></channel></rss>", "application/rss+xml"),
    body("entity from a file", b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
         b'<rss version="2.0"><channel><item><title>&a;</title></item></channel></rss>', "application/rss+xml"),
    body("binary", bytes(range(256)) * 8, "application/octet-stream"),
    recoded("truncated", lambda data: data[: len(data) * 2 // 3]),
    recoded("said twice", lambda data: data + data),
    # Letters.
    recoded("invalid UTF-8", lambda data: data.replace("é".encode(), b"\xe9\xff")),
    recoded("UTF-16", lambda data: data.decode().encode("utf-16-le")),
    recoded("UTF-16 with a mark", lambda data: data.decode().encode("utf-16")),
    recoded("Latin-1", lambda data: data.decode().encode("latin-1", "replace")),
    recoded("byte order mark", lambda data: b"\xef\xbb\xbf" + data),
    recoded("lone surrogates", surrogates),
    lying("images", acts.told_with({"Content-Type": "image/png"})),
    lying("UTF-7", acts.told_with({"Content-Type": "application/json; charset=utf-7"})),
    lying("charset of no name", acts.told_with({"Content-Type": "text/html; charset=\"x'`\""})),
    spoiled("NUL and control characters", texts(lambda text: f"\0{text}\x1b[31m\x07\x85\r\n")),
    spoiled("bidi and joiners", texts(lambda text: f"\u202e{text}\u2066\u200d\u200b\ufeff")),
    spoiled("texts of marks", texts(lambda text: text + "\u0301" * 2_000)),
    spoiled("scripts", texts(lambda text: f"{text}<script>alert(1)</script>\"'><img src=x onerror=alert(1)>")),
    spoiled("one text of 150,000 characters", first_text(lambda text: text * 6_000)),
    lying("one text of 10 MB", acts.long_winded),
    spoiled("texts empty", texts(lambda text: "")),
    spoiled("texts of blanks", texts(lambda text: " \n\t\u200b")),
    spoiled("one text of 25,000 open tags", first_text(lambda text: text + "<div>" * 25_000)),
    spoiled("one text of 25,000 tags", first_text(lambda text: text + "<b>a</b>" * 12_500)),
    spoiled("templates", texts(lambda text: f"{text} {{source}} %s {{0}} {{{{7*7}}}}")),
    spoiled("links to scripts", lambda content: content.links("javascript:alert(1)")),
    spoiled("links that are none", lambda content: content.links("http://[::bad")),
    spoiled("links of 100,000 characters", lambda content: content.links("https://a.example/" + "x" * 100_000)),
    # Numbers.
    spoiled("numbers NaN", number(float("nan"))),
    spoiled("numbers infinite", number(float("inf"))),
    spoiled("numbers huge", number(10**30)),
    spoiled("numbers negative", number(-1)),
    spoiled("numbers broken", number(0.1)),
    spoiled("numbers as text", each(lambda leaf: str(leaf) if isinstance(leaf, int | float) else leaf)),
    spoiled("numbers null", number(None)),
    # Forms.
    spoiled("all null", each(lambda leaf: None)),
    spoiled("all text", each(lambda leaf: "café lumbre")),
    spoiled("all numbers", each(lambda leaf: 7)),
    spoiled("all true", each(lambda leaf: True)),
    spoiled("all lists", each(lambda leaf: [leaf])),
    spoiled("all objects", each(lambda leaf: {"valor": leaf})),
    spoiled("texts null", each(lambda leaf: None if isinstance(leaf, str) else leaf)),
    spoiled("words in capitals", each(lambda leaf: leaf.upper() if isinstance(leaf, str) and leaf.islower() else leaf)),
    spoiled("words unknown", each(lambda leaf: "ceniza" if is_word(leaf) else leaf)),
    spoiled("objects as lists", lambda content: content.objects(lambda held: [held])),
    spoiled("objects emptied", lambda content: content.objects(lambda held: {} if innermost(held) else held)),
    spoiled("objects with more", lambda content: content.objects(lambda held: {**held, "": None, "\0": "\ud83d"})),
    spoiled("items null", lists(lambda items: [None] * len(items))),
    spoiled("items text", lists(lambda items: ["café lumbre"] * len(items))),
    spoiled("items numbers", lists(lambda items: list(range(len(items))))),
    spoiled("items lists", lists(lambda items: [[item] for item in items])),
    spoiled("items mixed", lists(lambda items: [None, *items, 5, "x", [], {}])),
    spoiled("items hidden in one", lists(lambda items: [{"items": items}])),
    spoiled("lists empty", lists(lambda items: [])),
    spoiled("lists null", lambda content: content.objects(
        lambda held: {name: None if isinstance(value, list) else value for name, value in held.items()})),
    spoiled("lists as objects", lambda content: content.objects(
        lambda held: {name: {"0": value} if isinstance(value, list) else value for name, value in held.items()})),
    spoiled("items 400 deep", with_depth(400)),
    spoiled("items 700 deep", with_depth(700)),
    # Pages.
    spoiled("items twice", lists(twice)),
    spoiled("ids with another text", lists(twice_with_another_text)),
    spoiled("items reversed", lists(lambda items: items[::-1])),
    spoiled("half of the items", lists(lambda items: items[: len(items) // 2])),
    lying("the first page again", acts.first_page_again),
    lying("two pages in turn", acts.two_pages_in_turn),
    lying("overlapping pages", acts.overlapping),
    lying("edited at every answer", acts.restless),
    # Times.
    spoiled("times of 1970", times(at(datetime(1970, 1, 1, tzinfo=UTC)))),
    spoiled("times of 1901", times(at(datetime(1901, 1, 1, tzinfo=UTC)))),
    spoiled("times of 2038", times(at(datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)))),
    spoiled("times of 9999", times(at(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)))),
    spoiled("times of year 1", times(at(datetime(1, 1, 1, tzinfo=UTC)))),
    spoiled("times -1", times(always(-1))),
    spoiled("times 1e18", times(always(10**18))),
    spoiled("times in words", times(always("mañana"))),
    spoiled("times null", times(always(None))),
    spoiled("times true", times(always(True))),
    spoiled("times without a zone", times(no_zone)),
    spoiled("times at +14:00", times(of_zone("+14:00"))),
    spoiled("times at -12:00", times(of_zone("-12:00"))),
    spoiled("times at +99:99", times(of_zone("+99:99"))),
    spoiled("times all alike", times(at(datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)))),
    # Limits.
    lying("quota used up", acts.told_with({"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0",
                                      "X-RateLimit-Used": "100", "X-RateLimit-Reset": "3600"})),
    lying("quota of no sense", acts.told_with({"X-RateLimit-Limit": "muchos", "X-RateLimit-Remaining": "-1e400",
                                          "X-RateLimit-Used": "x", "X-RateLimit-Reset": "NaN",
                                          "X-App-Usage": "[" * 999})),
)  # fmt: skip

BEHAVIOURS = {behaviour.name: behaviour for behaviour in ALL}
MIDWAY = tuple(
    replace(BEHAVIOURS[name], name=f"{name}, from the third request on", honest_first=2)
    for name in (
        "429 for 120 seconds", "503 for 45 seconds", "403", "404", "reset in the body", "HTML page", "truncated",
        "empty body", "an empty object", "lists empty", "silence", "gzip bomb", "204", "items null", "times of 9999",
        "times of 1970", "half of the items",
    )
)
"""The same in the midst of a listing that is longer than two requests."""
