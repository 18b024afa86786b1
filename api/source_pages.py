"""The doors of the page of sources: look, run, pause, resume, remove, read the past, and note the channels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api import listening
from api.channels import noted
from api.dashboard.notices import notices
from api.dashboard.shell import Frame, render
from api.dashboard.sources import sources_page
from api.deps import House, Parts, Reading, Write
from api.errors import status_of
from api.forms import Form
from api.i18n import N_, Reader
from api.pages import Framed
from api.selection import FIRST_DAY, LAST_DAY
from escucha.brand import Channel
from escucha.errors import EscuchaError, Invalid
from store import backfills, brands, watches

router = APIRouter(prefix="/sources", include_in_schema=False, default_response_class=Response)
Number = Annotated[int, Path(ge=1, lt=2**63)]
Slug = Annotated[str, Query(alias="brand", max_length=100)]
DONE: Mapping[str, str] = {
    "added": N_("The watch is set. Its first run is due now."),
    "listening": N_("The watch listens. Copy its address below to where deliveries come from."),
    "run": N_("Its next run is due now."),
    "paused": N_("The watch is paused. It hears nothing until you resume it."),
    "removed": N_("The watch is removed; what it heard stays."),
    "asked": N_("The past will be read, step by step, beside what is new."),
    "bounded": N_("The past will be read. Where a source shows less than you asked for, it is read as far as it goes."),
    "channel": N_("Noted."),
}
SAYS = {"": None, "yes": True, "no": False}


@router.get("")
def show_sources(request: Request, parts: Parts, reader: Reading, framed: Framed, done: str = "") -> Response:
    """How the listening does."""
    if framed is None:
        return render(request, "welcome.html", reader)
    return _page(request, parts, reader, framed, {}, done=done)


@router.post("")
def act(request: Request, parts: Parts, reader: Reading, framed: Framed, form: Form) -> Response:
    """Read the past, or note a channel; where that cannot be, show the page again with why and what was typed."""
    if framed is None:
        return render(request, "welcome.html", reader)
    acts = {"read": _read_back, "note": _note}
    try:
        done, place = acts.get(form.get("do", ""), _read_back)(parts, framed, form)
    except EscuchaError as problem:
        return _page(request, parts, reader, framed, form, problem)
    return back(framed.brand.slug, done, place)


@router.post("/watches/{id}/run")
def run_watch(session: Write, parts: Parts, slug: Slug, id: Number) -> Response:
    """Make a watch due at once."""
    watches.run_now(session, id, parts.clock())
    return back(slug, "run", f"watch-{id}")


@router.post("/watches/{id}/pause")
def pause_watch(session: Write, parts: Parts, slug: Slug, id: Number) -> Response:
    """Ask no more for now."""
    watches.set_state(session, id, "paused", parts.clock())
    return back(slug, "paused", f"watch-{id}")


@router.post("/watches/{id}/resume")
def resume_watch(session: Write, parts: Parts, slug: Slug, id: Number) -> Response:
    """Go on."""
    watch = watches.set_state(session, id, "active", parts.clock())
    return back(slug, "listening" if watch.hook else "run", f"watch-{id}")


@router.post("/watches/{id}/remove")
def remove_watch(session: Write, slug: Slug, id: Number) -> Response:
    """Stop a watch for good."""
    watches.remove(session, id)
    return back(slug, "removed", "")


@router.post("/backfills/{id}/cancel")
def cancel_reading(session: Write, parts: Parts, slug: Slug, id: Number) -> Response:
    """Cancel a reading; one that has ended meanwhile is left as it is."""
    if backfills.get(session, id).open:
        backfills.cancel(session, id, parts.clock())
    return back(slug, "", f"reading-{id}")


@router.post("/backfills/{id}/resume")
def resume_reading(session: Write, parts: Parts, slug: Slug, id: Number) -> Response:
    """Go on with a reading where it was; one that is done or goes on already is left as it is."""
    if backfills.get(session, id).state in ("failed", "cancelled"):
        backfills.resume(session, id, parts.clock())
    return back(slug, "", f"reading-{id}")


def back(slug: str, done: str, place: str) -> Response:
    """To the page, with a word on what was done, at a place of it."""
    asked = urlencode({"brand": slug} | ({"done": done} if done else {}))
    return RedirectResponse(f"/sources?{asked}{'#' if place else ''}{place}", status_code=303)


def _read_back(parts: House, frame: Frame, form: Mapping[str, str]) -> tuple[str, str]:
    first = _day(form.get("since", ""))
    with parts.store.write() as session:
        brand = brands.get(session, frame.brand.slug)
        asked = listening.read_back(session, brand, first, form.get("source") or None, frame.now)
    return "bounded" if asked.bounded else "asked", "past"


def _note(parts: House, frame: Frame, form: Mapping[str, str]) -> tuple[str, str]:
    present, attended = (SAYS.get(form.get(name, "")) for name in ("present", "attended"))
    channel = Channel(name=form.get("name", ""), owner=form.get("owner"), present=present, attended=attended)
    with parts.store.write() as session:
        noted(session, brands.get(session, frame.brand.slug), channel)
    return "channel", "channels"


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid("{date} is no day. Write it as 2026-01-31.", date=text.strip() or "—") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise Invalid("{date} is no day. Write it as 2026-01-31.", date=text.strip())
    return day


def _page(
    request: Request, parts: House, reader: Reader, frame: Frame, form: Mapping[str, str],
    problem: EscuchaError | None = None, done: str = "",
) -> Response:
    with parts.store.read() as session:
        page = sources_page(session, parts, frame, str(request.base_url), form)
        said = notices(session, frame)
    why = reader.say(problem.message, **problem.details) if problem else None
    told = reader.say(DONE[done]) if done in DONE else None
    status = status_of(problem) if problem else HTTPStatus.OK
    return render(request, "sources.html", reader, status, frame=frame, page=page, notices=said, problem=why,
                  done=told)
