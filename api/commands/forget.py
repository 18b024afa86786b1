"""Commands about a person who asks: what is held of them, and export, block, unblock, erase; and the audit of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from api.acts import ACTS, COUNTS
from api.console import help_text, progress, reader, say, show_json, table
from api.i18n import N_

if TYPE_CHECKING:
    from datetime import datetime

    from escucha.keeping import Subject
    from store.engine import Store

AS_JSON = typer.Option(False, "--json", help=help_text("Print JSON."))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(help=help_text("Tell, block or erase all that is held of a person."))(forget)
    app.command(help=help_text("List what was done for people who asked, without their data."))(audit)


def forget(
    author: str = typer.Argument(help=help_text("The person's id, handle or address in the source.")),
    source: str = typer.Option(..., "--source", help=help_text("The source: mastodon, reddit …")),
    export: Path | None = typer.Option(None, "--export", help=help_text("Write all that is held to this JSON file.")),
    block: bool = typer.Option(False, "--block", help=help_text("Keep it, but show and count it nowhere.")),
    unblock: bool = typer.Option(False, "--unblock", help=help_text("Show and count it again.")),
    erase: bool = typer.Option(False, "--erase", help=help_text("Delete it for good, and hear no more of them.")),
    yes: bool = typer.Option(False, "--yes", help=help_text("Really erase; without it you see what would go.")),
    as_json: bool = AS_JSON,
) -> None:
    """Without any of the options, tell how much is held."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from escucha.errors import Invalid
    from pipeline import forget as verbs
    from pipeline.schedule import now

    if (export is not None) + block + unblock + erase > 1:
        raise Invalid("Choose one of --export, --block, --unblock and --erase.")
    store = ready_store(read_settings())
    with store.read() as session:
        person = verbs.found(session, source, author)
    if export is not None:
        _write(export, verbs.account(store, person, now()))
        say("All that is held of {author} is in {file}.", author=person.handle, file=export)
    elif block:
        say("{n} mentions of {author} are shown and counted nowhere now. They are still held.",
            n=verbs.block(store, person, now()), author=person.handle)
    elif unblock:
        say("{n} mentions of {author} are shown and counted again.", n=verbs.unblock(store, person, now()),
            author=person.handle)
    elif erase and yes:
        _erase(store, person, now())
    else:
        _tell(person, as_json, dry=erase)


def audit(
    limit: int = typer.Option(50, min=1, max=10_000, help=help_text("The newest lines, so many.")),
    as_json: bool = AS_JSON,
) -> None:
    """List the audit, the newest first."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from store import audit

    with ready_store(read_settings()).read() as session:
        lines = audit.entries(session, limit)
    if as_json:
        show_json([asdict(line) for line in lines])
        return
    table((N_("when"), N_("what"), N_("for whom (mark)"), N_("how much")),
          [(f"{line.at:%Y-%m-%d %H:%M} UTC", reader().say(ACTS.get(line.act, line.act)), line.mark or "",
            ", ".join(f"{reader().say(COUNTS.get(name, name))} {n}" for name, n in line.counts.items() if n))
           for line in lines])


def _erase(store: Store, person: Subject, now: datetime) -> None:
    from pipeline.forget import erase
    from store.sweep import sweep

    with progress("Erasing", person.mentions) as advance:
        done = erase(store, person, now, advance)
    say("{n} mentions are erased with all that was understood of them. What this person says is not collected again.",
        n=done.mentions)
    if not sweep(store):
        say("Somebody was reading the database, so traces are left in its log. They go in the coming night, or when "
            "you run `escucha retention run`.", stderr=True)
    say("Backups from before still hold it. Delete them, or let them run out.")


def _tell(person: Subject, as_json: bool, dry: bool) -> None:
    if as_json:
        show_json(asdict(person))
        return
    say("{author} ({id}) in {source}: {n} mentions, {corrections} corrections.", author=person.handle, id=person.key,
        source=person.source, n=person.mentions, corrections=person.corrections)
    if person.first and person.last:
        say("  From {first} to {last}, about {brands}.", first=f"{person.first:%Y-%m-%d}",
            last=f"{person.last:%Y-%m-%d}", brands=", ".join(person.brands))
    if person.blocked_at:
        say("  Blocked since {day}.", day=f"{person.blocked_at:%Y-%m-%d}")
    if person.echoes:
        say("  {n} mentions by others say the same; they stay.", n=person.echoes)
    if dry:
        say("Nothing has been erased. Add --yes to erase it for good.")


def _write(file: Path, pieces: Iterable[str]) -> None:
    """Write beside and then rename, for its owner's eyes only: half a file is never taken for all that is held."""
    beside = file.with_name(f".{file.name}.part")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:  # noqa: PTH123
            out.writelines(pieces)
        beside.replace(file)
    except OSError as error:
        from escucha.errors import Invalid

        raise Invalid("{file} cannot be written: {reason}.", file=file, reason=error.strerror) from None
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
