"""Runs the taggers one after another over a batch of texts, and sets aside a text that one of them cannot read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache

from escucha.enrichment import Enrichment
from escucha.errors import ConfigError, ModelError
from escucha.tagger import Tagger

KINDS = ("sentiment", "stage", "pain", "touchpoint", "emotion")
"""The kinds of label that a mention gets besides its language."""

_AT_HAND = {"text", "declared_lang"}
_FIELDS = {field.name for field in fields(Enrichment)} - _AT_HAND - {"versions", "said"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """Which languages are told apart, and which models answer in place of the embedded one.

    `sentiment` and `encoder` are a local folder or a hub name; empty means the embedded model. `…_at_once` is how many
    texts such a model reads together, `sentiment_labels` says what its labels mean where they do not say it. `threads`
    is how many processor threads the embedded model may use for a batch: one, where workers run side by side.
    Picklable and hashable, so that it can travel to a worker and be the key of what is open there.
    """

    languages: tuple[str, ...] = ("es", "en", "pt")
    sentiment: str = ""
    encoder: str = ""
    sentiment_labels: tuple[tuple[str, str], ...] = ()
    sentiment_at_once: int = 32
    encoder_at_once: int = 32
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one text: its enrichment, and where a tagger failed on it a `note` that says which and why."""

    enrichment: Enrichment
    note: str | None = None


Tag = Callable[[Sequence[Enrichment]], Sequence[Outcome]]
"""Whatever answers a batch as a Chain does."""


class Chain:
    """Taggers in an order that works.

    Raises:
        ConfigError: a tagger needs what none before it gives, gives what there is no place for, or two give the same.
    """

    def __init__(self, taggers: Sequence[Tagger]) -> None:
        check_order(taggers)
        self.taggers = tuple(taggers)

    @property
    def gives(self) -> tuple[str, ...]:
        """The fields of Enrichment that the chain fills."""
        return tuple(field for tagger in self.taggers for field in tagger.gives)

    def __call__(self, batch: Sequence[Enrichment]) -> list[Outcome]:
        """One outcome for each text, in order.

        A tagger that raises on a batch is asked again text by text, and the text it fails on is set aside with a
        note while the rest go on. A ModelError is about the model, not about a text, and is passed on.
        """
        outcomes = [Outcome(enrichment=enrichment) for enrichment in batch]
        for tagger in self.taggers:
            outcomes = _step(tagger, outcomes)
        return outcomes


def check_order(taggers: Sequence[Tagger]) -> None:
    """Raise ConfigError for taggers that do not fit together, naming the tagger and the field."""
    giver: dict[str, str] = {}
    for tagger in taggers:
        for need in tagger.needs:
            if need not in giver and need not in _AT_HAND:
                raise ConfigError(
                    "The tagger {tagger} needs {field}, which none before it gives. Change the order.",
                    tagger=tagger.name, field=need,
                )
        for field in tagger.gives:
            _take(field, tagger.name, giver)


def _take(field: str, tagger: str, giver: dict[str, str]) -> None:
    if field not in _FIELDS:
        raise ConfigError("The tagger {tagger} gives {field}, which no mention has.", tagger=tagger, field=field)
    if field in giver:
        raise ConfigError(
            "Both {first} and {second} give {field}. Choose one of them.",
            first=giver[field], second=tagger, field=field,
        )
    giver[field] = tagger


def tag_texts(options: ModelOptions, batch: Sequence[Enrichment]) -> list[Outcome]:
    """Tag a batch with the chain of these options, opened once in each process: values in, values out, for any pool."""
    return opened(options)(batch)


@cache
def opened(options: ModelOptions) -> Chain:
    """The chain of these options, opened once in each process."""
    from nlp import open_taggers

    return open_taggers(options)


def _step(tagger: Tagger, outcomes: list[Outcome]) -> list[Outcome]:
    alive = [outcome.enrichment for outcome in outcomes if outcome.note is None]
    if not alive:
        return outcomes
    try:
        answers = iter([Outcome(enrichment=enrichment) for enrichment in _ask(tagger, alive)])
    except ModelError:
        raise
    except Exception:
        answers = iter([_ask_alone(tagger, enrichment) for enrichment in alive])
    return [outcome if outcome.note is not None else next(answers) for outcome in outcomes]


def _ask_alone(tagger: Tagger, enrichment: Enrichment) -> Outcome:
    try:
        return Outcome(enrichment=_ask(tagger, [enrichment])[0])
    except ModelError:
        raise
    except Exception as error:  # whatever a text can do to a model: it must not cost the others their labels
        return Outcome(enrichment=enrichment, note=f"{tagger.name}: {type(error).__name__}: {error}"[:500])


def _ask(tagger: Tagger, batch: list[Enrichment]) -> list[Enrichment]:
    answers = tagger(batch)
    if len(answers) != len(batch):
        raise ValueError(f"{len(answers)} answers to {len(batch)} texts")
    return [replace(answer, versions={**answer.versions, tagger.name: tagger.version}) for answer in answers]
