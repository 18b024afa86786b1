"""Kills a process while it collects, again and again, and looks at what it left in the store.

As a program it is the nursery: one process with everything loaded, that forks a collecting child for each order it
reads and kills it. It has no threads of its own, so its children start whole.
"""

from __future__ import annotations

import gc
import json
import mmap
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

from sqlalchemy import event, func, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from collectors.bookmark import bookmark
from collectors.http import WebOptions
from escucha.brand import Query
from nlp.chain import ModelOptions
from pipeline import backfill
from pipeline.means import Means
from pipeline.pool import Inline, open_pool
from store import backfills, brands, watches
from store.engine import Store, open_store
from store.mentions import Saved
from store.schema import migrate
from store.tables import BackfillRow, MentionRow, RunRow, WatchRow
from store.watches import Ledger
from tests import make
from tests.pipeline.held import KINDS, Held

SHORTEST, LONGEST = 0.005, 0.120
"""Seconds that a child lives once it is at work, a whole round at least where a machine is slow."""
AIMED, SOON = 0.5, 0.020
"""Share of the children that, when their time has come, are killed so few seconds after they next save."""
AGO = timedelta(days=700)
"""When the upstreams' time begins; an item comes every few minutes or hours from then on."""
PAST = 0.3
"""Share of the cycles in which a past is read beside the live runs."""
NOT_ASKED = "not asked"
DEAD = ("ConnectionResetError", "BrokenPipeError")
SAVING = 3
PHASES = ("starting", "asking", "in a short transaction", "saving", "committing what it saved")
Work = Callable[[Means, datetime], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the nursery is told once: where the store is, how upstreams are reached, and what its children do."""

    url: str
    work: str
    shared: str
    keys: dict[str, dict[str, str]]

    @property
    def web(self) -> WebOptions:
        """Options that let children reach loopback, without pauses."""
        hosts = tuple(keys["base_url"].removeprefix("http://") for keys in self.keys.values())
        return WebOptions(allow_hosts=hosts, pace=0, shared=self.shared)


@dataclass(kw_only=True)
class Report:
    """What cycles of killing came to; `faults` counts what is wrong at the checks, by kind of fault."""

    cycles: int = 0
    longest_s: float = 0.0
    killed_while_running: int = 0
    killed_while: Counter[str] = field(default_factory=Counter)
    checks: int = 0
    rows: int = 0
    runs: int = 0
    backfills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    integrity: str = ""
    seconds: float = 0.0
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether no check found anything."""
        return not any(self.faults.values()) and self.integrity in ("ok", NOT_ASKED)

    def told(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()}


@contextmanager
def upstreams(folder: Path, start: datetime) -> Iterator[list[tuple[Held, str]]]:
    """An upstream of each kind on loopback, with its address."""
    with ExitStack() as stack:
        stack.enter_context(without_dead_callers())
        found = [Held(kind, folder, start) for kind in KINDS]
        yield [(held, stack.enter_context(held.fake.on_loopback())) for held in found]


@contextmanager
def without_dead_callers() -> Iterator[None]:
    """Leave out what the servers tell of callers that died; where something else failed, all of it appears."""
    kept = StringIO()
    try:
        with redirect_stderr(kept):
            yield
    finally:
        told = kept.getvalue()
        if told.count("Exception occurred") != sum(told.count(f"\n{name}: ") for name in DEAD):
            sys.stderr.write(told)


def kill_cycles(
    url: str, folder: Path, cycles: int, *, seed: int = 7, every: int = 25, until: str = "", soon: float = SOON,
    work: str = "pipeline.collect:collect_due",
) -> Report:
    """Kill a collecting child so many times, and check the store after `every` so many.

    `work` names what the children do; `until` ends the cycles when that fault is found; `soon` are the seconds within
    which an aimed death follows a saving.
    """
    dice, report, begun = random.Random(seed), Report(), time.monotonic()
    start = datetime.now(UTC).replace(microsecond=0) - AGO
    store = open_store(url)
    with upstreams(folder, start) as world:
        held = [each for each, _ in world]
        numbers = _set_up(store, held, start)
        keys = {each.kind.name: {**each.fake.keys, "base_url": address} for each, address in world}
        plan = Plan(url=url, work=work, shared=str(folder / "pace"), keys=keys)
        with nursery(plan) as (order, round_s):
            report.longest_s = max(LONGEST, 1.2 * round_s)
            for cycle in range(1, cycles + 1):
                for each in held:
                    each.turn(dice)
                report.killed_while[order(_death(dice, report.longest_s, soon), _past(dice, held, numbers))] += 1
                alone(store)
                if cycle % every == 0 or cycle == cycles:
                    order(None, None)
                    check(store, held, report)
                    if report.faults[until]:
                        break
    store.close()
    report.cycles = cycle
    report.killed_while_running = report.killed_while.total()
    report.seconds = round(time.monotonic() - begun, 1)
    return report


def _set_up(store: Store, held: list[Held], start: datetime) -> list[int]:
    """A watch of each upstream, whose cursor says that it has read everything before."""
    migrate(store)
    numbers = []
    with store.write() as session:
        brand = brands.add(session, make.brand())
        for each in held:
            query = Query(text=each.fake.query.text)
            watch = watches.add(session, brand.id or 0, each.kind.name, query, 60, start, slowest=60)
            watches.settle(
                session, watch, Ledger(saved=Saved()), now=start, next_at=start, pace=60, failures=0, state="active",
                cursor=bookmark(query, **each.kind.begun(start)),
            )
            numbers.append(watch.id)
    store.close()
    return numbers


def _death(dice: random.Random, longest: float, soon: float) -> tuple[float, float | None]:
    """When a child dies: after so many seconds of work, and so many after it next saves (None: wherever it is)."""
    return dice.uniform(SHORTEST, longest), dice.uniform(0, soon) if dice.random() < AIMED else None


def _past(dice: random.Random, held: list[Held], numbers: list[int]) -> dict[str, Any] | None:
    """A past to read: of one of the watches, some dozens of items long."""
    if dice.random() > PAST:
        return None
    each, number = dice.choice(list(zip(held, numbers, strict=True)))
    since = each.fake.start + each.fake.spacing * max(1, len(each.ever) - dice.randint(10, 70))
    return {"watch": number, "since": since.isoformat()}


def alone(store: Store) -> None:
    """Wait until the database server has noticed that the child is dead, so that upstreams change after its end."""
    if store.dialect != "postgresql":
        return
    others = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                  " AND backend_type = 'client backend'")
    ends = time.monotonic() + 10
    while True:
        with store.read() as session:
            if not session.scalar(others):
                return
        if time.monotonic() > ends:
            raise AssertionError("the database still works for a dead child")
        time.sleep(0.002)


