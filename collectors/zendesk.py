"""Zendesk: what customers write to your support, ticket by ticket."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from collectors.dates import read_moment
from collectors.helpdesk import account, author_of, signed
from collectors.http import Answer
from collectors.online import OnlineSource, list_of, moments_of, object_of
from collectors.walk import RUN_STEPS, Step, moment
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Mention
from escucha.note import Note
from escucha.source import Credential, Cursor, Page, SourceFacts, Span

LIMIT = 100
PACE = 6.0
"""Seconds between requests: the export allows 10 a minute."""
FIRST = timedelta(days=30)
OVERLAP = timedelta(hours=1)
LATEST = timedelta(minutes=2)
"""The export leaves out the last minute, and refuses to start in it."""
SCORES = {"good": 5.0, "bad": 1.0}
STAFF = ("agent", "admin")


class ZendeskSource(OnlineSource):
    """Reads the incremental export, oldest change first: each answer has a mark from which the next goes on."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="zendesk",
        title="Zendesk",
        own=True,
        query_hint="lumbre.zendesk.com",
        query_about=Note("The address of your help desk."),
        access="own key",
        needs=Note(
            "Your own Zendesk Support and an API token of an administrator (Admin Center, Apps and integrations, "
            "APIs). No cost of its own; 10 requests a minute."
        ),
        keeps=Note(
            "Your customers' private messages: limit who may see the brand. E-mail addresses and telephone numbers are "
            "never kept; tickets deleted there are removed here."
        ),
        blind=Note(
            "Replies after the first message, tickets that your own agents open, chats that became no ticket, and "
            "the last two minutes."
        ),
        reach=Note("All tickets of the account; a first reading goes back 30 days."),
        needs_credentials=(
            Credential(name="token", about=Note("An API token of an administrator, or an OAuth access token.")),
            Credential(
                name="email", secret=False, optional=True,
                about=Note("The e-mail of the administrator; leave it empty if the token is an OAuth access token."),
            ),
        ),
        fastest=300,
    )

    def _pace(self) -> float:
        return PACE

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Tickets that came or changed since the cursor. Deleted ones are told as gone."""
        desk = account(query.text, "zendesk.com")
        base = self._keys.get("base_url") or f"https://{desk}.zendesk.com"
        export = _Export(self, base, self._clock.now())
        steps = export.steps(self._notes(query, cursor), query.since)
        return self._walked(query, steps, to_mention, ticket_name, gone=deleted)

    def exported(self, base: str, place: Mapping[str, str]) -> Mapping[str, Any]:
        """One answer of the export. Raises Refused for a mark that is not valid any more."""
        answer = self._get(
            f"{base}/api/v2/incremental/tickets/cursor.json",
            {**place, "include": "users", "per_page": str(LIMIT)}, headers=self._signature(),
        )
        return object_of(answer)

    def _signature(self) -> dict[str, str]:
        token, email = self._key("token").strip(), self._keys.get("email", "").strip()
        if not email:
            return {"Authorization": f"Bearer {token}"}
        return {"Authorization": f"Basic {b64encode(f'{email}/token:{token}'.encode()).decode()}"}

    def _verdict(self, answer: Answer) -> SourceError | None:
        if answer.status == 401:
            return Refused(
                "{host} did not accept the token. Check the e-mail and the token, and that token access is switched on "
                "in the Admin Center; then resume the watch.",
                host=answer.host, status=401,
            )
        if answer.status == 403:
            return Refused(
                "{host} lets only administrators export tickets. Enter the token of an administrator and resume the "
                "watch.",
                host=answer.host, status=403,
            )
        if answer.status == 404:
            return Refused("There is no help desk at {host}. Check the address.", host=answer.host, status=404)
        if answer.status == 422:
            return TryLater(
                "{host} asks us to wait until the newest changes are a minute old. Nothing is lost: the watch goes on "
                "by itself.",
                after=LATEST.total_seconds(), host=answer.host,
            )
        return None


@dataclass(frozen=True, slots=True)
class _Export:
    """A walk up the export: `source` asks, at `base`, from `now` on backwards."""

    source: ZendeskSource
    base: str
    now: datetime

    def steps(self, notes: Mapping[str, Any], since: datetime | None) -> Iterator[Step]:
        """The steps of one run. Their notes hold the upstream's mark, and how far it had come (should it expire)."""
        mark, upto = notes.get("mark"), moment(notes.get("upto"))
        begun = upto - OVERLAP if upto else since or self.now - FIRST
        start = {"start_time": str(int(min(begun, self.now - LATEST).timestamp()))}
        for number in range(1, RUN_STEPS + 1):
            answer = self._asked({"cursor": mark} if mark else start, start if number == 1 else None)
            items = ready(answer)
            told = [max(time, begun) for time in moments_of(items, changed)]
            upto = max([*told, *([upto] if upto else [])], default=None)
            before, mark = mark, answer.get("after_cursor") or mark
            last = bool(answer.get("end_of_stream"))
            if not last and mark == before:
                raise TryLater("The source leads round in circles. Nothing is lost: the watch goes on by itself.")
            kept = {"mark": mark, "upto": upto.isoformat() if upto else None}
            covers = Span(min(begun, self.now - LATEST), self.now - LATEST) if last else None
            yield Step(items=items, notes=kept, covers=covers, more=not last and number == RUN_STEPS)
            if last:
                return

    def _asked(self, place: Mapping[str, str], otherwise: Mapping[str, str] | None) -> Mapping[str, Any]:
        try:
            return self.source.exported(self.base, place)
        except Refused as error:
            if "cursor" not in place or otherwise is None or error.details.get("status") not in (400, 404):
                raise
            return self.source.exported(self.base, otherwise)  # the mark of an earlier run is not valid any more


