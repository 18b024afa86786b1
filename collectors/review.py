"""A review in a page's schema.org markup, as a mention."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin, urlsplit

from collectors.dates import read_moment
from collectors.markup import Markup, Thing, language
from collectors.plain import plain
from collectors.rss import FirstSeen
from escucha.errors import Unreadable
from escucha.mention import Author, Mention
from escucha.text import fold

TYPES = frozenset({"review", "userreview", "criticreview", "employerreview"})
"""Without ClaimReview and MediaReview, which check facts and rate nothing."""

MOST = 5_000
"""Reviews of one page: no shop shows as many."""
LONGEST_NAME = 1_000
"""Characters of what many reviews point to, an author or a product: each of them would carry it along."""

Item = dict[str, Any]
"""A review and where it stood: `review`, `about` (what is reviewed), `lang` and `page`; `shared` where its @id is."""


def items_of(markup: Markup, page: str) -> list[Item]:
    """The reviews in a page's markup, in its order; microdata only where there is no JSON-LD that has any."""
    found = _reviews(markup.linked) or _reviews(markup.micro)
    said = {(str(review.get("@id")), _body(review)) for review, _ in found}
    ids = Counter(identity for identity, _ in said)
    return [
        {"review": review, "about": about, "lang": markup.lang, "page": page, "shared": ids[str(review.get("@id"))] > 1}
        for review, about in found
    ]


def _reviews(things: tuple[Any, ...]) -> list[tuple[Thing, str | None]]:
    """Each review with the name of what it is about: as it says, else what it stands in."""
    named = {thing["@id"]: _brief(thing) for thing, _ in _things(things) if _is_told(thing)}
    names: dict[int, str | None] = {}

    def whole(value: Any) -> Any:
        first = value[0] if isinstance(value, list) and value else value
        return named.get(first.get("@id"), first) if isinstance(first, Mapping) and _is_id(first.get("@id")) else first

    def name_of(about: Any) -> str | None:
        if id(about) not in names:  # asked for once, however many reviews are about it
            names[id(about)] = _name(about)
        return names[id(about)]

    found: list[tuple[Thing, str | None]] = []
    for thing, holder in _things(things):
        if TYPES & set(_kinds(thing)) and set(thing) - {"@type", "@id"} and len(found) < MOST:
            author = {"author": whole(thing["author"])} if "author" in thing else {}
            found.append(({**thing, **author}, name_of(whole(thing.get("itemReviewed"))) or name_of(holder)))
    return found


def _things(values: Any) -> Iterator[tuple[Thing, Thing | None]]:
    """All objects, in the order of the page, each with the nearest one around it that has a name."""
    waiting: list[tuple[Any, Thing | None]] = [(values, None)]
    while waiting:
        value, holder = waiting.pop()
        if isinstance(value, Mapping):
            yield value, holder
            around = value if value.get("name") and not TYPES & set(_kinds(value)) else holder
            waiting += [(inner, around) for inner in list(value.values())[::-1]]
        elif isinstance(value, list | tuple):
            waiting += [(inner, holder) for inner in value[::-1]]


def _brief(thing: Thing) -> Thing:
    return {name: value for name, value in thing.items() if _is_brief(value)}


