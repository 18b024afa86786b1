"""Meta's Graph, as Instagram, Facebook and Threads speak it: requests, errors, pages, second looks and deliveries.

Graph puts the key into the addresses of next pages (`paging.next`): those are never kept, only the cursor is.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from collectors.http import Answer
from collectors.online import OnlineSource, list_of, moments_of, object_of
from collectors.verdict import LONGEST_WAIT, retry_after
from collectors.walk import RUN_STEPS, Notes, Place, Step, Stretch, moment
from escucha.errors import Refused, SourceError, TryLater
from escucha.source import Span

VERSION = "v25.0"
"""Graph versions live about two years. From v26.0 on `?ids=` is refused; each object is then asked for by itself."""

SLOW_DOWN = frozenset({4, 17, 18, 32, 341, 613, *range(80_000, 80_015)})
TROUBLE = frozenset({1, 2})
DEAD_KEY = frozenset({102, 190})
PERMISSIONS = frozenset({3, 10, *range(200, 300)})
HASHTAG = 24
WITHDRAWN = 12
ABSENT = (100, 33)
"""Code and subcode of "does not exist, cannot be loaded due to missing permissions, or does not support this"."""

POSTS = frozenset({"album", "event", "link", "photo", "post", "share", "status", "video"})
"""What a Page's feed calls a post. Likes and reactions are taken back with the same verb, and are none."""


class GraphSource(OnlineSource):
    """A source behind Meta's Graph. `permissions` are named to a person where the key lacks one."""

    base: ClassVar[str] = "https://graph.facebook.com"
    version: ClassVar[str] = VERSION
    permissions: ClassVar[str] = ""

    def _graph(self, path: str, params: Mapping[str, str | None] | None = None) -> Any:
        """The answer at a path of the version. The key travels in a header, so that no address holds it."""
        headers = {"Authorization": f"Bearer {self._key('access_token')}"}
        return self._get(f"{self.version}/{path}", params, headers=headers)

    def _verdict(self, answer: Answer) -> SourceError | None:
        return complaint(answer, self.facts.title, self.permissions, self._clock.now())

    def _account(self, name: str) -> str:
        """The number of the account or Page that is read. Raises Refused where it is missing or is no number."""
        number = self._key(name).strip()
        if not re.fullmatch(r"\d{3,30}", number):
            raise Refused(
                "{service} knows its accounts by number, such as 17841405309211844. Enter the number as {name} on the "
                "page Sources.",
                service=self.facts.title, name=name,
            )
        return number

    def _stretch(
        self, path: str, params: Mapping[str, str | None], place: Place, when: Callable[[Any], datetime]
    ) -> Stretch:
        """One page of an edge, without the addresses that hold the key."""
        answer = self._graph(path, {**params, "after": place.token})
        items = entries(answer)
        return Stretch(items=items, times=moments_of(items, when), token=after(answer))

    def _looked_up(self, ids: Sequence[str], fields: str) -> tuple[dict[str, Mapping[str, Any]], set[str]]:
        """The objects as they are now, by id, and the ids of which Graph says that they do not exist.

        Graph leaves a missing object out of a common answer, or refuses the answer for its sake: so each that did not
        come is asked for by itself. What is in neither could not be told.
        """
        found = self._together(ids, fields)
        absent = set()
        for identity in ids:
            if identity in found:
                continue
            try:
                found[identity] = object_of(self._graph(identity, {"fields": fields}))
            except Refused as error:
                if is_absent(error):
                    absent.add(identity)
                elif not of_the_object(error):
                    raise
        return found, absent

    def _together(self, ids: Sequence[str], fields: str) -> dict[str, Mapping[str, Any]]:
        try:
            answer = object_of(self._graph("", {"ids": ",".join(ids), "fields": fields}))
        except Refused as error:
            if not of_the_object(error):
                raise
            return {}
        return {i: entry for i in ids if isinstance(entry := answer.get(i), Mapping) and entry.get("id") == i}


