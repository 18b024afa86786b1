"""Commands about sources: which there are, what they need, what they cannot see."""

from __future__ import annotations

import typer

from api.console import help_text, reader, say, show_json, table
from api.i18n import N_

group = typer.Typer(help=help_text("Where mentions can come from, and what each source needs."), no_args_is_help=True)
ACCESS = {"open": N_("open to all"), "own key": N_("with a key of your own"), "approval": N_("after approval"),
          "paid": N_("paid")}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("list", help=help_text("List the sources."))(listed)
    group.command("show", help=help_text("What a source needs, may keep and cannot see."))(show)
    group.command("accept", help=help_text("Accept the terms of a source that is off, and switch it on."))(accept)
    app.add_typer(group, name="sources")


def listed(as_json: bool = typer.Option(False, "--json", help=help_text("Print JSON."))) -> None:
    """List the sources."""
    import collectors

    found = collectors.known()
    if as_json:
        show_json([
            {"name": one.name, "title": one.title, "access": one.access, "searches": one.searches, "pushed": one.pushed,
             "recheck_days": one.recheck_days, "can_store_days": one.can_store_days, "cost_per_item": one.cost_per_item,
             "followers_in_answer": one.followers_in_answer, "keys": [key.name for key in one.needs_credentials]}
            for one in found
        ])  # fmt: skip
    else:
        table((N_("source"), N_("name"), N_("access"), N_("query")), [
            (one.name, one.title, reader().say(ACCESS[one.access]), one.query_hint) for one in found
        ])


def show(source: str = typer.Argument(help=help_text("The source: rss, mastodon, reddit, file…"))) -> None:
    """Say what one source needs."""
    import collectors

    one = collectors.facts(source)
    told = (
        (N_("Query"), one.query_about), (N_("Needs"), one.needs), (N_("May be kept"), one.keeps),
        (N_("Cannot see"), one.blind), (N_("Reaches back"), one.reach), (N_("Terms"), one.terms),
    )
    rows = [(reader().say(name), reader().say(note.message, **note.details)) for name, note in told if note]
    rows += [(key.name, reader().say(key.about.message, **key.about.details)) for key in one.needs_credentials]
    table((one.title or one.name, reader().say(ACCESS[one.access])), rows)


def accept(source: str = typer.Argument(help=help_text("The source: rss, mastodon, reddit, file…"))) -> None:
    """Show the terms and switch the source on for every brand."""
    import collectors
    from api.assembly import open_vault, ready_store
    from config.settings import read_settings
    from escucha.errors import Invalid
    from pipeline.schedule import now
    from store import credentials

    terms = collectors.facts(source).terms
    if terms is None:
        raise Invalid("{source} is not off: there is nothing to accept.", source=source)
    typer.confirm(reader().say(terms.message, **terms.details), abort=True)
    settings = read_settings()
    with ready_store(settings).write() as session:
        credentials.put(session, open_vault(settings), source, None, {collectors.ACCEPTED: "yes"}, now())
    say("{source} is on.", source=source)
