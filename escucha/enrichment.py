"""What the taggers understood of a mention: language, sentiment, stage, pain, touchpoint, emotion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from escucha.mention import Mention
from escucha.vector import Vector

Sentiment = Literal["positive", "neutral", "negative"]
SENTIMENTS: tuple[Sentiment, ...] = ("positive", "neutral", "negative")

UNDETERMINED = "und"
"""BCP 47's code for a language that cannot be told."""


@dataclass(frozen=True, slots=True)
class Label:
    """One answer of a tagger and how sure it is, from 0 to 1."""

    label: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of a text that says something of its own: characters `start` to before `end` of what was read."""

    start: int
    end: int
    sentiment: Label | None = None
    pain: Label | None = None
    touchpoint: Label | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the model said of a kind whose label is now a person's (`by` is "person") or a rule's ("rule:7")."""

    label: str
    score: float
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrichment:
    """A text on its way through the taggers: each adds what it gives (`dataclasses.replace`), none removes.

    `text` is what the taggers read (title and text); `declared_lang` is the source's word for the language.
    `versions` maps a tagger's name to the version that spoke; `vector` is the text's embedding, where one is made.
    `parts` are the stretches that say something of their own; `said` maps a kind to the model's answer where a
    person or a rule knew better.
    """

    text: str
    declared_lang: str | None = None
    lang: Label | None = None
    sentiment: Label | None = None
    stage: Label | None = None
    pain: Label | None = None
    touchpoint: Label | None = None
    emotion: Label | None = None
    vector: Vector | None = None
    parts: tuple[Part, ...] = ()
    said: Mapping[str, Said] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


State = Literal["pending", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedMention:
    """A stored mention with what was understood of it. `note` says why it could not be tagged (state failed).

    `cluster` is the number of the first of those that say the same, or nearly (None: nobody else does). `hidden` is why
    it is neither shown nor counted (None: it is; see escucha.exclusion), `kept` that a person wants it in spite of the
    exclusions.
    """

    id: int
    brand: str
    mention: Mention
    enrichment: Enrichment
    state: State
    note: str | None = None
    cluster: int | None = None
    hidden: str | None = None
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionPage:
    """Mentions, newest first, and the key to pass as `after` for the next page (None on the last)."""

    items: tuple[TaggedMention, ...]
    next: str | None
