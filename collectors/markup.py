"""What a web page says of itself for machines: its schema.org objects, as JSON-LD or as microdata, however broken."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from collectors.shallow import shallow
from escucha.text import MAX_TEXT

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

Thing = Mapping[str, Any]
"""A schema.org object: its `@type` and properties, each a value or a list of values."""

LONGEST = MAX_TEXT + 1
"""Characters of a property: a longer one is refused as a text, and would be copied into all that is around it."""
DEEPEST = 20
"""Microdata items within items; deeper ones are no page that anybody wrote."""

_OPENED = re.compile(r"(?://|/\*)?\s*(?:<!--|<!\[CDATA\[)\s*(?:\*/)?")
_CLOSED = re.compile(r"(?://|/\*)?\s*(?:-->|\]\]>)\s*(?:\*/)?\Z")
_TAIL = 100
"""Characters at the end of a block in which what closes a wrapping stands."""
_MENDED = re.compile(
    r'"(?:\\.|[^"\\])*+(?:"|\\?\Z)|//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)|,(?=\s*[}\]])', re.DOTALL
)
_BETWEEN = re.compile(r"[\s;,]*")
_CHARSET = re.compile(rb"<meta[^>]{1,200}?charset\s*=\s*[\"']?([\w-]{1,40})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """A page's JSON-LD and microdata objects, its language, and the page that it calls the next."""

    linked: tuple[Any, ...] = ()
    micro: tuple[Thing, ...] = ()
    lang: str | None = None
    next: str | None = None


def read_markup(body: bytes, content_type: str, address: str) -> Markup:
    """The markup of a page at an address. What cannot be mended in it is left out."""
    from selectolax.lexbor import LexborHTMLParser

    page = LexborHTMLParser(shallow(_decoded(body, content_type)))
    blocks = page.css('script[type^="application/ld+json"]')
    root = page.css_first("html")
    return Markup(
        linked=tuple(value for block in blocks for value in read_json(block.text())),
        micro=tuple(_item(node, 0) for node in page.css("[itemscope]") if "itemprop" not in node.attributes),
        lang=language(root.attributes.get("lang")) if root else None,
        next=_next(page, address),
    )


def _decoded(body: bytes, content_type: str) -> str:
    """The page's text: by its header, by what it says itself, as UTF-8, and else as what old pages are."""
    said = re.search(r"charset=[\"']?([\w-]+)", content_type, re.IGNORECASE)
    inside = _CHARSET.search(body[:4096])
    names = [said[1] if said else None, inside[1].decode() if inside else None, "utf-8"]
    for name in filter(None, names):
        try:
            return body.decode(name)
        except (LookupError, UnicodeError):
            continue
    return body.decode("cp1252", "replace")


def _next(page: LexborHTMLParser, address: str) -> str | None:
    """The next page, where it lies on the same host."""
    link = page.css_first('link[rel~="next"][href], a[rel~="next"][href]')
    try:
        target = urljoin(address, (link.attributes.get("href") or "").strip()).partition("#")[0] if link else ""
        same = urlsplit(target).netloc == urlsplit(address).netloc
    except ValueError:
        return None
    return target if target.startswith(("http://", "https://")) and same else None


def read_json(text: str) -> list[Any]:
    """The values in a block of JSON as pages write it: with comments, trailing commas, raw line breaks or entities.

    Empty where nothing makes sense of it.
    """
    bare = _unwrapped(text.strip())
    for mend in (str, _mended, _unescaped):
        try:
            return list(_values(mend(bare)))
        except (ValueError, RecursionError):
            continue
    return []


def _unwrapped(text: str) -> str:
    """Without the comment or CDATA section in which pages put a block for browsers of old."""
    opened = _OPENED.match(text)
    bare = text[opened.end() :] if opened else text
    return bare[:-_TAIL] + _CLOSED.sub("", bare[-_TAIL:])


def _unescaped(text: str) -> str:
    return _mended(html.unescape(text))


def _mended(text: str) -> str:
    """Without comments and trailing commas; strings stay as they are. Twice, as a comment may hide a comma's end."""
    for _ in range(2):
        text = _MENDED.sub(lambda found: found[0] if found[0].startswith('"') else "", text)
    return text


def _values(text: str) -> Iterator[Any]:
    decoder, at = json.JSONDecoder(strict=False), _past(text, 0)
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        yield value
        at = _past(text, at)


def _past(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _item(node: LexborNode, depth: int) -> dict[str, Any]:
    """A microdata item in the shape of a JSON-LD object."""
    kinds, identity = (node.attributes.get("itemtype") or "").split(), node.attributes.get("itemid")
    item: dict[str, Any] = {"@type": kinds, **({"@id": identity} if identity else {})}
    waiting = list(node.iter())[::-1]
    while waiting:
        child = waiting.pop()
        scoped = "itemscope" in child.attributes
        names = (child.attributes.get("itemprop") or "").split()
        if names and (not scoped or depth < DEEPEST):
            value = _item(child, depth + 1) if scoped else _value(child)
            for name in names:
                item.setdefault(name, []).append(value)
        if not scoped:
            waiting += list(child.iter())[::-1]
    return {name: value[0] if isinstance(value, list) and len(value) == 1 else value for name, value in item.items()}


def _value(node: LexborNode) -> str:
    """What a property says: in an attribute where its element has one for it, else in its text."""
    attributes = {"a": "href", "link": "href", "img": "src", "time": "datetime", "data": "value", "meter": "value"}
    for name in ("content", attributes.get(node.tag or "", "")):
        said = node.attributes.get(name) if name else None
        if said is not None:
            return said.strip()
    return (node.inner_html or "")[:LONGEST].strip()


def language(value: Any) -> str | None:
    """A declared language (`es_MX`, `{"alternateName": "es"}`) as BCP 47 in lower case, or None."""
    if isinstance(value, Mapping):
        value = value.get("alternateName") or value.get("name")
    tag = str(value or "").strip().lower().replace("_", "-")
    return tag if re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", tag) else None
