"""Lets a process work on a database, and kills it in the middle, again and again.

As a program it is the nursery: one process with everything loaded and no threads, that forks a child for each order.
"""

from __future__ import annotations

import gc
import json
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from store.engine import Store, open_store
from tests.pipeline.killing import PHASES, SAVING, mark_phases
from tests.store.crashes.tally import Tally

SHORTEST, LONGEST = 0.005, 0.060
"""Seconds that a child lives once it has begun, three turns at most where a machine is slow."""
AIMS = (None, "saves", "saved")
"""At what a third of the children each are killed: wherever they are, soon after they next save, or have saved."""
SOON = 0.010
"""Seconds after that; while it saves, half a turn where that is longer."""
COUNTED = 8
"""Where in the memory that is shared with a child the number that it has told begins."""
WARMING: dict[str, Any] = {"warming": True}
"""The order by which a nursery learns how long a turn is."""
Told = Callable[[int], None]
Work = Callable[[Store, dict[str, Any], Told], bool]
"""A turn of work: on a store, with what the order says; it tells how far it surely got, and whether more is to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """How a child ended ("killed", "by itself", "badly"), in which phase, and how far it said that it had got."""

    ended: str
    phase: str
    told: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """What a nursery's children do, on which database; a turn of it takes so many seconds when nothing disturbs it."""

    nursery: Nursery
    url: str
    work: str
    turn_s: float

    def raise_one(
        self, life: float | None, order: dict[str, Any] | None = None, aim: str | None = None, soon: float = 0.0
    ) -> Death:
        """Let a child work and kill it so many seconds after it has begun; None: it may finish.

        With an aim (AIMS) it is killed `soon` seconds after that happens next.
        """
        told = {"life": life, "aim": aim, "soon": soon, "order": order or {}}
        return Death(**self.nursery.said({"url": self.url, "work": self.work, **told}))


@dataclass(frozen=True, slots=True)
class Nursery:
    """A nursery's process, and how to speak with it."""

    process: subprocess.Popen[str]

    def children(self, url: str, work: str) -> Children:
        """Children that do `work` (module:function) on the store at `url`; two turns of it are done on the way.

        Work that ends by itself is not done here.
        """
        turn_s = self.said({"url": url, "work": work})["turn_s"]
        return Children(nursery=self, url=url, work=work, turn_s=turn_s)

    def said(self, what: dict[str, Any]) -> dict[str, Any]:
        """Say something to the nursery; its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(what), file=self.process.stdin, flush=True)
        told = self.process.stdout.readline()
        if not told:
            raise AssertionError("the nursery died")
        return dict(json.loads(told))


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A nursery at work."""
    process = subprocess.Popen([sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True, cwd=Path(__file__).parents[3])
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Nursery(process)
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def kill(
    children: Children, tally: Tally, dice: random.Random, order: dict[str, Any] | None = None,
    longest: float = LONGEST, aims: Sequence[str | None] = AIMS,
) -> Death:
    """Raise one child and kill it, wherever it is."""
    life = dice.uniform(SHORTEST, max(longest, 3 * children.turn_s))
    aim = dice.choice(aims)
    soon = dice.uniform(0, SOON if aim == "saved" else max(SOON, children.turn_s / 2))
    death = children.raise_one(life, order, aim, soon)
    assert death.ended == "killed", death
    tally.cycles += 1
    tally.crashed_while[death.phase] += 1
    return death


def main() -> None:
    """The nursery: warms up what it is told of, and forks a child for each order."""
    shared = mmap.mmap(-1, 2 * COUNTED)
    mark_phases(shared)
    for line in sys.stdin:
        asked = json.loads(line)
        module, _, name = asked["work"].partition(":")
        work: Work = getattr(import_module(module), name)
        if "life" not in asked:
            answer: dict[str, Any] = {"turn_s": _warmed(asked["url"], work)}
            gc.freeze()
        else:
            shared[:] = bytes(2 * COUNTED)
            answer = _raised(asked["url"], work, shared, asked)
        print(json.dumps(answer), flush=True)


def _warmed(url: str, work: Work) -> float:
    """Seconds of a second turn; 0 for work that does not go on for ever."""
    store = open_store(url)
    begun = time.monotonic()
    for _ in range(2):
        begun = time.monotonic()
        if not work(store, WARMING, lambda _: None):
            break
    store.close()
    return time.monotonic() - begun


def _raised(url: str, work: Work, shared: mmap.mmap, asked: dict[str, Any]) -> dict[str, Any]:
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        os._exit(_child(url, work, shared, asked["order"], parent))
    if asked["life"] is not None:
        _wait_for(pid, lambda: shared[0] > 0)
        time.sleep(asked["life"])
        if asked["aim"]:
            _wait_for(pid, lambda: shared[0] >= SAVING)
        if asked["aim"] == "saved":
            _wait_for(pid, lambda: shared[0] < SAVING)
        time.sleep(asked["soon"])
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    ended = "killed" if killed else "by itself" if os.waitstatus_to_exitcode(status) == 0 else "badly"
    return {"ended": ended, "phase": PHASES[shared[0]], "told": struct.unpack_from("q", shared, COUNTED)[0]}


def _wait_for(pid: int, happened: Callable[[], bool]) -> None:
    """Look until it has happened, or the child has ended."""
    while not happened() and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.0003)


def _child(url: str, work: Work, shared: mmap.mmap, order: dict[str, Any], parent: int) -> int:
    try:
        store = open_store(url)
        while os.getppid() == parent:  # an orphan does not go on for ever
            if not work(store, order, lambda n: struct.pack_into("q", shared, COUNTED, n)):
                break
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


if __name__ == "__main__":
    main()
