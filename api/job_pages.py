"""The doors of the page about tagging again: look, ask for it, cancel it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.dashboard.jobs import jobs_page
from api.dashboard.notices import notices
from api.dashboard.shell import render
from api.deps import Parts, Reading, Write
from api.pages import Framed
from api.routes.jobs import today
from escucha.job import How
from pipeline import retag
from store import brands, jobs

router = APIRouter(include_in_schema=False, default_response_class=Response)


@router.get("/jobs")
def show_jobs(request: Request, parts: Parts, reader: Reading, framed: Framed) -> Response:
    """What could be tagged again, and the jobs that do it."""
    if framed is None:
        return render(request, "welcome.html", reader)
    now_speaking = today(parts)
    with parts.store.read() as session:
        page = jobs_page(session, framed, now_speaking)
        return render(request, "jobs.html", reader, frame=framed, page=page, notices=notices(session, framed))


@router.post("/jobs")
def ask_for(
    parts: Parts, brand: Annotated[str, Query(max_length=100)], how: How = "all", stale: bool = False
) -> Response:
    """Queue a job and go back to the page."""
    now_speaking = today(parts) if stale and how == "all" else None
    with parts.store.write() as session:
        retag.ask(session, brands.get(session, brand).id, how, parts.clock(), now_speaking)
    return RedirectResponse(f"/jobs?brand={brand}", status_code=303)


@router.post("/jobs/{id}/cancel")
def cancel(
    session: Write, parts: Parts, id: Annotated[int, Path(ge=1, lt=2**63)],
    brand: Annotated[str, Query(max_length=100)],
) -> Response:
    """Cancel a job and go back to the page; one that has ended meanwhile is left as it is."""
    slug = brands.get(session, brand).slug
    if jobs.get(session, id).open:
        jobs.cancel(session, id, parts.clock())
    return RedirectResponse(f"/jobs?brand={slug}", status_code=303)
