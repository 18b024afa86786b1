"""GitHub: issues that its search finds, or all issues, comments and discussions of a repository of your own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from collectors.bookmark import bookmark
from collectors.http import Answer
from collectors.online import list_of, moments_of, object_of
from collectors.searching import Searching
from collectors.several import Walk
from collectors.translate import Abilities
from collectors.verdict import retry_after
from collectors.walk import Bounds, Notes, Place, Step, Stretch, newest_first, oldest_first
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Page, SourceFacts, Span

LIMIT = 100
PAGES = 10
"""Pages of one search that GitHub shows: 1,000 results."""
LONGEST = 150
"""Characters of the words: GitHub takes 256, with what we add to them."""
SEARCH_BOUNDS = Bounds(first=timedelta(days=90), overlap=timedelta(hours=6))
REPO_BOUNDS = Bounds(first=timedelta(days=90), overlap=timedelta(hours=1))
SEARCH_PACE = (6.1, 2.1)
"""Seconds between two requests without and with a token: GitHub allows 10 and 30 searches a minute."""
SECONDARY_WAIT = 60.0
"""Seconds to wait at a limit that tells no time, as GitHub's guide says."""
OWN = frozenset({"OWNER", "MEMBER"})
"""Who answers for the repository's owner: their comments are no customer's voice."""
DISCUSSIONS = """query($owner: String!, $name: String!, $after: String) {
  repository(owner: $owner, name: $name) {
    discussions(first: 50, after: $after, orderBy: {field: UPDATED_AT, direction: DESC}) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id number title body url createdAt updatedAt lastEditedAt upvoteCount
        category { name } comments { totalCount } reactions { totalCount }
        author { __typename login url ... on User { databaseId } ... on Organization { databaseId } }
      }
    }
  }
}"""

