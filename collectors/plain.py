"""The words of a web page or post without its markup."""

from __future__ import annotations

import re
from html import unescape

from collectors.shallow import shallow

_BLOCKS = "p, div, li, ul, ol, blockquote, h1, h2, h3, h4, h5, h6, tr, table, pre, figure, article, section"
_SILENT = ["script", "style", "template", "noscript", "iframe", "object", "svg", "title"]
MOST_TAGS = 10_000
"""Parsing takes time by the square of how deep elements lie in each other: of more tags only the words are kept."""


def plain(html: str) -> str:
    """Plain text: entities decoded, `<br>` and block elements become new lines, scripts and styles vanish."""
    if "<" not in html and "&" not in html:
        return _tidy(html)
    if html.count("<") > MOST_TAGS:
        return _tidy(unescape(re.sub(r"<[^<>]*>", "\n", html)))
    from selectolax.lexbor import LexborHTMLParser

    page = LexborHTMLParser(shallow(html))
    page.strip_tags(_SILENT)
    for node in page.css("br"):
        node.replace_with("\n")
    for node in page.css(_BLOCKS):
        node.insert_before("\n")
        node.insert_after("\n")
    return _tidy(page.body.text() if page.body else "")


def _tidy(text: str) -> str:
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in text.replace("\xa0", " ").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
