"""Bluesky: public posts that its search finds, newest first, and the reader of its live stream."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import urlencode

from collectors.bookmark import bookmark
from collectors.http import Answer
from collectors.meter import quota_of
from collectors.online import formless, list_of, moments_of, object_of
from collectors.pace import Allowance
from collectors.searching import Searching
from collectors.several import Walk
from collectors.translate import Abilities, primary
from collectors.walk import Bounds, Place, Stretch, newest_first
from escucha.admission import admit, admit_all
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.query.match import matches_mention
from escucha.source import Asking, Checked, Credential, Cursor, Page, SourceFacts, Span
from escucha.text import mentions_any

LIMIT = 100
BATCH = 25
"""Posts or profiles that one call tells about."""
BOUNDS = Bounds(first=timedelta(days=30), overlap=timedelta(hours=6))
"""Posts of bridges and planned posts appear late, under the time they were written: six hours are read again."""
SIGN_INS = Allowance(limit=100, name="sign-ins")
"""An account may sign in 300 times a day by the documents; 100 were seen."""
POSTS = "app.bsky.feed.post"
HIDDEN = frozenset({
    "!hide", "!takedown", "!suspend", "!no-unauthenticated", "porn", "sexual", "nudity", "graphic-media", "gore",
})  # fmt: skip
"""Labels of posts and authors that are not to be shown: withdrawn, kept from those without an account, or adult."""
_LANG = re.compile(r"(?<!\S)lang:(\S*)")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A query as Bluesky takes it: the words, and the language that posts declare (None: any)."""

    words: str
    lang: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a sign-in gives: a token for two hours, and one that renews it."""

    access: str = field(repr=False)
    renewal: str = field(repr=False)


SESSIONS: dict[str, Session] = {}
"""The sessions of this process by account, so that a run does not sign in again. They are never written down."""


class BlueskySource(Searching):
    """Searches with the user's own account, which the search asks for, by stretches of time."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="bluesky",
        title="Bluesky",
        query_hint='"cafés lumbre" lang:es',
        query_about=Note("Words to search for, in the query language. Add lang:es for posts in one language."),
        access="own key",
        needs=Note(
            "A free Bluesky account and an app password (in Bluesky: Settings, Privacy and security, App passwords). "
            "No cost."
        ),
        keeps=Note("Posts as long as they exist there; deleted ones are looked for every 7 days and removed."),
        blind=Note(
            "Posts that do not name the words, posts labelled as adult, and authors who show theirs only to those who "
            "are signed in."
        ),
        reach=Note("Everything that its search still finds; a first reading goes 30 days back."),
        needs_credentials=(
            Credential(name="handle", about=Note("The account's handle, such as lumbre.bsky.social."), secret=False),
            Credential(name="app_password", about=Note("An app password, not the account's own password.")),
            Credential(
                name="server", secret=False, optional=True, leads=True,
                about=Note("The account's server, if it is not https://bsky.social."),
            ),
        ),
        searches=True,
        recheck_days=7,
        recheck_batch=BATCH,
        followers_in_answer="second call",
        followers_batch=BATCH,
    )
    abilities: ClassVar[Abilities] = Abilities(
        says={"lang": lambda value: f"lang:{found}" if (found := primary(value)) else None},
        tells=frozenset({"lang", "engagement", "url"}), own=r"\burl:",
    )

    @classmethod
    def understood(cls, text: str) -> Words:
        """The words and the language. Raises Refused."""
        return read_query(text)

    @property
    def _base(self) -> str:
        return (self._keys.get("base_url") or self._keys.get("server") or "https://bsky.social").rstrip("/")

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Posts newer than the cursor, less an overlap. Raises Refused for a query without words."""
        now = self._clock.now()

        def walk(text: str) -> Walk:
            ask = partial(self._stretch, read_query(text))
            return lambda notes: newest_first(notes, ask, BOUNDS, now, query.since, by="time")

        return self._walked(query, self._each(query, cursor, walk), read_post, post_name)

    def _stretch(self, asked: Words, place: Place) -> Stretch:
        answer = self._asked("app.bsky.feed.searchPosts", {
            "q": asked.words, "lang": asked.lang, "sort": "latest", "limit": str(LIMIT), "since": _stamp(place.since),
            # The upstream leaves its own bound out; we want the edge again.
            "until": _stamp(place.until + timedelta(milliseconds=1)) if place.until else None, "cursor": place.token,
        })  # fmt: skip
        posts = list_of(answer, "posts")
        return Stretch(items=posts, times=moments_of(posts, when), token=answer.get("cursor") if posts else None)

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for the posts together; of one that is missing it is asked whether it is gone or only kept from us."""
        asked = [mention.source_id for mention in mentions]
        posts = list_of(self._asked(f"app.bsky.feed.getPosts?{urlencode([('uris', uri) for uri in asked])}"), "posts")
        found = {str(post.get("uri")) for post in posts if isinstance(post, Mapping)}
        fresh, _ = admit_all(posts, self._fresh, post_name)
        return Checked(gone=frozenset(uri for uri in asked if uri not in found and self._is_gone(uri)), fresh=fresh)

    def _fresh(self, post: Any) -> Mention | None:
        mention = read_post(post)
        return admit(mention, self._clock.now()) if mention else None

    def _is_gone(self, uri: str) -> bool:
        try:
            answer = self._asked("app.bsky.feed.getPostThread", {"uri": uri, "depth": "0", "parentHeight": "0"})
        except Refused as error:
            if error.details.get("gone"):
                return True
            raise
        return object_of(answer, "thread").get("$type") == "app.bsky.feed.defs#notFoundPost"

    def authors(self, authors: Sequence[Author]) -> Iterable[Author]:
        """The profiles of authors, with their followers; accounts that are gone are left out."""
        asked = urlencode([("actors", author.id) for author in authors])
        profiles = list_of(self._asked(f"app.bsky.actor.getProfiles?{asked}"), "profiles")
        return [to_author(profile) for profile in profiles]

    def _asked(self, name: str, params: Mapping[str, str | None] | None = None) -> Any:
        """The answer to a signed request; a session that is over is renewed once."""
        session = SESSIONS.get(self._account) or self._signed_in()
        try:
            return self._signed(session, name, params)
        except Refused as error:
            if not error.details.get("expired"):
                raise
        return self._signed(self._renewed(session), name, params)

    def _signed(self, session: Session, name: str, params: Mapping[str, str | None] | None) -> Any:
        return self._get(f"/xrpc/{name}", params, headers={"Authorization": f"Bearer {session.access}"})

    @property
    def _account(self) -> str:
        """The account's mark in memory; another password makes another, and so a new sign-in."""
        account = "\n".join((self._base, self._key("handle"), self._key("app_password")))
        return sha256(account.encode(errors="replace")).hexdigest()

    def _signed_in(self) -> Session:
        self._web.spend(self._host, 1, SIGN_INS)
        given = {"identifier": self._key("handle").lstrip("@").strip(), "password": self._key("app_password")}
        return self._kept(self._post("/xrpc/com.atproto.server.createSession", given))

    def _renewed(self, session: Session) -> Session:
        try:
            told = self._post(
                "/xrpc/com.atproto.server.refreshSession", None,
                headers={"Authorization": f"Bearer {session.renewal}"},
            )
        except Refused:
            SESSIONS.pop(self._account, None)
            return self._signed_in()
        return self._kept(told)

    def _kept(self, told: Any) -> Session:
        given = object_of(told)
        session = Session(access=str(given.get("accessJwt") or ""), renewal=str(given.get("refreshJwt") or ""))
        if not (session.access and session.renewal):
            raise formless()
        SESSIONS[self._account] = session
        return session

    def _verdict(self, answer: Answer) -> SourceError | None:
        if answer.status < 400:
            return None
        if answer.status == 429 and "retry-after" not in answer.headers:
            return self._slower(answer)
        return _told_error(answer)

    def _slower(self, answer: Answer) -> TryLater:
        now = self._clock.now()
        quota = quota_of(answer.headers, now)
        return TryLater(
            "{host} asks us to slow down. Nothing is lost: the watch goes on by itself.", host=answer.host,
            after=max(0.0, (quota.resets_at - now).total_seconds()) if quota and quota.resets_at else None,
        )


