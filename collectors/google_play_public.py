"""Google Play as its web page shows it: the reviews of any Android app, also of competitors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from collectors.bookmark import notes_of
from collectors.google_play import PACKAGE, play_review
from collectors.http import Answer
from collectors.online import OnlineSource, moments_of
from collectors.walk import Bounds, Place, Step, Stretch, newest_first
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Mention
from escucha.note import Note
from escucha.source import Cursor, Page, SourceFacts

PATH = "/_/PlayStoreUi/data/batchexecute"
CALL = "oCPfdb"
"""The name that the Play Store's page has for the call that lists reviews."""
NEWEST = 2
LIMIT = 150
BOUNDS = Bounds(first=timedelta(days=90), overlap=timedelta(days=1))


class App(NamedTuple):
    """An app, and the language and country (two letters, lower case) in which its page is asked for."""

    package: str
    lang: str
    country: str


class GooglePlayPublicSource(OnlineSource):
    """Asks what the Play Store's own page asks. Its mentions bear the same keys as those of `google-play`."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="google-play-public",
        recorded_as="google-play",
        title="Google Play (public page)",
        own=True,
        query_hint="es-mx com.lumbre.app",
        query_about=Note(
            "The language and country, then the app's name as it stands in the address of its page, behind id=."
        ),
        access="open",
        needs=Note("Nothing: no key, no cost. It works for any app, but against Google's terms."),
        keeps=Note("Google allows none of this. Keep no more than you need; deleted reviews are not told."),
        blind=Note(
            "Ratings without words and followers. What is shown depends on the language and the country. Google may "
            "change or block this way any day; nothing is concluded from an empty answer."
        ),
        reach=Note("The last 90 days at first; a backfill goes as far back as the page shows."),
        terms=Note(
            "Google's terms of service do not allow reading Google Play by a program, and Google may block your "
            "network. Find out whether the law where you are allows it. For your own app use the source Google Play, "
            "which Google offers for this. Switch this one on only if you answer for it."
        ),
        fastest=3600,
    )
    base: ClassVar[str] = "https://play.google.com"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Reviews newer than the cursor, less an overlap."""
        app = read_app(query.text)

        def ask(place: Place) -> Stretch:
            return self._stretch(app, place.token)

        def read(review: Any) -> Mention:
            return to_mention(review, app)

        steps = newest_first(notes_of(query, cursor), ask, BOUNDS, self._clock.now(), query.since)
        return self._walked(query, believed(steps), read, review_name)

    def _stretch(self, app: App, token: str | None) -> Stretch:
        answer = self._web.post(
            self._url(PATH), params={"hl": app.lang, "gl": app.country}, form={"f.req": asked(app.package, token)},
            verdict=self._verdict,
        )
        reviews, further = told(answer)
        return Stretch(items=reviews, times=moments_of(reviews, when), token=further if reviews else None)

    def _verdict(self, answer: Answer) -> SourceError | None:
        if answer.status in (401, 403):
            return Refused(
                "Google does not show its reviews to this network (HTTP {status}). Resume the watch in some days, or "
                "switch this source off.",
                status=answer.status,
            )
        return None

    def _doubt(self) -> SourceError:
        return TryLater(
            "{host} answered without a single review. Either the app has none in this language and country, or its "
            "name is wrong, or this network is blocked: nothing is concluded from it.",
            host=self._host,
        )


def read_app(text: str) -> App:
    """`es-mx com.lumbre.app`. Raises Refused for anything else."""
    found = re.fullmatch(rf"([A-Za-z]{{2}})[-_]([A-Za-z]{{2}})\s+({PACKAGE})", text.strip())
    if found is None:
        raise Refused(
            "The query {query} names no app. Write language, country and app, as in es-mx com.lumbre.app.",
            query=text.strip(),
        )
    return App(package=found[3], lang=found[1].lower(), country=found[2].lower())


def asked(package: str, token: str | None) -> str:
    """The call as the page makes it: a list within a text within a list."""
    extent = [LIMIT, None, token] if token else [LIMIT]
    call = [None, [2, NEWEST, extent, None, [None] * 9], [package, 7]]
    return json.dumps([[[CALL, json.dumps(call), None, "generic"]]])


def told(answer: Answer) -> tuple[list[Any], str | None]:
    """The reviews in an answer and the mark of the next page.

    Raises:
        TryLater: it is a page for people, a refusal, or of a form that we do not know.
    """
    try:
        rows = json.loads(answer.body.decode().removeprefix(")]}'"))
        row = next(row for row in rows if row[0] == "wrb.fr")
        inner = json.loads(row[2])
        reviews = (inner[0] if inner else None) or []
    except (ValueError, RecursionError, LookupError, TypeError, StopIteration):
        raise TryLater(
            "Google Play answered without its list of reviews. It asks for patience or blocks this network; the watch "
            "goes on by itself."
        ) from None
    return (reviews, _further(inner)) if isinstance(reviews, list) else ([], None)


def _further(inner: list[Any]) -> str | None:
    """The mark of the next page: in the last part but one today, in the second part in older answers."""
    for part in (inner[-2:-1], inner[1:2]):
        mark = part[0][-1] if part and isinstance(part[0], list) and part[0] else None
        if isinstance(mark, str):
            return mark or None
    return None


def believed(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps; where nothing was ever seen, an empty one is a doubt that moves nothing, for it may be a block."""
    for step in steps:
        blank = not (step.items or step.notes.get("seen"))
        yield replace(step, notes={}, covers=None, empty=True) if blank else step


def when(review: Any) -> datetime:
    """The moment by which the reviews are ordered: when the person wrote or last changed it."""
    return datetime.fromtimestamp(int(review[5][0]), UTC)


def review_name(review: Any) -> str:
    """How a refused review is named to a person."""
    return f"review {review[0]}" if isinstance(review, list) and review else "review"


def to_mention(review: list[Any], app: App) -> Mention:
    """Map a review by its positions. Its language is the one asked for, its place the country asked for."""
    raw: Mapping[str, Any] = {"review": review, "lang": app.lang, "country": app.country}
    return play_review(
        app.package, review[0], text=review[4] or "", author=review[1][0], stars=review[2], written=when(review),
        likes=review[6], lang=app.lang, place=app.country.upper(), raw=raw,
    )
