"""Commands about a brand's own heads: train heads, heads list, accept, reject, rollback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from api.console import help_text, reader, say, show_json, table
from api.i18n import N_

if TYPE_CHECKING:
    from datetime import datetime

    from escucha.brand import Brand
    from store.engine import Store
    from store.heads import StoredHead

group = typer.Typer(help=help_text("What the model learned from a brand's corrections."), no_args_is_help=True)
BRAND = typer.Option(..., "--brand", help=help_text("The brand's short name."))
AS_JSON = typer.Option(False, "--json", help=help_text("Print JSON."))
NUMBER = typer.Argument(help=help_text("The head's number, from `escucha heads list`."))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("list", help=help_text("List a brand's heads, newest first."))(listed)
    group.command("accept", help=help_text("Put an offered head to use; the mentions are labelled again."))(accept)
    group.command("reject", help=help_text("Leave an offered head out of use."))(reject)
    group.command("rollback", help=help_text("Go back to the head before."))(rollback)
    app.add_typer(group, name="heads")


def train(
    brand: str = BRAND,
    kind: str = typer.Option("", help=help_text("sentiment, stage, pain or touchpoint; all of them if not given.")),
    accepted: bool = typer.Option(False, "--accept", help=help_text("Put what was learned to use at once.")),
    as_json: bool = AS_JSON,
) -> None:
    """Learn from a brand's corrections and own labels."""
    from pipeline import learning

    store, found, now = opened(brand)
    made = [learning.train(store, found, kind, now)] if kind else _all(store, found, now)
    for head in made:
        if accepted:
            with store.write() as session:
                learning.accept(session, found, head.id, now)
    if as_json:
        show_json([_as_dict(head) for head in made])
        return
    for head in made:
        tell(head)
    if made and accepted:
        say("In use now. The mentions are being labelled again; `escucha jobs list` shows how far it is.")
    elif made:
        say("Nothing has changed yet. Accept with `escucha heads accept NUMBER --brand {brand}`.", brand=brand)


def listed(brand: str = BRAND, as_json: bool = AS_JSON) -> None:
    """List a brand's heads."""
    from store import heads

    store, found, _ = opened(brand)
    with store.read() as session:
        known = heads.all_heads(session, found.id or 0)
    if as_json:
        show_json([_as_dict(head) for head in known])
    elif not known:
        say("The embedded model reads everything. Train with `escucha train heads --brand {brand}`.", brand=brand)
    else:
        columns = (N_("number"), N_("kind"), N_("state"), N_("corrections"), N_("macro-F1 on them"),
                   N_("macro-F1 elsewhere"))
        table(columns, [(head.id, head.kind, reader().say(STATES[head.state]), head.report.get("corrections", 0),
                         _change(head.report.get("held_back", {})), _change(head.report.get("elsewhere", {})))
                        for head in known])


def accept(number: int = NUMBER, brand: str = BRAND) -> None:
    """Put an offered head to use."""
    from pipeline import learning

    store, found, now = opened(brand)
    with store.write() as session:
        _, job = learning.accept(session, found, number, now)
    say("Head {id} is in use. The mentions are labelled again by job {job}.", id=number, job=job)


def reject(number: int = NUMBER, brand: str = BRAND) -> None:
    """Leave an offered head out of use."""
    from pipeline import learning

    store, found, now = opened(brand)
    with store.write() as session:
        learning.reject(session, found, number, now)
    say("Head {id} stays out of use.", id=number)


def rollback(
    brand: str = BRAND, kind: str = typer.Option(..., help=help_text("sentiment, stage, pain or touchpoint."))
) -> None:
    """Go back to the head before."""
    from pipeline import learning

    store, found, now = opened(brand)
    with store.write() as session:
        former, job = learning.roll_back(session, found, kind, now)
    if former is None:
        say("The embedded model reads {kind} again. The mentions are labelled again by job {job}.", kind=kind, job=job)
    else:
        say("Head {id} reads {kind} again. The mentions are labelled again by job {job}.", id=former.id, kind=kind,
            job=job)


STATES: Mapping[str, str] = {
    "offered": N_("waits for you"), "active": N_("in use"), "retired": N_("replaced"), "withdrawn": N_("undone"),
    "rejected": N_("rejected"), "superseded": N_("a newer one was offered"),
}


def _all(store: Store, brand: Brand, now: datetime) -> list[StoredHead]:
    """A head of each kind that has enough to learn from; what the others lack is said."""
    from escucha.errors import Invalid
    from pipeline import learning

    with store.read() as session:
        ready = learning.readiness(session, brand.id or 0)
    made = []
    for one in ready:
        try:
            made.append(learning.train(store, brand, one.kind, now))
        except Invalid as problem:
            say(problem.message, stderr=True, **problem.details)
    if not made:
        raise typer.Exit(1)
    return made


def tell(head: StoredHead) -> None:
    """Say how good a head is."""
    report: Mapping[str, Any] = head.report
    say("Head {id} reads {kind}. It learned from {learned} corrections in {seconds} s.", id=head.id, kind=head.kind,
        learned=report["learned"], seconds=reader().number(report["seconds"], 1))
    say("  On {n} corrections held back: macro-F1 {change}.", n=report["held_back"]["n"],
        change=_change(report["held_back"]))
    say("  On {n} texts of elsewhere: macro-F1 {change}.", n=report["elsewhere"]["n"],
        change=_change(report["elsewhere"]))
    for key, own in report["own"].items():
        say("  {key}: {found} of its {examples} examples are found without having learned from them.", key=key, **own)


def _change(scores: Mapping[str, Any]) -> str:
    if not scores.get("n"):
        return "—"
    before, after = (reader().number(scores[side]["macro_f1"], 3) for side in ("before", "after"))
    return f"{before} → {after} (n={scores['n']})"


def _as_dict(head: StoredHead) -> dict[str, Any]:
    return {name: value for name, value in asdict(head).items() if name != "weights"}


def opened(slug: str) -> tuple[Store, Brand, datetime]:
    """The store, the brand of that short name, and the time."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from pipeline.schedule import now
    from store import brands

    store = ready_store(read_settings())
    with store.read() as session:
        return store, brands.get(session, slug), now()
