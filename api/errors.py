"""Turns whatever goes wrong into one answer: a key, a sentence in the reader's language, and details."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from api.deps import reader
from api.guard import HEADERS
from api.i18n import N_, translate
from api.schemas import ErrorOut
from escucha.errors import (
    ConfigError,
    Conflict,
    EscuchaError,
    Invalid,
    ModelError,
    NotFound,
    Refused,
    TryLater,
    Unreadable,
)

log = logging.getLogger("escucha.api")

STATUS: Mapping[type[EscuchaError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    ConfigError: HTTPStatus.INTERNAL_SERVER_ERROR,
    ModelError: HTTPStatus.INTERNAL_SERVER_ERROR,
    TryLater: HTTPStatus.SERVICE_UNAVAILABLE,
    Refused: HTTPStatus.BAD_GATEWAY,
    Unreadable: HTTPStatus.BAD_GATEWAY,
}
MISSING = N_("{field} is missing. Add it and try again.")
UNKNOWN = N_("{field} is not a parameter here. Check its spelling.")
NOT_VALID = N_("The value of {field} is not valid. Correct it and try again.")
NOT_A_DATE = N_("{field} is not a date. Write it as 2026-10-31.")
NOT_ONE_OF = N_("The value of {field} is not valid. Choose from: {expected}.")
OUT_OF_RANGE = N_("The value of {field} is out of range: the limit is {limit}.")
NOT_JSON = N_("The body cannot be read as JSON. Check it and send it as application/json.")
FOR_PROGRAMS = ("/api/", "/hooks/")
"""Whose addresses begin so reads JSON; all others read pages."""
LIMITS = ("ge", "gt", "le", "lt", "max_length", "min_length")
REASONS: Mapping[str, str] = {"missing": MISSING, "extra_forbidden": UNKNOWN, "json_invalid": NOT_JSON}


def describe(app: FastAPI) -> None:
    """Give every failure of the application its answer."""
    app.add_exception_handler(EscuchaError, _known)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(ValidationError, _malformed)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(Exception, _crash)


def invalid(error: Mapping[str, Any]) -> Invalid:
    """One of pydantic's complaints as a sentence of ours. The value itself is not repeated: it may be a secret."""
    field = ".".join(str(part) for part in error["loc"] if part not in ("query", "body", "path")) or "body"
    context, kind = error.get("ctx") or {}, str(error["type"])
    limit = next((context[name] for name in LIMITS if name in context), None)
    if kind in REASONS:
        template = REASONS[kind]
    elif kind.startswith("date"):
        template = NOT_A_DATE
    elif "expected" in context:
        template = NOT_ONE_OF
    else:
        template = OUT_OF_RANGE if limit is not None else NOT_VALID
    return Invalid(template, field=field, reason=kind, limit=limit, expected=context.get("expected"))


def status_of(error: EscuchaError) -> HTTPStatus:
    """The HTTP status that fits an error's kind."""
    fitting = (status for kind, status in STATUS.items() if isinstance(error, kind))
    return next(fitting, HTTPStatus.INTERNAL_SERVER_ERROR)


async def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, EscuchaError)  # noqa: S101 (what the handler is registered for)
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("%s %s: %s", request.method, request.url.path, error)
    headers = {"Retry-After": str(int(error.after))} if isinstance(error, TryLater) and error.after else {}
    return answer(request, status, error, headers)


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError | ValidationError)  # noqa: S101
    problem = invalid(error.errors()[0])
    return answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, problem)


async def _plain(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    path = request.url.path
    problem = EscuchaError("The request cannot be answered ({status}).", status=error.status_code)
    if error.status_code == HTTPStatus.NOT_FOUND:
        problem = NotFound("There is nothing at {path}. Check the address.", path=path)
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        problem = Invalid("{method} does not work at {path}.", method=request.method, path=path)
    return answer(request, HTTPStatus(error.status_code), problem, error.headers or {})


async def _crash(request: Request, error: Exception) -> Response:
    number = uuid4().hex[:12]
    log.error("%s %s failed (%s)", request.method, request.url.path, number, exc_info=error)
    problem = EscuchaError(
        "Something went wrong on our side. Try again; if it stays, report the number {id}.", id=number
    )
    return answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, problem, HEADERS)


def answer(
    request: Request, status: HTTPStatus, error: EscuchaError, headers: Mapping[str, str] | None = None
) -> Response:
    """The one shape: JSON for programs, a page for people."""
    who = reader(request)
    message = translate(error, who.lang)
    if request.url.path.startswith(FOR_PROGRAMS):
        body = ErrorOut(error=error.error, message=message, details=jsonable_encoder(error.details))
        return JSONResponse(body.model_dump(), status, headers=dict(headers or {}))
    from api.dashboard.shell import render_error

    return render_error(request, who, status, message, headers or {})
