"""Intercom: the conversations that customers begin with you, on whatever channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from collectors.helpdesk import author_of, signed
from collectors.http import Answer
from collectors.online import OnlineSource, list_of, moments_of, object_of
from collectors.plain import plain
from collectors.walk import Bounds, Place, Step, Stretch, newest_first
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Page, SourceFacts

VERSION = "2.15"
LIMIT = 50
"""Conversations a page, of 150 allowed: some bring long first messages."""
BOUNDS = Bounds(first=timedelta(days=30), overlap=timedelta(hours=1))
ROUNDED = timedelta(days=1)
"""Intercom takes some dates as whole days, so that much more is asked for; the walk ends by the exact times."""
REGIONS = {
    "us": "https://api.intercom.io", "eu": "https://api.eu.intercom.io", "au": "https://api.au.intercom.io",
}  # fmt: skip
CHANNELS = frozenset({
    "conversation", "email", "facebook", "instagram", "phone_call", "phone_switch", "push", "sms", "twitter",
    "whatsapp",
})  # fmt: skip
CUSTOMERS = ("user", "lead", "contact", "visitor")
MISSING = ("not_found", "conversation_not_found", "resource_not_found")


class IntercomSource(OnlineSource):
    """Searches conversations by their last change, newest first; each page's mark leads to the next."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="intercom",
        title="Intercom",
        own=True,
        query_hint="all",
        query_about=Note("all for every channel, or some of them: whatsapp, email."),
        access="own key",
        needs=Note(
            "Your own Intercom and an access token of an app of yours (Developer Hub) that may read conversations. No "
            "cost of its own."
        ),
        keeps=Note(
            "Your customers' private messages: limit who may see the brand. E-mail addresses and telephone numbers are "
            "never kept; conversations deleted or redacted there are removed here."
        ),
        blind=Note(
            "Replies after the first message, conversations that your team or a bot begins, and the words of messages "
            "from X, which Intercom hides."
        ),
        reach=Note("All conversations of the workspace; a first reading goes back 30 days."),
        needs_credentials=(
            Credential(name="access_token", about=Note("An access token that may read conversations.")),
            Credential(
                name="region", secret=False, optional=True,
                about=Note("Where your workspace is hosted: us, eu or au. Empty means us."),
            ),
        ),
        recheck_days=30,
        fastest=300,
    )

    @property
    def _base(self) -> str:
        region = self._keys.get("region", "").strip().lower() or "us"
        if region not in REGIONS:
            raise Refused("There is no Intercom region {region}. Write us, eu or au.", region=region)
        return (self._keys.get("base_url") or REGIONS[region]).rstrip("/")

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Conversations that came or changed since the cursor. Those whose first message was redacted are gone."""
        channels = read_channels(query.text)

        def read(item: Any) -> Mention | None:
            mention = to_mention(item)
            return mention if mention and (not channels or mention.place in channels) else None

        steps = newest_first(self._notes(query, cursor), self._stretch, BOUNDS, self._clock.now(), query.since)
        return self._walked(query, steps, read, conversation_name, gone=redacted)

    def _stretch(self, place: Place) -> Stretch:
        since = int((place.since - ROUNDED).timestamp())
        pagination = {"per_page": LIMIT, **({"starting_after": place.token} if place.token else {})}
        answer = object_of(self._post("/conversations/search", {
            "query": {"operator": "AND", "value": [{"field": "updated_at", "operator": ">", "value": since}]},
            "sort": {"field": "updated_at", "order": "descending"}, "pagination": pagination,
        }, headers=self._headers()))  # fmt: skip
        items = list_of(answer, "conversations")
        following = object_of(object_of(answer.get("pages") or {}).get("next") or {})
        return Stretch(
            items=[ready(item) for item in items], times=moments_of(items, changed),
            token=following.get("starting_after") if items else None,
        )

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for each conversation: what Intercom does not find, or has redacted, is gone."""
        gone = set()
        for mention in mentions:
            try:
                answer = self._get(f"/conversations/{mention.source_id}", headers=self._headers())
            except Refused as error:
                if not error.details.get("missing"):
                    raise
                gone.add(mention.source_id)
            else:
                same = str(object_of(answer).get("id")) == mention.source_id
                gone |= {mention.source_id} if same and is_redacted(answer) else set()
        return Checked(gone=frozenset(gone))

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._key('access_token').strip()}", "Accept": "application/json",
            "Intercom-Version": VERSION,
        }  # fmt: skip

    def _verdict(self, answer: Answer) -> SourceError | None:
        if answer.status == 429:
            return self._patience(answer)
        if answer.status == 401:
            return Refused(
                "{host} did not accept the access token. Check it, and the region of your workspace (us, eu or au); "
                "then resume the watch.",
                host=answer.host, status=401,
            )
        if answer.status == 403:
            return Refused(
                "{host} does not let this access token read conversations. Give its app the permission to read "
                "conversations, and resume the watch.",
                host=answer.host, status=403,
            )
        if answer.status == 404 and code_of(answer) in MISSING:
            return Refused("{host} has no such conversation.", host=answer.host, status=404, missing=True)
        return None

    def _patience(self, answer: Answer) -> SourceError | None:
        """Intercom tells the moment (seconds since 1970) where it sends no Retry-After."""
        reset = answer.headers.get("x-ratelimit-reset", "")
        if "retry-after" in answer.headers or not reset.isdigit():
            return None
        wait = min(max(int(reset) - self._clock.now().timestamp(), 0.0), 3600.0)
        return TryLater(
            "{host} asks us to slow down. Nothing is lost: the watch goes on by itself.", after=wait, host=answer.host
        )


