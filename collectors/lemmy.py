"""Lemmy: posts and comments that one server's search finds, newest first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlsplit

from collectors.http import Answer
from collectors.online import asked_of, is_own, list_of, moments_of, object_of
from collectors.searching import Searching, before_at
from collectors.several import Walk
from collectors.translate import Abilities
from collectors.walk import Bounds, Place, Step, Stretch, newest_first
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Page, SourceFacts

LIMIT = 50
BOUNDS = Bounds(first=timedelta(days=30), overlap=timedelta(hours=6), steps=12)
"""A server allows 60 searches in ten minutes; posts of other servers arrive late, so six hours are read again."""

View = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Words to search for on one server, whose `base` is its address."""

    words: str
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a server says of itself: the API it speaks, and its own numbers for languages."""

    base: str
    api: str = "v3"
    languages: Mapping[int, str] = field(default_factory=dict)


class LemmySource(Searching):
    """Asks a server for its version first: up to 0.19 pages are numbers, from 1.0 on each leads to the next."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="lemmy",
        title="Lemmy",
        query_hint="cafés lumbre@lemmy.world",
        query_about=Note("Words to search for, in the query language, and the server to ask, after @."),
        needs=Note("Nothing: no key, no cost. A server allows about 60 searches in ten minutes."),
        keeps=Note(
            "Posts and comments as long as they exist there; deleted ones are looked for every 7 days and removed."
        ),
        blind=Note(
            "Followers (Lemmy has none), what this server never received from others, and accounts that are programs."
        ),
        reach=Note("What the server still has; a first reading goes 30 days back."),
        needs_credentials=(
            Credential(
                name="token", optional=True,
                about=Note("An account's token, for a server that shows nothing to strangers."),
            ),
            Credential(
                name="server", secret=False, optional=True, leads=True,
                about=Note("The server the token belongs to, such as lemmy.world: it is sent to no other."),
            ),
        ),
        searches=True,
        recheck_days=7,
        recheck_batch=20,
        fastest=300,
    )
    abilities: ClassVar[Abilities] = Abilities(
        quotes="", parts=True, terms=1, accents="distinct",
        tells=frozenset({"title", "lang", "engagement", "url", "site"}),
    )
    """Servers look for the words as one piece of text (`%cafés%lumbre%`), in this order and with these accents."""

    @classmethod
    def part(cls, text: str) -> slice | None:
        """What stands before the last @."""
        return before_at(text)

    @classmethod
    def understood(cls, text: str) -> Asked:
        """The words and the server. Raises Refused."""
        return read_query(text)

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Posts and comments newer than the cursor, less an overlap."""
        site, now = self._site(read_query(query.text).base), self._clock.now()

        def walk(text: str) -> Walk:
            asked = read_query(text)
            if site.api == "v3":
                numbered = partial(self._numbered, asked)
                return lambda notes: newest_first(notes, numbered, BOUNDS, now, query.since, by="number")
            return lambda notes: newest_first(notes, partial(self._linked, asked), BOUNDS, now, query.since)

        steps = self._each(query, cursor, walk)
        return self._walked(query, steps, partial(read_view, site=site), view_name, gone=_gone_in)

    def _numbered(self, asked: Asked, place: Place) -> Stretch:
        page = int(place.token or 1)
        answer = self._ask(asked.base, "/api/v3/search", {
            "q": asked.words, "type_": "All", "sort": "New", "listing_type": "All", "limit": str(LIMIT),
            "page": str(page),
        })  # fmt: skip
        full = any(len(list_of(answer, part)) >= LIMIT for part in ("posts", "comments"))
        return _stretch(answer, str(page + 1) if full else None)

    def _linked(self, asked: Asked, place: Place) -> Stretch:
        answer = self._ask(asked.base, "/api/v4/search", {
            "search_term": asked.words, "sort": "new", "listing_type": "all", "limit": str(LIMIT),
            "page_cursor": place.token,
        })  # fmt: skip
        stretch = _stretch(answer, answer.get("next_page"))
        return stretch if stretch.items else Stretch(items=(), times=())

    def _site(self, base: str) -> Site:
        """What the server is. Raises Refused where it is no Lemmy server."""
        try:
            told = object_of(self._ask(base, "/api/v3/site"))
        except Refused as error:
            if not error.details.get("foreign"):
                raise
            told = object_of(self._ask(base, "/api/v4/site"))
        version = re.match(r"(\d+)\.", str(told.get("version", "")))
        if not version:
            raise _no_lemmy(urlsplit(base).netloc)
        languages = {
            language["id"]: language["code"] for language in list_of(told, "all_languages")
            if isinstance(language, Mapping) and isinstance(language.get("id"), int)
            and language.get("code") not in (None, "und")
        }  # fmt: skip
        return Site(base=base, api="v4" if int(version[1]) >= 1 else "v3", languages=languages)

    def _ask(self, base: str, path: str, params: Mapping[str, str | None] | None = None) -> Any:
        token = self._keys.get("token", "") if is_own(self._keys.get("server", ""), base) else ""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._get(f"{self._keys.get('base_url') or base}{path}", params, headers=headers)

    def _verdict(self, answer: Answer) -> SourceError | None:
        error = _error_of(answer)
        if error and ("couldnt_find" in error or error == "not_found"):
            return Refused("{host} has nothing at this address. Check the query.", host=answer.host, gone=True)
        if error == "rate_limit_error" and answer.status != 429:
            return TryLater(
                "{host} asks us to slow down. Nothing is lost: the watch goes on by itself.",
                after=600, host=answer.host,
            )
        if error == "instance_is_private":
            return Refused(
                "{host} shows nothing to strangers. Enter the token of an account there on the page Sources, or ask "
                "another server.",
                host=answer.host,
            )
        if answer.status == 404 or (answer.status == 200 and answer.body.lstrip()[:1] == b"<"):
            return _no_lemmy(answer.host)
        return None

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask the server that was asked, for each by its id there."""
        sites: dict[str, Site] = {}

        def look(mention: Mention) -> Mention | None:
            base = asked_of(mention) or ""
            site = sites[base] = sites.get(base) or self._site(base)
            view = self._view(mention.raw or {}, site)
            return None if is_gone(view) else to_mention(view, site)

        return self._looked_at(mentions, look, asked_of)

    def _view(self, raw: View, site: Site) -> View:
        part = "comment" if "comment" in raw else "post"
        number = str(raw[part]["id"])
        return object_of(self._ask(site.base, f"/api/{site.api}/{part}", {"id": number}), f"{part}_view")


