"""The encoder at school: what it costs to be wrong, and the steps by which it gets better.

The lowest layers and the word table stay as they are, so what they make of each text is computed once and kept. The
heads first learn on the untouched vectors (Kumar et al. 2022: probing before tuning keeps what transfers to new
fields); then heads and upper layers learn together, and a distillation loss holds each vector near the untouched one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nlp.chain import KINDS
from nlp.encoder import PAD
from nlp.heads import Head

SCALE = 12.0
"""What vectors less their mean are multiplied by before a head reads them: they then vary by about 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the encoder is taught.

    `frozen` layers from below stay; `distil` is the weight of 1 − cosine to the untouched vector; `rare` is how far
    rare labels are lifted (weight ∝ count^−rare); `matters` the weight of each kind's loss.
    """

    epochs: int = 4
    frozen: int = 4
    batch: int = 32
    longest: int = 128
    rate: float = 1e-4
    head_rate: float = 1e-3
    probe_steps: int = 150
    warm_up: int = 150
    distil: float = 3.0
    rare: float = 0.5
    smoothing: float = 0.05
    dropout: float = 0.1
    matters: Mapping[str, float] = field(default_factory=lambda: {**dict.fromkeys(KINDS, 1.0), "touchpoint": 0.8,
                                                                  "emotion": 0.7})  # fmt: skip
    seed: int = 1


@dataclass(slots=True, kw_only=True)
class Text:
    """A text at school: its labels, how often it comes up, the pieces, what the frozen layers make of them
    (pieces, width), and its untouched vector."""

    labels: Mapping[str, str]
    share: float
    ids: list[int]
    below: Any = None
    was: Any = None


class School:
    """The encoder in training, with a head for each kind."""

    def __init__(self, base: Path, classes: Mapping[str, tuple[str, ...]], plan: Plan) -> None:
        import torch
        from transformers import BertModel

        torch.manual_seed(plan.seed)
        self.plan, self.classes = plan, classes
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        model = BertModel.from_pretrained(
            base, dtype=torch.float32, add_pooling_layer=False, hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )  # fmt: skip
        self.model = model.to(self.device).requires_grad_(False)
        self.layers = list(model.encoder.layer)
        self.upper = [p for layer in self.layers[plan.frozen :] for p in layer.parameters()]
        self.heads = torch.nn.ModuleDict(
            {kind: torch.nn.Linear(model.config.hidden_size, len(labels)) for kind, labels in classes.items()}
        ).to(self.device)
        self.mean: Any = None

    def prepare(self, texts: Sequence[Text], tell: Callable[[float], None]) -> None:
        """Keep what the frozen layers make of each text, and its untouched vector; learn the mean vector."""
        import torch

        with torch.no_grad():
            for done, group in enumerate(groups := by_length(texts, 64)):
                ids, mask = self._padded(group)
                with self._mixed():
                    below = self._through(self.layers[: self.plan.frozen], self.model.embeddings(input_ids=ids), mask)
                vectors = self.vectors(below, mask)
                for at, text in enumerate(group):
                    text.below = below[at, : len(text.ids)].to(torch.bfloat16).cpu().clone()
                    text.was = vectors[at]
                tell(done / len(groups))
            self.mean = torch.stack([text.was for text in texts]).mean(0)

    def vectors(self, below: Any, mask: Any) -> Any:
        """Texts' vectors (texts, width) of length 1, from what the frozen layers gave (texts, pieces, width)."""
        import torch

        with self._mixed():
            top = self._through(self.layers[self.plan.frozen :], below, mask)
        pooled = (top.float() * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return torch.nn.functional.normalize(pooled, dim=-1)

    def loss(self, texts: Sequence[Text], vectors: Any, weights: Mapping[str, Any], dropout: float = 0.0) -> Any:
        """Each kind's cross-entropy over the texts that have its label, by their share of the batch."""
        import torch

        seen = torch.nn.functional.dropout((vectors - self.mean) * SCALE, dropout)
        total = torch.zeros((), device=self.device)
        for kind, labels in self.classes.items():
            told = [at for at, text in enumerate(texts) if kind in text.labels]
            if told:
                right = torch.tensor([labels.index(texts[at].labels[kind]) for at in told], device=self.device)
                loss = torch.nn.functional.cross_entropy(
                    self.heads[kind](seen[told]), right, weight=weights[kind], label_smoothing=self.plan.smoothing
                )
                total = total + loss * self.plan.matters[kind] * len(told) / len(texts)
        return total

    def probe(self, texts: Sequence[Text], weights: Mapping[str, Any]) -> None:
        """The heads learn on the untouched vectors."""
        import torch

        vectors = torch.stack([text.was for text in texts])
        optimiser = torch.optim.AdamW(self.heads.parameters(), lr=2e-2, weight_decay=1e-2)
        for _ in range(self.plan.probe_steps):
            optimiser.zero_grad()
            self.loss(texts, vectors, weights).backward()
            optimiser.step()

    def tune(self, texts: Sequence[Text], weights: Mapping[str, Any], tell: Callable[[float], None]) -> None:
        """Heads and upper layers learn together: AdamW with warm-up, then a cosine down to a fiftieth."""
        import torch

        for parameter in self.upper:
            parameter.requires_grad_(True)
        optimiser = torch.optim.AdamW(
            [{"params": self.upper}, {"params": self.heads.parameters()}], weight_decay=0.01
        )
        for step, (done, batch) in enumerate(lessons(texts, self.plan)):
            for group, rate in zip(optimiser.param_groups, (self.plan.rate, self.plan.head_rate), strict=True):
                group["lr"] = rate * speed(step, done, self.plan.warm_up)
            mask, below = self._below(batch)
            vectors = self.vectors(below, mask)
            drift = 1 - (vectors * torch.stack([text.was for text in batch])).sum(1).mean()
            loss = self.loss(batch, vectors, weights, self.plan.dropout)
            (loss + self.plan.distil * drift).backward()
            torch.nn.utils.clip_grad_norm_(self.upper, 1.0)
            optimiser.step()
            optimiser.zero_grad()
            tell(done)

    def heads_learned(self) -> dict[str, Head]:
        """The heads as they read vectors directly: the mean and the scale are worked into them."""
        found = {}
        for kind, labels in self.classes.items():
            weights = self.heads[kind].weight.detach().float() * SCALE
            bias = self.heads[kind].bias.detach().float() - weights @ self.mean
            found[kind] = Head(classes=labels, weights=weights.T.cpu().numpy().copy(), bias=bias.cpu().numpy())
        return found

    def _mixed(self) -> Any:
        import torch

        return torch.autocast(self.device, torch.bfloat16)

    def _through(self, layers: Sequence[Any], hidden: Any, mask: Any) -> Any:
        import torch

        hidden = hidden.to(torch.bfloat16)
        shut = ((1 - mask) * -1e4)[:, None, None, :].to(torch.bfloat16)
        for layer in layers:
            given = layer(hidden, shut)
            hidden = given[0] if isinstance(given, tuple) else given
        return hidden

    def _padded(self, texts: Sequence[Text]) -> tuple[Any, Any]:
        import torch

        rows = [torch.tensor(text.ids) for text in texts]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD).to(self.device)
        return ids, (ids != PAD).float()

    def _below(self, texts: Sequence[Text]) -> tuple[Any, Any]:
        import torch

        below = torch.nn.utils.rnn.pad_sequence([text.below for text in texts], batch_first=True).to(self.device)
        return self._padded(texts)[1], below


def lessons(texts: Sequence[Text], plan: Plan) -> Iterator[tuple[float, list[Text]]]:
    """Batches in the order they are learned, each with the share done so far: like lengths together, else at random."""
    chance = random.Random(plan.seed)
    for epoch in range(plan.epochs):
        seen = [text for text in texts if chance.random() < text.share]
        chance.shuffle(seen)
        wide = plan.batch * 40
        batches = [
            batch for start in range(0, len(seen), wide) for batch in by_length(seen[start : start + wide], plan.batch)
        ]
        chance.shuffle(batches)
        for at, batch in enumerate(batches):
            yield (epoch + at / len(batches)) / plan.epochs, batch


def by_length(texts: Sequence[Text], size: int) -> list[list[Text]]:
    """The texts in groups of like length, the short ones first."""
    order = sorted(texts, key=lambda text: len(text.ids))
    return [order[start : start + size] for start in range(0, len(order), size)]


def speed(step: int, done: float, warm_up: int) -> float:
    """The share of the full learning rate at a step, with `done` of the whole behind it."""
    return min(1.0, (step + 1) / warm_up) * (0.02 + 0.49 * (1 + math.cos(math.pi * done)))
