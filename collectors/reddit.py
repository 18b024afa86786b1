"""Reddit: posts that a search finds, or the comments of one subreddit, with an approved app or through public feeds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import httpx

from collectors.clock import WALL, Clock
from collectors.feed import read_feed
from collectors.http import Answer, Web, WebOptions, user_agent
from collectors.meter import quota_of
from collectors.online import list_of, moments_of, object_of
from collectors.pace import pace_at
from collectors.reddit_post import (
    entry_of,
    gone_entries,
    gone_of,
    is_gone,
    item_name,
    name_of,
    published,
    read_child,
    read_entry,
    to_mention,
    when,
)
from collectors.searching import Searching
from collectors.translate import Abilities
from collectors.verdict import LONGEST_WAIT, RETRIED, judge
from collectors.walk import Bounds, Place, Stretch, newest_first
from escucha.admission import admit, admit_all
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Page, Quota, SourceFacts

LIMIT = 100
CUT = 200
"""Items: Reddit lists about 1,000 at most, its search often fewer. A longer listing that ends may have been cut."""
FEED_PAGE = 25
"""Entries that make a full page of a feed, where Reddit does not obey the limit we ask for."""
BOUNDS = Bounds(first=timedelta(days=30), overlap=timedelta(hours=6), steps=12)
"""The search finds some posts late, so each run reads six hours behind the newest it knew."""
FEED_BOUNDS = replace(BOUNDS, steps=2)
"""Without a key a request a minute is let through, so a run asks twice at most."""
FEED_PACE = 6.0
KEYLESS_REST = 60.0
"""Seconds between two requests for feeds; and after each of them, without the token of somebody's own feeds."""
STUMBLES = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
"""What praw itself raises on an answer that does not have the form it promises."""
IN_SUBREDDIT = re.compile(r"\s*/?r/([A-Za-z0-9_+]+)\s*:\s*(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Words to search for, in one subreddit or in all; or, without words, the comments of one subreddit."""

    words: str
    subreddit: str = "all"


class RedditSource(Searching):
    """Reads a listing newest first: through the API for those with an approved app, else through the public feeds.

    An item has the same id on both ways, so that one may change from feeds to an app without reading anything twice.
    """

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="reddit",
        title="Reddit",
        query_hint="cafés lumbre, or r/mexico: cafés lumbre",
        query_about=Note(
            "Words to search for in all of Reddit, in the query language; r/mexico: and the words for one subreddit; "
            "r/mexico comments for its newest comments, which are matched with the terms of the watch."
        ),
        access="open",
        needs=Note(
            "Nothing for the public feeds, which Reddit lets through about once a minute. With the id and secret of an "
            "app that Reddit has approved (new apps need approval since November 2025): 100 requests a minute, "
            "reactions, comment counts and deletions."
        ),
        needs_credentials=(
            Credential(name="client_id", about=Note("The id of an app that Reddit has approved."), secret=False,
                       optional=True),
            Credential(name="client_secret", about=Note("Its secret."), optional=True),
            Credential(name="feed_user", secret=False, optional=True, about=Note(
                "Without an app: your Reddit user name, as in the addresses on reddit.com/prefs/feeds."
            )),
            Credential(name="feed_token", optional=True, about=Note(
                "Without an app: what follows feed= in those addresses. With it Reddit lets feeds through more often."
            )),
        ),
        keeps=Note(
            "Posts and comments as long as they exist on Reddit: with an app we look every 2 days and remove what was "
            "deleted there. Commercial use needs a contract with Reddit; matching redditors with people elsewhere is "
            "forbidden."
        ),
        blind=Note(
            "Followers (karma is no audience), comments outside the subreddits that you name and, through the feeds, "
            "reactions and deletions."
        ),
        reach=Note("The newest 1,000 posts or comments of a listing, often fewer in searches."),
        searches=True,
        recheck_days=2,
        recheck_batch=100,
        fastest=300,
    )  # fmt: skip
    base: ClassVar[str] = "https://www.reddit.com"
    abilities: ClassVar[Abilities] = Abilities(
        any_of="nested", tells=frozenset({"title", "engagement", "url"}), own=r"(?i:\b(?:site|url)):"
    )

    @classmethod
    def part(cls, text: str) -> slice | None:
        """What stands after a subreddit and its colon, or all; None for a subreddit's comments."""
        if found := IN_SUBREDDIT.fullmatch(text):
            return slice(*found.span(2))
        return None if re.match(r"\s*/?r/", text) else super().part(text)

    @classmethod
    def understood(cls, text: str) -> Search:
        """The words and the subreddit. Raises Refused."""
        return read_search(text)

    def __init__(
        self,
        *,
        web: WebOptions,
        keys: Mapping[str, str],
        transport: httpx.BaseTransport | None = None,
        session: Any = None,
        clock: Clock = WALL,
    ) -> None:
        super().__init__(web=paced(web, keys), keys=keys, transport=transport, clock=clock)
        self._app = App(web, self._keys, session, clock)

    @property
    def quota(self) -> Quota | None:
        """What Reddit last said of its limit, to the app or to the feeds."""
        return self._app.quota or self._web.quota

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Items newer than the cursor, less an overlap, newest first."""
        (text,) = self.asked(query.text).searches
        search = read_search(text)
        signed = has_app(self._keys)
        listing = self._listed if signed else self._fed
        bounds = BOUNDS if signed or self._keys.get("feed_token") else FEED_BOUNDS

        def ask(place: Place) -> Stretch:
            return listing(search, place)

        steps = newest_first(self._notes(query, cursor), ask, bounds, self._clock.now(), query.since)
        if signed:
            return self._walked(query, steps, read_child, item_name, gone=gone_of)
        return self._walked(query, steps, read_entry, item_name, gone=gone_entries)

    def _listed(self, search: Search, place: Place) -> Stretch:
        after, seen = read_token(place.token)
        told = {**asked_for(search), "limit": str(LIMIT), "after": after, "count": str(seen) if seen else ""}
        kind = "search" if search.words else "comments"
        answer = self._app.get(f"r/{search.subreddit}/{kind}", told, search.subreddit)
        children = list_of(answer, "data", "children")
        following = object_of(answer, "data").get("after")
        return stretch_of(children, moments_of(children, when), after, following, seen)

    def _fed(self, search: Search, place: Place) -> Stretch:
        after, seen = read_token(place.token)
        entries = self._entries(search, {**asked_for(search), "limit": str(LIMIT), "after": after})
        names = [entry["id"] for entry in entries]
        if after and after in names:  # the page was given again: this feed cannot be leafed through
            return Stretch(items=(), times=(), capped=True)
        following = names[-1] if len(names) >= FEED_PAGE else None
        return stretch_of(entries, moments_of(entries, published), after, following, seen)

    def _entries(self, search: Search, told: Mapping[str, str]) -> list[dict[str, Any]]:
        place = "" if search.subreddit == "all" else f"/r/{search.subreddit}"
        own = {"user": self._keys.get("feed_user", ""), "feed": self._keys.get("feed_token", "")}
        params = {name: value for name, value in {**told, **own}.items() if value}
        url = f"{www(self._keys)}{place}/{'search.rss' if search.words else 'comments/.rss'}"

        def verdict(answer: Answer) -> SourceError | None:
            return feed_error(answer, search.subreddit, self._clock.now())

        answer = self._web.get(url, params=params, verdict=verdict)
        self._rest()
        bare = answer.url.partition("?")[0]  # links in posts are completed with it, and behind it stands the token
        try:
            feed = read_feed(answer.body, bare, answer.headers.get("content-type", ""))
        except Refused:  # a page that asks whether we are a person, in place of the feed
            raise _broken() from None
        return [entry_of(feed, entry) for entry in feed.entries]

    def _rest(self) -> None:
        """Without a token Reddit lets about one feed a minute through to an address, whoever asks from there."""
        if not self._keys.get("feed_token") and not elsewhere(self._keys):
            pace_at(self._options.shared).hold(urlsplit(www(self._keys)).hostname or "", KEYLESS_REST, self._clock)

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for the items as they are now; the feeds cannot tell, so that without an app nothing is concluded."""
        if not has_app(self._keys):
            return Checked()
        asked = [mention.source_id for mention in mentions]
        children = list_of(self._app.get("api/info", {"id": ",".join(asked)}), "data", "children")
        found = {name: child for child in children if (name := name_of(child))}
        if len(found) < len(children) or not found.keys() <= set(asked) or (not found and len(asked) > 1):
            return Checked()  # an answer in pieces, of others or without any tells nothing of what is missing
        gone = frozenset(name for name in asked if name not in found or is_gone(found[name]["data"]))
        fresh, _ = admit_all([found[name] for name in asked if name not in gone], self._fresh, item_name)
        return Checked(gone=gone, fresh=fresh)

    def _fresh(self, child: Any) -> Mention:
        return admit(to_mention(child["data"]), self._clock.now())