def read_query(text: str) -> Asked:
    """`cafés lumbre@lemmy.world`: words, and the server behind the last @ (or its address).

    Raises:
        Refused: anything else, with an example.
    """
    words, _, server = (part.strip() for part in text.rpartition("@"))
    base = server.rstrip("/") if server.startswith(("http://", "https://")) else f"https://{server.rstrip('/')}"
    if not words or not re.fullmatch(r"https?://[^\s/@?#]+", base):
        raise Refused(
            "The query {query} names no words or no server. Write it as cafés lumbre@lemmy.world.", query=text.strip()
        )
    return Asked(words=" ".join(words.split()), base=base)


def _no_lemmy(host: str) -> Refused:
    """Something else than a Lemmy server answered, or one without this API: the detail `foreign` marks it."""
    return Refused(
        "{host} does not answer as a Lemmy server. Check the part of the query behind @.", host=host, foreign=True
    )


def _error_of(answer: Answer) -> str | None:
    """The error that Lemmy names."""
    if answer.status < 400:
        return None
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return str(told["error"]) if isinstance(told, dict) and "error" in told else None


def _stretch(answer: Any, token: str | None) -> Stretch:
    """Posts and comments of one page: two lists side by side, of which the one that reaches less far back counts."""
    posts, comments = list_of(answer, "posts"), list_of(answer, "comments")
    told = [moments_of(part, when) for part in (posts, comments)]
    reached = max((times[-1] for times in told if times), default=None)
    times = [moment for part in told for moment in part]
    return Stretch(items=[*posts, *comments], times=[*times, reached] if reached else times, token=token)


