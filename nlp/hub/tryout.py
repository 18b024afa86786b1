"""Opens a model that somebody wants to use, checks it, measures it, and says how it stands beside the embedded one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from escucha.enrichment import Enrichment
from escucha.errors import ModelError
from nlp.encoder import MODEL, Encoder
from nlp.evaluate import Labelled
from nlp.hub.compact import GRAPH, Kind, is_compact, open_compact, read_card
from nlp.hub.fetch import kept, located
from nlp.hub.opened import Opened
from nlp.hub.shelf import Noted, called
from nlp.hub.shrink import shrink
from nlp.hub.taggers import HubSentiment, open_classifier, open_encoder
from nlp.hub.trial import SAMPLE, SIZES, Tell, fastest, read_all, same_answers, same_labels, same_neighbours


def steps(rows: Sequence[Labelled]) -> int:
    """How many texts `try_out` will have told of at the end, at most."""
    return len(SIZES) * SAMPLE + 2 * len(rows)


def kind_of(model: str) -> Kind:
    """What a model is for, by its own configuration. It is fetched first; raises ModelError when it cannot be."""
    folder = located(model, fresh=True)
    try:
        if is_compact(folder):
            return read_card(folder).kind
        made_as = json.loads((folder / "config.json").read_text("utf-8")).get("architectures") or ()
    except (OSError, ValueError, TypeError, KeyError):  # opening it will say what is wrong
        return "encoder"
    return "sentiment" if any("ForSequenceClassification" in name for name in made_as) else "encoder"


def opened(model: str, kind: Kind, labels: Mapping[str, str], threads: int = 1) -> Opened:
    """The model, open, its labels understood. Raises ModelError when it is not there or they are not."""
    found = open_classifier(model, threads) if kind == "sentiment" else open_encoder(model, threads)
    if kind == "sentiment":
        HubSentiment(found, 1, labels)  # raises where they are not
    return found


def how_it_stands(note: Noted) -> Noted:
    """What is noted of a model, with its version and device as they are now; nothing is fetched.

    Raises:
        ModelError: it cannot be opened now.
    """
    if not Path(note.model).is_dir() and kept(note.model) is None:
        raise ModelError("The model {model} has not been fetched. Run `escucha models add {model}`.", model=note.model)
    now = opened(note.model, note.kind, note.labels)
    return replace(note, version=now.version, device=now.device)


def try_out(model: str, kind: Kind, labels: Mapping[str, str], rows: Sequence[Labelled], tell: Tell) -> Noted:
    """Fetch and open a model, find how many texts at once suit it, and compare its answers with the embedded model's.

    Raises:
        ModelError: it cannot be fetched or opened, or its labels are not understood.
    """
    located(model, fresh=True)
    found, texts = opened(model, kind, labels), [row.text for row in rows]
    at_once = fastest(found, texts, tell)
    embedded = Encoder(MODEL, ("sentiment", "vector"))
    answers, speed = read_all(found, texts, at_once, tell)
    if kind == "sentiment":
        tagger = HubSentiment(found, at_once, labels)
        theirs = [tagger.sentiment(odds).label for odds in answers]
        agreement = same_labels(_sentiments(embedded, texts), theirs, rows)
    else:
        agreement = same_neighbours(embedded.vectors(texts), answers)
    tell(len(rows))
    return Noted(
        model=called(model), kind=kind, version=found.version, device=found.device, at_once=at_once,
        texts_per_s=speed, labels=dict(labels), agreement=agreement,
    )


def export(model: str, kind: Kind, out: Path, rows: Sequence[Labelled], at_once: int, tell: Tell) -> dict[str, Any]:
    """Export a model to a compact folder, and measure both on the texts: agreement, texts/s and bytes.

    Raises:
        Conflict: the folder holds something already.
        ModelError: the model cannot be opened or exported.
    """
    import torch

    card, texts, threads = shrink(model, kind, out), [row.text for row in rows], torch.get_num_threads()
    original = open_classifier(model) if kind == "sentiment" else open_encoder(model)
    small = open_compact(out, kind, threads)
    for each in (original, small):
        each.answer(texts[:8], 8)
    before, slow = read_all(original, texts, at_once, tell)
    after, fast = read_all(small, texts, at_once, tell)
    return {
        "folder": str(out.resolve()), "kind": kind, "of": card.of, "labels": list(card.labels), "threads": threads,
        "before": {"bytes": _bytes(located(model)), "texts_per_s": slow, "device": original.device},
        "after": {"bytes": (out / GRAPH).stat().st_size, "texts_per_s": fast, "device": small.device},
        "agreement": same_answers(before, after, labels=kind == "sentiment"),
    }


def _sentiments(embedded: Encoder, texts: Sequence[str]) -> list[str]:
    tagged = embedded([Enrichment(text=text) for text in texts])
    return [enrichment.sentiment.label for enrichment in tagged if enrichment.sentiment]


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for end in ("safetensors", "bin") for file in folder.glob(f"*.{end}"))
