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
    from store.vault import Vault


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
        yield Means(
            store=store, pool=pool, web=web_options(settings), models=model_options(settings),
            keys=source_keys(settings), vault=open_vault(settings), budget=settings.budget,
        )


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


def open_vault(settings: Settings) -> Vault:
    """What encrypts the keys that are entered in the page. Raises ConfigError for a key that others may read."""
    from store.vault import Vault, key_in

    return Vault(settings.secret_key.get_secret_value() or key_in(Path(settings.secret_file)))


def web_options(settings: Settings) -> WebOptions:
    """How collectors behave towards the web; all processes of an installation keep one pace, beside its database."""
    from collectors.http import WebOptions

    web = settings.web
    return WebOptions(
        contact=web.contact, deadline=web.deadline, max_bytes=web.max_bytes, pace=web.pace,
        allow_hosts=web.allow_hosts, shared=str(Path(settings.secret_file).parent / "pace"),
    )


def source_keys(settings: Settings) -> Mapping[str, Mapping[str, str]]:
    """The settings' credentials by source name; a source without any is absent."""
    given = {source: {name: value.get_secret_value() for name, value in keys.items()}
             for source, keys in settings.keys.items()}
    reddit = {
        "client_id": settings.reddit.client_id, "client_secret": settings.reddit.client_secret.get_secret_value()
    }
    given["reddit"] = {**{name: value for name, value in reddit.items() if value}, **given.get("reddit", {})}
    return {source: keys for source, keys in given.items() if keys}
