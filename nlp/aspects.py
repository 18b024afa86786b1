"""Reads the parts of a text one by one: the food praised, the delivery damned, in one and the same review."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean

import numpy as np

from escucha.enrichment import SENTIMENTS, Enrichment, Label, Part
from nlp.clauses import Span, spans
from nlp.encoder import READ, Encoder, labels
from nlp.heads import Floats

MOST = 12
"""Parts of a text that are read; what a longer text says after them is in its own labels only."""
CARRY = 0.3
"""How much of the whole text's sentiment a part's words are read with, as the exponent of its probabilities."""
NEUTRAL = 0.5
"""What a neutral reading of a part weighs: a few words out of their text look neutral too often.

Chosen with CARRY and SURE on semeval16_rest's dev sentences (benchmarks/aspects.py). A smaller weight is right more
often there, where people marked opinions alone; but then neutral sentences of posts would become praise or blame.
"""
SURE = 0.55
"""The score from which a part's sentiment, pain or touchpoint counts as said."""
NOTHING = "none"
RULES = 2
"""To be raised whenever texts are cut or parts are chosen in another way."""
_NONE = Label(NOTHING, 0.0)


class Parts:
    """Gives `parts`: what each sentence or clause says, where a text praises one thing and blames another.

    Only texts of two clauses or more are read again. The encoder is the chain's own:
    its heads are used whatever tagger gave the mention its labels.
    """

    name = "parts"
    needs = ("lang", "sentiment", "pain", "touchpoint")
    gives = ("parts",)

    def __init__(self, encoder: Encoder) -> None:
        self.version = f"{encoder.version}.{RULES}"
        self._encoder = encoder

    def __call__(self, batch: Sequence[Enrichment]) -> list[Enrichment]:
        """The batch with its parts."""
        return [replace(whole, parts=worth_telling(whole, self._read(whole, clauses(whole)))) for whole in batch]

    def _read(self, whole: Enrichment, cut: Sequence[Span]) -> list[Part]:
        if not cut:
            return []
        vectors = self._encoder.together([whole.text[span.start : span.end] for span in cut])
        heads = self._encoder.heads
        feels = feelings(heads["sentiment"].probabilities(vectors), heads["sentiment"].classes, whole)
        rows = zip(cut, feels, labels(heads["pain"], vectors), labels(heads["touchpoint"], vectors), strict=True)
        return [
            Part(start=span.start, end=span.end, sentiment=feel, pain=_sure(pain), touchpoint=_sure(touchpoint))
            for span, feel, pain, touchpoint in rows
        ]


def clauses(enrichment: Enrichment) -> list[Span]:
    """Where a text is cut for reading: two stretches or more, at most MOST.

    None for a text about no pain and no touchpoint: it tells of no experience with a brand.
    """
    if enrichment.pain and enrichment.touchpoint and _said(enrichment)[1:] == (NOTHING, NOTHING):
        return []
    lang = enrichment.lang.label if enrichment.lang else None
    found = spans(enrichment.text[:READ], lang)
    return found[:MOST] if len(found) > 1 else []


def feelings(odds: Floats, classes: Sequence[str], whole: Enrichment) -> list[Label]:
    """The sentiment of a text's parts from their own probabilities (parts, classes) and the text's sentiment.

    A product of experts: p(part) · p(text)^CARRY, with neutral weighed by NEUTRAL, brought to sum to 1.
    """
    prior = _prior(whole.sentiment, classes)
    weight = np.array([NEUTRAL if name == "neutral" else 1.0 for name in classes])
    product = odds * prior**CARRY * weight
    product /= product.sum(axis=1, keepdims=True)
    best = product.argmax(axis=1)
    return [Label(classes[at], round(float(row[at]), 4)) for at, row in zip(best, product, strict=True)]


def worth_telling(whole: Enrichment, parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts that say something, neighbours that say the same as one; none where nothing is praised beside a blame.

    Of a text that only praises or only blames, its own labels say it all.
    """
    told = tuple(part for part in _merged(whole.text, parts) if _says(part))
    sides = {_said(whole)[0], *(_said(part)[0] for part in told)}
    return told if {"positive", "negative"} <= sides else ()


def _said(of: Part | Enrichment) -> tuple[str, str, str]:
    """Sentiment, pain and touchpoint."""
    return (of.sentiment or _NONE).label, (of.pain or _NONE).label, (of.touchpoint or _NONE).label


def _sure(label: Label) -> Label | None:
    return label if label.score >= SURE else None


def _says(part: Part) -> bool:
    """Whether a part surely praises, blames or hurts."""
    feel, pain, _ = _said(part)
    return pain != NOTHING or (feel in ("positive", "negative") and _sure(part.sentiment or _NONE) is not None)


def _merged(text: str, parts: Sequence[Part]) -> Iterator[Part]:
    """Neighbours on the same line that say the same, as one part; its scores are their means."""
    run: list[Part] = []
    for part in parts:
        if run and (_said(run[-1]) != _said(part) or "\n" in text[run[-1].end : part.start]):
            yield _one(run)
            run = []
        run.append(part)
    if run:
        yield _one(run)


def _one(run: Sequence[Part]) -> Part:
    return Part(
        start=run[0].start, end=run[-1].end, sentiment=_mean([part.sentiment for part in run]),
        pain=_mean([part.pain for part in run]), touchpoint=_mean([part.touchpoint for part in run]),
    )  # fmt: skip


def _mean(labels: Sequence[Label | None]) -> Label | None:
    known = [label for label in labels if label is not None]
    return Label(known[0].label, round(fmean(label.score for label in known), 4)) if known else None


def _prior(sentiment: Label | None, classes: Sequence[str]) -> Floats:
    """What is known of the whole text's sentiment: its label's score, the rest shared evenly by the others."""
    if sentiment is None:
        return np.full(len(classes), 1 / len(classes), np.float32)
    sure = min(max(sentiment.score, 1 / len(SENTIMENTS)), 0.999)
    rest = (1 - sure) / (len(classes) - 1)
    return np.array([sure if name == sentiment.label else rest for name in classes], np.float32)