def _is_brief(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_NAME
    if isinstance(value, Mapping | list):
        inner = value.values() if isinstance(value, Mapping) else value
        return len(value) <= 9 and all(isinstance(one, str | int | float) and _is_brief(one) for one in inner)
    return True


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_told(thing: Thing) -> bool:
    return _is_id(thing.get("@id")) and bool(set(thing) - {"@type", "@id", "@context"})


def _kinds(thing: Thing) -> list[str]:
    """Its types as bare lower-case names, whatever form they are written in."""
    told = thing.get("@type")
    return [re.split(r"[/#:]", str(kind))[-1].lower() for kind in (told if isinstance(told, list) else [told])]


def _name(about: Any) -> str | None:
    name = about.get("name") if isinstance(about, Mapping) else about
    return (_words(name) or None) if _is_brief(name) else None


def _words(value: Any) -> str:
    """A property as plain text; pages put markup and entities into it, some of them twice."""
    if isinstance(value, list | tuple):
        return "\n".join(filter(None, (_words(part) for part in value)))
    if isinstance(value, Mapping):
        return _words(value.get("@value"))
    text = plain(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    return plain(text) if re.search(r"&(amp|quot|apos|lt|gt|nbsp|#x?[0-9a-f]+);", text, re.IGNORECASE) else text


def _said(thing: Thing, *names: str) -> Any:
    """The first property of those names that says anything; their case is written as anybody likes."""
    told = {str(name).lower(): value for name, value in thing.items()}
    return next((told[name.lower()] for name in names if told.get(name.lower()) not in (None, "", [])), None)


def _body(review: Thing) -> str:
    return _words(_said(review, "reviewBody", "description", "text"))


def review_name(item: Any) -> str:
    """How a refused review is named to a person."""
    return f"review {item['review'].get('@id') or _words(item['review'].get('datePublished')) or ''}".strip()


def to_mention(item: Item, address: str, first_seen: FirstSeen) -> Mention:
    """Map a review of the page at an address. One without a usable date goes by the time it was first seen."""
    review: Thing = item["review"]
    host = urlsplit(address).hostname or ""
    identity = source_id(item, address)
    published = first_seen.usable(_moment(_said(review, "datePublished", "dateCreated")))
    changed = _moment(review.get("dateModified"))
    return Mention(
        source="schema-org",
        source_id=identity,
        kind="review",
        title=_words(_said(review, "name", "headline")) or None,
        text=_body(review),
        lang=language(review.get("inLanguage")) or item["lang"],
        url=_link(review.get("url"), item["page"]) or item["page"],
        created_at=published or first_seen.when(identity),
        edited_at=changed if published and changed and changed > published else None,
        author=_author(review.get("author"), host),
        rating=rating_of(review.get("reviewRating")),
        place=item["about"],
        raw={**review, "date_from": "page" if published else "fetch"},
    )


def source_id(item: Item, address: str) -> str:
    """The review's own id; where it has none, or shares it with others, a hash of what does not change with paging."""
    review: Thing = item["review"]
    own = review.get("@id")
    if isinstance(own, str) and own and not own.startswith("_:") and not item["shared"]:
        return urljoin(address, own)
    author = _author(review.get("author"), "")
    told = (address, author.id if author else "", _words(_said(review, "datePublished", "dateCreated")))
    return sha256("\n".join([*told, fold(_body(review))]).encode(errors="replace")).hexdigest()[:32]


def _moment(value: Any) -> datetime | None:
    text = _words(value)
    try:
        return read_moment(text, UTC) if text else None
    except Unreadable:
        return None


def _link(value: Any, page: str) -> str | None:
    try:
        return urljoin(page, value) if _is_id(value) else None
    except ValueError:
        return None


def _author(value: Any, host: str) -> Author | None:
    """Who wrote it: a name, an object or a list of them. Names are only unique within their site, if at all."""
    first = value[0] if isinstance(value, list) and value else value
    told: Thing = first if isinstance(first, Mapping) else {"name": first}
    name = _words(told.get("name")).replace("\n", " ")
    url = told.get("url") if _is_id(told.get("url")) else None
    if not name and not url:
        return None
    return Author(id=url or f"{host}:{name}", handle=name or str(url), name=name or None, url=url)


def rating_of(value: Any) -> float | None:
    """A reviewRating on 1 to 5 from its own scale: 1 + 4·(value - worst)/(best - worst); None where it tells none.

    Its scale is bestRating and worstRating, or stands with the value ("8/10", "90 %", "★★★★☆"), else 1 to 5.
    """
    first = value[0] if isinstance(value, list) and value else value
    told: Thing = first if isinstance(first, Mapping) else {"ratingValue": first}
    text = _words(_said(told, "ratingValue")).replace(",", ".")
    found = re.match(r"(-?\d+(?:\.\d+)?)\s*(%)?(?:\s*(?:/|de|of|out of)\s*(\d+(?:\.\d+)?))?", text)
    worst, best = _number(told, "worstRating"), _number(told, "bestRating")
    if "★" in text:
        return _on_five(text.count("★"), 1.0, float(text.count("★") + text.count("☆")) if "☆" in text else 5.0)
    if not found:
        return None
    if found[2]:
        return _on_five(float(found[1]), 0.0, 100.0)
    best = float(found[3]) if found[3] else best
    return _on_five(float(found[1]), 1.0 if worst is None else worst, 5.0 if best is None else best)


def _number(told: Thing, name: str) -> float | None:
    found = re.match(r"-?\d+(?:\.\d+)?", _words(_said(told, name)).replace(",", "."))
    return float(found[0]) if found else None


def _on_five(value: float, worst: float, best: float) -> float | None:
    if not worst <= value <= best or worst == best:
        return None
    return round(1 + 4 * (value - worst) / (best - worst), 2)
