"""The doors of the page that adds a source: choose, accept its terms, enter its keys, try it, save it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from api import listening, pages, source_keys
from api.dashboard.notices import notices
from api.dashboard.shell import Frame, render
from api.dashboard.source_add import catalogue, choice, wanted
from api.deps import House, Parts, Reading
from api.errors import status_of
from api.forms import Form
from api.i18n import N_, Reader
from api.source_pages import back
from escucha.brand import Watch
from escucha.errors import EscuchaError, Invalid
from escucha.source import SourceFacts
from pipeline.trying import Trial
from store import brands

router = APIRouter(prefix="/sources/add", include_in_schema=False, default_response_class=Response)
Name = Annotated[str, Query(max_length=100)]
DONE: Mapping[str, str] = {
    "keys": N_("Kept, encrypted. Nobody can read it here again."),
    "forgotten": N_("Forgotten."),
    "on": N_("The source is on."),
    "off": N_("The source is off. Its watches stop at their next run."),
}


def _framed(request: Request, parts: Parts, reader: Reading) -> Frame | None:
    """What the page is about. No session stays open: a trial may wait long for its source."""
    with parts.store.read() as session:
        return pages.frame(request, parts, reader, session)


Framed = Annotated[Frame | None, Depends(_framed)]


@router.get("")
def show_add(
    request: Request, parts: Parts, reader: Reading, framed: Framed, source: Name = "", done: str = ""
) -> Response:
    """The catalogue, or one source of it."""
    if framed is None:
        return render(request, "welcome.html", reader)
    try:
        facts = listening.chosen(source) if source else None
    except EscuchaError as problem:
        return _page(request, parts, reader, framed, None, {}, problem=problem)
    return _page(request, parts, reader, framed, facts, {}, done=done)


@router.post("")
def act(
    request: Request, parts: Parts, reader: Reading, framed: Framed, form: Form, source: Name = ""
) -> Response:
    """Do what a button asks; where that cannot be, show the page again with why and what was typed."""
    if framed is None:
        return render(request, "welcome.html", reader)
    facts = None
    try:
        facts = listening.chosen(source)
        return _done(request, parts, reader, framed, facts, form)
    except EscuchaError as problem:
        return _page(request, parts, reader, framed, facts, form, problem=problem)


def _done(
    request: Request, parts: House, reader: Reader, frame: Frame, facts: SourceFacts, form: Mapping[str, str]
) -> Response:
    match form.get("do"):
        case "try":
            trial = listening.tried(parts, frame.brand, wanted(facts, form))
            return _page(request, parts, reader, frame, facts, form, trial=trial)
        case "save":
            watch, secret = _saved(parts, frame, facts, form)
            if secret:
                born = f"{request.base_url}hooks/{watch.hook}", secret
                return _page(request, parts, reader, frame, facts, {}, born=born)
            return back(frame.brand.slug, "listening" if watch.hook else "added", f"watch-{watch.id}")
        case "keys":
            return _enter(parts, frame, facts, form)
        case "forget":
            return _forget(parts, frame, facts, form)
        case "accept":
            return _accept(parts, frame, facts)
        case "switch-off":
            return _switch_off(parts, frame, facts)
        case _:
            raise Invalid("The form cannot be read. Go back, load the page again and send it once more.")


def _saved(
    parts: House, frame: Frame, facts: SourceFacts, form: Mapping[str, str]
) -> tuple[Watch, str | None]:
    """The new watch, and the secret that was made for it, if any."""
    with parts.store.write() as session:
        brand = brands.get(session, frame.brand.slug)
        watch = listening.started(session, brand, wanted(facts, form), frame.now)
        return watch, listening.first_secret(session, parts, watch)


def _enter(parts: House, frame: Frame, facts: SourceFacts, form: Mapping[str, str]) -> Response:
    given = {name.removeprefix("key."): value for name, value in form.items() if name.startswith("key.")}
    with parts.store.write() as session:
        kept = source_keys.enter(session, parts.settings, facts, _owner(frame, form), given, frame.now)
    return _again(frame, facts, "keys" if kept else "", "keys")


def _forget(parts: House, frame: Frame, facts: SourceFacts, form: Mapping[str, str]) -> Response:
    with parts.store.write() as session:
        source_keys.forget(session, facts, _owner(frame, form), form.get("name", ""))
    return _again(frame, facts, "forgotten", "keys")


def _accept(parts: House, frame: Frame, facts: SourceFacts) -> Response:
    with parts.store.write() as session:
        source_keys.accept(session, parts.settings, facts, frame.now)
    return _again(frame, facts, "on", "terms")


def _switch_off(parts: House, frame: Frame, facts: SourceFacts) -> Response:
    with parts.store.write() as session:
        source_keys.switch_off(session, facts, frame.brand.id)
    return _again(frame, facts, "off", "terms")


def _owner(frame: Frame, form: Mapping[str, str]) -> int | None:
    """For whom keys are: this brand, or every brand."""
    return frame.brand.id if form.get("whose") == "own" else None


def _again(frame: Frame, facts: SourceFacts, done: str, place: str) -> Response:
    asked = {"brand": frame.brand.slug, "source": facts.name} | ({"done": done} if done else {})
    return RedirectResponse(f"/sources/add?{urlencode(asked)}#{place}", status_code=303)


def _page(
    request: Request, parts: House, reader: Reader, framed: Frame, facts: SourceFacts | None,
    form: Mapping[str, str], *, trial: Trial | None = None, problem: EscuchaError | None = None, done: str = "",
    born: tuple[str, str] | None = None,
) -> Response:
    """The page. Its `source` is no filter of mentions, and it belongs to the page of sources.

    `born` is the address and the secret of a hook that was just made: this is the one time that it is shown.
    """
    frame = replace(framed, path="/sources", view=framed.view.model_copy(update={"source": []}))
    with parts.store.read() as session:
        groups = catalogue(session, parts, frame) if facts is None else ()
        chosen = choice(session, parts, frame, facts, form, trial) if facts else None
        said = notices(session, frame)
    why = reader.say(problem.message, **problem.details) if problem else None
    told = reader.say(DONE[done]) if done in DONE else None
    status = status_of(problem) if problem else HTTPStatus.OK
    return render(request, "source_add.html", reader, status, frame=frame, groups=groups, chosen=chosen, notices=said,
                  problem=why, done=told, born=born)