Issue = Mapping[str, Any]
Part = tuple[str, Callable[[Notes], Iterator[Step]], Callable[[Any], Mention | None]]
"""A listing of a repository: its name in the cursor, its walk, and how its items are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repo:
    """A repository, as its address names it."""

    owner: str
    name: str

    @property
    def path(self) -> str:
        """Its path in the API."""
        return f"/repos/{self.owner}/{self.name}"


class GitHubSource(Searching):
    """Searches issues by stretches of time, or reads a repository's listings by when something changed."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="github",
        title="GitHub",
        query_hint='"cafés lumbre", or lumbre/lumbre-app',
        query_about=Note(
            "Words to search for in the issues of all public repositories, in the query language; or a repository as "
            "owner/name, for all its issues, comments and discussions."
        ),
        access="open",
        needs=Note(
            "Nothing for 10 searches a minute and 60 other requests an hour; with a free token 30 and 5,000. "
            "Discussions need a token."
        ),
        needs_credentials=(
            Credential(name="token", optional=True, about=Note(
                "A token from github.com/settings/tokens, fine-grained, that may read public repositories."
            )),
        ),
        keeps=Note("Issues and comments as long as they exist; deleted ones are looked for every 30 days and removed."),
        blind=Note(
            "Pull requests, comments inside discussions, and issues in which the words stand in a comment alone."
        ),
        reach=Note("Everything that is still there."),
        searches=True,
        recheck_days=30,
        recheck_batch=20,
        followers_in_answer="second call",
        fastest=300,
    )  # fmt: skip
    base: ClassVar[str] = "https://api.github.com"
    abilities: ClassVar[Abilities] = Abilities(longest=LONGEST, tells=frozenset({"title", "engagement", "url"}))
    _unfinished = False

    def _pace(self) -> float:
        return SEARCH_PACE[bool(self._keys.get("token"))]

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Issues that a search finds, newest first; or what changed in a repository, oldest first."""
        asked = [read_query(text) for text in self.asked(query.text).searches]
        return self._repo(query, asked[0], cursor) if isinstance(asked[0], Repo) else self._search(query, cursor)

    @classmethod
    def part(cls, text: str) -> slice | None:
        """All, unless it is a repository."""
        return None if repository(text) else super().part(text)

    @classmethod
    def understood(cls, text: str) -> str | Repo:
        """The words or the repository. Raises Refused."""
        return read_query(text)

    def _search(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        now = self._clock.now()

        def walk(words: str) -> Walk:
            ask = partial(self._found, words.strip())
            return lambda notes: newest_first(notes, ask, SEARCH_BOUNDS, now, query.since, by="time")

        for page in self._walked(query, self._each(query, cursor, walk), read_issue, issue_name):
            yield replace(page, doubt=page.doubt or _cut_short(), covers=None) if self._unfinished else page

    def _found(self, words: str, place: Place) -> Stretch:
        page = int(place.token or 1)
        told = {
            "q": f"{words} in:title,body is:issue created:{between(place)}", "sort": "created", "order": "desc",
            "per_page": str(LIMIT), "page": str(page),
        }  # fmt: skip
        answer = object_of(self._told("/search/issues", told))
        if answer.get("incomplete_results"):  # its time was up; often it gets to the end when asked once more
            answer = object_of(self._told("/search/issues", told))
        self._unfinished = self._unfinished or bool(answer.get("incomplete_results"))
        issues = list_of(answer, "items")
        more = len(issues) >= LIMIT
        return Stretch(
            items=issues, times=moments_of(issues, created), capped=more and page >= PAGES,
            token=str(page + 1) if more and page < PAGES else None,
        )

    def _repo(self, query: Query, repo: Repo, cursor: Cursor | None) -> Iterator[Page]:
        """The repository's listings one after the other, from the one in which an earlier run ended."""
        notes = {name: kept for name, kept in self._notes(query, cursor).items() if name != "query"}
        spans: list[Span] = []
        parts = self._parts(query, repo)
        begun = int(notes.get("part", 0)) % len(parts)
        for number in [*range(begun, len(parts)), *range(begun)]:
            name, walk, read = parts[number]
            for step in walk(notes.get(name) or {}):
                spans += [step.covers] if step.covers else []
                notes |= {name: step.notes, "part": number + bool(step.covers)}
                yield self._page(
                    query, step.items, read, issue_name, bookmark(query, **notes), more=step.more,
                    covers=shared_span(spans) if len(spans) == len(parts) else None,
                    doubt=self._doubt() if step.empty else None,
                )
                if step.more:
                    return

    def _parts(self, query: Query, repo: Repo) -> list[Part]:
        now = self._clock.now()

        def listing(path: str, told: Mapping[str, str]) -> Callable[[Notes], Iterator[Step]]:
            def ask(place: Place) -> Stretch:
                return self._changed(f"{repo.path}/{path}", told, place)

            return lambda notes: oldest_first(notes, ask, REPO_BOUNDS, now, query.since)

        def discussed(notes: Notes) -> Iterator[Step]:
            return newest_first(notes, lambda place: self._discussed(repo, place), REPO_BOUNDS, now, query.since)

        parts: list[Part] = [
            ("issues", listing("issues", {"state": "all"}), read_issue),
            ("comments", listing("issues/comments", {}), read_comment),
        ]
        return [*parts, ("discussions", discussed, read_discussion)] if self._keys.get("token") else parts

    def _changed(self, path: str, told: Mapping[str, str], place: Place) -> Stretch:
        page = int(place.token or 1)
        items = list_of(self._told(path, {
            **told, "sort": "updated", "direction": "asc", "since": moment_text(place.since),
            "per_page": str(LIMIT), "page": str(page),
        }))  # fmt: skip
        return Stretch(
            items=items, times=moments_of(items, changed), token=str(page + 1) if len(items) >= LIMIT else None
        )

    def _discussed(self, repo: Repo, place: Place) -> Stretch:
        variables = {"owner": repo.owner, "name": repo.name, "after": place.token}
        answer = self._post("/graphql", {"query": DISCUSSIONS, "variables": variables}, headers=self._headers)
        listing = object_of(answer, "data", "repository", "discussions")
        nodes, page = list_of(listing, "nodes"), object_of(listing, "pageInfo")
        return Stretch(
            items=nodes, times=moments_of(nodes, lambda node: read_time(node["updatedAt"])),
            token=page.get("endCursor") if page.get("hasNextPage") else None,
        )

    @property
    def _headers(self) -> dict[str, str]:
        token = self._keys.get("token")
        signed = {"Authorization": f"Bearer {token}"} if token else {}
        return {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28", **signed}

    def _told(self, path: str, params: Mapping[str, str | None] | None = None) -> Any:
        return self._get(path, params, headers=self._headers)

    def _verdict(self, answer: Answer) -> SourceError | None:
        """GitHub tells its limits as 403 or 429, and the errors of discussions under 200."""
        if answer.status in (403, 429) and (wait := patience(answer, self._clock.now())) is not None:
            return TryLater("GitHub asks us to slow down. Nothing is lost: the watch goes on by itself.", after=wait)
        if answer.status == 200 and urlsplit(answer.url).path.endswith("/graphql"):
            return graph_error(answer)
        return REFUSALS[answer.status]() if answer.status in REFUSALS else None

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for each item: what was deleted answers 410, or 404 in a repository that is still there."""
        return Checked(gone=frozenset(mention.source_id for mention in mentions if self._is_gone(mention)))

    def _is_gone(self, mention: Mention) -> bool:
        path = api_path(mention.url or "")
        if not path:
            return False
        status = self._status(path)
        repo = "/".join(path.split("/")[:4])
        return status == 410 or (status == 404 and self._status(repo) == 200)

    def _status(self, path: str) -> int:
        return self._looked_up(path)[0]

    def _looked_up(self, path: str) -> tuple[int, Any]:
        """The status at a path, and what is there; something that is not there is no error."""

        def verdict(answer: Answer) -> SourceError | None:
            return None if answer.status in (404, 410) else self._verdict(answer)

        try:
            return 200, self._web.get(self._url(path), headers=self._headers, verdict=verdict).json()
        except Refused as error:
            if error.details.get("status") in (404, 410):
                return int(error.details["status"]), None
            raise

    def authors(self, authors: Sequence[Author]) -> Iterable[Author]:
        """Ask for each account; one that is gone, or whose name now belongs to somebody else, is not told."""
        for author in authors:
            status, told = self._looked_up(f"/users/{quote(author.handle, safe='')}")
            if status == 200 and str(told.get("id")) == author.id:
                yield replace(author, followers=told.get("followers"), name=told.get("name") or author.name)


def _no_key() -> Refused:
    return Refused("GitHub did not accept our token. Enter a valid one, or none, and resume the watch.")


def _no_access() -> Refused:
    return Refused(
        "GitHub does not let us read this (HTTP 403). Give the token access to the repository, or use another token."
    )


def _no_repository() -> Refused:
    return Refused("There is no such repository, or the token may not see it. Write it as owner/name.")


def _switched_off() -> Refused:
    return Refused("Issues are switched off in this repository. Choose another repository, or search for words.")


def _not_understood() -> Refused:
    return Refused(
        "GitHub did not understand the search. Write words or a phrase in quotes; qualifiers such as repo: or user: "
        "must name what exists."
    )


def _cut_short() -> TryLater:
    return TryLater(
        "GitHub ran out of time before its search had seen everything. What it found is saved; nothing is concluded "
        "from what is missing."
    )


REFUSALS: Mapping[int, Callable[[], SourceError]] = {
    401: _no_key, 403: _no_access, 404: _no_repository, 410: _switched_off, 422: _not_understood,
}  # fmt: skip


def repository(text: str) -> Repo | None:
    """The repository that a text names as `owner/name` or by its address, if it does."""
    found = re.fullmatch(r"(?:https://github\.com/)?([\w-]+)/([\w.-]+?)(?:\.git)?/?", text.strip(), re.ASCII)
    return Repo(owner=found[1], name=found[2]) if found else None


def read_query(text: str) -> Repo | str:
    """`owner/name` is a repository, anything else words to search for."""
    if repo := repository(text):
        return repo
    words = text.strip()
    if not words or re.search(r"\b(created|in|is|type):", words) or len(words) > LONGEST:
        raise Refused(
            'Write words to search for, such as "cafés lumbre", in at most 150 characters and without in:, is: or '
            "created:; or a repository as owner/name."
        )
    return words


def patience(answer: Answer, now: datetime) -> float | None:
    """Seconds that GitHub asks us to wait, or None where the answer is about no limit."""
    told = retry_after(answer.headers, now)
    if told is not None:
        return told
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(int(reset) - now.timestamp(), 1.0)
    return SECONDARY_WAIT if re.search(rb"rate limit|abuse detection", answer.body) else None


def graph_error(answer: Answer) -> SourceError | None:
    """The error that an answer about discussions tells in its body, or None."""
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    errors = told.get("errors") if isinstance(told, dict) else None
    kinds = {error.get("type") for error in errors or () if isinstance(error, dict)}
    if not errors:
        return None
    if "RATE_LIMITED" in kinds:
        return TryLater(
            "GitHub asks us to slow down. Nothing is lost: the watch goes on by itself.", after=SECONDARY_WAIT
        )
    if "NOT_FOUND" in kinds:
        return _no_repository()
    return _no_access() if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES"} else _formless()


def _formless() -> TryLater:
    return TryLater("GitHub could not answer. Nothing is lost: the watch goes on by itself.")


def shared_span(spans: Sequence[Span]) -> Span:
    """The time that all of them cover."""
    return Span(max(span.start for span in spans), min(span.end for span in spans))


def moment_text(moment: datetime) -> str:
    """A moment as GitHub writes it, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def between(place: Place) -> str:
    """The times of a search, both ends included."""
    since = moment_text(place.since)
    return f"{since}..{moment_text(place.until)}" if place.until else f">={since}"


def read_time(text: str) -> datetime:
    """A moment as GitHub writes it."""
    return datetime.fromisoformat(text)


def created(issue: Any) -> datetime:
    """By what a search is ordered."""
    return read_time(issue["created_at"])


def changed(item: Any) -> datetime:
    """By what a repository's listings are ordered."""
    return read_time(item["updated_at"])


def issue_name(item: Any) -> str:
    """How a refused item is named to a person."""
    return f"item {item.get('number') or item.get('id')}" if isinstance(item, dict) else "item"


def api_path(url: str) -> str | None:
    """Where the API has the issue or comment of that page; None for discussions, which it has elsewhere."""
    parts = urlsplit(url)
    found = re.fullmatch(r"/([\w-]+)/([\w.-]+)/issues/(\d+)", parts.path, re.ASCII)
    if not found:
        return None
    comment = re.fullmatch(r"issuecomment-(\d+)", parts.fragment, re.ASCII)
    return f"/repos/{found[1]}/{found[2]}/issues/" + (f"comments/{comment[1]}" if comment else found[3])


def read_issue(issue: Issue) -> Mention | None:
    """The mention in an issue; pull requests and what programs write are left out."""
    return None if issue.get("pull_request") or is_bot(issue["user"]) else to_mention(issue)


def read_comment(comment: Issue) -> Mention | None:
    """The mention in a comment; those on pull requests, of programs and of the repository's owners are left out."""
    if "/pull/" in (comment.get("html_url") or "") or comment.get("author_association") in OWN:
        return None
    return None if is_bot(comment["user"]) else to_mention(comment)


def is_bot(user: Mapping[str, Any] | None) -> bool:
    """Whether a program wrote it."""
    return user is not None and user.get("type") == "Bot"


def words_of(body: str | None) -> str:
    """What was written, without the remarks of a form that its page does not show."""
    text = body or ""
    kept, at = list[str](), 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        kept.append(text[at:start])
        at = end + len("-->")
    return "".join([*kept, text[at:]]).replace("\r\n", "\n").strip()


def to_mention(item: Issue) -> Mention:
    """Map an issue or a comment. A change of an issue may be anything; that of a comment is an edit of its text."""
    comment = "title" not in item
    made, touched = created(item), changed(item)
    return Mention(
        source="github",
        source_id=item.get("node_id") or str(item["id"]),
        kind="comment" if comment else "post",
        title=None if comment else item["title"],
        text=words_of(item["body"]),
        url=item.get("html_url"),
        created_at=made,
        edited_at=touched if comment and touched > made else None,
        author=author_of(item["user"]),
        engagement=Engagement(
            likes=(item.get("reactions") or {}).get("total_count"), comments=None if comment else item.get("comments")
        ),
        parent_id=item.get("issue_url") if comment else None,
        raw=dict(item),
    )


def author_of(user: Mapping[str, Any] | None) -> Author | None:
    """Who wrote it; None for an account that was deleted."""
    if not user:
        return None
    login = user["login"]
    return Author(id=str(user["id"]), handle=login, url=user.get("html_url") or f"https://github.com/{login}")


def read_discussion(node: Issue) -> Mention | None:
    """The mention in a discussion's first post; what programs write is left out."""
    author = node["author"]
    if author and author.get("__typename") == "Bot":
        return None
    return Mention(
        source="github",
        source_id=node["id"],
        kind="post",
        title=node["title"],
        text=words_of(node["body"]),
        url=node["url"],
        created_at=read_time(node["createdAt"]),
        edited_at=read_time(node["lastEditedAt"]) if node.get("lastEditedAt") else None,
        author=Author(id=str(author.get("databaseId") or author["login"]), handle=author["login"],
                      url=author.get("url")) if author else None,
        engagement=Engagement(likes=node.get("upvoteCount"), comments=node["comments"]["totalCount"]),
        raw=dict(node),
    )  # fmt: skip
