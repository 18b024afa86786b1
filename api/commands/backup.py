"""Commands that keep the data safe and move it: backup, restore, migrate-store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from api.console import help_text, reader, say, screen, show_json, table
from api.i18n import N_

if TYPE_CHECKING:
    from store.cargo import Told
    from store.manifest import Manifest

FILE = typer.Argument(help=help_text("The file of the backup."))
AS_JSON = typer.Option(False, "--json", help=help_text("Print JSON."))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(help=help_text("Back all data up into one file, while Escucha runs."))(backup)
    app.command(help=help_text("Put a backup in the place of the database; stop Escucha first."))(restore)
    app.command("migrate-store", help=help_text("Move all data into an empty database, such as PostgreSQL."))(migrate)


def backup(
    file: Path = FILE,
    replace: bool = typer.Option(False, "--replace", help=help_text("Replace the file if there is one.")),
    as_json: bool = AS_JSON,
) -> None:
    """Write a backup. The database is neither made nor upgraded: one of an older version is backed up as it is."""
    from config.settings import read_settings
    from pipeline.schedule import now
    from store import backup as backups
    from store.engine import open_store

    settings = read_settings()
    with closing(open_store(settings.database)) as store, telling() as told:
        manifest = backups.make(store, file, now(), replace=replace, told=told)
    if as_json:
        show_json(_described(manifest))
        return
    say("{file} holds {mentions} mentions, {size} MB.", file=file, mentions=manifest.rows.get("mention", 0),
        size=_size(file))
    if manifest.rows.get("credential"):
        say("The secret key is not in it ({where}): without it, stored keys of sources stay locked. Keep it elsewhere.",
            where="secret_key" if settings.secret_key.get_secret_value() else settings.secret_file)


def restore(
    file: Path = FILE,
    replace: bool = typer.Option(False, "--replace", help=help_text("Lose what is in the database now.")),
    check: bool = typer.Option(False, "--check", help=help_text("Only look through the backup; restore nothing.")),
    as_json: bool = AS_JSON,
) -> None:
    """Restore a backup, wholly or not at all."""
    from config.settings import read_settings
    from store import manifest as manifests
    from store import restore as restoring

    if check:
        _show(manifests.read(file), as_json)
        return
    with telling() as told:
        done = restoring.restore(read_settings().database, file, replace=replace, told=told)
    if as_json:
        show_json({**_described(done.manifest), "forgotten": done.forgotten})
        return
    say("Restored {mentions} mentions, as they were at {at}.", mentions=done.manifest.rows.get("mention", 0),
        at=done.manifest.made_at)
    if done.forgotten:
        say("{n} mentions that were deleted or blocked since then stay out of sight.", n=done.forgotten)


def migrate(
    source: str = typer.Argument(help=help_text("Address of the database to move: sqlite:///data/escucha.db")),
    target: str = typer.Argument(help=help_text("Address of an empty one: postgresql://user@host/name")),
    partitions: bool = typer.Option(
        False, "--partitions", help=help_text("Part the mentions there by month (escucha partitions).")
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Move a store and compare both; the source stays as it is."""
    from pipeline.schedule import now
    from store import moving

    with telling() as told:
        moved = moving.move(source, target, told, now() if partitions else None)
    if as_json:
        show_json({"rows": moved.rows, "recounted": moved.recounted})
        return
    table((N_("table"), N_("rows")), [(name, n) for name, n in moved.rows.items() if n])
    if moved.recounted:
        say("{n} counts were off and were counted anew.", n=moved.recounted)
    say("All rows arrived, and their checksums agree. Now set `database` to {where}.", where=moving.shown(target))


@contextmanager
def telling() -> Iterator[Told]:
    """A line of progress a table on stderr."""
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

    tasks: dict[str, TaskID] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = screen(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:

        def told(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(reader().say(what), total=of)
            bar.update(tasks[what], completed=done, total=of)

        yield told


def _show(manifest: Manifest, as_json: bool) -> None:
    if as_json:
        show_json(_described(manifest))
        return
    say("A whole backup of a {kind} database of {at}, {mentions} mentions.", kind=manifest.kind, at=manifest.made_at,
        mentions=manifest.rows.get("mention", 0))


def _described(manifest: Manifest) -> dict[str, Any]:
    return {"kind": manifest.kind, "made_at": manifest.made_at, "revision": manifest.revision, "rows": manifest.rows}


def _size(file: Path) -> str:
    return f"{file.stat().st_size / 1_000_000:.1f}"
