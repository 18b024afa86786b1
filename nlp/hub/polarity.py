"""What another model's labels mean in ours: negative, neutral or positive."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from escucha.enrichment import SENTIMENTS, Sentiment
from escucha.errors import ModelError

_NAMES: Mapping[str, Sentiment] = {
    "negative": "negative", "neg": "negative", "n": "negative", "negativo": "negative",
    "neutral": "neutral", "neu": "neutral", "neutro": "neutral",
    "positive": "positive", "pos": "positive", "p": "positive", "positivo": "positive",
}  # fmt: skip
_NUMBERED: tuple[Sentiment, ...] = ("negative", "neutral", "positive")
_STARS = re.compile(r"([1-5])[ _]?(?:stars?|estrellas?)")
_VERY = re.compile(r"^(?:very|muy|muito)[ _-]?")


def ours(labels: Sequence[str], meanings: Mapping[str, str] | None = None) -> dict[str, Sentiment]:
    """A classifier's labels → ours: names in es/en/pt ("very …" too), 1 to 5 stars, or LABEL_0/1/2 in that order.

    `meanings` says it for labels that do not, and wins over what they seem to say.

    Raises:
        ModelError: a label that means nothing to us, labels that leave out positive or negative, or a meaning for a
            label that the model does not have.
    """
    told = meanings or {}
    if strange := sorted(set(told) - set(labels)):
        raise ModelError(
            "The model has no label {strange}. Its labels are: {labels}.",
            strange=", ".join(strange), labels=", ".join(labels),
        )
    found = {label: _told(told[label]) if label in told else _sentiment(label, len(labels)) for label in labels}
    known = {label: sentiment for label, sentiment in found.items() if sentiment is not None}
    if len(known) < len(found) or not {"positive", "negative"} <= set(known.values()):
        raise ModelError(
            "The model's labels ({labels}) do not say what is positive and what is negative. Say what each one means, "
            "in escucha.toml under [nlp.sentiment]: {example} (negative, neutral or positive) — or choose another "
            "model.", labels=", ".join(labels), example=_example(labels),
        )
    return known


def _sentiment(label: str, of: int) -> Sentiment | None:
    name = _VERY.sub("", label.strip().casefold())
    if name in _NAMES:
        return _NAMES[name]
    if stars := _STARS.fullmatch(name):
        return _NUMBERED[(int(stars[1]) > 2) + (int(stars[1]) > 3)]
    if of == len(_NUMBERED) and re.fullmatch(r"label_[0-2]", name):
        return _NUMBERED[int(name[-1])]
    return None


def _told(meaning: str) -> Sentiment | None:
    return next((sentiment for sentiment in SENTIMENTS if sentiment == meaning), None)


def _example(labels: Sequence[str]) -> str:
    last = len(labels) - 1
    pairs = [
        f'{json.dumps(label, ensure_ascii=False)} = "{_NUMBERED[round(2 * at / last) if last else 0]}"'
        for at, label in enumerate(labels[:8])
    ]
    return f"labels = {{ {', '.join(pairs)} }}"
