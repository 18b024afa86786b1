"""Freshdesk: what customers write to your support, and how they rate the help they got."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from collectors.bookmark import bookmark
from collectors.dates import read_moment
from collectors.helpdesk import account, author_of, signed
from collectors.http import Answer
from collectors.online import OnlineSource, list_of, moments_of
from collectors.plain import plain
from collectors.walk import RUN_STEPS, Bounds, Place, Stretch, moment, oldest_first
from escucha.brand import Query
from escucha.errors import Refused, SourceError
from escucha.mention import Mention
from escucha.note import Note
from escucha.source import Credential, Cursor, Page, SourceFacts, Span

LIMIT = 50
"""Tickets a page, of 100 allowed: with their descriptions a page grows large."""
DEEPEST = 300
"""Pages of one listing that Freshdesk shows."""
BOUNDS = Bounds(first=timedelta(days=30), overlap=timedelta(hours=1))
GONE_BOUNDS = Bounds(first=timedelta(days=2), overlap=timedelta(days=2))
GONE = ("deleted", "spam")
"""Listings of tickets that the listing of tickets leaves out."""
OUTBOUND = 10
"""The source of a ticket that an agent wrote to a customer."""
CHANNELS = {
    1: "email", 2: "portal", 3: "phone", 4: "forum", 5: "twitter", 6: "facebook", 7: "chat", 8: "mobile",
    9: "feedback widget", 11: "ecommerce", 12: "bot", 13: "whatsapp",
}  # fmt: skip
SCORES = {103: 5.0, 102: 4.5, 101: 4.0, 100: 3.0, -101: 2.0, -102: 1.5, -103: 1.0}
"""Freshdesk's seven faces, from extremely happy to extremely unhappy, on 1 to 5."""


