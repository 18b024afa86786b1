"""One round over YouTube's many lists: a search, its videos' figures, their comments, and long threads' replies.

A round may be cut after any batch: what is still to be done, and how far each list was read, goes into the notes that
come with the batch. The next round begins only when this one is over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from collectors.online import list_of, moments_of
from collectors.walk import Bounds, Notes, Place, Step, Stretch, moment, newest_first
from collectors.youtube_item import Said, comment_when, count_of, replies_hidden, said_in, thread_when
from escucha.admission import MANGLED
from escucha.errors import Refused, SourceError, TryLater
from escucha.source import Span

BOUNDS = Bounds(first=timedelta(days=30), overlap=timedelta(days=2))
"""Comments: a first reading goes a month back; later ones look again at the last two days, for replies and edits."""
ALL_OF_A_THREAD = Bounds(first=timedelta(days=36_500), overlap=timedelta(0))
"""In what order YouTube gives replies is not promised, so a thread is always read whole."""
RUN_REQUESTS = 60
SEARCH_EVERY = timedelta(hours=6)
SEARCH_FIRST = timedelta(days=90)
"""How old a video may be that a first search finds: people go on commenting for months."""
SEARCH_OVERLAP = timedelta(days=2)
SEARCH_PAGES = 2
SEARCH_UNITS = 100
KNOWN_VIDEOS = 100
TOLD_THREADS = 500
BATCH = 50

Params = Mapping[str, str | None]
Ask = Callable[[str, Params, int], Mapping[str, Any]]
"""`ask(path, params, units)`: the answer of one request, which takes so many units of the day's allowance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is watched: words to search for, one channel (an id or an @handle), or one video."""

    kind: Literal["words", "channel", "video"]
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one request gave, with the notes to save with it (as collectors.walk.Step)."""

    items: Sequence[Any]
    notes: Notes
    gone: tuple[str, ...] = ()
    covers: Span | None = None
    more: bool = False
    empty: bool = False


@dataclass(kw_only=True)
class Plan:
    """The notes: what a round has still to do, and what is known for the next.

    `videos` are those that searches found, newest first: when each was published (`at`), and its number of comments
    as YouTube tells it (`told`) and as it was when they were read (`read`). `stale` are the videos whose figures are to
    be asked for; `queue` the lists to read ("channel ID", "video ID", "thread ID VIDEO"); `walks` how far each was
    read; `threads` how many replies a long thread had when it was read whole. `bounded` says that the last run ended at
    its bound of requests.
    """

    began: str
    channel: str | None = None
    search: dict[str, Any] | None = None
    searched: str | None = None
    videos: dict[str, dict[str, Any]] = field(default_factory=dict)
    stale: list[str] = field(default_factory=list)
    queue: list[str] = field(default_factory=list)
    walks: dict[str, Notes] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)
    floor: str | None = None
    bounded: bool = False

    @property
    def pending(self) -> bool:
        """Whether the round is not over."""
        return bool(self.search or self.stale or self.queue)

    def notes(self) -> Notes:
        """A copy as JSON keeps it."""
        copy: Notes = json.loads(json.dumps({"plan": vars(self)}))
        return copy


class Round:
    """Does what the plan of the notes has still to do, and begins a new round where nothing is left.

    Of the videos that a search finds, those are followed that are `about` what is watched.
    """

    def __init__(
        self, target: Target, notes: Notes, ask: Ask, now: datetime, since: datetime | None,
        about: Callable[[Any], bool],
    ) -> None:
        self._target = target
        self._about = about
        self._ask_web = ask
        self._now = now
        self._since = since
        self._left = RUN_REQUESTS
        kept = json.loads(json.dumps(notes.get("plan")))  # a copy: the cursor that we were given stays as it is
        self._resumed = bool(kept)
        self._plan = Plan(**kept) if kept else Plan(began=now.isoformat())

    def batches(self) -> Iterator[Batch]:
        """Read until the round is over or the run has made its requests.

        Raises:
            TryLater, Refused: as the requests do.
        """
        # What came since a run was cut is read at once; one that ended at its bound would never come to an end so.
        again = not (self._plan.pending and self._plan.bounded)
        yield from self._work()
        if again and self._left > 0:
            self._begin()
            if not self._plan.pending:
                yield self._batch()
            yield from self._work()

    def _work(self) -> Iterator[Batch]:
        while self._plan.pending and self._left > 0:
            if self._plan.search:
                yield self._searched()
            elif self._plan.stale:
                yield self._figures()
            else:
                yield from self._listed(self._plan.queue[0])

    def _begin(self) -> None:
        plan = self._plan
        plan.floor = self._until() if self._resumed else None
        plan.began = self._now.isoformat()
        if self._target.kind == "words":
            searched = moment(plan.searched)
            if searched is None or searched + SEARCH_EVERY <= self._now:
                plan.search = {"after": self._after(searched).isoformat(), "token": None, "page": 0}
            plan.stale = list(plan.videos)
        else:
            plan.queue = [f"{self._target.kind} {self._identity()}"]

    def _after(self, searched: datetime | None) -> datetime:
        first = self._now - SEARCH_FIRST
        return searched - SEARCH_OVERLAP if searched else min(self._since or first, first)

    def _identity(self) -> str:
        """The id of the channel or video; a channel's @handle is looked up once."""
        if not self._target.value.startswith("@"):
            return self._target.value
        if self._plan.channel is None:
            found = list_of(self._ask("channels", {"part": "id", "forHandle": self._target.value}), "items")
            if not found:
                raise Refused(
                    "There is no YouTube channel named {handle}. Copy the name from the channel's page, such as "
                    "channel:@YouTube.",
                    handle=self._target.value,
                )
            self._plan.channel = found[0]["id"]
        return str(self._plan.channel)

    def _ask(self, path: str, params: Params, units: int = 1) -> Mapping[str, Any]:
        self._left -= 1
        return self._ask_web(path, params, units)

    def _batch(self, items: Sequence[Any] = (), gone: tuple[str, ...] = (), empty: bool = False) -> Batch:
        plan = self._plan
        floor, end = moment(plan.floor), datetime.fromisoformat(self._until())
        covers = Span(min(floor, end), end) if floor and not plan.pending else None
        plan.bounded = plan.pending and self._left <= 0
        return Batch(items=items, notes=plan.notes(), gone=gone, covers=covers, more=plan.bounded, empty=empty)

    def _until(self) -> str:
        """Where that ends which a round covers: of a video that came after the last search nothing is read yet."""
        return self._plan.searched or self._plan.began

    # The search for videos

    def _searched(self) -> Batch:
        search = self._plan.search or {}
        after = datetime.fromisoformat(search["after"]).astimezone(UTC)
        try:
            answer = self._ask("search", {
                "part": "snippet", "q": self._target.value, "type": "video", "order": "date",
                "publishedAfter": after.strftime("%Y-%m-%dT%H:%M:%SZ"), "maxResults": str(BATCH),
                "pageToken": search["token"],
            }, SEARCH_UNITS)  # fmt: skip
        except TryLater as error:
            if not _stale(error) or search["token"] is None:
                raise
            self._plan.search = {**search, "token": None, "page": 0}
            return self._batch()
        found = list_of(answer, "items")
        for identity, published in filter(None, map(_found, found)):
            self._plan.videos.setdefault(identity, {"at": published})
        token, page = answer.get("nextPageToken"), search["page"] + 1
        last = not token or not found or page >= SEARCH_PAGES
        self._plan.search = None if last else {**search, "token": token, "page": page}
        if last:
            self._keep_newest()
        return self._batch()

    def _keep_newest(self) -> None:
        plan = self._plan
        newest = sorted(plan.videos.items(), key=lambda video: str(video[1]["at"]), reverse=True)[:KNOWN_VIDEOS]
        for forgotten in plan.videos.keys() - dict(newest).keys():
            plan.walks.pop(f"video {forgotten}", None)
        plan.videos, plan.stale, plan.searched = dict(newest), [identity for identity, _ in newest], plan.began

    # The videos' figures

    def _figures(self) -> Batch:
        plan = self._plan
        asked = plan.stale[:BATCH]
        videos = self._told(asked)
        found = {video["id"]: video for video in videos if isinstance(video, Mapping) and video.get("id") in asked}
        for identity, video in found.items():
            plan.videos[identity]["told"] = count_of(_statistics(video).get("commentCount"))
        missing = [identity for identity in asked if identity not in found]
        # What is gone never comes back here, so a video that an answer lacks is asked for once more. An answer with an
        # item that cannot be read says of no other that it is gone, nor does one that lacks every one of several.
        certain = len(found) == len(videos) and (bool(found) or len(asked) == 1)
        certain = certain and not (missing and self._told(missing))
        gone = tuple(missing) if certain else ()
        strange = {identity for identity, video in found.items() if not self._is_about(video)}
        for identity in (*gone, *strange):
            self._forget(identity)
        plan.stale = plan.stale[BATCH:]
        plan.queue += [f"video {each}" for each in found if each not in strange and self._worth_reading(each)]
        return self._batch(videos, gone)

    def _is_about(self, video: Any) -> bool:
        """Whether a found video is followed; one that cannot be read is refused elsewhere, and its comments are not."""
        try:
            return self._about(video)
        except MANGLED:
            return True

    def _told(self, videos: Sequence[str]) -> list[Any]:
        answer = self._ask("videos", {"part": "snippet,statistics", "id": ",".join(videos), "maxResults": str(BATCH)})
        return list_of(answer, "items")

    def _worth_reading(self, identity: str) -> bool:
        """A video that was never read, has another number of comments since, or comments of the last days.

        With every search also each other one that has comments: as many may have come as were deleted.
        """
        video, walk = self._plan.videos[identity], self._plan.walks.get(f"video {identity}", {})
        if "read" not in video or video["read"] != video["told"] or "walk" in walk:
            return True
        if video["told"] and self._plan.searched == self._plan.began:
            return True
        known = moment(walk.get("known"))
        return bool(walk.get("seen") and known and known > self._now - BOUNDS.overlap)

    def _forget(self, identity: str) -> None:
        self._plan.videos.pop(identity, None)
        self._plan.walks.pop(f"video {identity}", None)

    # The comments

    def _listed(self, name: str) -> Iterator[Batch]:
        """The steps of one list, until it is read or the run has made its requests."""
        notes = self._plan.walks.get(name, {})
        thread = name.startswith("thread ")
        bounds = replace(ALL_OF_A_THREAD if thread else BOUNDS, steps=self._left)
        since = None if thread else self._since
        try:
            for step in newest_first(notes, lambda place: self._stretch(name, place), bounds, self._now, since):
                yield self._taken(name, step)
                if name not in self._plan.queue:
                    return
        except Refused as error:
            yield self._closed(name, error)
        except TryLater as error:
            if not _stale(error) or "walk" not in self._plan.walks.get(name, {}):
                raise
            kept = self._plan.walks[name]
            self._plan.walks[name] = {key: value for key, value in kept.items() if key != "walk"}
            yield self._batch()  # from its top, next time
            raise

    def _stretch(self, name: str, place: Place) -> Stretch:
        kind, identity, *_ = name.split(" ")
        whose = {"channel": "allThreadsRelatedToChannelId", "video": "videoId", "thread": "parentId"}[kind]
        page = {whose: identity, "textFormat": "plainText", "maxResults": "100", "pageToken": place.token}
        if kind == "thread":
            answer = self._ask("comments", {"part": "snippet", **page})
        else:
            answer = self._ask("commentThreads", {"part": "snippet,replies", "order": "time", **page})
        items = list_of(answer, "items")
        times = moments_of(items, comment_when if kind == "thread" else thread_when)
        return Stretch(items=items, times=times, token=answer.get("nextPageToken") or None)

    def _taken(self, name: str, step: Step) -> Batch:
        """Note how far the list is read, and hand on its comments."""
        kind, identity, *rest = name.split(" ")
        self._plan.walks[name] = step.notes
        items: list[Said] = []
        if kind == "thread":
            items = [{"comment": reply, "video": next(iter(rest), None)} for reply in step.items]
        else:
            items = [said for thread in step.items for said in said_in(thread)]
            self._queue_long_threads(step.items, identity if kind == "video" else None)
        if "walk" not in step.notes:
            self._over(name, step)
        counted = self._plan.videos.get(identity, {}).get("told")
        return self._batch(items, empty=step.empty and counted != 0)

    def _over(self, name: str, step: Step) -> None:
        kind, identity, *_ = name.split(" ")
        self._plan.queue.remove(name)
        if kind == "thread":
            del self._plan.walks[name]
            return
        if kind == "video" and identity in self._plan.videos:
            self._plan.videos[identity]["read"] = self._plan.videos[identity].get("told")
        if step.covers:
            self._plan.floor = max(filter(None, (self._plan.floor, step.covers.start.astimezone(UTC).isoformat())))

    def _queue_long_threads(self, threads: Sequence[Any], video: str | None) -> None:
        """Threads that show fewer replies than they have, unless their number is as it was when they were read."""
        plan = self._plan
        for thread in threads:
            replies = replies_hidden(thread)
            if not replies or plan.threads.get(thread.get("id")) == replies:
                continue
            name = f"thread {thread['id']} {video or thread['snippet'].get('videoId') or ''}".strip()
            plan.threads.pop(thread["id"], None)
            plan.threads[thread["id"]] = replies
            plan.queue += [] if name in plan.queue else [name]
        plan.threads = dict(list(plan.threads.items())[-TOLD_THREADS:])

    def _closed(self, name: str, error: Refused) -> Batch:
        """A list that YouTube does not show: no failure where comments are off, or where a found thing went away."""
        kind, identity, *_ = name.split(" ")
        reason = error.details.get("reason")
        removed = reason == "missing" and (kind == "thread" or identity in self._plan.videos)
        if reason != "commentsDisabled" and not removed:
            raise error
        self._plan.queue.remove(name)
        if kind == "thread":
            self._plan.walks.pop(name, None)
        elif removed:
            self._forget(identity)
        elif identity in self._plan.videos:
            self._plan.videos[identity]["read"] = self._plan.videos[identity].get("told")
        return self._batch(gone=(identity,) if removed else ())


def _stale(error: SourceError) -> bool:
    return error.details.get("reason") == "stale"


def _statistics(video: Mapping[str, Any]) -> Mapping[str, Any]:
    statistics = video.get("statistics")
    return statistics if isinstance(statistics, Mapping) else {}


def _found(result: Any) -> tuple[str, str] | None:
    """The id and the moment of a video that a search found; what has another form is no video."""
    try:
        return str(result["id"]["videoId"]), str(result["snippet"]["publishedAt"])
    except (KeyError, TypeError):
        return None
