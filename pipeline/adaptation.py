"""What a brand makes of the model's answers: its own heads read the vector anew, then its rules have their say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from escucha import rule
from escucha.enrichment import Enrichment, Label
from escucha.rule import Rule
from store import heads, rules

if TYPE_CHECKING:
    from nlp.heads import Head
    from store.heads import StoredHead


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnHead:
    """A brand's own head, ready to read vectors of the version `reads`."""

    id: int
    reads: str
    head: Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptation:
    """A brand's own heads by kind, and its rules in their order."""

    heads: Mapping[str, OwnHead] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()


def load(session: Session, brand_ids: Collection[int]) -> dict[int, Adaptation]:
    """What each of these brands makes of answers. No rule of theirs changes until the transaction ends."""
    by_brand = rules.held(session, brand_ids)
    return {
        brand_id: Adaptation(
            heads={kind: _ready(stored) for kind, stored in heads.active(session, brand_id).items()},
            rules=by_brand[brand_id],
        ) for brand_id in brand_ids
    }  # fmt: skip


def adapt(enrichment: Enrichment, adaptation: Adaptation) -> Enrichment:
    """The enrichment as the brand means it. A head that reads vectors of another version stays silent."""
    for kind, own in adaptation.heads.items():
        if enrichment.vector is not None and enrichment.vector.version == own.reads:
            enrichment = _read_anew(enrichment, kind, own)
    return rule.apply(adaptation.rules, enrichment)


def _read_anew(enrichment: Enrichment, kind: str, own: OwnHead) -> Enrichment:
    from escucha.vector import unpack

    assert enrichment.vector is not None  # noqa: S101 (asked by adapt)
    odds = own.head.probabilities(unpack([enrichment.vector.data]))[0]
    best = int(odds.argmax())
    versions = {**enrichment.versions, f"head:{kind}": str(own.id)}
    answer: dict[str, Any] = {kind: Label(own.head.classes[best], round(float(odds[best]), 4)), "versions": versions}
    return replace(enrichment, **answer)


def _ready(stored: StoredHead) -> OwnHead:
    from nlp.adapt import from_bytes

    return OwnHead(id=stored.id, reads=stored.reads, head=from_bytes(stored.classes, stored.weights))
