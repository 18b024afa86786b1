"""Reddit: posts that a search finds, for those whose app Reddit has approved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from collectors.bookmark import bookmark, notes_of
from collectors.clock import WALL, Clock
from collectors.http import WebOptions, user_agent
from collectors.verdict import judge
from escucha.admission import admit, admit_all
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.source import Credential, Cursor, Page, SourceFacts
from escucha.text import mentions_any

LIMIT = 100
RUN_PAGES = 10
"""Reddit lists about 1,000 posts at most."""
LATE = 6 * 3600.0
"""Seconds: the search finds some posts late, so each run reads that far behind the newest it knew."""
GONE = ("[deleted]", "[removed]")

Post = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Words to search for, in one subreddit or in all."""

    words: str
    subreddit: str = "all"


class RedditSource:
    """Searches posts, newest first, down to those that an earlier run has read.

    Praw signs in, keeps to Reddit's limits and repeats what fails for a moment. Its models are not used: they would
    ask Reddit again for each field that a post lacks.
    """

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="reddit",
        query_hint="cafés lumbre, or r/mexico: cafés lumbre",
        needs_credentials=(
            Credential(name="client_id", about=Note("The id of an app that Reddit has approved."), secret=False,
                       optional=True),
            Credential(name="client_secret", about=Note("Its secret."), optional=True),
        ),
        searches=True,
        recheck_days=2,
    )

    def __init__(
        self,
        *,
        web: WebOptions,
        keys: Mapping[str, str],
        session: Any = None,
        clock: Clock = WALL,
    ) -> None:
        self._web = web
        self._keys = dict(keys)
        self._session = session
        self._last: Any = None
        self._clock = clock

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Posts newer than the cursor; the cursor moves with the last page only, as the newest come first."""
        search = read_search(query.text)
        known = float(notes_of(query, cursor).get("newest", 0.0))
        newest, after = known, ""
        for step in range(1, RUN_PAGES + 1):
            listing = self._listing(search, after)
            posts, after = listing["children"], listing.get("after") or ""
            newest = max([newest, *times(posts)])
            last = step == RUN_PAGES or not after or not posts or min(times(posts), default=0.0) < known - LATE
            yield self._page(query, posts, bookmark(query, newest=newest) if last else None)
            if last:
                return

    def _listing(self, search: Search, after: str) -> dict[str, Any]:
        params = {"q": search.words, "sort": "new", "t": "all", "restrict_sr": "1", "limit": LIMIT, "after": after}
        with self._translated(search.subreddit):
            answer = self._reddit().request(
                method="GET", path=f"r/{search.subreddit}/search", params={k: v for k, v in params.items() if v}
            )
        try:
            listing: dict[str, Any] = answer["data"]
            return listing if isinstance(listing["children"], list) else {"children": []}
        except (KeyError, TypeError):
            raise _broken() from None

    def _reddit(self) -> Any:
        if not hasattr(self, "_praw"):
            self._praw = sign_in(self._web, self._keys, self._session, self._hear)
        return self._praw

    def _hear(self, response: Any) -> None:
        self._last = response

    @contextmanager
    def _translated(self, subreddit: str) -> Iterator[None]:
        import praw.exceptions
        import prawcore

        self._last = None
        try:
            yield
        except (praw.exceptions.PRAWException, prawcore.PrawcoreException, ValueError, LookupError) as error:
            raise translate(error, self._last, self._clock.now(), subreddit) from None

    def _page(self, query: Query, posts: list[Any], cursor: Cursor | None) -> Page:
        def read(child: Any) -> Mention | None:
            post = child["data"]
            if is_gone(post):
                return None
            mention = admit(to_mention(post), self._clock.now())
            return mention if mentions_any(f"{mention.title} {mention.text}", query.terms) else None

        mentions, refusals = admit_all(posts, read, _name)
        return Page(mentions=mentions, cursor=cursor, refusals=refusals)


def sign_in(web: WebOptions, keys: Mapping[str, str], session: Any, hear: Callable[[Any], None]) -> Any:
    """A read-only praw client; `hear` is told each of Reddit's responses. Raises Refused without keys.

    What a praw.ini or the environment says is overruled.
    """
    if not keys.get("client_id") or not keys.get("client_secret"):
        raise Refused(
            "Reddit needs the id and secret of an app that Reddit has approved (new apps need approval since "
            "November 2025). Enter them as reddit.client_id and reddit.client_secret, or watch Reddit's search "
            "through the rss source instead: https://www.reddit.com/search.rss?q=…&sort=new"
        )
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
        oauth_url=keys.get("oauth_url") or "https://oauth.reddit.com",
        reddit_url=keys.get("reddit_url") or "https://www.reddit.com",
        username=None, password=None, refresh_token=None, redirect_uri=None,
        check_for_updates=False,
        timeout=int(web.deadline) or 1,
        requestor_class=Requestor,
        requestor_kwargs={"session": session, "timeout": web.deadline},
    )


def read_search(text: str) -> Search:
    """`r/mexico: words` searches one subreddit, anything else all of Reddit."""
    found = re.fullmatch(r"\s*/?r/(\w+)\s*:\s*(.+)", text, re.DOTALL)
    search = Search(words=found[2].strip(), subreddit=found[1]) if found else Search(words=text.strip())
    if not search.words:
        raise Refused("The query is empty. Write the words to search for, or r/mexico: and the words.")
    return search


def translate(error: Exception, response: Any, now: datetime, subreddit: str) -> SourceError:
    """Our error for one of praw's, by the last response. Its text is left out: it may quote what was sent."""
    import prawcore

    if isinstance(error, prawcore.NotFound | prawcore.Redirect):
        return Refused("There is no subreddit {subreddit}. Check the name.", subreddit=subreddit)
    if isinstance(error, prawcore.OAuthException | prawcore.InsufficientScope):
        return _key_refused()
    status = getattr(response, "status_code", 200)
    if status in (401, 403):
        return _key_refused()
    if not 200 <= status < 300:
        headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
        return judge(status, headers, now, "Reddit") or _broken()
    if isinstance(error, prawcore.RequestException):
        return TryLater("Reddit cannot be reached. Nothing is lost: the watch goes on by itself.")
    return _broken()


