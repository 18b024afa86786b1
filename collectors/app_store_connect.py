"""App Store Connect: every review of your own app, from all countries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import jwt
from babel.core import get_global

from collectors.bookmark import notes_of
from collectors.http import Answer
from collectors.online import OnlineSource, list_of, moments_of, object_of
from collectors.walk import Bounds, Place, Stretch, newest_first
from escucha.brand import Query
from escucha.errors import Refused, SourceError
from escucha.mention import Author, Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Page, Quota, SourceFacts

LIMIT = 200
LIFETIME = timedelta(minutes=15)
"""Apple accepts a signature for 20 minutes at most."""
BOUNDS = Bounds(first=timedelta(days=7300), overlap=timedelta(days=3))
"""A review is checked before it appears, and then bears the time when it was written."""


class AppStoreConnectSource(OnlineSource):
    """Signs each request with the key of an App Store Connect team."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="app-store-connect",
        title="App Store Connect",
        own=True,
        query_hint="ESP,MEX 123456789",
        query_about=Note(
            "The number of your app; before it, if you like, the only countries that count, in Apple's three letters."
        ),
        access="own key",
        needs=Note(
            "Your own app, and a key of your team (App Store Connect, Users and Access, Integrations) with the role "
            "Customer Support. It comes with Apple's developer programme; there is no other cost."
        ),
        keeps=Note("Reviews as long as they exist there; each is asked for again every 30 days, deleted ones go here."),
        blind=Note("Apps of others, ratings without words, likes and followers."),
        reach=Note("Every review of the app since its first day."),
        needs_credentials=(
            Credential(name="issuer_id", about=Note("The issuer ID, above the list of the keys."), secret=False),
            Credential(name="key_id", about=Note("The key's ID, in the list of the keys."), secret=False),
            Credential(
                name="private_key",
                about=Note("The text of the key's file (AuthKey_….p8), which Apple lets you download once."),
            ),
        ),
        recheck_days=30,
        recheck_batch=20,
        fastest=300,
    )
    base: ClassVar[str] = "https://api.appstoreconnect.apple.com"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Reviews newer than the cursor, less an overlap."""
        app, territories = read_own_app(query.text)

        def ask(place: Place) -> Stretch:
            return self._stretch(app, territories, place.token)

        def read(review: Any) -> Mention:
            return to_mention(review, app)

        # Apple's marks of the next page are positions, under which reviews shift when one is deleted.
        steps = newest_first(notes_of(query, cursor), ask, BOUNDS, self._clock.now(), query.since, by="number")
        return self._walked(query, steps, read, review_name)

    def _stretch(self, app: str, territories: str, token: str | None) -> Stretch:
        answer = self._read(f"/v1/apps/{app}/customerReviews", {
            "sort": "-createdDate", "limit": str(LIMIT), "filter[territory]": territories, "cursor": token,
        })  # fmt: skip
        reviews = list_of(answer, "data")
        return Stretch(items=reviews, times=moments_of(reviews, when), token=_next(answer), total=_total(answer))

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for each review. One that is not found is gone, provided that its app still answers."""
        missing: dict[str, list[str]] = {}
        fresh = []
        for mention in mentions:
            app = re.search(r"/id(\d+)", mention.url or "")
            if app is None:
                continue  # without its app it cannot be told apart from one that the key may not see
            try:
                answer = self._read(f"/v1/customerReviews/{mention.source_id}")
                fresh.append(to_mention(object_of(answer, "data"), app[1]))
            except Refused as error:
                if error.details.get("missing") is None:
                    raise
                missing.setdefault(app[1], []).append(mention.source_id)
            except (KeyError, TypeError, ValueError, AttributeError):
                continue  # it is there, in a form that we cannot read
        for number in missing:
            self._read(f"/v1/apps/{number}/customerReviews", {"limit": "1"})
        return Checked(gone=frozenset(each for gone in missing.values() for each in gone), fresh=tuple(fresh))

    def _read(self, path: str, params: Mapping[str, str | None] | None = None) -> Mapping[str, Any]:
        return object_of(self._get(path, params, headers={"Authorization": f"Bearer {self._signature()}"}))

    def _signature(self) -> str:
        now = self._clock.now()
        said = {"iss": self._key("issuer_id").strip(), "aud": "appstoreconnect-v1", "iat": int(now.timestamp()),
                "exp": int((now + LIFETIME).timestamp())}
        head = {"kid": self._key("key_id").strip(), "typ": "JWT"}
        try:
            return jwt.encode(said, whole_key(self._key("private_key")), algorithm="ES256", headers=head)
        except (ValueError, TypeError, jwt.PyJWTError):
            raise Refused(
                "The private key cannot be read. Paste the whole text of the .p8 file, its first and last line "
                "included."
            ) from None

    def _verdict(self, answer: Answer) -> SourceError | None:
        self._web.quota = hourly(answer.headers) or self._web.quota
        codes = _codes(answer) if answer.status >= 400 else ()
        if answer.status == 401:
            return Refused(
                "Apple does not accept the key. Check the issuer ID, the key's ID and its text, that the key was not "
                "revoked, and that this server's clock is right."
            )
        if answer.status == 403 and any("AGREEMENTS" in code for code in codes):
            return Refused(
                "Apple waits for an agreement to be signed. The holder of the account signs it in App Store Connect, "
                "under Business; then resume the watch."
            )
        if answer.status == 403:
            return Refused(
                "The key may not read reviews. Give it the role Customer Support in App Store Connect, under Users and "
                "Access."
            )
        if answer.status == 404 and "NOT_FOUND" in codes:
            return Refused(
                "Your team has no such app in App Store Connect. Check the app's number and whose key it is.",
                status=404, missing=True,
            )
        if answer.status == 400 and any(code.startswith("PARAMETER_ERROR") for code in codes):
            return Refused(
                "Apple does not understand the query. Check the app's number and the three letters of each country, as "
                "in ESP,MEX 123456789."
            )
        return None


