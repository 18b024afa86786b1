"""Random lives of every source: how many of them end with something lost, repeated, made up or held for deleted.

Beside them collectors that each break one promise, to show that such lives find it out. `--case` and `--seed` tell one
life in full.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from typing import Any

from tests.collectors.broken import BROKEN, live_broken
from tests.collectors.fakes import UPSTREAMS
from tests.collectors.sequences import Story, live
from tests.collectors.ways import CASES

BROKEN_SEEDS = 20
EXAMPLES = 5
"""Lives that are named for each kind of violation."""


def told(case: str, seed: int) -> Story:
    """A life; of a broken collector where the case names one."""
    return live_broken(case, seed) if case in BROKEN else live(case, seed)


def lived(cases: Iterable[str], seeds: Iterable[int], seconds: float) -> list[Story]:
    """The lives of all cases, seed by seed, until the time is up."""
    ends, stories = time.monotonic() + seconds, []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for seed in seeds:
            if time.monotonic() >= ends:
                break
            running: list[Future[Story]] = [pool.submit(told, case, seed) for case in cases]
            stories += [done.result() for done in as_completed(running)]
    return stories


def violations(stories: Iterable[Story]) -> dict[str, Any]:
    """By kind: how many lives had some, and the first of them, which their case and seed tell again."""
    found: dict[str, list[tuple[str, int, str]]] = {}
    for story in sorted(stories, key=lambda story: (story.seed, story.case)):
        for kind, said in {fault.kind: fault.said for fault in reversed(story.faults)}.items():
            found.setdefault(kind, []).append((story.case, story.seed, said))
    return {
        kind: {"lives": len(told), "by_case": Counter(case for case, _, _ in told), "first": told[:EXAMPLES]}
        for kind, told in found.items()
    }


def found_out(seconds: float) -> Mapping[str, str]:
    """Of how many lives each broken collector is found out."""
    stories = lived(BROKEN, range(BROKEN_SEEDS), seconds)
    counted = {name: [story for story in stories if story.case == name] for name in BROKEN}
    return {
        f"{name} ({BROKEN[name].fault})": f"{sum(_caught(name, story) for story in lives)} of {len(lives)}"
        for name, lives in counted.items()
    }


def _caught(name: str, story: Story) -> bool:
    return any(fault.kind == BROKEN[name].fault for fault in story.faults)


def main() -> None:
    asked = _asked()
    if asked.seed is not None:
        print(told(asked.case, asked.seed))
        return
    begun = time.monotonic()
    cases = [asked.case] if asked.case else CASES
    stories = lived(cases, range(asked.first, asked.first + asked.seeds), asked.seconds)
    print(json.dumps({"sequences": {
        "sources": len({case.partition(" ")[0] for case in cases}), "of": len(UPSTREAMS), "ways_of_asking": len(cases),
        "sequences": len(stories), "steps": sum(len(story.steps) for story in stories),
        "requests": sum(story.requests for story in stories), "seconds": round(time.monotonic() - begun),
        "violations": violations(stories),
        "broken_collectors_found_out": {} if asked.case else found_out(asked.seconds),
    }}, indent=2, ensure_ascii=False))  # fmt: skip


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="lives of each way in which a source is asked")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seconds", type=float, default=720, help="no further seed is begun after so long")
    parser.add_argument("--case", choices=[*CASES, *BROKEN], help="one way of asking one source alone")
    parser.add_argument("--seed", type=int, help="tell the one life of this seed (with --case)")
    asked = parser.parse_args()
    if asked.seed is not None and asked.case is None:
        parser.error("--seed needs --case")
    return asked


if __name__ == "__main__":
    main()