def check(store: Store, held: list[Held], report: Report) -> None:
    """Compare a store at rest with what its upstreams hold, and its ledger with its rows."""
    with store.read() as session:
        for each in held:
            found = select(MentionRow.source_id, MentionRow.text).where(MentionRow.source == each.kind.name)
            rows = [(identity, said) for identity, said in session.execute(found)]
            faults = each.compared(rows)
            report.faults += faults
            report.sources[each.kind.name] = {
                "walk": each.kind.walk, "held": len(each.fake.items), "rows": len(rows), "edited": len(each.edits),
                "deleted": each.deleted, **faults,
            }
        report.faults += Counter({"ledger": ledger_violations(session), "stuck": stuck(session)})
        report.rows = session.scalar(select(func.count(MentionRow.id))) or 0
        report.runs = session.scalar(select(func.count(RunRow.id))) or 0
        report.backfills = session.scalar(select(func.count(BackfillRow.id))) or 0
        report.integrity = integrity(session, store)
    store.close()
    report.checks += 1


def ledger_violations(session: Session) -> int:
    """Lines that do not add up, watches whose lines do not give their rows, and backfills that their lines belie."""
    parts = RunRow.new + RunRow.updated + RunRow.duplicate + RunRow.refused
    crooked = session.scalar(select(func.count(RunRow.id)).where(RunRow.fetched != parts)) or 0
    for number in session.scalars(select(WatchRow.id)):
        rows = session.scalar(select(func.count(MentionRow.id)).where(MentionRow.watch_id == number))
        told = session.scalar(select(func.sum(RunRow.new) - func.sum(RunRow.gone)).where(RunRow.watch_id == number))
        crooked += int(rows != (told or 0))
    lines = select(func.coalesce(func.sum(RunRow.fetched), 0), func.coalesce(func.sum(RunRow.new), 0))
    for row in session.scalars(select(BackfillRow)):
        line = session.execute(lines.where(RunRow.backfill_id == row.id)).one()
        crooked += int(tuple(line) != (row.fetched, row.new))
    return crooked


def stuck(session: Session) -> int:
    """Watches and backfills that are still leased, failing or paused when all work is done."""
    idle = session.scalar(select(func.count(WatchRow.id)).where(
        WatchRow.leased_until.is_not(None) | (WatchRow.failures > 0) | (WatchRow.state != "active")
    ))
    unread = session.scalar(select(func.count(BackfillRow.id)).where(
        BackfillRow.leased_until.is_not(None) | (BackfillRow.state != "done")
    ))
    return (idle or 0) + (unread or 0)


def integrity(session: Session, store: Store) -> str:
    """What SQLite says of its file and of the rows that others hang on; a server looks after its files itself."""
    if store.dialect != "sqlite":
        return NOT_ASKED
    said = [str(line[0]) for line in session.execute(text("PRAGMA integrity_check"))]
    orphans = len(session.execute(text("PRAGMA foreign_key_check")).all())
    return "ok" if said == ["ok"] and not orphans else f"{said[:3]}, {orphans} orphans"


