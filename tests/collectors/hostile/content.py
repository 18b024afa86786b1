"""The body of an honest answer, opened so that parts of it can be replaced: JSON, JSON within text, or markup."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any

Change = Callable[[Any], Any]

_ITEMS = re.compile(
    r'<(?P<tag>item|entry)\b.*?</(?P=tag)>|<div class="tgme_widget_message_wrap.*?</time></a></div></div></div>',
    re.DOTALL,
)
_SAID = re.compile(r"El café[^<\"\\]*|Caf[eé]s? Lumbre[^<\"\\]*", re.IGNORECASE)
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_MAIL = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d ([+-]\d{4}|GMT)")
_TIGHT = re.compile(r"\d{8}T\d{6}Z")
_SECONDS = re.compile(r"\b1[78]\d{8}\b")
_LINK = re.compile(r"https?://[^\s\"'<>\\]+")
SECONDS, MILLISECONDS = range(1_700_000_000, 1_900_000_000), range(1_700_000_000_000, 1_900_000_000_000)


class Content:
    """A body that is JSON, has JSON within (`before` and `behind` it stands text), or is markup (`value` is None)."""

    def __init__(self, body: bytes) -> None:
        text = body.decode("utf-8")
        self.before, inner, self.behind = _cut(text)
        self.is_json = True
        try:
            self.value: Any = json.loads(inner)
        except ValueError:
            self.is_json, self.before, self.behind, self.value = False, "", "", text

    def body(self) -> bytes:
        """The body as it is now; JSON in ASCII alone, so that lone surrogates stay what they are."""
        inner = json.dumps(self.value) if self.is_json else self.value
        return f"{self.before}{inner}{self.behind}".encode("utf-8", "surrogatepass")

    def leaves(self, change: Change) -> None:
        """Change every text, number, truth value and null."""
        if self.is_json:
            self.value = walk(self.value, change, lambda items: items)

    def lists(self, change: Callable[[list[Any]], list[Any]]) -> None:
        """Change every list of items; in markup the items stand one after the other."""
        if self.is_json:
            self.value = walk(self.value, lambda leaf: leaf, lambda items: change(items) if are_items(items) else items)
            return
        found = list(_ITEMS.finditer(self.value))
        if found:
            made = change([match[0] for match in found])
            start, end = found[0].start(), found[-1].end()
            self.value = self.value[:start] + "".join(map(as_markup, made)) + self.value[end:]

    def objects(self, change: Change) -> None:
        """Change every object, the innermost first."""
        if self.is_json:
            self.value = walk(self.value, lambda leaf: leaf, lambda items: items, change)

    def texts(self, change: Callable[[str], str]) -> None:
        """Change what people said."""
        if self.is_json:
            self.leaves(lambda leaf: _said(leaf, change))
        else:
            self.value = _SAID.sub(lambda match: escape(change(match[0])), self.value)

    def links(self, link: str) -> None:
        """Put one address in the place of all."""
        if self.is_json:
            self.leaves(lambda leaf: _LINK.sub(link, leaf) if isinstance(leaf, str) else leaf)
        else:
            self.value = _LINK.sub(link, self.value)

    def times(self, render: Callable[[str, str | int | float], Any]) -> None:
        """Change every time: `render` gets its form ("iso", "mail", "tight", "seconds", "milliseconds") and itself."""
        if self.is_json:
            self.leaves(lambda leaf: _time(leaf, render))
        else:
            self.value = _times_in(self.value, render)


def _cut(text: str) -> tuple[str, str, str]:
    """What stands before the JSON of a body, the JSON, and what stands behind."""
    if text.startswith(")]}'"):
        return text[:4] + "\n\n", text[4:], ""
    script = re.search(r'^(.*<script type="application/ld\+json">)(.*)(</script>.*)$', text, re.DOTALL)
    return (script[1], script[2], script[3]) if script else ("", text, "")


def walk(value: Any, leaf: Change, listed: Change, held: Change = lambda held: held) -> Any:
    """The value with its leaves, lists and objects changed, also within texts that are JSON themselves."""
    if isinstance(value, dict):
        return held({name: walk(entry, leaf, listed, held) for name, entry in value.items()})
    if isinstance(value, list):
        return listed([walk(entry, leaf, listed, held) for entry in value])
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.dumps(walk(json.loads(value), leaf, listed, held))
        except ValueError:
            return leaf(value)
    return leaf(value)


def are_items(items: list[Any]) -> bool:
    """Whether a list holds items rather than words or numbers."""
    return bool(items) and all(isinstance(item, dict) or (isinstance(item, list) and len(item) > 5) for item in items)


def as_markup(item: Any) -> str:
    """An item among others in markup: as it was, or whatever took its place."""
    return item if isinstance(item, str) and item.startswith("<") else f"<item>{escape(str(item))}</item>"


def _said(leaf: Any, change: Callable[[str], str]) -> Any:
    words = isinstance(leaf, str) and " " in leaf and re.search(r"caf[eé]|lumbre", leaf, re.IGNORECASE)
    return change(leaf) if words else leaf


def _time(leaf: Any, render: Callable[[str, str | int | float], Any]) -> Any:
    if isinstance(leaf, str):
        if _ISO.fullmatch(leaf):
            return render("iso", leaf)
        if _TIGHT.fullmatch(leaf):
            return render("tight", leaf)
        return str(render("seconds", leaf)) if _SECONDS.fullmatch(leaf) else leaf
    if isinstance(leaf, int | float) and not isinstance(leaf, bool):
        if int(leaf) in SECONDS:
            return render("seconds", leaf)
        if int(leaf) in MILLISECONDS:
            return render("milliseconds", leaf)
    return leaf


def _times_in(text: str, render: Callable[[str, str | int | float], Any]) -> str:
    for form, pattern in (("iso", _ISO), ("mail", _MAIL)):
        text = pattern.sub(lambda match, form=form: str(render(form, match[0])), text)  # type: ignore[misc]
    return text


def at(moment: datetime) -> Callable[[str, str | int | float], Any]:
    """Renders one moment in the form of each time."""
    seconds = int(moment.timestamp())
    forms = {
        "iso": moment.isoformat(), "mail": format_datetime(moment), "tight": f"{moment:%Y%m%dT%H%M%SZ}",
        "seconds": seconds, "milliseconds": seconds * 1000,
    }
    return lambda form, _: forms[form]
