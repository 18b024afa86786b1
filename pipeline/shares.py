"""Works out how large each label's share really is among the mentions that a filter means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from escucha.filter import MentionFilter
from escucha.shares import LabelShare, PutRight, ShareKind, Shares, WhyNot
from escucha.statistics import share
from store import metrics, samples
from store.samples import Sample

if TYPE_CHECKING:
    from nlp.quantify import Mix

ENOUGH = 30
"""Mentions needed to put shares right."""
AT_MOST = 5_000
"""Mentions read at the most; of more, a uniform sample."""
MISSING = 0.05
"""The share of mentions that may lack a vector of the model in use."""


def shares(session: Session, filter: MentionFilter, kind: ShareKind) -> Shares:
    """A kind's shares as counted, and put right by the embedded model's known errors (nlp.quantify).

    What a person has corrected counts as the person said. Where a brand's own head or a hub model gives the labels,
    the embedded head still tells the shares: labels that it does not know stay as counted.
    """
    counts = {tally.key: tally.n for tally in metrics.tallies(session, filter, kind)}
    n = sum(counts.values())
    persons = samples.corrected(session, filter, kind)
    why_not, sample, mix = _mix(session, filter, kind, n, persons)
    told = Counter(persons.values())
    right = {} if mix is None else _blended(mix, told, n)
    return Shares(
        kind=kind, n=n, read=len(sample.vectors) if sample else 0, corrected=len(persons), why_not=why_not,
        labels=tuple(
            LabelShare(key=key, counted=share(counts.get(key, 0), n), right=right.get(key))
            for key in sorted({*counts, *right}, key=lambda key: (-counts.get(key, 0), key))
        ),
    )  # fmt: skip


def _mix(
    session: Session, filter: MentionFilter, kind: ShareKind, n: int, persons: Mapping[int, str]
) -> tuple[WhyNot | None, Sample | None, Mix | None]:
    from escucha.vector import unpack
    from nlp.quantify import embedded_dev, quantifier

    if _selects(filter, kind):
        return "selected", None, None
    if n < ENOUGH:
        return "few", None, None
    sample = samples.draw(session, filter, embedded_dev().reads, AT_MOST)
    unknown = [data for id, data in sample.vectors.items() if id not in persons]
    able = quantifier(kind)
    if able is None or len(sample.vectors) < (1 - MISSING) * sample.drawn:
        return "vectors", sample, None
    if len(unknown) < ENOUGH:
        return "few", sample, None
    return None, sample, able.mix(unpack(unknown))


def _selects(filter: MentionFilter, kind: ShareKind) -> bool:
    """Whether the filter picks mentions by this kind's label, or by how sure the model is."""
    chosen = {"sentiment": filter.sentiments, "stage": filter.stages, "pain": filter.pains,
              "touchpoint": filter.touchpoints}  # fmt: skip
    return bool(chosen[kind] or filter.review)


def _blended(mix: Mix, told: Mapping[str, int], n: int) -> dict[str, PutRight]:
    """The mix of what nobody corrected, and the corrections as they are."""
    known = sum(told.values())

    def whole(key: str, part: float) -> float:
        return float(min(1.0, (told.get(key, 0) + (n - known) * part) / n))

    rows = zip(mix.classes, mix.shares, mix.low, mix.high, strict=True)
    return {key: PutRight(share=whole(key, at), low=whole(key, low), high=whole(key, high))
            for key, at, low, high in rows}  # fmt: skip
