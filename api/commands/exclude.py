"""Commands about what a brand does not want: exclude list, preview, add, remove."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from api.commands.heads import AS_JSON, BRAND, opened
from api.console import help_text, progress, say, show_json, table
from api.i18n import N_

if TYPE_CHECKING:
    from escucha.brand import Brand
    from escucha.exclusion import Exclusion
    from pipeline.exclude import Trial

group = typer.Typer(help=help_text("What a brand does not want: hidden, or not even collected."), no_args_is_help=True)
QUERY = typer.Option("", "--query", help=help_text("What this query means (docs/query-language.md)."))
AUTHOR = typer.Option("", "--author", help=help_text("What this author says: @ana, or mastodon:@ana@social.example."))
SITE = typer.Option("", "--site", help=help_text("What is on this site or below it: example.com, example.com/blog."))
NUMBER = typer.Argument(help=help_text("The exclusion's number, from `escucha exclude list`."))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("list", help=help_text("List a brand's exclusions with how much each hides."))(listed)
    group.command("preview", help=help_text("Show what an exclusion would hide; nothing is saved."))(preview)
    group.command("add", help=help_text("Add an exclusion, for what is stored too."))(add)
    group.command("remove", help=help_text("Remove an exclusion; what it hid is shown again."))(remove)
    app.add_typer(group, name="exclude")


def listed(brand: str = BRAND, as_json: bool = AS_JSON) -> None:
    """List a brand's exclusions."""
    from escucha.exclusion import PERSON
    from store import exclusions

    store, found, _ = opened(brand)
    with store.read() as session:
        present, counts = exclusions.of_brand(session, found.id), exclusions.counts(session, found.id)
    if as_json:
        show_json([{**asdict(one), "hidden": counts.get(one.mark, 0)} for one in present])
        return
    if present:
        table((N_("number"), N_("kind"), N_("what is meant"), N_("hidden"), N_("not collected"), N_("being applied")),
              [(one.id, one.kind, one.value, counts.get(one.mark, 0), "✓" if one.refuse else "",
                "✓" if one.waits else "") for one in present])
    else:
        say("This brand has no exclusion yet. Add one with `escucha exclude add`.")
    if n := counts.get(PERSON):
        say("{n} mentions were hidden by hand.", n=n)


def preview(
    brand: str = BRAND, query: str = QUERY, author: str = AUTHOR, site: str = SITE, as_json: bool = AS_JSON
) -> None:
    """Show what an exclusion would hide."""
    from pipeline.exclude import try_out

    store, found, _ = opened(brand)
    trial = try_out(store, found, _asked(found, query, author, site))
    if as_json:
        show_json({**asdict(trial), "whole": trial.whole, "foreseen": trial.foreseen, "wide": trial.wide})
        return
    _told(trial)
    say("Nothing was saved.")
    if trial.examples:
        table((N_("mention"), N_("text")), [(one.id, one.mention.text[:80]) for one in trial.examples])


def add(
    brand: str = BRAND, query: str = QUERY, author: str = AUTHOR, site: str = SITE,
    refuse: bool = typer.Option(False, "--refuse", help=help_text("Do not even collect it from now on.")),
    as_json: bool = AS_JSON,
) -> None:
    """Add an exclusion."""
    from pipeline import exclude

    store, found, now = opened(brand)
    asked = _asked(found, query, author, site, refuse=refuse)
    trial = exclude.try_out(store, found, asked)
    with progress("Hiding", trial.foreseen) as advance:
        added, hidden = exclude.add(store, asked, now, None, advance)
    if as_json:
        show_json({**asdict(added), "hidden": hidden})
        return
    say("Exclusion {id} is saved. {n} mentions are hidden by it now.", id=added.id, n=hidden)
    if trial.wide:
        say("That is half of what was shown, or more. To take it back: `escucha exclude remove {id} --brand {brand}`.",
            id=added.id, brand=found.slug)


def remove(number: int = NUMBER, brand: str = BRAND) -> None:
    """Remove an exclusion."""
    from pipeline import exclude
    from store import exclusions

    store, found, _ = opened(brand)
    with store.read() as session:
        hidden = exclusions.counts(session, found.id).get(exclusions.get(session, number, found.id).mark, 0)
    with progress("Showing", hidden) as advance:
        shown = exclude.remove(store, found, number, None, advance)
    say("Exclusion {id} is removed. {n} mentions are shown again.", id=number, n=shown)


def _told(trial: Trial) -> None:
    from api.console import reader

    share = reader().percent(trial.share.share)
    if trial.whole:
        say("It would hide {count} of the {stored} mentions that are shown: {share}.", count=trial.share.count,
            stored=trial.stored, share=share)
    else:
        say("It would hide about {foreseen} of the {stored} mentions that are shown: {share} of the newest {n} "
            "(95 %: {low} – {high}).", foreseen=trial.foreseen, stored=trial.stored, share=share, n=trial.share.n,
            low=reader().percent(trial.share.low), high=reader().percent(trial.share.high))
    if trial.wide:
        say("That is half of what is shown, or more. Is it too wide?")


def _asked(brand: Brand, query: str, author: str, site: str, *, refuse: bool = False) -> Exclusion:
    from escucha.errors import Invalid
    from escucha.exclusion import by_kind

    given = [(kind, value) for kind, value in (("query", query), ("author", author), ("site", site)) if value]
    if len(given) != 1:
        raise Invalid("Say what is not wanted with one of --query, --author and --site.")
    (kind, value), = given
    return by_kind(kind, value, refuse=refuse, brand_id=brand.id)
