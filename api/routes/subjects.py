"""People who ask about what is held of them, over HTTP: find, export, block, unblock, erase; and the audit."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Path, Query
from fastapi.responses import StreamingResponse

from api.data_schemas import AuditOut, ConfirmIn, DoneOut, SubjectOut, SubjectsOut
from api.deps import Db, Parts
from api.schemas import ErrorOut
from escucha.errors import Invalid
from escucha.keeping import Subject
from pipeline import forget
from store import audit, subjects
from store.engine import Store
from store.sweep import sweep

router = APIRouter(tags=["privacy"], responses={404: {"model": ErrorOut}})
Number = Annotated[int, Path(ge=1, lt=2**63, description="The person's number, from /subjects.")]


@router.get("/subjects", response_model=SubjectsOut, summary="Find a person")
def find(
    session: Db, source: Annotated[str, Query(max_length=100, description="The source, as mastodon.")],
    author: Annotated[str, Query(min_length=1, max_length=2000, description="Their id, handle or address there.")],
) -> dict[str, Any]:
    """The people of a source with this id, handle or address, and how much is held of each."""
    return {"items": subjects.find(session, source, author)}


@router.get("/subjects/{id}", response_model=SubjectOut, summary="One person")
def get(session: Db, id: Number) -> Subject:
    """How much is held of a person."""
    return forget.numbered(session, id)


@router.get("/subjects/{id}/export", response_class=StreamingResponse, summary="All that is held of a person")
def export(parts: Parts, id: Number) -> StreamingResponse:
    """Everything as JSON: who they are, what they said, and what was understood of it. The audit notes it."""
    pieces = forget.account(parts.store, _person(parts.store, id), parts.clock())
    named = {"Content-Disposition": f'attachment; filename="escucha-person-{id}.json"'}
    return StreamingResponse(pieces, media_type="application/json", headers=named)


@router.post("/subjects/{id}/block", response_model=DoneOut, summary="Block a person")
def block(parts: Parts, id: Number) -> dict[str, int]:
    """Keep what they said, but show and count it nowhere, and hear no more of them."""
    return {"mentions": forget.block(parts.store, _person(parts.store, id), parts.clock())}


@router.post("/subjects/{id}/unblock", response_model=DoneOut, summary="Unblock a person")
def unblock(parts: Parts, id: Number) -> dict[str, int]:
    """Show and count what they said again."""
    return {"mentions": forget.unblock(parts.store, _person(parts.store, id), parts.clock())}


@router.post("/subjects/{id}/erase", response_model=DoneOut, summary="Erase a person")
def erase(parts: Parts, id: Number, asked: ConfirmIn, later: BackgroundTasks) -> dict[str, int]:
    """Delete all that is held of them, for every brand; the files are swept after the answer."""
    if not asked.confirm:
        raise Invalid("Confirm that what is held of this person is to be erased for good.")
    done = forget.erase(parts.store, _person(parts.store, id), parts.clock())
    later.add_task(sweep, parts.store)
    return {"mentions": done.mentions}


@router.get("/audit", response_model=AuditOut, summary="What was done for people who asked")
def list_audit(session: Db, limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> dict[str, Any]:
    """That something was given, blocked or erased, when, and how much: none of the data."""
    return {"items": audit.entries(session, limit)}


def _person(store: Store, id: int) -> Subject:
    with store.read() as session:
        return forget.numbered(session, id)
