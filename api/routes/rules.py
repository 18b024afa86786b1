"""A brand's rules over HTTP: list, try, add, switch, remove."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from api.deps import Db, Parts
from api.learning_schemas import RuleIn, RuleOut, RulesOut, SpreadOut, SwitchIn, TrialOut
from api.schemas import ErrorOut
from escucha.brand import Brand
from escucha.rule import Rule, Trial
from pipeline import correct
from store import brands, rules
from store.engine import Store

router = APIRouter(prefix="/brands/{slug}/rules", tags=["rules"], responses={404: {"model": ErrorOut}})
Number = Annotated[int, Path(ge=1, lt=2**63, description="The rule's number.")]


@router.get("", response_model=RulesOut, summary="A brand's rules")
def list_rules(session: Db, slug: str) -> dict[str, Any]:
    """The rules in the order in which they are tried."""
    brand = brands.get(session, slug)
    return {"items": rules.of_brands(session, [brand.id or 0])[brand.id or 0]}


@router.post("/try", response_model=TrialOut, summary="Try a rule")
def try_rule(session: Db, parts: Parts, slug: str, asked: RuleIn) -> Trial:
    """What a rule would change if it were saved now. Nothing is saved."""
    brand = brands.get(session, slug)
    return correct.try_rule(session, parts.catalogue, brand, _rule(brand, asked))


@router.post("", response_model=SpreadOut, status_code=201, summary="Add a rule")
def add_rule(parts: Parts, slug: str, asked: RuleIn, response: Response) -> dict[str, Any]:
    """Add a rule; it holds for what comes and, when this returns, for all that is stored."""
    rule, changed = correct.add_rule(parts.store, parts.catalogue, _rule(_brand(parts.store, slug), asked),
                                     parts.clock())
    response.headers["Location"] = f"/api/v1/brands/{slug}/rules/{rule.id}"
    return {"rule": rule, "changed": changed}


@router.get("/{id}", response_model=RuleOut, summary="One rule")
def get_rule(session: Db, slug: str, id: Number) -> Rule:
    """The brand's rule of that number."""
    return rules.get(session, id, brands.get(session, slug).id)


@router.patch("/{id}", response_model=SpreadOut, summary="Switch a rule on or off")
def switch_rule(parts: Parts, slug: str, id: Number, asked: SwitchIn) -> dict[str, Any]:
    """Put a rule in force or out of it, for stored mentions too."""
    rule, changed = correct.switch_rule(parts.store, _brand(parts.store, slug), id, active=asked.active)
    return {"rule": rule, "changed": changed}


@router.delete("/{id}", status_code=204, summary="Remove a rule")
def remove_rule(parts: Parts, slug: str, id: Number) -> None:
    """Take a rule back: what it set is as it was before."""
    correct.remove_rule(parts.store, _brand(parts.store, slug), id)


def _brand(store: Store, slug: str) -> Brand:
    with store.read() as session:
        return brands.get(session, slug)


def _rule(brand: Brand, asked: RuleIn) -> Rule:
    return Rule(brand_id=brand.id, words=tuple(asked.words), kind=asked.kind, label=asked.label, only=asked.only,
                name=asked.name)