class FreshdeskSource(OnlineSource):
    """Reads tickets by their last change, oldest first, each request from the newest change read before."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="freshdesk",
        title="Freshdesk",
        own=True,
        query_hint="lumbre.freshdesk.com",
        query_about=Note("The address of your help desk."),
        access="own key",
        needs=Note(
            "Your own Freshdesk and the API key of an agent who sees all tickets (Profile settings). No cost of its "
            "own; the requests a minute depend on your plan, and each counts for up to seven."
        ),
        keeps=Note(
            "Your customers' private messages: limit who may see the brand. E-mail addresses and telephone numbers are "
            "never kept; tickets deleted there or marked as spam are removed here."
        ),
        blind=Note("Replies after the first message, and tickets that your own agents open."),
        reach=Note("All tickets that the agent sees; a first reading goes back 30 days."),
        needs_credentials=(Credential(name="api_key", about=Note("The API key of an agent who sees all tickets.")),),
        fastest=300,
    )

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Tickets that came or changed since the cursor; then ratings. The first page tells which tickets are gone."""
        desk = account(query.text, "freshdesk.com")
        listing = _Listing(self, self._keys.get("base_url") or f"https://{desk}.freshdesk.com", self._clock.now())
        notes = self._notes(query, cursor)
        gone, kept = listing.gone(notes)
        covers = None
        for step in oldest_first(notes.get("tickets", {}), listing.tickets, BOUNDS, listing.now, query.since):
            kept, covers = {**notes, **kept, "tickets": step.notes}, step.covers
            yield self._page(
                query, step.items, lambda item: to_mention(item, desk), item_name, bookmark(query, **_own(kept)),
                more=step.more, doubt=self._doubt() if step.empty else None, gone=gone,
            )
            gone = ()
            if step.more:
                return
        yield from self._rated(query, listing, kept, desk, covers)

    def _rated(
        self, query: Query, listing: _Listing, kept: Mapping[str, Any], desk: str, covers: Span | None
    ) -> Iterator[Page]:
        for part in listing.ratings(kept.get("ratings", {}), query.since):
            yield self._page(
                query, part.items, lambda item: to_survey(item, desk), item_name,
                bookmark(query, **_own({**kept, "ratings": part.notes})), more=part.more,
                covers=covers if part.whole else None,
            )

    def listed(self, address: str, params: Mapping[str, str]) -> list[Any]:
        """One page of a listing."""
        key = b64encode(f"{self._key('api_key').strip()}:X".encode()).decode()
        return list_of(self._get(address, params, headers={"Authorization": f"Basic {key}"}))

    def _verdict(self, answer: Answer) -> SourceError | None:
        if answer.status == 401:
            return Refused(
                "{host} did not accept the API key. Copy it again from the agent's profile settings and resume the "
                "watch.",
                host=answer.host, status=401,
            )
        if answer.status == 403:
            return Refused(
                "{host} does not let this agent read tickets. Use the API key of an agent who sees all tickets, and "
                "check that the account is active.",
                host=answer.host, status=403,
            )
        if answer.status == 404:
            return Refused("There is no help desk at {host}. Check the address.", host=answer.host, status=404)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """A page of ratings and the notes to save with it.

    `more` says that the run's bound is hit, `whole` that with this page all ratings are read that there are to read.
    """

    items: Sequence[Any]
    notes: Mapping[str, Any]
    more: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class _Listing:
    """The listings of one help desk, at `base`, which `source` asks."""

    source: FreshdeskSource
    base: str
    now: datetime

    def tickets(self, place: Place) -> Stretch:
        """Tickets changed at or after a moment, with their texts and customers."""
        return self._stretch(place, {"include": "description,requester,stats"})

    def gone(self, notes: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
        """The tickets deleted or marked as spam since the notes, and the notes to keep when that is saved."""
        found: list[str] = []
        kept: dict[str, Any] = {}
        for name in GONE:
            def ask(place: Place, name: str = name) -> Stretch:
                return self._stretch(place, {"filter": name})

            for step in oldest_first(notes.get(name, {}), ask, GONE_BOUNDS, self.now):
                found += [str(item["id"]) for item in step.items if isinstance(item, dict) and item.get("id")]
                kept[name] = step.notes
        return tuple(found), kept

    def _stretch(self, place: Place, params: Mapping[str, str]) -> Stretch:
        page = int(place.token or 1)
        since = place.since - timedelta(seconds=1)  # whether its second is included is not documented
        asked = {
            **params, "updated_since": _stamp(since), "order_by": "updated_at", "order_type": "asc",
            "per_page": str(LIMIT),
        }  # fmt: skip
        items = self._page(asked, page)
        more = len(items) >= LIMIT and page < DEEPEST
        if page > 1:  # one moment fills pages: where a ticket of it changed meanwhile, another slipped a page back
            items = [*self._page(asked, page - 1), *items]
        return Stretch(
            items=[ready(item) for item in items], times=moments_of(items, changed),
            token=str(page + 1) if more else None,
        )

    def _page(self, asked: Mapping[str, str], page: int) -> list[Any]:
        return self.source.listed(f"{self.base}/api/v2/tickets", {**asked, "page": str(page)})

    def ratings(self, notes: Mapping[str, Any], since: datetime | None) -> Iterator[Ratings]:
        """Ratings given since the notes, page by page.

        Their order is not documented, so the notes move only when all pages are read.
        """
        known, newest = moment(notes.get("known")), moment(notes.get("newest"))
        start = known - BOUNDS.overlap if known else since or self.now - BOUNDS.first
        page = notes.get("page", 1)
        for number in range(1, RUN_STEPS + 1):
            items = self._rating_page(start, page)
            if items is None:  # the notes stay where they are, so that nothing is lost where it was for a moment only
                yield Ratings(items=(), notes=notes, whole="known" not in notes)
                return
            newest = max([*moments_of(items, given), *([newest] if newest else [])], default=None)
            if len(items) < LIMIT or page >= DEEPEST:
                known = newest or known
                kept: Mapping[str, Any] = {"known": known.isoformat() if known else None}
                yield Ratings(items=[ready(item) for item in items], notes=kept, whole=True)
                return
            page += 1
            notes = {"known": notes.get("known"), "newest": newest.isoformat() if newest else None, "page": page}
            yield Ratings(items=[ready(item) for item in items], notes=notes, more=number == RUN_STEPS)

    def _rating_page(self, start: datetime, page: int) -> list[Any] | None:
        """A page of ratings; None where the plan has no surveys, or the agent may not see them."""
        try:
            return self.source.listed(f"{self.base}/api/v2/surveys/satisfaction_ratings", {
                "created_since": _stamp(start), "per_page": str(LIMIT), "page": str(page),
            })  # fmt: skip
        except Refused as error:
            if error.details.get("status") in (403, 404):
                return None  # the tickets were read all the same
            raise


def _own(notes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in notes.items() if name != "query"}


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ready(item: Any) -> Any:
    """A ticket or rating as it may be kept: its customer a pseudonym, and no address left."""
    if not isinstance(item, dict):
        return item
    person = item.get("requester")
    rest = {name: value for name, value in item.items() if name != "requester"}
    return signed("freshdesk", rest, person, item.get("requester_id") or item.get("user_id"))


def changed(ticket: Any) -> datetime:
    """The moment by which tickets are ordered."""
    return read_moment(ticket["updated_at"], UTC)


def given(rating: Any) -> datetime:
    """When a rating was given."""
    return read_moment(rating["created_at"], UTC)


def item_name(item: Any) -> str:
    """How a refused ticket or rating is named to a person."""
    return f"item {item.get('id')}" if isinstance(item, dict) else "item"


def to_mention(ticket: dict[str, Any], desk: str) -> Mention | None:
    """Map a ticket that is ready to be kept: its first message. Those of agents, deleted ones and spam are left out."""
    if ticket.get("deleted") or ticket.get("spam") or ticket.get("source") == OUTBOUND:
        return None
    identity = ticket["id"]
    return Mention(
        source="freshdesk",
        source_id=str(identity),
        kind="message",
        title=ticket.get("subject"),
        text=ticket.get("description_text") or plain(ticket.get("description") or ""),
        url=f"https://{desk}.freshdesk.com/a/tickets/{identity}",
        created_at=read_moment(ticket["created_at"], UTC),
        author=author_of(ticket),
        place=CHANNELS.get(ticket.get("source") or 0),
        raw=ticket,
    )


def to_survey(rating: dict[str, Any], desk: str) -> Mention | None:
    """Map a satisfaction rating: what a customer said of the help they got. One without a known face is left out."""
    score = SCORES.get((rating.get("ratings") or {}).get("default_question") or 0)
    if score is None:
        return None
    return Mention(
        source="freshdesk",
        source_id=f"rating:{rating['id']}",
        kind="survey",
        text=plain(rating.get("feedback") or ""),
        url=f"https://{desk}.freshdesk.com/a/tickets/{rating['ticket_id']}",
        created_at=given(rating),
        author=author_of(rating),
        rating=score,
        parent_id=str(rating["ticket_id"]),
        raw={**rating, "csat": True},
    )
