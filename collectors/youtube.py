"""YouTube: videos about the brand and what people write under them, replies included."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from collectors.bookmark import bookmark
from collectors.http import Answer
from collectors.online import list_of, object_of
from collectors.searching import Searching
from collectors.translate import Abilities
from collectors.youtube_item import followers_of, item_name, to_mention, video_of
from collectors.youtube_round import Round, Target
from collectors.youtube_verdict import DAILY_UNITS, allowance, judge_reason
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Author, Mention
from escucha.note import Note
from escucha.query.match import matches_mention
from escucha.source import Checked, Credential, Cursor, Page, SourceFacts
from escucha.words import words

CHANNEL = re.compile(r"UC[\w-]{22}|@[\w.·-]{3,30}")
VIDEO = re.compile(r"[\w-]{11}")
LONGEST_WORDS = 200


class YouTubeSource(Searching):
    """Reads the YouTube Data API v3 with a key; the key goes into a header, so that no address holds it."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="youtube",
        title="YouTube",
        query_hint='"cafés lumbre"',
        query_about=Note(
            "Words to find videos with, in the query language; or channel:@name (or channel:UC…) for all comments on a "
            "channel; or video: and its id for the comments of one video."
        ),
        access="own key",
        needs=Note(
            "A free key of your own: at console.cloud.google.com make a project, switch on “YouTube Data API v3”, and "
            "create an API key. It allows 10,000 units a day; a search takes 100 to 200, a page of comments 1."
        ),
        keeps=Note(
            "Videos and comments for 30 days, unless they are read again: after 25 days each is asked for again, and "
            "what was removed on YouTube is removed here."
        ),
        blind=Note(
            "Late replies to old comments (older than two days, and not among a video's newest hundred), comments on "
            "videos that the search does not find, comments held for review, and exact numbers of subscribers (YouTube "
            "rounds them, and some channels hide them)."
        ),
        reach=Note(
            "A new watch begins with the comments of the last 30 days, on videos of the last 90 days; a backfill goes "
            "as far back as you say. Of a search's videos, the newest 100 are followed."
        ),
        needs_credentials=(
            Credential(name="api_key", about=Note("The API key, from console.cloud.google.com, Credentials.")),
            Credential(
                name="daily_units", secret=False, optional=True,
                about=Note("Units a day, if Google granted your project more (or you want to use fewer) than 10,000."),
            ),
        ),
        searches=True,
        recheck_days=25,
        can_store_days=30,
        recheck_batch=50,
        followers_in_answer="second call",
        followers_batch=50,
        fastest=900,
    )
    base: ClassVar[str] = "https://www.googleapis.com/youtube/v3"
    abilities: ClassVar[Abilities] = Abilities(
        any_of="groups", sign="|", brackets=("", ""), longest=LONGEST_WORDS, own=r"\|",
        tells=frozenset({"title", "lang", "engagement", "url"}),
    )

    @classmethod
    def part(cls, text: str) -> slice | None:
        """All, unless it names a channel or a video."""
        return None if re.match(r"\s*(?:channel|video):", text) else super().part(text)

    @classmethod
    def understood(cls, text: str) -> Target:
        """What is asked for. Raises Refused."""
        return read_target(text)

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """What is new since the cursor: the videos a search finds (asked every six hours), and comments."""
        (text,) = self.asked(query.text).searches
        target = read_target(text)
        self._key("api_key")
        return self._read(query, target, cursor)

    def _read(self, query: Query, target: Target, cursor: Cursor | None) -> Iterator[Page]:
        checked = self.asked(query.text).checked

        def about(video: Any) -> bool:
            said = to_mention(video)
            named = words(said.title or "")  # one that does not even tell its title cannot be judged
            return checked is None or not named or matches_mention(checked, said, "")

        reading = Round(target, self._notes(query, cursor), self._ask, self._clock.now(), query.since, about)
        for batch in reading.batches():
            yield self._page(
                query, batch.items, to_mention, item_name, bookmark(query, **batch.notes), gone=batch.gone,
                covers=batch.covers, more=batch.more, doubt=self._doubt() if batch.empty else None,
            )

    def _is_about(self, query: Query, mention: Mention) -> bool:
        """A comment is kept because of its video, whatever it says itself."""
        return super()._is_about(query if mention.kind != "comment" else replace(query, text=""), mention)

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for the items by their ids: what two answers lack is gone, what is there is told as it is now.

        Answers that lack every one of several say nothing: that may be a block.
        """
        comments = {mention.source_id: mention for mention in mentions if mention.kind == "comment"}
        videos = [mention.source_id for mention in mentions if mention.kind != "comment"]
        told = _twice(self._comments, list(comments)), _twice(self._videos, videos)
        found = {**told[0], **told[1]}
        gone = frozenset(_lacking(list(comments), told[0])) | frozenset(_lacking(videos, told[1]))
        page = self._page(
            Query(text=""), [_as_read(item, comments.get(identity)) for identity, item in found.items()],
            to_mention, item_name, None,
        )
        return Checked(gone=gone, fresh=page.mentions)

    def _comments(self, ids: list[str]) -> dict[str, Any]:
        """Comments by id. YouTube may refuse a whole batch for one that is gone: then its halves are asked for."""
        if not ids:
            return {}
        try:
            return self._by_id("comments", ids, part="snippet", textFormat="plainText")
        except Refused as error:
            if error.details.get("reason") != "missing":
                raise
        middle = len(ids) // 2
        return {**self._comments(ids[:middle]), **self._comments(ids[middle:])} if middle else {}

    def _videos(self, ids: list[str]) -> dict[str, Any]:
        return self._by_id("videos", ids, part="snippet,statistics", maxResults="50") if ids else {}

    def authors(self, authors: Sequence[Author]) -> Iterable[Author]:
        """Subscribers of at most 50 channels in one request; None where a channel hides them."""
        channels = self._by_id("channels", [author.id for author in authors], part="statistics", maxResults="50")
        return [
            replace(author, followers=followers_of(channels[author.id])) for author in authors if author.id in channels
        ]

    def _by_id(self, path: str, ids: Sequence[str], **params: str) -> dict[str, Any]:
        items = list_of(self._ask(path, {"id": ",".join(ids), **params}), "items")
        found = {item["id"]: item for item in items if isinstance(item, Mapping) and "id" in item}
        if len(found) < len(items) or not found.keys() <= set(ids):
            raise TryLater("YouTube's answer cannot be read. Nothing is lost: the watch goes on by itself.")
        return found

    def _ask(self, path: str, params: Mapping[str, str | None], units: int = 1) -> Mapping[str, Any]:
        self._web.spend(self._host, units, allowance(self._daily_units))
        answer = object_of(self._get(path, params, headers={"X-Goog-Api-Key": self._key("api_key")}))
        if not str(answer.get("kind", "")).endswith("ListResponse"):
            raise TryLater("YouTube's answer cannot be read. Nothing is lost: the watch goes on by itself.")
        return answer

    @property
    def _daily_units(self) -> int:
        told = self._keys.get("daily_units") or str(DAILY_UNITS)
        if not told.isdecimal():
            raise Refused("daily_units must be a whole number, such as 10000. Correct it on the page Sources.")
        return int(told)

    def _verdict(self, answer: Answer) -> SourceError | None:
        return judge_reason(answer, self._clock.now())


def read_target(text: str) -> Target:
    """What a query asks for. Raises Refused, with examples, where it is neither words nor a channel nor a video."""
    words = text.strip()
    kind, colon, value = words.partition(":")
    value = value.strip()
    if colon and kind == "channel" and CHANNEL.fullmatch(value):
        return Target(kind="channel", value=value)
    if colon and kind == "video" and VIDEO.fullmatch(value):
        return Target(kind="video", value=value)
    if not words or len(words) > LONGEST_WORDS or (colon and kind in ("channel", "video")):
        raise Refused(
            "Write words to find videos with, such as \"cafés lumbre\"; or channel:@lumbre, or channel: and the 24 "
            "characters that begin with UC; or video:dQw4w9WgXcQ, the 11 characters after watch?v= in its address."
        )
    return Target(kind="words", value=words)


def _lacking(asked: Sequence[str], found: Mapping[str, Any]) -> list[str]:
    """What answers lack; nothing where they lack every one of several."""
    missing = [identity for identity in asked if identity not in found]
    return missing if len(missing) < len(asked) or len(asked) == 1 else []


def _twice(ask: Callable[[list[str]], dict[str, Any]], ids: list[str]) -> dict[str, Any]:
    """What is found by id; what a first answer lacks is asked for once more, as a deletion is for good."""
    found = ask(ids)
    return {**found, **ask([identity for identity in ids if identity not in found])}


def _as_read(item: Any, stored: Mention | None) -> Any:
    """A comment by itself names neither its video nor its replies: those are taken from what was stored."""
    if stored is None:
        return item
    return {"comment": item, "video": video_of(stored), "replies": stored.engagement.comments}
