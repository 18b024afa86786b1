"""Mentions, brands and watches for tests, each with believable defaults."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from escucha.brand import Brand
from escucha.enrichment import Enrichment, Label
from escucha.mention import Author, Engagement, Mention

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


def brand(slug: str = "lumbre", **changes: Any) -> Brand:
    return Brand(slug=slug, name=slug.title(), **changes)


def mention(source_id: str = "1", text: str = "El café llegó frío", **changes: Any) -> Mention:
    given = Mention(
        source="mastodon", source_id=source_id, text=text, created_at=NOW - timedelta(hours=2),
        url=f"https://social.invalid/{source_id}",
        author=Author(id="ana", handle="@ana@social.invalid", name="Ana", followers=3200),
        engagement=Engagement(likes=3, comments=1, shares=0),
    )
    return replace(given, **changes)


def understood(text: str = "", **labels: str) -> Enrichment:
    """An enrichment with these labels; the rest is Spanish, neutral, and of no stage."""
    plain = {"lang": "es", "sentiment": "neutral", "stage": "none", "pain": "none", "touchpoint": "none"} | labels
    return Enrichment(text=text, versions={"test": "1"}, **{key: Label(value, 0.9) for key, value in plain.items()})
