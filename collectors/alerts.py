"""The articles that a mail of Google Alerts links to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from collectors.plain import plain
from collectors.shallow import shallow

_PLAIN_ALERT = re.compile(r"(?m)^((?:[^\n<][^\n]*\n){1,8})<(https?://(?:www\.)?google\.[a-z.]+/url\?[^>\s]+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One result in a Google Alert: its real address, title, snippet and publisher."""

    url: str
    title: str
    text: str = ""
    publisher: str | None = None


def articles_in(html: str, text: str) -> list[Article]:
    """The results in an alert, each once: from its HTML, or else from its plain text."""
    found = _linked_articles(html) or _plain_articles(text)
    return list({article.url: article for article in reversed(found)}.values())[::-1]


def _linked_articles(html: str) -> list[Article]:
    from selectolax.lexbor import LexborHTMLParser

    found = []
    for entry in LexborHTMLParser(shallow(html)).css('[itemtype$="schema.org/Article"]'):
        link, name = entry.css_first('a[itemprop="url"]'), entry.css_first('a [itemprop="name"]')
        publisher, snippet = entry.css_first('[itemprop="publisher"]'), entry.css_first('[itemprop="description"]')
        url = unwrapped(link.attributes.get("href") or "") if link else None
        if url and link:
            found.append(Article(
                url=url, title=plain((name or link).html or ""), text=plain(snippet.html or "") if snippet else "",
                publisher=(plain(publisher.html or "") or None) if publisher else None,
            ))  # fmt: skip
    return found


def _plain_articles(text: str) -> list[Article]:
    """From the plain text: title, publisher and snippet in lines, then the address in angle brackets."""
    found = []
    for lines, link in _PLAIN_ALERT.findall(text.replace("\r\n", "\n")):
        title, *rest = [line.strip() for line in lines.strip().split("\n")]
        url = unwrapped(link)
        if url:
            found.append(Article(url=url, title=title, text=" ".join(rest[1:]), publisher=rest[0] if rest else None))
    return found


def unwrapped(link: str) -> str | None:
    """The address behind Google's redirect, or None where the link is none of a result."""
    try:
        parts = urlsplit(link)
        told = parse_qs(parts.query)
    except ValueError:
        return None
    if parts.path != "/url" or not re.fullmatch(r"(www\.)?google\.[a-z.]+", parts.hostname or ""):
        return None
    url = (told.get("url") or told.get("q") or [""])[0]
    return url if url.startswith(("http://", "https://")) else None
