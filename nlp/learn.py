"""Teaches the encoder all kinds of label at once, without letting it forget what texts are about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nlp.chain import KINDS
from nlp.encoder import TOKENS, normal, open_tokens
from nlp.evaluate import Labelled
from nlp.heads import Head
from nlp.school import Plan, School, Text

Progress = Callable[[float, str], None]
"""Called with the share done, from 0 to 1, and what is being done."""


def learn(
    base: Path, sets: Sequence[tuple[Sequence[Labelled], float]], plan: Plan, progress: Progress
) -> tuple[Any, dict[str, Head]]:
    """The taught encoder (a BertModel on the CPU) and its heads.

    `sets` are rows with the share of them that each epoch sees.
    """
    tokens = open_tokens(base / TOKENS)
    tokens.enable_truncation(plan.longest)
    texts = [
        Text(labels=row.labels, share=share, ids=tokens.encode(normal(row.text)).ids)
        for rows, share in sets for row in rows
    ]  # fmt: skip
    classes = {kind: found for kind in KINDS if (found := classes_of(kind, texts))}
    school = School(base, classes, plan)
    weights = {kind: weigh(kind, texts, classes[kind], plan.rare, school.device) for kind in classes}
    school.prepare(texts, lambda share: progress(share * 0.1, "reading"))
    school.probe(texts, weights)
    school.tune(texts, weights, lambda share: progress(0.1 + share * 0.8, "learning"))
    return school.model.cpu(), school.heads_learned()


def classes_of(kind: str, texts: Sequence[Text]) -> tuple[str, ...]:
    """The labels of a kind that occur, in alphabetical order."""
    return tuple(sorted({text.labels[kind] for text in texts if kind in text.labels}))


def weigh(kind: str, texts: Sequence[Text], classes: Sequence[str], rare: float, device: str) -> Any:
    """The weight of each label of a kind, 1 on average."""
    import torch

    told = [text.labels[kind] for text in texts if kind in text.labels]
    weights = np.array([told.count(label) ** -rare for label in classes])
    return torch.tensor(weights / weights.mean(), dtype=torch.float32, device=device)
