"""Larger models in place of the embedded one: a sentiment classifier or a text encoder from a folder or a model hub.

They need `transformers` and `sentence-transformers`, seconds to open and more memory; a graphics card is used where
there is one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from escucha.enrichment import SENTIMENTS, Enrichment, Label, Sentiment
from escucha.errors import ModelError
from escucha.vector import pack
from nlp.chain import ModelOptions

Scores = Sequence[Mapping[str, Any]]
Classify = Callable[[list[str]], Sequence[Scores]]
Encode = Callable[[list[str]], Any]

AT_ONCE = 32
_NAMES: Mapping[str, Sentiment] = {
    "negative": "negative", "neg": "negative", "n": "negative", "negativo": "negative",
    "neutral": "neutral", "neu": "neutral", "neutro": "neutral",
    "positive": "positive", "pos": "positive", "p": "positive", "positivo": "positive",
}  # fmt: skip
_NUMBERED: tuple[Sentiment, ...] = ("negative", "neutral", "positive")
_STARS = re.compile(r"([1-5])[ _]?(?:stars?|estrellas?)")


class HubSentiment:
    """Gives `sentiment` by a text classifier, its own labels brought to ours (their probabilities added up).

    `labels` are all labels the classifier has; `classify` gives for each text the score of every label.
    """

    name = "hub_sentiment"
    needs: tuple[str, ...] = ()
    gives = ("sentiment",)

    def __init__(self, version: str, labels: Sequence[str], classify: Classify) -> None:
        self.version = version
        self._ours = ours(labels)
        self._classify = classify

    def __call__(self, batch: Sequence[Enrichment]) -> list[Enrichment]:
        """The batch with its sentiment."""
        answers = self._classify([enrichment.text for enrichment in batch])
        return [
            replace(enrichment, sentiment=self._sum(scores)) for enrichment, scores in zip(batch, answers, strict=True)
        ]

    def _sum(self, scores: Scores) -> Label:
        total = dict.fromkeys(SENTIMENTS, 0.0)
        for item in scores:
            total[self._ours[item["label"]]] += float(item["score"])
        best = max(SENTIMENTS, key=lambda sentiment: total[sentiment])
        return Label(best, round(min(total[best], 1.0), 4))


class HubVectors:
    """Gives `vector`, the text's embedding at length 1, so that a dot product is the cosine."""

    name = "hub_vectors"
    needs: tuple[str, ...] = ()
    gives = ("vector",)

    def __init__(self, version: str, encode: Encode) -> None:
        self.version = version
        self._encode = encode

    def __call__(self, batch: Sequence[Enrichment]) -> list[Enrichment]:
        """The batch with its vectors."""
        vectors = pack(np.asarray(self._encode([enrichment.text for enrichment in batch])), self.version)
        return [
            replace(enrichment, vector=vector)
            for enrichment, vector in zip(batch, vectors, strict=True)
        ]


def ours(labels: Sequence[str]) -> dict[str, Sentiment]:
    """A classifier's labels → ours: names in es/en/pt, 1 to 5 stars, or LABEL_0/1/2 in that order.

    Raises:
        ModelError: a label that means nothing to us, or labels that leave out positive or negative.
    """
    found = {label: _sentiment(label, len(labels)) for label in labels}
    known = {label: sentiment for label, sentiment in found.items() if sentiment is not None}
    if len(known) < len(found) or not {"positive", "negative"} <= set(known.values()):
        raise ModelError(
            "The model's labels ({labels}) do not say what is positive and what is negative. Choose another model.",
            labels=", ".join(labels),
        )
    return known


def open_sentiment(options: ModelOptions) -> HubSentiment:
    """The classifier named by `options.sentiment`. Raises ModelError when it cannot be opened."""
    model = options.sentiment
    try:
        from transformers import pipeline

        classifier = pipeline("text-classification", model=model, device=_device(), top_k=None)
    except Exception as error:  # the libraries raise OSError, ValueError, ImportError, RuntimeError and their own
        raise _cannot_open(model, error) from error
    config = classifier.model.config
    version = version_of(model, getattr(config, "_commit_hash", None))
    # Some tokenizers name no limit, and RoBERTa's positions start at 2: without this a long text would raise.
    most = min(classifier.tokenizer.model_max_length, getattr(config, "max_position_embeddings", 512) - 2)

    def classify(texts: list[str]) -> Sequence[Scores]:
        answers: Sequence[Scores] = classifier(texts, truncation=True, max_length=most, batch_size=AT_ONCE)
        return answers

    return HubSentiment(version, list(config.id2label.values()), classify)


def open_vectors(options: ModelOptions) -> HubVectors:
    """The encoder named by `options.encoder`. Raises ModelError when it cannot be opened."""
    model = options.encoder
    try:
        from sentence_transformers import SentenceTransformer

        encoder = SentenceTransformer(model, device=_device())
    except Exception as error:  # as above
        raise _cannot_open(model, error) from error

    def encode(texts: list[str]) -> Any:
        return encoder.encode(texts, batch_size=AT_ONCE, normalize_embeddings=True, show_progress_bar=False)

    return HubVectors(version_of(model), encode)


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


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _sentiment(label: str, of: int) -> Sentiment | None:
    name = label.strip().casefold()
    if name in _NAMES:
        return _NAMES[name]
    if stars := _STARS.fullmatch(name):
        return _NUMBERED[(int(stars[1]) > 2) + (int(stars[1]) > 3)]
    if of == len(_NUMBERED) and re.fullmatch(r"label_[0-2]", name):
        return _NUMBERED[int(name[-1])]
    return None


def _cannot_open(model: str, error: Exception) -> ModelError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
    return ModelError(
        "The model {model} cannot be opened: {reason}. Give the path of a folder that holds it, or connect to the "
        "network once so that it can be fetched.", model=model, reason=reason,
    )
