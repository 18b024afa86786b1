"""Where the work is done: in this process, in threads, or on a Dask cluster — one door to all three."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from apscheduler.executors.base import run_job
from apscheduler.executors.pool import BasePoolExecutor

from escucha.errors import ConfigError


class Inline(Executor):
    """Runs what is submitted at once, in the caller's own thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future is done when this returns."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def open_pool(threads: int = 4, dask: str = "") -> Iterator[Executor]:
    """The pool for collecting and tagging: threads here, or the Dask cluster at `dask` (tcp://…).

    Raises:
        ConfigError: the cluster does not answer.
    """
    if not dask:
        with ThreadPoolExecutor(threads, thread_name_prefix="escucha") as pool:
            yield pool
        return
    from distributed import Client

    try:
        client = Client(dask, timeout=10, set_as_default=False)
    except (OSError, ValueError):
        raise ConfigError(
            "The Dask cluster at {address} does not answer. Start its scheduler or leave `dask` empty.", address=dask
        ) from None
    with client:
        yield client.get_executor(pure=False)  # pure (the default) would answer a repeated call from memory


class Ticks(BasePoolExecutor):  # type: ignore[misc]
    """The scheduler's own small pool: work on the big pool can never keep a tick from starting.

    APScheduler's callback asks a cancelled future for its exception, which raises, and the job then counts as
    running for ever (seen when a Dask scheduler dies). Here a cancelled run is an error like any other.
    """

    def __init__(self, pool: Executor | None = None) -> None:
        super().__init__(pool or ThreadPoolExecutor(8, thread_name_prefix="escucha-tick"))

    def _do_submit_job(self, job: Any, run_times: Any) -> None:
        def done(future: Future[Any]) -> None:
            try:
                events = future.result()
            except (Exception, CancelledError) as error:
                self._run_job_error(job.id, error, error.__traceback__)
            else:
                self._run_job_success(job.id, events)

        self._pool.submit(run_job, job, job._jobstore_alias, run_times, self._logger.name).add_done_callback(done)
