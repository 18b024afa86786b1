"""History is tagged again: wholly or not at all, behind the live mentions, and from where it was left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from collectors.http import WebOptions
from escucha.enrichment import Enrichment, Label, Part
from escucha.errors import Conflict, ModelError, NotFound
from escucha.filter import MentionFilter
from escucha.job import Job
from escucha.vector import Vector
from nlp.again import Standing
from nlp.chain import ModelOptions, Outcome
from pipeline.means import Means
from pipeline.pool import Inline
from pipeline.retag import ask, batches, duration, stale, way, work_off
from store import brands, corrections, enrichments, history, jobs, mentions, metrics
from store.engine import Store
from store.tables import MentionRow
from tests import make
from tests.conftest import ROOT

OLD = {"tester": "1"}


class Taggers(Executor):
    """A pool whose taggers are of a version, and give every text one sentiment, its own part and vector.

    `during` is called before each batch is answered.
    """

    def __init__(self, version: str = "2", sentiment: str = "negative", during: Callable[[], None] | None = None):
        self.version, self.sentiment, self.during = version, sentiment, during
        self.read = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        answer: Callable[..., Any] = self._standing if fn.__name__ == "standing" else self._tag
        return Inline().submit(answer, *args)

    def _standing(self, _: ModelOptions) -> Standing:
        return Standing(versions={"tester": self.version}, reads=self.version)

    def _tag(self, _: ModelOptions, batch: Sequence[Enrichment]) -> list[Outcome]:
        if self.during is not None:
            self.during()
        self.read += len(batch)
        return [Outcome(enrichment=answer(e, self.version, self.sentiment), note=poison(e.text)) for e in batch]


def answer(asked: Enrichment, version: str, sentiment: str) -> Enrichment:
    """What taggers of a version understand: everything says which version spoke."""
    return replace(
        make.understood(asked.text, sentiment=sentiment, stage=f"stage{version}"), versions={"tester": version},
        vector=Vector(version, b"\x01\x02"), parts=(Part(start=0, end=1, pain=Label(f"pain{version}", 1.0)),),
    )


def poison(text: str) -> str | None:
    return "no se puede leer" if "veneno" in text else None


def means(store: Store, pool: Executor) -> Means:
    return Means(store=store, pool=pool, web=WebOptions(), models=ModelOptions())


def filled(store: Store, n: int, slug: str = "lumbre", **changes: Any) -> int:
    """A brand with mentions that version 1 called positive; its id."""
    with store.write() as session:
        lumbre = brands.add(session, make.brand(slug))
        said = [make.mention(str(i), f"texto {i}", **changes) for i in range(n)]
        mentions.save(session, lumbre, said, make.NOW)
        waiting = enrichments.claim(session, n, make.NOW)
        enrichments.save(session, [(p, answer(p.enrichment, "1", "positive")) for p in waiting], make.NOW)
    return lumbre.id or 0


def asked(store: Store, brand_id: int | None, how: Any = "all", today: Standing | None = None) -> int:
    with store.write() as session:
        return ask(session, brand_id, how, make.NOW, today)


def job(store: Store, job_id: int) -> Job:
    with store.read() as session:
        return jobs.get(session, job_id)


def spoken(store: Store) -> list[set[str]]:
    """For each mention, the versions that its versions, stage, parts and vector show."""
    with store.read() as session:
        ids = list(session.scalars(select(MentionRow.id)))
        found = [one.known for one in history.read(session, ids)]
    return [
        {e.versions["tester"], e.stage.label[5:], e.vector.version, *(part.pain.label[4:] for part in e.parts)}
        for e in found
        if e.stage and e.vector and all(part.pain for part in e.parts)
    ]


def count(store: Store, **filter: Any) -> int:
    with store.read() as session:
        return metrics.count(session, MentionFilter(**filter))


def now() -> Any:
    return make.NOW


def test_every_mention_gets_the_new_labels_and_the_job_says_what_changed(store: Store) -> None:
    brand_id = filled(store, 300)
    job_id = asked(store, brand_id)
    told: list[int] = []
    work_off(means(store, Taggers()), now, lambda job: told.append(job.done))
    done = job(store, job_id)
    assert spoken(store) == [{"2"}] * 300
    assert (done.state, done.total, done.done, done.changed, done.failed) == ("done", 300, 300, 300, 0)
    assert done.moves == {"sentiment": {"positive": {"negative": 300}}, "stage": {"stage1": {"stage2": 300}}}
    assert told == sorted(told)
    assert len(told) >= 3


def test_labels_that_stay_are_not_counted_as_changed(store: Store) -> None:
    job_id = asked(store, filled(store, 3))
    work_off(means(store, Taggers("1", "positive")), now)
    assert (job(store, job_id).done, job(store, job_id).changed, job(store, job_id).moves) == (3, 0, {})


def test_only_one_brand_is_tagged_again_if_so_asked(store: Store) -> None:
    lumbre = filled(store, 3)
    filled(store, 4, "nebula", source="reddit")
    asked(store, lumbre)
    pool = Taggers()
    work_off(means(store, pool), now)
    assert pool.read == 3
    asked(store, None)
    work_off(means(store, pool), now)
    assert pool.read == 3 + 7


def test_only_what_other_taggers_have_read_is_read_again_if_so_asked(store: Store) -> None:
    brand_id = filled(store, 600)
    with store.write() as session:
        ids = sorted(session.scalars(select(MentionRow.id)))
        session.execute(update(MentionRow).where(MentionRow.id.not_in(ids[::100])).values(versions={"tester": "2"}))
    today = Standing(versions={"tester": "2"}, reads="2")
    with store.read() as session:
        assert stale(session, today, brand_id) == 6
    job_id = asked(store, brand_id, today=today)
    assert job(store, job_id).total == 6
    pool = Taggers()
    work_off(means(store, pool), now)
    assert pool.read == 6
    assert (job(store, job_id).state, job(store, job_id).done) == ("done", 6)
    with store.read() as session:
        assert stale(session, today) == 0


def test_what_an_own_head_said_in_place_of_a_hub_model_is_read_again() -> None:
    known = Enrichment(text="Caro", vector=Vector("2", b"\x01"), versions={"tester": "2", "head:sentiment": "7"})
    today = Standing(versions={"tester": "2"}, reads="2")
    assert way(known, "heads", today) == "keep"
    assert way(known, "heads", replace(today, embedded=("stage",))) == "read"


def test_until_its_batch_is_saved_a_mention_keeps_its_old_labels(store: Store) -> None:
    seen: list[tuple[int, int]] = []
    pool = Taggers(during=lambda: seen.append((count(store, state="done"), count(store, sentiments=("positive",)))))
    asked(store, filled(store, 200))
    work_off(means(store, pool), now)
    assert seen[0] == (200, 200)
    assert all(done == 200 for done, _ in seen), "no mention waits while it is tagged again"


def test_new_mentions_are_tagged_first(store: Store) -> None:
    asked(store, filled(store, 10))
    with store.write() as session:
        lumbre = brands.get(session, "lumbre")
        mentions.save(session, lumbre, [make.mention("new", "recién llegada")], make.NOW)
    states: list[int] = []
    pool = Taggers(during=lambda: states.append(count(store, sentiments=("positive",))))
    work_off(means(store, pool), now)
    assert states == [10, 10], "the new one first, the ten after it"
    assert count(store, sentiments=("negative",)) == 11


def test_an_edit_while_it_is_tagged_again_waits_for_its_own_labels(store: Store) -> None:
    def edit() -> None:
        with store.write() as session:
            lumbre = brands.get(session, "lumbre")
            mentions.save(session, lumbre, [make.mention("1", "otra cosa")], make.NOW)
        pool.during = None

    asked(store, filled(store, 3))
    pool, found = Taggers(during=edit), []
    work_off(means(store, pool), now, lambda _: found.append((count(store, state="pending"), spoken(store))))
    waiting, versions = found[0]
    assert waiting == 1, "its new text is not what was read"
    assert sorted(map(sorted, versions)) == [["1"], ["2"], ["2"]]
    assert count(store, state="pending") == 0
    assert pool.read == 3 + 1


def test_a_text_that_cannot_be_read_keeps_its_labels_and_is_counted(store: Store) -> None:
    with store.write() as session:
        mentions.save(session, brands.add(session, make.brand()), [make.mention("1", "veneno"), make.mention("2", "b")],
                      make.NOW)
        waiting = enrichments.claim(session, 2, make.NOW)
        enrichments.save(session, [(p, answer(p.enrichment, "1", "positive")) for p in waiting], make.NOW)
    job_id = asked(store, None)
    work_off(means(store, Taggers()), now)
    assert (job(store, job_id).done, job(store, job_id).failed) == (2, 1)
    assert count(store, state="done") == 2
    assert sorted(map(sorted, spoken(store))) == [["1"], ["2"]]


def test_what_a_person_said_stays(store: Store) -> None:
    asked(store, filled(store, 2))
    with store.write() as session:
        first = session.scalars(select(MentionRow.id)).first()
        corrections.correct(session, first or 0, "sentiment", "neutral", make.NOW)
    work_off(means(store, Taggers()), now)
    with store.read() as session:
        row = session.get_one(MentionRow, first)
        assert row.sentiment == "neutral"
        assert row.said is not None
        assert row.said["sentiment"]["label"] == "negative", "the new answer of the model"


def test_a_cancelled_job_stops_and_keeps_what_it_did(store: Store) -> None:
    def cancel(job: Job) -> None:
        if job.done >= 128 and job.open:
            with store.write() as session:
                jobs.cancel(session, job.id, make.NOW)

    job_id = asked(store, filled(store, 600))
    work_off(means(store, Taggers()), now, cancel)
    assert job(store, job_id).state == "cancelled"
    assert job(store, job_id).done == 128
    assert spoken(store).count({"2"}) == 128
    assert spoken(store).count({"1"}) == 600 - 128
    with store.write() as session, pytest.raises(Conflict):
        jobs.cancel(session, job_id, make.NOW)


def test_a_job_goes_on_where_it_was_stopped(store: Store) -> None:
    job_id = asked(store, filled(store, 600))
    done: list[Job] = []
    pool = Taggers()
    work_off(means(store, pool), now, done.append, stop=lambda: bool(done))
    assert job(store, job_id).state == "running"
    read = pool.read
    work_off(means(store, pool), now)
    assert job(store, job_id).state == "done"
    assert pool.read == 600
    assert 0 < read < 600
    assert spoken(store) == [{"2"}] * 600


def test_nobody_else_works_on_a_job_until_its_lease_ends(store: Store) -> None:
    asked(store, filled(store, 3))
    with store.write() as session:
        first = jobs.claim(session, make.NOW)
        assert first is not None
        assert jobs.claim(session, make.NOW) is None
    with store.write() as session:
        second = jobs.claim(session, make.NOW + jobs.LEASE + timedelta(seconds=1))
        assert second is not None
        onward = jobs.advance(session, second, 2, make.NOW, done=2, changed=0, failed=0, moves={})
    assert onward is not None
    with store.write() as session:
        late = jobs.advance(session, first, 3, make.NOW, done=3, changed=0, failed=0, moves={})
    assert late is None, "whoever comes too late saves nothing"


def test_a_model_that_cannot_run_leaves_the_job_with_the_reason(store: Store) -> None:
    def broken() -> None:
        raise ModelError("The model cannot be loaded.")

    job_id = asked(store, filled(store, 3))
    with pytest.raises(ModelError):
        work_off(means(store, Taggers(during=broken)), now)
    resting = job(store, job_id)
    assert resting.open
    assert resting.problem == {"message": "The model cannot be loaded.", "details": {}}
    work_off(means(store, Taggers()), now)
    assert (job(store, job_id).state, job(store, job_id).problem) == ("done", None)


def test_heads_alone_need_no_text_where_the_vector_is_todays(store: Store) -> None:
    brand_id = filled(store, 5)
    with store.write() as session:
        first = session.scalars(select(MentionRow.id)).first()
        session.execute(update(MentionRow).where(MentionRow.id == first).values(versions={"tester": "0"}))
    job_id = asked(store, brand_id, "heads")
    pool = Taggers("1", "negative")
    work_off(means(store, pool), now)
    assert pool.read == 1, "only the one that other taggers had read"
    assert (job(store, job_id).done, job(store, job_id).changed) == (5, 1)
    assert spoken(store) == [{"1"}] * 5, "parts and vectors stay"


def test_a_job_that_has_not_begun_is_not_asked_for_twice(store: Store) -> None:
    brand_id = filled(store, 2)
    assert asked(store, brand_id) == asked(store, brand_id)
    assert asked(store, brand_id, "heads") != asked(store, brand_id)
    assert asked(store, None) != asked(store, brand_id)
    with store.read() as session, pytest.raises(NotFound):
        jobs.get(session, 10_000)


def test_a_job_over_nothing_ends_at_once(store: Store) -> None:
    job_id = asked(store, filled(store, 0) or None)
    work_off(means(store, Taggers()), now)
    assert (job(store, job_id).state, job(store, job_id).total) == ("done", 0)


def test_batches_pass_over_what_is_current() -> None:
    seen = [(id, 1, {"a": "new" if id % 2 else "old"}) for id in range(1, 10)]
    assert list(batches(seen, {1: {"a": "new"}}, size=3, most=4)) == [([2, 4, 6], 6), ([8], 8), ([], 9)]
    assert list(batches(seen, {1: {"a": "new"}}, size=2, most=1)) == [([2, 4], 4)]
    assert list(batches(seen[:4], None, size=3, most=4)) == [([1, 2, 3], 3), ([4], 4)]
    assert list(batches([], None)) == []


def test_the_time_it_takes_is_told_from_the_last_job_or_a_cautious_guess() -> None:
    ended = Job(id=1, brand=None, brand_id=None, how="all", stale=False, state="done", total=1000, done=1000, changed=0,
                failed=0, after_id=9, until_id=9, made_at=make.NOW, started_at=make.NOW,
                ended_at=make.NOW + timedelta(seconds=100))  # fmt: skip
    assert duration([ended], "all", 500, make.NOW) == timedelta(seconds=50)
    assert duration([], "all", 400, make.NOW) == timedelta(seconds=10)
    assert duration([ended], "heads", 2000, make.NOW) == timedelta(seconds=2)


WORKER = """
import sys, time
from datetime import UTC, datetime
from store.engine import open_store
from pipeline.retag import work_off
from tests.pipeline.test_retag import Taggers, means

work_off(means(open_store(sys.argv[1]), Taggers(during=lambda: time.sleep(0.05))), lambda: datetime.now(UTC))
"""


def test_after_a_kill_in_the_middle_every_mention_has_one_versions_labels(store: Store) -> None:
    """A process of its own is killed while it works; another goes on, and nothing is half done or lost."""
    job_id = asked(store, filled(store, 1_500))
    worker = subprocess.Popen([sys.executable, "-c", WORKER, store.url], cwd=ROOT)
    end = time.monotonic() + 60
    while time.monotonic() < end and job(store, job_id).done < 128:
        time.sleep(0.01)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    stopped = job(store, job_id)
    assert 128 <= stopped.done < 1_500, "it was killed in the middle"
    assert sorted(spoken(store), key=sorted) == [{"1"}] * (1_500 - stopped.done) + [{"2"}] * stopped.done
    later = (stopped.started_at or make.NOW) + timedelta(hours=1)
    pool = Taggers()
    work_off(means(store, pool), lambda: later)
    assert job(store, job_id).state == "done"
    assert (job(store, job_id).done, job(store, job_id).changed) == (1_500, 1_500)
    assert pool.read == 1_500 - stopped.done
    assert spoken(store) == [{"2"}] * 1_500
