"""Commands that bring mentions in and have them understood: import, collect, enrich."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from api.console import help_text, progress, reader, say, show_json, table
from api.i18n import N_
from escucha.source import Refusal

if TYPE_CHECKING:
    from escucha.mention import Mention
    from pipeline.importing import Report

SHOWN = 20
AS_JSON = typer.Option(False, "--json", help=help_text("Print JSON."))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import", help=help_text("Import mentions from a CSV, JSONL or XLSX file."))(import_)
    app.command(help=help_text("Run the watches that are due."))(collect)
    app.command(help=help_text("Tag the mentions that wait."))(enrich)
    app.command(help=help_text("Delete mentions for good; they do not come back."))(delete)


def import_(
    file: Path = typer.Argument(help=help_text("The file.")),
    brand: str = typer.Option(..., "--brand", help=help_text("The brand's short name.")),
    mapping: str = typer.Option("", "--map", help=help_text("Columns by hand: text=Comentario,date=Fecha:%d/%m/%Y.")),
    source: str = typer.Option("", help=help_text("Where the rows come from, if no column says so.")),
    timezone: str = typer.Option("", help=help_text("Zone of times that have none; the brand's if not given.")),
    preview: bool = typer.Option(False, help=help_text("Show how the file is read; store nothing.")),
    as_json: bool = AS_JSON,
) -> None:
    """Import a file; every refused row is listed with its line and reason."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from pipeline.duplicates import group_waiting
    from pipeline.importing import import_file
    from pipeline.pool import Inline
    from pipeline.schedule import now
    from store import brands

    store = ready_store(read_settings())
    with store.read() as session:
        found = brands.get(session, brand)
    given = {"map": mapping, "source": source, "timezone": timezone or found.timezone}
    keys = {name: value for name, value in given.items() if value}
    if preview:
        return _preview(file, keys)
    with progress("Importing", None) as advance:
        report = import_file(store, found, file, now(), keys, advance)
    with progress("Comparing mentions", None) as advance:
        group_waiting(store, Inline(), advance)
    _report(report, as_json)
    if report.read and len(report.refusals) == report.read:
        raise typer.Exit(1)
    return None


def collect(as_json: bool = AS_JSON) -> None:
    """Run what is due; exit 4 if a source failed."""
    from api.assembly import opened_means, ready_store
    from config.settings import read_settings
    from pipeline.collect import collect_due
    from pipeline.duplicates import group_waiting
    from pipeline.schedule import now

    settings = read_settings()
    with opened_means(settings, ready_store(settings)) as means:
        outcomes = collect_due(means, now())
        group_waiting(means.store, means.pool)
    rows = [
        {"watch": o.watch.id, "source": o.watch.source, "new": o.saved.new, "updated": o.saved.updated,
         "duplicate": o.saved.duplicate, "refused": o.refused,
         "problem": reader().say(o.problem.message, **o.problem.details) if o.problem else None}
        for o in outcomes
    ]
    if as_json:
        show_json(rows)
    elif not rows:
        say("No watch is due.")
    else:
        columns = (N_("watch"), N_("source"), N_("new"), N_("updated"), N_("duplicate"), N_("refused"), N_("problem"))
        table(columns, [[row[column] if row[column] is not None else "" for column in columns] for row in rows])
    if any(outcome.problem for outcome in outcomes):
        raise typer.Exit(4)


def enrich(as_json: bool = AS_JSON) -> None:
    """Tag what waits; exit 5 if a text could not be read by the taggers."""
    from api.assembly import opened_means, ready_store
    from config.settings import read_settings
    from escucha.filter import MentionFilter
    from pipeline.enrich import enrich_pending
    from pipeline.schedule import now
    from store.metrics import count

    settings = read_settings()
    store = ready_store(settings)
    with store.read() as session:
        waiting = count(session, MentionFilter(state="pending"))
    with opened_means(settings, store) as means, progress("Understanding mentions", waiting) as advance:
        result = enrich_pending(means, now, advance)
    if as_json:
        show_json({"done": result.done, "failed": result.failed})
    else:
        say("Understood {done} mentions; {failed} tries failed.", done=result.done, failed=result.failed)
    if result.failed:
        raise typer.Exit(5)


def delete(
    numbers: list[int] = typer.Argument(help=help_text("Numbers of mentions, as their addresses show them.")),
) -> None:
    """Delete mentions for every brand that heard them, with all that was understood of them."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from pipeline.schedule import now
    from store import audit, mentions, tombstones
    from store.sweep import sweep

    store = ready_store(read_settings())
    with store.write() as session:
        found = [mentions.get(session, number).mention for number in numbers]
        gone = tombstones.bury(session, [(mention.source, mention.source_id) for mention in found], now())
        audit.write(session, "delete", now(), counts={"mentions": gone})
    sweep(store)
    say("{n} mentions are deleted, and do not come back.", n=gone)


def _preview(file: Path, keys: dict[str, str]) -> None:
    from collectors.file import preview

    seen = preview(file, keys)
    table((N_("field"), N_("column")), sorted(seen.mapping.items()))
    for note in seen.notes:
        details: dict[str, Any] = dict(note.details)
        say(note.message, **details)
    table((N_("date"), N_("author"), N_("rating"), N_("text")), [_seen(row) for row in seen.rows])


def _seen(row: Mention | Refusal) -> tuple[object, ...]:
    if isinstance(row, Refusal):
        return "✗", row.where, "", _why(row)
    author = row.author.handle if row.author else "—"
    return row.created_at.strftime("%Y-%m-%d %H:%M"), author, row.rating or "—", row.text[:120]


def _report(report: Report, as_json: bool) -> None:
    if as_json:
        show_json({
            "read": report.read, "new": report.saved.new, "updated": report.saved.updated,
            "duplicate": report.saved.duplicate, "refused": len(report.refusals),
            "refusals": [{"where": r.where, "why": _why(r)} for r in report.refusals],
        })
        return
    say("Read {read} rows: {new} new, {updated} updated, {duplicate} already there, {refused} refused.",
        read=report.read, new=report.saved.new, updated=report.saved.updated, duplicate=report.saved.duplicate,
        refused=len(report.refusals))
    if report.refusals:
        table((N_("where"), N_("why it was refused")), [(r.where, _why(r)) for r in report.refusals[:SHOWN]])
        if len(report.refusals) > SHOWN:
            say("…and {n} more; --json lists them all.", n=len(report.refusals) - SHOWN)


def _why(refusal: Refusal) -> str:
    return reader().say(refusal.why.message, **refusal.why.details)
