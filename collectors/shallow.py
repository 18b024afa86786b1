"""A web page without what nobody writes and parsers choke on: elements within elements without end."""

from __future__ import annotations

import re

SHORT = 2_000
"""Characters of a text that no nesting makes slow."""
DEEPEST = 256
"""Elements that lie within each other. Parsing takes time by the square of that."""
MOST_STYLES = 16
"""Open marks of style (`<b>`, `<font>`): a parser repeats all of them in every block that follows."""
MOST_TAGS = 100_000
MOST_ATTRIBUTES = 100
"""Of one tag: each is compared with all that came before it."""
_LONG = 400
"""Characters of attributes that may be too many."""

_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<silent>script|style|textarea|title)\b.*?(?:</(?P=silent)|\Z)"
    r"""|<(?P<ends>/?)(?P<name>[a-z][\w:.-]*+)(?P<attributes>(?:[^<>"']|"[^"]*+"|'[^']*+')*+)>?""",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"""[^\s"'=/]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"']++))?""")
_UNENDED = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "p",
    "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "option", "optgroup", "rt", "rp",
))
"""Elements that hold nothing, or that end where the next one begins."""
_ROOTS = frozenset({"html", "head", "body"})
"""Of which a page has one each: a parser gives the first one the attributes of all others."""
_STYLES = frozenset(["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"])


def shallow(html: str) -> str:
    """The same page, where tags beyond these bounds are left out; their words stay."""
    return html if len(html) <= SHORT else _TAG.sub(_Depth().kept, html)


class _Depth:
    """How deep a page is at the place that is being read."""

    def __init__(self) -> None:
        self.deep = self.styles = self.tags = self.roots = 0

    def kept(self, tag: re.Match[str]) -> str:
        """The tag as it may stay."""
        name = (tag["name"] or "").lower()
        if not name:
            return tag[0]
        self.tags += 1
        if self.tags > MOST_TAGS:
            return ""
        if tag["ends"]:
            self._ended(name)
            return tag[0]
        return _bounded(tag) if self._may_begin(name) else ""

    def _ended(self, name: str) -> None:
        if name in _STYLES:
            self.styles = max(0, self.styles - 1)
        elif name not in _UNENDED | _ROOTS:
            self.deep = max(0, self.deep - 1)

    def _may_begin(self, name: str) -> bool:
        if name in _UNENDED:
            return True
        if name in _ROOTS:
            self.roots += 1
            return self.roots <= MOST_STYLES
        if name in _STYLES:
            self.styles += 1
            return self.styles <= MOST_STYLES
        self.deep += 1
        return self.deep <= DEEPEST


def _bounded(tag: re.Match[str]) -> str:
    attributes = tag["attributes"]
    if len(attributes) <= _LONG or len(_ATTRIBUTE.findall(attributes)) <= MOST_ATTRIBUTES:
        return tag[0]
    return f"<{tag['name']}>"
