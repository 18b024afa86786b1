"""Google Business Profile: the reviews of your own places on Google Maps and Search."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any, ClassVar

from collectors.bookmark import notes_of
from collectors.google_signin import Consent, GoogleSignIn, complaint_of, shared_verdict
from collectors.http import Answer
from collectors.online import OnlineSource, list_of, moments_of, object_of
from collectors.plain import plain
from collectors.several import Walk, walk_each
from collectors.walk import Bounds, Notes, Place, Step, Stretch, newest_first
from escucha.brand import Query
from escucha.errors import Refused, SourceError
from escucha.mention import Author, Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Page, SourceFacts

LIMIT = 50
"""Reviews of a page, the most that Google gives."""
PLACES = 100
"""Places of a page of an account's listing."""
PLACE_PAGES = 50
DIRECTORY = "https://mybusinessbusinessinformation.googleapis.com"
"""Another host of Google tells the names of the places."""
BOUNDS = Bounds(first=timedelta(days=7300), overlap=timedelta(days=1))
STARS = {"ONE": 1.0, "TWO": 2.0, "THREE": 3.0, "FOUR": 4.0, "FIVE": 5.0}

Found = tuple[str | None, Any]
"""The name of the place, and a review of it."""


class GoogleBusinessSource(OnlineSource):
    """Reads the reviews by the time of their last change, so that what is edited is heard again."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="google-business",
        title="Google Business Profile",
        own=True,
        query_hint="accounts/123/locations/456",
        query_about=Note(
            "One place, as accounts/123/locations/456, or all verified places of an account, as accounts/123."
        ),
        access="approval",
        needs=Note(
            "You own or manage a profile that has been verified for 60 days, and Google has approved your request for "
            "its Business Profile APIs. There is no cost."
        ),
        keeps=Note("Reviews as long as they exist there; each is asked for again every 7 days, deleted ones go here."),
        blind=Note("Places of others, followers, and reviews that Google's filter holds back."),
        reach=Note("Every review that the place still has."),
        needs_credentials=(
            Credential(name="client_id", about=Note("The OAuth client's ID, from the Google Cloud console."),
                       secret=False),
            Credential(name="client_secret", about=Note("The OAuth client's secret.")),
            Credential(
                name="refresh_token",
                about=Note("The refresh token of a manager of the places, with the permission business.manage."),
            ),
        ),
        recheck_days=7,
        recheck_batch=20,
        fastest=300,
    )
    base: ClassVar[str] = "https://mybusiness.googleapis.com"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Reviews written or changed since the cursor, less an overlap, one place after the other."""
        account, place = read_place(query.text)
        places = self._one(account, place) if place else self._all(account)
        walks: dict[str, Walk] = {path: partial(self._walk, query, path, name) for path, name in places.items()}
        return self._walked(query, walk_each(notes_of(query, cursor), walks), to_mention, review_name)

    def _walk(self, query: Query, path: str, name: str | None, notes: Notes) -> Iterator[Step]:
        def ask(place: Place) -> Stretch:
            return self._stretch(path, name, place.token)

        # Google does not say how its page tokens behave when a review goes: the total tells whether one has.
        return newest_first(notes, ask, BOUNDS, self._clock.now(), query.since, by="number")

    def _stretch(self, path: str, name: str | None, token: str | None) -> Stretch:
        answer = self._read(f"/v4/{path}/reviews", {
            "pageSize": str(LIMIT), "orderBy": "updateTime desc", "pageToken": token,
        })  # fmt: skip
        reviews = list_of(answer, "reviews")
        return Stretch(
            items=[(name, review) for review in reviews], times=moments_of(reviews, when),
            token=answer.get("nextPageToken") or None, total=answer.get("totalReviewCount"),
        )

    def _one(self, account: str, place: str) -> dict[str, str | None]:
        """A place's path and its name, which is only an ornament: where it is refused the reviews are read without."""
        self._signin.headers()
        try:
            name = _title(self._read(f"{self._directory}/v1/locations/{place}", {"readMask": "name,title"}))
        except Refused:
            name = None
        return {f"accounts/{account}/locations/{place}": name}

    def _all(self, account: str) -> dict[str, str | None]:
        """The paths and names of an account's places; those that Google has not verified have no reviews to read."""
        places: dict[str, str | None] = {}
        token: str | None = None
        for _ in range(PLACE_PAGES):
            answer = self._read(f"{self._directory}/v1/accounts/{account}/locations", {
                "readMask": "name,title,metadata", "pageSize": str(PLACES), "pageToken": token,
            })  # fmt: skip
            for told in map(object_of, list_of(answer, "locations")):
                if object_of(told.get("metadata") or {}).get("hasVoiceOfMerchant", True):
                    places[f"accounts/{account}/{told.get('name')}"] = _title(told)
            token = answer.get("nextPageToken")
            if not token:
                break
        if not places:
            raise Refused(
                "The account {account} has no verified place. Check the number of the account.", account=account
            )
        return places

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for each review by its name. One that is not found is gone, provided that its place still answers."""
        missing: dict[str, list[str]] = {}
        fresh = []
        for mention in mentions:
            name = (mention.raw or {}).get("name")
            if not isinstance(name, str) or "/reviews/" not in name:
                continue  # its raw form is gone already, and with it the way to ask
            try:
                fresh.append(to_mention((mention.place, self._read(f"/v4/{name}"))))
            except Refused as error:
                if error.details.get("missing") is None:
                    raise
                missing.setdefault(name.partition("/reviews/")[0], []).append(mention.source_id)
            except (KeyError, TypeError, ValueError, AttributeError):
                continue  # it is there, in a form that we cannot read
        for path in missing:
            self._read(f"/v4/{path}/reviews", {"pageSize": "1"})
        return Checked(gone=frozenset(each for gone in missing.values() for each in gone), fresh=tuple(fresh))

    def _read(self, path: str, params: Mapping[str, str | None] | None = None) -> Mapping[str, Any]:
        return object_of(self._get(path, params, headers=self._signin.headers()))

    @cached_property
    def _signin(self) -> GoogleSignIn:
        consent = Consent(client_id=self._key("client_id"), client_secret=self._key("client_secret"),
                          refresh_token=self._key("refresh_token"))
        return GoogleSignIn(self._web, self._clock, consent, self._keys.get("base_url", ""))

    @property
    def _directory(self) -> str:
        return (self._keys.get("base_url") or DIRECTORY).rstrip("/")

    def _verdict(self, answer: Answer) -> SourceError | None:
        complaint = complaint_of(answer)
        if complaint is None:
            return None
        if answer.status == 429 and str(complaint.told.get("quota_limit_value")) == "0":
            return Refused(
                "Google has not approved your project for the Business Profile APIs yet: it allows 0 requests. Send "
                "Google's request form, wait for its answer, and resume the watch."
            )
        if answer.status == 404 and complaint.status == "NOT_FOUND":
            return Refused(
                "Google knows no such place for this account. Check the numbers in the query.",
                status=404, missing=True,
            )
        shared = shared_verdict(answer, complaint, self._clock.now())
        if shared is None and answer.status == 403:
            return Refused(
                "The person who signed in may not read the reviews of this place. Make them its manager in the Google "
                "Business Profile, and check that the place is verified."
            )
        return shared


def read_place(text: str) -> tuple[str, str | None]:
    """`accounts/123/locations/456`, or `accounts/123` for all its places. Raises Refused for anything else."""
    found = re.fullmatch(r"accounts/(\d+)(?:/locations/(\d+))?/?", text.strip())
    if found is None:
        raise Refused(
            "The query {query} names no place. Write accounts/123/locations/456, or accounts/123 for all places of the "
            "account.",
            query=text.strip(),
        )
    return found[1], found[2]


def _title(told: Mapping[str, Any]) -> str | None:
    return told.get("title") or None


def when(review: Any) -> datetime:
    """The moment by which the reviews are ordered: their last change."""
    return datetime.fromisoformat(review["updateTime"])


def review_name(found: Found) -> str:
    """How a refused review is named to a person."""
    review = found[1]
    return f"review {review.get('reviewId')}" if isinstance(review, Mapping) else "review"


def to_mention(found: Found) -> Mention:
    """Map a review. Without words it is a rating alone; Google tells no address and no number of its author."""
    place, review = found
    created, updated = datetime.fromisoformat(review["createTime"]), when(review)
    return Mention(
        source="google-business",
        source_id=review["reviewId"],
        kind="review",
        text=plain(original(review.get("comment") or "")),
        created_at=created,
        edited_at=updated if updated > created else None,
        author=_author(review.get("reviewer") or {}),
        rating=STARS.get(review.get("starRating", "")),
        place=place,
        raw=review,
    )


def _author(reviewer: Mapping[str, Any]) -> Author | None:
    """Whom Google names; one who stays anonymous has a stand-in for a name, which is nobody."""
    name = reviewer.get("displayName")
    return Author(id=name, handle=name, name=name) if name and not reviewer.get("isAnonymous") else None


def original(comment: str) -> str:
    """What the person wrote, without the translation that Google puts before or behind it."""
    _, mark, behind = comment.partition("(Original)")
    if mark and behind.strip():
        return behind.strip()
    before, mark, translation = comment.partition("(Translated by Google)")
    return before.strip() or translation.strip() if mark else comment
