"""Puts a source through many behaviours and says which promises were not kept: for the tests, and for the benchmark."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from zlib import crc32

from collectors import facts
from escucha.admission import admit_each
from pipeline.pull import Haul
from tests.collectors.fakes import UPSTREAMS
from tests.collectors.hostile.behaviours import ALL, BEHAVIOURS, MIDWAY
from tests.collectors.hostile.deliveries import file_under_siege, hook_under_siege
from tests.collectors.hostile.mail import MailSiege
from tests.collectors.hostile.mail_tricks import TRICKS, mails
from tests.collectors.hostile.promises import Case, Violation, violations
from tests.collectors.hostile.server import Behaviour
from tests.collectors.hostile.siege import Siege

Scenario = Literal["a later reading", "a first reading", "the midst of a reading", "a second look"]
LATER: Scenario = "a later reading"
FIRST: Scenario = "a first reading"
MIDST: Scenario = "the midst of a reading"
AGAIN: Scenario = "a second look"
OVER_HTTP = tuple(sorted(name for name, kind in UPSTREAMS.items() if kind.over_http))
OTHERS = tuple(sorted(name for name, kind in UPSTREAMS.items() if not kind.over_http))
WAITING = 6
"""Runs that wait for a slow server side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one run under siege came to."""

    source: str
    behaviour: str
    scenario: Scenario = LATER
    seconds: float = 0.0
    requests: int = 0
    memory: int = 0
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuse:
    """What a source does otherwise on purpose: these promises, under these behaviours and scenarios (none named: all).

    `defect` marks what is a mistake that waits to be mended.
    """

    source: str
    promises: tuple[int, ...]
    why: str
    behaviours: tuple[str, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    defect: bool = False

    def covers(self, result: Result, violation: Violation) -> bool:
        """Whether it explains a violation."""
        return (
            self.source in (result.source, "all") and violation.promise in self.promises
            and (not self.behaviours or result.behaviour in self.behaviours)
            and (not self.scenarios or result.scenario in self.scenarios)
        )  # fmt: skip


EXCUSES = (
    Excuse(source="gdelt", promises=(3,), behaviours=("429 without a word", "429 for -5 seconds", "429 for text"),
           why="GDELT never says how long: we wait a minute"),
    Excuse(source="youtube", promises=(6,), behaviours=("half of the items",),
           why="a video or comment that two answers in a row lack is gone; videos are searched for every six hours"),
    Excuse(source="youtube", promises=(5,), scenarios=(FIRST,),
           why="videos are searched for every six hours: one that a first search did not show comes then"),
    Excuse(source="schema-org", promises=(3,), scenarios=(MIDST,),
           why="a later page that may not be read ends the tour, not the watch"),
    Excuse(source="github", promises=(6,), scenarios=(AGAIN,), behaviours=("410",), why="a 410 says: deleted"),
    Excuse(source="hackernews", promises=(6,), scenarios=(AGAIN,), behaviours=("null",), why="null says: no such item"),
    Excuse(source="reddit", promises=(6,), scenarios=(AGAIN,), behaviours=("half of the items",),
           why="what a whole answer about named items leaves out is gone"),
    Excuse(source="stackexchange", promises=(6,), scenarios=(AGAIN,), behaviours=("half of the items",),
           why="what a whole answer about named items leaves out is gone"),
)  # fmt: skip


def excuse(result: Result, violation: Violation) -> Excuse | None:
    """Why a violation is none, or is known already."""
    return next((one for one in EXCUSES if one.covers(result, violation)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Which behaviours a source goes through, by scenario; of the later ones, one in so many (`one_in`)."""

    later: tuple[str, ...] = tuple(behaviour.name for behaviour in ALL)
    first: tuple[str, ...] = ()
    midst: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    one_in: int = 1

    def later_of(self, name: str) -> tuple[str, ...]:
        """The share of one source: each has another, so that every behaviour meets some sources."""
        return tuple(one for one in self.later if not crc32(f"{name} {one}".encode()) % self.one_in)


SHORT = Program(
    one_in=2,
    first=("429 for 120 seconds", "truncated", "items null", "lists empty", "the first page again", "two pages in turn",
           "times of year 1", "times of 2038", "all numbers"),
    midst=tuple(one.name for one in MIDWAY if one.name.startswith(("503", "reset", "HTML", "lists empty", "silence"))),
    again=("403", "429 for 120 seconds", "500", "reset in the body", "gzip bomb", "empty body", "null", "HTML page",
           "truncated", "all text", "items mixed", "words in capitals", "objects emptied", "silence"),
)  # fmt: skip
LONG = Program(first=SHORT.later, midst=tuple(one.name for one in MIDWAY), again=SHORT.later)
LOOKS_AGAIN = tuple(name for name in OVER_HTTP if facts(name).recheck_days is not None)
FEW = {"app-store": 10, "discourse": 10}
"""Sources that make more than two requests for so few new items."""


