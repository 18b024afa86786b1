"""What a person says a label is, and which answer counts: the person's, a rule's, or the model's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from escucha.enrichment import SENTIMENTS, Enrichment, Label
from escucha.errors import Invalid
from escucha.journey import NO_LABEL, Catalogue
from escucha.rule import KINDS, Rule, apply, override
from escucha.taxonomy import entries

PERSON = "person"
"""Who overrides the model in `Said.by`; a rule signs as "rule:7"."""


def effective(enrichment: Enrichment, rules: Iterable[Rule], corrections: Mapping[str, str]) -> Enrichment:
    """The labels that count: a person's correction before a rule before the model's own answer."""
    return corrected(apply(rules, own(enrichment)), corrections)


def own(enrichment: Enrichment) -> Enrichment:
    """The enrichment as the model alone answered."""
    answers: dict[str, Any] = {
        kind: Label(said.label, said.score) if said.label else None for kind, said in enrichment.said.items()
    }
    return replace(enrichment, said={}, **answers)


def corrected(enrichment: Enrichment, corrections: Mapping[str, str]) -> Enrichment:
    """The enrichment with a person's labels by kind in force."""
    for kind, label in corrections.items():
        enrichment = override(enrichment, kind, label, PERSON)
    return enrichment


def choices(catalogue: Catalogue, kind: str) -> tuple[str, ...]:
    """The labels that a kind may have, in their order of display. Raises Invalid for a kind that cannot be set."""
    check_kind(kind)
    return SENTIMENTS if kind == "sentiment" else (*(entry.key for entry in entries(catalogue, kind)), NO_LABEL)


def check_kind(kind: str) -> None:
    """Raise Invalid, naming the kinds, for one that no person can set."""
    if kind not in KINDS:
        raise Invalid("There is no kind of label called {kind}. Choose from: {known}.", kind=kind,
                      known=", ".join(KINDS))


def check_label(catalogue: Catalogue, kind: str, label: str) -> None:
    """Raise Invalid, naming those allowed, for a label that the kind does not have."""
    known = choices(catalogue, kind)
    if label not in known:
        raise Invalid("There is no {field} called {key}. Choose from: {known}.", field=kind, key=label,
                      known=", ".join(known))
