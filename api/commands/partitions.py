"""Commands that part the mentions of a PostgreSQL store by month, for stores of tens of millions."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import typer

from api.commands.backup import telling
from api.console import help_text, reader, say, show_json, table
from api.i18n import N_

if TYPE_CHECKING:
    from pipeline.partitions import Shown

AS_JSON = typer.Option(False, "--json", help=help_text("Print JSON."))
partitions = typer.Typer(help=help_text("Keep the mentions of a large PostgreSQL store in a part for each month."),
                         no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(partitions, name="partitions")


@partitions.command(help=help_text("Part the mentions by month; stop Escucha first."))
def on(as_json: bool = AS_JSON) -> None:
    """All at once or not at all."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from pipeline.partitions import turn_on
    from pipeline.schedule import now

    with closing(ready_store(read_settings())) as store, telling() as told:
        done = turn_on(store, now(), told)
    _show(done, as_json)


@partitions.command(help=help_text("Put the mentions into one table again; stop Escucha first."))
def off() -> None:
    """All at once or not at all."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from pipeline.partitions import turn_off

    with closing(ready_store(read_settings())) as store, telling() as told:
        turn_off(store, told)
    say("The mentions are in one table.")


@partitions.command(help=help_text("List the parts, with about how many mentions each has."))
def show(as_json: bool = AS_JSON) -> None:
    """Nothing is changed."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from pipeline.partitions import show as shown

    with closing(ready_store(read_settings())) as store:
        _show(shown(store), as_json)


def _show(found: Shown, as_json: bool) -> None:
    if as_json:
        show_json(_described(found))
        return
    if not found.parts:
        say("The mentions are in one table.")
        return
    table((N_("month"), N_("mentions"), "MB"), [
        (f"{part.month:%Y-%m}" if part.month else reader().say(N_("other")), part.mentions,
         f"{part.size / 1_000_000:.1f}")
        for part in found.parts
    ])
    if not found.locks.suffice:
        say("PostgreSQL may run out of locks: set max_locks_per_transaction to {needed} or more (it is {setting}) in "
            "postgresql.conf, and restart PostgreSQL.", needed=found.locks.needed, setting=found.locks.setting)


def _described(found: Shown) -> dict[str, Any]:
    parts = [{"month": f"{part.month:%Y-%m}" if part.month else None, "mentions": part.mentions, "bytes": part.size}
             for part in found.parts]
    return {"parts": parts, "locks": {"setting": found.locks.setting, "needed": found.locks.needed}}
