"""The command that writes mentions into a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from api.console import help_text, progress, say

if TYPE_CHECKING:
    from api.exports.wish import Wish
    from api.selection import Filters

DAY = "2026-10-31"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(help=help_text("Write mentions to a CSV, JSONL, XLSX or Parquet file."))(export)


def export(
    out: Path = typer.Option(..., "--out", help=help_text("The file; one of that name is replaced.")),
    brand: str = typer.Option("", help=help_text("The brand's short name; without it, every brand.")),
    format: str = typer.Option("", help=help_text("csv, jsonl, xlsx or parquet; without it, as the file is called.")),
    first: str = typer.Option("", "--from", metavar=DAY, help=help_text("First day, as the brand's local day.")),
    last: str = typer.Option("", "--to", metavar=DAY, help=help_text("Last day, included.")),
    source: list[str] = typer.Option([], help=help_text("A source, any of them (repeatable).")),
    lang: list[str] = typer.Option([], help=help_text("A detected language (repeatable).")),
    stage: list[str] = typer.Option([], help=help_text("A journey stage's key (repeatable).")),
    sentiment: list[str] = typer.Option([], help=help_text("positive, neutral or negative (repeatable).")),
    pain: list[str] = typer.Option([], help=help_text("A pain point's key (repeatable).")),
    touchpoint: list[str] = typer.Option([], help=help_text("A touchpoint's key (repeatable).")),
    query: str = typer.Option("", "--query", "-q", help=help_text("What to search for, as on the mentions page.")),
    once: bool = typer.Option(False, "--once", help=help_text("Write no copies of an earlier mention.")),
    raw: bool = typer.Option(False, "--raw", help=help_text("JSONL: with the sources' own answers.")),
    excel: bool = typer.Option(False, "--excel", help=help_text("CSV: with the mark by which Excel knows UTF-8.")),
    semicolon: bool = typer.Option(False, "--semicolon", help=help_text("CSV: semicolons between the columns.")),
) -> None:
    """Write the mentions that the options mean, newest first."""
    from api.exports.wish import Wish, format_of

    wish = Wish(
        format=format_of(out, format or None), raw=raw, excel=excel, separator="semicolon" if semicolon else "comma"
    )
    chosen = {"from": first, "to": last, "brand": brand, "source": source, "lang": lang, "stage": stage,
              "sentiment": sentiment, "pain": pain, "touchpoint": touchpoint, "q": query,
              "copies": "once" if once else ""}
    n = _write(_filters({name: value for name, value in chosen.items() if value}), wish, out)
    say("{n:,} mentions are in {file}.", n=n, file=out)


def _filters(chosen: dict[str, Any]) -> Filters:
    from pydantic import ValidationError

    from api.selection import Filters

    try:
        return Filters.model_validate(chosen)
    except ValidationError as error:
        from api.errors import invalid

        raise invalid(dict(error.errors()[0])) from None


def _write(asked: Filters, wish: Wish, out: Path) -> int:
    from api.asked import meant
    from api.assembly import ready_store
    from api.exports.files import save, stream
    from api.exports.wish import check_size
    from config.catalogue import read_catalogue
    from config.settings import read_settings
    from store import metrics

    store = ready_store(read_settings())
    with store.read() as session:
        filter = meant(session, asked, read_catalogue())
        n = metrics.count(session, filter)
    check_size(n, wish.format)
    written = 0
    with progress("Exporting", n) as advance:

        def told(more: int) -> None:
            nonlocal written
            written += more
            advance(more)

        save(out, stream(store, filter, wish, told))
    return written
