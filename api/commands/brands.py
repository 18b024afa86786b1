"""Commands about brands: brand add, brand list."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from api.console import help_text, say, show_json, table
from api.i18n import N_

if TYPE_CHECKING:
    from escucha.brand import Brand

group = typer.Typer(help=help_text("The brands we listen for."), no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("add", help=help_text("Add a brand."))(add)
    group.command("list", help=help_text("List the brands."))(listed)
    app.add_typer(group, name="brand")


def add(
    name: str = typer.Argument(help=help_text("The brand's name.")),
    slug: str = typer.Option("", help=help_text("Short name for addresses; made from the name if not given.")),
    alias: list[str] = typer.Option([], help=help_text("Another name of it (repeatable).")),
    rival: list[str] = typer.Option([], help=help_text("Short name of a competitor (repeatable).")),
    language: list[str] = typer.Option(["es", "en", "pt"], help=help_text("Language of its customers (repeatable).")),
    timezone: str = typer.Option("America/Mexico_City", help=help_text("Time zone of its days.")),
) -> None:
    """Add a brand."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from store import brands

    brand = new_brand(name, slug, tuple(alias), tuple(rival), tuple(language), timezone)
    with ready_store(read_settings()).write() as session:
        brands.add(session, brand)
    say("Added {name}. Its short name is {slug}.", name=brand.name, slug=brand.slug)


def listed(as_json: bool = typer.Option(False, "--json", help=help_text("Print JSON."))) -> None:
    """List the brands."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from store import brands

    with ready_store(read_settings()).read() as session:
        found = brands.all_brands(session)
    if as_json:
        show_json([asdict(brand) for brand in found])
    elif not found:
        say("There is no brand yet. Add one with `escucha brand add NAME`.")
    else:
        table(
            (N_("short name"), N_("name"), N_("aliases"), N_("rivals"), N_("time zone"), N_("sample")),
            [(b.slug, b.name, ", ".join(b.aliases), ", ".join(b.rivals), b.timezone, "✓" if b.sample else "")
             for b in found],
        )


def new_brand(
    name: str, slug: str, aliases: tuple[str, ...], rivals: tuple[str, ...], languages: tuple[str, ...], timezone: str
) -> Brand:
    """A brand from what a person typed. Raises Invalid for an empty name or an unknown time zone."""
    from zoneinfo import ZoneInfo

    from escucha.brand import Brand
    from escucha.errors import Invalid

    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        raise Invalid("There is no time zone {timezone}. Write it like America/Bogota.", timezone=timezone) from None
    short = slug or slugged(name)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,99}", short):
        raise Invalid("The short name {slug} may have letters a-z, digits and hyphens only.", slug=short or "—")
    return Brand(slug=short, name=name.strip(), aliases=aliases, rivals=rivals, languages=languages, timezone=timezone)


def slugged(name: str) -> str:
    """A short name for addresses: "Cafés Lumbre" becomes cafes-lumbre."""
    from escucha.text import fold

    return re.sub(r"[^a-z0-9]+", "-", fold(name).replace("ñ", "n")).strip("-")
