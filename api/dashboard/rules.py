"""The rules as a page: those of the brand, the form for another, and what it would do before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup
from sqlalchemy.orm import Session

from api.dashboard.highlight import excerpt
from api.dashboard.shell import Frame
from escucha.correction import choices
from escucha.errors import Invalid
from escucha.rule import KINDS, Change, Kind, Rule, Trial
from store import rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The labels of a kind to choose from: what the form sends, and the word."""

    title: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many mentions have a label before and after."""

    word: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesPage:
    """The brand's rules with a sentence each, what the form holds, its choices, and the trial of it, if any, with an
    excerpt of each example.
    """

    rules: tuple[tuple[Rule, str], ...]
    form: Mapping[str, str]
    groups: tuple[Group, ...]
    trial: Trial | None
    counts: tuple[Count, ...]
    examples: tuple[tuple[Change, Markup], ...]
    kind: Kind | None


def rules_page(
    session: Session, frame: Frame, form: Mapping[str, str], trial: Trial | None = None, tried: Rule | None = None
) -> RulesPage:
    """Lay the page out; `tried` is the rule that the trial is of."""
    kind = tried.kind if tried else None
    brand_id = frame.brand.id or 0
    found = rules.of_brands(session, [brand_id])[brand_id]
    return RulesPage(
        rules=tuple((rule, described(frame, rule)) for rule in found), trial=trial, kind=kind,
        form={name: form.get(name, "") for name in ("name", "words", "set", "only")},
        groups=tuple(_group(frame, one) for one in KINDS), counts=_counts(frame, trial, kind),
        examples=tuple((one, excerpt(one.text, tried.words)) for one in trial.examples) if trial and tried else (),
    )


def described(frame: Frame, rule: Rule) -> str:
    """A rule in a sentence."""
    say, words = frame.reader.say, ", ".join(f"“{word}”" for word in rule.words)
    label = f"{frame.labels.field(rule.kind)}: {frame.labels.of(rule.kind, rule.label)}"
    if rule.only is None:
        return say("{words} → {label}", words=words, label=label)
    only = frame.labels.of(rule.kind, rule.only)
    return say("{words} → {label}, only where the model says {only}", words=words, label=label, only=only)


def asked(form: Mapping[str, str], brand_id: int | None) -> Rule:
    """The rule that a form describes. Raises Invalid where a choice is missing or does not fit the other."""
    kind, label = _chosen(form.get("set", ""))
    only_kind, only = _chosen(form["only"]) if form.get("only") else (kind, None)
    if only_kind != kind:
        raise Invalid("“Only where the model says” must be of the same kind as the label that is set.")
    words = form.get("words", "").replace(",", "\n").splitlines()
    return Rule(brand_id=brand_id, words=tuple(words), kind=kind, label=label, only=only, name=form.get("name", ""))


def _chosen(choice: str) -> tuple[Kind, str]:
    kind, _, label = choice.partition(":")
    found = next((known for known in KINDS if known == kind), None)
    if found is None or not label:
        raise Invalid("Choose the label that the rule shall set.")
    return found, label


def _group(frame: Frame, kind: Kind) -> Group:
    keys = choices(frame.labels.catalogue, kind)
    return Group(title=frame.labels.field(kind),
                 options=tuple((f"{kind}:{key}", frame.labels.of(kind, key)) for key in keys))


def _counts(frame: Frame, trial: Trial | None, kind: Kind | None) -> tuple[Count, ...]:
    if trial is None or kind is None:
        return ()
    keys = [key for key in choices(frame.labels.catalogue, kind) if key in trial.before or key in trial.after]
    return tuple(
        Count(word=frame.labels.of(kind, key), before=trial.before.get(key, 0), after=trial.after.get(key, 0))
        for key in keys
    )
