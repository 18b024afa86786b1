"""Commands about watches: what is asked of which source, and when."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import typer

from api.console import help_text, reader, say, show_json, table
from api.i18n import N_

if TYPE_CHECKING:
    from escucha.brand import Watch, WatchState

group = typer.Typer(help=help_text("What is asked of which source, and how often."), no_args_is_help=True)
STATES = {"active": N_("active"), "paused": N_("paused")}
COLUMNS = (
    N_("number"), N_("brand"), N_("source"), N_("query"), N_("state"), N_("new"), N_("last run"), N_("problem")
)
WATCH_ID = typer.Argument(help=help_text("The watch's number."))


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("add", help=help_text("Watch a source for a brand."))(add)
    group.command("list", help=help_text("List the watches and how they do."))(listed)
    group.command("pause", help=help_text("Stop a watch for now."))(pause)
    group.command("resume", help=help_text("Go on with a paused watch, at once."))(resume)
    group.command("run", help=help_text("Make a watch due at once."))(resume)
    group.command("remove", help=help_text("Stop a watch for good; what was heard stays."))(remove)
    group.command("try", help=help_text("See the first mentions a watch would bring; nothing is stored."))(attempt)
    app.add_typer(group, name="watch")


def add(
    brand: str = typer.Argument(help=help_text("The brand's short name.")),
    source: str = typer.Argument(help=help_text("The source: rss, mastodon, reddit, file…")),
    query: str = typer.Argument(help=help_text("What to ask: a feed's address, a hashtag, a search.")),
    every: str = typer.Option("15m", help=help_text("How often at most: 30s, 15m, 6h, 1d.")),
    slowest: str = typer.Option("", help=help_text("How often at least, where little is new: 6h, 1d.")),
    term: list[str] = typer.Option([], help=help_text("Keep only mentions with this word (repeatable).")),
    everything: bool = typer.Option(False, help=help_text("Keep all that the source gives.")),
) -> None:
    """Watch a source; the first run is due at once."""
    from api.assembly import open_vault, ready_store
    from config.settings import read_settings
    from pipeline.schedule import now
    from pipeline.trying import query_for
    from pipeline.watching import first_secret, start
    from store import brands

    settings = read_settings()
    with ready_store(settings).write() as session:
        found = brands.get(session, brand)
        asked = query_for(found, source, query, tuple(term), everything)
        longest = seconds(slowest) if slowest else None
        watch = start(session, found, source, asked, seconds(every), now(), longest)
        secret = first_secret(session, open_vault(settings), watch, now()) if watch.hook else None
    if watch.hook:
        say("Watch {id} listens at {address}.", id=watch.id, address=f"/hooks/{watch.hook}")
        if secret:
            say("Its secret, shown this once, goes where the deliveries come from: {secret}", secret=secret)
        return
    say("Watch {id} is set: {source} every {every}.", id=watch.id, source=source, every=every)
    _tell(source, query)
    if asked.terms:
        say("It keeps mentions with: {terms}", terms=", ".join(asked.terms))


def listed(as_json: bool = typer.Option(False, "--json", help=help_text("Print JSON."))) -> None:
    """List the watches."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from store import brands, watches

    with ready_store(read_settings()).read() as session:
        found = watches.all_watches(session)
        names = {brand.id: brand.slug for brand in brands.all_brands(session)}
        last = {watch.id: watches.last_run(session, watch.id) for watch in found}
    if as_json:
        show_json([_plain(watch, names[watch.brand_id], last[watch.id]) for watch in found])
    elif not found:
        say("There is no watch yet. Add one with `escucha watch add BRAND SOURCE QUERY`.")
    else:
        table(COLUMNS, [_cells(watch, names[watch.brand_id], last[watch.id]) for watch in found])


