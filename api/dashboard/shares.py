"""The corrected shares as a table: what was counted, what it comes to without the model's errors, and how sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from api.dashboard.shell import Frame
from api.i18n import N_
from escucha.correction import choices
from escucha.shares import LabelShare, ShareKind, Shares
from pipeline.shares import ENOUGH, shares

TITLE = {
    "sentiment": N_("Corrected share of each sentiment"), "stage": N_("Corrected share of each stage"),
    "pain": N_("Corrected share of each pain point"), "touchpoint": N_("Corrected share of each touchpoint"),
}
FEW = N_("Only {n} mentions: a share can be corrected from {enough} on. The plain count stands alone.")
VECTORS = N_(
    "Some of these mentions were read by another version of the model. Tag them again to see corrected shares; the "
    "plain count stands alone."
)
SELECTED = N_(
    "Your filter picks mentions by what the model said of them, so its errors there are not known. The plain count "
    "stands alone."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A label: its word and address, and its shares as written."""

    text: str
    href: str
    counted: str
    right: str | None
    interval: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A kind's shares. `why_not` says why none is corrected; `basis` what the numbers rest on."""

    kind: ShareKind
    title: str
    basis: str
    why_not: str | None
    rows: tuple[Row, ...]


def share_tables(session: Session, frame: Frame, kinds: Sequence[ShareKind]) -> tuple[Table, ...]:
    """The tables of a page, without those of a kind that nothing has a label of."""
    found = [shares(session, frame.filter, kind) for kind in kinds]
    return tuple(table(frame, one) for one in found if one.n)


def table(frame: Frame, found: Shares) -> Table:
    """A kind's shares as the reader writes numbers, in the order of the taxonomy."""
    order = {key: at for at, key in enumerate(choices(frame.labels.catalogue, found.kind))}
    labels = sorted(found.labels, key=lambda label: order.get(label.key, len(order)))
    return Table(
        kind=found.kind, title=frame.reader.say(TITLE[found.kind]), basis=_basis(frame, found),
        why_not=_why_not(frame, found), rows=tuple(_row(frame, found.kind, label) for label in labels),
    )


def _row(frame: Frame, kind: ShareKind, label: LabelShare) -> Row:
    right, reader = label.right, frame.reader
    return Row(
        text=frame.labels.of(kind, label.key), href=frame.link("/mentions", **{kind: [label.key]}),
        counted=reader.percent(label.counted.share), right=reader.percent(right.share) if right else None,
        interval=reader.say("{low} to {high}", low=reader.percent(right.low), high=reader.percent(right.high))
        if right else None,
    )  # fmt: skip


def _basis(frame: Frame, found: Shares) -> str:
    reader = frame.reader
    said = reader.say_many("{n} mention", "{n} mentions", found.n)
    if found.read < found.n and found.why_not is None:
        said += " · " + reader.say("corrected from a sample of {n}", n=reader.number(found.read))
    if found.corrected:
        said += " · " + reader.say_many("{n} corrected by a person", "{n} corrected by persons", found.corrected)
    return said


def _why_not(frame: Frame, found: Shares) -> str | None:
    sentence = {"few": FEW, "vectors": VECTORS, "selected": SELECTED}.get(found.why_not or "")
    return frame.reader.say(sentence, n=frame.reader.number(found.n), enough=ENOUGH) if sentence else None