def code_of(answer: Answer) -> str:
    """The code of Intercom's own error, or nothing."""
    try:
        errors = list_of(answer.json(), "errors")
    except SourceError:
        return ""
    return str(errors[0].get("code") or "") if errors and isinstance(errors[0], dict) else ""


def read_channels(text: str) -> frozenset[str]:
    """The channels of a query such as `whatsapp, email`; none for `all`. Raises Refused for any other."""
    named = frozenset(text.replace(",", " ").lower().split())
    if named == {"all"}:
        return frozenset()
    if not named or not named <= CHANNELS:
        raise Refused(
            "Write all, or the channels to read: whatsapp, email. The channels are: {channels}.",
            channels=", ".join(sorted(CHANNELS)),
        )
    return named


def ready(item: Any) -> Any:
    """A conversation as it may be kept: its customer a pseudonym, and no address left."""
    if not isinstance(item, dict) or not isinstance(item.get("source"), Mapping):
        return signed("intercom", item, None, None)
    author = item["source"].get("author")
    known = author if isinstance(author, dict) else {}
    # The url is the page where the customer was: its address may hold their keys.
    source = {name: value for name, value in item["source"].items() if name not in ("author", "url")}
    return signed("intercom", {**item, "source": source}, known, known.get("id"))


def changed(item: Any) -> datetime:
    """The moment by which the search is ordered."""
    return datetime.fromtimestamp(item["updated_at"], UTC)


def is_redacted(item: Any) -> bool:
    """Whether the first message was taken back: then our copy goes too."""
    source = item.get("source") if isinstance(item, dict) else None
    return isinstance(source, Mapping) and source.get("redacted") is True


def redacted(step: Step) -> tuple[str, ...]:
    """The conversations whose first message was redacted."""
    return tuple(str(item["id"]) for item in step.items if is_redacted(item) and item.get("id"))


def conversation_name(item: Any) -> str:
    """How a refused conversation is named to a person."""
    return f"conversation {item.get('id')}" if isinstance(item, dict) else "conversation"


def to_mention(item: dict[str, Any]) -> Mention | None:
    """Map a conversation that is ready to be kept: its first message.

    What a teammate or a bot began is left out, and so is what was redacted. A rating is of the help, not the product:
    the raw form is marked `csat`, and what the customer wrote with it follows the message.
    """
    source, begun = item["source"], datetime.fromtimestamp(item["created_at"], UTC)
    if item["customer"]["role"] not in CUSTOMERS or is_redacted(item):
        return None
    survey = item.get("conversation_rating") or {}
    rating = survey.get("rating")
    remark = survey.get("remark") or ""
    return Mention(
        source="intercom",
        source_id=str(item["id"]),
        kind="message",
        title=plain(source.get("subject") or item.get("title") or "") or None,
        text=f"{plain(source.get('body') or '')}\n\n{remark}".strip(),
        created_at=begun,
        author=author_of(item),
        rating=float(rating) if rating else None,
        place=source.get("type"),
        raw={**item, "csat": True} if rating else item,
    )
