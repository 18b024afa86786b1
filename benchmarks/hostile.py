"""Every source under every misbehaviour of its upstream: how many runs, and how many promises were broken."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.collectors.fakes import UPSTREAMS
from tests.collectors.hostile.campaign import LONG, SHORT, Result, campaign, excuse

PROMISES = {
    1: "ends in time", 2: "says why, without a secret", 3: "knows who acts", 4: "brings clean things",
    5: "loses nothing", 6: "deletes nothing", 7: "stays small",
}


def figures(results: list[Result], seconds: float) -> dict[str, object]:
    """What the campaigns came to. An excused violation is what a source does otherwise on purpose."""
    broken = [(result, violation) for result in results for violation in result.violations]
    excused = [known for result, violation in broken if (known := excuse(result, violation)) is not None]
    plain = [(result, violation) for result, violation in broken if excuse(result, violation) is None]
    return {
        "behaviours": len({result.behaviour for result in results}),
        "sources": len({result.source for result in results}),
        "runs": len(results),
        "runs_by_scenario": dict(Counter(result.scenario for result in results)),
        "requests": sum(result.requests for result in results),
        "most_requests_in_a_run": max(result.requests for result in results),
        "violations": len(plain),
        "violations_by_promise": {PROMISES[number]: count for number, count in
                                  sorted(Counter(violation.promise for _, violation in plain).items())},
        "otherwise_on_purpose": sum(not known.defect for known in excused),
        "known_defects": sum(known.defect for known in excused),
        "seconds": round(seconds, 1),
        "seconds_of_the_slowest": round(max(result.seconds for result in results), 2),
        "broken": [f"{result.source}, {result.scenario}, {result.behaviour}: {violation.what}"
                   for result, violation in plain][:50],
    }


def main() -> None:
    """All scenarios; with `--short`, those of the tests."""
    program = SHORT if "--short" in sys.argv else LONG
    begun = time.monotonic()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        runs = [pool.submit(campaign, name, program) for name in UPSTREAMS]
        results = [result for run in runs for result in run.result()]
    print(json.dumps({"hostile": figures(results, time.monotonic() - begun)}, indent=2))


if __name__ == "__main__":
    main()
