"""Mercado Libre: the reviews of an article, and the questions that buyers ask a seller."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx

from collectors.clock import WALL, Clock
from collectors.dates import read_moment
from collectors.helpdesk import masked
from collectors.http import Answer, WebOptions
from collectors.online import OnlineSource, list_of, moments_of, object_of
from collectors.walk import RUN_STEPS, Bounds, Place, Step, Stretch, newest_first
from escucha.brand import Query
from escucha.errors import Refused, SourceError
from escucha.mention import Author, Engagement, Mention
from escucha.note import Note
from escucha.source import Credential, Cursor, Page, SourceFacts, Span

LIMIT = 50
SHIFT = 5
"""Reviews of the page before that are read once more, should some have gone meanwhile."""
BOUNDS = Bounds(first=timedelta(days=30), overlap=timedelta(days=2))
BEGINNING = datetime(1999, 8, 2, tzinfo=UTC)
"""When Mercado Libre opened: a sweep reads all reviews there are."""
SITES = {
    "MLA": ("AR", "articulo.mercadolibre.com.ar"), "MLB": ("BR", "produto.mercadolivre.com.br"),
    "MLC": ("CL", "articulo.mercadolibre.cl"), "MCO": ("CO", "articulo.mercadolibre.com.co"),
    "MLM": ("MX", "articulo.mercadolibre.com.mx"), "MPE": ("PE", "articulo.mercadolibre.com.pe"),
    "MLU": ("UY", "articulo.mercadolibre.com.uy"), "MLV": ("VE", "articulo.mercadolibre.com.ve"),
    "MEC": ("EC", "articulo.mercadolibre.com.ec"), "MCR": ("CR", "articulo.mercadolibre.co.cr"),
    "MPA": ("PA", "articulo.mercadolibre.com.pa"), "MRD": ("DO", "articulo.mercadolibre.com.do"),
    "MBO": ("BO", "articulo.mercadolibre.com.bo"), "MPY": ("PY", "articulo.mercadolibre.com.py"),
    "MGT": ("GT", "articulo.mercadolibre.com.gt"), "MHN": ("HN", "articulo.mercadolibre.com.hn"),
    "MNI": ("NI", "articulo.mercadolibre.com.ni"), "MSV": ("SV", "articulo.mercadolibre.com.sv"),
}  # fmt: skip
SHOWN = ("UNANSWERED", "ANSWERED", "CLOSED_UNANSWERED")
GONE = ("BANNED", "DELETED", "DISABLED")
"""Statuses of a question that the upstream has taken from its pages; others (under review) are only left out."""
HIDDEN = ("banned", "deleted", "disabled", "hidden", "rejected", "removed")
"""The same of a review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article of one of Mercado Libre's sites (countries)."""

    site: str
    number: str

    @property
    def id(self) -> str:
        """The id that the API takes."""
        return f"{self.site}{self.number}"

    @property
    def url(self) -> str:
        """The article's page."""
        return f"https://{SITES[self.site][1]}/{self.site}-{self.number}"

    @property
    def place(self) -> str:
        """The country, in two letters."""
        return SITES[self.site][0]

    @property
    def lang(self) -> str:
        """The language of the site."""
        return "pt" if self.site == "MLB" else "es"


