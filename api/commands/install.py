"""Commands that set Escucha up and run it: init, demo, serve, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from api.console import help_text, progress, say, show_json, table
from api.i18n import N_

if TYPE_CHECKING:
    from config.settings import Settings
    from store.engine import Store

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
HOST = typer.Option(None, help=help_text("Address to serve on."))
PORT = typer.Option(None, help=help_text("Port to serve on."))
NO_CLOCK = typer.Option(False, "--no-clock", help=help_text("Serve only: collect and tag nothing."))

FIRST_SETTINGS = """\
# Settings of Escucha. Every line is optional; what is commented out shows the default.
# database = "sqlite:///data/escucha.db"      # or "postgresql+psycopg://user@host/name"
# lang = "es"                                 # es or en
# languages = ["es", "en", "pt"]
# host = "127.0.0.1"
# port = 8000
# threads = 4
# dask = ""                                   # "tcp://scheduler:8786" to work on a cluster

# [web]
# contact = "you@example.com"                 # sent to the sites that are read, so that they can write to you

# [reddit]                                    # an approved app's keys
# client_id = ""
# client_secret = ""

# [nlp.sentiment]                             # a local folder or a hub name, in place of the embedded model
# model = ""

# [nlp.encoder]
# model = ""
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(help=help_text("Make escucha.toml and the database."))(init)
    app.command(help=help_text("Load the sample brand, tag it and serve the dashboard."))(demo)
    app.command(help=help_text("Serve the dashboard and the API, and keep the clock."))(serve)
    app.command(help=help_text("Check the installation and say what is wrong."))(doctor)


def init() -> None:
    """Make the settings file, where there is none, and the database."""
    from api.assembly import ready_store
    from config.settings import read_settings

    file = Path("escucha.toml")
    if not file.exists():
        file.touch(mode=0o600)  # it may come to hold keys
        file.write_text(FIRST_SETTINGS, "utf-8")
        say("Settings: {file}", file=file)
    settings = read_settings()
    ready_store(settings).close()
    say("The database is ready: {where}", where=_without_password(settings))
    say("Next: `escucha brand add NAME`, then `escucha import FILE` or `escucha watch add`, and `escucha serve`.")


def demo(
    host: str = HOST, port: int = PORT,
    only_load: bool = typer.Option(False, "--only-load", help=help_text("Load and tag, do not serve.")),
) -> None:
    """The newcomer's command: sample in, tagged, dashboard up."""
    from api.assembly import opened_means, ready_store
    from pipeline import sample
    from pipeline.duplicates import group_waiting
    from pipeline.enrich import enrich_pending
    from pipeline.schedule import now

    settings = _settings(host, port)
    if not only_load:
        _check(settings)
    store = ready_store(settings)
    if not _has_brands(store):
        say("Loaded {n} sample mentions of an invented brand and its rivals.", n=sample.load(store, SAMPLE, now()))
    waiting = _waiting(store)
    if waiting:
        with opened_means(settings, store) as means, progress("Understanding mentions", waiting) as advance:
            group_waiting(store, means.pool)
            enrich_pending(means, now, advance)
    store.close()
    if not only_load:
        _serve(settings, clock=True)


def serve(host: str = HOST, port: int = PORT, no_clock: bool = NO_CLOCK) -> None:
    """Serve until Ctrl-C."""
    from api.assembly import ready_store

    settings = _settings(host, port)
    _check(settings)
    ready_store(settings).close()  # what is wrong with the database is said here, once, and not by a worker
    _serve(settings, clock=not no_clock)


def doctor(as_json: bool = typer.Option(False, "--json", help=help_text("Print JSON."))) -> None:
    """Check names, settings, database, models and sources; exit 1 where something is wrong."""
    from api.checkup import check_up

    checks = list(check_up())
    if as_json:
        show_json([{"check": c.name, "ok": c.ok, "says": c.says} for c in checks])
    else:
        table((N_("check"), N_("state"), N_("what it says")), [(c.name, "✓" if c.ok else "✗", c.says) for c in checks])
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def _settings(host: str | None, port: int | None) -> Settings:
    from config.settings import read_settings

    changes: dict[str, Any] = {k: v for k, v in {"host": host, "port": port}.items() if v is not None}
    return read_settings().model_copy(update=changes)


def _check(settings: Settings) -> None:
    from api.serving import check_port

    check_port(settings.host, settings.port)


def _serve(settings: Settings, clock: bool) -> None:
    from api.serving import serve as run

    say("Escucha is at {address} — stop it with Ctrl-C.", address=f"http://{settings.host}:{settings.port}/")
    run(settings, clock)
    say("Stopped.")


def _has_brands(store: Store) -> bool:
    from store.brands import all_brands

    with store.read() as session:
        return bool(all_brands(session))


def _waiting(store: Store) -> int:
    from escucha.filter import MentionFilter
    from store.metrics import count

    with store.read() as session:
        return count(session, MentionFilter(state="pending"))


def _without_password(settings: Settings) -> str:
    from sqlalchemy.engine import make_url

    return make_url(settings.database).render_as_string(hide_password=True)
