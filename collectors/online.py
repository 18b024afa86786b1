"""A source that is asked over the web: what all of them do alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx

from collectors.bookmark import bookmark, notes_of
from collectors.clock import WALL, Clock
from collectors.http import Answer, Web, WebOptions
from collectors.walk import Step
from escucha.admission import admit, admit_all
from escucha.brand import Query
from escucha.errors import EscuchaError, Refused, SourceError, TryLater
from escucha.mention import Mention
from escucha.source import Checked, Cursor, Page, Quota, SourceFacts
from escucha.text import mentions_any

Json = Mapping[str, Any]


class OnlineSource:
    """Keeps the web, the keys and the clock of a source, and makes pages of what it reads.

    A source sets `facts` and `base` (the upstream's address, which the key `base_url` of the settings replaces), and
    writes `pages`. `_verdict` may name the upstream's own errors; `_secret` says which of the keys signs its requests.
    """

    facts: ClassVar[SourceFacts]
    base: ClassVar[str] = ""

    def __init__(
        self,
        *,
        web: WebOptions,
        keys: Mapping[str, str],
        transport: httpx.BaseTransport | None = None,
        clock: Clock = WALL,
    ) -> None:
        self._keys = dict(keys)
        self._clock = clock
        own = 0.0 if self._keys.get("base_url") else self._pace()  # another server keeps the settings' pace
        self._options = replace(web, pace=max(web.pace, own))
        self._web = Web(self._options, clock=clock, transport=transport, credential=self._secret())

    @property
    def quota(self) -> Quota | None:
        """What the upstream last said of its limit."""
        return self._web.quota

    def _pace(self) -> float:
        """Seconds between two requests at the least, where the upstream wants more than the settings say."""
        return 0.0

    def _secret(self) -> str:
        secrets = [self._keys.get(credential.name, "") for credential in self.facts.needs_credentials]
        return "\n".join(secrets) if any(secrets) else ""

    @property
    def _base(self) -> str:
        return (self._keys.get("base_url") or self.base).rstrip("/")

    @property
    def _host(self) -> str:
        return urlsplit(self._base).hostname or ""

    def _key(self, name: str) -> str:
        """A credential that the source cannot do without. Raises Refused, saying which is missing."""
        value = self._keys.get(name, "")
        if not value:
            raise Refused(
                "{source} needs {name}. Enter it on the page Sources, or in the settings as keys.{key}.{name}.",
                source=self.facts.title or self.facts.name, key=self.facts.name, name=name,
            )
        return value

    def _verdict(self, answer: Answer) -> SourceError | None:  # noqa: ARG002 (sources with errors of their own)
        """The error that the upstream itself tells, or None: then its status decides."""
        return None

    def _get(self, path: str, params: Mapping[str, str | None] | None = None, **options: Any) -> Any:
        """The JSON at an address (or a path under the base). Parameters that are None or empty are left out."""
        return self._web.get(self._url(path), params=_told(params), verdict=self._verdict, **options).json()

    def _post(self, path: str, json: Any, params: Mapping[str, str | None] | None = None, **options: Any) -> Any:
        """The JSON that answers a JSON body."""
        return self._web.post(
            self._url(path), json=json, params=_told(params), verdict=self._verdict, **options
        ).json()

    def _url(self, path: str) -> str:
        return path if path.startswith(("http://", "https://")) else f"{self._base}/{path.lstrip('/')}"

    def _walked(
        self, query: Query, steps: Iterable[Step], read: Callable[[Any], Mention | None],
        name: Callable[[Any], str], cost: Callable[[Step], float] = lambda _: 0.0,
        gone: Callable[[Step], tuple[str, ...]] = lambda _: (),
    ) -> Iterator[Page]:
        """The pages of a walk (collectors.walk): items read by `read`, named in a refusal by `name`."""
        for step in steps:
            yield self._page(
                query, step.items, read, name, bookmark(query, **step.notes), covers=step.covers, more=step.more,
                doubt=self._doubt() if step.empty else None, cost=cost(step), gone=gone(step),
            )

    def _page(
        self, query: Query, items: Iterable[Any], read: Callable[[Any], Mention | None], name: Callable[[Any], str],
        cursor: Cursor | None, **rest: Any,
    ) -> Page:
        """A page of items: each passes the gate or is refused alone; what is not about the query is counted."""
        passed = 0

        def about(item: Any) -> Mention | None:
            nonlocal passed
            mention = read(item)
            if mention is not None:
                mention = admit(mention, self._clock.now())
                if self._is_about(query, mention):
                    return mention
            passed += 1
            return None

        mentions, refusals = admit_all(items, about, name)
        unique = {mention.source_id: mention for mention in mentions}  # a page that repeats an item has it once
        return Page(mentions=tuple(unique.values()), refusals=refusals, passed=passed, cursor=cursor, **rest)

    def _is_about(self, query: Query, mention: Mention) -> bool:
        """Whether a mention is kept: it has one of the query's terms."""
        return mentions_any(f"{mention.title or ''} {mention.text}", query.terms)

    def _looked_at(
        self, mentions: Sequence[Mention], look: Callable[[Mention], Mention | None],
        server: Callable[[Mention], str | None],
    ) -> Checked:
        """Ask for mentions one by one whether they still exist.

        `look` gives a mention as it is now; None, or a Refused whose detail `gone` is set, says that it is deleted. Any
        other error tells nothing. `server` says whom to ask: one that asks for patience is left alone for the rest, and
        None means that nobody can be asked.
        """
        gone, fresh, failing = set(), [], set[str]()
        for mention in mentions:
            asked = server(mention)
            if asked is None or asked in failing:
                continue
            try:
                found = look(mention)
                if found is None:
                    gone.add(mention.source_id)
                else:
                    fresh.append(admit(found, self._clock.now()))
            except Refused as error:
                if error.details.get("gone"):
                    gone.add(mention.source_id)
            except TryLater:
                failing.add(asked)
            except (EscuchaError, KeyError, TypeError, ValueError, AttributeError):
                continue
        return Checked(gone=frozenset(gone), fresh=tuple(fresh))

    def _notes(self, query: Query, cursor: Cursor | None) -> Mapping[str, Any]:
        return notes_of(query, cursor)

    def _doubt(self) -> SourceError:
        return TryLater(
            "{host} answered with nothing, where it had items before. That may be a block: nothing is concluded from "
            "it, and the watch goes on.",
            host=self._host or self.facts.name,
        )


def is_own(server: str, base: str) -> bool:
    """Whether a key that belongs to a server may go to an address: there alone, and encrypted, unless it says http."""
    own = server.strip().rstrip("/").lower()
    return bool(own) and base.lower() == (own if own.startswith(("http://", "https://")) else f"https://{own}")


def asked_of(mention: Mention) -> str | None:
    """The server that was asked for a mention, as its raw form notes it where a source has many servers."""
    return str((mention.raw or {}).get("asked") or "") or None


def object_of(value: Any, *path: str) -> Mapping[str, Any]:
    """The object at a path of an answer. Raises TryLater where the answer does not have the form it promises."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping):
        raise formless()
    return value


def list_of(value: Any, *path: str) -> list[Any]:
    """The list at a path of an answer; a missing one is empty.

    Raises:
        TryLater: the answer does not have the form it promises.
    """
    for name in path:
        if not isinstance(value, Mapping):
            raise formless()
        value = value.get(name)
    if value is None and path:
        return []
    if not isinstance(value, list):
        raise formless()
    return value


def formless() -> TryLater:
    """The error for an answer that is not as its source promises: it may be right again in a moment."""
    return TryLater("The answer does not have the form that its source promises. Nothing is lost: the watch goes on.")


def moments_of(items: Iterable[Any], read: Callable[[Any], Any]) -> list[Any]:
    """The times of a listing's items, in its order; mangled ones and those without a zone are left out."""
    found = []
    for item in items:
        try:
            found.append(read(item))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, OSError, EscuchaError):
            continue
    return [moment for moment in found if moment is not None and moment.tzinfo is not None]


def _told(params: Mapping[str, str | None] | None) -> dict[str, str]:
    return {name: value for name, value in (params or {}).items() if value}
