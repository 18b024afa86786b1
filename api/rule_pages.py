"""The doors of the rules page: look, try a rule, save it, switch it on or off, remove it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.dashboard.notices import notices
from api.dashboard.rules import asked, rules_page
from api.dashboard.shell import Frame, render
from api.deps import House, Parts, Reading
from api.forms import Form
from api.i18n import Reader
from api.pages import Framed
from escucha.brand import Brand
from escucha.errors import Conflict, Invalid
from escucha.rule import checked
from pipeline import correct
from store import brands

router = APIRouter(include_in_schema=False, default_response_class=Response)
Number = Annotated[int, Path(ge=1, lt=2**63)]
Slug = Annotated[str, Query(max_length=100)]


@router.get("/rules")
def show_rules(
    request: Request, parts: Parts, reader: Reading, framed: Framed, changed: Annotated[int | None, Query(ge=0)] = None
) -> Response:
    """The brand's rules, and what the one in the address would do."""
    if framed is None:
        return render(request, "welcome.html", reader)
    form = {name: request.query_params.get(name, "") for name in ("name", "words", "set", "only")}
    try:
        return _page(request, parts, reader, framed, form, changed=changed)
    except Invalid as problem:
        return _page(request, parts, reader, framed, form, problem=problem)


@router.post("/rules")
def add_rule(request: Request, parts: Parts, reader: Reading, framed: Framed, form: Form) -> Response:
    """Save a rule and put it to the stored mentions; where it cannot work, show the form again with why."""
    if framed is None:
        return render(request, "welcome.html", reader)
    try:
        _, changed = correct.add_rule(parts.store, parts.catalogue, asked(form, framed.brand.id), parts.clock())
    except (Invalid, Conflict) as problem:
        return _page(request, parts, reader, framed, form, problem=problem)
    return _back(framed.brand.slug, changed)


@router.post("/rules/{id}/switch")
def switch_rule(parts: Parts, brand: Slug, id: Number, active: bool) -> Response:
    """Put a rule in force or out of it."""
    found = _brand(parts, brand)
    _, changed = correct.switch_rule(parts.store, found, id, active=active)
    return _back(found.slug, changed)


@router.post("/rules/{id}/remove")
def remove_rule(parts: Parts, brand: Slug, id: Number) -> Response:
    """Take a rule back."""
    found = _brand(parts, brand)
    return _back(found.slug, correct.remove_rule(parts.store, found, id))


def _page(
    request: Request, parts: House, reader: Reader, frame: Frame, form: Mapping[str, str], *,
    problem: Invalid | Conflict | None = None, changed: int | None = None,
) -> Response:
    """The page; where the form holds words and nothing is wrong with it, with the trial of its rule."""
    rule = checked(asked(form, frame.brand.id)) if form.get("words") and problem is None else None
    with parts.store.read() as session:
        trial = correct.try_rule(session, parts.catalogue, frame.brand, rule) if rule else None
        page = rules_page(session, frame, form, trial, rule)
        said = notices(session, frame)
    why = reader.say(problem.message, **problem.details) if problem else None
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "rules.html", reader, status, frame=frame, page=page, notices=said, problem=why,
                  changed=changed)


def _brand(parts: House, slug: str) -> Brand:
    with parts.store.read() as session:
        return brands.get(session, slug)


def _back(slug: str, changed: int) -> Response:
    return RedirectResponse(f"/rules?{urlencode({'brand': slug, 'changed': changed})}", status_code=303)
