"""A brand's own heads over HTTP: list, train, accept, reject, roll back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from api.deps import Db, Parts, Write
from api.learning_schemas import DecidedOut, HeadIn, HeadOut, HeadsOut
from api.schemas import ErrorOut
from pipeline import learning
from store import brands, heads
from store.heads import StoredHead

router = APIRouter(prefix="/brands/{slug}/heads", tags=["heads"], responses={404: {"model": ErrorOut}})
Number = Annotated[int, Path(ge=1, lt=2**63, description="The head's number.")]
TAKEN: dict[int | str, dict[str, Any]] = {409: {"model": ErrorOut}}


@router.get("", response_model=HeadsOut, summary="A brand's heads")
def list_heads(session: Db, slug: str) -> dict[str, Any]:
    """What was learned from the brand, newest first, and whether there is enough to learn more."""
    brand_id = brands.get(session, slug).id or 0
    return {"items": heads.all_heads(session, brand_id), "ready": learning.readiness(session, brand_id)}


@router.post("", response_model=HeadOut, status_code=201, summary="Learn from corrections")
def train_head(parts: Parts, slug: str, asked: HeadIn, response: Response) -> StoredHead:
    """Learn a kind from the brand's corrections and own labels, in seconds, and offer the result to be accepted."""
    with parts.store.read() as session:
        brand = brands.get(session, slug)
    head = learning.train(parts.store, brand, asked.kind, parts.clock())
    response.headers["Location"] = f"/api/v1/brands/{slug}/heads/{head.id}"
    return head


@router.get("/{id}", response_model=HeadOut, summary="One head")
def get_head(session: Db, slug: str, id: Number) -> StoredHead:
    """The brand's head of that number."""
    return heads.get(session, brands.get(session, slug).id or 0, id)


@router.post("/{id}/accept", response_model=DecidedOut, summary="Accept a head", responses=TAKEN)
def accept_head(session: Write, parts: Parts, slug: str, id: Number) -> dict[str, Any]:
    """Put an offered head to use, and label the brand's mentions again."""
    head, job = learning.accept(session, brands.get(session, slug), id, parts.clock())
    return {"head": head, "job": job}


@router.post("/{id}/reject", response_model=HeadOut, summary="Reject a head", responses=TAKEN)
def reject_head(session: Write, parts: Parts, slug: str, id: Number) -> StoredHead:
    """Leave an offered head out of use."""
    return learning.reject(session, brands.get(session, slug), id, parts.clock())


@router.post("/rollback", response_model=DecidedOut, summary="Go back to the head before")
def roll_back(session: Write, parts: Parts, slug: str, asked: HeadIn) -> dict[str, Any]:
    """Put the head before the present one to use again, or the embedded one; label the brand's mentions again."""
    head, job = learning.roll_back(session, brands.get(session, slug), asked.kind, parts.clock())
    return {"head": head, "job": job}
