"""A brand's own rules: mentions with certain words get the label that the brand means by them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, get_args

from escucha.enrichment import Enrichment, Label, Said
from escucha.errors import Invalid
from escucha.text import fold

Kind = Literal["sentiment", "stage", "pain", "touchpoint"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The kinds of label that a rule or a person may set."""

CERTAIN = 1.0
"""The score of a label that a person or a rule set."""
MAX_WORDS = 50
MAX_LENGTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Mentions with any of `words`, and with the label `only` where it is given, get `label` as their `kind`.

    `waits` says that stored mentions are still being read with it; `id` and `brand_id` come from the store.
    """

    words: tuple[str, ...]
    kind: Kind
    label: str
    only: str | None = None
    name: str = ""
    active: bool = True
    waits: bool = False
    id: int | None = None
    brand_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One mention that a rule would change: its number and text, the label it has (None: none yet) and would get."""

    id: int
    text: str
    old: str | None
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a rule would do if it were saved: of the mentions `looked_at`, `matched` carry its words, `changed` would
    get another label. `before` and `after` count the labels of the rule's kind; `examples` are the newest changes.
    """

    looked_at: int
    matched: int
    changed: int
    before: Mapping[str, int]
    after: Mapping[str, int]
    examples: tuple[Change, ...]


def apply(rules: Iterable[Rule], enrichment: Enrichment) -> Enrichment:
    """The enrichment with the first active rule of each kind that fits in force; what it overrides is in `said`."""
    folded: str | None = None
    settled: set[str] = set()
    for rule in rules:
        if rule.active and rule.kind not in settled and _admits(rule, enrichment):
            folded = fold(enrichment.text) if folded is None else folded
            if occurs(rule.words, folded):
                enrichment = override(enrichment, rule.kind, rule.label, f"rule:{rule.id}")
                settled.add(rule.kind)
    return enrichment


def override(enrichment: Enrichment, kind: str, label: str, by: str) -> Enrichment:
    """The enrichment with a label that somebody knows better. The model's answer goes to, or stays in, `said`.

    Where the model has not read the text yet, its answer there is the empty label.
    """
    answered: Said | Label | None = enrichment.said.get(kind) or getattr(enrichment, kind)
    said = Said(label=answered.label, score=answered.score, by=by) if answered else Said(label="", score=0.0, by=by)
    changed = {kind: Label(label, CERTAIN), "said": {**enrichment.said, kind: said}}
    return replace(enrichment, **changed)  # type: ignore[arg-type]


def occurs(words: tuple[str, ...], folded: str) -> bool:
    """Whether any of the words or phrases stands whole in a text that escucha.text.fold made."""
    return whole(words).search(folded) is not None


def checked(rule: Rule) -> Rule:
    """The rule with its words tidied. Raises Invalid for one without words, or that could change nothing."""
    words = tuple(dict.fromkeys(word for word in (" ".join(word.split()) for word in rule.words) if fold(word)))
    if not words:
        raise Invalid("A rule needs at least one word or phrase. Write the words that it shall look for.")
    if len(words) > MAX_WORDS:
        raise Invalid("A rule may have {limit} words or phrases at most. Make two rules of it.", limit=MAX_WORDS)
    if long := [word for word in words if len(word) > MAX_LENGTH]:
        raise Invalid("“{word}…” is too long for a rule: {limit} characters at most.", word=long[0][:40],
                      limit=MAX_LENGTH)
    if rule.only == rule.label:
        raise Invalid("This rule would change {label} to {label}. Choose another label.", label=rule.label)
    return replace(rule, words=words, name=" ".join(rule.name.split())[:MAX_LENGTH] or ", ".join(words)[:MAX_LENGTH])


def _admits(rule: Rule, enrichment: Enrichment) -> bool:
    present: Label | None = getattr(enrichment, rule.kind)
    return rule.only is None or (present is not None and present.label == rule.only)


@lru_cache(maxsize=1_000)
def whole(words: tuple[str, ...]) -> re.Pattern[str]:
    """Finds any of the words or phrases where it stands whole in a folded text."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(fold(word)) for word in words)})(?!\w)")
