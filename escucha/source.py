"""What a source of mentions promises: pages of mentions, and a cursor that is safe to go on from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from escucha.brand import Query
    from escucha.errors import EscuchaError
    from escucha.mention import Mention

Cursor = Mapping[str, Any]
"""A small JSON mapping that only the source that wrote it reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One item that was not taken: where it stood (a line number, an id), why, and its raw form."""

    where: str
    why: EscuchaError
    raw: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Mentions that were read together.

    `cursor` is where to go on once these are saved; None means it is not safe to move yet (a newest-first source
    before its last page). `refusals` are the items that could not be read, each with its reason.
    """

    mentions: tuple[Mention, ...]
    cursor: Cursor | None = None
    refusals: tuple[Refusal, ...] = ()


FollowersInAnswer = Literal["yes", "second call", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What a source declares about itself, shown to the user before they choose it.

    `query_hint` says what goes into a query's text; `searches` whether the upstream filters by it (else the
    collector matches `Query.terms` locally). `can_store_days` is None where storing is not limited; `recheck_days`
    says when to ask again whether an item still exists. `cost_per_item` is in US dollars.
    """

    name: str
    query_hint: str
    needs_credentials: tuple[str, ...] = ()
    searches: bool = False
    can_store_days: int | None = None
    recheck_days: int | None = None
    followers_in_answer: FollowersInAnswer = "never"
    cost_per_item: float = 0.0


@runtime_checkable
class Source(Protocol):
    """Anything that can be asked for pages of mentions.

    `pages` yields until the source has no more for now. It starts after `cursor` (None: from the beginning that
    the source allows), keeps a safety overlap rather than trust the upstream's "since", and may repeat an item:
    the store keeps one. It raises TryLater or Refused; a mangled item becomes a Refusal in its page.
    """

    facts: ClassVar[SourceFacts]

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Read what is new since `cursor`, page by page."""
        ...
