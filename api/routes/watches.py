"""Watches over HTTP: what is asked of which source, how it does, tried before it is saved, run, paused, removed."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.orm import Session

from api import listening
from api.dashboard.coverage import covered, first_moment
from api.deps import Db, House, Parts, Reading, Write
from api.i18n import Reader
from api.listening import Wanted
from api.schemas import ErrorOut
from api.source_schemas import CoverageOut, RunsOut, TrialOut, WantedIn, WatchesOut, WatchIn, WatchOut
from escucha.brand import Brand, Problem, Run, Watch
from store import brands, coverage, ledger, watches
from store.ledger import Standing

router = APIRouter(prefix="/watches", tags=["watches"], responses={404: {"model": ErrorOut}})
Number = Annotated[int, Path(ge=1, lt=2**63, description="The watch's number.")]
BrandName = Annotated[str | None, Query(max_length=100, description="A brand's short name; without it: every brand.")]
Limit = Annotated[int, Query(ge=1, le=100, description="Runs in the answer.")]
OWN = ("id", "source", "state", "health", "every", "slowest", "pace", "made_at", "next_at", "last_run_at",
       "last_good_at", "failures", "quota")
COUNTED = ("at", "fetched", "new", "updated", "duplicate", "refused", "passed", "gone", "cost")
TWICE: dict[int | str, dict[str, Any]] = {409: {"model": ErrorOut}}


@router.get("", response_model=WatchesOut, summary="Watches and how they do")
def list_watches(session: Db, parts: Parts, reader: Reading, brand: BrandName = None) -> dict[str, Any]:
    """The watches of a brand, or all."""
    wanted = [brands.get(session, brand)] if brand else brands.all_brands(session)
    known = {one.id: one for one in wanted}
    found = [watch for watch in watches.all_watches(session) if watch.brand_id in known]
    stand = _standings(session, parts, found)
    return {"items": [_shown(session, parts, reader, known[one.brand_id], one, stand[one.id]) for one in found]}


@router.post("/try", response_model=TrialOut, summary="Try a watch")
def try_watch(parts: Parts, reader: Reading, asked: WantedIn) -> dict[str, Any]:
    """Ask a source once and show up to ten mentions as they would be stored. Nothing is stored."""
    with parts.store.read() as session:
        brand = brands.get(session, asked.brand)
    trial = listening.tried(parts, brand, _wanted(asked))
    problem, searched = trial.problem, listening.searched(asked.source, asked.query)
    return {
        "searches": searched.searches if searched else [], "checked": searched.checked if searched else None,
        "mentions": trial.mentions, "passed": trial.passed, "cost": trial.cost, "estimate": trial.estimate,
        "problem": reader.say(problem.message, **problem.details) if problem else None,
        "refusals": [_refusal(reader, each.where, Problem.of(each.why)) for each in trial.refusals],
    }


@router.post("", response_model=WatchOut, status_code=201, summary="Start a watch", responses=TWICE)
def add_watch(session: Write, parts: Parts, reader: Reading, asked: WatchIn, response: Response) -> dict[str, Any]:
    """Save a watch; its first run is due at once."""
    brand = brands.get(session, asked.brand)
    watch = listening.started(session, brand, _wanted(asked), parts.clock())
    response.headers["Location"] = f"/api/v1/watches/{watch.id}"
    return _one(session, parts, reader, watch.id)


@router.get("/{id}", response_model=WatchOut, summary="One watch")
def get_watch(session: Db, parts: Parts, reader: Reading, id: Number) -> dict[str, Any]:
    """How one watch does."""
    return _one(session, parts, reader, id)


@router.post("/{id}/run", response_model=WatchOut, summary="Run a watch now")
def run_watch(session: Write, parts: Parts, reader: Reading, id: Number) -> dict[str, Any]:
    """Make a watch due at once, paused or not."""
    watches.run_now(session, id, parts.clock())
    return _one(session, parts, reader, id)


@router.post("/{id}/pause", response_model=WatchOut, summary="Pause a watch")
def pause_watch(session: Write, parts: Parts, reader: Reading, id: Number) -> dict[str, Any]:
    """Ask no more for now."""
    watches.set_state(session, id, "paused", parts.clock())
    return _one(session, parts, reader, id)


@router.post("/{id}/resume", response_model=WatchOut, summary="Resume a watch")
def resume_watch(session: Write, parts: Parts, reader: Reading, id: Number) -> dict[str, Any]:
    """Go on; the next run is due at once."""
    watches.set_state(session, id, "active", parts.clock())
    return _one(session, parts, reader, id)


@router.delete("/{id}", status_code=204, summary="Remove a watch")
def remove_watch(session: Write, id: Number) -> None:
    """Stop a watch for good; what was heard stays."""
    watches.remove(session, id)


@router.get("/{id}/runs", response_model=RunsOut, summary="A watch's runs")
def list_runs(session: Db, reader: Reading, id: Number, limit: Limit = 20) -> dict[str, Any]:
    """The newest lines of the ledger, newest first, with what was refused and why."""
    watches.get(session, id)
    return {"items": [_run(reader, run) for run in watches.runs(session, id, limit)]}


@router.get("/{id}/coverage", response_model=CoverageOut, summary="Which days were read")
def get_coverage(session: Db, parts: Parts, id: Number) -> dict[str, Any]:
    """Five weeks of days in the brand's time zone, with the share of each that was read."""
    watch, now = watches.get(session, id), parts.clock()
    zone = ZoneInfo(brands.by_id(session, watch.brand_id).timezone)
    return {"items": covered(watch, coverage.spans(session, id, first_moment(now, zone)), now, zone)}


