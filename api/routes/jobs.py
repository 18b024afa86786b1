"""Jobs over HTTP: how much of the history has old labels, tag it again, watch that go on, cancel it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from api.assembly import model_options
from api.deps import Db, House, Parts, Reading, Write
from api.i18n import Reader
from api.schemas import ErrorOut, JobIn, JobOut, JobsOut, StaleOut
from escucha.job import Job
from nlp.again import Standing, standing
from pipeline import retag
from store import brands, history, jobs

router = APIRouter(prefix="/jobs", tags=["jobs"])
Number = Annotated[int, Path(ge=1, lt=2**63)]
BrandName = Annotated[str | None, Query(max_length=100, description="A brand's short name; without it: every brand.")]


def today(parts: House) -> Standing:
    """The taggers of this installation. Asked before the store is: opening them can take a second."""
    return standing(model_options(parts.settings))


@router.get("", response_model=JobsOut, summary="Jobs, newest first", responses={404: {"model": ErrorOut}})
def list_jobs(session: Db, reader: Reading, brand: BrandName = None) -> dict[str, Any]:
    """The newest 50 jobs: those of a brand and those over every brand; or all."""
    brand_id = brands.get(session, brand).id if brand else None
    return {"items": [shown(reader, job) for job in jobs.all_jobs(session, brand_id)]}


@router.get("/stale", response_model=StaleOut, summary="How much has old labels", responses={404: {"model": ErrorOut}})
def get_stale(parts: Parts, brand: BrandName = None) -> dict[str, Any]:
    """Mentions whose labels come from other taggers than today's, and how long tagging those again should take."""
    now_speaking = today(parts)
    with parts.store.read() as session:
        brand_id = brands.get(session, brand).id if brand else None
        n = retag.stale(session, now_speaking, brand_id)
        seconds = retag.duration(jobs.all_jobs(session), "all", n, parts.clock()).total_seconds()
        return {"stale": n, "tagged": history.extent(session, brand_id)[0], "seconds": seconds}


@router.get("/{id}", response_model=JobOut, summary="One job", responses={404: {"model": ErrorOut}})
def get_job(session: Db, reader: Reading, id: Number) -> dict[str, Any]:
    """How far a job is, and what it changed."""
    return shown(reader, jobs.get(session, id))


@router.post("", response_model=JobOut, status_code=201, summary="Tag again", responses={404: {"model": ErrorOut}})
def ask_for(parts: Parts, reader: Reading, asked: JobIn, response: Response) -> dict[str, Any]:
    """Queue a job; the server's clock works it off, after new mentions."""
    now_speaking = today(parts) if asked.stale and asked.how == "all" else None
    with parts.store.write() as session:
        brand_id = brands.get(session, asked.brand).id if asked.brand else None
        job_id = retag.ask(session, brand_id, asked.how, parts.clock(), now_speaking)
        response.headers["Location"] = f"/api/v1/jobs/{job_id}"
        return shown(reader, jobs.get(session, job_id))


@router.post("/{id}/cancel", response_model=JobOut, summary="Cancel a job",
             responses={404: {"model": ErrorOut}, 409: {"model": ErrorOut}})  # fmt: skip
def cancel(session: Write, parts: Parts, reader: Reading, id: Number) -> dict[str, Any]:
    """Stop a job; what it has tagged stays so."""
    return shown(reader, jobs.cancel(session, id, parts.clock()))


def shown(reader: Reader, job: Job) -> dict[str, Any]:
    """A job as it is answered, its problem as a sentence."""
    fields = {name: getattr(job, name) for name in JobOut.model_fields if name != "problem"}
    return {**fields, "problem": reader.say(job.problem["message"], **job.problem["details"]) if job.problem else None}
