"""Sources over HTTP: what each needs, may keep and cannot see, and which of its keys are entered."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from api import listening, source_keys
from api.deps import Db, House, Parts, Reading, Write
from api.i18n import Reader
from api.schemas import ErrorOut
from api.source_keys import Entered
from api.source_schemas import KeysIn, KeysOut, SourceOut, SourcesOut
from collectors import ACCEPTED
from escucha.note import Note
from escucha.source import SourceFacts
from store import brands

router = APIRouter(prefix="/sources", tags=["sources"])
Name = Annotated[str, Path(max_length=100, description="The source: rss, youtube, webhook…")]
BrandName = Annotated[str | None, Query(max_length=100, description="A brand's short name; without it: every brand.")]
DECLARED = ("name", "access", "query_hint", "searches", "own", "pushed", "reach_days", "can_store_days",
            "recheck_days", "cost_per_item", "fastest")


@router.get("", response_model=SourcesOut, summary="The sources", responses={404: {"model": ErrorOut}})
def list_sources(session: Db, parts: Parts, reader: Reading, brand: BrandName = None) -> dict[str, Any]:
    """What can be listened to, and under which conditions."""
    brand_id = brands.get(session, brand).id if brand else None
    return {"items": [_shown(session, parts, reader, facts, brand_id) for facts in listening.offered()]}


@router.get("/{name}", response_model=SourceOut, summary="One source", responses={404: {"model": ErrorOut}})
def get_source(session: Db, parts: Parts, reader: Reading, name: Name, brand: BrandName = None) -> dict[str, Any]:
    """What one source declares."""
    brand_id = brands.get(session, brand).id if brand else None
    return _shown(session, parts, reader, listening.chosen(name), brand_id)


@router.get("/{name}/keys", response_model=KeysOut, summary="Which keys are entered",
            responses={404: {"model": ErrorOut}})  # fmt: skip
def list_keys(session: Db, parts: Parts, reader: Reading, name: Name, brand: BrandName = None) -> dict[str, Any]:
    """The names of a source's keys and since when they are entered; never their values."""
    brand_id = brands.get(session, brand).id if brand else None
    found = source_keys.entered(session, parts.settings, listening.chosen(name), brand_id)
    return {"items": [_key(reader, one) for one in found]}


@router.put("/{name}/keys", response_model=KeysOut, summary="Enter keys", responses={404: {"model": ErrorOut}})
def put_keys(session: Write, parts: Parts, reader: Reading, name: Name, asked: KeysIn) -> dict[str, Any]:
    """Keep these keys, encrypted, in place of those of the same names."""
    facts, brand_id = listening.chosen(name), brands.get(session, asked.brand).id if asked.brand else None
    given = {key: value.get_secret_value() for key, value in asked.values.items()}
    if given.pop(ACCEPTED, "") == "yes":
        source_keys.accept(session, parts.settings, facts, parts.clock())
    source_keys.enter(session, parts.settings, facts, brand_id, given, parts.clock())
    return {"items": [_key(reader, one) for one in source_keys.entered(session, parts.settings, facts, brand_id)]}


@router.delete("/{name}/keys", status_code=204, summary="Forget keys", responses={404: {"model": ErrorOut}})
def forget_keys(
    session: Write, name: Name, brand: BrandName = None,
    key: Annotated[str | None, Query(max_length=100, description="Only this one.")] = None,
) -> None:
    """Forget a source's keys; `accepted` takes the acceptance of its terms back."""
    facts, brand_id = listening.chosen(name), brands.get(session, brand).id if brand else None
    if key == ACCEPTED:
        source_keys.switch_off(session, facts, brand_id)
    else:
        source_keys.forget(session, facts, brand_id, key)


def _shown(session: Db, parts: House, reader: Reader, facts: SourceFacts, brand_id: int | None) -> dict[str, Any]:
    def say(note: Note) -> str:
        return reader.say(note.message, **note.details)

    sentences = {name: say(getattr(facts, name)) for name in ("query_about", "needs", "keeps", "blind", "reach")}
    return {
        **{name: getattr(facts, name) for name in DECLARED}, **sentences, "title": facts.title or facts.name,
        "terms": say(facts.terms) if facts.terms else None, "followers": facts.followers_in_answer,
        "on": source_keys.is_on(session, parts.settings, facts, brand_id),
        "keys": [one.name for one in facts.needs_credentials],
    }


def _key(reader: Reader, one: Entered) -> dict[str, Any]:
    about = one.credential.about
    return {
        "name": one.credential.name, "about": reader.say(about.message, **about.details),
        "secret": one.credential.secret, "optional": one.credential.optional, "entered_at": one.own_since,
        "shared_since": one.shared_since, "in_settings": one.settled,
    }
