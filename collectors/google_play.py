"""Google Play: the reviews of your own Android app, from Google's own interface."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

from collectors.bookmark import notes_of
from collectors.google_signin import GoogleSignIn, ServiceAccount, complaint_of, shared_verdict
from collectors.http import Answer
from collectors.online import OnlineSource, list_of, moments_of, object_of
from collectors.walk import Bounds, Place, Stretch, newest_first
from escucha.brand import Query
from escucha.errors import Refused, SourceError
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.source import Credential, Cursor, Page, SourceFacts

LIMIT = 100
SCOPE = "https://www.googleapis.com/auth/androidpublisher"
WEEK = timedelta(days=7)
BOUNDS = Bounds(first=WEEK, overlap=timedelta(days=1), window=WEEK)
PACKAGE = r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+"
"""An app's name as the Play Store writes it."""


class GooglePlaySource(OnlineSource):
    """Asks as a service account, in whose name the app's owner lets reviews be read."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="google-play",
        title="Google Play",
        own=True,
        query_hint="com.lumbre.app",
        query_about=Note("Your app's name as it stands in the address of its page: what follows id= there."),
        access="own key",
        needs=Note(
            "Your own app, and a service account that you invite in the Play Console with the permission to reply to "
            "reviews. There is no cost."
        ),
        keeps=Note("Reviews as long as you need them. Google does not tell which were deleted, so they stay here."),
        blind=Note(
            "Apps of others, ratings without words, test versions, followers, and what was neither written nor changed "
            "in the week before the first run."
        ),
        reach=Note("The last 7 days. For older reviews, import the monthly files of the Play Console."),
        reach_days=7,
        needs_credentials=(
            Credential(
                name="service_account",
                about=Note("The JSON file of the service account's key, from its first brace to its last."),
            ),
        ),
        fastest=600,
    )
    base: ClassVar[str] = "https://androidpublisher.googleapis.com"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Reviews written or changed since the cursor, less an overlap."""
        package = read_package(query.text)

        def ask(place: Place) -> Stretch:
            return self._stretch(package, place.token)

        def read(review: Any) -> Mention:
            return to_mention(review, package)

        steps = newest_first(notes_of(query, cursor), ask, BOUNDS, self._clock.now(), query.since)
        return self._walked(query, steps, read, review_name)

    def _stretch(self, package: str, token: str | None) -> Stretch:
        path = f"/androidpublisher/v3/applications/{package}/reviews"
        answer = object_of(self._get(path, {"maxResults": str(LIMIT), "token": token}, headers=self._signin.headers()))
        reviews = list_of(answer, "reviews")
        further = answer.get("tokenPagination")
        return Stretch(
            items=reviews, times=moments_of(reviews, when),
            token=(further.get("nextPageToken") or None) if isinstance(further, Mapping) else None,
        )

    @cached_property
    def _signin(self) -> GoogleSignIn:
        account = ServiceAccount(key=self._key("service_account"), scope=SCOPE)
        return GoogleSignIn(self._web, self._clock, account, self._keys.get("base_url", ""))

    def _verdict(self, answer: Answer) -> SourceError | None:
        complaint = complaint_of(answer)
        if complaint is None:
            return None
        if answer.status == 404:
            return Refused(
                "Google Play knows no published app of this name. Check the query: it is what follows id= in the "
                "address of the app's page."
            )
        shared = shared_verdict(answer, complaint, self._clock.now())
        # A missing permission comes as 401 at times, and an app of somebody else as 403.
        if shared is None and (answer.status == 403 or "permissionDenied" in complaint.reasons):
            return Refused(
                "The service account may not read this app's reviews. Invite it in the Play Console, under Users and "
                "permissions, with the permission to reply to reviews; that can take a day to work."
            )
        return shared


def read_package(text: str) -> str:
    """`com.lumbre.app`, or the address of its page in Google Play. Raises Refused for anything else."""
    said = text.strip()
    found = re.fullmatch(rf"(?:https?://play\.google\.com/store/apps/details\?(?:\S*&)?id=)?({PACKAGE})(?:&\S*)?", said)
    if found is None:
        raise Refused("The query {query} names no app. Write it as in com.lumbre.app.", query=said)
    return found[1]


def when(review: Any) -> datetime:
    """The moment by which the reviews are ordered: when the person wrote or last changed it."""
    return datetime.fromtimestamp(int(_said(review)["lastModified"]["seconds"]), UTC)


def review_name(review: Any) -> str:
    """How a refused review is named to a person."""
    return f"review {review.get('reviewId')}" if isinstance(review, Mapping) else "review"


def to_mention(review: Mapping[str, Any], package: str) -> Mention:
    """Map a review. Its language is that of the device; a title may stand before the text, behind which comes a tab."""
    said = _said(review)
    words = said.get("originalText") or said.get("text") or ""
    title, tab, text = words.partition("\t")
    return play_review(
        package, review["reviewId"], title=(title.strip() or None) if tab else None, text=text if tab else words,
        author=review.get("authorName"), stars=said["starRating"], written=when(review),
        likes=said.get("thumbsUpCount"),
        lang=(said.get("reviewerLanguage") or "").replace("_", "-").lower() or None, raw=review,
    )


def _said(review: Any) -> Mapping[str, Any]:
    """What the person said, among what was said there."""
    said: list[Mapping[str, Any]] = [part["userComment"] for part in review["comments"] if "userComment" in part]
    return said[0]


def play_review(
    package: str, number: str, *, text: str, author: str | None, stars: int, written: datetime, likes: int | None,
    lang: str | None, raw: Mapping[str, Any], title: str | None = None, place: str | None = None,
) -> Mention:
    """A review of Google Play as a mention, whichever way it came: its number is the same on every way."""
    return Mention(
        source="google-play",
        source_id=number,
        kind="review",
        title=title,
        text=text.strip(),
        lang=lang,
        url=f"https://play.google.com/store/apps/details?{urlencode({'id': package, 'reviewId': number})}",
        created_at=written,
        author=Author(id=author, handle=author, name=author) if author else None,
        engagement=Engagement(likes=likes),
        rating=float(stars),
        place=place,
        raw=raw,
    )