def _key_refused() -> Refused:
    return Refused(
        "Reddit did not accept our app's id and secret. They may have been revoked: enter valid ones and resume the "
        "watch."
    )


def _broken() -> TryLater:
    return TryLater("Reddit's answer cannot be read. Nothing is lost: the watch goes on by itself.")


def times(posts: list[Any]) -> list[float]:
    """When the posts of a page were written, in seconds since 1970; mangled ones are left out."""
    items = [post.get("data") for post in posts if isinstance(post, dict)]
    found = [item.get("created_utc") for item in items if isinstance(item, dict)]
    return [float(moment) for moment in found if isinstance(moment, int | float)]


def is_gone(post: Post) -> bool:
    """Whether its author or a moderator took the post back: then it is not ours to keep."""
    return post["author"] in (None, *GONE) or post.get("selftext") in GONE or bool(post.get("removed_by_category"))


def to_mention(post: Post) -> Mention:
    """Map a post (kind t3). Karma is not followers, and Reddit declares no language."""
    edited = post.get("edited")
    return Mention(
        source="reddit",
        source_id=post["name"],
        title=post["title"],
        text=post.get("selftext") or "",
        url=f"https://www.reddit.com{post['permalink']}",
        created_at=datetime.fromtimestamp(post["created_utc"], UTC),
        edited_at=datetime.fromtimestamp(edited, UTC) if edited and edited is not True else None,
        author=Author(
            id=post.get("author_fullname") or post["author"],
            handle=post["author"],
            url=f"https://www.reddit.com/user/{post['author']}",
        ),
        engagement=Engagement(
            likes=post.get("score"), comments=post.get("num_comments"), shares=post.get("num_crossposts")
        ),
        raw=post,
    )


def _name(child: Any) -> str:
    data = child.get("data") if isinstance(child, dict) else None
    return f"post {data.get('name')}" if isinstance(data, dict) else "post"