class App:
    """Reddit's API through praw, which signs in, keeps to Reddit's limits and repeats what fails for a moment.

    Its models are not used: they would ask Reddit again for each field that a post lacks. `quota` is what Reddit last
    said of its limit. Requests with one app keep one pace, whatever asks.
    """

    def __init__(self, web: WebOptions, keys: Mapping[str, str], session: Any, clock: Clock) -> None:
        self._web = web
        self._keys = keys
        self._session = session
        self._clock = clock
        self._pace = pace_at(web.shared)
        self._last: Any = None
        self._praw: Any = None
        self.quota: Quota | None = None

    def get(self, path: str, params: Mapping[str, str], subreddit: str = "") -> Any:
        """The answer at a path. Raises TryLater or Refused, which names the subreddit that was asked for."""
        self._pace.wait(self._turn, self._web.pace, self._clock)
        with self._translated(subreddit):
            self._praw = self._praw or sign_in(self._web, self._keys, self._session or self._guarded(), self._hear)
            return self._praw.request(method="GET", path=path, params={k: v for k, v in params.items() if v})

    def _guarded(self) -> Any:
        """praw's session, over our own web: in bounded time and memory, and nowhere inside the network."""
        # The turns are taken here, before praw is asked.
        return session_over(Web(replace(self._web, pace=0), clock=self._clock, credential=self._keys["client_secret"]))

    @property
    def _turn(self) -> str:
        return f"{urlsplit(oauth(self._keys)).hostname} {self._keys.get('client_id')}"

    def _hear(self, response: Any) -> None:
        self._last = response
        now, headers = self._clock.now(), lowered(response.headers)
        self.quota = read_quota(headers, now) or self.quota
        if self.quota and self.quota.remaining == 0 and self.quota.resets_at:
            self._hold((self.quota.resets_at - now).total_seconds())

    def _hold(self, seconds: float) -> None:
        if seconds > 0:
            self._pace.hold(self._turn, min(seconds, LONGEST_WAIT), self._clock)

    @contextmanager
    def _translated(self, subreddit: str) -> Iterator[None]:
        import praw.exceptions
        import prawcore

        self._last = None
        try:
            yield
        except (praw.exceptions.PRAWException, prawcore.PrawcoreException, *STUMBLES) as error:
            told = translate(error, self._last, self._clock.now(), subreddit)
            if isinstance(told, TryLater):
                self._hold(told.after or 0)
            raise told from None


