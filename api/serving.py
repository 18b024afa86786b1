"""Runs the server: the pages, the API and the clock in one process, until Ctrl-C."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.assembly import opened_means, ready_store
from config.settings import Settings, read_settings
from escucha.errors import ConfigError

if TYPE_CHECKING:
    from fastapi import FastAPI

NO_CLOCK = "ESCUCHA_NO_CLOCK"


def serve(settings: Settings, clock: bool = True) -> None:
    """Serve at the settings' host and port; returns after Ctrl-C.

    Raises:
        ConfigError: the port is taken, or the host is not this machine's.
    """
    from granian import Granian
    from granian.constants import Interfaces

    check_port(settings.host, settings.port)
    os.environ |= {"ESCUCHA_HOST": settings.host, "ESCUCHA_PORT": str(settings.port)}  # for the worker process
    if not clock:
        os.environ[NO_CLOCK] = "1"
    Granian(
        "api.serving:application", address=settings.host, port=settings.port, interface=Interfaces.ASGI, factory=True,
        workers=1, websockets=False, log_enabled=False, workers_kill_timeout=10,
    ).serve()


def check_port(host: str, port: int) -> None:
    """Raise ConfigError if the address cannot be served on."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise ConfigError(
            "The address {host}:{port} cannot be used: {reason}. Choose another with --port.",
            host=host, port=port, reason=error.strerror,
        ) from None


def application() -> FastAPI:
    """The web application of this installation; the server's worker process calls it."""
    from api.app import create_app

    settings = read_settings()
    store = ready_store(settings)

    @contextmanager
    def background() -> Iterator[None]:
        from pipeline.schedule import Clock

        with opened_means(settings, store) as means, Clock(means):
            yield

    return create_app(settings, store, background=None if os.environ.get(NO_CLOCK) else background)
