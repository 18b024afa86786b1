"""Share of voice: how much of what is said of a set of competing brands each has."""

from __future__ import annotations

from dataclasses import dataclass

from escucha.journey import Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A brand's share of voice (metrics: m_b / Σ m_k over the set of brands), with its 95 % Wilson interval."""

    brand: str
    name: str
    share: Share
