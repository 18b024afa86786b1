"""The parts of a mention on the page: marked in its text, and told beside it in a few words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from api.dashboard.highlight import Term, highlight
from api.dashboard.labels import Labels
from escucha.enrichment import Part
from escucha.journey import NO_LABEL

EXCERPT = 40
"""Characters of a part's own words that stand for it where it names no touchpoint."""


@dataclass(frozen=True, slots=True)
class Told:
    """A part in words: what it is about, the key of its sentiment, and its pain point or nothing."""

    about: str
    sentiment: str
    pain: str


def marked(text: str, start: int, parts: Sequence[Part], terms: Sequence[Term]) -> Markup:
    """The text, escaped, with its parts and what is searched for marked. It begins at `start` of what was read."""
    shown, at = [], 0
    for part in parts:
        first, last = max(part.start - start, at), min(part.end - start, len(text))
        if first >= last:
            continue
        feel = part.sentiment.label if part.sentiment else ""
        opened = Markup('<mark class="part {}">').format(feel)
        shown += [highlight(text[at:first], terms), opened, highlight(text[first:last], terms), Markup("</mark>")]
        at = last
    return Markup("").join([*shown, highlight(text[at:], terms)])


def told(read: str, parts: Sequence[Part], labels: Labels) -> list[Told]:
    """What the parts say, in the order of the text; what is said twice is told once. `read` is what was read."""
    return list(dict.fromkeys(_told(read, part, labels) for part in parts))


def _told(read: str, part: Part, labels: Labels) -> Told:
    where, pain = part.touchpoint, part.pain
    return Told(
        about=labels.of("touchpoint", where.label) if where and where.label != NO_LABEL else _excerpt(read, part),
        sentiment=part.sentiment.label if part.sentiment else "",
        pain=labels.of("pain", pain.label) if pain and pain.label != NO_LABEL else "",
    )


def _excerpt(read: str, part: Part) -> str:
    words = " ".join(read[part.start : part.end].split())
    short = words if len(words) <= EXCERPT else words[:EXCERPT].rsplit(" ", 1)[0] + "…"
    return f"“{short}”"