def sign_in(web: WebOptions, keys: Mapping[str, str], session: Any, hear: Callable[[Any], None]) -> Any:
    """A read-only praw client; `hear` is told each of Reddit's responses.

    What a praw.ini or the environment says is overruled.
    """
    import praw
    import prawcore

    class Requestor(prawcore.Requestor):  # type: ignore[misc]
        """Hands on each response: prawcore stumbles over some, and then loses the status and Retry-After."""

        def request(self, *args: Any, **options: Any) -> Any:
            response = super().request(*args, **options)
            hear(response)
            return response

    return praw.Reddit(
        "DEFAULT",
        client_id=keys["client_id"],
        client_secret=keys["client_secret"],
        user_agent=user_agent(web.contact),
        oauth_url=oauth(keys),
        reddit_url=www(keys),
        username=None, password=None, refresh_token=None, redirect_uri=None,
        check_for_updates=False,
        timeout=int(web.deadline) or 1,
        requestor_class=Requestor,
        requestor_kwargs={"session": session, "timeout": web.deadline},
    )  # fmt: skip


def session_over(web: Web) -> Any:
    """A requests session, as praw wants one, whose requests go through our web."""
    import requests
    from requests.adapters import BaseAdapter

    class Adapter(BaseAdapter):
        """Asks for what a session prepared. What Reddit says of a request that failed is praw's to understand."""

        def send(self, request: Any, *_: Any, **__: Any) -> Any:
            said: list[Answer] = []

            def keep(answer: Answer) -> None:
                said[:] = [answer]

            signed = {"Authorization": request.headers["Authorization"]} if "Authorization" in request.headers else {}
            try:
                if request.method == "POST":
                    form = dict(parse_qsl(request.body or ""))
                    answer = web.post(request.url, form=form, headers=signed, verdict=keep)
                else:
                    answer = web.get(request.url, headers=signed, verdict=keep)
            except SourceError:
                if not said or said[-1].status in RETRIED:  # asked again already: praw would do so once more
                    raise
                answer = said[-1]
            return _told(request, answer)

        def close(self) -> None:
            """Part of an adapter."""

    def _told(request: Any, answer: Answer) -> Any:
        response = requests.Response()
        moved = urlsplit(answer.url).path != urlsplit(request.url).path  # to a list of subreddits, or a sign-in
        response.status_code = 302 if moved else answer.status
        response.headers.update({**answer.headers, **({"location": answer.url} if moved else {})})
        response.url, response.request = request.url, request
        response._content, response._content_consumed = answer.body, True
        return response

    session = requests.Session()
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, Adapter())
    return session


