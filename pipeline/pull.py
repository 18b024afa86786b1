"""Asks a source for what is new: the part of collecting that runs on the pool and knows no database."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from traceback import format_exception
from urllib.parse import quote, quote_plus

import collectors
from collectors.http import WebOptions
from escucha.admission import admit_each
from escucha.brand import Query
from escucha.errors import EscuchaError, SourceError
from escucha.mention import Mention
from escucha.source import Cursor, Page, Quota, Refusal, Source, Span

log = logging.getLogger(__name__)

SHORTEST = 6
"""Characters of a key that is looked for in a text: a shorter one may stand there by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Everything a worker needs to ask a source; it can travel to another machine."""

    source: str
    query: Query
    cursor: Cursor | None
    web: WebOptions
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Haul:
    """What a worker brings back: what can be saved, what cannot and why, where to go on from, and what stopped it.

    The rest is as in the pages (escucha.source.Page), added up. `renewed` are keys that the source exchanged for
    others, to be kept in their place.
    """

    mentions: tuple[Mention, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    cursor: Cursor | None = None
    problem: EscuchaError | None = None
    passed: int = 0
    gone: tuple[str, ...] = ()
    cost: float = 0.0
    covers: Span | None = None
    more: bool = False
    doubt: EscuchaError | None = None
    quota: Quota | None = None
    renewed: Mapping[str, str] = field(default_factory=dict, repr=False)


def pull(order: Order, now: datetime) -> Haul:
    """Ask the source for everything new. Pure towards the database; an error keeps the pages read before it."""
    pages: list[Page] = []
    source, problem = None, None
    try:
        source = collectors.open_source(order.source, order.web, order.keys)
        for page in source.pages(order.query, order.cursor):
            pages.append(admitted(page, now))  # one by one: what came before an error is kept
    except EscuchaError as error:
        problem = error
    except Exception as error:  # a collector's own mistake must not stop the others
        problem = unknown(order.source, error, order.keys)
    return gathered(pages, order.cursor, problem, source)


def unknown(source: str, error: Exception, keys: Mapping[str, str]) -> SourceError:
    """The sentence for a collector's own mistake, which the log tells in full, but for the keys that it may quote."""
    told = "".join(format_exception(error))
    for key in keys.values():
        for form in {key, quote(key, safe=""), quote_plus(key)} if len(key) >= SHORTEST else ():
            told = told.replace(form, "…")
    log.error("The collector %s failed\n%s", source, told)
    return SourceError(
        "The collector of {source} stopped on something it does not know ({kind}). It will try again.",
        source=source, kind=type(error).__name__,
    )


def gathered(
    pages: Iterable[Page], cursor: Cursor | None, problem: EscuchaError | None, source: Source | None
) -> Haul:
    """The pages of a run, added up."""
    read = list(pages)
    last = read[-1] if read else Page()
    return Haul(
        mentions=tuple(mention for page in read for mention in page.mentions),
        refusals=tuple(refusal for page in read for refusal in page.refusals),
        cursor=next((page.cursor for page in reversed(read) if page.cursor is not None), cursor),
        problem=problem, passed=sum(page.passed for page in read),
        gone=tuple(identity for page in read for identity in page.gone), cost=sum(page.cost for page in read),
        covers=_covered(read), more=last.more and problem is None,
        doubt=next((page.doubt for page in read if page.doubt is not None), None),
        quota=getattr(source, "quota", None), renewed=dict(getattr(source, "renewed", None) or {}),
    )


def admitted(page: Page, now: datetime) -> Page:
    """The page with its mentions through the gate; those that it stops are refused."""
    mentions, refusals = admit_each(page.mentions, now)
    return replace(page, mentions=mentions, refusals=(*page.refusals, *refusals))


def _covered(pages: list[Page]) -> Span | None:
    """What the pages' spans cover together, where they touch; else the last one's."""
    found: Span | None = None
    for span in (page.covers for page in pages if page.covers is not None):
        touch = found is not None and span.start <= found.end and found.start <= span.end
        found = Span(min(found.start, span.start), max(found.end, span.end)) if found and touch else span
    return found
