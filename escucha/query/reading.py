"""A mention as queries read it: its words cut once, however many queries ask."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from escucha.enrichment import Enrichment, Label, TaggedMention
from escucha.mention import Mention
from escucha.text import fold
from escucha.words import hashtags, words

TAGS = ("sentiment", "stage", "pain", "touchpoint", "emotion")
Span = tuple[int, int]
"""The place of a first word, and the place after a last one."""
_HOST = re.compile(r"[^:/?#]*://(?:[^/?#]*@)?([^/?#:]*)")


@dataclass(frozen=True)
class Reading:
    """A mention, the slug of its brand, and its labels by kind; a kind that nobody has tagged is left out."""

    mention: Mention
    brand: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(item: TaggedMention) -> Reading:
        """A stored mention with its labels."""
        return Reading(item.mention, item.brand, _labels(item.enrichment))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the title and the text, as one."""
        return words(f"{self.mention.title or ''} {self.mention.text}")

    @cached_property
    def title_words(self) -> tuple[str, ...]:
        """The words of the title."""
        return words(self.mention.title or "")

    @cached_property
    def hashtags(self) -> tuple[str, ...]:
        """The hashtags of the title and the text."""
        return hashtags(f"{self.mention.title or ''} {self.mention.text}")

    @cached_property
    def authors(self) -> tuple[str, ...]:
        """What its author goes by, folded: the handle and the id."""
        author = self.mention.author
        return (fold(author.handle).removeprefix("@"), fold(author.id)) if author else ()

    @cached_property
    def host(self) -> str:
        """The host of its address, folded; empty where there is none."""
        found = _HOST.match(fold(self.mention.url or ""))
        return found[1] if found else ""

    @cached_property
    def lang(self) -> str:
        """The language we detected, else the one that its source declares; empty where neither is known."""
        return fold(self.labels.get("lang") or self.mention.lang or "")

    @cached_property
    def tags(self) -> frozenset[str]:
        """Its labels but for the language."""
        return frozenset(self.labels[kind] for kind in TAGS if kind in self.labels)

    def places(self, word: str) -> list[int]:
        """Where a word stands."""
        return self._places.get(word, [])

    def beginning(self, stem: str) -> Iterator[str]:
        """The different words that begin so."""
        for word in self._sorted[bisect_left(self._sorted, stem):]:
            if not word.startswith(stem):
                return
            yield word

    def phrase(self, phrase: tuple[str, ...]) -> list[Span]:
        """Where these words stand side by side."""
        return [
            (start, start + len(phrase)) for start in self.places(phrase[0])
            if self.words[start : start + len(phrase)] == phrase
        ]

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for place, word in enumerate(self.words):
            found.setdefault(word, []).append(place)
        return found

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._places)


def _labels(enrichment: Enrichment) -> dict[str, str]:
    given: dict[str, Label | None] = {kind: getattr(enrichment, kind) for kind in ("lang", *TAGS)}
    return {kind: label.label for kind, label in given.items() if label is not None}