def attempt(
    brand: str = typer.Argument(help=help_text("The brand's short name.")),
    source: str = typer.Argument(help=help_text("The source: rss, mastodon, reddit, file…")),
    query: str = typer.Argument(help=help_text("What to ask: a feed's address, a hashtag, a search.")),
    term: list[str] = typer.Option([], help=help_text("Keep only mentions with this word (repeatable).")),
    everything: bool = typer.Option(False, help=help_text("Keep all that the source gives.")),
    as_json: bool = typer.Option(False, "--json", help=help_text("Print JSON.")),
) -> None:
    """Ask a source once and show up to ten mentions as they would be stored."""
    from api.assembly import open_vault, ready_store, source_keys, web_options
    from config.settings import read_settings
    from pipeline.keys import keys_for
    from pipeline.pull import Order
    from pipeline.schedule import now
    from pipeline.trying import query_for, try_watch
    from store import brands

    settings = read_settings()
    with ready_store(settings).read() as session:
        found = brands.get(session, brand)
        keys = keys_for(session, open_vault(settings), source_keys(settings), source, found.id)
    asked = query_for(found, source, query, tuple(term), everything)
    if not as_json:
        _tell(source, query)
    trial = try_watch(Order(source=source, query=asked, cursor=None, web=web_options(settings), keys=keys), now())
    if as_json:
        show_json([{"id": m.source_id, "at": m.created_at, "text": m.text, "url": m.url} for m in trial.mentions])
    else:
        table((N_("time"), N_("author"), N_("text")), [
            (m.created_at.strftime("%Y-%m-%d %H:%M"), m.author.handle if m.author else "—", _short(m.title, m.text))
            for m in trial.mentions
        ])
        say("{refused} items were refused, {passed} left out on purpose. Nothing was stored.",
            refused=len(trial.refusals), passed=trial.passed)
        if trial.estimate:
            say("In the last seven days it would have read {n} posts, for ${least} to ${most}.",
                n=trial.estimate.posts, least=f"{trial.estimate.least:.2f}", most=f"{trial.estimate.most:.2f}")
    if trial.problem is not None:
        raise trial.problem


def remove(watch: int = WATCH_ID) -> None:
    """Remove a watch."""
    from api.assembly import ready_store
    from config.settings import read_settings
    from store import watches

    with ready_store(read_settings()).write() as session:
        watches.remove(session, watch)
    say("Watch {id} is removed; its mentions stay.", id=watch)


def pause(watch: int = WATCH_ID) -> None:
    """Pause a watch."""
    _set(watch, "paused")
    say("Watch {id} is paused.", id=watch)


def resume(watch: int = WATCH_ID) -> None:
    """Resume a watch."""
    _set(watch, "active")
    say("Watch {id} goes on; its next run is due now.", id=watch)


def seconds(every: str) -> int:
    """Seconds in "30s", "15m", "6h" or "1d". Raises Invalid for anything else or less than 10 seconds."""
    from escucha.errors import Invalid

    match = re.fullmatch(r"(\d{1,6})\s*([smhd])", every.strip().lower())
    length = int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]] if match else 0
    if length < 10:
        raise Invalid("{every} is no interval. Write 30s, 15m, 6h or 1d; 10s is the least.", every=every)
    return length


def _tell(source: str, query: str) -> None:
    """Say what a source that searches is asked, and what is checked here."""
    from api.listening import searched

    if found := searched(source, query):
        say("Asked of {source}: {searches}", source=source, searches=" · ".join(found.searches))
        if found.checked:
            say("Checked here before it is kept: {query}", query=found.checked)


def _short(title: str | None, text: str) -> str:
    return " ".join(f"{title or ''} {text}".split())[:200]


def _set(watch_id: int, state: WatchState) -> None:
    from api.assembly import ready_store
    from config.settings import read_settings
    from pipeline.schedule import now
    from store import watches

    with ready_store(read_settings()).write() as session:
        watches.set_state(session, watch_id, state, now())


def _problem(watch: Watch) -> str:
    return reader().say(watch.problem.message, **watch.problem.details) if watch.problem else ""


def _cells(watch: Watch, brand: str, run: object) -> tuple[object, ...]:
    at = watch.last_run_at.strftime("%Y-%m-%d %H:%M") if watch.last_run_at else "—"
    state = reader().say(STATES[watch.state])
    return watch.id, brand, watch.source, watch.query.text, state, getattr(run, "new", "—"), at, _problem(watch)


def _plain(watch: Watch, brand: str, run: object) -> dict[str, object]:
    ledger = ("fetched", "new", "updated", "duplicate", "refused", "passed", "gone", "cost")
    return {
        "id": watch.id, "brand": brand, "source": watch.source, "query": watch.query.text,
        "terms": list(watch.query.terms), "every": watch.every, "slowest": watch.slowest, "pace": watch.pace,
        "state": watch.state, "health": watch.health, "hook": watch.hook, "next_at": watch.next_at,
        "last_run_at": watch.last_run_at, "failures": watch.failures, "problem": _problem(watch) or None,
        "last_run": {name: getattr(run, name) for name in ledger} if run else None,
    }
