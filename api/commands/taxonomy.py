"""Commands about a brand's own taxonomy: taxonomy list, add, rename, remove."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from api.commands.heads import AS_JSON, BRAND, opened, tell
from api.console import help_text, reader, say, show_json, table
from api.i18n import N_

group = typer.Typer(help=help_text("A brand's own stages, pain points and touchpoints."), no_args_is_help=True)
KIND = typer.Argument(help=help_text("stage, pain or touchpoint."))
KEY = typer.Argument(help=help_text("The label's key, from `escucha taxonomy list`."))
NAME = typer.Option("", "--name", help=help_text("Its name in Spanish."))
NAME_EN = typer.Option("", "--name-en", help=help_text("Its name in English."))
ABOUT = typer.Option("", "--about", help=help_text("A sentence about what belongs there, in Spanish."))
ABOUT_EN = typer.Option("", "--about-en", help=help_text("The same sentence in English."))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("list", help=help_text("List a brand's stages, pain points and touchpoints."))(listed)
    group.command("add", help=help_text("Add one of the brand's own, from example texts."))(add)
    group.command("rename", help=help_text("Give one other words; its key stays."))(rename)
    group.command("remove", help=help_text("Retire an own one, or take own words back."))(remove)
    app.add_typer(group, name="taxonomy")


def listed(brand: str = BRAND, as_json: bool = AS_JSON) -> None:
    """List a brand's labels, as it calls them."""
    from config.catalogue import read_catalogue
    from escucha.taxonomy import listed as labels
    from store import taxonomy

    store, found, _ = opened(brand)
    with store.read() as session:
        own = taxonomy.of_brand(session, found.id or 0)
        rows = labels(taxonomy.catalogue(session, found.id, read_catalogue()), own)
    if as_json:
        show_json([asdict(row) for row in rows])
        return
    lang = reader().lang
    table((N_("kind"), N_("key"), N_("name"), N_("own"), N_("examples")),
          [(row.kind, row.key, row.label.get(lang) or next(iter(row.label.values()), ""), "✓" if row.own else "",
            row.examples or "") for row in rows])


def add(
    kind: str = KIND, brand: str = BRAND, name: str = NAME, name_en: str = NAME_EN, about: str = ABOUT,
    about_en: str = ABOUT_EN,
    examples: Path = typer.Option(..., help=help_text("A text file with 8 to 64 examples, one a line.")),
) -> None:
    """Add a label, and offer a head that knows it."""
    from config.catalogue import read_catalogue
    from pipeline.learning import add_label

    store, found, now = opened(brand)
    label, meaning = {"es": name, "en": name_en}, {"es": about, "en": about_en}
    own, head = add_label(store, found, read_catalogue(), kind, label, meaning, _lines(examples), now)
    say("Added {name}. Its key is {key}.", name=next(iter(own.label.values())), key=own.key)
    tell(head)
    say("Nothing has changed yet. Accept with `escucha heads accept {id} --brand {brand}`.", id=head.id, brand=brand)


def rename(
    kind: str = KIND, key: str = KEY, brand: str = BRAND, name: str = NAME, name_en: str = NAME_EN, about: str = ABOUT,
    about_en: str = ABOUT_EN,
) -> None:
    """Give a label other words."""
    from config.catalogue import read_catalogue
    from pipeline.learning import rename_label

    store, found, now = opened(brand)
    with store.write() as session:
        own = rename_label(session, found, read_catalogue(), kind, key, {"es": name, "en": name_en},
                           {"es": about, "en": about_en}, now)
    say("{key} is called {name} now.", key=key, name=next(iter(own.label.values())))


def remove(kind: str = KIND, key: str = KEY, brand: str = BRAND) -> None:
    """Retire an own label, or take own words back."""
    from pipeline.learning import remove_label

    store, found, now = opened(brand)
    with store.write() as session:
        removed, corrections = remove_label(session, found, kind, key, now)
    if removed.added:
        say("{key} is retired, with {n} corrections that gave it. The mentions are being labelled again.", key=key,
            n=corrections)
    else:
        say("{key} has its former words again.", key=key)


def _lines(path: Path) -> list[str]:
    from escucha.errors import Invalid, NotFound

    try:
        return path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        raise NotFound("The file {path} does not exist. Check the name.", path=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid("The file {path} cannot be read: {reason}.", path=str(path), reason=str(error)) from None
