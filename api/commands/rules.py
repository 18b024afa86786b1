"""Commands about a brand's rules: rules list, try, add, switch, remove."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from api.commands.heads import AS_JSON, BRAND, opened
from api.console import help_text, say, show_json, table
from api.i18n import N_

if TYPE_CHECKING:
    from escucha.brand import Brand
    from escucha.rule import Rule

group = typer.Typer(help=help_text("A brand's rules: words that mean a certain label for it."), no_args_is_help=True)
WORDS = typer.Option(..., "--words", help=help_text("A word or phrase to look for (repeatable)."))
LABEL = typer.Option(..., "--set", help=help_text("The label to set, as KIND=LABEL: sentiment=neutral."))
ONLY = typer.Option("", "--only", help=help_text("Only where the model's label is this one: negative."))
NUMBER = typer.Argument(help=help_text("The rule's number, from `escucha rules list`."))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("list", help=help_text("List a brand's rules in the order in which they are tried."))(listed)
    group.command("try", help=help_text("Show what a rule would change; nothing is saved."))(tried)
    group.command("add", help=help_text("Add a rule, for what is stored too."))(add)
    group.command("switch", help=help_text("Switch a rule on or off."))(switch)
    group.command("remove", help=help_text("Remove a rule; what it set is as it was before."))(remove)
    app.add_typer(group, name="rules")


def listed(brand: str = BRAND, as_json: bool = AS_JSON) -> None:
    """List a brand's rules."""
    from store import rules

    store, found, _ = opened(brand)
    with store.read() as session:
        present = rules.of_brands(session, [found.id or 0])[found.id or 0]
    if as_json:
        show_json([asdict(rule) for rule in present])
    elif not present:
        say("This brand has no rule yet. Add one with `escucha rules add`.")
    else:
        table((N_("number"), N_("name"), N_("words"), N_("sets"), N_("only"), N_("on")),
              [(rule.id, rule.name, ", ".join(rule.words), f"{rule.kind}={rule.label}", rule.only or "",
                "✓" if rule.active else "") for rule in present])


def tried(
    brand: str = BRAND, words: list[str] = WORDS, label: str = LABEL, only: str = ONLY, as_json: bool = AS_JSON
) -> None:
    """Show what a rule would change."""
    from config.catalogue import read_catalogue
    from pipeline.correct import try_rule

    store, found, _ = opened(brand)
    with store.read() as session:
        trial = try_rule(session, read_catalogue(), found, _rule(found, words, label, only))
    if as_json:
        show_json(asdict(trial))
        return
    say("{changed} of {looked_at} mentions would get another label; {matched} have these words. Nothing was saved.",
        changed=trial.changed, looked_at=trial.looked_at, matched=trial.matched)
    if trial.changed:
        keys = sorted({*trial.before, *trial.after})
        table((N_("label"), N_("before"), N_("after")),
              [(key, trial.before.get(key, 0), trial.after.get(key, 0)) for key in keys])
        table((N_("mention"), N_("text"), N_("before"), N_("after")),
              [(one.id, one.text[:80], one.old or "", one.new) for one in trial.examples])


def add(
    brand: str = BRAND, words: list[str] = WORDS, label: str = LABEL, only: str = ONLY,
    name: str = typer.Option("", "--name", help=help_text("What to call it; its words if not given.")),
    as_json: bool = AS_JSON,
) -> None:
    """Add a rule."""
    from config.catalogue import read_catalogue
    from pipeline.correct import add_rule

    store, found, now = opened(brand)
    rule, changed = add_rule(store, read_catalogue(), _rule(found, words, label, only, name), now)
    if as_json:
        show_json({"rule": asdict(rule), "changed": changed})
    else:
        say("Added rule {id}, “{name}”. {changed} stored mentions have another label now.", id=rule.id, name=rule.name,
            changed=changed)


def switch(
    number: int = NUMBER, brand: str = BRAND,
    on: bool = typer.Option(..., "--on/--off", help=help_text("In force or not.")),
) -> None:
    """Switch a rule on or off."""
    from pipeline.correct import switch_rule

    store, found, _ = opened(brand)
    _, changed = switch_rule(store, found, number, active=on)
    say("Done. {changed} stored mentions have another label now.", changed=changed)


def remove(number: int = NUMBER, brand: str = BRAND) -> None:
    """Remove a rule."""
    from pipeline.correct import remove_rule

    store, found, _ = opened(brand)
    changed = remove_rule(store, found, number)
    say("Done. {changed} stored mentions have another label now.", changed=changed)


def _rule(brand: Brand, words: list[str], label: str, only: str, name: str = "") -> Rule:
    from escucha.errors import Invalid
    from escucha.rule import KINDS, Rule

    given, _, key = label.partition("=")
    kind = next((known for known in KINDS if known == given), None)
    if kind is None or not key:
        raise Invalid("“{given}” names no label. Write KIND=LABEL, as in sentiment=neutral; kinds: {known}.",
                      given=label, known=", ".join(KINDS))
    return Rule(brand_id=brand.id, words=tuple(words), kind=kind, label=key, only=only or None, name=name)
