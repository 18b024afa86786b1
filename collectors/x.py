"""X (Twitter): posts that its search of the last seven days finds, and posts that mention one account; each is paid."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

from collectors.bookmark import bookmark
from collectors.http import Answer
from collectors.online import list_of, moments_of, object_of
from collectors.searching import Searching
from collectors.translate import Abilities, primary
from collectors.verdict import LONGEST_WAIT
from collectors.walk import Bounds, Notes, Place, Stretch, moment, newest_first
from collectors.x_bill import COUNT, OWN_POST, POST, USER, Bill
from collectors.x_post import item_name, to_mention, together, versions, when
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Estimate, Page, SourceFacts

REACH = timedelta(days=7)
MARGIN = timedelta(minutes=5)
"""Kept from the end of the seven days, which moves on while we ask."""
BOUNDS = Bounds(first=REACH, overlap=timedelta(minutes=10), window=timedelta(days=1))
"""Every post that is read again is paid again, once a day: so the overlap is small."""
MENTIONS_SHOWN = 800
LONGEST_QUERY = 512
NO_REPOSTS = "-is:retweet"
FIELDS = "author_id,conversation_id,created_at,edit_history_{0}_ids,lang,note_{0},public_metrics,referenced_{0}s"
USER_FIELDS = "name,username,verified,public_metrics"
"""No place and no description: they are personal, and nothing here needs them."""
NAMES = ("tweet", "post")
"""X renames its tweets to posts: what it is asked by the one name it may only understand by the other."""
HANDLE = re.compile(r"mentions:\s*@?(\w{1,15})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is watched: a search's expression, or the account whose mentions are read."""

    kind: Literal["search", "mentions"]
    value: str


