"""The share of each label of a kind: as counted, and put right for the classifier's errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from escucha.journey import Share

ShareKind = Literal["sentiment", "stage", "pain", "touchpoint"]
WhyNot = Literal["few", "vectors", "selected"]
"""Why shares are not put right: too few mentions; mentions read by another model version, or not yet by this one; or
the filter selects by what the model said, so that its errors are no longer those that were measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRight:
    """A share put right for the classifier's known errors, with its 95 % interval, 0 to 1."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelShare:
    """A label's share as counted (with the Wilson interval of counting alone), and put right (None: not known)."""

    key: str
    counted: Share
    right: PutRight | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The shares of a kind. `n` mentions have a label; `read` of them were read for what is put right, `corrected`
    ones count as persons said. `why_not` says why nothing is put right."""

    kind: ShareKind
    n: int
    read: int
    corrected: int
    why_not: WhyNot | None
    labels: tuple[LabelShare, ...]
