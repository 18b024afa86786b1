"""What the API answers of what a brand teaches: its rules, its heads, and labels of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import Out
from escucha.rule import Kind


class RuleIn(BaseModel):
    """A rule: mentions with any of these words get this label."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)

    words: list[str] = Field(description="Words or phrases; any of them as a whole, accents and case aside.")
    kind: Kind
    label: str = Field(max_length=40, description="The label that these mentions get.")
    only: str | None = Field(None, max_length=40, description="Only where the model's label is this one.")
    name: str = Field("", description="What to call it; its words without a name.")


class SwitchIn(BaseModel):
    """Whether a rule is in force."""

    model_config = ConfigDict(extra="forbid", strict=True)

    active: bool


class RuleOut(Out):
    """A brand's rule. `waits`: stored mentions are still being read with it."""

    id: int
    name: str
    words: list[str]
    kind: Kind
    label: str
    only: str | None
    active: bool
    waits: bool


class RulesOut(Out):
    """A brand's rules in the order in which they are tried; the first of a kind that fits wins."""

    items: list[RuleOut]


class SpreadOut(Out):
    """A rule, and how many stored mentions have other labels because of what was done with it."""

    rule: RuleOut
    changed: int


class ChangeOut(Out):
    """A mention that a rule would change."""

    id: int
    text: str
    old: str | None
    new: str


class TrialOut(Out):
    """What a rule would do: of the mentions looked at, `matched` carry its words, `changed` would get another label.

    `before` and `after` count the labels of the rule's kind; `examples` are the newest changes, 20 at most.
    """

    looked_at: int
    matched: int
    changed: int
    before: dict[str, int]
    after: dict[str, int]
    examples: list[ChangeOut]


class HeadIn(BaseModel):
    """The kind of label to learn."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Kind


class HeadOut(Out):
    """What was learned from a brand for one kind of label. `state` is offered until a person decides.

    `report`: `learned` corrections; `held_back` (corrections not learned from) and `elsewhere` (the model's dev texts)
    each with n and accuracy, macro_f1 and ece `before` and `after`; `own`: of an own label's `examples`, how many were
    `found` without having been learned from; `temperature`; `seconds` it took; `follows`: the head before.
    """

    id: int
    kind: Kind
    state: Literal["offered", "active", "retired", "withdrawn", "rejected", "superseded"]
    reads: str
    classes: list[str]
    report: dict[str, Any]
    made_at: datetime
    decided_at: datetime | None


class ReadyOut(Out):
    """Of `corrected` labels of a kind `usable` can be learned from now; `missing` more are needed."""

    kind: Kind
    corrected: int
    usable: int
    own: int
    missing: int


class HeadsOut(Out):
    """A brand's heads, newest first, and what there is to learn from."""

    items: list[HeadOut]
    ready: list[ReadyOut]


class DecidedOut(Out):
    """The head that reads the kind now (null: the embedded one), and the job that labels the mentions again."""

    head: HeadOut | None
    job: int


class WordsIn(BaseModel):
    """A name and a description per language (es, en)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    label: dict[Annotated[str, Field(pattern="^(es|en)$")], str]
    meaning: dict[Annotated[str, Field(pattern="^(es|en)$")], str] = {}


class OwnLabelIn(WordsIn):
    """A label of the brand's own, told by 8 to 64 example texts."""

    kind: str = Field(description="stage, pain or touchpoint.")
    examples: list[str]


class OwnLabelOut(Out):
    """A label of the brand's own, or (without examples) its words for one that ships."""

    kind: str
    key: str
    label: dict[str, str]
    meaning: dict[str, str]
    examples: list[str]


class AddedLabelOut(Out):
    """The label that was added, and the head that was offered with it."""

    label: OwnLabelOut
    head: HeadOut


class RetiredOut(Out):
    """How many corrections went with a retired label."""

    corrections: int


class EntryOut(Out):
    """A label as the brand calls it. `own`: added or reworded by the brand; `examples`: how many it was told by."""

    kind: str
    key: str
    label: dict[str, str]
    meaning: dict[str, str]
    own: bool
    examples: int


class TaxonomyOut(Out):
    """A brand's stages, pain points and touchpoints, in their order."""

    items: list[EntryOut]