class XSource(Searching):
    """Reads the X API v2 with an app's bearer token. What may be spent is bounded by Query.most, strictly."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="x",
        title="X (Twitter)",
        query_hint='("cafés lumbre" OR #lumbre) lang:es -receta',
        query_about=Note(
            "Words to search for, in the query language; or mentions:@name for the posts that mention an account. "
            "Reposts are left out by themselves."
        ),
        access="paid",
        needs=Note(
            "An app at console.x.com with prepaid credits, and its bearer token. X charges 0.005 dollars a post and "
            "0.010 for each person who wrote one; 0.001 a post that mentions the account which owns the app."
        ),
        keeps=Note(
            "Posts as long as they exist on X: each is asked for again every 30 days (0.005 dollars a post, within the "
            "budget), and what was deleted or made private is removed here. On request X wants it gone within a day: "
            "then forget it by hand. No profiles may be joined with other networks."
        ),
        blind=Note(
            "Posts older than seven days, reposts, posts of private accounts, and posts indexed more than ten minutes "
            "late."
        ),
        reach=Note("Seven days; mentions of an account: its last 800."),
        reach_days=7,
        needs_credentials=(
            Credential(name="bearer_token", about=Note("The app's bearer token, from console.x.com, Keys and tokens.")),
            Credential(
                name="own_handle", secret=False, optional=True,
                about=Note("The account that owns the app, such as @lumbre: its mentions cost five times less."),
            ),
        ),
        searches=True,
        recheck_days=30,  # daily, a post would cost more to keep for a week than to hear
        recheck_batch=100,
        followers_in_answer="yes",
        cost_per_item=POST + USER,
        fastest=300,
    )
    base: ClassVar[str] = "https://api.x.com"
    abilities: ClassVar[Abilities] = Abilities(
        any_of="nested", excludes=True, accents="folded", longest=LONGEST_QUERY - len(NO_REPOSTS) - 3,
        says={
            "author": lambda value: f"from:{value}" if re.fullmatch(r"[a-z0-9_]{1,19}", value) else None,
            "lang": lambda value: f"lang:{found}" if (found := primary(value)) else None,
        },
        alone=frozenset({"author"}), tells=frozenset({"lang", "followers", "engagement", "url"}),
        own=r"(?<![^\s(])-?@\w+|\burl:",
    )

    @classmethod
    def part(cls, text: str) -> slice | None:
        """All, unless it names an account."""
        return None if text.strip().startswith("mentions:") else super().part(text)

    @classmethod
    def understood(cls, text: str) -> Target:
        """The search. Raises Refused."""
        return read_target(text)

    @classmethod
    def target(cls, text: str) -> Target:
        """What a watch with this text asks. Raises Refused."""
        (search,) = cls.asked(text).searches
        return read_target(search)

    _names = NAMES[0]

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Posts newer than the cursor, less an overlap, newest first; never more of them than the query may pay for."""
        target = self.target(query.text)
        self._key("bearer_token")
        return self._read(query, target, self._notes(query, cursor))

    def _read(self, query: Query, target: Target, notes: Notes) -> Iterator[Page]:
        now, bill = self._clock.now(), Bill(post=self._price(target), left=query.most)
        self._names = notes.get("names") or self._names
        user = self._user(target, notes, bill)
        earliest = now - REACH + MARGIN

        def ask(place: Place) -> Stretch:
            if user is not None:
                return self._mentions(user, place, bill)
            return self._found(target.value, replace(place, since=max(place.since, earliest)), bill,
                               hidden=place.since < earliest)

        since = query.since
        if user is None:
            notes, since = _within_reach(notes, earliest), max(since or earliest, earliest)
        for step in newest_first(notes, ask, BOUNDS, now, since):
            kept = {"names": self._names, **({"user": user} if user else {})}
            yield self._page(
                query, step.items, to_mention, item_name, bookmark(query, **step.notes, **kept), covers=step.covers,
                more=step.more, doubt=self._doubt() if step.empty else None, cost=bill.settle(),
            )

    def _price(self, target: Target) -> float:
        own = self._keys.get("own_handle", "").strip().removeprefix("@").lower()
        return OWN_POST if target.kind == "mentions" and target.value.lower() == own else POST

    def _user(self, target: Target, notes: Notes, bill: Bill) -> str | None:
        """The id of the account whose mentions are read, looked up once; None for a search."""
        if target.kind == "search":
            return None
        if notes.get("user"):
            return str(notes["user"])
        bill.size(self._clock.now(), besides=1)
        told = self._ask(f"/2/users/by/username/{target.value}").get("data")
        bill.charge_user()
        if not isinstance(told, Mapping) or not told.get("id"):
            raise Refused(
                "X shows no account named @{handle}: check the name, and whether it was suspended.", handle=target.value
            )
        return str(told["id"])

    def _found(self, words: str, place: Place, bill: Bill, hidden: bool) -> Stretch:
        params = {"query": words, "next_token": place.token}
        return self._stretch("/2/tweets/search/recent", place, bill, params, hidden)

    def _mentions(self, user: str, place: Place, bill: Bill) -> Stretch:
        return self._stretch(f"/2/users/{user}/mentions", place, bill, {"pagination_token": place.token})

    def _stretch(
        self, path: str, place: Place, bill: Bill, params: Mapping[str, str | None], hidden: bool = False
    ) -> Stretch:
        """A page of posts and who wrote them. Posts that they answer or quote are not asked for: those cost too."""
        answer = self._ask_posts(path, {
            **params, "start_time": place.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "max_results": str(bill.size(self._clock.now())), "expansions": "author_id", "user.fields": USER_FIELDS,
        })  # fmt: skip
        if "data" not in answer and "meta" not in answer:
            raise TryLater("X's answer cannot be read. Nothing is lost: the watch goes on by itself.")
        bill.charge(answer)
        items = together(answer)
        token = (answer.get("meta") or {}).get("next_token") or None
        capped = hidden or len(bill.posts) >= MENTIONS_SHOWN
        return Stretch(items=items, times=moments_of(items, when), token=token, capped=capped)

    def estimate(self, query: Query) -> Estimate:
        """Count what a query would read, without reading it: one request of 0.005 dollars, whatever the number."""
        target = self.target(query.text)
        words = target.value if target.kind == "search" else f"@{target.value} {NO_REPOSTS}"
        told = list_of(self._ask("/2/tweets/counts/recent", {"query": words, "granularity": "day"}), "data")
        posts = sum(int(day.get("tweet_count", day.get("post_count", 0))) for day in told)
        price = self._price(target)
        return Estimate(posts=posts, least=round(posts * price, 4), most=round(posts * (price + USER), 4),
                        asking=COUNT)

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for the posts by their ids, in the version that is known; one that was edited since is fetched anew."""
        stored = {_version_of(mention): mention for mention in mentions}
        told = self._by_id(list(stored))
        posts = {identity: post for identity, post in _posts(told).items() if identity in stored}
        edited = {versions(post)[-1]: identity for identity, post in posts.items() if versions(post)[-1] != identity}
        newer = _posts(self._by_id(list(edited))) if edited else {}
        now = {**posts, **{edited[identity]: post for identity, post in newer.items() if identity in edited}}
        page = self._page(Query(text=""), [{"post": post, "user": None} for post in now.values()], to_mention,
                          item_name, None)
        known = {mention.source_id: mention for mention in mentions}
        return Checked(
            gone=frozenset(stored[identity].source_id for identity in _gone(told) if identity in stored),
            fresh=tuple(_as_stored(mention, known.get(mention.source_id)) for mention in page.mentions),
            cost=POST * (len(posts) + len(newer)),
        )

    def _by_id(self, ids: Sequence[str]) -> Mapping[str, Any]:
        return self._ask_posts("/2/tweets", {"ids": ",".join(ids)})

    def _ask_posts(self, path: str, params: Mapping[str, str | None]) -> Mapping[str, Any]:
        """Ask for posts by the name that X understood last; by the other one, where it refuses the request's form."""
        try:
            return self._ask(path, {**params, f"{self._names}.fields": FIELDS.format(self._names)})
        except Refused as error:
            if error.details.get("status") != 400:
                raise
        other = next(name for name in NAMES if name != self._names)
        answer = self._ask(path, {**params, f"{other}.fields": FIELDS.format(other)})
        self._names = other
        return answer

    def _ask(self, path: str, params: Mapping[str, str | None] | None = None) -> Mapping[str, Any]:
        return object_of(self._get(path, params, headers={"Authorization": f"Bearer {self._key('bearer_token')}"}))

    def _verdict(self, answer: Answer) -> SourceError | None:
        problem = _problem(answer)
        if answer.status == 402 or problem in ("credits-depleted", "usage-capped"):
            return Refused(
                "The credits or the spending limit of your X account are used up. Buy credits or raise the limit at "
                "console.x.com, and resume the watch."
            )
        if answer.status == 403:
            return Refused(
                "X does not let this app read that. See at console.x.com whether it has credits and belongs to a "
                "project, and resume the watch."
            )
        if answer.status == 400:
            return Refused(
                "X does not understand this query. Write it as in X's own search, such as (\"cafés lumbre\" OR "
                "@lumbre) lang:es.",
                status=400,
            )
        return _patience(answer, self._clock.now())


