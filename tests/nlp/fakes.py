"""Programmable taggers, for tests of the chain and of what stands on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from escucha.enrichment import Enrichment, Label
from nlp.chain import Outcome


@dataclass
class Says:
    """Gives every text the same labels, raises on a text that holds `poison`, and remembers the batches it saw."""

    name: str
    gives: tuple[str, ...] = ("sentiment",)
    needs: tuple[str, ...] = ()
    label: str = "neutral"
    version: str = "1"
    poison: str | None = None
    error: Callable[[], Exception] = lambda: ValueError("cannot read this")
    batches: list[list[str]] = field(default_factory=list)

    def __call__(self, batch: Sequence[Enrichment]) -> list[Enrichment]:
        self.batches.append([enrichment.text for enrichment in batch])
        if self.poison and any(self.poison in enrichment.text for enrichment in batch):
            raise self.error()
        given: dict[str, Any] = {name: Label(self.label, 1.0) for name in self.gives}
        return [replace(enrichment, **given) for enrichment in batch]


def texts(*said: str) -> list[Enrichment]:
    return [Enrichment(text=text) for text in said]


def echo(batch: Sequence[Enrichment]) -> list[Outcome]:
    """A chain that calls everything neutral."""
    return [Outcome(enrichment=replace(enrichment, sentiment=Label("neutral", 0.5))) for enrichment in batch]
