"""Stands where mentions come in: what was deleted, erased or blocked stays away, and so does what is kept no longer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from escucha.brand import Brand
from escucha.errors import Unreadable
from escucha.keeping import Policy, kept_since
from escucha.mention import Mention
from escucha.source import Refusal
from store import brands, retention, subjects, tombstones


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
