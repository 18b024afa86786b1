"""The brand's channels: which exist, how much comes in by each, and whether anybody attends to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from escucha.brand import Channel
from store.tables import ChannelRow, MentionRow, WatchRow


def inventory(
    session: Session, brand_id: int, since: datetime, recorded_as: Mapping[str, str] = MappingProxyType({})
) -> list[Channel]:
    """Every channel that was heard since a moment, is watched, or was noted by a person; the busiest first.

    `recorded_as` tells under which name a source's mentions are kept, where that is not its own.
    """
    counted = select(MentionRow.source, func.count()).where(
        MentionRow.brand_id == brand_id, MentionRow.created_at >= since
    )
    volume = {row[0]: row[1] for row in session.execute(counted.group_by(MentionRow.source))}
    asked = session.scalars(select(WatchRow.source).where(WatchRow.brand_id == brand_id))
    watched = {recorded_as.get(source, source) for source in asked}
    noted = {row.name: row for row in session.scalars(select(ChannelRow).where(ChannelRow.brand_id == brand_id))}
    names = {*volume, *watched, *noted}
    found = [_channel(name, volume.get(name, 0), name in watched, noted.get(name)) for name in names]
    return sorted(found, key=lambda channel: (-channel.volume, channel.name))


def note(session: Session, brand_id: int, name: str, *, present: bool | None, attended: bool | None,
         owner: str | None) -> None:  # fmt: skip
    """Keep what a person says of a channel; a channel of which nothing is said is forgotten."""
    session.execute(delete(ChannelRow).where(ChannelRow.brand_id == brand_id, ChannelRow.name == name))
    if present is not None or attended is not None or owner:
        values = {"brand_id": brand_id, "name": name, "present": present, "attended": attended, "owner": owner or None}
        session.execute(insert(ChannelRow).values(values))


def _channel(name: str, volume: int, watched: bool, row: ChannelRow | None) -> Channel:
    if row is None:
        return Channel(name=name, volume=volume, watched=watched)
    return Channel(
        name=name, volume=volume, watched=watched, present=row.present, attended=row.attended, owner=row.owner
    )