def _told_error(answer: Answer) -> SourceError | None:
    """The error that Bluesky names in its answer, or None: then the status decides.

    A refusal has the detail `gone` where the post does not exist any more, and `expired` where the session is over.
    """
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        told = None
    error = told.get("error") if isinstance(told, dict) else None
    if error == "NotFound":
        return Refused("There is no such post on Bluesky any more.", gone=True)
    if error == "BadQueryString":
        return Refused(
            'Bluesky does not understand this query. Write words or a phrase in quotes, like "cafés lumbre" lang:es.'
        )
    if error == "AuthFactorTokenRequired":
        return Refused(
            "Bluesky asks for a code by e-mail, because this is the account's own password. Create an app password in "
            "Bluesky's settings and enter that."
        )
    if error in ("AccountTakedown", "AccountSuspended", "AccountDeactivated"):
        return Refused(
            "Bluesky has closed or suspended this account. Sign in there to see why, or enter another account."
        )
    if error in ("ExpiredToken", "InvalidToken") or answer.status == 401:
        return Refused(
            "Bluesky did not accept the account. Check the handle, enter a new app password and resume the watch.",
            expired=True,
        )
    return None


def read_query(text: str) -> Words:
    """`"cafés lumbre" lang:es`: words to search for, and one language if posts in that alone are wanted.

    Raises:
        Refused: no words, or no language, with an example.
    """
    langs = _LANG.findall(text)
    words = " ".join(_LANG.sub(" ", text).split())
    if not words or len(langs) > 1 or any(not re.fullmatch(r"[A-Za-z]{2,3}(-\w+)*", lang) for lang in langs):
        raise Refused(
            'The query {query} is no search. Write words, and one language if you like: "cafés lumbre" lang:es.',
            query=text.strip(),
        )
    return Words(words=words, lang=langs[0].lower() if langs else None)


