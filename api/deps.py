"""What every request may ask for: the store, the reader's language, the taxonomies and the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from api.i18n import LANGUAGES, Reader, preferred
from config.settings import Settings
from escucha.journey import Catalogue
from store.engine import Store
from store.patience import patient

LANGUAGE_COOKIE = "lang"
LANGUAGE_PARAMETER = "ui"
"""Not `lang`: that asks for mentions in a language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the application is built from, once. `clock` gives the present as an aware time."""

    settings: Settings
    store: Store
    catalogue: Catalogue
    clock: Callable[[], datetime]


def house(request: Request) -> House:
    """The application's parts."""
    parts: House = request.app.state.house
    return parts


def reader(request: Request) -> Reader:
    """Who reads: asked for in the address, remembered in a cookie, told by the browser, or as the settings say."""
    for said in (request.query_params.get(LANGUAGE_PARAMETER), request.cookies.get(LANGUAGE_COOKIE)):
        if said in LANGUAGES:
            return Reader(said)
    return Reader(preferred(request.headers.get("accept-language"), house(request).settings.lang))


PATIENCE = 15.0
"""Seconds that a page may ask the store for: a search that takes longer is told to ask for less (503)."""


def _read(parts: Annotated[House, Depends(house)]) -> Iterator[Session]:
    with parts.store.read() as session, patient(session, PATIENCE):
        yield session


def _write(parts: Annotated[House, Depends(house)]) -> Iterator[Session]:
    with parts.store.write() as session:
        yield session


Parts = Annotated[House, Depends(house)]
Reading = Annotated[Reader, Depends(reader)]
Db = Annotated[Session, Depends(_read, scope="function")]
Write = Annotated[Session, Depends(_write, scope="function")]
"""Saved before the answer leaves: an answer never promises what was not kept."""
