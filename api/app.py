"""Builds the web application: the API, the pages, and the guard in front of both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from threading import Thread

from fastapi import FastAPI, Request, Response
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from api import (
    correction_pages,
    data_pages,
    errors,
    job_pages,
    learning_pages,
    pages,
    relevance_pages,
    rule_pages,
    source_add_pages,
    source_pages,
)
from api.assets import Assets
from api.dashboard import charts
from api.deliveries import received
from api.deps import House
from api.exports.wish import PACKED
from api.guard import Guard
from api.routes import router
from api.routes.hooks import door
from config.catalogue import read_catalogue
from config.settings import Settings
from escucha.errors import EscuchaError, Refused
from escucha.journey import Catalogue
from store.engine import Store, open_store

STATIC = Path(__file__).parent / "dashboard" / "static"
MAX_BODY = 1_000_000
DELIVERED = 1_000_000_000
"""The door for deliveries reads no more than its own bound, and says so in JSON."""
ABOUT = (
    "What people say about a brand, tagged and laid out along the customer's journey. Every failure has the shape "
    "{error, message, details}; the message is in the language of Accept-Language (es, en), or of the parameter `ui`."
)
Background = Callable[[], AbstractContextManager[object]]


def create_app(
    settings: Settings,
    store: Store | None = None,
    *,
    catalogue: Catalogue | None = None,
    background: Background | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FastAPI:
    """The application of these settings.

    `store` and `catalogue` are opened from the settings where they are not given. `background` is entered while the
    application serves (the clock that collects). `clock` tells the present.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        Thread(target=charts.warm_up, daemon=True, name="warm-up").start()
        with background() if background else nullcontext():
            yield

    app = FastAPI(
        title="Escucha", version=version("escucha"), lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url="/api/v1/openapi.json", max_body_size=MAX_BODY,
        description=ABOUT,
    )
    app.state.house = House(
        settings=settings, store=store or open_store(settings.database, settings.synchronous),
        catalogue=catalogue or read_catalogue(), clock=clock,
    )
    app.include_router(router)
    app.include_router(pages.router)
    app.include_router(correction_pages.router)
    app.include_router(rule_pages.router)
    app.include_router(relevance_pages.router)
    app.include_router(job_pages.router)
    app.include_router(learning_pages.router)
    app.include_router(data_pages.router)
    app.include_router(source_pages.router)
    app.include_router(source_add_pages.router)
    app.include_router(door(received), max_body_size=DELIVERED)
    app.mount("/static", Assets(directory=STATIC), name="static")
    errors.describe(app)
    app.add_middleware(
        GZipMiddleware, minimum_size=1_000, exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, *PACKED)
    )
    app.add_middleware(Guard, host=settings.host, refuse=_refusal(app))
    return app


def _refusal(app: FastAPI) -> Callable[[Request, EscuchaError], Response]:
    """The guard's answer; it stands before the application, so the request is told which one it belongs to."""

    def refuse(request: Request, problem: EscuchaError) -> Response:
        request.scope["app"] = app
        status = HTTPStatus.FORBIDDEN if isinstance(problem, Refused) else HTTPStatus.MISDIRECTED_REQUEST
        return errors.answer(request, status, problem)

    return refuse