def oauth(keys: Mapping[str, str]) -> str:
    """The address of Reddit's API."""
    return (keys.get("oauth_url") or keys.get("base_url") or "https://oauth.reddit.com").rstrip("/")


def www(keys: Mapping[str, str]) -> str:
    """The address where apps sign in and feeds are read."""
    return (keys.get("reddit_url") or keys.get("base_url") or RedditSource.base).rstrip("/")


def elsewhere(keys: Mapping[str, str]) -> bool:
    """Whether another server stands in for Reddit's, with limits of its own."""
    return bool(keys.get("reddit_url") or keys.get("base_url"))


def paced(web: WebOptions, keys: Mapping[str, str]) -> WebOptions:
    """The options for the feeds, as slow as Reddit wants them."""
    return web if elsewhere(keys) else replace(web, pace=max(web.pace, FEED_PACE))


def has_app(keys: Mapping[str, str]) -> bool:
    """Whether there is an app to sign in with. Raises Refused for half of one."""
    given = [bool(keys.get(name)) for name in ("client_id", "client_secret")]
    if any(given) and not all(given):
        raise Refused(
            "Reddit needs both the id and the secret of an app that Reddit has approved. Enter the one that is "
            "missing, or remove the other: without an app the public feeds are read."
        )
    return all(given)


def read_search(text: str) -> Search:
    """`r/mexico: words` searches one subreddit, `r/mexico comments` lists its comments, anything else searches all."""
    written = text.strip()
    if found := IN_SUBREDDIT.fullmatch(written):
        return Search(words=found[2], subreddit=found[1])
    if found := re.fullmatch(r"/?r/([A-Za-z0-9_+]+)\s+(?:comments|comentarios)", written, re.IGNORECASE):
        return Search(words="", subreddit=found[1])
    if not written or re.match(r"/?r/", written):
        raise Refused(
            "Write the words to search for; or r/mexico: and the words, for one subreddit; or r/mexico comments, for "
            "its newest comments."
        )
    return Search(words=written)


