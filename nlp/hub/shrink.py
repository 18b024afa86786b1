"""Makes a compact folder (nlp/hub/compact.py) of a classifier or an encoder: a smaller file, faster on a processor."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

from escucha.errors import Conflict, ModelError
from nlp.export import fuse, rounded, trace
from nlp.hub.compact import GRAPH, TOKENS, Card, Kind, is_compact, write_card
from nlp.hub.fetch import commit_of, located
from nlp.hub.opened import cannot_open
from nlp.hub.taggers import most_pieces, version_of

Parts = tuple[Any, Any, Any, Card]
"""A module to trace, the configuration of its encoder, its tokenizer, and its card."""


def shrink(model: str, kind: Kind, out: Path) -> Card:
    """Write the model to the folder `out` in 8-bit numbers; the card that lies in it.

    Raises:
        Conflict: the folder is there and holds something.
        ModelError: the model cannot be opened, or not be written in this form.
    """
    folder = located(model)
    if is_compact(folder):
        raise ModelError("The model in {folder} has been exported already. Use it as it is.", folder=str(folder))
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise Conflict("The folder {folder} is not empty. Choose another one.", folder=str(out))
    try:
        module, config, tokenizer, card = _classifier(model, folder) if kind == "sentiment" else _encoder(model, folder)
    except Exception as error:  # the libraries raise OSError, ValueError, ImportError, RuntimeError and their own
        raise cannot_open(model, error) from error
    try:
        _write(module, config, tokenizer, card, out)
    except Exception as error:  # tracing and rounding raise whatever the model's own code does
        raise ModelError(
            "The model {model} cannot be exported: {reason}. It can still be used as it is.",
            model=model, reason=(str(error).strip().splitlines() or [type(error).__name__])[0][:300],
        ) from error
    return card


def _write(module: Any, config: Any, tokenizer: Any, card: Card, out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing: whether the graph answers alike is measured afterwards
        plain, fused = Path(folder, "plain.onnx"), Path(folder, "fused.onnx")
        trace(module, plain, "odds" if card.kind == "sentiment" else "vector")
        fuse(config, plain, fused)
        out.mkdir(parents=True, exist_ok=True)
        rounded(fused, out / GRAPH)
    tokenizer.backend_tokenizer.save(str(out / TOKENS))
    write_card(out, card)  # last: without it the folder is no model


def _classifier(model: str, folder: Path) -> Parts:
    import torch
    from transformers import pipeline

    classifier = pipeline(
        "text-classification", model=str(folder), device="cpu", model_kwargs={"attn_implementation": "eager"}
    )
    config = classifier.model.config
    apart = config.problem_type == "multi_label_classification"

    class Odds(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
        def __init__(self) -> None:
            super().__init__()
            self.model = classifier.model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            logits = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
            return logits.sigmoid() if apart else logits.softmax(dim=-1)

    card = Card(
        kind="sentiment", of=version_of(model, commit_of(folder)), labels=tuple(map(str, config.id2label.values())),
        longest=most_pieces(config, classifier.tokenizer), pad=classifier.tokenizer.pad_token_id or 0,
    )
    return Odds().eval(), config, classifier.tokenizer, card


def _encoder(model: str, folder: Path) -> Parts:
    import torch
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(str(folder), device="cpu", model_kwargs={"attn_implementation": "eager"})

    class Vector(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
        def __init__(self) -> None:
            super().__init__()
            self.model = encoder

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            read = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
            return torch.nn.functional.normalize(read["sentence_embedding"], dim=-1)

    config = encoder[0].auto_model.config
    prefix = encoder.prompts.get(encoder.default_prompt_name or "", "")
    card = Card(
        kind="encoder", of=version_of(model, commit_of(folder)), prefix=prefix,
        longest=most_pieces(config, encoder.tokenizer), pad=encoder.tokenizer.pad_token_id or 0,
    )
    return Vector().eval(), config, encoder.tokenizer, card
