"""Trustpilot: the public reviews of a company, newest first, for those who pay for its API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from collectors.dates import read_moment
from collectors.http import Answer
from collectors.online import OnlineSource, list_of, moments_of, object_of
from collectors.pace import Allowance
from collectors.walk import Bounds, Place, Stretch, newest_first
from escucha.brand import Query
from escucha.errors import Refused, SourceError, TryLater
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.source import Checked, Credential, Cursor, Page, SourceFacts

LIMIT = 100
BOUNDS = Bounds(first=timedelta(days=90), overlap=timedelta(days=7))
"""A review may be changed later, which moves it nowhere: those of the last week are read again."""
SMALLEST_PLAN = 200_000
"""Requests a year of the smallest paid plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company by its domain, and the one language to read (None: all)."""

    domain: str
    language: str | None = None


class TrustpilotSource(OnlineSource):
    """Finds the company by its domain and reads its reviews page by page."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="trustpilot",
        title="Trustpilot",
        own=True,
        query_hint="lumbre.example es",
        query_about=Note("The domain that the company has on Trustpilot and, if you like, one language."),
        access="paid",
        needs=Note(
            "An API key of Trustpilot's paid API module (an add-on to a paid plan, from 200,000 requests a year). "
            "Without it, import an export of your reviews as a file."
        ),
        keeps=Note(
            "Reviews as long as they are public there: they are asked for again every 30 days, and what is gone goes "
            "here. Limit who may see the brand where your contract asks for it."
        ),
        blind=Note("Followers, and reviews that are hidden while Trustpilot checks them."),
        reach=Note("All public reviews of the company; a first reading goes back 90 days."),
        needs_credentials=(
            Credential(name="api_key", about=Note("The API key of an application in Trustpilot Business.")),
            Credential(
                name="calls_a_year", secret=False, optional=True,
                about=Note("The requests a year of your plan, evenly used by day. Empty means 200000."),
            ),
        ),
        recheck_days=30,
        fastest=3600,
    )
    base: ClassVar[str] = "https://api.trustpilot.com"

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Reviews newer than the cursor, less a week."""
        company = read_company(query.text)
        notes = self._notes(query, cursor)
        unit = notes.get("unit") or self._unit(company.domain)

        def ask(place: Place) -> Stretch:
            return self._stretch(unit, company.language, place)

        steps = newest_first(notes, ask, BOUNDS, self._clock.now(), query.since, by="number")
        known = (replace(step, notes={**step.notes, "unit": unit}) for step in steps)
        return self._walked(query, known, to_mention, review_name)

    def _unit(self, domain: str) -> str:
        """The id under which Trustpilot keeps the company."""
        try:
            return str(object_of(self._asked("/v1/business-units/find", {"name": domain}))["id"])
        except KeyError:
            raise TryLater(
                "The answer does not have the form that its source promises. Nothing is lost: the watch goes on."
            ) from None
        except Refused as error:
            if error.details.get("status") != 404:
                raise
            raise Refused(
                "Trustpilot knows no company with the domain {domain}. Write it as it stands in the address of its "
                "page there, such as lumbre.example.",
                domain=domain,
            ) from None

    def _stretch(self, unit: str, language: str | None, place: Place) -> Stretch:
        page = int(place.token or 1)
        reviews = list_of(self._asked(f"/v1/business-units/{unit}/reviews", {
            "page": str(page), "perPage": str(LIMIT), "orderBy": "createdat.desc", "language": language,
        }), "reviews")  # fmt: skip
        more = len(reviews) >= LIMIT  # beyond the last page Trustpilot answers with an empty one
        return Stretch(items=reviews, times=moments_of(reviews, when), token=str(page + 1) if more else None)

    def recheck(self, mentions: Sequence[Mention]) -> Checked:
        """Ask for each review. It is gone if Trustpilot does not find it, while it finds the company."""
        gone, fresh = set(), []
        for mention in mentions:
            try:
                fresh.append(to_mention(self._asked(f"/v1/reviews/{mention.source_id}")))
            except Refused as error:
                if error.details.get("status") != 404:
                    raise
                gone.add(mention.source_id)
            except (KeyError, TypeError, ValueError, AttributeError):
                continue  # it is there, in a form that we cannot read
        for domain in {domain_of(mention) for mention in mentions if mention.source_id in gone}:
            self._unit(domain)
        return Checked(gone=frozenset(gone), fresh=tuple(fresh))

    def _asked(self, path: str, params: dict[str, str | None] | None = None) -> Any:
        self._web.spend(self._host, 1, self._allowance())
        return self._get(path, params, headers={"apikey": self._key("api_key").strip()})

    def _allowance(self) -> Allowance:
        told = self._keys.get("calls_a_year", "").strip() or str(SMALLEST_PLAN)
        if not told.isdigit() or int(told) < 365:
            raise Refused("calls_a_year is a number of requests, such as 200000.")
        return Allowance(limit=int(told) // 365, name="requests")

    def _verdict(self, answer: Answer) -> SourceError | None:
        if answer.status == 401:
            return Refused(
                "{host} did not accept the API key. Check it in Trustpilot Business, and that the API module is part "
                "of your plan; then resume the watch.",
                host=answer.host, status=401,
            )
        if answer.status == 403:
            return Refused(
                "{host} does not let this API key read these reviews. Ask Trustpilot which companies your plan covers.",
                host=answer.host, status=403,
            )
        return None


def read_company(text: str) -> Company:
    """`lumbre.example` or `lumbre.example es`. Raises Refused for anything else."""
    found = re.fullmatch(r"(?:https?://)?((?:[\w-]+\.)+[\w-]+)/?(?:\s+([a-z]{2}))?", text.strip().lower())
    if not found:
        raise Refused("Write the company's domain and, if you like, one language: lumbre.example es")
    return Company(domain=found[1], language=found[2])


def domain_of(mention: Mention) -> str:
    """The domain of the company that a stored review is about."""
    return str(((mention.raw or {}).get("businessUnit") or {}).get("identifyingName") or "")


def when(review: Any) -> datetime:
    """The moment by which reviews are ordered."""
    return read_moment(review["createdAt"], UTC)


def review_name(review: Any) -> str:
    """How a refused review is named to a person."""
    return f"review {review.get('id')}" if isinstance(review, dict) else "review"


def to_mention(review: dict[str, Any]) -> Mention:
    """Map a review. Trustpilot knows no followers; a number of reviews is no audience."""
    writer = review["consumer"]
    edited = review.get("updatedAt")
    return Mention(
        source="trustpilot",
        source_id=review["id"],
        kind="review",
        title=review.get("title"),
        text=review.get("text") or "",
        lang=(review.get("language") or "").lower() or None,
        url=f"https://www.trustpilot.com/reviews/{review['id']}",
        created_at=when(review),
        edited_at=read_moment(edited, UTC) if edited else None,
        author=Author(
            id=writer["id"], handle=writer.get("displayName") or writer["id"], name=writer.get("displayName"),
            url=f"https://www.trustpilot.com/users/{writer['id']}",
        ),
        engagement=Engagement(likes=review.get("numberOfLikes")),
        rating=float(review["stars"]),
        place=writer.get("displayLocation"),
        raw=review,
    )
