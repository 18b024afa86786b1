"""The doors of the page about one mention: look at it, set its labels right, take that back."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from api.dashboard.correct import asked, fields
from api.dashboard.labels import Labels
from api.dashboard.notices import notices
from api.dashboard.relevance import reasons
from api.dashboard.shell import Frame, render
from api.deps import Db, House, Parts, Reading, Write
from api.forms import Form
from api.pages import Framed
from escucha.errors import NotFound
from pipeline import correct
from store import brands, mentions, taxonomy

router = APIRouter(include_in_schema=False, default_response_class=Response)
Number = Annotated[int, Path(ge=1, lt=2**63)]


@router.get("/mentions/{id}")
def show_mention(
    request: Request, parts: Parts, reader: Reading, session: Db, framed: Framed, id: Number, saved: bool | None = None
) -> Response:
    """One mention, and the form that sets its labels right."""
    found = mentions.get(session, id)
    frame = _of(session, parts, framed, found.brand)
    return render(request, "correct.html", reader, frame=frame, tagged=found, fields=fields(frame, found), saved=saved,
                  notices=notices(session, frame), why=reasons(session, frame).get(found.hidden or ""))


@router.post("/mentions/{id}/correct")
def correct_mention(session: Write, parts: Parts, framed: Framed, id: Number, form: Form) -> Response:
    """Set the labels right that the form changed, or take one correction back, and show the mention again."""
    undone = form.get("undo")
    labels = {} if undone else asked(form)
    if undone:
        correct.undo(session, id, undone)
    for kind, label in labels.items():
        correct.correct(session, parts.catalogue, id, kind, label, parts.clock())
    frame = _of(session, parts, framed, mentions.get(session, id).brand)
    address = frame.link(f"/mentions/{id}")
    saved = "true" if undone or labels else "false"
    return RedirectResponse(f"{address}{'&' if '?' in address else '?'}saved={saved}", status_code=303)


def _of(session: Db, parts: House, framed: Frame | None, slug: str) -> Frame:
    """The frame, for the mention's own brand."""
    if framed is None:
        raise NotFound("There is no brand yet. Add one with `escucha brand add NAME`.")
    brand = brands.get(session, slug)
    labels = Labels(framed.reader, taxonomy.catalogue(session, brand.id, parts.catalogue))
    view = framed.view.model_copy(update={"brand": slug})
    return replace(framed, path="/mentions", brand=brand, labels=labels, view=view)