def ready(answer: Mapping[str, Any]) -> list[Any]:
    """The tickets of an answer as they may be kept, each with its customer from the users that came along."""
    users = {user.get("id"): user for user in list_of(answer, "users")
             if isinstance(user, dict) and isinstance(user.get("id"), int)}
    return [_signed(ticket, users) for ticket in list_of(answer, "tickets")]


def _signed(ticket: Any, users: Mapping[Any, Any]) -> Any:
    requester = ticket.get("requester_id") if isinstance(ticket, dict) else None
    return signed("zendesk", ticket, users.get(requester) if isinstance(requester, int) else None, requester)


def changed(ticket: Any) -> datetime:
    """The moment by which the export is ordered: when Zendesk wrote the ticket last, for whatever reason."""
    stamp = ticket.get("generated_timestamp")
    return datetime.fromtimestamp(stamp, UTC) if stamp else read_moment(ticket["updated_at"], UTC)


def deleted(step: Step) -> tuple[str, ...]:
    """The tickets that Zendesk says are deleted."""
    return tuple(str(ticket["id"]) for ticket in step.items if _is_deleted(ticket) and ticket.get("id"))


def _is_deleted(ticket: Any) -> bool:
    return isinstance(ticket, dict) and ticket.get("status") == "deleted"


def ticket_name(ticket: Any) -> str:
    """How a refused ticket is named to a person."""
    return f"ticket {ticket.get('id')}" if isinstance(ticket, dict) else "ticket"


def to_mention(ticket: dict[str, Any]) -> Mention | None:
    """Map a ticket that is ready to be kept: its first message. Deleted ones and those of agents are left out.

    The satisfaction score is no stars: good counts as 5 and bad as 1, and the raw form is marked `csat`. What the
    customer wrote with it follows the message.
    """
    if _is_deleted(ticket) or ticket["customer"]["role"] in STAFF:
        return None
    survey = ticket.get("satisfaction_rating") or {}
    rating = SCORES.get(str(survey.get("score")))
    remark = (survey.get("comment") or "") if rating else ""
    identity = ticket["id"]
    site = urlsplit(ticket.get("url") or "")
    return Mention(
        source="zendesk",
        source_id=str(identity),
        kind="message",
        title=ticket.get("subject") or ticket.get("raw_subject"),
        text=f"{ticket.get('description') or ''}\n\n{remark}".strip(),
        url=f"https://{site.hostname}/agent/tickets/{identity}" if site.hostname else None,
        created_at=read_moment(ticket["created_at"], UTC),
        author=author_of(ticket),
        rating=rating,
        place=(ticket.get("via") or {}).get("channel"),
        raw={**ticket, "csat": True} if rating else ticket,
    )