def asked_for(search: Search) -> dict[str, str]:
    """The parameters of a search, newest first; a listing of comments has none."""
    if not search.words:
        return {}
    return {"q": search.words, "sort": "new", "t": "all", "type": "link",
            "restrict_sr": "" if search.subreddit == "all" else "1"}  # fmt: skip


def read_token(token: str | None) -> tuple[str, int]:
    """The id of the last item of the page before, and how many items came before this page."""
    after, _, seen = (token or "").partition(" ")
    return after, int(seen or 0)


def stretch_of(
    items: Sequence[Any], times: Sequence[datetime], after: str, following: str | None, seen: int
) -> Stretch:
    """A page of a listing; where it ends after many items, or with nothing at all, Reddit may have cut it."""
    told = seen + len(items)
    return Stretch(
        items=items, times=times, token=f"{following} {told}" if following else None,
        capped=told >= CUT or (not items and bool(after)),
    )


def translate(error: Exception, response: Any, now: datetime, subreddit: str) -> SourceError:
    """Our error for one of praw's, by the last response. Its text is left out: it may quote what was sent."""
    import prawcore

    cause = getattr(error, "original_exception", None)
    if isinstance(cause, SourceError):  # our own web's
        return cause
    if isinstance(error, prawcore.NotFound | prawcore.Redirect):
        return _no_subreddit(subreddit)
    if isinstance(error, prawcore.OAuthException | prawcore.InsufficientScope):
        return _key_refused()
    status = getattr(response, "status_code", 200)
    if status in (401, 403):
        return _key_refused()
    if not 200 <= status < 300:
        return judge(status, patience(lowered(response.headers)), now, "Reddit") or _broken()
    if isinstance(error, prawcore.RequestException):
        return TryLater("Reddit cannot be reached. Nothing is lost: the watch goes on by itself.")
    return _broken()


def feed_error(answer: Answer, subreddit: str, now: datetime) -> SourceError | None:
    """What a feed's answer means where that is more than its status."""
    if answer.status == 404 or urlsplit(answer.url).path.startswith("/subreddits/"):
        return _no_subreddit(subreddit)
    if answer.status == 403:
        return Refused(
            "Reddit does not show this feed to us (HTTP 403): the subreddit is private, or Reddit blocks the address "
            "of this server. Check the name, or enter the id and secret of an approved app."
        )
    return judge(429, patience(answer.headers), now, "Reddit") if answer.status == 429 else None


def lowered(headers: Mapping[str, Any]) -> dict[str, str]:
    """The headers with names in lower case."""
    return {str(name).lower(): str(value) for name, value in headers.items()}


def patience(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers with a Retry-After: where Reddit says none, it says when its limit begins anew, in seconds."""
    reset = headers.get("x-ratelimit-reset", "").partition(".")[0]
    return {"retry-after": reset, **headers} if reset.isdigit() else headers


def read_quota(headers: Mapping[str, str], now: datetime) -> Quota | None:
    """Reddit's limit: it tells what is used and what remains of it."""
    told = quota_of(headers, now)
    used = headers.get("x-ratelimit-used", "")
    return replace(told, limit=told.remaining + int(used)) if told and told.remaining and used.isdigit() else told


def _no_subreddit(subreddit: str) -> Refused:
    return Refused("There is no subreddit {subreddit}. Check the name.", subreddit=subreddit)


def _key_refused() -> Refused:
    return Refused(
        "Reddit did not accept our app's id and secret. They may have been revoked: enter valid ones and resume the "
        "watch."
    )


def _broken() -> TryLater:
    return TryLater("Reddit's answer cannot be read. Nothing is lost: the watch goes on by itself.")