def _wanted(asked: WantedIn) -> Wanted:
    terms = tuple(asked.terms) if asked.terms is not None else None
    pace = {"every": asked.every, "slowest": asked.slowest} if isinstance(asked, WatchIn) else {}
    return Wanted(source=asked.source, text=asked.query, terms=terms, **pace)  # type: ignore[arg-type]


def _standings(session: Session, parts: House, found: list[Watch]) -> dict[int, Standing]:
    now = parts.clock()
    return ledger.standings(session, found, now, now - timedelta(days=7))


def _one(session: Session, parts: House, reader: Reader, watch_id: int) -> dict[str, Any]:
    watch = watches.get(session, watch_id)
    brand = brands.by_id(session, watch.brand_id)
    return _shown(session, parts, reader, brand, watch, _standings(session, parts, [watch])[watch.id])


def _shown(
    session: Session, parts: House, reader: Reader, brand: Brand, watch: Watch, stand: Standing
) -> dict[str, Any]:
    purse = listening.purse(session, parts, watch.source, watch.brand_id)
    return {
        **{name: getattr(watch, name) for name in OWN}, "brand": brand.slug, "query": watch.query.text,
        "title": listening.declared(watch.source).title or watch.source, "terms": list(watch.query.terms),
        "problem": _said(reader, watch.problem), "doubt": _said(reader, watch.doubt),
        "hook": f"/hooks/{watch.hook}" if watch.hook else None,
        "last_run": _run(reader, stand.last) if stand.last else None,
        "week": _run(reader, stand.week) if stand.week else None,
        "lag_seconds": stand.lag.total_seconds() if stand.lag is not None else None, "heard": stand.heard,
        "spent": purse.spent if purse else None, "budget": purse.allowed if purse else None,
    }


def _run(reader: Reader, run: Run) -> dict[str, Any]:
    return {
        **{name: getattr(run, name) for name in COUNTED}, "backfill": run.backfill_id,
        "problem": _said(reader, run.problem),
        "refusals": [_refusal(reader, where, why) for where, why in run.refusals],
    }


def _refusal(reader: Reader, where: str, why: Problem) -> dict[str, Any]:
    return {"where": where, "reason": reader.say(why.message, **why.details)}


def _said(reader: Reader, problem: Problem | None) -> str | None:
    return reader.say(problem.message, **problem.details) if problem else None
