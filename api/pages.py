"""The dashboard's doors: overview, journey map, mentions, and the button that removes the sample."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.dashboard.exports import downloads
from api.dashboard.journey import journey_page
from api.dashboard.labels import Labels
from api.dashboard.mentions import mentions_page, misread
from api.dashboard.notices import newest, notices, ways_out
from api.dashboard.overview import overview
from api.dashboard.relevance import verdict
from api.dashboard.shares import share_tables
from api.dashboard.shell import Frame, render
from api.deps import Db, House, Parts, Reading
from api.i18n import Reader, translate
from api.selection import View
from escucha.brand import Brand
from escucha.errors import Invalid, NotFound
from pipeline import sample
from store import brands, taxonomy

router = APIRouter(include_in_schema=False, default_response_class=Response)


def frame(request: Request, parts: Parts, reader: Reading, session: Db) -> Frame | None:
    """What the page is about, or None where there is no brand yet. Raises NotFound for one that does not exist."""
    known = brands.all_brands(session)
    return _frame(request, parts, reader, session, known) if known else None


Framed = Annotated[Frame | None, Depends(frame)]
Judged = Annotated[int | None, Query(ge=1, lt=2**63)]


@router.get("/")
def show_overview(request: Request, reader: Reading, session: Db, framed: Framed) -> Response:
    """The overview, or the first steps where there is no brand yet."""
    if framed is None:
        return _welcome(request, reader)
    page = overview(session, framed)
    return render(request, "overview.html", reader, frame=framed, page=page, notices=notices(session, framed),
                  tables=share_tables(session, framed, ("sentiment", "pain")),
                  **_if_empty(session, framed, page.journey.n))


@router.get("/journey")
def show_journey(request: Request, reader: Reading, session: Db, framed: Framed) -> Response:
    """The journey map."""
    if framed is None:
        return _welcome(request, reader)
    page = journey_page(session, framed)
    return render(request, "journey.html", reader, frame=framed, page=page, notices=notices(session, framed),
                  tables=share_tables(session, framed, ("stage", "touchpoint")),
                  **_if_empty(session, framed, page.map.n))


@router.get("/mentions")
def show_mentions(
    request: Request, reader: Reading, session: Db, framed: Framed, after: str | None = None,
    judged: Judged = None, undone: bool = False,
) -> Response:
    """The mentions behind a number; `judged` is one of which a person has just said whether it is relevant."""
    if framed is None:
        return _welcome(request, reader)
    status, problem = _unreadable(framed)
    page = misread(problem) if problem else mentions_page(session, framed, after)
    empty = {"empty": False} if problem else _if_empty(session, framed, page.n)
    return render(request, "mentions.html", reader, status, frame=framed, page=page, notices=notices(session, framed),
                  after=after, downloads=downloads(framed, page.n), verdict=verdict(session, framed, judged, undone),
                  **empty)


@router.post("/sample/remove")
def remove_sample(parts: Parts) -> Response:
    """Take the sample out and go back to the overview."""
    sample.remove(parts.store)
    return RedirectResponse("/", status_code=303)


def own_brand(known: Sequence[Brand]) -> Brand:
    """The brand to show first: a real one before a sample one, and the one that was added first."""
    return min(known, key=lambda brand: (brand.sample, brand.id or 0))


def _frame(request: Request, parts: House, reader: Reader, session: Db, known: Sequence[Brand]) -> Frame:
    view = View.of(request.query_params.multi_items())
    brand = next((brand for brand in known if brand.slug == view.brand), None) if view.brand else own_brand(known)
    if brand is None:
        slugs = ", ".join(brand.slug for brand in known)
        raise NotFound("There is no brand {slug}. Known brands: {known}.", slug=view.brand, known=slugs)
    return Frame(
        path=request.url.path, reader=reader, brand=brand, brands=tuple(known),
        labels=Labels(reader, taxonomy.catalogue(session, brand.id, parts.catalogue)),
        view=view.model_copy(update={"brand": brand.slug}), now=parts.clock(),
    )


def _unreadable(framed: Frame) -> tuple[HTTPStatus, str | None]:
    """Why what is asked for cannot be read: the page itself says so, and what was written is still there to mend."""
    try:
        framed.filter  # noqa: B018 (it is read here to see whether it can be)
    except Invalid as problem:
        return HTTPStatus.UNPROCESSABLE_ENTITY, translate(problem, framed.reader.lang)
    return HTTPStatus.OK, None


def _welcome(request: Request, reader: Reader) -> Response:
    return render(request, "welcome.html", reader)


def _if_empty(session: Db, framed: Frame, n: int) -> dict[str, Any]:
    """What an empty page offers instead."""
    if n:
        return {"empty": False, "ways_out": (), "newest": None}
    return {"empty": True, "ways_out": ways_out(session, framed), "newest": newest(session, framed)}