class MercadoLibreSource(OnlineSource):
    """Reads all reviews of an article each time (they cannot be sorted by date), or a seller's newest questions.

    An access token lasts six hours and is renewed with a refresh token, which serves once: `renewed` holds what to
    keep in place of the old credentials, once they have been renewed.
    """

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="mercadolibre",
        title="Mercado Libre",
        own=True,
        query_hint="MLM123456789",
        query_about=Note(
            "The number or address of an article, for its reviews; or questions: and the number of a seller, for "
            "what buyers ask: questions:123456789"
        ),
        access="own key",
        needs=Note(
            "A seller's account and an application of yours at developers.mercadolibre.com. With its id, its secret "
            "and a refresh token the access renews itself; an access token alone lasts six hours."
        ),
        keeps=Note(
            "Reviews and questions as long as they are shown there. Buyers' questions are personal data: limit who may "
            "see the brand."
        ),
        blind=Note(
            "Who wrote a review, followers, other sellers' questions, reviews that vanish without a word, and most "
            "articles of others."
        ),
        reach=Note("All reviews of an article; questions of a first reading go back 30 days."),
        needs_credentials=(
            Credential(name="access_token", optional=True, about=Note("An access token; it lasts six hours.")),
            Credential(
                name="refresh_token", optional=True,
                about=Note(
                    "A refresh token. It serves once: Escucha keeps the one that comes in its place, so use it nowhere "
                    "else."
                ),
            ),
            Credential(name="client_id", secret=False, optional=True, about=Note("The id of your application.")),
            Credential(name="client_secret", optional=True, about=Note("The secret of your application.")),
        ),
        fastest=3600,
        one_at_a_time=True,  # a refresh token serves once: two runs that renew at a time would lose it
    )
    base: ClassVar[str] = "https://api.mercadolibre.com"
    renewed: dict[str, str] | None
    """Credentials to store, encrypted, in place of those given: set when they were renewed, whether or not the run
    came to a good end."""

    def __init__(
        self, *, web: WebOptions, keys: Mapping[str, str], transport: httpx.BaseTransport | None = None,
        clock: Clock = WALL,
    ) -> None:
        super().__init__(web=web, keys=keys, transport=transport, clock=clock)
        self.renewed = None

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """All reviews of the article, or the seller's questions newer than the cursor less two days."""
        asked = read_query(query.text)
        notes, now = self._notes(query, cursor), self._clock.now()
        if isinstance(asked, Article):
            return self._reviews(query, asked, notes, now)
        steps = newest_first(
            notes, lambda place: self._questions(asked, place), BOUNDS, now, query.since, by="number"
        )
        return self._walked(query, steps, question_to_mention, item_name, gone=questions_gone)

    def _reviews(self, query: Query, article: Article, notes: Mapping[str, Any], now: datetime) -> Iterator[Page]:
        def ask(offset: int) -> Stretch:
            answer = self._listed(f"/reviews/item/{article.id}", {}, offset)
            return Stretch(items=list_of(answer, "reviews"), times=(), total=_total(answer.get("paging")))

        def read(review: Any) -> Mention | None:
            mention = to_mention(review, article)
            late = mention and query.since and mention.created_at < query.since
            return None if late else mention

        return self._walked(query, swept(notes, ask, now, query.since or BEGINNING), read, item_name, gone=reviews_gone)

    def _questions(self, seller: str, place: Place) -> Stretch:
        offset = int(place.token or 0)
        answer = self._listed("/questions/search", {
            "seller_id": seller, "api_version": "4", "sort_fields": "date_created", "sort_types": "DESC",
        }, offset)  # fmt: skip
        questions, total = list_of(answer, "questions"), _total(answer)
        more = bool(questions) and offset + len(questions) < (total or 0)
        return Stretch(
            items=[masked(question) for question in questions], times=moments_of(questions, when), total=total,
            token=str(offset + len(questions)) if more else None, capped=not answer,
        )

    def _listed(self, path: str, params: Mapping[str, str], offset: int) -> Mapping[str, Any]:
        """A page of a listing; empty where the upstream shows no page so deep."""
        try:
            return self._asked(path, {**params, "limit": str(LIMIT), "offset": str(offset)})
        except Refused as error:
            if error.details.get("status") == 400 and offset > 0:
                return {}
            raise

    def _asked(self, path: str, params: dict[str, str]) -> Mapping[str, Any]:
        """An answer; an access token that has expired is renewed once a run."""
        if not self._token and not self._renew():
            self._key("access_token")
        try:
            return object_of(self._get(path, params, headers=self._signature()))
        except Refused as error:
            if error.details.get("status") != 401 or not self._renew():
                raise
            return object_of(self._get(path, params, headers=self._signature()))

    @property
    def _token(self) -> str:
        return (self.renewed or self._keys).get("access_token", "").strip()

    def _signature(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _renew(self) -> bool:
        """Change the refresh token for a new pair. False where that was done already, or cannot be."""
        names = ("client_id", "client_secret", "refresh_token")
        given = {name: self._keys.get(name, "").strip() for name in names}
        if self.renewed or not all(given.values()):
            return False
        answer = object_of(self._web.post(
            self._url("/oauth/token"), form={"grant_type": "refresh_token", **given}, verdict=renewal_verdict
        ).json())  # fmt: skip
        pair = {name: answer.get(name) for name in ("access_token", "refresh_token")}
        self.renewed = {name: str(token) for name, token in pair.items() if token}
        return bool(self.renewed.get("access_token"))

    def _verdict(self, answer: Answer) -> SourceError | None:
        if answer.status == 401:
            return Refused(
                "The access token of {host} is not valid any more: it lasts six hours. Enter a new refresh token with "
                "the id and secret of your application, so that it renews itself; then resume the watch.",
                host=answer.host, status=401,
            )
        if answer.status == 403:
            return Refused(
                "{host} does not let this account read that. Use the account of the seller whose articles or questions "
                "they are.",
                host=answer.host, status=403,
            )
        if answer.status == 404:
            return Refused(
                "{host} knows no article or seller of that number. Check it.",
                host=answer.host, status=404,
            )
        return None


def renewal_verdict(answer: Answer) -> SourceError | None:
    """What a refused renewal means: a person must connect the account again."""
    if answer.status not in (400, 401, 403):
        return None
    return Refused(
        "{host} did not accept the refresh token: it serves once, and a change of password ends it. "
        "Connect the account again, enter the new refresh token and resume the watch.",
        host=answer.host, status=answer.status,
    )


def _total(paging: Any) -> int | None:
    total = paging.get("total") if isinstance(paging, Mapping) else None
    return total if isinstance(total, int) else None


def swept(
    notes: Mapping[str, Any], ask: Callable[[int], Stretch], now: datetime, since: datetime = BEGINNING
) -> Iterator[Step]:
    """The steps of a sweep over a listing that has no order by time: all pages, by offset, to its total.

    A run that ends at its bound is gone on with by the next. Where the total at the end is another than at the start,
    items came or went meanwhile, and the listing is swept once more.
    """
    sweep = notes.get("sweep") or {"offset": 0, "begun": now.isoformat(), "again": False}
    seen = bool(notes.get("seen"))
    for number in range(1, RUN_STEPS + 1):
        stretch = ask(sweep["offset"])
        total = stretch.total if stretch.total is not None else sweep.get("total", 0)
        sweep = {"total": total, **sweep}
        empty, seen = seen and sweep["offset"] == 0 and not stretch.items, seen or bool(stretch.items)
        end = sweep["offset"] + len(stretch.items)
        if stretch.items and end < total:
            sweep = {**sweep, "offset": end - min(SHIFT, len(stretch.items) - 1)}
        elif total != sweep["total"] and not sweep["again"]:
            sweep = {"offset": 0, "begun": sweep["begun"], "again": True}
        else:
            begun = datetime.fromisoformat(sweep["begun"])
            covers = Span(min(since, begun), begun)
            yield Step(items=stretch.items, notes={"seen": seen}, covers=covers, empty=empty)
            return
        more = number == RUN_STEPS
        yield Step(items=stretch.items, notes={"seen": seen, "sweep": sweep}, more=more, empty=empty)


def read_query(text: str) -> Article | str:
    """The article of a query (its number or its address), or the number of a seller after `questions:`.

    Raises:
        Refused: it is neither.
    """
    seller = re.fullmatch(r"\s*questions:\s*(\d{3,15})\s*", text, re.IGNORECASE)
    return seller[1] if seller else read_article(text)


def read_article(text: str) -> Article:
    """The article of a number or address. Raises Refused where there is none, or on no site that we know."""
    found = re.search(r"(?<![A-Z0-9])(M[A-Z]{2})-?(\d{5,15})(?!\d)", text.upper())
    if not found or found[1] not in SITES:
        raise Refused("Write the number of an article, such as MLM123456789, or questions: and the number of a seller.")
    return Article(site=found[1], number=found[2])


def when(item: Any) -> datetime:
    """When a review or question was written."""
    return read_moment(item["date_created"], UTC)


def item_name(item: Any) -> str:
    """How a refused review or question is named to a person."""
    return f"item {item.get('id')}" if isinstance(item, dict) else "item"


def reviews_gone(step: Step) -> tuple[str, ...]:
    """The reviews of which the upstream says that they are shown no more; a state that we do not know says nothing."""
    return tuple(
        str(item["id"]) for item in step.items
        if isinstance(item, dict) and item.get("id") and str(item.get("status")).lower() in HIDDEN
    )


def _question_is_gone(item: Any) -> bool:
    return isinstance(item, dict) and (item.get("status") in GONE or item.get("deleted_from_listing") is True)


def questions_gone(step: Step) -> tuple[str, ...]:
    """The questions that were deleted or banned."""
    return tuple(question_id(item) for item in step.items if _question_is_gone(item) and item.get("id"))


def question_id(question: Mapping[str, Any]) -> str:
    """A question's id among ours: their numbers are counted apart from those of reviews."""
    return f"question:{question['id']}"


def to_mention(review: dict[str, Any], article: Article) -> Mention | None:
    """Map a review. Who wrote it is never told; one without words is kept for its rating."""
    if review.get("status") not in (None, "published"):
        return None
    return Mention(
        source="mercadolibre",
        source_id=str(review["id"]),
        kind="review",
        title=review.get("title") or None,
        text=review.get("content") or "",
        lang=article.lang,
        url=article.url,
        created_at=when(review),
        engagement=Engagement(likes=review.get("likes")),
        rating=float(review["rate"]),
        place=article.place,
        raw=review,
    )


def question_to_mention(question: dict[str, Any]) -> Mention | None:
    """Map a buyer's question. Deleted, banned and suspect ones, and those on hold, are left out."""
    if question["status"] not in SHOWN or _question_is_gone(question):
        return None
    if question.get("hold") or question.get("suspected_spam"):
        return None
    article = read_article(question["item_id"])
    buyer = str(question["from"]["id"])
    return Mention(
        source="mercadolibre",
        source_id=question_id(question),
        kind="comment",
        text=question["text"],
        lang=article.lang,
        url=article.url,
        created_at=when(question),
        author=Author(id=buyer, handle=buyer),
        place=article.place,
        raw=question,
    )
