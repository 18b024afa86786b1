"""Commands about how long mentions are kept: retention list, preview, set, remove, run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from api.console import help_text, reader, say, show_json, table
from api.i18n import N_

if TYPE_CHECKING:
    from escucha.keeping import Overdue, Retention
    from store.engine import Store

group = typer.Typer(help=help_text("How long mentions and raw answers are kept."), no_args_is_help=True)
AS_JSON = typer.Option(False, "--json", help=help_text("Print JSON."))
SOURCE = typer.Option("", "--source", help=help_text("Only what this source brings."))
BRAND = typer.Option("", "--brand", help=help_text("Only what is said about this brand (its short name)."))
DAYS = typer.Option(None, "--days", help=help_text("Days for which mentions are kept; for ever if not given."))
RAW = typer.Option(None, "--raw-days", help=help_text("Days for which the sources' raw answers are kept."))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("list", help=help_text("List the rules, and what the coming night removes."))(listed)
    group.command("preview", help=help_text("Show what a rule would remove; nothing is saved."))(preview)
    group.command("set", help=help_text("Save a rule; it is carried out every night."))(put)
    group.command("remove", help=help_text("Remove a rule; what it let go of does not come back by itself."))(remove)
    group.command("run", help=help_text("Do now what is done every night."))(run)
    app.add_typer(group, name="retention")


def listed(as_json: bool = AS_JSON) -> None:
    """List the rules."""
    from store import brands, retention

    store = _store()
    with store.read() as session:
        rules = retention.policy(session).rules
        slugs = {brand.id: brand.slug for brand in brands.all_brands(session)}
    if as_json:
        show_json([{**asdict(rule), "brand": slugs.get(rule.brand_id)} for rule in rules])
        return
    if not rules:
        say("Everything is kept for ever. Add a rule with `escucha retention set --days 365`.")
        return
    table((N_("number"), N_("source"), N_("brand"), N_("days"), N_("days of raw answers")),
          [(rule.id, rule.source or reader().say("all"), slugs.get(rule.brand_id) or reader().say("all"),
            rule.days or "∞", rule.raw_limit or "∞") for rule in rules])
    _foreseen(_overdue(store, None))


def preview(
    source: str = SOURCE, brand: str = BRAND, days: int | None = DAYS, raw_days: int | None = RAW,
    as_json: bool = AS_JSON,
) -> None:
    """Show what the coming night would remove with this rule."""
    store = _store()
    overdue = _overdue(store, _rule(store, source, brand, days, raw_days))
    if as_json:
        show_json(asdict(overdue))
    else:
        _foreseen(overdue)


def put(source: str = SOURCE, brand: str = BRAND, days: int | None = DAYS, raw_days: int | None = RAW) -> None:
    """Save a rule."""
    from store import retention

    store = _store()
    rule = _rule(store, source, brand, days, raw_days)
    overdue = _overdue(store, rule)
    with store.write() as session:
        saved = retention.put(session, rule)
    say("Rule {id} is saved.", id=saved.id)
    _foreseen(overdue)


def remove(number: int = typer.Argument(help=help_text("The rule's number, from `escucha retention list`."))) -> None:
    """Remove a rule."""
    from store import retention

    with _store().write() as session:
        retention.remove(session, number)
    say("Rule {id} is removed.", id=number)


def run(as_json: bool = AS_JSON) -> None:
    """Do the night's work now."""
    from pipeline.night import tidy
    from pipeline.schedule import now

    night = tidy(_store(), now())
    if night is None:
        return
    if as_json:
        show_json(asdict(night))
    else:
        say("Removed {mentions} mentions and {raws} raw answers.", mentions=night.removed.mentions,
            raws=night.removed.raws)


def _store() -> Store:
    from api.assembly import ready_store
    from config.settings import read_settings

    return ready_store(read_settings())


def _rule(store: Store, source: str, brand: str, days: int | None, raw_days: int | None) -> Retention:
    from escucha.keeping import Retention, checked
    from store import brands

    with store.read() as session:
        of = brands.get(session, brand).id if brand else None
    return checked(Retention(source=source or None, brand_id=of, days=days, raw_days=raw_days))


def _overdue(store: Store, rule: Retention | None) -> Overdue:
    from pipeline.night import foreseen
    from pipeline.schedule import now

    with store.read() as session:
        return foreseen(session, now(), rule)


def _foreseen(overdue: Overdue) -> None:
    say("The coming night removes {mentions} mentions, and {raws} raw answers of mentions that stay.",
        mentions=overdue.mentions, raws=overdue.raws)
