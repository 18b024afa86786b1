"""Reviews on web pages: of your own shop, of a product or a partner, as they are marked up for search engines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit

from collectors.bookmark import bookmark
from collectors.http import Answer
from collectors.markup import read_markup
from collectors.online import OnlineSource
from collectors.review import Item, items_of, review_name, to_mention
from collectors.robots import Robots, read_robots
from collectors.rss import FirstSeen
from escucha.brand import Query
from escucha.errors import Refused
from escucha.mention import Mention
from escucha.note import Note
from escucha.source import Cursor, Page, SourceFacts

RUN_PAGES = 10
MOST_PAGES = 50
"""Pages that one watch follows (`rel="next"`); all of them are asked again each time, most answer "not changed"."""
MOST_UNDATED = 1000


class SchemaOrgSource(OnlineSource):
    """Reads the reviews that a page marks up, and follows it to its next pages. Obeys robots.txt."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="schema-org",
        title="Reviews on web pages",
        own=True,
        query_hint="https://tienda.example/cafe-molido/opiniones",
        query_about=Note("The address of a page that shows reviews: of your own shop, a product, or a partner."),
        needs=Note(
            "Nothing: no key, no cost. The page must carry its reviews in schema.org form, as shops do for search "
            "engines. Read only pages whose owner and terms allow it; robots.txt is obeyed."
        ),
        keeps=Note("What the terms of the site allow. On your own site that is up to you and your privacy notice."),
        blind=Note(
            "Reviews that the page loads later by script or marks up in no known form, pages behind a login, "
            "deletions, and followers."
        ),
        reach=Note("The reviews that the page and its next pages show, up to 50 pages."),
        fastest=3600,
    )

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """All pages again, those that changed with their reviews. A cut run goes on at the page that it had come to.

        Raises:
            Refused: robots.txt forbids the page, or it has no reviews in a known form.
        """
        notes = self._notes(query, cursor)
        tour = _Tour.begun(address_of(query.text), notes)
        robots = self._robots(tour.address)
        # A tour that ended at our own bound goes on; of one that broke off, the rest is read and then all once more.
        tours = notes.get("tours") or (2 if tour.read else 1)
        for number in range(1, RUN_PAGES + 1):
            if number > 1:
                self._clock.sleep(robots.delay)
            page = self._visit(query, tour, robots)
            tours -= tour.move()
            more = bool(tours) and number == RUN_PAGES
            left = {"tours": tours} if more else {}
            yield replace(page, cursor=bookmark(query, **tour.notes(), **left), more=more)
            if not tours:
                return

    def _robots(self, address: str) -> Robots:
        """What the site asks of robots; a site without such a file asks nothing."""
        try:
            return read_robots(self._web.get(self._at(urljoin(address, "/robots.txt"))).body)
        except Refused as error:
            if error.details.get("status") in (None, 401, 403):
                raise
            return Robots()

    def _visit(self, query: Query, tour: _Tour, robots: Robots) -> Page:
        try:
            answer = self._asked(tour, robots)
        except Refused as error:
            if tour.read and error.details.get("status") in (None, 404, 410):
                tour.known.pop(tour.at, None)  # a page that is not to be read ends the tour, not the watch
                return Page()
            raise
        if answer.unchanged:
            return Page()
        markup = read_markup(answer.body, answer.headers.get("content-type", ""), self._final(answer, tour.at))
        items = items_of(markup, tour.at)
        if not (tour.seen or items or markup.linked or markup.micro):
            raise _bare(tour.host)
        first_seen = FirstSeen(tour.undated, self._clock.now())
        page = self._page(query, items, lambda item: self._since(query, item, tour, first_seen), review_name, None)
        doubt = self._doubt() if tour.seen and not items and tour.at == tour.address else None
        tour.learn(answer.validators, markup.next, first_seen.times, bool(items))
        return replace(page, doubt=doubt)

    def _asked(self, tour: _Tour, robots: Robots) -> Answer:
        if not robots.allows(tour.at):
            raise Refused(
                "{host} asks programs not to read this page (robots.txt), so it is not read. Watch another page, or "
                "ask its owner.",
                host=tour.host,
            )
        return self._web.get(self._at(tour.at), validators=tour.validators)

    @staticmethod
    def _since(query: Query, item: Item, tour: _Tour, first_seen: FirstSeen) -> Mention | None:
        mention = to_mention(item, tour.address, first_seen)
        return mention if query.since is None or mention.created_at >= query.since else None

    def _at(self, url: str) -> str:
        """The address to ask: the key `base_url` takes the place of any host."""
        base = self._keys.get("base_url", "").rstrip("/")
        return base + urlsplit(url)._replace(scheme="", netloc="").geturl() if base else url

    def _final(self, answer: Answer, url: str) -> str:
        """Where the page really lies, for the addresses in it."""
        return url if self._keys.get("base_url") else answer.url


@dataclass(kw_only=True)
class _Tour:
    """How far a reading of a page and its next pages has come.

    `known` holds for each page its validators and the page that follows it; `read` the pages of this tour, in order.
    """

    address: str
    at: str
    known: dict[str, dict[str, Any]]
    read: list[str]
    undated: dict[str, str]
    seen: bool

    @staticmethod
    def begun(address: str, notes: Mapping[str, Any]) -> _Tour:
        """A new tour, or the one that a run left unfinished."""
        return _Tour(
            address=address, at=notes.get("at") or address, known=dict(notes.get("pages", {})),
            read=list(notes.get("read", [])), undated=dict(notes.get("undated", {})), seen=bool(notes.get("seen")),
        )

    @property
    def host(self) -> str:
        return urlsplit(self.address).hostname or ""

    @property
    def validators(self) -> dict[str, str]:
        found: dict[str, str] = self.known.get(self.at, {}).get("validators", {})
        return found

    def learn(self, validators: dict[str, str], following: str | None, undated: dict[str, str], found: bool) -> None:
        """What a page that had changed told."""
        self.known[self.at] = {"validators": validators, "next": following}
        kept = sorted({**self.undated, **undated}.items(), key=lambda entry: entry[1])
        self.undated = dict(kept[-MOST_UNDATED:])
        self.seen = self.seen or found

    def move(self) -> bool:
        """On to the next page. True where this was the last: there is none, it leads back, or it is enough."""
        following = self.known.get(self.at, {}).get("next")
        self.read.append(self.at)
        if not following or following in self.read or len(self.read) >= MOST_PAGES:
            self.known = {url: self.known[url] for url in self.read if url in self.known}
            self.at, self.read = self.address, []
            return True
        self.at = following
        return False

    def notes(self) -> dict[str, Any]:
        """What the next run needs."""
        place = {"at": self.at, "read": self.read} if self.read else {}
        return {"pages": self.known, "undated": self.undated, "seen": self.seen, **place}


def _bare(host: str) -> Refused:
    return Refused(
        "This page of {host} has no reviews in schema.org form (JSON-LD or microdata). Watch the page that shows the "
        "reviews themselves, or bring them in with a file.",
        host=host,
    )


def address_of(text: str) -> str:
    """The page that a query names, without a fragment.

    Raises:
        Refused: it is no web address.
    """
    address = text.strip().partition("#")[0]
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or re.search(r"\s", address):
        raise Refused(
            "This is no address of a web page. Write one like https://tienda.example/cafe-molido/opiniones."
        )
    return address
