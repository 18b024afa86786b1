"""Says in memory whether a query means a mention: what watches and alerts ask, and what the stores must agree to."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from operator import eq, ge, gt, le, lt

from escucha.enrichment import TaggedMention
from escucha.mention import Mention
from escucha.query.countries import called
from escucha.query.reading import Reading, Span
from escucha.query.tree import And, Compare, Is, Near, Not, Or, Phrase, Prefix, Query, Raw, Within
from escucha.text import fold
from escucha.words import words

Match = Callable[[Reading], bool]
_COMPARED = {"=": eq, ">": gt, ">=": ge, "<": lt, "<=": le}


def matches(query: Query, item: TaggedMention) -> bool:
    """Whether the query means a stored mention."""
    return matcher(query)(Reading.of(item))


def matches_mention(query: Query, mention: Mention, brand: str) -> bool:
    """Whether the query means a mention that nobody has tagged yet: labels are unknown, and no value is theirs."""
    return matcher(query)(Reading(mention, brand))


@lru_cache(maxsize=1_000)
def matcher(query: Query) -> Match:
    """The query made ready to read many mentions; a Reading serves many matchers."""
    match query:
        case And(parts):
            each = [matcher(part) for part in parts]
            return lambda reading: all(one(reading) for one in each)
        case Or(parts):
            some = [matcher(part) for part in parts]
            return lambda reading: any(one(reading) for one in some)
        case Not(part):
            inner = matcher(part)
            return lambda reading: not inner(reading)
    return _leaf(query)


def _leaf(query: Query) -> Match:
    match query:
        case Phrase(several):
            return lambda reading: bool(reading.phrase(several))
        case Prefix(stem):
            return lambda reading: next(reading.beginning(stem), None) is not None
        case Within(several, most):
            return lambda reading: _together(several, most, reading)
        case Near():
            return lambda reading: _near(query, reading)
        case Raw(text):
            return _raw(text)
        case Is(field, value, prefix):
            return _author(value, prefix) if field == "author" else _IS[field](value)
        case Compare(field, comparison, value):
            compared, number = _COMPARED[comparison], _NUMBERS[field]
            return lambda reading: (known := number(reading)) is not None and compared(known, value)
    raise TypeError(query)


def _together(several: tuple[str, ...], most: int, reading: Reading) -> bool:
    """Whether a stretch of len(several) + most words holds each of them."""
    last: dict[str, int] = {}
    for at, word in sorted((place, one) for one in several for place in reading.places(one)):
        last[word] = at
        if len(last) == len(several) and at - min(last.values()) < len(several) + most:
            return True
    return False


def _near(near: Near, reading: Reading) -> bool:
    left, right = _spans(near.left, reading), _spans(near.right, reading)
    if near.ordered:
        return _follow(left, right, near.most)
    return _reach(left, right, near.most) or _reach(right, left, near.most)


def _spans(side: tuple[Phrase | Prefix, ...], reading: Reading) -> list[Span]:
    """Where the words of one side stand, from left to right."""
    found: set[Span] = set()
    for one in side:
        several = [one.words] if isinstance(one, Phrase) else [(word,) for word in reading.beginning(one.stem)]
        found.update(span for phrase in several for span in reading.phrase(phrase))
    return sorted(found)


def _follow(left: list[Span], right: list[Span], most: int) -> bool:
    """Whether one of `right` begins where one of `left` has ended, or at most so many words later."""
    ends = sorted(end for _, end in left)
    for start, _ in right:
        place = bisect_left(ends, start - most)
        if place < len(ends) and ends[place] <= start:
            return True
    return False


def _reach(left: list[Span], right: list[Span], most: int) -> bool:
    """Whether one of `right` begins with or after one of `left`, and at most so many words after its end."""
    place, end = 0, -most - 1
    for start, _ in right:
        while place < len(left) and left[place][0] <= start:
            end = max(end, left[place][1])
            place += 1
        if start - end <= most:
            return True
    return False


def _raw(text: str) -> Match:
    several = words(text)

    def occurs(reading: Reading) -> bool:
        stands = text in reading.mention.text or text in (reading.mention.title or "")
        return stands and (not several or bool(reading.phrase(several)))

    return occurs


def _author(value: str, prefix: bool) -> Match:
    if prefix:
        return lambda reading: any(name.startswith(value) for name in reading.authors)
    return lambda reading: value in reading.authors


def _site(value: str) -> Match:
    return lambda reading: reading.host == value or reading.host.endswith(f".{value}")


def _title(value: str) -> Match:
    several = words(value)
    return lambda reading: any(
        reading.title_words[start : start + len(several)] == several for start in range(len(reading.title_words))
    )


def _country(value: str) -> Match:
    names = called(value)
    return lambda reading: fold(reading.mention.place or "") in names


def _lang(value: str) -> Match:
    return lambda reading: reading.lang == value or reading.lang.startswith(f"{value}-")


def _label(kind: str) -> Callable[[str], Match]:
    return lambda value: lambda reading: reading.labels.get(kind) == value


_IS: dict[str, Callable[[str], Match]] = {
    "site": _site, "title": _title, "lang": _lang,
    "url": lambda value: lambda reading: value in fold(reading.mention.url or ""),
    "country": _country,
    "source": lambda value: lambda reading: reading.mention.source == value,
    "type": lambda value: lambda reading: reading.mention.kind == value,
    "brand": lambda value: lambda reading: reading.brand == value,
    "hashtag": lambda value: lambda reading: value in reading.hashtags,
    "tag": lambda value: lambda reading: value in reading.tags,
    **{kind: _label(kind) for kind in ("sentiment", "stage", "pain", "touchpoint")},
}
_NUMBERS: dict[str, Callable[[Reading], float | None]] = {
    "followers": lambda reading: reading.mention.author.followers if reading.mention.author else None,
    "engagement": lambda reading: reading.mention.engagement.total,
    "rating": lambda reading: reading.mention.rating,
}
