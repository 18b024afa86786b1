"""Which taggers speak today, and how a vector that was kept is read again without the text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from escucha.enrichment import Enrichment
from nlp.chain import KINDS, ModelOptions, opened

OWN_HEAD = "head:"
"""`versions["head:stage"]` names the brand's own head that gave the stage in place of a tagger's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The taggers' versions by name, the version of the vectors they make (None: they make none), and the kinds of
    label that the embedded model gives, rather than a model in its place."""

    versions: Mapping[str, str]
    reads: str | None
    embedded: Collection[str] = KINDS


def standing(options: ModelOptions) -> Standing:
    """What an installation with these options runs; opens its taggers if this process has not yet."""
    chain = opened(options)
    giver = next((tagger for tagger in chain.taggers if "vector" in tagger.gives), None)
    return Standing(
        versions={tagger.name: tagger.version for tagger in chain.taggers},
        reads=getattr(giver, "reading", giver.version) if giver else None,
        embedded=[field for tagger in chain.taggers if tagger.name == "encoder" for field in tagger.gives],
    )


def without_own_heads(batch: Sequence[Enrichment]) -> list[Enrichment]:
    """Texts that today's embedded model has read, as it understood them before the brands' own heads spoke.

    Only the kinds that such a head gave are read again, from the text's vector, by the embedded model's head: it must
    be a vector of today's.
    """
    asked: dict[str, list[int]] = {}
    for at, enrichment in enumerate(batch):
        for kind in own_kinds(enrichment.versions):
            asked.setdefault(kind, []).append(at)
    known = [replace(enrichment, versions=plain(enrichment.versions)) for enrichment in batch]
    for kind, rows in asked.items():
        for at, label in zip(rows, _read(kind, [batch[at] for at in rows]), strict=True):
            answer: dict[str, Any] = {kind: label}
            known[at] = replace(known[at], **answer)
    return known


def own_kinds(versions: Mapping[str, str]) -> list[str]:
    """The kinds that a brand's own heads gave."""
    return [name.removeprefix(OWN_HEAD) for name in versions if name.startswith(OWN_HEAD)]


def plain(versions: Mapping[str, str]) -> dict[str, str]:
    """The versions of the taggers alone."""
    return {name: version for name, version in versions.items() if not name.startswith(OWN_HEAD)}


def _read(kind: str, batch: Sequence[Enrichment]) -> Sequence[Any]:
    from escucha.vector import unpack
    from nlp.encoder import labels

    vectors = unpack([enrichment.vector.data for enrichment in batch if enrichment.vector])
    return labels(_embedded()[kind], vectors, [one.lang.label if one.lang else None for one in batch])


@cache
def _embedded() -> Mapping[str, Any]:
    from nlp.encoder import HEADS, MODEL
    from nlp.heads import read_heads

    return read_heads(MODEL / HEADS)