def when(post: Any) -> datetime:
    """The moment by which the search is ordered: when it was written or when it was seen, whichever came first."""
    return min(datetime.fromisoformat(post["record"]["createdAt"]), datetime.fromisoformat(post["indexedAt"]))


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def post_name(post: Any) -> str:
    """How a refused post is named to a person."""
    return f"post {post.get('uri')}" if isinstance(post, dict) else "post"


def is_open(post: Any) -> bool:
    """Whether neither the post nor its author carries a label that keeps it from being shown."""
    own = (post["record"].get("labels") or {}).get("values") or []
    labels = [*(post.get("labels") or []), *(post["author"].get("labels") or []), *own]
    return not any(label.get("val") in HIDDEN and not label.get("neg") for label in labels)


def read_post(post: Any) -> Mention | None:
    """The mention in a post view; None where labels forbid it, or where there is a picture and not a word."""
    return to_mention(post) if is_open(post) and post["record"]["text"].strip() else None


def to_mention(post: Json) -> Mention:
    """Map a post view (app.bsky.feed.defs#postView). What concerns our own account (`viewer`) is not kept."""
    record, author = post["record"], post["author"]
    shares = [count for count in (post.get("repostCount"), post.get("quoteCount")) if count is not None]
    kept = {name: value for name, value in post.items() if name != "viewer"}
    return _mention(
        post["uri"], record, when(post),
        Author(
            id=author["did"], handle=author["handle"], name=author.get("displayName") or None,
            url=f"https://bsky.app/profile/{author['did']}", verified=_verified(author),
        ),
        {**kept, "author": {name: value for name, value in author.items() if name != "viewer"}},
        Engagement(
            likes=post.get("likeCount"), comments=post.get("replyCount"), shares=sum(shares) if shares else None
        ),
    )  # fmt: skip


def _mention(
    uri: str, record: Json, at: datetime, author: Author, raw: Json, engagement: Engagement | None = None,
    edited_at: datetime | None = None,
) -> Mention:
    reply = record.get("reply")
    return Mention(
        source="bluesky",
        source_id=uri,
        kind="comment" if reply else "post",
        text=record["text"],
        lang=(record.get("langs") or [""])[0].lower() or None,
        url=f"https://bsky.app/profile/{author.id}/post/{uri.rsplit('/', 1)[1]}",
        created_at=at,
        edited_at=edited_at,
        author=author,
        engagement=engagement or Engagement(),
        parent_id=reply["parent"]["uri"] if reply else None,
        raw=raw,
    )


