"""Stack Exchange: questions that the search of one of its sites finds, such as Stack Overflow in Spanish."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any, ClassVar

from collectors.http import Answer
from collectors.online import list_of, moments_of
from collectors.pace import pace_at
from collectors.plain import plain
from collectors.searching import Searching
from collectors.several import Walk
from collectors.translate import Abilities
from collectors.walk import Bounds, Place, Stretch, newest_first
from escucha.admission import admit, admit_all
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Page, Quota, SourceFacts

LIMIT = 100
PAGES = 25
"""Pages of one question that the API shows without a user's token."""
BOUNDS = Bounds(first=timedelta(days=365), overlap=timedelta(hours=6))
"""A brand is asked about seldom, so a year back costs little."""
LANGUAGES = {"stackoverflow": "en", "es.stackoverflow": "es", "pt.stackoverflow": "pt", "ru.stackoverflow": "ru",
             "ja.stackoverflow": "ja"}  # fmt: skip
"""What is spoken on the sites that have one language; elsewhere it is found out."""
SITE = re.compile(r"\s*(?:https?://)?([a-z0-9][a-z0-9.-]*)/?\s*:\s*(\S.*)", re.IGNORECASE | re.DOTALL)
KEY_ERRORS = frozenset({401, 402, 403, 405, 406})
PASSING = frozenset({500, 503})

Question = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Words to search for on one site, named as its API does (`es.stackoverflow`)."""

    site: str
    words: str


class StackExchangeSource(Searching):
    """Searches a site's questions by when they were asked, in stretches of time."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="stackexchange",
        title="Stack Exchange",
        query_hint="es.stackoverflow: lumbre",
        query_about=Note(
            "A site, a colon, and the words to search for there, in the query language."
        ),
        access="open",
        needs=Note("Nothing for 300 requests a day; with a free key from stackapps.com 10,000 a day."),
        needs_credentials=(
            Credential(name="key", about=Note("The key of an app registered at stackapps.com (free)."), optional=True),
        ),
        keeps=Note(
            "Questions under the licence CC BY-SA: keep the link and the author with them. Deleted ones are looked for "
            "every 30 days and removed."
        ),
        blind=Note("Answers and comments, followers (reputation is no audience), and sites that you do not name."),
        reach=Note("Everything since the site began."),
        searches=True,
        recheck_days=30,
        recheck_batch=100,
        fastest=600,
    )
    base: ClassVar[str] = "https://api.stackexchange.com"
    abilities: ClassVar[Abilities] = Abilities(
        quotes=None, tells=frozenset({"title", "lang", "engagement", "url"}), own=r"\[[\w.#+-]+\]"
    )

    @classmethod
    def part(cls, text: str) -> slice | None:
        """What stands after the site and its colon."""
        found = SITE.fullmatch(text)
        return slice(*found.span(2)) if found else None

    @classmethod
    def understood(cls, text: str) -> Search:
        """The site and the words. Raises Refused."""
        return read_search(text)

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Questions asked since the cursor, less an overlap, newest first."""
        site, now = read_search(query.text).site, self._clock.now()

        def walk(text: str) -> Walk:
            ask = partial(self._stretch, read_search(text))
            return lambda notes: newest_first(notes, ask, BOUNDS, now, query.since, by="time")

        return self._walked(query, self._each(query, cursor, walk), partial(to_mention, site=site), question_name)

    def _stretch(self, search: Search, place: Place) -> Stretch:
        page = int(place.token or 1)
        # Whether the end of a time is included is not written down: a second more repeats items and loses none.
        until = str(int(place.until.timestamp()) + 1) if place.until else None
        answer = self._told("/2.3/search/advanced", {
            "site": search.site, "q": search.words, "sort": "creation", "order": "desc", "filter": "withbody",
            "fromdate": str(int(place.since.timestamp())), "todate": until, "pagesize": str(LIMIT), "page": str(page),
        })  # fmt: skip
        questions = list_of(answer, "items")
        more = bool(answer.get("has_more")) and bool(questions)
        return Stretch(
            items=questions, times=moments_of(questions, when), capped=more and page >= PAGES,
            token=str(page + 1) if more and page < PAGES else None,
        )

    def _told(self, path: str, params: Mapping[str, str | None]) -> Mapping[str, Any]:
        """An answer, whose wish for a pause holds for whoever asks next, and whose quota is remembered."""
        answer: Mapping[str, Any] = self._get(path, {**params, "key": self._keys.get("key")})
        list_of(answer, "items")
        pause = answer.get("backoff")
        if isinstance(pause, int | float) and pause > 0:
            pace_at(self._options.shared).hold(self._host, float(pause), self._clock)
        if isinstance(left := answer.get("quota_remaining"), int):
            self._web.quota = Quota(limit=answer.get("quota_max"), remaining=left)
        return answer

    def _verdict(self, answer: Answer) -> SourceError | None:
        """Errors are told in the body, with status 400 whatever they are."""
        told = error_of(answer)
        return explain(told) if told else None

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask each site for its questions as they are now: one that a list of others lacks is gone."""
        asked = sorted(mention.source_id.rpartition(":")[::2] for mention in mentions)
        parts = [self._recheck(site, [number for _, number in of]) for site, of in groupby(asked, lambda one: one[0])]
        return Checked(
            gone=frozenset().union(*(part.gone for part in parts)),
            fresh=tuple(mention for part in parts for mention in part.fresh),
        )

    def _recheck(self, site: str, numbers: Sequence[str]) -> Checked:
        answer = self._told(
            f"/2.3/questions/{';'.join(numbers)}", {"site": site, "filter": "withbody", "pagesize": str(LIMIT)}
        )
        questions = list_of(answer, "items")
        found = {str(question["question_id"]) for question in questions if is_question(question)}
        if len(found) < len(questions) or answer.get("has_more") or (not found and len(numbers) > 1):
            return Checked()  # an answer in pieces, or one that lacks everything, tells nothing of what is missing
        fresh, _ = admit_all(questions, lambda one: admit(to_mention(one, site), self._clock.now()), question_name)
        return Checked(gone=frozenset(f"{site}:{number}" for number in numbers if number not in found), fresh=fresh)


