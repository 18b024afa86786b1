"""A mention on a page of its own: what counts, what the model said, and the form that sets it right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from api.dashboard.shell import Frame
from escucha.correction import PERSON, choices
from escucha.enrichment import Label, Said, TaggedMention
from escucha.rule import KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A label that can be corrected: its kind and title, the key in force, the choices (key, word), whether a person
    set it, and a sentence about what the model said where that is overridden.
    """

    kind: str
    title: str
    value: str
    options: tuple[tuple[str, str], ...]
    fixed: bool
    said: str | None


def fields(frame: Frame, tagged: TaggedMention) -> tuple[Field, ...]:
    """The labels of a mention that a person may correct. A label that is in no taxonomy any more stays a choice."""
    return tuple(_field(frame, tagged, kind) for kind in KINDS)


def sentence(frame: Frame, kind: str, said: Said) -> str:
    """What the model said of a kind that a person or a rule overrides."""
    if not said.label:
        return frame.reader.say("The model has not read this mention yet.")
    return frame.reader.say("The model said: {label} ({score}).", label=frame.labels.of(kind, said.label),
                            score=frame.reader.percent(said.score))


def asked(form: Mapping[str, str]) -> dict[str, str]:
    """The labels that a form sets: those that are others than it showed, or all of them where it confirms."""
    confirmed = "confirm" in form
    return {
        kind: form[kind] for kind in KINDS
        if form.get(kind) and (confirmed or form[kind] != form.get(f"was_{kind}", ""))
    }  # fmt: skip


def _field(frame: Frame, tagged: TaggedMention, kind: str) -> Field:
    label: Label | None = getattr(tagged.enrichment, kind)
    said = tagged.enrichment.said.get(kind)
    value = label.label if label else ""
    keys = dict.fromkeys([*choices(frame.labels.catalogue, kind), *([value] if value else [])])
    return Field(
        kind=kind, title=frame.labels.field(kind), value=value,
        options=tuple((key, frame.labels.of(kind, key)) for key in keys),
        fixed=said is not None and said.by == PERSON, said=sentence(frame, kind, said) if said else None,
    )
