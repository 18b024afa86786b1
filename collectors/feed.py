"""Reads a feed of any dialect (RSS, Atom, RDF, JSON Feed) into plain entries."""

from __future__ import annotations

import json
import re
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

from collectors.dates import read_moment
from collectors.plain import plain
from collectors.shallow import shallow
from escucha.errors import Refused, Unreadable

MAX_ENTRIES = 1000
MOST_BROKEN = 200_000
"""Bytes of a feed that is no proper XML: what is read of it takes many times longer. The oldest entries go."""
LONGEST_REST = timedelta(hours=1)
"""However seldom a feed says that it changes, we look again after an hour: many say so and still bring news."""
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}
_HTML = re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry in plain words. `published` is None where the feed tells no readable time."""

    id: str
    title: str
    text: str
    url: str | None = None
    lang: str | None = None
    author: str | None = None
    comments: int | None = None
    published: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The entries of one answer as their parser gave them, the feed's language and address, and its dialect.

    `rest` is how long the feed asks not to be read again.
    """

    entries: tuple[Entry, ...]
    url: str
    lang: str | None = None
    is_json: bool = False
    rest: timedelta = timedelta(0)

    def item(self, entry: Entry) -> Item:
        """An entry in plain words."""
        return _json_item(entry, self) if self.is_json else _xml_item(entry, self)


def read_feed(body: bytes, url: str, content_type: str) -> Feed:
    """The feed in an answer.

    Raises:
        Refused: it is a web page, declares entities (the way to attack a reader), or is no feed at all.
    """
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _json_feed(body, url)
    proper = _defuse(body, url)
    import feedparser

    # As a stream: given bytes, feedparser would first try them as the name of a local file.
    headers = {"content-type": content_type, "content-location": url}
    try:
        # It does not mend the markup in texts: we want their words alone, and on some it would sit for minutes.
        parsed = feedparser.parse(
            BytesIO(body if proper else _beginning(body)), response_headers=headers, sanitize_html=False,
            resolve_relative_uris=False,
        )
    except Exception:  # on mangled bytes it raises whatever its decoders and parsers raise
        raise _no_feed(body, url) from None
    if not parsed.get("version") and not parsed.entries:
        raise _no_feed(body, url)
    channel = parsed.feed
    return Feed(entries=tuple(parsed.entries[:MAX_ENTRIES]), url=url, lang=_lang(channel.get("language")),
                rest=_rest(channel))


def _rest(channel: Mapping[str, Any]) -> timedelta:
    """The pause that a feed asks for: `ttl` in minutes, or how often in a period it says to change (`sy`)."""
    minutes = _number(channel.get("ttl")) or 0
    hours = _PERIODS.get(str(channel.get("sy_updateperiod") or "").strip().lower(), 0)
    often = _number(channel.get("sy_updatefrequency")) or 1
    longest = LONGEST_REST.total_seconds()
    return timedelta(seconds=min(minutes * 60 or hours * 3600 / min(often, 1000), longest))


def _beginning(body: bytes) -> bytes:
    """The entries that come whole within the bound."""
    if len(body) <= MOST_BROKEN:
        return body
    end = max(body.rfind(b"</item>", 0, MOST_BROKEN), body.rfind(b"</entry>", 0, MOST_BROKEN))
    return body[: body.index(b">", end) + 1] if end >= 0 else body[:MOST_BROKEN]


