"""What a brand does not want to hear: a query, an author or a site; and whether a mention is hidden because of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, get_args

from escucha.errors import Invalid
from escucha.mention import Mention
from escucha.query.match import matcher
from escucha.query.normal import both, either
from escucha.query.parse import fields_of, parse
from escucha.query.reading import Reading
from escucha.query.tree import Is, Query
from escucha.text import fold

Kind = Literal["query", "author", "site"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PERSON, BLOCKED = "person", "blocked"
"""Why a mention is hidden, besides an exclusion ("exclusion:7"): a person said so, or its author is blocked."""
LONGEST = 300
"""Characters of an author or a site."""
WIDE = 0.5
"""Share of a brand's mentions from which on an exclusion hides so much that it is hardly meant."""
LATER = ("lang", "sentiment", "stage", "pain", "touchpoint", "tag", "followers", "engagement")
"""Fields that are told after a mention was saved, or change then: an exclusion judges it as it comes in."""
_SITE = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/?#@]*@)?(?:www\.)?([^/?#@:\s]+\.[^/?#@:.\s]+)(?::\d+)?(/[^?#\s]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Mentions of a brand that are not wanted: those that a query means, by an author, or of a site.

    An author is a handle or an id, of one source where it says so: `mastodon:ana@social.example`. A site is a host with
    those below it, and perhaps how the path goes on. `refuse`: such mentions are not even collected. `waits`: it has
    not been put to all the stored mentions yet. `id` and `brand_id` come from the store.
    """

    kind: Kind
    value: str
    refuse: bool = False
    waits: bool = False
    id: int | None = None
    brand_id: int | None = None

    @property
    def query(self) -> Query:
        """What it means, in the query language."""
        return _meant(self.kind, self.value)

    @property
    def mark(self) -> str:
        """Why the mentions are hidden that it hides."""
        return f"exclusion:{self.id}"


def why_hidden(reading: Reading, exclusions: Iterable[Exclusion]) -> Exclusion | None:
    """The first of a brand's exclusions that means a mention, whose labels nobody need know."""
    return next((one for one in exclusions if matcher(one.query)(reading)), None)


def hidden_as(
    mention: Mention, brand: str, exclusions: Iterable[Exclusion], *, relevant: bool | None = None,
    blocked: bool = False,
) -> str | None:
    """Why a mention of the brand (its slug) is neither shown nor counted; None: it is.

    `relevant` is what a person said of it. Their no wins over all, and their yes over the exclusions, but not over a
    `blocked` author.
    """
    if relevant is False:
        return PERSON
    if blocked:
        return BLOCKED
    found = None if relevant else why_hidden(Reading(mention, brand), exclusions)
    return found.mark if found else None


def said_of(hidden: str | None, *, kept: bool) -> bool | None:
    """What a person said of a stored mention: whether it is relevant; None where nobody said anything."""
    return False if hidden == PERSON else kept or None


def checked(exclusion: Exclusion) -> Exclusion:
    """The exclusion with its value tidied. Raises Invalid for what cannot be read, or cannot be judged in time."""
    value = exclusion.value.strip()
    if exclusion.kind == "query":
        parse(value)  # before its fields are looked at: it may be too long, or be no query at all
        for name, given in fields_of(value):
            if name in LATER:
                raise Invalid(
                    "Line {line}, column {column}: {name} is told only after a mention has come in, or changes later, "
                    "and exclusions judge it as it comes in. Leave {name} out, or filter by it in the list.",
                    **given.at, name=f"{given.name}:",
                )
        return replace(exclusion, value=value)
    if len(value) > LONGEST:
        raise Invalid("An author or a site has {limit} characters at most.", limit=LONGEST)
    return replace(exclusion, value=_author(value) if exclusion.kind == "author" else _site(value))


def by_kind(given: str, value: str, *, refuse: bool = False, brand_id: int | None = None) -> Exclusion:
    """The exclusion that a person writes, tidied. Raises Invalid as `checked` does, and for a kind that is none."""
    kind = next((one for one in KINDS if one == given), None)
    if kind is None:
        raise Invalid("There is no kind of exclusion called {kind}. Choose from: {known}.", kind=given[:40],
                      known=", ".join(KINDS))
    return checked(Exclusion(kind=kind, value=value, refuse=refuse, brand_id=brand_id))


@lru_cache(maxsize=1_000)
def _meant(kind: Kind, value: str) -> Query:
    if kind == "query":
        return parse(value)
    if kind == "author":
        source, _, name = value.partition(":")
        anywhere = Is("author", value)
        return either((anywhere, both((Is("source", source), Is("author", name))))) if name else anywhere
    host, slash, _ = value.partition("/")
    return both((Is("site", host), Is("url", value))) if slash else Is("site", host)


def _author(value: str) -> str:
    """A handle or an id, folded and without its @, after the source's name where one is written."""
    source, colon, name = fold(value).lstrip("@").partition(":")
    found = f"{source.strip()}:{name.strip().removeprefix('@')}" if colon else source
    if not found or found.startswith(":") or found.endswith(":"):
        raise Invalid("Write the author's handle or id, like @ana or mastodon:@ana@example.com.")
    return found


def _site(value: str) -> str:
    """A host, and the path where one is written, folded."""
    found = _SITE.match(fold(value))
    if found is None:
        raise Invalid("“{value}” is no site. Write it like example.com, or example.com/blog for a part of it.",
                      value=value[:60])
    return found[1] + (found[2] if found[2] not in (None, "/") else "")