def read_search(text: str) -> Search:
    """`es.stackoverflow: words`; the site also as its address has it (`es.stackoverflow.com`)."""
    found = SITE.fullmatch(text)
    if not found:
        raise Refused("Write a site of Stack Exchange, a colon, and the words to search for: es.stackoverflow: lumbre")
    site = re.sub(r"(\.stackexchange)?\.com$", "", found[1].lower())
    return Search(site=site, words=found[2].strip())


def error_of(answer: Answer) -> Mapping[str, Any] | None:
    """The error that a body tells, or None where it tells none."""
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) and told.get("error_id") else None


def explain(told: Mapping[str, Any]) -> SourceError:
    """Our error for one of the API's (api.stackexchange.com/docs/error-handling)."""
    number, said = told["error_id"], str(told.get("error_message") or "")
    if number == 502:
        wait = re.search(r"available in (\d+) seconds", said)
        return TryLater(
            "Stack Exchange asks us to slow down. Nothing is lost: the watch goes on by itself. A free key from "
            "stackapps.com allows more requests a day.",
            after=float(wait[1]) if wait else None,
        )
    if number in PASSING:
        return TryLater("Stack Exchange is having trouble. Nothing is lost: the watch goes on by itself.")
    if number in KEY_ERRORS or re.search(r"\bkey\b", said):
        return Refused("Stack Exchange did not accept our key. Enter a valid one, or none, and resume the watch.")
    if "site" in said.lower():
        return Refused(
            "Stack Exchange has no site of this name. Write it as in its address: es.stackoverflow, cooking, superuser."
        )
    return Refused("Stack Exchange did not understand the request. Check the site and the words.")


def when(question: Any) -> datetime:
    """When it was asked."""
    return datetime.fromtimestamp(question["creation_date"], UTC)


def is_question(question: Any) -> bool:
    """Whether it has the id that questions have."""
    return isinstance(question, dict) and isinstance(question.get("question_id"), int)


def question_name(question: Any) -> str:
    """How a refused question is named to a person."""
    return f"question {question.get('question_id')}" if isinstance(question, dict) else "question"


def to_mention(question: Question, site: str) -> Mention:
    """Map a question of a site. Reputation is not followers; ids count anew on every site."""
    edited = question.get("last_edit_date")
    return Mention(
        source="stackexchange",
        source_id=f"{site}:{question['question_id']}",
        kind="post",
        title=plain(question["title"]),
        text=plain(question.get("body") or ""),
        lang=LANGUAGES.get(site),
        url=question.get("link") or None,
        created_at=when(question),
        edited_at=datetime.fromtimestamp(edited, UTC) if edited else None,
        author=author_of(question.get("owner") or {}, site),
        engagement=Engagement(
            likes=question.get("score"), comments=question.get("answer_count"), views=question.get("view_count")
        ),
        raw=dict(question),
    )


def author_of(owner: Mapping[str, Any], site: str) -> Author | None:
    """Who asked; None for an account that was deleted."""
    if not owner.get("user_id"):
        return None
    name = plain(owner.get("display_name") or "") or str(owner["user_id"])
    return Author(id=f"{site}:{owner['user_id']}", handle=name, name=name, url=owner.get("link") or None)
