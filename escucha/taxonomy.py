"""A brand's own taxonomy: stages, pains and touchpoints of its own, and its own words for those that ship."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar, get_args

from escucha.errors import Conflict, Invalid
from escucha.journey import NO_LABEL, Catalogue, Entry, Pain, Stage, Touchpoint
from escucha.text import fold

Kind = Literal["stage", "pain", "touchpoint"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The kinds of label that a brand may have its own of."""

LEAST, MOST = 8, 64
"""Example texts that an own label needs, and may have."""
LONGEST_NAME, LONGEST_MEANING, LONGEST_EXAMPLE, LONGEST_KEY = 60, 400, 4_000, 40
E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLabel:
    """A label of the brand's own, told by example texts; or, without examples, its words for one that ships.

    `label` is the name and `meaning` the description, per language (`{"es": …, "en": …}`).
    """

    kind: Kind
    key: str
    label: Mapping[str, str]
    meaning: Mapping[str, str]
    examples: tuple[str, ...] = ()

    @property
    def added(self) -> bool:
        """Whether it is a label that does not ship, rather than other words for one that does."""
        return bool(self.examples)

    @property
    def described(self) -> tuple[str, ...]:
        """Its name and description in each language, as texts to learn from."""
        words = {lang: self.label.get(lang) or next(iter(self.label.values())) for lang in self.meaning}
        return tuple(f"{words[lang]}: {meaning}" for lang, meaning in self.meaning.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A label as a brand calls it. `own`: added or reworded by the brand; `examples`: how many it was told by."""

    kind: Kind
    key: str
    label: Mapping[str, str]
    meaning: Mapping[str, str]
    own: bool
    examples: int

    @property
    def added(self) -> bool:
        """Whether it is the brand's own, rather than one that ships."""
        return self.examples > 0


def listed(catalogue: Catalogue, own: Iterable[OwnLabel]) -> list[Listed]:
    """Every label of a brand's catalogue, and which of them are its own."""
    examples = {(one.kind, one.key): len(one.examples) for one in own}
    return [
        Listed(kind=kind, key=entry.key, label=entry.label, meaning=entry.meaning, own=(kind, entry.key) in examples,
               examples=examples.get((kind, entry.key), 0))
        for kind in KINDS for entry in entries(catalogue, kind)
    ]  # fmt: skip


def merged(catalogue: Catalogue, own: Iterable[OwnLabel]) -> Catalogue:
    """The catalogue as a brand has it: its own words for what ships, then what it added, the oldest first."""
    mine: dict[str, list[OwnLabel]] = {kind: [] for kind in KINDS}
    for label in own:
        mine[label.kind].append(label)
    return Catalogue(
        stages=_merged(catalogue.stages, mine["stage"], Stage), pains=_merged(catalogue.pains, mine["pain"], Pain),
        touchpoints=_merged(catalogue.touchpoints, mine["touchpoint"], Touchpoint),
    )


def entries(catalogue: Catalogue, kind: str) -> Sequence[Entry]:
    """The entries of a kind. Raises Invalid, naming the kinds, for one that a brand cannot have its own of."""
    if kind not in KINDS:
        raise Invalid("There is no taxonomy called {kind}. Choose from: {known}.", kind=kind, known=", ".join(KINDS))
    taxonomies: dict[str, Sequence[Entry]] = {
        "stage": catalogue.stages, "pain": catalogue.pains, "touchpoint": catalogue.touchpoints,
    }
    return taxonomies[kind]


def new_label(
    catalogue: Catalogue, kind: str, label: Mapping[str, str], meaning: Mapping[str, str], examples: Iterable[str]
) -> OwnLabel:
    """A label to add to a brand's catalogue, tidied, with a key made from its name.

    Raises:
        Invalid: no such kind, no name or description, one that is too long, or too few or too many examples.
        Conflict: the brand's catalogue has a label of this name.
    """
    known = entries(catalogue, kind)
    label, meaning = named(label), _tidy(meaning, LONGEST_MEANING)
    if not meaning:
        raise Invalid("Write a description: one sentence about what belongs here. The model learns from it too.")
    key = key_of(next(iter(label.values())))
    if not key or key == NO_LABEL:
        raise Invalid("“{name}” cannot be a name. Write it with letters.", name=next(iter(label.values())))
    taken = {fold(word) for entry in known for word in entry.label.values()}
    if key in {entry.key for entry in known} or taken & {fold(word) for word in label.values()}:
        raise Conflict("There is a {kind} called {name} already. Choose another name.", kind=kind,
                       name=next(iter(label.values())))
    return OwnLabel(kind=kind, key=key, label=label, meaning=meaning,  # type: ignore[arg-type]
                    examples=_checked(examples))


def new_words(
    catalogue: Catalogue, kind: str, key: str, label: Mapping[str, str], meaning: Mapping[str, str]
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Other words for a label of a brand's catalogue: a name, and a description where one is given.

    Raises Invalid for an unknown kind or key, or no name, and Conflict for the name of another label.
    """
    known = entries(catalogue, kind)
    found = next((entry for entry in known if entry.key == key), None)
    if found is None:
        raise Invalid("There is no {field} called {key}. Choose from: {known}.", field=kind, key=key,
                      known=", ".join(entry.key for entry in known))
    label = named(label)
    others = {fold(word) for entry in known if entry.key != key for word in entry.label.values()}
    if others & {fold(word) for word in label.values()}:
        raise Conflict("There is a {kind} called {name} already. Choose another name.", kind=kind,
                       name=next(iter(label.values())))
    return label, _tidy(meaning, LONGEST_MEANING) or found.meaning


def named(label: Mapping[str, str]) -> dict[str, str]:
    """A name per language, tidied. Raises Invalid where there is none, or one is too long."""
    tidy = _tidy(label, LONGEST_NAME)
    if not tidy:
        raise Invalid("Write a name in Spanish or in English.")
    return tidy


def key_of(name: str) -> str:
    """The key of a name: "Post-venta y garantía" becomes post_venta_y_garantia."""
    return re.sub(r"[^a-z0-9]+", "_", fold(name).replace("ñ", "n")).strip("_")[:LONGEST_KEY].rstrip("_")


def _checked(examples: Iterable[str]) -> tuple[str, ...]:
    tidy = tuple(dict.fromkeys(text for text in (" ".join(example.split()) for example in examples) if text))
    if len(tidy) < LEAST:
        raise Invalid(
            "{n} different example texts are too few: at least {least} are needed, 16 are better. Add {missing} more.",
            n=len(tidy), least=LEAST, missing=LEAST - len(tidy),
        )
    if len(tidy) > MOST:
        raise Invalid("{n} example texts are too many: {most} at most. Keep the clearest ones.", n=len(tidy), most=MOST)
    if any(len(text) > LONGEST_EXAMPLE for text in tidy):
        raise Invalid("An example text may have {limit} characters at most. Shorten it.", limit=LONGEST_EXAMPLE)
    return tidy


def _tidy(words: Mapping[str, str], longest: int) -> dict[str, str]:
    tidy = {lang: " ".join(word.split()) for lang, word in words.items() if word and word.strip()}
    if long := next((word for word in tidy.values() if len(word) > longest), None):
        raise Invalid("“{start}…” is too long: {limit} characters at most.", start=long[:40], limit=longest)
    return tidy


def _merged(shipped: Sequence[E], own: Sequence[OwnLabel], kind: type[E]) -> tuple[E, ...]:
    words = {label.key: label for label in own}
    kept = tuple(_reworded(entry, words[entry.key]) if entry.key in words else entry for entry in shipped)
    keys = {entry.key for entry in shipped}
    fresh = (label for label in own if label.added and label.key not in keys)
    return (*kept, *(kind(key=one.key, label=dict(one.label), meaning=dict(one.meaning)) for one in fresh))


def _reworded(entry: E, own: OwnLabel) -> E:
    words: dict[str, Any] = {"label": {**own.label}, "meaning": {**entry.meaning, **own.meaning}}
    return replace(entry, **words)