def read_target(text: str) -> Target:
    """What a query asks for. Raises Refused, with examples, where it is empty, too long, or no account's name."""
    words = text.strip()
    account = HANDLE.fullmatch(words)
    if account:
        return Target(kind="mentions", value=account[1])
    search = words if "is:retweet" in words else f"({words}) {NO_REPOSTS}"
    if not words or words.startswith("mentions:") or len(search) > LONGEST_QUERY:
        raise Refused(
            "Write a search of at most {limit} characters, such as (\"cafés lumbre\" OR @lumbre) lang:es; or "
            "mentions:@lumbre for the posts that mention an account.",
            limit=LONGEST_QUERY - len(NO_REPOSTS) - 3,
        )
    return Target(kind="search", value=search)


def _within_reach(notes: Notes, earliest: datetime) -> Notes:
    """Notes of a watch that rested for long: it goes on at the oldest that the search shows, and claims no more."""
    known, least = moment(notes.get("known")), earliest + BOUNDS.overlap
    return {**notes, "known": least.isoformat()} if known and known < least and "walk" not in notes else notes


def _patience(answer: Answer, now: datetime) -> SourceError | None:
    """A 429 with the moment at which it ends, which X tells in a header of its own."""
    reset = answer.headers.get("x-rate-limit-reset", "")
    if answer.status != 429 or not reset.isdecimal() or "retry-after" in answer.headers:
        return None
    return TryLater(
        "X asks us to slow down. Nothing is lost: the watch goes on by itself.",
        after=min(max(float(reset) - now.timestamp(), 1.0), LONGEST_WAIT),
    )


def _problem(answer: Answer) -> str:
    """The last part of the address by which X names an error."""
    try:
        return str(json.loads(answer.body or b"{}").get("type", "")).rsplit("/", 1)[-1] if answer.status >= 400 else ""
    except (ValueError, AttributeError, RecursionError):
        return ""


def _posts(answer: Mapping[str, Any]) -> dict[str, Any]:
    posts = [post for post in list_of(answer, "data") if isinstance(post, Mapping)]
    return {post["id"]: post for post in posts if isinstance(post.get("id"), str)}


def _gone(answer: Mapping[str, Any]) -> set[str]:
    """Posts that X says it does not have, or shows to nobody but their author's followers.

    Where not one post of several came, "not authorized" may be about our app: then it is believed of none.
    """
    believed = ("resource-not-found", *(["not-authorized-for-resource"] if _posts(answer) else []))
    errors = [error for error in list_of(answer, "errors") if isinstance(error, Mapping)]
    return {
        str(error.get("resource_id") or error.get("value")) for error in errors
        if str(error.get("type", "")).rsplit("/", 1)[-1] in believed
    }


def _version_of(mention: Mention) -> str:
    """The id of the version that is stored, as its address tells; every edit has one of its own."""
    last = (mention.url or "").rsplit("/", 1)[-1]
    return last if last.isdecimal() else mention.source_id


def _as_stored(fresh: Mention, stored: Mention | None) -> Mention:
    """The post as it is now, with the author and the address that are known: asking for users again costs."""
    if stored is None:
        return fresh
    name = stored.author.handle if stored.author else "i"
    address = (fresh.url or "").replace("/i/status/", f"/{name}/status/")
    return replace(fresh, author=stored.author, url=address)
