"""Commands that look after the roll-ups: the small counts that answer the dashboard."""

from __future__ import annotations

import typer

from api.console import help_text, say, show_json, table
from api.i18n import N_

SHOWN = 20
rollups = typer.Typer(help=help_text("Check or rebuild the counts that answer the dashboard."), no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(rollups, name="rollups")


@rollups.command(help=help_text("Compare the counts with the mentions; exit 1 where they differ."))
def verify(as_json: bool = typer.Option(False, "--json", help=help_text("Print JSON."))) -> None:
    """Nothing is changed."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from pipeline.upkeep import verify_rollups

    drifts = verify_rollups(ready_store(read_settings()))
    rows = [(one.table, " ".join(str(part) for part in one.key), one.kept[0], one.counted[0]) for one in drifts]
    if as_json:
        show_json([dict(zip(("table", "key", "kept", "counted"), row, strict=True)) for row in rows])
    elif not rows:
        say("Every count is that of the mentions.")
    else:
        table((N_("table"), N_("key"), N_("kept"), N_("counted")), rows[:SHOWN])
        say("{n} counts differ from the mentions. Run escucha rollups rebuild.", n=len(rows))
    if rows:
        raise typer.Exit(1)


@rollups.command(help=help_text("Count all mentions anew."))
def rebuild() -> None:
    """Others wait meanwhile."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from pipeline.upkeep import rebuild_rollups

    rebuild_rollups(ready_store(read_settings()))
    say("All mentions were counted anew.")
