"""What a brand does not want, over HTTP: list, preview, add, remove; and a person's word on one mention."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from api.deps import Db, House, Parts, Write
from api.exclusion_schemas import ExclusionIn, ExclusionOut, ExclusionsOut, ExclusionTrialOut, RelevanceIn
from api.routes.queries import AT_ONCE, PATIENCE, turn
from api.schemas import ErrorOut, MentionOut
from escucha.brand import Brand
from escucha.enrichment import TaggedMention
from escucha.exclusion import PERSON, Exclusion, by_kind
from pipeline import exclude
from pipeline.exclude import Trial
from store import brands, exclusions, found
from store.engine import Store

router = APIRouter(tags=["relevance"], responses={404: {"model": ErrorOut}})
OF_BRAND = "/brands/{slug}/exclusions"
OF_MENTION = "/mentions/{id}/relevance"
Number = Annotated[int, Path(ge=1, lt=2**63, description="The exclusion's number.")]
Mention = Annotated[int, Path(ge=1, lt=2**63, description="The mention's number.")]
_turns = BoundedSemaphore(AT_ONCE)


@router.get(OF_BRAND, response_model=ExclusionsOut, summary="A brand's exclusions")
def list_exclusions(session: Db, slug: str) -> dict[str, Any]:
    """What the brand does not want, how much that hides, and what could be excluded as well."""
    brand = brands.get(session, slug)
    counts = exclusions.counts(session, brand.id)
    return {
        "items": [_shown(one, counts.get(one.mark, 0)) for one in exclusions.of_brand(session, brand.id)],
        "by_persons": counts.get(PERSON, 0),
        "suggested": [{"kind": one.kind, "value": one.value, "count": n}
                      for one, n in exclusions.suggested(session, brand.id)],
    }


@router.post(f"{OF_BRAND}/preview", response_model=ExclusionTrialOut, summary="Try an exclusion")
def try_exclusion(parts: Parts, slug: str, asked: ExclusionIn) -> Trial:
    """What an exclusion would hide of the stored mentions. Nothing is saved."""
    return tried(parts, _brand(parts.store, slug), _exclusion(None, asked))


@router.post(OF_BRAND, response_model=ExclusionOut, status_code=201, summary="Add an exclusion",
             responses={409: {"model": ErrorOut}})
def add_exclusion(parts: Parts, slug: str, asked: ExclusionIn, response: Response) -> dict[str, Any]:
    """Add an exclusion, for what comes and for what is stored; of a large store the clock does the rest (`waits`)."""
    brand = _brand(parts.store, slug)
    added, _ = exclude.add(parts.store, _exclusion(brand, asked), parts.clock())
    response.headers["Location"] = f"/api/v1/brands/{slug}/exclusions/{added.id}"
    with parts.store.read() as session:
        return _shown(added, exclusions.counts(session, brand.id).get(added.mark, 0))


@router.get(OF_BRAND + "/{id}", response_model=ExclusionOut, summary="One exclusion")
def get_exclusion(session: Db, slug: str, id: Number) -> dict[str, Any]:
    """The brand's exclusion of that number."""
    brand = brands.get(session, slug)
    one = exclusions.get(session, id, brand.id)
    return _shown(one, exclusions.counts(session, brand.id).get(one.mark, 0))


@router.delete(OF_BRAND + "/{id}", status_code=204, summary="Remove an exclusion")
def remove_exclusion(parts: Parts, slug: str, id: Number) -> None:
    """Take an exclusion back: what no other one means is shown again, and may be collected again."""
    exclude.remove(parts.store, _brand(parts.store, slug), id)


@router.put(OF_MENTION, response_model=MentionOut, tags=["corrections"], summary="Say whether a mention is relevant")
def say_relevance(session: Write, id: Mention, asked: RelevanceIn) -> TaggedMention:
    """Hide a mention, or show it whatever the exclusions say. It counts at once, everywhere."""
    exclusions.say(session, id, asked.relevant)
    return found.get(session, id)


@router.delete(OF_MENTION, response_model=MentionOut, tags=["corrections"], summary="Take that back")
def undo_relevance(session: Write, id: Mention) -> TaggedMention:
    """Take back what a person said: the exclusions decide again."""
    exclusions.say(session, id, None)
    return found.get(session, id)


def tried(parts: House, brand: Brand, exclusion: Exclusion) -> Trial:
    """What an exclusion would hide; a few are tried at once, the others wait. Raises TryLater."""
    with turn(_turns, PATIENCE):
        return exclude.try_out(parts.store, brand, exclusion)


def _brand(store: Store, slug: str) -> Brand:
    with store.read() as session:
        return brands.get(session, slug)


def _exclusion(brand: Brand | None, asked: ExclusionIn) -> Exclusion:
    return by_kind(asked.kind, asked.value, refuse=asked.refuse, brand_id=brand.id if brand else None)


def _shown(one: Exclusion, hidden: int) -> dict[str, Any]:
    return {"id": one.id, "kind": one.kind, "value": one.value, "refuse": one.refuse, "waits": one.waits,
            "hidden": hidden}  # fmt: skip