def _what(view: View) -> View:
    """The comment or post itself."""
    what: View = view["comment"] if "comment" in view else view["post"]
    return what


def when(view: Any) -> datetime:
    """The moment by which the search is ordered."""
    return _moment(_what(view).get("published_at") or _what(view)["published"])


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # up to 0.18 they had none


def view_name(view: Any) -> str:
    """How a refused post or comment is named to a person."""
    try:
        return f"item {_what(view)['id']}"
    except (KeyError, TypeError, AttributeError):
        return "item"


def is_gone(view: View) -> bool:
    """Whether its author deleted it, or a moderator removed it."""
    return _what(view).get("deleted") is True or _what(view).get("removed") is True


def _gone_in(step: Step) -> tuple[str, ...]:
    gone = []
    for view in step.items:
        try:
            gone += [_what(view)["ap_id"]] if is_gone(view) else []
        except (KeyError, TypeError, AttributeError):
            continue
    return tuple(gone)


def read_view(view: View, site: Site) -> Mention | None:
    """The mention in a view; None for what is deleted, and for programs that post."""
    return None if is_gone(view) or view["creator"].get("bot_account") else to_mention(view, site)


def to_mention(view: View, site: Site) -> Mention:
    """Map a post or comment of either API. `ap_id` is the same on every server, the local `id` is not.

    The raw form also says which server was `asked` (its address), for the local id to mean something later.
    """
    what, counts = _what(view), view.get("counts") or _what(view)
    is_comment = "comment" in view
    edited = what.get("updated_at") or what.get("updated")
    return Mention(
        source="lemmy",
        source_id=what["ap_id"],
        kind="comment" if is_comment else "post",
        title=None if is_comment else what["name"],
        text=unmarked(what["content"] if is_comment else what.get("body") or ""),
        lang=site.languages.get(what.get("language_id", 0), "").lower() or None,
        url=what["ap_id"],
        created_at=when(view),
        edited_at=_moment(edited) if edited else None,
        author=_author(view["creator"]),
        engagement=Engagement(
            likes=counts.get("score"), comments=counts.get("child_count" if is_comment else "comments")
        ),
        parent_id=_parent(view, site) if is_comment else None,
        raw={**view, "asked": site.base},
    )


def _author(creator: View) -> Author:
    identity = creator.get("ap_id") or creator["actor_id"]
    return Author(
        id=identity, handle=f"{creator['name']}@{urlsplit(identity).netloc}",
        name=creator.get("display_name") or None, url=identity,
    )  # fmt: skip


def _parent(view: View, site: Site) -> str | None:
    """What a comment answers: its path (`0.400.501`) names the comments above it; with none above it is the post."""
    above = view["comment"]["path"].split(".")[1:-1]
    if above:
        return f"{site.base}/comment/{above[-1]}"
    return (view.get("post") or {}).get("ap_id")


def unmarked(markdown: str) -> str:
    """The words of a Markdown text: links and pictures become their names, marks of form vanish."""
    text = re.sub(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s{1,9}\"[^\"\n]{0,500}\")?\)", r"\1", markdown)
    text = "\n".join(map(_unmarked, text.split("\n")))
    return re.sub(r"(?m)^\s{0,3}(#{1,6}\s+|>\s?|:::.*$)", "", text).strip()


def _unmarked(line: str) -> str:
    """A line without its pairs of marks: each begins before a word, and the same one ends it."""
    parts, begun = re.split(r"(\*\*|__|~~|`+)", line), dict[str, int]()
    for at in range(1, len(parts), 2):
        mark, before, behind = parts[at], parts[at - 1], parts[at + 1]
        if mark in begun and not before[-1:].isspace() and (before or at > begun[mark] + 2):
            parts[at] = parts[begun.pop(mark)] = ""
        elif not behind[:1].isspace() and (behind or at + 2 < len(parts)):
            begun[mark] = at
    return "".join(parts)
