"""Politeness: a pause between two requests to one host, whoever makes them."""

from __future__ import annotations

from threading import Lock

from collectors.clock import Clock


class Pace:
    """Keeps `seconds` between the starts of two requests to one host, over all threads that share this object."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._free_at: dict[str, float] = {}

    def wait(self, host: str, seconds: float, clock: Clock) -> None:
        """Take the host's next free moment and sleep until then."""
        with self._lock:
            now = clock.monotonic()
            start = max(now, self._free_at.get(host, now))
            self._free_at[host] = start + seconds
        if start > now:
            clock.sleep(start - now)


PROCESS = Pace()
"""The one that all collectors of this process share."""
