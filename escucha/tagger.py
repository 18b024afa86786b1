"""What a tagger promises: it reads texts in batches and adds one kind of label to each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from escucha.enrichment import Enrichment


@runtime_checkable
class Tagger(Protocol):
    """A step of the NLP chain.

    `needs` and `gives` name fields of Enrichment; the chain's order is checked against them before it runs.
    `version` is stored with each label, so that history can be tagged again when it changes.
    """

    @property
    def name(self) -> str:
        """The tagger's name, unique in a chain."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the answers may change."""
        ...

    @property
    def needs(self) -> tuple[str, ...]:
        """Fields of Enrichment that must be filled before."""
        ...

    @property
    def gives(self) -> tuple[str, ...]:
        """Fields of Enrichment that it fills."""
        ...

    def __call__(self, batch: Sequence[Enrichment]) -> list[Enrichment]:
        """The same enrichments in the same order, each with what this tagger gives."""
        ...
