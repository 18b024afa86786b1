"""How long mentions are kept, over HTTP: list, preview, set, remove."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from api.data_schemas import OverdueOut, RetentionIn, RetentionOut, RetentionsOut
from api.deps import Db, Parts, Write
from api.schemas import ErrorOut
from escucha.keeping import Overdue, Retention, checked
from pipeline.night import foreseen
from store import brands, retention

router = APIRouter(prefix="/retention", tags=["privacy"], responses={404: {"model": ErrorOut}})


@router.get("", response_model=RetentionsOut, summary="How long mentions are kept")
def list_rules(session: Db, parts: Parts) -> dict[str, Any]:
    """The rules, of which the most specific wins: source and brand, brand, source, all. Without any, all is kept."""
    slugs = {brand.id: brand.slug for brand in brands.all_brands(session)}
    rules = [_shown(rule, slugs.get(rule.brand_id)) for rule in retention.policy(session).rules]
    return {"items": rules, "overdue": foreseen(session, parts.clock())}


@router.post("/preview", response_model=OverdueOut, summary="What a rule would remove")
def preview(session: Db, parts: Parts, asked: RetentionIn) -> Overdue:
    """What the coming night would remove with this rule. Nothing is saved."""
    return foreseen(session, parts.clock(), _rule(session, asked))


@router.post("", response_model=RetentionOut, status_code=201, summary="Set how long mentions are kept")
def put(session: Write, asked: RetentionIn) -> dict[str, Any]:
    """Save a rule, in place of the one for the same source and brand. It is carried out every night."""
    return _shown(retention.put(session, _rule(session, asked)), asked.brand)


@router.delete("/{id}", status_code=204, summary="Remove a rule")
def remove(session: Write, id: Annotated[int, Path(ge=1, lt=2**63, description="The rule's number.")]) -> None:
    """Take a rule back. What it let go of does not come back by itself."""
    retention.remove(session, id)


def _rule(session: Session, asked: RetentionIn) -> Retention:
    brand_id = brands.get(session, asked.brand).id if asked.brand else None
    return checked(Retention(source=asked.source, brand_id=brand_id, days=asked.days, raw_days=asked.raw_days))


def _shown(rule: Retention, slug: str | None) -> dict[str, Any]:
    return {"id": rule.id, "source": rule.source, "brand": slug, "days": rule.days, "raw_days": rule.raw_days}
