"""Builds what the verbs work with from the settings: the only place where settings become parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from config.settings import Settings

if TYPE_CHECKING:  # each command pays for what it uses: `escucha tag` opens neither database nor web
    from collectors.http import WebOptions
    from nlp.chain import ModelOptions
    from pipeline.means import Means
    from store.engine import Store


def ready_store(settings: Settings) -> Store:
    """The store, created or upgraded if need be. Raises ConfigError for one of a newer version, or no database."""
    from store.engine import open_store
    from store.schema import migrate

    store = open_store(settings.database, settings.synchronous)
    migrate(store)
    return store


@contextmanager
def opened_means(settings: Settings, store: Store) -> Iterator[Means]:
    """Everything the pipeline needs, with the pool open while it is entered."""
    from pipeline.means import Means
    from pipeline.pool import open_pool

    with open_pool(settings.threads, settings.dask) as pool:
        web, models, keys = web_options(settings), model_options(settings), source_keys(settings)
        yield Means(store=store, pool=pool, web=web, models=models, keys=keys)


def model_options(settings: Settings) -> ModelOptions:
    """Which languages are told apart and which models answer."""
    from nlp.chain import ModelOptions

    return ModelOptions(
        languages=settings.languages, sentiment=settings.models.sentiment, encoder=settings.models.encoder
    )


def web_options(settings: Settings) -> WebOptions:
    """How collectors behave towards the web."""
    from collectors.http import WebOptions

    web = settings.web
    return WebOptions(
        contact=web.contact, deadline=web.deadline, max_bytes=web.max_bytes, pace=web.pace, allow_hosts=web.allow_hosts
    )


def source_keys(settings: Settings) -> Mapping[str, Mapping[str, str]]:
    """Credentials by source name; a source without any is absent."""
    reddit = {
        "client_id": settings.reddit.client_id, "client_secret": settings.reddit.client_secret.get_secret_value()
    }
    return {"reddit": reddit} if all(reddit.values()) else {}