def _defuse(body: bytes, url: str) -> bool:
    """Refuse entity declarations; whether it is proper XML. What is not is scanned, then left to feedparser."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.sax import parseString

    try:
        parseString(body, ContentHandler())
        return True
    except DefusedXmlException:
        harmful = True
    except (SAXException, ValueError, LookupError):  # not well-formed, or an encoding that expat does not know
        harmful = b"<!ENTITY" in body.replace(b"\0", b"")
    if harmful:
        raise Refused(
            "The feed at {host} declares XML entities, which attacks on feed readers use. It is not read. Ask its "
            "owner for a plain feed.",
            host=urlsplit(url).hostname or "",
        )
    return False


def _no_feed(body: bytes, url: str) -> Refused:
    host = urlsplit(url).hostname or ""
    if not _HTML.search(body[:4096]):
        return Refused("The address at {host} does not answer with a feed. Check the address.", host=host)
    feed = linked_feed(body, url)
    if feed:
        return Refused(
            "This address answers with a web page, not a feed. The page offers a feed: use {feed}", feed=feed, host=host
        )
    return Refused(
        "This address answers with a web page, not a feed. Look for RSS or Atom on {host} and use that address.",
        host=host,
    )


def linked_feed(body: bytes, url: str) -> str | None:
    """The first feed that a web page links to (`<link rel="alternate">`), or None."""
    from selectolax.lexbor import LexborHTMLParser

    for link in LexborHTMLParser(shallow(body.decode("utf-8", "replace"))).css('link[rel~="alternate"][href]'):
        kind, address = link.attributes.get("type") or "", link.attributes.get("href") or ""
        if re.search(r"rss|atom|feed\+json", kind) and address:
            return urljoin(url, address)
    return None


def _json_feed(body: bytes, url: str) -> Feed:
    try:
        feed = json.loads(body)
        if "jsonfeed.org" not in str(feed["version"]) or not isinstance(feed["items"], list):
            raise KeyError
    except (ValueError, KeyError, RecursionError):
        raise _no_feed(body, url) from None
    return Feed(entries=tuple(feed["items"][:MAX_ENTRIES]), url=url, lang=_lang(feed.get("language")), is_json=True)


def _json_item(entry: Entry, feed: Feed) -> Item:
    authors = entry.get("authors") or [entry.get("author") or {}]
    text = plain(entry.get("content_html") or "") or entry.get("content_text") or entry.get("summary") or ""
    return Item(
        id=_global(entry.get("id") or entry.get("url"), feed),
        title=plain(entry.get("title") or ""),
        text=text,
        url=_address(entry.get("url") or entry.get("external_url"), feed.url),
        lang=_lang(entry.get("language")) or feed.lang,
        author=authors[0].get("name"),
        published=_iso(entry.get("date_published") or entry.get("date_modified")),
    )


def _xml_item(entry: Entry, feed: Feed) -> Item:
    contents = [part.get("value", "") for part in entry.get("content", [])]
    source = entry.get("source", {}).get("title", "")
    return Item(
        id=_global(entry.get("id"), feed),
        title=plain(entry.get("title", "")).removesuffix(f" - {source}") if source else plain(entry.get("title", "")),
        text=_words(max([*contents, ""], key=len) or entry.get("summary", "")),
        url=_address(entry.get("link"), feed.url),
        lang=_lang(_entry_lang(entry)) or feed.lang,
        author=entry.get("author_detail", {}).get("name") or entry.get("author") or None,
        comments=_number(entry.get("slash_comments") or entry.get("thr_total")),
        published=_utc(entry.get("published_parsed"))
        or _utc(dict(entry).get("updated_parsed"))  # feedparser's own get would answer with the other date
        or _local(entry.get("published") or dict(entry).get("updated")),
    )


def _words(html: str) -> str:
    """Plain text; some feeds escape their markup twice, so what still looks like markup is stripped once more."""
    text = plain(html)
    return plain(text) if re.search(r"</(p|div|a)>", text) else text


def _entry_lang(entry: Entry) -> str | None:
    details = [*entry.get("content", []), entry.get("summary_detail") or {}, entry.get("title_detail") or {}]
    return next((part["language"] for part in details if part.get("language")), None)


def _global(entry_id: Any, feed: Feed) -> str:
    """The entry's id, with the feed's host before a bare one ("123"): other feeds may count alike."""
    bare = str(entry_id or "").strip()
    return bare if not bare or ":" in bare else f"{urlsplit(feed.url).hostname}:{bare}"


def _address(link: str | None, base: str) -> str | None:
    """The entry's own address: absolute, and freed of the redirect that Google Alerts puts before it."""
    if not link:
        return None
    absolute = urljoin(base, link)
    parts = urlsplit(absolute)
    if parts.path == "/url" and re.fullmatch(r"(www\.)?google\.[a-z.]+", parts.hostname or ""):
        return parse_qs(parts.query).get("url", parse_qs(parts.query).get("q", [absolute]))[0]
    return absolute


def _lang(value: Any) -> str | None:
    return str(value).strip().lower().replace("_", "-") or None if value else None


def _number(value: Any) -> int | None:
    digits = str(value or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None


def _utc(parts: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(timegm(parts), UTC) if parts else None
    except (ValueError, TypeError, OverflowError):
        return None


def _local(value: Any) -> datetime | None:
    """A date in Spanish or Portuguese words, which feedparser does not read."""
    try:
        return read_moment(value, UTC) if value else None
    except Unreadable:
        return None


def _iso(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if value else None
    except (ValueError, TypeError):
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
