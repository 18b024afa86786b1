"""The doors of the page about the model and the taxonomy: look, learn, decide, and keep labels of one's own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.dashboard.learning import learning_page
from api.dashboard.notices import notices
from api.dashboard.shell import render
from api.deps import Db, Parts, Reading, Write
from api.forms import Form
from api.pages import Framed
from pipeline import learning
from store import brands

router = APIRouter(include_in_schema=False, default_response_class=Response)
Slug = Annotated[str, Query(alias="brand", max_length=100)]
Number = Annotated[int, Path(ge=1, lt=2**63)]


@router.get("/learning")
def show_learning(request: Request, reader: Reading, session: Db, framed: Framed) -> Response:
    """What was learned from the brand, and its labels."""
    if framed is None:
        return render(request, "welcome.html", reader)
    page = learning_page(session, framed)
    return render(request, "learning.html", reader, frame=framed, page=page, notices=notices(session, framed))


@router.post("/learning/train")
def train(parts: Parts, slug: Slug, kind: str) -> Response:
    """Learn a kind and show what came of it."""
    with parts.store.read() as session:
        brand = brands.get(session, slug)
    learning.train(parts.store, brand, kind, parts.clock())
    return _back(slug, f"kind-{kind}")


@router.post("/learning/heads/{id}/accept")
def accept(session: Write, parts: Parts, slug: Slug, id: Number) -> Response:
    """Put what was learned to use."""
    head, _ = learning.accept(session, brands.get(session, slug), id, parts.clock())
    return _back(slug, f"kind-{head.kind}")


@router.post("/learning/heads/{id}/reject")
def reject(session: Write, parts: Parts, slug: Slug, id: Number) -> Response:
    """Leave what was learned out of use."""
    head = learning.reject(session, brands.get(session, slug), id, parts.clock())
    return _back(slug, f"kind-{head.kind}")


@router.post("/learning/rollback")
def roll_back(session: Write, parts: Parts, slug: Slug, kind: str) -> Response:
    """Go back to what was in use before."""
    learning.roll_back(session, brands.get(session, slug), kind, parts.clock())
    return _back(slug, f"kind-{kind}")


@router.post("/learning/labels")
def add_label(parts: Parts, slug: Slug, form: Form) -> Response:
    """Add a label of the brand's own, learn it, and show what came of it."""
    with parts.store.read() as session:
        brand = brands.get(session, slug)
    own, _ = learning.add_label(
        parts.store, brand, parts.catalogue, form.get("kind", ""), _words(form, "name"), _words(form, "about"),
        form.get("examples", "").splitlines(), parts.clock(),
    )
    return _back(slug, f"kind-{own.kind}")


@router.post("/learning/labels/{kind}/{key}")
def rename_label(session: Write, parts: Parts, slug: Slug, kind: str, key: str, form: Form) -> Response:
    """Give a label other words."""
    learning.rename_label(session, brands.get(session, slug), parts.catalogue, kind, key, _words(form, "name"),
                          _words(form, "about"), parts.clock())
    return _back(slug, f"labels-{kind}")


@router.post("/learning/labels/{kind}/{key}/remove")
def remove_label(session: Write, parts: Parts, slug: Slug, kind: str, key: str) -> Response:
    """Retire an own label, or give one that ships its words back."""
    learning.remove_label(session, brands.get(session, slug), kind, key, parts.clock())
    return _back(slug, f"labels-{kind}")


def _words(form: dict[str, str], name: str) -> dict[str, str]:
    return {lang: form.get(f"{name}_{lang}", "") for lang in ("es", "en")}


def _back(slug: str, place: str) -> Response:
    return RedirectResponse(f"/learning?brand={slug}#{place}", status_code=303)
