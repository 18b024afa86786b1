"""The one gate that every mention passes: it comes in clean, or is refused with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, TypeVar

from escucha.errors import EscuchaError, Unreadable
from escucha.mention import Author, Engagement, Mention
from escucha.source import Refusal
from escucha.text import MAX_TEXT, storable

T = TypeVar("T")


def _same(item: Any) -> Any:
    return item


CLOCKS_DIFFER = timedelta(hours=24)
"""How far ahead of us a time may lie: zones and clocks differ, but nothing was said the day after tomorrow."""
OLDEST = datetime(1970, 1, 2, tzinfo=UTC)
"""What is dated before has no date: an empty one is read as the first day of 1970, or of the year 1."""
LONGEST_ID = 2000
"""Bytes of an id: PostgreSQL's index takes no more than about 2,700 for the whole key."""
MANGLED = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, OSError, RecursionError)
"""What reading an item without its form raises; OSError is what Python says of a time that no clock has."""
DEEPEST = 100
"""Objects within objects of a raw form; deeper ones are no answer that anybody meant."""
LARGEST = 2**53
"""The largest count that JSON carries safely; what claims more is no count."""


def admit(mention: Mention, now: datetime) -> Mention:
    """The mention as every store and page can hold it; a clock that is a little fast is brought back to now.

    Raises:
        Unreadable: the reason why it cannot be taken, and what to do.
    """
    for value in (mention.text, mention.title or ""):
        if len(value) > MAX_TEXT:
            raise Unreadable(
                "The text has {length} characters; a mention holds at most {limit}. Shorten or split it.",
                length=len(value), limit=MAX_TEXT,
            )
    if is_future(mention.created_at, now):
        raise Unreadable(
            "The date {date} lies in the future. Correct the date, or its order of day and month.",
            date=mention.created_at.isoformat(timespec="minutes"),
        )
    if mention.created_at < OLDEST:
        raise Unreadable(
            "The date {date} lies before everything that is said on the web. Correct the date.",
            date=mention.created_at.isoformat(timespec="minutes"),
        )
    if _bytes(mention.source_id) > LONGEST_ID:
        raise Unreadable("Its id has {length} bytes; {limit} are the most.", length=_bytes(mention.source_id),
                         limit=LONGEST_ID)
    clean = replace(_clean(mention), created_at=min(mention.created_at, now))
    if not (clean.text or clean.title) and clean.rating is None:
        raise Unreadable("There is neither a text nor a rating.")
    return clean


def is_future(moment: datetime, now: datetime) -> bool:
    """Whether a time lies further ahead than zones and clocks explain."""
    return moment > now + CLOCKS_DIFFER


def admit_all(
    items: Iterable[T], read: Callable[[T], Mention | None], name: Callable[[T], str], raw: Callable[[T], Any] = _same
) -> tuple[tuple[Mention, ...], tuple[Refusal, ...]]:
    """Read each item on its own: a mangled one becomes a Refusal and the rest arrive; None is left out on purpose.

    `name` says where an item stands and `raw` what is kept of a refused one.
    """
    mentions: list[Mention] = []
    refusals: list[Refusal] = []
    for item in items:
        try:
            mention = read(item)
        except EscuchaError as error:
            refusals.append(Refusal(where=name(item), why=error, raw=storable_json(raw(item))))
        except MANGLED as error:
            why = Unreadable(
                "This item does not have the form that its source promises ({reason}). It is skipped.",
                reason=f"{type(error).__name__}: {error}",
            )
            refusals.append(Refusal(where=name(item), why=why, raw=storable_json(raw(item))))
        else:
            mentions += [mention] if mention is not None else []
    return tuple(mentions), tuple(refusals)


def admit_each(mentions: Iterable[Mention], now: datetime) -> tuple[tuple[Mention, ...], tuple[Refusal, ...]]:
    """Pass mentions through the gate, whichever source or plug-in they come from; passing it twice changes nothing."""
    return admit_all(
        mentions, lambda mention: admit(mention, now), lambda mention: mention.source_id, lambda mention: mention.raw
    )


def _clean(mention: Mention) -> Mention:
    return replace(
        mention,
        source_id=storable(mention.source_id),
        text=storable(mention.text),
        title=_text(mention.title),
        lang=_text(mention.lang),
        url=web_address(mention.url),
        place=_text(mention.place),
        parent_id=_text(mention.parent_id),
        edited_at=mention.edited_at if mention.edited_at and mention.edited_at >= OLDEST else None,
        author=_author(mention.author),
        engagement=_engagement(mention.engagement),
        raw=storable_json(mention.raw) if mention.raw is not None else None,
    )


def _bytes(identity: str) -> int:
    return len(identity.encode(errors="replace"))


def _text(value: str | None) -> str | None:
    return (storable(value) or None) if value else None


def web_address(url: str | None) -> str | None:
    """The address if a browser may safely follow it (http and https alone), else None."""
    clean = _text(url)
    return clean if clean and clean.lower().startswith(("http://", "https://")) else None


def _author(author: Author | None) -> Author | None:
    if author is None or not storable(author.id) or _bytes(author.id) > LONGEST_ID:
        return None
    return replace(
        author,
        id=storable(author.id),
        handle=storable(author.handle) or storable(author.id),
        name=_text(author.name),
        url=web_address(author.url),
        followers=_count(author.followers, 0),
    )


def _engagement(engagement: Engagement) -> Engagement:
    return Engagement(
        likes=_count(engagement.likes, -LARGEST),  # Reddit's score falls below zero
        comments=_count(engagement.comments, 0),
        shares=_count(engagement.shares, 0),
        views=_count(engagement.views, 0),
    )


def _count(value: Any, least: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if least <= value <= LARGEST else None


def storable_json(value: Any, depth: int = 0) -> Any:
    """The value as JSON that both stores take: no NUL, lone surrogate, infinity or foreign object, none 100 deep."""
    if isinstance(value, str):
        return storable(value)
    if depth > DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {storable(str(key)): storable_json(entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [storable_json(entry, depth + 1) for entry in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if value is None or isinstance(value, bool | int) else str(value)
