"""Guards the purse: what a paid source may still cost this month."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from escucha.errors import Invalid, TryLater
from escucha.note import Note
from escucha.source import Credential, SourceFacts
from store import watches

BUDGET = "monthly_budget"
"""The key under which a source's budget is entered, in US dollars a month."""


def fields(facts: SourceFacts) -> tuple[Credential, ...]:
    """What a person may enter for a source: its keys, and the budget of one that costs."""
    about = Note("What it may cost in a month, in US dollars. It stops by itself when that is used up.")
    own = Credential(name=BUDGET, about=about, secret=False, optional=True)
    return (*facts.needs_credentials, own) if facts.cost_per_item else facts.needs_credentials


def month(now: datetime) -> tuple[datetime, datetime]:
    """The start of this month and of the next, in UTC."""
    start = datetime(now.year, now.month, 1, tzinfo=UTC)
    return start, datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)


def budget(keys: Mapping[str, str], default: float) -> float:
    """What a source may cost in a month, in US dollars. Raises Invalid for what is no amount."""
    told = keys.get(BUDGET, "").strip()
    try:
        amount = float(told.replace(",", ".")) if told else default
    except ValueError:
        amount = -1.0
    if not 0 <= amount < 1e9:
        raise Invalid("The monthly budget {budget} is no amount. Write dollars, such as 25.", budget=told)
    return amount


def items_left(
    session: Session, facts: SourceFacts, keys: Mapping[str, str], default: float, now: datetime
) -> int | None:
    """How many items a source may still be asked for this month; None where it costs nothing.

    Raises:
        TryLater: the month's budget is used up; until the next month.
        Invalid: the budget is no amount.
    """
    if not facts.cost_per_item:
        return None
    start, end = month(now)
    allowed = budget(keys, default)
    left = int((allowed - watches.spent(session, facts.name, start)) / facts.cost_per_item + 1e-9)
    if left < 1:
        raise TryLater(
            "This month's budget of {budget} dollars for {source} is used up. It goes on next month, or at once if "
            "you raise the budget.",
            after=(end - now).total_seconds(), budget=allowed, source=facts.title or facts.name,
        )
    return left
