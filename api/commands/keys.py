"""Commands about the keys of sources: enter one, see which are entered, forget one. Values are never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from api.console import help_text, reader, say, table
from api.i18n import N_

if TYPE_CHECKING:
    from escucha.source import SourceFacts

group = typer.Typer(help=help_text("The keys of sources, encrypted; never shown again."), no_args_is_help=True)
SOURCE = typer.Argument(help=help_text("The source: rss, mastodon, reddit, file…"))
BRAND = typer.Option("", "--brand", help=help_text("Only for this brand; for every brand if not given."))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("set", help=help_text("Enter the keys of a source."))(put)
    group.command("list", help=help_text("List which keys are entered."))(listed)
    group.command("remove", help=help_text("Forget the keys of a source."))(remove)
    app.command("secret-key", help=help_text("Print a fresh secret key for the setting secret_key."))(secret_key)
    app.add_typer(group, name="keys")


def put(source: str = SOURCE, brand: str = BRAND) -> None:
    """Ask for each key of the source, without showing what is typed; an empty answer leaves it as it is."""
    import collectors
    from api.assembly import open_vault, ready_store
    from config.settings import read_settings
    from pipeline.schedule import now
    from store import brands, credentials

    given = _asked(collectors.facts(source))
    settings = read_settings()
    with ready_store(settings).write() as session:
        brand_id = brands.get(session, brand).id if brand else None
        credentials.put(session, open_vault(settings), source, brand_id, given, now())
    say("{n} keys of {source} are kept, encrypted.", n=len(given), source=source)


def listed() -> None:
    """List the keys that are entered, without their values."""
    import collectors
    from api.assembly import ready_store, source_keys
    from config.settings import read_settings
    from store import brands, credentials

    settings = read_settings()
    rows: list[tuple[object, ...]] = [
        (source, name, "—", reader().say("in the settings"))
        for source, keys in source_keys(settings).items() for name in keys
    ]
    with ready_store(settings).read() as session:
        owners = [(None, "—"), *((brand.id, brand.slug) for brand in brands.all_brands(session))]
        for source in collectors.source_names():
            for brand_id, slug in owners:
                found = credentials.entered(session, source, brand_id)
                rows += [(source, name, slug, at.strftime("%Y-%m-%d %H:%M")) for name, at in sorted(found.items())]
    table((N_("source"), N_("key"), N_("brand"), N_("entered")), rows)


def remove(source: str = SOURCE, brand: str = BRAND) -> None:
    """Forget a source's keys."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from store import brands, credentials

    with ready_store(read_settings()).write() as session:
        brand_id = brands.get(session, brand).id if brand else None
        n = credentials.remove(session, source, brand_id)
    say("{n} keys of {source} are forgotten.", n=n, source=source)


def secret_key() -> None:
    """Print a key."""
    from store.vault import new_key

    print(new_key())


def _asked(facts: SourceFacts) -> dict[str, str]:
    from escucha.errors import Invalid
    from pipeline.spending import fields

    if not fields(facts):
        raise Invalid("{source} needs no key.", source=facts.title or facts.name)
    given = {
        key.name: typer.prompt(f"{key.name} ({reader().say(key.about.message, **key.about.details)})", default="",
                               hide_input=key.secret, show_default=False)
        for key in fields(facts)
    }
    return {name: value.strip() for name, value in given.items() if value.strip()}
