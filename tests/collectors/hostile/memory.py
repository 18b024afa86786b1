"""How far the memory of this process rises."""

from __future__ import annotations

import re
import resource
from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Peak:
    """The highest memory in use since this was made, beyond what was in use then, in KiB.

    Linux lets a process begin its high-water mark anew; elsewhere only a rise above the highest ever is seen.
    """

    def __init__(self) -> None:
        self._exact = _begin_anew()
        self._before = _told("VmRSS") if self._exact else _highest()

    def grown(self) -> int:
        return max(0, (_told("VmHWM") if self._exact else _highest()) - self._before)


def _begin_anew() -> bool:
    try:
        _RESET.write_text("5", "ascii")
    except OSError:
        return False
    return True


def _told(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", _STATUS.read_text("ascii"), re.MULTILINE)
    return int(found[1]) if found else 0


def _highest() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
