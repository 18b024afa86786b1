"""How the command line speaks: in the reader's language, with colour for a person and JSON for a script."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from api.i18n import DEFAULT, LANGUAGES, Reader
from escucha.errors import ConfigError, EscuchaError, ModelError, SourceError, TryLater

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

EXIT_CODES: tuple[tuple[type[EscuchaError], int], ...] = (
    (TryLater, 75), (SourceError, 4), (ConfigError, 3), (ModelError, 5), (EscuchaError, 1),
)
"""1: the input is off; 2: the command is (typer's own); 3: the installation; 4: a source; 5: a model; 75: try later."""


def help_text(msgid: str) -> str:
    """A command's help, translated only where help is asked for: reading the catalogue would slow every start."""
    asked = {"--help", "-h"} & set(sys.argv) or len(sys.argv) < 2
    return Reader(language()).say(msgid) if asked else msgid


def language() -> str:
    """The command line's language before the settings are read: ESCUCHA_LANG, or Spanish."""
    named = os.environ.get("ESCUCHA_LANG", DEFAULT)
    return named if named in LANGUAGES else DEFAULT


@cache
def reader() -> Reader:
    """Who reads the command line, as the settings have it."""
    from config.settings import read_settings

    try:
        return Reader(read_settings().lang)
    except ConfigError:
        return Reader(language())


def say(msgid: str, /, *, stderr: bool = False, **values: Any) -> None:
    """Print a sentence."""
    screen(stderr=stderr).print(reader().say(msgid, **values), highlight=False, markup=False, soft_wrap=True)


def show_json(value: Any) -> None:
    """Print a value as JSON, for scripts."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; the columns' names are msgids."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*(reader().say(column) for column in columns), box=None, header_style="bold")
    for row in rows:
        drawn.add_row(*(Text(str(cell)) for cell in row))
    screen().print(drawn)


def fail(error: EscuchaError) -> int:
    """Say what went wrong on stderr; the exit code that tells a script what kind it was."""
    sentence = reader().say(error.message, **error.details)
    screen(stderr=True).print(f"✗ {sentence}", style="red", highlight=False, markup=False, soft_wrap=True)
    return next(code for kind, code in EXIT_CODES if isinstance(error, kind))


@contextmanager
def progress(msgid: str, total: int | None) -> Iterator[Any]:
    """A progress bar on stderr; yields a function that is told how many more are done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar: Progress
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=screen(stderr=True),
    ) as bar:
        task = bar.add_task(reader().say(msgid), total=total)
        yield lambda n: bar.advance(task, n)


@cache
def screen(*, stderr: bool = False) -> Console:
    """The terminal."""
    from rich.console import Console

    return Console(stderr=stderr)
