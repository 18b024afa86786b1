"""The channels of a brand over the last 30 days, and what a person notes of one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from api.listening import declared, offered
from escucha.brand import Brand, Channel
from escucha.errors import Invalid
from store import channels

DAYS = 30
LONGEST_NAME, LONGEST_OWNER = 100, 200


def first_day(brand: Brand, now: datetime) -> date:
    """The first of the 30 local days of which mentions are counted."""
    return now.astimezone(ZoneInfo(brand.timezone)).date() - timedelta(days=DAYS - 1)


def listed(session: Session, brand: Brand, now: datetime) -> list[Channel]:
    """Every channel that was heard, is watched or was noted; the busiest first."""
    since = datetime.combine(first_day(brand, now), time.min, ZoneInfo(brand.timezone))
    recorded_as = {facts.name: facts.recorded_as for facts in offered() if facts.recorded_as}
    return channels.inventory(session, brand.id or 0, since.astimezone(UTC), recorded_as)


def title(name: str) -> str:
    """What a channel is called: a source by its proper name, any other as a person named it."""
    return declared(name).title or name


def noted(session: Session, brand: Brand, channel: Channel) -> None:
    """Keep what a person says of a channel. Raises Invalid for a name that is missing, or too long."""
    name, owner = channel.name.strip(), (channel.owner or "").strip()
    if not name:
        raise Invalid("The channel has no name. Write one, such as: Physical store")
    if len(name) > LONGEST_NAME or len(owner) > LONGEST_OWNER:
        raise Invalid("That name is too long: {name} characters for a channel, {owner} for a unit.",
                      name=LONGEST_NAME, owner=LONGEST_OWNER)
    channels.note(session, brand.id or 0, name, present=channel.present, attended=channel.attended,
                  owner=owner or None)