Order = Callable[[tuple[float, float | None] | None, dict[str, Any] | None], str]


@contextmanager
def nursery(plan: Plan) -> Iterator[tuple[Order, float]]:
    """A nursery at work, and the seconds of a round.

    It is ordered to raise a child and when to kill it (`_death`; None: to let it finish), and says in which phase the
    child was.
    """
    process = subprocess.Popen([sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True, cwd=Path(__file__).parents[2])
    assert process.stdin is not None
    assert process.stdout is not None

    def said(what: dict[str, Any]) -> dict[str, Any]:
        print(json.dumps(what), file=process.stdin, flush=True)
        told = process.stdout.readline()
        if not told:
            raise AssertionError("the nursery died")
        return dict(json.loads(told))

    def order(death: tuple[float, float | None] | None, past: dict[str, Any] | None) -> str:
        answer = said({"death": death, "past": past})
        assert answer["ended"] == ("killed" if death else "by itself"), answer
        return str(answer["phase"])

    try:
        yield order, said(asdict(plan))["round_s"]
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def main() -> None:
    """The nursery: reads its plan, warms up with one round, then forks a child for each line."""
    plan = Plan(**json.loads(sys.stdin.readline()))
    module, _, name = plan.work.partition(":")
    work = getattr(import_module(module), name)
    phase = mmap.mmap(-1, 1)
    mark_phases(phase)
    store = open_store(plan.url)
    means = Means(store=store, pool=Inline(), web=plan.web, models=ModelOptions(), keys=plan.keys)
    once(means, work, None)
    begun = time.monotonic()
    once(means, work, None)
    print(json.dumps({"round_s": time.monotonic() - begun}), flush=True)
    store.close()
    gc.freeze()
    for line in sys.stdin:
        phase[0] = 0
        asked = json.loads(line)
        print(json.dumps(raised(means, work, phase, asked["death"], asked["past"])), flush=True)


def raised(means: Means, work: Work, phase: mmap.mmap, death: list[Any] | None, past: dict[str, Any] | None) -> Any:
    """Fork a child; kill it when its time has come, or let it work until nothing is left to do."""
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        os._exit(_child(means, work, past, parent if death else None))
    if death:
        _wait_for(pid, lambda: phase[0] > 0)
        time.sleep(death[0])
        if death[1] is not None:
            _wait_for(pid, lambda: phase[0] >= SAVING)
            time.sleep(death[1])
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    ended = "killed" if killed else "by itself" if os.waitstatus_to_exitcode(status) == 0 else "badly"
    return {"ended": ended, "phase": PHASES[phase[0]]}


def _wait_for(pid: int, happened: Callable[[], bool]) -> None:
    """Look until it has happened, or the child has ended, which it must not."""
    while not happened() and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.0003)


def _child(means: Means, work: Work, past: dict[str, Any] | None, killer: int | None) -> int:
    try:
        with open_pool() as pool:
            means = replace(means, pool=pool)
            while killer == os.getppid():  # an orphan does not go on for ever
                once(means, work, past)
            for _ in range(2):
                once(means, work, None)
            backfill.work_off(means, lambda: free_at(means.store))
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def once(means: Means, work: Work, past: dict[str, Any] | None) -> None:
    """One round of everything, at a moment at which everything is due."""
    if past is not None:
        with means.store.write() as session:
            backfills.ask(session, past["watch"], datetime.fromisoformat(past["since"]), datetime.now(UTC))
    work(means, free_at(means.store))
    if past is not None:
        backfill.step(means, free_at(means.store))


def free_at(store: Store) -> datetime:
    """A moment by which every lease has ended and everything is due."""
    with store.read() as session:
        told = [session.execute(select(func.max(row.leased_until), func.max(row.next_at))).one()
                for row in (WatchRow, BackfillRow)]
    return max(datetime.now(UTC), *(moment for line in told for moment in line if moment)) + timedelta(seconds=1)


def mark_phases(phase: mmap.mmap) -> None:
    """Keep what this process is doing where its parent sees it after its death."""

    def marks(number: int) -> Callable[..., None]:
        def mark(*_: Any) -> None:
            phase[0] = number

        return mark

    def saves(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "mention" in statement or "tombstone" in statement:
            phase[0] = SAVING

    def commits(*_: Any) -> None:
        phase[0] = SAVING + 1 if phase[0] == SAVING else 2

    event.listen(Engine, "begin", marks(2))
    event.listen(Engine, "before_cursor_execute", saves)
    event.listen(Engine, "commit", commits)
    event.listen(Engine, "rollback", marks(1))
    event.listen(Session, "after_commit", marks(1))


if __name__ == "__main__":
    main()
