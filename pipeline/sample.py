"""The sample: an invented brand and its rivals, so that a newcomer sees every page full before connecting a source."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from escucha.brand import Brand
from escucha.mention import Author, Engagement, Mention
from store import brands, mentions
from store.engine import Store

HOME = ZoneInfo("America/Mexico_City")


def load(store: Store, folder: Path, now: datetime) -> int:
    """Save the sample brands and mentions, dated back from the last noon; how many. All or nothing.

    Raises:
        Conflict: the sample is there already.
    """
    noon = now.astimezone(HOME).replace(hour=12, minute=0, second=0, microsecond=0)
    anchor = noon if noon <= now else noon - timedelta(days=1)  # so that people post by day, whenever it is loaded
    listed = tomllib.loads((folder / "brands.toml").read_text("utf-8"))["brand"]
    heard = list(read(folder))
    with store.write() as session:
        for row in listed:
            brand = brands.add(session, _brand(row))
            own = [_mention(line, anchor) for line in heard if line["brand"] == brand.slug]
            mentions.save(session, brand, own, now)
    return len(heard)


def remove(store: Store) -> int:
    """Take the sample out again, wholly; how many mentions went."""
    with store.write() as session:
        return brands.remove_sample(session)


def read(folder: Path) -> Iterator[Mapping[str, Any]]:
    """The sample's lines. They carry their writers' labels too, so the files also serve `escucha evaluate`."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            if line.strip():
                yield json.loads(line)


def _brand(row: Mapping[str, Any]) -> Brand:
    return Brand(
        slug=row["slug"], name=row["name"], aliases=tuple(row["aliases"]), rivals=tuple(row["rivals"]),
        languages=tuple(row["languages"]), timezone=row["timezone"], sample=True,
    )


def _mention(line: Mapping[str, Any], anchor: datetime) -> Mention:
    author = line.get("author")
    return Mention(
        source=line["source"], source_id=line["id"], text=line["text"], title=line.get("title"), kind=line["kind"],
        lang=line.get("lang"), url=line.get("url"), created_at=anchor - timedelta(days=line["days_ago"]),
        author=Author(**author | {"handle": author["handle"] or author["id"]}) if author else None,
        rating=line.get("rating"), place=line.get("place"),
        engagement=Engagement(**{name: line.get(name) for name in ("likes", "comments", "shares", "views")}),
    )