def to_author(profile: Json) -> Author:
    """Map a profile (app.bsky.actor.defs#profileViewDetailed)."""
    return Author(
        id=profile["did"],
        handle=profile["handle"],
        name=profile.get("displayName") or None,
        url=f"https://bsky.app/profile/{profile['did']}",
        followers=profile.get("followersCount"),
        verified=_verified(profile),
    )


def _verified(account: Json) -> bool | None:
    status = (account.get("verification") or {}).get("verifiedStatus")
    return status == "valid" if isinstance(status, str) else None


def read_stream(lines: Iterable[str], query: Query) -> Page:
    """Read lines of Jetstream (version 1), the live stream of everything said there; nothing is fetched.

    Posts that match the query become mentions. A deleted post is `gone`, and so is, of an account that is closed,
    whatever stands in these lines; its older posts are found by asking again (`BlueskySource.recheck`). The cursor
    keeps the stream's own time (`time_us`), from which it is to be asked for more.
    """
    stream = _Stream(query=query, asking=BlueskySource.asked(query.text))
    mentions, refusals = admit_all(
        enumerate(lines, 1), stream.read, lambda item: f"line {item[0]}", lambda item: item[1]
    )
    kept = {mention.source_id: mention for mention in mentions if stream.alive.get(mention.source_id)}
    times = stream.times
    return Page(
        mentions=tuple(kept.values()), refusals=refusals, passed=stream.lines - len(mentions) - len(refusals),
        gone=tuple(uri for uri, alive in stream.alive.items() if not alive),
        cursor=bookmark(query, time_us=max(times)) if times else None,
        covers=Span(_at(min(times)), _at(max(times))) if times else None,
    )


@dataclass(kw_only=True)
class _Stream:
    """What was read of a stream: which posts live (True) or are gone, and the times of its events."""

    query: Query
    asking: Asking
    alive: dict[str, bool] = field(default_factory=dict)
    times: list[int] = field(default_factory=list)
    lines: int = 0

    def read(self, item: tuple[int, str]) -> Mention | None:
        """The mention in a line, or None."""
        self.lines += 1
        event = json.loads(item[1])
        self._reached(event["time_us"])
        if event["kind"] == "account" and not event["account"]["active"]:
            self.alive.update({uri: False for uri in self.alive if uri.startswith(f"at://{event['did']}/")})
        if event["kind"] != "commit" or event["commit"]["collection"] != POSTS:
            return None
        uri = f"at://{event['did']}/{POSTS}/{event['commit']['rkey']}"
        if event["commit"]["operation"] == "delete":
            self.alive[uri] = False
            return None
        return self._mention(uri, event)

    def _reached(self, microseconds: int) -> None:
        _at(microseconds)  # what is no time ends here, as this line's refusal
        self.times.append(microseconds)

    def _mention(self, uri: str, event: Json) -> Mention | None:
        record, at = event["commit"]["record"], _at(event["time_us"])
        own = (record.get("labels") or {}).get("values") or []
        if any(label.get("val") in HIDDEN for label in own):
            return None
        author = Author(
            id=event["did"], handle=event["did"], url=f"https://bsky.app/profile/{event['did']}"
        )
        edited = at if event["commit"]["operation"] == "update" else None
        created = min(datetime.fromisoformat(record["createdAt"]), at)
        mention = _mention(uri, record, created, author, event, edited_at=edited)
        if not self._matches(mention, record):
            return None
        mention = admit(mention, at)
        self.alive[uri] = True
        return mention

    def _matches(self, mention: Mention, record: Json) -> bool:
        """Whether a post is what the query means and has one of the terms."""
        if not mentions_any(mention.text, self.query.terms):
            return False
        if self.asking.checked is not None:
            return matches_mention(self.asking.checked, mention, "")
        (text,) = self.asking.searches
        asked, langs = read_query(text), [lang.lower() for lang in record.get("langs") or []]
        return (asked.lang is None or asked.lang in langs) and all(
            mentions_any(mention.text, (word,)) for word in _parts(asked.words)
        )


def _parts(words: str) -> list[str]:
    """The words and phrases of a search, without its operators (`from:…`)."""
    found = [phrase or word for phrase, word in re.findall(r'"([^"]+)"|(\S+)', words)]
    return [part for part in found if not re.match(r"\w+:", part)]


def _at(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