def complaint(answer: Answer, service: str, permissions: str, now: datetime) -> SourceError | None:
    """The error that Graph tells, whatever its HTTP status, or None. Its words are left out: some quote the key."""
    error = told_error(answer)
    if error is None:
        return None
    code, subcode = number(error.get("code")), number(error.get("error_subcode"))
    if code in SLOW_DOWN:
        return TryLater(
            "{host} asks us to slow down. Nothing is lost: the watch goes on by itself.",
            after=patience(answer.headers, now), host=answer.host, code=code,
        )
    if code in TROUBLE or error.get("is_transient") is True:
        return TryLater(
            "{host} is having trouble (HTTP {status}). Nothing is lost: the watch goes on by itself.",
            after=retry_after(answer.headers, now), host=answer.host, status=answer.status,
        )
    if code == HASHTAG:
        return TryLater(
            "{service} does not search this hashtag now (code {code}): it allows 30 different ones a week, and there "
            "are some that it does not know or show. The watch tries again by itself.",
            service=service, code=code,
        )
    return _refusal(service, permissions, code, subcode)


def _refusal(service: str, permissions: str, code: int, subcode: int) -> Refused:
    if code in DEAD_KEY:
        return Refused(
            "{service} does not accept the key any more (code {code}): it ran out or was withdrawn. Enter a new one on "
            "the page Sources and resume the watch.",
            service=service, code=code, subcode=subcode,
        )
    if code in PERMISSIONS:
        return Refused(
            "The key of {service} lacks a permission (code {code}). Give your app these at developers.facebook.com, "
            "then enter a new key: {permissions}.",
            service=service, code=code, subcode=subcode, permissions=permissions,
        )
    if code == WITHDRAWN:
        return Refused(
            "{service} does not give this out any more (code {code}). Remove the watch; what its website still shows "
            "can be imported from a file.",
            service=service, code=code, subcode=subcode,
        )
    return Refused(
        "{service} did not accept the request (code {code}, {subcode}). Check the query, and that the key belongs to "
        "the account.",
        service=service, code=code, subcode=subcode,
    )


def told_error(answer: Answer) -> Mapping[str, Any] | None:
    """Graph's error object in an answer, or None."""
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    error = told.get("error") if isinstance(told, Mapping) else None
    return error if isinstance(error, Mapping) else None


def number(value: Any) -> int:
    """A code as a number; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def patience(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the limit lets us in again, as the usage header says them (in minutes), or `Retry-After`."""
    try:
        told = json.loads(headers.get("x-business-use-case-usage", "{}"))
    except (ValueError, RecursionError):
        told = {}
    minutes = max(_regained(told), default=0)
    return min(minutes * 60.0, LONGEST_WAIT) if minutes > 0 else retry_after(headers, now)


def _regained(told: Any) -> list[int]:
    uses = [use for some in told.values() if isinstance(some, list) for use in some] if isinstance(told, dict) else []
    return [number(use.get("estimated_time_to_regain_access")) for use in uses if isinstance(use, dict)]


def is_absent(error: SourceError) -> bool:
    """Whether Graph says that the object does not exist, or that we are not to see it: it does not tell them apart."""
    return (error.details.get("code"), error.details.get("subcode")) == ABSENT


def of_the_object(error: SourceError) -> bool:
    """Whether an error concerns what was asked for, and not the key or the whole service."""
    code = error.details.get("code")
    return code is not None and code not in DEAD_KEY


def after(answer: Any) -> str | None:
    """The cursor of the next page, or None on the last one.

    Raises:
        TryLater: there is a next page, but no cursor to it.
    """
    paging = answer.get("paging") if isinstance(answer, Mapping) else None
    if not isinstance(paging, Mapping) or not paging.get("next"):
        return None
    token = object_of(paging, "cursors").get("after")
    if not isinstance(token, str) or not token:
        raise TryLater(
            "The answer does not have the form that its source promises. Nothing is lost: the watch goes on."
        )
    return token


