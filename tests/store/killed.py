"""Kills what a process does, somewhere between its beginning and its end."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

FULL = os.environ.get("ESCUCHA_FAULTS") == "full"
"""`make faults` asks for the full counts of the plan; otherwise a few of each are tried."""
KILLS = 20 if FULL else 3


def killed(act: Callable[[], object], seed: int, longest_s: float) -> int:
    """Do something in a process of its own that is killed meanwhile; minus the signal, or 0 where it was done before.

    It must open its own connections.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    time.sleep(random.Random(seed).uniform(0.02, longest_s))
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
