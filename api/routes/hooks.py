"""The door for what is sent to us: surveys, helpdesks and automations deliver mentions here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from api.deps import House, Parts, Reading
from api.errors import status_of
from api.i18n import Reader, translate
from api.schemas import ErrorOut
from collectors.webhook import MAX_BODY, too_large, wrong_kind
from escucha.errors import EscuchaError, Invalid, NotFound, Refused, TryLater
from escucha.source import Delivery, Refusal

PREFIX = "/hooks"
STATUS: Mapping[type[EscuchaError], int] = {NotFound: 404, Refused: 401, Invalid: 400, TryLater: 429}
"""Other than at our other doors: here it is the sender's signature that is refused, and their body that is off."""
A_MINUTE = 600
"""Deliveries to one hook in a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookOutcome:
    """What became of a delivery: how many mentions were new, changed, known as they were, or are gone now.

    `passed` were left out on purpose (not about the brand); `refused` are those that could not be read.
    """

    new: int = 0
    updated: int = 0
    duplicate: int = 0
    gone: int = 0
    passed: int = 0
    refused: tuple[Refusal, ...] = ()

    @property
    def taken(self) -> int:
        """How many items changed something."""
        return self.new + self.updated + self.gone

    @property
    def is_refused(self) -> bool:
        """Whether nothing of it could be read."""
        return bool(self.refused) and not (self.taken or self.duplicate or self.passed)


class Receiver(Protocol):
    """Takes a delivery in: finds the hook of that key, has its source read the delivery, and saves what it holds."""

    def __call__(self, parts: House, key: str, delivery: Delivery, /) -> HookOutcome:
        """What became of it.

        Raises:
            NotFound: there is no such hook.
            Refused: the signature does not fit.
            Invalid: the delivery cannot be read.
            TryLater: the store has no time for it now.
        """
        ...


class RejectedOut(BaseModel):
    """An item that was not taken."""

    where: str = Field(description="Which one it is, from 1.", examples=["item 3"])
    field: str | None = Field(description="The field that is off, where it is a single one.")
    reason: str


class DeliveredOut(BaseModel):
    """What became of a delivery."""

    accepted: int = Field(description="New, changed or deleted mentions.")
    duplicated: int = Field(description="Mentions that were known as they are.")
    left_out: int = Field(description="Items that are not about the brand, or not wanted.")
    rejected: list[RejectedOut]


@dataclass(slots=True)
class Turnstile:
    """Lets so many deliveries a minute (`limit`) through to one hook."""

    limit: int = A_MINUTE
    _minute: int = 0
    _counts: Counter[str] = field(default_factory=Counter)

    def enter(self, key: str, now: datetime) -> None:
        """Count a delivery. Raises TryLater, until the next minute, where there were too many."""
        seconds = int(now.timestamp())
        if seconds // 60 != self._minute:
            self._minute = seconds // 60
            self._counts.clear()
        self._counts[key] += 1
        if self._counts[key] > self.limit:
            raise TryLater("There are more than {limit} deliveries a minute. Send them again later, or more in one.",
                           after=60 - seconds % 60, limit=self.limit)


REFUSED = (400, 401, 404, 413, 415, 429)


def door(receive: Receiver, turnstile: Turnstile | None = None) -> APIRouter:
    """The routes under /hooks. No page of ours sends to them: who sends is known by the signature alone."""
    entrance = turnstile or Turnstile()
    router = APIRouter(prefix=PREFIX, tags=["hooks"])

    @router.post("/{key}", status_code=202, response_model=DeliveredOut, summary="Deliver mentions",
                 responses={422: {"model": DeliveredOut}, **{code: {"model": ErrorOut} for code in REFUSED}})
    async def deliver(
        request: Request, parts: Parts, reader: Reading, key: Annotated[str, Path(max_length=200)]
    ) -> Response:
        """Take a signed delivery in: JSON or JSON lines, 1 MB and 1,000 items at most. Sent twice, it is kept once."""
        now = parts.clock()
        try:
            entrance.enter(key, now)
            wrong = wrong_kind(request.headers.get("content-type", ""))
            if wrong is not None:
                return _failed(reader, wrong, 415)
            body = await _body(request)
            if body is None:
                return _failed(reader, too_large(), 413)
            delivery = Delivery(headers=_headers(request), body=body, at=now)
            return _answer(reader, await run_in_threadpool(receive, parts, key, delivery))
        except EscuchaError as error:
            return _failed(reader, error, _status(error))

    return router


async def _body(request: Request) -> bytes | None:
    """The body as it came (signatures are over its very bytes), or None where it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _headers(request: Request) -> Mapping[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _status(error: EscuchaError) -> int:
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), int(status_of(error)))


def _answer(reader: Reader, outcome: HookOutcome) -> Response:
    told = DeliveredOut(
        accepted=outcome.taken, duplicated=outcome.duplicate, left_out=outcome.passed,
        rejected=[_rejected(reader, refusal) for refusal in outcome.refused],
    )
    return JSONResponse(told.model_dump(), 422 if outcome.is_refused else 202)


def _rejected(reader: Reader, refusal: Refusal) -> RejectedOut:
    why = refusal.why
    return RejectedOut(where=refusal.where, field=why.details.get("field"), reason=translate(why, reader.lang))


def _failed(reader: Reader, error: EscuchaError, status: int) -> Response:
    """The shape of every failure, for programs: the senders are none but those."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if isinstance(error, TryLater) and error.after:
        headers = {"Retry-After": str(int(error.after))}
    told = ErrorOut(error=error.error, message=translate(error, reader.lang), details=_told(error.details))
    return JSONResponse(told.model_dump(), status, headers=headers)


def _told(details: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if isinstance(value, str | int | float | None)}
