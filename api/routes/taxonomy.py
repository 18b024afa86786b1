"""A brand's own taxonomy over HTTP: list, add, rename, remove."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.deps import Db, Parts, Write
from api.learning_schemas import AddedLabelOut, OwnLabelIn, OwnLabelOut, RetiredOut, TaxonomyOut, WordsIn
from api.schemas import ErrorOut
from escucha.taxonomy import OwnLabel, listed
from pipeline import learning
from store import brands, taxonomy

router = APIRouter(prefix="/brands/{slug}/taxonomy", tags=["taxonomy"], responses={404: {"model": ErrorOut}})
TAKEN: dict[int | str, dict[str, Any]] = {409: {"model": ErrorOut}}


@router.get("", response_model=TaxonomyOut, summary="A brand's labels")
def list_labels(session: Db, parts: Parts, slug: str) -> dict[str, Any]:
    """The stages, pain points and touchpoints as the brand calls them, with its own."""
    brand_id = brands.get(session, slug).id or 0
    own = taxonomy.of_brand(session, brand_id)
    return {"items": listed(taxonomy.catalogue(session, brand_id, parts.catalogue), own)}


@router.post("", response_model=AddedLabelOut, status_code=201, summary="Add a label", responses=TAKEN)
def add_label(parts: Parts, slug: str, asked: OwnLabelIn, response: Response) -> dict[str, Any]:
    """Add a stage, pain point or touchpoint from examples, and offer a head that knows it."""
    with parts.store.read() as session:
        brand = brands.get(session, slug)
    own, head = learning.add_label(
        parts.store, brand, parts.catalogue, asked.kind, asked.label, asked.meaning, asked.examples, parts.clock()
    )
    response.headers["Location"] = f"/api/v1/brands/{slug}/taxonomy"
    return {"label": own, "head": head}


@router.put("/{kind}/{key}", response_model=OwnLabelOut, summary="Rename a label", responses=TAKEN)
def rename_label(session: Write, parts: Parts, slug: str, kind: str, key: str, asked: WordsIn) -> OwnLabel:
    """Give a label other words, whether it ships or is the brand's own; its key stays."""
    brand = brands.get(session, slug)
    return learning.rename_label(
        session, brand, parts.catalogue, kind, key, asked.label, asked.meaning, parts.clock()
    )


@router.delete("/{kind}/{key}", response_model=RetiredOut, summary="Retire a label", responses=TAKEN)
def remove_label(session: Write, parts: Parts, slug: str, kind: str, key: str) -> dict[str, int]:
    """Retire an own label with the corrections that gave it, or give a shipped one its words back."""
    _, corrections = learning.remove_label(session, brands.get(session, slug), kind, key, parts.clock())
    return {"corrections": corrections}
