"""Commands that read the past: backfill, backfills list, cancel and resume."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer

from api.console import help_text, progress, reader, say, show_json, table
from api.i18n import N_

if TYPE_CHECKING:
    from config.settings import Settings
    from escucha.brand import Backfill
    from store.engine import Store

group = typer.Typer(help=help_text("Readings of the past: list, cancel, go on."), no_args_is_help=True)
STATES = {"waiting": N_("waiting"), "running": N_("under way"), "done": N_("done"), "failed": N_("stopped"),
          "cancelled": N_("cancelled")}  # fmt: skip
COLUMNS = (N_("number"), N_("watch"), N_("since"), N_("reached"), N_("state"), N_("read"), N_("new"), N_("problem"))
NUMBER = typer.Argument(help=help_text("The backfill's number."))
AS_JSON = typer.Option(False, "--json", help=help_text("Print JSON."))
POLL = 0.5


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(help=help_text("Read the past of a brand's watches, beside the live ones."))(backfill)
    group.command("list", help=help_text("List the backfills, newest first."))(listed)
    group.command("cancel", help=help_text("Cancel a backfill; what it has read stays."))(cancel)
    group.command("resume", help=help_text("Go on with a backfill that stopped, where it was."))(resume)
    app.add_typer(group, name="backfills")


def backfill(
    brand: str = typer.Option(..., "--brand", help=help_text("The brand's short name.")),
    since: str = typer.Option(..., "--since", help=help_text("The first day to read: 2026-01-31.")),
    source: str = typer.Option("", "--source", help=help_text("Only the watches of this source.")),
    later: bool = typer.Option(False, "--later", help=help_text("Leave the work to the server.")),
    as_json: bool = AS_JSON,
) -> None:
    """Read back to a day; exit 4 if a source stopped it."""
    from api.assembly import ready_store
    from config.settings import read_settings

    settings = read_settings()
    store = ready_store(settings)
    asked = _ask(store, brand, since, source, quiet=as_json)
    if not later:
        _work_off(settings, store, asked)
    found = [_seen(store, number) for number in asked]
    if as_json:
        show_json([_plain(one) for one in found])
    elif later:
        say("{n} backfills wait. `escucha serve` works them off; `escucha backfills list` shows how far they are.",
            n=len(found))
    else:
        table(COLUMNS, [_cells(one) for one in found])
    if any(one.state == "failed" for one in found):
        raise typer.Exit(4)


def listed(as_json: bool = AS_JSON) -> None:
    """List the backfills."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from store import backfills

    with ready_store(read_settings()).read() as session:
        found = backfills.listed(session)
    if as_json:
        show_json([_plain(one) for one in found])
    elif not found:
        say("There is no backfill yet. `escucha backfill --brand BRAND --since DATE` makes one.")
    else:
        table(COLUMNS, [_cells(one) for one in found])


def cancel(number: int = NUMBER) -> None:
    """Cancel one."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from pipeline.schedule import now
    from store import backfills

    with ready_store(read_settings()).write() as session:
        backfills.cancel(session, number, now())
    say("Backfill {id} is cancelled; what it has read stays.", id=number)


def resume(number: int = NUMBER) -> None:
    """Go on with one."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from pipeline.schedule import now
    from store import backfills

    with ready_store(read_settings()).write() as session:
        backfills.resume(session, number, now())
    say("Backfill {id} goes on where it was.", id=number)


def day(text: str, zone: ZoneInfo) -> datetime:
    """The start of a day as it is written. Raises Invalid for anything else."""
    from escucha.errors import Invalid

    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError:
        raise Invalid("{date} is no day. Write it as 2026-01-31.", date=text) from None


def _ask(store: Store, brand: str, since: str, source: str, quiet: bool) -> list[int]:
    from escucha.errors import Invalid, NotFound
    from pipeline.backfill import plan
    from pipeline.schedule import now
    from store import backfills, brands, watches

    asked, problem = [], None
    with store.write() as session:
        found = brands.get(session, brand)
        wish = day(since, ZoneInfo(found.timezone))
        for watch in watches.of_brand(session, found.id or 0):
            if source and watch.source != source:
                continue
            try:
                planned = plan(watch, wish, now())
            except Invalid as error:
                problem = error
                continue
            if not quiet:
                _tell(planned.bounded, watch.id, watch.source, str(reader().say(planned.reach.message)))
            asked.append(backfills.ask(session, watch.id, planned.since, now()).id)
    if not asked:
        raise problem or NotFound("This brand has no such watch. `escucha watch list` shows them.")
    return asked


def _tell(bounded: bool, watch_id: int, source: str, reach: str) -> None:
    if bounded:
        say("Watch {id} ({source}) cannot go back as far as that: {reach}", id=watch_id, source=source, reach=reach)
    else:
        say("Watch {id} ({source}) reaches back: {reach}", id=watch_id, source=source, reach=reach)


def _work_off(settings: Settings, store: Store, numbers: list[int]) -> None:
    """Do the steps here; one that a running server has taken is followed."""
    from api.assembly import opened_means
    from pipeline.backfill import step

    def now() -> datetime:
        return datetime.now(UTC)

    with opened_means(settings, store) as means, progress("Reading the past", 100 * len(numbers)) as tell:
        shown = 0.0
        while waiting := [one for one in (_seen(store, number) for number in numbers) if one.open]:
            stepped = [step(means, now(), only=one.id) for one in waiting]
            share = sum(100 * _seen(store, number).share for number in numbers)
            tell(max(0.0, share - shown))
            shown = max(shown, share)
            if not any(stepped):
                time.sleep(POLL)
        tell(100 * len(numbers) - shown)


def _seen(store: Store, number: int) -> Backfill:
    from store import backfills

    with store.read() as session:
        return backfills.get(session, number)


def _problem(one: Backfill) -> str:
    return reader().say(one.problem.message, **one.problem.details) if one.problem else ""


def _cells(one: Backfill) -> tuple[object, ...]:
    reached = one.reached.strftime("%Y-%m-%d") if one.reached else "—"
    state = reader().say(STATES[one.state])
    return one.id, one.watch_id, f"{one.since:%Y-%m-%d}", reached, state, one.fetched, one.new, _problem(one)


def _plain(one: Backfill) -> dict[str, Any]:
    return {
        "id": one.id, "watch": one.watch_id, "since": one.since, "state": one.state, "reached": one.reached,
        "fetched": one.fetched, "new": one.new, "share": round(one.share, 3), "problem": _problem(one) or None,
    }
