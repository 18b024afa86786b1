"""Teaches the encoder all kinds of label at once, without letting it forget what texts are about.

It is taught several times, each from another seed, and the weights are averaged: that costs nothing when it answers,
and is better than each alone (Wortsman et al. 2022, "Model soups").
"""

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


Sets = Sequence[tuple[Sequence[Labelled], float]]
"""Rows, with the share of them that each epoch sees."""


def learn(
    base: Path, sets: Sets, plan: Plan, progress: Progress
) -> tuple[Any, dict[str, Head]]:
    """The taught encoder (a BertModel on the CPU) and its heads."""
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


def learn_once(base: Path, sets: Sets, plan: Plan, kept: Path, progress: Progress) -> None:
    """`learn`, with what came of it kept in a file; nothing is done where that file is there from an earlier run."""
    import torch

    if kept.exists():
        return
    model, heads = learn(base, sets, plan, progress)
    told = {kind: (list(head.classes), torch.from_numpy(head.weights), torch.from_numpy(head.bias))
            for kind, head in heads.items()}  # fmt: skip
    kept.parent.mkdir(parents=True, exist_ok=True)
    half = kept.with_suffix(".part")
    torch.save({"encoder": model.state_dict(), "heads": told}, half)
    half.rename(kept)


def average(base: Path, kept: Sequence[Path]) -> tuple[Any, dict[str, Head]]:
    """The encoder whose weights are the mean of those in the files, and the mean of their heads."""
    import torch
    from transformers import BertModel

    runs = [torch.load(path, weights_only=True) for path in kept]
    model = BertModel.from_pretrained(base, dtype=torch.float32, add_pooling_layer=False)
    every = {name: torch.stack([run["encoder"][name] for run in runs]) for name in runs[0]["encoder"]}
    model.load_state_dict(
        {name: values.mean(0) if values.is_floating_point() else values[0] for name, values in every.items()}
    )
    heads = {
        kind: Head(
            classes=tuple(classes),
            weights=torch.stack([run["heads"][kind][1] for run in runs]).mean(0).numpy(),
            bias=torch.stack([run["heads"][kind][2] for run in runs]).mean(0).numpy(),
        ) for kind, (classes, _, _) in runs[0]["heads"].items()
    }  # fmt: skip
    return model, heads


def classes_of(kind: str, texts: Sequence[Text]) -> tuple[str, ...]:
    """The labels of a kind that occur, in alphabetical order."""
    return tuple(sorted({text.labels[kind] for text in texts if kind in text.labels}))


def weigh(kind: str, texts: Sequence[Text], classes: Sequence[str], rare: float, device: str) -> Any:
    """The weight of each label of a kind, 1 on average."""
    import torch

    told = [text.labels[kind] for text in texts if kind in text.labels]
    weights = np.array([told.count(label) ** -rare for label in classes])
    return torch.tensor(weights / weights.mean(), dtype=torch.float32, device=device)
