"""Works out share of voice: a brand and its rivals, counted alike."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from escucha.brand import Brand
from escucha.filter import MentionFilter
from escucha.statistics import share
from escucha.voice import Voice
from store import brands, metrics


def voices(session: Session, filter: MentionFilter, brand: Brand) -> tuple[Voice, ...]:
    """The share of voice of a brand and of those of its rivals that are listened to, the largest first.

    All are counted in the same moments and under the same filters, and a text that is repeated word for word or nearly
    so counts once (the filter's `once`). Alone a brand would have all: without a rival the answer is empty.
    """
    known = {one.slug: one for one in brands.all_brands(session)}
    compared = [brand, *(known[slug] for slug in brand.rivals if slug in known and slug != brand.slug)]
    if len(compared) < 2:
        return ()
    counts = metrics.voices(session, replace(filter, once=True), [one.slug for one in compared])
    total = sum(counts.values())
    found = [Voice(brand=one.slug, name=one.name, share=share(counts[one.slug], total)) for one in compared]
    return tuple(sorted(found, key=lambda voice: (-voice.share.count, voice.brand)))
