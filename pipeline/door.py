"""Stands where mentions come in: what was deleted, erased or blocked stays away, and so does what is kept no longer.

What a brand's exclusions refuse is left out before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from escucha.brand import Brand
from escucha.errors import Unreadable
from escucha.exclusion import why_hidden
from escucha.keeping import Policy, kept_since
from escucha.mention import Mention
from escucha.query.reading import Reading
from escucha.source import Refusal
from store import brands, exclusions, retention, subjects, tombstones


def wanted(session: Session, brand: Brand, heard: Sequence[Mention]) -> tuple[list[Mention], int]:
    """The mentions that no exclusion keeps from being collected, and how many were left out.

    What the brand has stored already comes in: an edit is judged where it is saved, and what a person wants is kept.
    Nothing is noted of what is left out, so that a later run may bring it when the exclusion has gone.
    """
    brands.hold(session, brand.id)
    refusing = [one for one in exclusions.of_brand(session, brand.id) if one.refuse]
    judged = [(one, why_hidden(Reading(one, brand.slug), refusing) is not None) for one in heard]
    known = exclusions.stored(session, brand.id, [(one.source, one.source_id) for one, unwanted in judged if unwanted])
    kept = [one for one, unwanted in judged if not unwanted or (one.source, one.source_id) in known]
    return kept, len(heard) - len(kept)


def unburied(
    session: Session, brand: Brand, heard: Sequence[Mention], now: datetime
) -> tuple[list[Mention], list[Refusal]]:
    """The mentions that may come in, and a refusal for each that may not.

    The brand is held first, as an erasure holds it: what is looked at here is what holds when they are saved.
    """
    brands.hold(session, brand.id)
    policy = retention.policy(session)
    gone = tombstones.buried(session, [(mention.source, mention.source_id) for mention in heard])
    people = {(mention.source, mention.author.id) for mention in heard if mention.author}
    away = tombstones.buried_authors(session, people) | subjects.blocked(session, people)
    kept, refusals = list[Mention](), list[Refusal]()
    for mention in heard:
        key = (mention.source, mention.source_id)
        if key in gone:
            refusals.append(_hidden(mention, Unreadable("It was deleted before, and stays away.")))
        elif mention.author and (mention.source, mention.author.id) in away:
            refusals.append(_hidden(mention, Unreadable("Its author asked not to be listened to.")))
        elif (days := _outlived(policy, brand, mention, now)) is not None:
            why = Unreadable("It is older than the {days} days for which such mentions are kept.", days=days)
            refusals.append(Refusal(where=mention.source_id, why=why))
        else:
            kept.append(mention)
    return kept, refusals


def _hidden(mention: Mention, why: Unreadable) -> Refusal:
    """A refusal that does not name the item: its id may be its author's."""
    return Refusal(where=tombstones.mark((mention.source, mention.source_id))[:12], why=why)


def _outlived(policy: Policy, brand: Brand, mention: Mention, now: datetime) -> int | None:
    """The days for which a mention like this is kept, where it is older than that."""
    days = policy.of(mention.source, brand.id).days
    return days if days is not None and mention.created_at < kept_since(days, brand, now) else None
