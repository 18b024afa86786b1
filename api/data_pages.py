"""The doors of the page about data and privacy: how long it is kept, and people who ask about theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, BackgroundTasks, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.dashboard.keeping import asked, data_page
from api.dashboard.notices import notices
from api.dashboard.shell import Frame, render
from api.deps import House, Parts, Reading, Write
from api.forms import Form
from api.i18n import Reader
from api.pages import Framed
from escucha.errors import EscuchaError, Invalid
from pipeline import forget
from store import brands, retention
from store.sweep import sweep

router = APIRouter(include_in_schema=False, default_response_class=Response)
Number = Annotated[int, Path(ge=1, lt=2**63)]
Slug = Annotated[str, Query(max_length=100)]
ACTS = ("block", "unblock", "erase")


@router.get("/data")
def show_data(request: Request, parts: Parts, reader: Reading, framed: Framed) -> Response:
    """The rules, the person who is looked for, what a rule in the address would do, and the audit."""
    if framed is None:
        return render(request, "welcome.html", reader)
    return _page(request, parts, reader, framed, dict(request.query_params))


@router.post("/data/retention")
def put_rule(request: Request, parts: Parts, reader: Reading, framed: Framed, form: Form) -> Response:
    """Save a rule; where it cannot work, show the form again with why."""
    if framed is None:
        return render(request, "welcome.html", reader)
    try:
        with parts.store.write() as session:
            retention.put(session, asked(form, framed.brand.id))
    except Invalid as problem:
        return _page(request, parts, reader, framed, form, problem)
    return _back(framed.brand.slug, done="rule")


@router.post("/data/retention/{id}/remove")
def remove_rule(session: Write, id: Number, brand: Slug) -> Response:
    """Take a rule back and go back to the page."""
    retention.remove(session, id)
    return _back(brands.get(session, brand).slug, done="rule")


@router.post("/data/subjects/{id}/{act}")
def act_for(
    request: Request, parts: Parts, reader: Reading, framed: Framed, id: Number, act: str, form: Form,
    later: BackgroundTasks,
) -> Response:
    """Block, unblock or erase a person and go back to the page; nobody is erased without the tick in the form."""
    if framed is None or act not in ACTS:
        raise Invalid("The form cannot be read. Go back, load the page again and send it once more.")
    with parts.store.read() as session:
        person = forget.numbered(session, id)
    if act == "erase":
        if form.get("confirm") != "yes":
            unsure = Invalid("Confirm that what is held of this person is to be erased for good.")
            return _page(request, parts, reader, framed, {"of": person.source, "author": person.key}, unsure)
        forget.erase(parts.store, person, parts.clock())
        later.add_task(sweep, parts.store)
    else:
        verb = forget.block if act == "block" else forget.unblock
        verb(parts.store, person, parts.clock())
    return _back(framed.brand.slug, done=act)


def _page(
    request: Request, parts: House, reader: Reader, frame: Frame, form: Mapping[str, str],
    problem: EscuchaError | None = None,
) -> Response:
    frame = replace(frame, path="/data")  # its forms are sent to addresses of their own
    with parts.store.read() as session:
        page = data_page(session, frame, form, parts.clock(), problem)
        said = notices(session, frame)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if page.problem else HTTPStatus.OK
    return render(request, "data.html", reader, status, frame=frame, page=page, notices=said)


def _back(slug: str, done: str) -> Response:
    return RedirectResponse(f"/data?{urlencode({'brand': slug, 'done': done})}", status_code=303)