def planned(name: str, program: Program) -> list[tuple[Scenario, str]]:
    """The runs of a source, by scenario and behaviour, in their order."""
    if name in OVER_HTTP:
        parts = [(LATER, program.later_of(name)), (FIRST, program.first), (MIDST, program.midst)]
        parts += [(AGAIN, program.again)] if name in LOOKS_AGAIN else []
        return [(scenario, behaviour) for scenario, behaviours in parts for behaviour in behaviours]
    if name == "mailbox":
        return [(LATER, one) for one in [*(t.behaviour.name for t in TRICKS), *(f"mail {mail}" for mail in mails())]]
    return [(LATER, behaviour.name) for behaviour in ALL if behaviour.of_body]


def campaign(name: str, program: Program) -> list[Result]:
    """Everything that one source goes through. Runs in a process of its own, so its log stays quiet."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        return list(_campaign(name, program, Path(folder)))


def _campaign(name: str, program: Program, folder: Path) -> Iterator[Result]:
    if name in OVER_HTTP:
        midway = {one.name: one for one in MIDWAY}
        yield from _scenario(name, folder, LATER, [BEHAVIOURS[one] for one in program.later_of(name)])
        yield from _scenario(name, folder, FIRST, [BEHAVIOURS[one] for one in program.first])
        yield from _scenario(name, folder, MIDST, [midway[one] for one in program.midst])
        if name in LOOKS_AGAIN:
            yield from _scenario(name, folder, AGAIN, [BEHAVIOURS[one] for one in program.again])
    elif name == "mailbox":
        yield from _mailbox(folder)
    else:
        for behaviour in ALL:
            if behaviour.of_body:
                case = hook_under_siege(behaviour) if name == "webhook" else file_under_siege(behaviour, folder)
                yield _result(name, LATER, case)


def _scenario(name: str, folder: Path, scenario: Scenario, behaviours: Sequence[Behaviour]) -> Iterator[Result]:
    quick = [behaviour for behaviour in behaviours if not behaviour.waits]
    slow = [behaviour for behaviour in behaviours if behaviour.waits]
    if quick:
        yield from _endured(name, folder / f"{scenario} 0", scenario, quick)
    if slow:
        with ThreadPoolExecutor(WAITING) as pool:
            runs = [
                pool.submit(_all_of, name, folder / f"{scenario} {number}", scenario, [behaviour])
                for number, behaviour in enumerate(slow, 1)
            ]
            for run in runs:
                yield from run.result()


def _all_of(name: str, folder: Path, scenario: Scenario, behaviours: Iterable[Behaviour]) -> list[Result]:
    return list(_endured(name, folder, scenario, behaviours))


def _endured(name: str, folder: Path, scenario: Scenario, behaviours: Iterable[Behaviour]) -> Iterator[Result]:
    folder.mkdir()
    siege = Siege(name, folder)
    new = FEW.get(name, UPSTREAMS[name].enough) if scenario == MIDST else 0
    for behaviour in behaviours:
        if scenario == AGAIN:
            yield _looked_again(name, siege, behaviour)
        else:
            yield _result(name, scenario, siege.endure(behaviour, new, first=scenario == FIRST))
    siege.close()


def _looked_again(name: str, siege: Siege, behaviour: Behaviour) -> Result:
    """A second look brings no deletion, and a problem is said as in a run."""
    checked, problem, seen = siege.look_again(behaviour, facts(name).recheck_batch)
    try:
        fresh, refusals = admit_each(checked.fresh, datetime.now(UTC))
    except Exception as error:  # the gate lets nothing through to the pipeline but mentions and refusals
        broken = Violation(4, f"the gate broke: {type(error).__name__}")
        return Result(source=name, behaviour=behaviour.name, scenario=AGAIN, violations=(broken,))
    haul = Haul(mentions=fresh, refusals=refusals, gone=tuple(checked.gone), problem=problem)
    plain = replace(behaviour, error=None, harmless=False, fails=False)
    return _result(name, AGAIN, Case(behaviour=plain, haul=haul, seen=seen, real=siege.known))


def _mailbox(folder: Path) -> Iterator[Result]:
    siege = MailSiege(folder)
    for trick in TRICKS:
        yield _result("mailbox", LATER, siege.endure(trick))
    for name, mail in mails().items():
        yield _result("mailbox", LATER, siege.endure(None, (mail,)), f"mail {name}")
    siege.close()


def _result(name: str, scenario: Scenario, case: Case, behaviour: str = "") -> Result:
    return Result(
        source=name, behaviour=behaviour or case.behaviour.name, scenario=scenario, seconds=round(case.seconds, 3),
        requests=case.requests, memory=case.memory, violations=tuple(violations(case)),
    )
