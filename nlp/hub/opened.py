"""A model in place of the embedded one, once it is open, and the error for one that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from escucha.errors import ModelError
from nlp.heads import Floats

Answer = Callable[[list[str], int], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A model that is open. `answer` takes texts, and how many of them to read at once.

    A classifier answers with the probability of each of its `labels`, (texts, labels); an encoder, which has no
    labels, with vectors of length 1, (texts, width). `device` is cuda, mps or cpu.
    """

    version: str
    device: str
    answer: Answer
    labels: tuple[str, ...] = ()


def cannot_open(model: str, why: Exception | str) -> ModelError:
    """The error for a model that cannot be opened; of a library's error, the first line."""
    reason = (str(why).strip().splitlines() or [type(why).__name__])[0][:300]
    return ModelError(
        "The model {model} cannot be opened: {reason}. Give the path of a folder that holds it, or connect to the "
        "network once so that it can be fetched.", model=model, reason=reason,
    )
