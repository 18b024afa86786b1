"""The doors of the relevance page: look, try an exclusion, save it, take it back; and a person's word on a mention."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.dashboard.notices import notices
from api.dashboard.relevance import asked, relevance_page
from api.dashboard.shell import Frame, render
from api.deps import House, Parts, Reading, Write
from api.forms import Form
from api.i18n import Reader
from api.pages import Framed
from api.routes.exclusions import tried
from escucha.errors import Conflict, EscuchaError, Invalid, NotFound, TryLater
from pipeline import exclude
from store import brands, exclusions

router = APIRouter(include_in_schema=False, default_response_class=Response)
Number = Annotated[int, Path(ge=1, lt=2**63)]
Count = Annotated[int | None, Query(ge=0, lt=2**63)]
Slug = Annotated[str, Query(max_length=100)]
SAID: Mapping[str, bool | None] = {"no": False, "yes": True, "undo": None}
LIST = re.compile(r"/mentions(\?[^#\s]*)?")
"""The addresses to which a person goes back after a word on a mention: ours alone."""


@router.get("/relevance")
def show_relevance(
    request: Request, parts: Parts, reader: Reading, framed: Framed, added: Count = None, removed: Count = None,
    waits: bool = False,
) -> Response:
    """The brand's exclusions, and what the one in the address would hide."""
    if framed is None:
        return render(request, "welcome.html", reader)
    form = dict(request.query_params)
    try:
        return _page(request, parts, reader, framed, form, done=_done(parts, framed, added, removed, waits))
    except (Invalid, TryLater) as problem:
        return _page(request, parts, reader, framed, form, problem=problem)


@router.post("/relevance")
def add_exclusion(request: Request, parts: Parts, reader: Reading, framed: Framed, form: Form) -> Response:
    """Save an exclusion and put it to the stored mentions; where it cannot be, show the form again with why."""
    if framed is None:
        return render(request, "welcome.html", reader)
    try:
        saved, _ = exclude.add(parts.store, asked(form, framed.brand.id), parts.clock())
    except (Invalid, Conflict) as problem:
        return _page(request, parts, reader, framed, form, problem=problem)
    return _back(framed.brand.slug, added=saved.id or 0)


@router.post("/relevance/{id}/remove")
def remove_exclusion(parts: Parts, brand: Slug, id: Number) -> Response:
    """Take an exclusion back."""
    with parts.store.read() as session:
        found = brands.get(session, brand)
    shown = exclude.remove(parts.store, found, id)
    with parts.store.read() as session:
        waits = id in exclusions.waiting(session)
    return _back(found.slug, removed=shown, **({"waits": 1} if waits else {}))


@router.post("/mentions/{id}/relevance")
def say_relevance(session: Write, id: Number, form: Form) -> Response:
    """Note what a person says of a mention, and go back to the list with the way to undo it."""
    said, back = form.get("said", ""), form.get("back", "")
    if said not in SAID:
        raise Invalid("The form cannot be read. Go back, load the page again and send it once more.")
    exclusions.say(session, id, SAID[said])
    address = back if LIST.fullmatch(back) else "/mentions"
    pairs = {"judged": id, "undone": "true"} if said == "undo" else {"judged": id}
    return RedirectResponse(f"{address}{'&' if '?' in address else '?'}{urlencode(pairs)}", status_code=303)


def _page(
    request: Request, parts: House, reader: Reader, frame: Frame, form: Mapping[str, str], *, done: str | None = None,
    problem: EscuchaError | None = None,
) -> Response:
    """The page; where the form holds an exclusion and nothing is wrong with it, with the trial of it."""
    frame = replace(frame, path="/relevance")
    trial = None
    if form.get("value") and problem is None:
        trial = tried(parts, frame.brand, asked(form, frame.brand.id))
    why = reader.say(problem.message, **problem.details) if problem else None
    with parts.store.read() as session:
        page = relevance_page(session, frame, form, trial, done, why)
        said = notices(session, frame)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "relevance.html", reader, status, frame=frame, page=page, notices=said)


def _done(parts: House, frame: Frame, added: int | None, removed: int | None, waits: bool) -> str | None:
    """What has just been done, in a sentence."""
    reader = frame.reader
    if waits:
        return reader.say("Taken back. The stored mentions are being looked at again; load this page again to see "
                          "how far.")
    if removed is not None:
        return reader.say_many("Done. {n} mention is shown again.", "Done. {n} mentions are shown again.", removed)
    try:
        with parts.store.read() as session:
            one = exclusions.get(session, added, frame.brand.id) if added is not None else None
            n = exclusions.counts(session, frame.brand.id).get(one.mark, 0) if one else 0
    except NotFound:
        return None
    if one is None:
        return None
    if one.waits:
        return reader.say("Saved. It is being put to the stored mentions; load this page again to see how far.")
    return reader.say_many("Done. {n} mention is hidden by it.", "Done. {n} mentions are hidden by it.", n)


def _back(slug: str, **told: int) -> Response:
    return RedirectResponse(f"/relevance?{urlencode({'brand': slug, **told})}", status_code=303)
