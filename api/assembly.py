"""Builds what the verbs work with from the settings: the only place where settings become parts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # each command pays for what it uses: `escucha tag` opens neither database nor web
    from collectors.http import WebOptions
    from config.settings import Settings
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
    """Which languages are told apart and which models answer, with what `escucha models add` noted about these."""
    from nlp.chain import ModelOptions
    from nlp.hub.shelf import noted

    sentiment, encoder = settings.nlp.sentiment.model, settings.nlp.encoder.model
    if not sentiment and not encoder:
        return ModelOptions(languages=settings.languages)
    on_shelf = Path(settings.nlp.shelf)
    classifier, reader = noted(on_shelf, sentiment, "sentiment"), noted(on_shelf, encoder, "encoder")
    labels = settings.nlp.sentiment.labels or classifier.labels
    return ModelOptions(
        languages=settings.languages, sentiment=sentiment, encoder=encoder, sentiment_at_once=classifier.at_once,
        encoder_at_once=reader.at_once, sentiment_labels=tuple(sorted(labels.items())),
    )


def chosen_models() -> ModelOptions:
    """`model_options(read_settings())`, less the third of a start that reading takes where there is nothing to read."""
    from nlp.chain import ModelOptions

    named = {name for name in os.environ if name.upper().startswith("ESCUCHA_")} - {"ESCUCHA_LANG"}
    if not named and not Path("escucha.toml").exists():
        return ModelOptions()
    from config.settings import read_settings

    return model_options(read_settings())


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
