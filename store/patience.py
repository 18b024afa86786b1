"""Bounds how long a question to the database may take, so that no search can hang a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from escucha.errors import TryLater

STEPS = 10_000
"""Of SQLite's own instructions between two looks at the clock: well under a millisecond."""
CANCELLED = "57014"
"""PostgreSQL's word for what ran out of time."""


@contextmanager
def patient(session: Session, seconds: float) -> Iterator[None]:
    """Within it the session's statements take so many seconds together (PostgreSQL: each).

    Raises:
        TryLater: they took longer. On PostgreSQL the transaction is over.
    """
    limited = _sqlite if session.get_bind().dialect.name == "sqlite" else _postgresql
    try:
        with limited(session, seconds):
            yield
    except OperationalError as error:
        if str(error.orig) == "interrupted" or getattr(error.orig, "sqlstate", None) == CANCELLED:
            raise TryLater(
                "Finding this takes more than {seconds} seconds. Choose a brand or a shorter period, or add a word.",
                seconds=f"{seconds:g}",
            ) from None
        raise


@contextmanager
def _sqlite(session: Session, seconds: float) -> Iterator[None]:
    connection = session.connection().connection.dbapi_connection
    end = monotonic() + seconds
    connection.set_progress_handler(lambda: monotonic() > end, STEPS)  # type: ignore[union-attr]
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)  # type: ignore[union-attr]


@contextmanager
def _postgresql(session: Session, seconds: float) -> Iterator[None]:
    session.execute(select(func.set_config("statement_timeout", str(round(seconds * 1_000)), True)))
    yield
    session.execute(select(func.set_config("statement_timeout", "0", True)))
