"""What a source of mentions promises: pages of mentions, and a cursor that is safe to go on from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

from escucha.note import Note

if TYPE_CHECKING:
    from escucha.brand import Query
    from escucha.errors import EscuchaError
    from escucha.mention import Author, Mention
    from escucha.query import tree

Cursor = Mapping[str, Any]
"""A small JSON mapping that only the source that wrote it reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One item that was not taken: where it stood (a line number, an id), why, and its raw form."""

    where: str
    why: EscuchaError
    raw: Any = None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, aware, both ends included."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Mentions that were read together.

    `cursor` is where to go on once these are saved; None means it is not safe to move yet. `refusals` are the items
    that could not be read, each with its reason; `passed` counts those that were read and left out on purpose (not
    about the brand, not public). `gone` are the ids (`source_id`) of items that the source says are deleted.
    `covers` is the time of which everything is read once this page is saved. `more` says that the run stopped at its
    own bound and goes on at once. `doubt` is an answer that may hide a block, such as an empty list where there were
    items before: nothing is concluded from it. `cost` is what the page cost, in US dollars.
    """

    mentions: tuple[Mention, ...] = ()
    cursor: Cursor | None = None
    refusals: tuple[Refusal, ...] = ()
    passed: int = 0
    gone: tuple[str, ...] = ()
    covers: Span | None = None
    more: bool = False
    doubt: EscuchaError | None = None
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What an upstream said of its own limit: `remaining` of `limit` (in its `unit`) until `resets_at`."""

    limit: int | None = None
    remaining: int | None = None
    resets_at: datetime | None = None
    unit: str = "requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Something a person must give before a source answers: its `name` (`api_key`) and what it is, for the form.

    A `secret` is kept encrypted and never shown again; what is `optional` may be left empty. One that `leads` says to
    which server the secret ones are sent: they go where it said when they were entered, and nowhere else.
    """

    name: str
    about: Note
    secret: bool = True
    optional: bool = False
    leads: bool = False


FollowersInAnswer = Literal["yes", "second call", "never"]
Access = Literal["open", "own key", "approval", "paid"]
"""What stands between a user and the source: nothing, a key anyone gets, somebody's approval, or money."""


NOT_SAID = Note("Not stated.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What a source declares about itself, shown to the user before they choose it.

    `title` is its proper name; `recorded_as` the `source` of its mentions, where that is another than its name.
    `query_hint` is an example of what goes into a query's text; `query_about` says what it is. `searches` says whether
    the upstream filters by it (else the collector matches `Query.terms` locally; see `Searches`); what comes from an
    `own` place, such as the brand's inbox or its reviews, is about the brand without naming it.
    `needs`, `keeps` and `blind` are sentences: what it needs and costs, what may be stored, what it cannot see;
    `reach` says how far back it can be read (`reach_days`: days, None where that is no question of days). `terms` is
    the notice of a source that is off until a person accepts it. `pushed` sources are not asked: they send.
    `can_store_days` is None where storing is not limited; `recheck_days` says when to ask again whether an item still
    exists, `recheck_batch` how many are asked about at once (`followers_batch` likewise). `cost_per_item` is in US
    dollars. `fastest` is the shortest interval in seconds. Runs of a source `one_at_a_time` never overlap. After
    `renew_days` a key is exchanged for a fresh one (`RenewsKeys`).
    """

    name: str
    query_hint: str
    title: str = ""
    recorded_as: str = ""
    query_about: Note = NOT_SAID
    access: Access = "open"
    needs: Note = NOT_SAID
    keeps: Note = NOT_SAID
    blind: Note = NOT_SAID
    reach: Note = NOT_SAID
    reach_days: int | None = None
    terms: Note | None = None
    needs_credentials: tuple[Credential, ...] = ()
    searches: bool = False
    own: bool = False
    pushed: bool = False
    can_store_days: int | None = None
    recheck_days: int | None = None
    recheck_batch: int = 1
    followers_in_answer: FollowersInAnswer = "never"
    followers_batch: int = 1
    cost_per_item: float = 0.0
    fastest: int = 60
    one_at_a_time: bool = False
    renew_days: int | None = None


@runtime_checkable
class Source(Protocol):
    """Anything that can be asked for pages of mentions.

    `pages` yields until the source has no more for now. It starts after `cursor` (None: from `query.since`, or as far
    back as a first reading goes), keeps a safety overlap rather than trust the upstream's "since", and may repeat an
    item: the store keeps one. It raises TryLater or Refused; a mangled item becomes a Refusal in its page.

    A source may also have: `quota` (a Quota or None, what the upstream last said of its limit), and the methods of
    `Rechecks`, `KnowsFollowers`, `Receives` and `Searches`.
    """

    facts: ClassVar[SourceFacts]

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Read what is new since `cursor`, page by page."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What asking again told: `gone` are source_ids that no longer exist there, `fresh` the mentions as they are now.

    What is in neither could not be told, and is asked again another time: no answer is never taken for a deletion.
    """

    gone: frozenset[str] = frozenset()
    fresh: tuple[Mention, ...] = ()
    cost: float = 0.0


@runtime_checkable
class Rechecks(Protocol):
    """A source that can be asked whether items still exist (`facts.recheck_days`)."""

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask about at most `facts.recheck_batch` mentions, as they were stored, raw form included."""
        ...


@runtime_checkable
class KnowsFollowers(Protocol):
    """A source whose search answers lack followers, but that tells them in a second call."""

    def authors(self, authors: Sequence[Author]) -> Iterable[Author]:
        """Ask about at most `facts.followers_batch` authors.

        Those of whom it is told come back, with `followers` None where the source does not tell the number.
        """
        ...


@runtime_checkable
class RenewsKeys(Protocol):
    """A source whose keys end by themselves, and can be exchanged before (`facts.renew_days`)."""

    def renew(self) -> Mapping[str, str]:
        """The fresh keys by name, to be kept in the place of the former ones; empty where none is needed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What a watch asks of a source that searches, and what every find must mean to be kept.

    `searches` are one or more texts as the upstream's own search takes them; `checked` is the part of the query that
    can be checked when a find comes in (None: nothing is, as the text is the upstream's own).
    """

    searches: tuple[str, ...]
    checked: tree.Query | None = None


@runtime_checkable
class Searches(Protocol):
    """A source whose watches are written in the query language (docs/query-language.md)."""

    @classmethod
    def asking(cls, text: str) -> Asking | None:
        """What a watch with this text asks; None where the text names a place, such as a channel, to be read whole.

        Raises Invalid, saying where and what to change, for a query that cannot be read, asked or checked.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How many posts of the last seven days a query would read, and what that would cost, in US dollars.

    `least` is without the users who wrote them, `most` with a new user for every post; `asking` is what the question
    itself cost.
    """

    posts: int
    least: float
    most: float
    asking: float


@runtime_checkable
class Estimates(Protocol):
    """A paid source that counts what a query would read, for far less than reading it."""

    def estimate(self, query: Query) -> Estimate:
        """Count it. Raises SourceError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something that was sent to us: header names in lower case, the body as it came, and when."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes
    at: datetime


@runtime_checkable
class Receives(Protocol):
    """A source that sends (`facts.pushed`): its deliveries are checked and read here."""

    def receive(self, query: Query, delivery: Delivery) -> Page:
        """The mentions in a delivery. Raises Refused for a wrong signature, Invalid for what cannot be read."""
        ...
