"""The page about tagging again: how much has old labels, how long it would take, and the jobs with their progress."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from api.dashboard.shell import Frame
from api.i18n import N_, Reader
from escucha.job import MOVED, Job
from nlp.again import Standing
from pipeline import retag
from store import heads, history, jobs

LISTED = 20
MOVES = 8
"""Changes from one label to another that are listed for a job, the most frequent first."""
STATE = {"waiting": N_("Waiting"), "running": N_("Running"), "done": N_("Done"), "cancelled": N_("Cancelled")}
HOW = {"all": N_("Texts read again"), "heads": N_("Own labels applied again")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """So many mentions had one label and have another."""

    field: str
    before: str
    after: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job as the page shows it. `left` is how long it will still take, `problem` why it does not go on."""

    job: Job
    when: str
    whose: str
    what: str
    state: str
    left: str | None
    problem: str | None
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsPage:
    """Of `tagged` mentions of the brand, `stale` have labels of other taggers than today's."""

    tagged: int
    stale: int
    time_stale: str
    time_all: str
    own_heads: bool
    busy: bool
    rows: tuple[JobRow, ...]


def jobs_page(session: Session, frame: Frame, today: Standing) -> JobsPage:
    """Read and lay out the page of a frame."""
    brand_id = frame.brand.id or 0
    known = jobs.all_jobs(session, brand_id, LISTED)
    tagged, _ = history.extent(session, brand_id)
    stale = retag.stale(session, today, brand_id)
    past = jobs.all_jobs(session)
    times = [duration(frame.reader, retag.duration(past, "all", n, frame.now)) for n in (stale, tagged)]
    return JobsPage(
        tagged=tagged, stale=stale, time_stale=times[0], time_all=times[1],
        own_heads=bool(heads.active(session, brand_id)), busy=any(job.open for job in known),
        rows=tuple(_row(frame, job) for job in known),
    )


def duration(reader: Reader, time: timedelta) -> str:
    """How long something takes, as one would say it."""
    minutes = time.total_seconds() / 60
    if minutes < 1:
        return reader.say("less than a minute")
    if minutes < 90:
        return reader.say_many("about {n} minute", "about {n} minutes", round(minutes))
    return reader.say_many("about {n} hour", "about {n} hours", round(minutes / 60))


def moves(frame: Frame, job: Job) -> tuple[Move, ...]:
    """What a job changed most often."""
    found = [
        Move(field=frame.labels.field(kind), before=_word(frame, kind, was), after=_word(frame, kind, now), n=n)
        for kind in MOVED for was, to in job.moves.get(kind, {}).items() for now, n in to.items()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda move: -move.n)[:MOVES])


def _row(frame: Frame, job: Job) -> JobRow:
    left = job.left(frame.now)
    return JobRow(
        job=job, when=frame.moment(job.made_at), what=frame.reader.say(HOW[job.how]),
        whose=job.brand or frame.reader.say("every brand"), state=frame.reader.say(STATE[job.state]),
        left=duration(frame.reader, left) if left is not None else None,
        problem=frame.reader.say(job.problem["message"], **job.problem["details"]) if job.problem else None,
        moves=moves(frame, job),
    )


def _word(frame: Frame, kind: str, key: str) -> str:
    return frame.labels.of(kind, key) if key else "—"
