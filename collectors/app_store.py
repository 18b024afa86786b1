"""Apple App Store: the public reviews of any app, country by country."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, NamedTuple

from collectors.bookmark import notes_of
from collectors.http import Answer
from collectors.online import OnlineSource, list_of, moments_of, object_of
from collectors.plain import plain
from collectors.several import Walk, walk_each
from collectors.verdict import retry_after
from collectors.walk import Bounds, Notes, Place, Step, Stretch, newest_first
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.source import Cursor, Page, SourceFacts

FORMS = (
    "/{country}/rss/customerreviews/page={page}/id={app}/sortby=mostrecent/json",
    "/{country}/rss/customerreviews/id={app}/sortBy=mostRecent/page={page}/json",
)
"""The feed has two addresses, which take turns in failing and in answering with nothing."""
PAGES = 10
"""The feed shows 10 pages of 50 reviews, whatever there is."""
BOUNDS = Bounds(first=timedelta(days=3650), overlap=timedelta(days=2), steps=4 * PAGES)
"""Two walks through all pages, each with its page before read once more, fit into a run."""

Found = tuple[str, Any]
"""The country asked, and the entry of its feed."""


class App(NamedTuple):
    """An app's number, and the countries (two letters, lower case) whose App Store is asked."""

    number: str
    countries: tuple[str, ...]


class AppStoreSource(OnlineSource):
    """Reads the feed of customer reviews, which needs no key but is capricious: empty proves nothing."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="app-store",
        title="App Store",
        own=True,
        query_hint="mx,es 123456789",
        query_about=Note(
            "The countries, then the app's number, or the address of its page in the App Store. The number is the last "
            "part of that address."
        ),
        needs=Note("Nothing: no key, no cost. It works for any app, also for your competitors'."),
        keeps=Note("Reviews as long as you need them. Apple does not tell which were deleted, so they stay here."),
        blind=Note(
            "Ratings without words, followers, and what a review said before it was changed. Apple's feed fails at "
            "times; nothing is concluded from an empty answer."
        ),
        reach=Note("The 500 newest reviews of each country."),
        fastest=1800,
    )
    base: ClassVar[str] = "https://itunes.apple.com"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Reviews newer than the cursor, less an overlap, one country after the other."""
        app = read_app(query.text)
        walks: dict[str, Walk] = {country: partial(self._walk, query, app.number, country) for country in app.countries}
        return self._walked(query, walk_each(notes_of(query, cursor), walks), to_mention, entry_name)

    def _walk(self, query: Query, app: str, country: str, notes: Notes) -> Iterator[Step]:
        def ask(place: Place) -> Stretch:
            return self._stretch(app, country, int(place.token or 1), known=bool(notes.get("seen")))

        return newest_first(notes, ask, BOUNDS, self._clock.now(), query.since, by="number")

    def _stretch(self, app: str, country: str, page: int, known: bool) -> Stretch:
        feed = self._feed(app, country, page)
        entries = entries_of(feed)
        if page == 1 and not (entries or known or _has_app(feed)):
            raise Refused(
                "The App Store of the country {country} has no app {app}. Check the number and the country.",
                country=country.upper(), app=app,
            )
        return Stretch(
            items=[(country, entry) for entry in entries], times=moments_of(entries, when), capped=page == PAGES,
            token=str(page + 1) if entries and page < PAGES else None,
        )

    def _feed(self, app: str, country: str, page: int) -> Mapping[str, Any]:
        """The feed's page under the first address that answers with reviews; without any, an empty one."""
        empty: Mapping[str, Any] | None = None
        trouble: TryLater | None = None
        for form in FORMS:
            try:
                feed = object_of(self._get(form.format(app=app, country=country, page=page)), "feed")
            except TryLater as error:
                if error.after is not None or error.details.get("status") == 429:
                    raise
                trouble = error
                continue
            if entries_of(feed):
                return feed
            empty = feed
        if empty is None and trouble is not None:
            raise trouble
        return empty or {}

    def _verdict(self, answer: Answer) -> SourceError | None:
        if answer.status in (401, 403):
            return Refused(
                "Apple does not show its reviews to this network (HTTP {status}). Resume the watch later, or run "
                "Escucha from another network.",
                status=answer.status,
            )
        if answer.status == 429:
            return TryLater(
                "{host} asks us to slow down. Nothing is lost: the watch goes on by itself.",
                after=retry_after(answer.headers, self._clock.now()), host=answer.host, status=429,
            )
        return None


def read_app(text: str) -> App:
    """`mx,es 123456789`, or the address of an app's page. Raises Refused for anything else."""
    said = text.strip().lower()
    address = re.fullmatch(r"https?://(?:apps|itunes)\.apple\.com/([a-z]{2})/\S*?/?id(\d+)(?:[/?#]\S*)?", said)
    listed = re.fullmatch(r"([a-z]{2}(?:\s*,\s*[a-z]{2})*)\s+(?:id)?(\d+)", said)
    found = address or listed
    if found is None:
        raise Refused(
            "The query {query} names no app. Write the countries and the app's number, as in mx,es 123456789.",
            query=text.strip(),
        )
    return App(number=found[2], countries=tuple(dict.fromkeys(re.findall(r"[a-z]{2}", found[1]))))


def entries_of(feed: Mapping[str, Any]) -> list[Any]:
    """The reviews of a feed: a list, a single object or nothing. Older answers begin with the app itself."""
    entries = feed.get("entry") or []
    entries = list_of([entries] if isinstance(entries, Mapping) else entries)
    about_app = bool(entries) and isinstance(entries[0], Mapping) and "im:rating" not in entries[0]
    return entries[1:] if about_app else entries


def _has_app(feed: Mapping[str, Any]) -> bool:
    """Whether the feed leads to itself, as it does for an app that is known in the country."""
    links = feed.get("link") or []
    links = [links] if isinstance(links, Mapping) else links
    return any(object_of(link, "attributes").get("rel") == "self" for link in links)


def when(entry: Any) -> datetime:
    """The moment by which the feed is ordered: when the review was written or last changed."""
    return datetime.fromisoformat(entry["updated"]["label"])


def entry_name(found: Found) -> str:
    """How a refused review is named to a person."""
    country, entry = found
    number = entry.get("id", {}).get("label") if isinstance(entry, Mapping) else None
    return f"review {number} ({country.upper()})"


def to_mention(found: Found) -> Mention:
    """Map an entry. Apple tells one time, of the last change. A country is no language: that is found out."""
    country, entry = found
    content = entry["content"]
    text = content["label"]
    return Mention(
        source="app-store",
        source_id=entry["id"]["label"],
        kind="review",
        title=entry["title"]["label"],
        text=plain(text) if content.get("attributes", {}).get("type") == "html" else text,
        url=entry.get("link", {}).get("attributes", {}).get("href"),
        created_at=when(entry),
        author=_author(entry["author"]),
        engagement=Engagement(likes=_number(entry.get("im:voteSum"))),
        rating=float(entry["im:rating"]["label"]),
        place=country.upper(),
        raw=entry,
    )


def _author(author: Mapping[str, Any]) -> Author:
    name = author["name"]["label"]
    address = author.get("uri", {}).get("label") or None
    number = re.search(r"id(\d+)$", address or "")
    return Author(id=number[1] if number else name, handle=name, name=name, url=address)


def _number(told: Any) -> int | None:
    return int(told["label"]) if told else None
