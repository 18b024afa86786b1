"""Google News: the articles that its search finds, as its own feed lists them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar
from urllib.parse import urlsplit

from collectors import rss
from collectors.feed import Entry, Item
from collectors.http import Answer
from collectors.rss import FirstSeen, RssSource
from collectors.searching import Searching
from collectors.translate import Abilities
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Author, Mention
from escucha.note import Note
from escucha.source import SourceFacts

_EDITION = re.compile(r"(?s)(.*?)(?:^|\s)@([A-Za-z]{2}(?:-[A-Za-z]{2})?)\s*$")


@dataclass(frozen=True, slots=True)
class Edition:
    """An edition of Google News: its interface language, its country, and the language in the edition's own name."""

    hl: str
    gl: str
    named: str


def _latin(country: str) -> Edition:
    return Edition("es-419", country, "es-419")


EDITIONS: Mapping[str, Edition] = {
    "ar": _latin("AR"), "br": Edition("pt-BR", "BR", "pt-419"), "cl": _latin("CL"), "co": _latin("CO"),
    "cu": _latin("CU"), "es": Edition("es", "ES", "es"), "gb": Edition("en-GB", "GB", "en"), "mx": _latin("MX"),
    "pe": _latin("PE"), "pt": Edition("pt-PT", "PT", "pt-150"), "us": Edition("en-US", "US", "en"),
    "us-es": _latin("US"), "ve": _latin("VE"),
}  # fmt: skip
DEFAULT = "mx"


class GoogleNewsSource(Searching, RssSource):
    """Reads the feed of a search. Its links lead through Google and are left as they are."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="google-news",
        title="Google News",
        query_hint='"cafés lumbre" -receta @mx',
        query_about=Note(
            "Words to search for, in the query language; at its end the edition, such as @mx, @es or @us-es. Without "
            "one: Mexico."
        ),
        needs=Note("No key and no cost, but somebody must accept its terms. A Google Alert is the better way."),
        keeps=Note("Google allows no keeping: whoever accepts the terms answers for the stored headlines."),
        blind=Note(
            "The article itself (only its headline, publisher and date come), all but about 100 articles of a search, "
            "and the publisher's own address."
        ),
        reach=Note("The about 100 articles that Google finds fit, from hours to months old."),
        searches=True,
        fastest=900,
        terms=Note(
            "Google offers this feed for one use alone: showing Google News to a person in a feed reader, for personal "
            "and non-commercial purposes. It forbids every other use, and whoever reads the feed agrees to that. "
            "Listening for a brand is most likely such another use. Google Alerts, the publishers' own feeds and GDELT "
            "give much the same without this restriction."
        ),
    )
    base: ClassVar[str] = "https://news.google.com"
    abilities: ClassVar[Abilities] = Abilities(
        any_of="groups", brackets=("", ""), excludes=True, excerpt=True,
        tells=frozenset({"title", "lang"}), own=r"\bsite:",
    )

    @classmethod
    def part(cls, text: str) -> slice | None:
        """All but the edition."""
        found = _EDITION.match(text)
        return slice(0, found.end(1)) if found else super().part(text)

    @classmethod
    def understood(cls, text: str) -> tuple[str, Edition]:
        """The words and the edition. Raises Refused."""
        return read_search(text)

    def _asked(self, query: Query, validators: Mapping[str, str]) -> Answer:
        (text,) = self.asked(query.text).searches
        words, edition = read_search(text)
        params = {"q": words, "hl": edition.hl, "gl": edition.gl, "ceid": f"{edition.gl}:{edition.named}"}
        return self._web.get(self._url("/rss/search"), params=params, validators=validators, verdict=self._verdict)

    def _verdict(self, answer: Answer) -> SourceError | None:
        page = answer.status == 200 and "html" in answer.headers.get("content-type", "")
        return TryLater(
            "{host} answers with a web page in place of its feed: it wants a consent or takes us for a robot. The "
            "watch goes on by itself; if it stays so, use a Google Alert.",
            host=answer.host,
        ) if page else None

    def _mention(self, item: Item, entry: Entry, first_seen: FirstSeen) -> Mention:
        return to_mention(item, entry, first_seen)


def read_search(text: str) -> tuple[str, Edition]:
    """The words and the edition in a query's text. Raises Refused where there are no words, or no such edition."""
    found = _EDITION.match(text.strip())
    words, code = (found[1].strip(), found[2].lower()) if found else (text.strip(), DEFAULT)
    if not words:
        raise Refused("There is nothing to search for. Write words and an edition, such as: {example}",
                      example="lumbre @mx")
    if code not in EDITIONS:
        raise Refused("Google News has no edition {edition} that we know. Choose one of: {known}.", edition=f"@{code}",
                      known=", ".join(f"@{name}" for name in EDITIONS))
    return words, EDITIONS[code]


def to_mention(item: Item, entry: Entry, first_seen: FirstSeen) -> Mention:
    """Map an article: its guid is the id, its publisher the author.

    The description is left out: it repeats the headline and lists articles of others.
    """
    guid = str(entry.get("id") or "").strip()
    known = replace(item, id=guid or item.id, text="")
    return replace(rss.to_mention(known, entry, first_seen), source="google-news", author=publisher(entry))


def publisher(entry: Entry) -> Author | None:
    """Who published an article: the site's name and address, as the feed tells them."""
    source = entry.get("source") or {}
    name, site = source.get("title"), source.get("href")
    if not name:
        return None
    return Author(id=urlsplit(site or "").hostname or name, handle=name, name=name, url=site or None)
