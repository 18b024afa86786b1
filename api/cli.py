"""The command line: everything the pages do, and what only an administrator does."""

from __future__ import annotations

import sys

import typer

from api.commands import (
    backfill,
    backup,
    brands,
    data,
    exclude,
    export,
    forget,
    heads,
    install,
    keys,
    models,
    partitions,
    retag,
    retention,
    rollups,
    rules,
    sources,
    taxonomy,
    watches,
)
from api.console import fail, help_text
from escucha.errors import EscuchaError

app = typer.Typer(
    help=help_text("Escucha listens to what customers say and lays it out along their journey."),
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"escucha {version('escucha')}")
        raise typer.Exit


@app.callback()
def root(
    _: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help=help_text("Print the version.")),
) -> None:
    """What every command shares."""


for module in (
    install, brands, sources, keys, watches, backfill, data, export, models, heads, taxonomy, retag, rules, exclude,
    backup, partitions, rollups, forget, retention,
):
    module.register(app)


def main() -> None:
    """Run a command; a failure is one sentence on stderr and an exit code that means something (api/console.py)."""
    try:
        app()
    except EscuchaError as error:
        sys.exit(fail(error))
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stderr.close()
        sys.exit(0)