def entries(answer: Any) -> list[Any]:
    """The objects of an edge, without the addresses of further pages, in which Graph writes the key."""
    return [bare(entry) for entry in list_of(answer, "data")]


def bare(value: Any, levels: int = 100) -> Any:
    """The value without `paging`, at any depth; what is nested deeper than Graph ever does is left out."""
    if isinstance(value, Mapping | list) and levels == 0:
        return None
    if isinstance(value, Mapping):
        return {name: bare(entry, levels - 1) for name, entry in value.items() if name != "paging"}
    return [bare(entry, levels - 1) for entry in value] if isinstance(value, list) else value


def item_name(item: Any) -> str:
    """How a refused object is named to a person."""
    return f"object {item.get('id')}" if isinstance(item, Mapping) else "object"


# What hangs under a listing: comments under posts.


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one request of a round gave.

    `items` may become mentions. `branches` are posts whose comments go on, each as small JSON that the source reads.
    `last` is the moment of the last post of a listing's page and `token` leads to the next (None: this was the last).
    """

    items: Sequence[Any]
    branches: Sequence[Mapping[str, Any]] = ()
    last: datetime | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundBounds:
    """How far a round goes: posts of the last `window`, comments newer than what is known less an `overlap`."""

    window: timedelta
    overlap: timedelta
    steps: int = RUN_STEPS


Posts = Callable[[str | None, datetime], Layer]
"""A page of the posts, by its cursor, with the newest comments of each; branches for those that go on to a moment."""
Comments = Callable[[Mapping[str, Any], datetime], Layer]
"""The next comments of a branch, and the branch again where it goes on to that moment."""


def rounds(
    notes: Notes, posts: Posts, comments: Comments, bounds: RoundBounds, now: datetime, since: datetime | None = None
) -> Iterator[Step]:
    """Read the comments under the posts of a window, newest first, once round.

    A comment does not move its post up, so every round looks at all posts of the window. The newest comments come with
    their posts; only where more of them are new than came is a post read on by itself, before the next page of posts.
    `since` is how far back a first reading goes.

    Raises:
        TryLater: the upstream leads round in circles.
    """
    left = bounds.steps
    if "round" in notes:
        turn = _Round.resumed(notes)
        for step in turn.steps(posts, comments, left):
            yield step
            notes = step.notes
        left -= turn.asked
        if "round" in notes or left <= 0:
            return
    for step in _Round.begun(notes, bounds, now, since).steps(posts, comments, left):
        # Behind the end of an older round there is no hurry: two rounds that follow each other at once never rest.
        yield step if left == bounds.steps else replace(step, more=False)


@dataclass(kw_only=True)
class _Round:
    """A round under way: comments down to `floor`, posts down to `oldest`; `branches` come before the next posts."""

    floor: datetime
    oldest: datetime
    top: datetime
    known: datetime | None = None
    seen: bool = False
    token: str | None = None
    listed: bool = False
    branches: list[Mapping[str, Any]] = field(default_factory=list)
    expected: bool = False
    asked: int = 0

    @staticmethod
    def begun(notes: Notes, bounds: RoundBounds, now: datetime, since: datetime | None) -> _Round:
        """A round from the top."""
        known, seen = moment(notes.get("known")), bool(notes.get("seen"))
        floor = known - bounds.overlap if known else since or now - bounds.window
        oldest = min(floor, now - bounds.window)
        return _Round(floor=floor, oldest=oldest, top=now, known=known, seen=seen, expected=seen)

    @staticmethod
    def resumed(notes: Notes) -> _Round:
        """The round that a run left unfinished."""
        kept = notes["round"]
        return _Round(
            floor=datetime.fromisoformat(kept["floor"]), oldest=datetime.fromisoformat(kept["oldest"]),
            top=datetime.fromisoformat(kept["top"]), known=moment(notes.get("known")), seen=bool(notes.get("seen")),
            token=kept.get("token"), listed=bool(kept.get("listed")), branches=list(kept.get("branches", ())),
        )

    def steps(self, posts: Posts, comments: Comments, left: int) -> Iterator[Step]:
        """The steps of one run."""
        while True:
            layer = self._ask(posts, comments)
            empty, self.expected = self.expected and layer.last is None, False
            self.seen = self.seen or layer.last is not None
            if self.listed and not self.branches:
                done = {"known": self.top.isoformat(), "seen": self.seen}
                yield Step(items=layer.items, notes=done, covers=Span(self.floor, self.top), empty=empty)
                return
            more = self.asked >= left
            yield Step(items=layer.items, notes=self._under_way(), more=more, empty=empty)
            if more:
                return

    def _under_way(self) -> Notes:
        return {
            "known": self.known.isoformat() if self.known else None, "seen": self.seen,
            "round": {
                "floor": self.floor.isoformat(), "oldest": self.oldest.isoformat(), "top": self.top.isoformat(),
                "token": self.token, "listed": self.listed, "branches": [dict(branch) for branch in self.branches],
            },
        }

    def _ask(self, posts: Posts, comments: Comments) -> Layer:
        self.asked += 1
        try:
            return self._asked(posts, comments)
        except Refused as error:
            if self.asked > 1 or not of_the_object(error) or not (self.branches or self.token):
                raise
        self.token, self.listed, self.branches = None, False, []  # cursors of an earlier run may have run out
        return self._asked(posts, comments)

    def _asked(self, posts: Posts, comments: Comments) -> Layer:
        if self.branches:
            return self._down(self.branches[0], comments)
        layer = posts(self.token, self.floor)
        if layer.token is not None and layer.token == self.token:
            raise _circles()
        self.listed = layer.token is None or (layer.last is not None and layer.last < self.oldest)
        self.token, self.branches = layer.token, list(layer.branches)
        return layer

    def _down(self, branch: Mapping[str, Any], comments: Comments) -> Layer:
        try:
            layer = comments(branch, self.floor)
        except Refused as error:
            if not is_absent(error):
                raise
            layer = Layer(items=())  # the post went meanwhile, and its comments with it
        if branch in layer.branches:
            raise _circles()
        self.branches = [*layer.branches, *self.branches[1:]]
        return layer


def _circles() -> TryLater:
    return TryLater("The source leads round in circles. Nothing is lost: the watch goes on by itself.")


def goes_on(edge: Any, floor: datetime, when: Callable[[Any], datetime]) -> str | None:
    """The cursor to more of a post's comments, where there may be some as new as `floor`; else None.

    Comments that come oldest first, as older versions gave them, are read to their end.
    """
    if not isinstance(edge, Mapping):
        return None
    times = moments_of(list_of(edge, "data"), when)
    return None if times and times[0] >= times[-1] and times[-1] < floor else after(edge)


# What Meta sends by itself.


def signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether `X-Hub-Signature-256` (`sha256=<hex>`) is that of the body as it came, by the app's secret."""
    told, expected = signature.strip(), hmac.new(secret.encode(), body, "sha256").hexdigest()
    return bool(secret) and hmac.compare_digest(told.encode(), f"sha256={expected}".encode())


def removed(delivery: Any) -> tuple[str, ...]:
    """The ids of the posts and comments that a Page's `feed` delivery says were removed; likes taken back are none."""
    changes = [change for entry in _list(delivery, "entry") for change in _list(entry, "changes")]
    feed = [change for change in changes if isinstance(change, Mapping) and change.get("field") == "feed"]
    values = [value for change in feed if isinstance(value := change.get("value"), Mapping)]
    ids = [_removed_id(value) for value in values if value.get("verb") == "remove"]
    return tuple(dict.fromkeys(identity for identity in ids if identity))


def _removed_id(value: Mapping[str, Any]) -> str:
    kind = value.get("item")
    identity = value.get("comment_id") if kind == "comment" else value.get("post_id") if kind in POSTS else None
    return str(identity) if isinstance(identity, str | int) else ""


def _list(value: Any, name: str) -> list[Any]:
    held = value.get(name) if isinstance(value, Mapping) else None
    return held if isinstance(held, list) else []
