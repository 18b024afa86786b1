"""Tags history again: jobs over the mentions stored, in batches, behind the live ones, and where they left off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from escucha.enrichment import Enrichment
from escucha.errors import EscuchaError
from escucha.job import MOVED, How, Job
from nlp.again import OWN_HEAD, Standing, own_kinds, plain, standing, without_own_heads
from nlp.chain import Outcome, tag_texts
from pipeline import adaptation
from pipeline.enrich import BATCH, IN_FLIGHT, enrich_pending
from pipeline.means import Means
from store import brands, heads, history, jobs
from store.enrichments import Pending, save
from store.history import Tagged

SCAN = 4_096
"""Mentions whose versions are looked at for a round of batches."""
PACE: Mapping[How, float] = {"all": 40.0, "heads": 1_000.0}
"""Mentions a second that are counted on before any job has shown how fast this machine is."""
Versions = Mapping[str, str]
Expected = Mapping[int, Versions]


class _Gone(Exception):
    """The job was cancelled or taken over: undo the batch and leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A batch in hand: what was stored of its mentions, what the taggers answer to those that are read again."""

    after_id: int
    kept: Sequence[Tagged]
    again: Sequence[Tagged]
    answers: Future[list[Outcome]]


def ask(session: Session, brand_id: int | None, how: How, now: datetime, today: Standing | None = None) -> int:
    """Queue a job over a brand's mentions (None: every brand's); its id.

    With `today` it leaves out what those taggers have read already. The clock works it off, or `work_off`.
    """
    total, last = history.extent(session, brand_id)
    if today is not None:
        total = stale(session, today, brand_id)
    return jobs.add(session, brand_id, how, now, stale=today is not None, total=total, until_id=last)


def stale(session: Session, today: Standing, brand_id: int | None = None) -> int:
    """How many tagged mentions have labels of other taggers, or of other heads of their brand, than today's."""
    should = expected(session, today)
    return sum(n for brand, has, n in history.by_versions(session, brand_id) if has != should.get(brand))


def expected(session: Session, today: Standing) -> dict[int, dict[str, str]]:
    """What `versions` of each brand's mentions would be if they were tagged now."""
    return {brand.id: {**today.versions, **_own(session, brand.id, today)} for brand in brands.all_brands(session)
            if brand.id is not None}  # fmt: skip


def duration(past: Sequence[Job], how: How, n: int, now: datetime) -> timedelta:
    """How long it will take to tag `n` mentions again: at the pace of the last job that ended, or at PACE."""
    ended = (job for job in past if job.how == how and job.state == "done" and job.done >= BATCH)
    paces = (job.pace(now) for job in ended)
    return timedelta(seconds=n / (next((pace for pace in paces if pace), None) or PACE[how]))


