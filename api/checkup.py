"""Looks the installation over: names, settings, database, models, sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions

from api.console import reader
from api.i18n import N_
from escucha.errors import ConfigError, EscuchaError

OURS = ("escucha", "collectors", "nlp", "store", "pipeline", "api", "config")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at, whether it is well, and what was seen."""

    name: str
    ok: bool
    says: str


def check_up() -> Iterator[Check]:
    """Every check in turn; one that fails does not stop the next."""
    looks: tuple[tuple[str, Callable[[], str]], ...] = (
        (N_("package names"), _names), (N_("settings"), _settings), (N_("taxonomies"), _catalogue),
        (N_("database"), _database), (N_("models"), _models), (N_("sources"), _sources),
    )
    for name, look in looks:
        try:
            yield Check(name=reader().say(name), ok=True, says=look())
        except EscuchaError as error:
            yield Check(name=reader().say(name), ok=False, says=reader().say(error.message, **error.details))


def strangers() -> dict[str, list[str]]:
    """Other distributions that own one of our package names, by name: they would be imported in our place."""
    owners = packages_distributions()
    return {
        name: others for name in OURS if (others := sorted({o for o in owners.get(name, []) if o != "escucha"}))
    }


def _names() -> str:
    for name, others in strangers().items():
        raise ConfigError(
            "Another installed package ({other}) is also called {name}. Install Escucha in an environment of its own.",
            name=name, other=", ".join(others),
        )
    return ", ".join(OURS)


def _settings() -> str:
    from config.settings import read_settings

    return f"{read_settings().host}:{read_settings().port}"


def _catalogue() -> str:
    from config.catalogue import read_catalogue

    found = read_catalogue()
    return f"{len(found.stages)} + {len(found.pains)} + {len(found.touchpoints)}"


def _database() -> str:
    from api.assembly import ready_store
    from config.settings import read_settings
    from store import sound, swap, wal
    from store.health import health

    store = ready_store(read_settings())
    wal.trim(store)
    if store.dialect == "sqlite":
        sound.counts(swap.file_of(store.url))
    with store.read() as session:
        seen = health(session)
    return reader().say(
        "{dialect}: {mentions} mentions, {pending} waiting, {failed} failed; {trouble} of {watches} watches in trouble",
        dialect=store.dialect, mentions=seen.mentions, pending=seen.pending, failed=seen.failed,
        trouble=seen.in_trouble, watches=seen.watches,
    )


def _models() -> str:
    from api.assembly import model_options
    from config.settings import read_settings
    from escucha.enrichment import Enrichment
    from nlp import open_taggers

    chain = open_taggers(model_options(read_settings()))
    (outcome,) = chain([Enrichment(text="Me encantó el café, lo recomiendo")])
    return ", ".join(f"{name} {version}" for name, version in outcome.enrichment.versions.items())


def _sources() -> str:
    import collectors

    return ", ".join(collectors.source_names())
