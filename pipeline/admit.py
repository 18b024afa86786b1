"""The one gate: what a mention must be to be saved, wherever it came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from escucha.errors import Unreadable
from escucha.mention import Mention
from escucha.source import Refusal
from escucha.text import MAX_TEXT, storable

CLOCK_SKEW = timedelta(days=1)


def admit(mentions: Iterable[Mention], now: datetime) -> tuple[list[Mention], list[Refusal]]:
    """Sort what was heard into mentions that can be saved and refusals with their reasons."""
    admitted, refused = [], []
    for mention in mentions:
        cleaned = clean(mention)
        why = objection(cleaned, now)
        if why is not None:
            refused.append(Refusal(where=cleaned.source_id, why=why, raw=mention.raw))
        else:
            admitted.append(replace(cleaned, created_at=min(cleaned.created_at, now)))
    return admitted, refused


def clean(mention: Mention) -> Mention:
    """The mention without what no database can hold."""
    author = mention.author
    return replace(
        mention,
        source_id=storable(mention.source_id) or "?",
        text=storable(mention.text),
        title=_cleaned(mention.title), url=_cleaned(mention.url), lang=_cleaned(mention.lang),
        place=_cleaned(mention.place), parent_id=_cleaned(mention.parent_id),
        author=author and replace(
            author, id=storable(author.id), handle=storable(author.handle), name=_cleaned(author.name),
            url=_cleaned(author.url),
        ),
    )


def objection(mention: Mention, now: datetime) -> Unreadable | None:
    """Why a mention cannot be saved, or None. A clock that is a little fast (up to a day) is forgiven."""
    if not mention.text and not mention.title and mention.rating is None:
        return Unreadable("There is neither a text nor a rating in it.")
    if len(mention.text) > MAX_TEXT:
        return Unreadable(
            "Its text has {length} characters; {limit} is the most. Cut it or import it in parts.",
            length=len(mention.text), limit=MAX_TEXT,
        )
    if mention.created_at > now + CLOCK_SKEW:
        return Unreadable(
            "Its date, {date}, is in the future. Correct the date and import it again.",
            date=mention.created_at.date().isoformat(),
        )
    return None


def _cleaned(text: str | None) -> str | None:
    return storable(text) or None if text is not None else None