def work_off(
    means: Means, clock: Callable[[], datetime], progress: Callable[[Job], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False, job_id: int | None = None,
) -> None:
    """Work on open jobs (or on one), the oldest first, until none is left or `stop` says so.

    Before each round of batches what waits to be tagged for the first time is tagged. `progress` is told of the job
    after each batch.

    Raises:
        ModelError: the taggers cannot be run; the job rests, says why, and is gone on with when asked again.
    """
    while not stop():
        enrich_pending(means, clock)
        with means.store.write() as session:
            job = jobs.claim(session, clock(), job_id)
        if job is None:
            return
        try:
            _rounds(means, job, clock, progress, stop)
        except _Gone:
            continue


def _rounds(
    means: Means, job: Job, clock: Callable[[], datetime], progress: Callable[[Job], None], stop: Callable[[], bool]
) -> None:
    """Work on a job until its end or until it shall stop; however it is left, somebody can go on with it."""
    try:
        today = means.pool.submit(standing, means.models).result()
        while not stop():
            steps = _prepare(means, job, today)
            if not steps:
                with means.store.write() as session:
                    ended = jobs.finish(session, job, clock())
                return progress(ended) if ended else None
            for step in steps:
                job = _settle(means, job, step, clock())
                progress(job)
            enrich_pending(means, clock)
        _let_go(means, job, None)
    except _Gone:
        raise
    except BaseException as error:
        _let_go(means, job, error if isinstance(error, EscuchaError) else None)
        raise
    return None


def _let_go(means: Means, job: Job, problem: EscuchaError | None) -> None:
    with means.store.write() as session:
        jobs.rest(session, job, problem)


def _prepare(means: Means, job: Job, today: Standing) -> list[Step]:
    """The next batches of a job, with what has to be read again on its way to the pool; none at its end."""
    with means.store.read() as session:
        seen = history.ahead(session, job, SCAN if job.stale else BATCH * IN_FLIGHT)
        should = expected(session, today)
        return [
            _step(means, after_id, history.read(session, ids), job.how, today)
            for ids, after_id in batches(seen, should if job.stale else None)
        ]


def batches(
    seen: Sequence[tuple[int, int, Versions]], should: Expected | None, size: int = BATCH, most: int = IN_FLIGHT
) -> Iterator[tuple[list[int], int]]:
    """Ids for a batch, and the id that the job will have come to with it; at most `most` batches.

    With `should`, mentions with just those versions are passed over; a last batch without ids passes over the rest.
    """
    chosen = [id for id, brand, has in seen if should is None or has != should.get(brand)]
    for start in range(0, min(len(chosen), size * most), size):
        batch = chosen[start : start + size]
        yield batch, batch[-1]
    if seen and len(chosen) < size * most and (not chosen or chosen[-1] != seen[-1][0]):
        yield [], seen[-1][0]


def way(known: Enrichment, how: How, today: Standing) -> Literal["read", "keep"]:
    """Whether the taggers must read a text (again), or what they said of it holds but for the brand's own heads.

    What such a head gave can be taken back without the text only where the embedded model gives that kind.
    """
    current, own = plain(known.versions) == today.versions, own_kinds(known.versions)
    has_vector = known.vector is not None and known.vector.version == today.reads
    undoable = not own or (has_vector and set(own) <= set(today.embedded))
    return "keep" if how == "heads" and current and undoable else "read"


def _step(means: Means, after_id: int, tagged: Sequence[Tagged], how: How, today: Standing) -> Step:
    again = [one for one in tagged if way(one.known, how, today) == "read"]
    read = {one.pending.id for one in again}
    answers: Future[list[Outcome]] = Future()
    if again:
        answers = means.pool.submit(tag_texts, means.models, [one.pending.enrichment for one in again])
    else:
        answers.set_result([])
    return Step(
        after_id=after_id, kept=[one for one in tagged if one.pending.id not in read], again=again, answers=answers
    )


def _settle(means: Means, job: Job, step: Step, now: datetime) -> Job:
    """Save a batch's labels and the job's progress together. Raises _Gone, and saves nothing, if the job is over."""
    good, failed = _answered(step)
    with means.store.write() as session:
        adapted = adaptation.load(session, {pending.brand_id for pending, _ in good})
        ids = [pending.id for pending, _ in good]
        before = history.labels(session, ids)
        save(session, [(p, adaptation.adapt(found, adapted[p.brand_id])) for p, found in good], now)
        changed, moved = history.differences(before, history.labels(session, ids))
        onward = jobs.advance(
            session, job, step.after_id, now, done=len(good) + failed, changed=changed, failed=failed,
            moves=added(job.moves, moved),
        )
        if onward is None:
            raise _Gone
    return onward


def _answered(step: Step) -> tuple[list[tuple[Pending, Enrichment]], int]:
    """What is understood of a batch's mentions now, and how many a tagger could not read: those keep their labels."""
    outcomes = step.answers.result()
    read = [(one.pending, o.enrichment) for one, o in zip(step.again, outcomes, strict=True) if o.note is None]
    kept = without_own_heads([one.known for one in step.kept])
    pairs = zip(step.kept, kept, strict=True)
    return [*read, *((one.pending, known) for one, known in pairs)], len(step.again) - len(read)


def added(
    moves: Mapping[str, Mapping[str, Mapping[str, int]]], more: Mapping[tuple[str, str, str], int]
) -> dict[str, dict[str, dict[str, int]]]:
    """Counts of a kind's former label → new label with more of them."""
    total = {kind: {was: dict(to) for was, to in by.items()} for kind, by in moves.items()}
    for (kind, was, now), n in more.items():
        if kind in MOVED:
            to = total.setdefault(kind, {}).setdefault(was, {})
            to[now] = to.get(now, 0) + n
    return total


def _own(session: Session, brand_id: int, today: Standing) -> dict[str, str]:
    """The heads of a brand that read today's vectors, as they would stand in `versions`."""
    active = heads.active(session, brand_id)
    return {f"{OWN_HEAD}{kind}": str(head.id) for kind, head in active.items() if head.reads == today.reads}
