"""Commands that tag history again: retag, jobs list, jobs cancel."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import typer

from api.console import help_text, progress, reader, say, show_json, table
from api.i18n import N_

if TYPE_CHECKING:
    from config.settings import Settings
    from escucha.job import Job
    from store.engine import Store

group = typer.Typer(help=help_text("Work on the whole history: list it, cancel it."), no_args_is_help=True)
AS_JSON = typer.Option(False, "--json", help=help_text("Print JSON."))
POLL = 0.5


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(help=help_text("Tag again what earlier versions of the taggers have tagged."))(retag)
    group.command("list", help=help_text("List the jobs, newest first."))(listed)
    group.command("cancel", help=help_text("Cancel a job; what it has done stays."))(cancel)
    app.add_typer(group, name="jobs")


def retag(
    brand: str = typer.Option("", "--brand", help=help_text("The brand's short name; every brand if not given.")),
    stale: bool = typer.Option(True, "--stale/--all", help=help_text("Only what other taggers have tagged, or all.")),
    heads: bool = typer.Option(False, "--heads", help=help_text("Apply the brand's own heads to all; read no text.")),
    wait: bool = typer.Option(False, "--wait", help=help_text("Do it now instead of leaving it to the server.")),
    as_json: bool = AS_JSON,
) -> None:
    """Queue a job, and with --wait work it off; exit 5 if a text could not be read by the taggers."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from store import jobs

    settings = read_settings()
    store = ready_store(settings)
    job_id = _ask(settings, store, brand, stale=stale and not heads, heads=heads)
    if wait:
        _work_off(settings, store, job_id)
    with store.read() as session:
        job = jobs.get(session, job_id)
    if as_json:
        show_json(_plain(job))
    elif not wait:
        say("Job {id} waits: {total} mentions. `escucha serve` works it off; `escucha jobs list` shows how far it is.",
            id=job.id, total=job.total)
    else:
        say("Tagged {done} mentions again: {changed} have another label; {failed} could not be read.",
            done=job.done, changed=job.changed, failed=job.failed)
        if job.moves:
            table((N_("field"), N_("before"), N_("now"), N_("mentions")), _moves(job))
    if job.failed:
        raise typer.Exit(5)


def listed(as_json: bool = AS_JSON) -> None:
    """List the jobs."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from store import jobs

    with ready_store(read_settings()).read() as session:
        found = jobs.all_jobs(session)
    if as_json:
        show_json([_plain(job) for job in found])
    elif not found:
        say("There is no job yet. `escucha retag` makes one.")
    else:
        columns = (N_("job"), N_("brand"), N_("state"), N_("done"), N_("of"), N_("changed"), N_("failed"),
                   N_("problem"))
        table(columns, [_shown(job) for job in found])


def cancel(job: int = typer.Argument(help=help_text("The job's number."))) -> None:
    """Cancel a job."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from pipeline.schedule import now
    from store import jobs

    with ready_store(read_settings()).write() as session:
        jobs.cancel(session, job, now())
    say("Job {id} is cancelled.", id=job)


def _ask(settings: Settings, store: Store, slug: str, *, stale: bool, heads: bool) -> int:
    from api.assembly import model_options
    from nlp.again import standing
    from pipeline.retag import ask
    from pipeline.schedule import now
    from store import brands

    today = standing(model_options(settings)) if stale else None
    with store.write() as session:
        brand_id = brands.get(session, slug).id if slug else None
        return ask(session, brand_id, "heads" if heads else "all", now(), today)


def _work_off(settings: Settings, store: Store, job_id: int) -> None:
    """Work on a job until it is over; where another process does, watch it."""
    from api.assembly import opened_means
    from pipeline.retag import work_off
    from pipeline.schedule import now
    from store import jobs

    with store.read() as session:
        job = jobs.get(session, job_id)
    with opened_means(settings, store) as means, progress("Tagging again", job.total) as advance:
        told = 0

        def tell(job: Job) -> None:
            nonlocal told
            advance(job.done - told)
            told = job.done

        tell(job)
        while job.open:
            work_off(means, now, tell, job_id=job_id)
            with store.read() as session:
                job = jobs.get(session, job_id)
            tell(job)
            time.sleep(POLL if job.open else 0)


def _plain(job: Job) -> dict[str, Any]:
    return {
        "id": job.id, "brand": job.brand, "how": job.how, "stale": job.stale, "state": job.state, "total": job.total,
        "done": job.done, "changed": job.changed, "failed": job.failed, "moves": job.moves, "made_at": job.made_at,
        "started_at": job.started_at, "ended_at": job.ended_at, "problem": _problem(job) or None,
    }


def _shown(job: Job) -> tuple[object, ...]:
    return job.id, job.brand or "—", job.state, job.done, job.total, job.changed, job.failed, _problem(job)


def _problem(job: Job) -> str:
    return reader().say(job.problem["message"], **job.problem["details"]) if job.problem else ""


def _moves(job: Job) -> list[tuple[str, str, str, int]]:
    rows = [(kind, was, now, n) for kind, by in job.moves.items() for was, to in by.items() for now, n in to.items()]
    return sorted(rows, key=lambda row: -row[3])
