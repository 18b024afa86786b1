"""The page about the model and the taxonomy: what was learned from a brand, how good it is, and the brand's labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from api.dashboard.shell import Frame
from api.i18n import N_
from escucha.taxonomy import KINDS, LEAST, MOST, Listed, listed
from pipeline import learning
from pipeline.learning import Ready
from store import heads, taxonomy
from store.heads import StoredHead

MEASURES = (("accuracy", N_("Right answers")), ("macro_f1", N_("Macro-F1")), ("ece", N_("Calibration error")))
WORSE = 0.01
"""A loss on other texts from which on the page warns."""
SAME = 0.005
"""A difference that is none."""
TITLES = {"stage": N_("Stages"), "pain": N_("Pain points"), "touchpoint": N_("Touchpoints")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measure of two heads on the same texts, as the reader writes it. `better`: whether it went the good way."""

    name: str
    before: str
    after: str
    better: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Of an own label's examples, how many were found without having been learned from."""

    name: str
    found: int
    examples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A head with its report. `loses` says that it is worse on texts from elsewhere."""

    head: StoredHead
    when: str
    learned: int
    seconds: str
    held_back: tuple[Measured, ...]
    n_held_back: int
    elsewhere: tuple[Measured, ...]
    n_elsewhere: int
    own: tuple[Found, ...]
    loses: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """A kind of label: what there is to learn from, the head in use, the one that waits for an answer."""

    field: str
    title: str
    ready: Ready
    active: Offer | None
    offered: Offer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """A label of the brand's catalogue in the reader's words."""

    listed: Listed
    name: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxonomy:
    """The labels of one kind."""

    field: str
    title: str
    rows: tuple[LabelRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningPage:
    """What the page shows; `least` and `most` are the examples that an own label needs, and may have."""

    kinds: tuple[KindRow, ...]
    taxonomies: tuple[Taxonomy, ...]
    least: int = LEAST
    most: int = MOST


def learning_page(session: Session, frame: Frame) -> LearningPage:
    """Read and lay out the page of a frame."""
    brand_id = frame.brand.id or 0
    known = heads.all_heads(session, brand_id)
    rows = listed(frame.labels.catalogue, taxonomy.of_brand(session, brand_id))
    return LearningPage(
        kinds=tuple(_kind(frame, ready, known) for ready in learning.readiness(session, brand_id)),
        taxonomies=tuple(_taxonomy(frame, kind, rows) for kind in KINDS),
    )


def _kind(frame: Frame, ready: Ready, known: list[StoredHead]) -> KindRow:
    states = {head.state: offer(frame, head) for head in reversed(known) if head.kind == ready.kind}
    return KindRow(field=ready.kind, title=frame.labels.field(ready.kind), ready=ready, active=states.get("active"),
                   offered=states.get("offered"))


def _taxonomy(frame: Frame, kind: str, rows: list[Listed]) -> Taxonomy:
    mine = tuple(
        LabelRow(listed=row, name=frame.labels.word(dict(row.label)), meaning=frame.labels.word(dict(row.meaning)))
        for row in rows if row.kind == kind
    )
    return Taxonomy(field=kind, title=frame.reader.say(TITLES[kind]), rows=mine)


def offer(frame: Frame, head: StoredHead) -> Offer:
    """A head with its report in the reader's words."""
    report: Mapping[str, Any] = head.report
    here, elsewhere = report["held_back"], report["elsewhere"]
    lost = elsewhere["n"] and elsewhere["before"]["macro_f1"] - elsewhere["after"]["macro_f1"] >= WORSE
    return Offer(
        head=head, when=frame.moment(head.decided_at or head.made_at), learned=report["learned"],
        seconds=frame.reader.number(report["seconds"], 1), held_back=_measured(frame, here), n_held_back=here["n"],
        elsewhere=_measured(frame, elsewhere), n_elsewhere=elsewhere["n"], loses=bool(lost),
        own=tuple(Found(name=frame.labels.of(head.kind, key), **counts) for key, counts in report["own"].items()),
    )


def _measured(frame: Frame, scores: Mapping[str, Any]) -> tuple[Measured, ...]:
    if not scores["n"]:
        return ()
    return tuple(
        Measured(
            name=frame.reader.say(name), before=_written(frame, key, scores["before"]),
            after=_written(frame, key, scores["after"]), better=_better(key, scores),
        ) for key, name in MEASURES
    )  # fmt: skip


def _written(frame: Frame, key: str, scores: Mapping[str, float]) -> str:
    return frame.reader.percent(scores[key]) if key == "accuracy" else frame.reader.number(scores[key], 3)


def _better(key: str, scores: Mapping[str, Any]) -> bool | None:
    gain = scores["after"][key] - scores["before"][key]
    return None if abs(gain) < SAME else (gain > 0) == (key != "ece")
