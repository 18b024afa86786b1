"""The models: taggers that read a text and say what it is about."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import cast

from escucha.errors import ModelError
from escucha.plugins import load, names
from escucha.tagger import Tagger
from nlp.chain import Chain, ModelOptions

TAGGERS: Mapping[str, str] = {
    "language": "nlp.language:open_language",
    "hub_sentiment": "nlp.hub.taggers:open_sentiment",
    "hub_vectors": "nlp.hub.taggers:open_vectors",
    "encoder": "nlp.encoder:open_encoder",
    "parts": "nlp.aspects:Parts",
}
"""The built-in taggers: name → address of a function that takes ModelOptions and opens it (`parts`: the encoder).

Installed ones join by the entry-point group `escucha.taggers`, and run after these.
"""
GROUP = "escucha.taggers"
_LOG = logging.getLogger(__name__)


def open_taggers(options: ModelOptions) -> Chain:
    """The chain that an installation runs.

    The embedded encoder gives whatever no chosen or installed tagger gives; so a hub model that cannot be
    opened (no network, no folder) costs a warning in the log, and the embedded one answers in its place.

    Raises:
        ConfigError: the taggers do not fit together.
        ModelError: the embedded model is missing or damaged.
    """
    chosen = [_open("language", options)]
    if options.sentiment:
        chosen += _or_warn("hub_sentiment", options, options.sentiment)
    if options.encoder:
        chosen += _or_warn("hub_vectors", options, options.encoder)
    installed = [_open(name, options) for name in names(GROUP, TAGGERS) if name not in TAGGERS]
    given = {field for tagger in (*chosen, *installed) for field in tagger.gives}
    encoder = load(GROUP, TAGGERS, "encoder")(options, without=given)
    parts = [] if "parts" in given else [load(GROUP, TAGGERS, "parts")(encoder)]
    return Chain((*chosen, *([encoder] if encoder.gives else []), *installed, *parts))


def _open(name: str, options: ModelOptions) -> Tagger:
    return cast(Tagger, load(GROUP, TAGGERS, name)(options))


def _or_warn(name: str, options: ModelOptions, model: str) -> list[Tagger]:
    try:
        return [_open(name, options)]
    except ModelError as error:
        _LOG.warning("The model %s cannot be used, so the embedded one answers: %s", model, error)
        return []