def read_own_app(text: str) -> tuple[str, str]:
    """`123456789` or `ESP,MEX 123456789`: the app, and the countries as Apple takes them (empty: all).

    Raises:
        Refused: it is neither.
    """
    found = re.fullmatch(r"(?:([A-Za-z]{3}(?:\s*,\s*[A-Za-z]{3})*)\s+)?(?:id)?(\d+)", text.strip())
    if found is None:
        raise Refused(
            "The query {query} names no app. Write its number, as in 123456789, or ESP,MEX 123456789 for some "
            "countries alone.",
            query=text.strip(),
        )
    return found[2], ",".join(re.findall(r"[A-Z]{3}", (found[1] or "").upper()))


def whole_key(text: str) -> str:
    """A key file's text with its line breaks, which a form may have turned into `\\n` or blanks."""
    found = re.search(r"(-----BEGIN [A-Z ]+-----)(.*?)(-----END [A-Z ]+-----)", text.replace("\\n", "\n"), re.DOTALL)
    if found is None:
        raise ValueError("no key")
    return "\n".join([found[1], *found[2].split(), found[3], ""])


def hourly(headers: Mapping[str, str]) -> Quota | None:
    """What `user-hour-lim:3500;user-hour-rem:500;` tells of the last hour."""
    told = dict(re.findall(r"user-hour-(lim|rem):(\d+)", headers.get("x-rate-limit", "")))
    return Quota(limit=int(told["lim"]), remaining=int(told["rem"])) if len(told) == 2 else None


def _codes(answer: Answer) -> tuple[str, ...]:
    """The codes of Apple's errors in an answer."""
    try:
        return tuple(str(error.get("code")) for error in answer.json()["errors"])
    except (SourceError, KeyError, TypeError, AttributeError):
        return ()


def _next(answer: Mapping[str, Any]) -> str | None:
    """The mark in the address of the next page; the address itself would lead past our settings."""
    links = answer.get("links")
    address = links.get("next") if isinstance(links, Mapping) else None
    return parse_qs(urlsplit(address).query).get("cursor", [None])[0] if address else None


def _total(answer: Mapping[str, Any]) -> int | None:
    try:
        return int(answer["meta"]["paging"]["total"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def when(review: Any) -> datetime:
    """The moment by which the reviews are ordered."""
    return datetime.fromisoformat(review["attributes"]["createdDate"])


def review_name(review: Any) -> str:
    """How a refused review is named to a person."""
    return f"review {review.get('id')}" if isinstance(review, Mapping) else "review"


def to_mention(review: Mapping[str, Any], app: str) -> Mention:
    """Map a review of an app. A country is no language: that is found out. The address is the app's page."""
    told = review["attributes"]
    name = told.get("reviewerNickname")
    return Mention(
        source="app-store-connect",
        source_id=review["id"],
        kind="review",
        title=told.get("title") or None,
        text=told.get("body") or "",
        url=f"https://apps.apple.com/app/id{app}?see-all=reviews",
        created_at=when(review),
        author=Author(id=name, handle=name, name=name) if name else None,
        rating=float(told["rating"]),
        place=country(told.get("territory")),
        raw=review,
    )


def country(territory: str | None) -> str | None:
    """Apple's three letters as the two that other sources tell, where they have two."""
    return get_global("territory_aliases").get(territory, [territory])[0] if territory else None
