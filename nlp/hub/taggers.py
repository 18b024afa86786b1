"""Larger models in place of the embedded one: a sentiment classifier or a text encoder from a folder or a model hub.

They need `transformers` and `sentence-transformers`, seconds to open and more memory; a graphics card is used where
there is one. A folder that `escucha models export` made needs neither (nlp/hub/compact.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from escucha.enrichment import SENTIMENTS, Enrichment, Label
from escucha.vector import pack
from nlp.chain import ModelOptions
from nlp.encoder import READ
from nlp.heads import Floats
from nlp.hub.compact import is_compact, open_compact
from nlp.hub.fetch import commit_of, located
from nlp.hub.opened import Opened, cannot_open
from nlp.hub.polarity import ours

LONGEST = 512
"""Word pieces that are read of a model that names no limit."""


class HubSentiment:
    """Gives `sentiment` by a text classifier, its own labels brought to ours (their probabilities added up).

    `meanings` says what the labels mean that do not say it themselves.
    """

    name = "hub_sentiment"
    needs: tuple[str, ...] = ()
    gives = ("sentiment",)

    def __init__(self, model: Opened, at_once: int, meanings: Mapping[str, str] | None = None) -> None:
        """Raises ModelError for labels whose meaning is not known."""
        self.version = _with_meanings(model.version, meanings or {})
        known = ours(model.labels, meanings or {})
        self._columns = {s: [i for i, name in enumerate(model.labels) if known[name] == s] for s in SENTIMENTS}
        self._model, self._at_once = model, at_once

    def __call__(self, batch: Sequence[Enrichment]) -> list[Enrichment]:
        """The batch with its sentiment."""
        if not batch:
            return []
        odds = self._model.answer([enrichment.text for enrichment in batch], self._at_once)
        return [replace(enrichment, sentiment=self.sentiment(row)) for enrichment, row in zip(batch, odds, strict=True)]

    def sentiment(self, odds: Floats) -> Label:
        """What the probabilities of the model's labels come to in ours."""
        total = {sentiment: float(odds[columns].sum()) for sentiment, columns in self._columns.items()}
        best = max(SENTIMENTS, key=lambda sentiment: total[sentiment])
        return Label(best, round(min(total[best], 1.0), 4))


class HubVectors:
    """Gives `vector`, the direction of the text's embedding."""

    name = "hub_vectors"
    needs: tuple[str, ...] = ()
    gives = ("vector",)

    def __init__(self, model: Opened, at_once: int) -> None:
        self.version = model.version
        self._model, self._at_once = model, at_once

    def __call__(self, batch: Sequence[Enrichment]) -> list[Enrichment]:
        """The batch with its vectors."""
        if not batch:
            return []
        vectors = pack(self._model.answer([enrichment.text for enrichment in batch], self._at_once), self.version)
        return [replace(enrichment, vector=vector) for enrichment, vector in zip(batch, vectors, strict=True)]


def open_sentiment(options: ModelOptions) -> HubSentiment:
    """The classifier named by `options.sentiment`. Raises ModelError when it cannot be opened or understood."""
    model = open_classifier(options.sentiment, options.threads)
    return HubSentiment(model, options.sentiment_at_once, dict(options.sentiment_labels))


def open_vectors(options: ModelOptions) -> HubVectors:
    """The encoder named by `options.encoder`. Raises ModelError when it cannot be opened."""
    return HubVectors(open_encoder(options.encoder, options.threads), options.encoder_at_once)


def open_classifier(model: str, threads: int = 1) -> Opened:
    """A text classifier in a folder or on the hub. Raises ModelError when it cannot be opened."""
    folder = located(model)
    if is_compact(folder):
        return open_compact(folder, "sentiment", threads)
    try:
        return _classifier(model, folder)
    except Exception as error:  # the libraries raise OSError, ValueError, ImportError, RuntimeError and their own
        raise cannot_open(model, error) from error


def open_encoder(model: str, threads: int = 1) -> Opened:
    """A text encoder in a folder or on the hub. Raises ModelError when it cannot be opened."""
    folder = located(model)
    if is_compact(folder):
        return open_compact(folder, "encoder", threads)
    try:
        return _encoder(model, folder)
    except Exception as error:  # as above
        raise cannot_open(model, error) from error


def version_of(model: str, commit: str | None = None) -> str:
    """A name that changes when the model does: a folder's with a digest of its weights, a hub's with its commit."""
    folder = Path(model)
    if not folder.is_dir():
        return f"{model}@{commit[:12]}" if commit else model
    digest = hashlib.sha256()
    for path in sorted((*folder.rglob("*.safetensors"), *folder.rglob("*.bin"), *folder.rglob("config.json"))):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"{folder.name}@{digest.hexdigest()[:12]}"


def device() -> str:
    """Where models run fastest here: cuda, mps or cpu."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def most_pieces(config: Any, tokenizer: Any) -> int:
    """How many word pieces a model of `transformers` reads at most.

    Some tokenizers name no limit, and RoBERTa's positions start at 2: without this a long text would raise.
    """
    room = getattr(config, "max_position_embeddings", 0) - 2
    return int(min(tokenizer.model_max_length or LONGEST, room if room > 0 else LONGEST))


def _classifier(model: str, folder: Path) -> Opened:
    from transformers import pipeline
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # one a model, in the log of a service
    place = device()
    classifier = pipeline("text-classification", model=str(folder), device=place, top_k=None)
    names = tuple(map(str, classifier.model.config.id2label.values()))
    at = {name: i for i, name in enumerate(names)}
    most = most_pieces(classifier.model.config, classifier.tokenizer)

    def answer(texts: list[str], at_once: int) -> Floats:
        odds = np.zeros((len(texts), len(names)), np.float32)
        read = [text[:READ] for text in texts]
        for row, scores in zip(
            odds, classifier(read, truncation=True, max_length=most, batch_size=at_once), strict=True
        ):
            for item in scores:
                row[at[item["label"]]] = item["score"]
        return odds

    return Opened(version=version_of(model, commit_of(folder)), device=place, answer=answer, labels=names)


def _encoder(model: str, folder: Path) -> Opened:
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    place = device()
    encoder = SentenceTransformer(str(folder), device=place)
    encoder.max_seq_length = most_pieces(encoder[0].auto_model.config, encoder.tokenizer)

    def answer(texts: list[str], at_once: int) -> Floats:
        read = [text[:READ] for text in texts]
        found = encoder.encode(read, batch_size=at_once, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, np.float32)

    return Opened(version=version_of(model, commit_of(folder)), device=place, answer=answer)


def _with_meanings(version: str, meanings: Mapping[str, str]) -> str:
    if not meanings:
        return version
    digest = hashlib.sha256(repr(sorted(meanings.items())).encode()).hexdigest()
    return f"{version}+{digest[:6]}"
