"""Commands about models in place of the embedded one: models list, models add, models export."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from api.console import help_text, progress, reader, say, show_json, table
from api.i18n import N_
from escucha.errors import EscuchaError, Invalid

if TYPE_CHECKING:
    from config.settings import Settings
    from nlp.evaluate import Labelled
    from nlp.hub.compact import Kind
    from nlp.hub.shelf import Noted

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
NAME = typer.Argument(help=help_text("A folder, or a name on a model hub."))
AS = typer.Option("", "--as", help=help_text("sentiment or encoder; by the model itself if not given."))
TEXTS = typer.Option(None, help=help_text("Texts to measure on, one a line or JSONL; the sample's if not given."))

group = typer.Typer(help=help_text("Models of your own in place of the embedded one."), no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("list", help=help_text("List the models: what for, whether they open, how fast they are."))(listed)
    group.command("add", help=help_text("Fetch a model, check its labels and measure it."))(add)
    group.command("export", help=help_text("Export a model to a smaller and faster form (ONNX, 8 bits)."))(export)
    app.add_typer(group, name="models")


def listed(as_json: bool = typer.Option(False, "--json", help=help_text("Print JSON."))) -> None:
    """The embedded model, the configured ones and those that were added."""
    from config.settings import read_settings

    settings = read_settings()
    embedded = _embedded()
    others = [_standing(note, settings) for note in _all(settings)]
    if as_json:
        show_json({"embedded": embedded, "others": others})
        return
    say("Embedded model, version {version}: {size:.1f} MB, {kinds}.", version=embedded["version"],
        size=embedded["bytes"] / 1e6, kinds=", ".join(embedded["kinds"]))  # fmt: skip
    table((N_("kind"), N_("data set"), N_("texts"), N_("accuracy"), N_("macro-F1")), _scores(embedded["dev"]))
    if others:
        table(
            (N_("model"), N_("for"), N_("in use"), N_("state"), N_("device"), N_("texts at once"), N_("texts/s")),
            [[row[name] for name in ("model", "kind", "in_use", "state", "device", "at_once", "texts_per_s")]
             for row in (_shown(other) for other in others)],
        )  # fmt: skip
    else:
        say("No other model was added. Add one with `escucha models add NAME_OR_FOLDER`.")


def add(
    model: str = NAME, kind: str = AS, texts: Path = TEXTS,
    label: list[str] = typer.Option([], help=help_text("What a label means, as LABEL_0=negative (repeatable).")),
    as_json: bool = typer.Option(False, "--json", help=help_text("Print JSON.")),
) -> None:
    """Fetch, check, measure, note; and say what to write in the settings."""
    from config.settings import read_settings
    from nlp.hub.shelf import put
    from nlp.hub.tryout import steps, try_out

    settings, rows = read_settings(), _texts(texts)
    chosen, meanings = _kind(model, kind), dict(_meaning(each) for each in label)
    if not meanings and model == settings.nlp.sentiment.model:
        meanings = dict(settings.nlp.sentiment.labels)
    with progress("Measuring the model", steps(rows)) as advance:
        note = try_out(model, chosen, meanings, rows, advance)
    put(Path(settings.nlp.shelf), note)
    if as_json:
        show_json(asdict(note))
        return
    say("Added {model}: {speed} texts a second on {device}, {at_once} at once.", model=note.model,
        speed=note.texts_per_s, device=note.device, at_once=note.at_once)  # fmt: skip
    _say_agreement(note)
    say("To use it, write in escucha.toml:\n[nlp.{kind}]\nmodel = \"{model}\"", kind=chosen, model=note.model)


def export(
    model: str = NAME, out: Path = typer.Option(..., help=help_text("The folder to write, new or empty.")),
    kind: str = AS, texts: Path = TEXTS,
) -> None:
    """Write the folder; print how near it is to the original, and how much faster, as JSON."""
    from config.settings import read_settings
    from nlp.hub.shelf import noted
    from nlp.hub.tryout import export as export_measured

    rows, chosen = _texts(texts), _kind(model, kind)
    at_once = noted(Path(read_settings().nlp.shelf), model, chosen).at_once
    with progress("Exporting and measuring", 2 * len(rows)) as advance:
        show = export_measured(model, chosen, out, rows, at_once, advance)
    show_json(show)


def _embedded() -> dict[str, Any]:
    import json

    from nlp.encoder import GRAPH, HEADS, MODEL, TOKENS, version_of
    from nlp.heads import read_heads

    card = json.loads((MODEL / "card.json").read_text("utf-8"))
    parts = (GRAPH, TOKENS, HEADS)
    return {
        "model": card["model"], "version": version_of(MODEL, parts),
        "bytes": sum((MODEL / part).stat().st_size for part in parts),
        "kinds": {kind: list(head.classes) for kind, head in read_heads(MODEL / HEADS).items()}, "dev": card["dev"],
    }


def _scores(dev: dict[str, dict[str, Any]]) -> list[tuple[object, ...]]:
    return [
        (kind, name, scores["n"], f"{scores['accuracy']:.3f}", f"{scores['macro_f1']:.3f}")
        for kind, sets in dev.items() for name, scores in sets.items()
    ]  # fmt: skip


def _all(settings: Settings) -> list[Noted]:
    from nlp.hub.shelf import called, noted, read_shelf

    shelf = Path(settings.nlp.shelf)
    found = {(note.model, note.kind): note for note in read_shelf(shelf)}
    for model, kind in _configured(settings):
        found.setdefault((called(model), kind), noted(shelf, model, kind))
    return list(found.values())


def _configured(settings: Settings) -> list[tuple[str, Kind]]:
    asked: list[tuple[str, Kind]] = [
        (settings.nlp.sentiment.model, "sentiment"), (settings.nlp.encoder.model, "encoder")
    ]
    return [(model, kind) for model, kind in asked if model]


def _standing(note: Noted, settings: Settings) -> dict[str, Any]:
    from nlp.hub.shelf import called
    from nlp.hub.tryout import how_it_stands

    in_use = (note.model, note.kind) in [(called(model), kind) for model, kind in _configured(settings)]
    if in_use and note.kind == "sentiment" and settings.nlp.sentiment.labels:
        note = replace(note, labels=dict(settings.nlp.sentiment.labels))
    try:
        return {**asdict(how_it_stands(note)), "in_use": in_use, "opens": True, "why": ""}
    except EscuchaError as error:
        return {**asdict(note), "in_use": in_use, "opens": False, "why": reader().say(error.message, **error.details)}


def _shown(other: dict[str, Any]) -> dict[str, Any]:
    return {
        **other, "in_use": "✓" if other["in_use"] else "", "state": "✓" if other["opens"] else f"✗ {other['why']}",
        "texts_per_s": other["texts_per_s"] or "–",
    }


def _say_agreement(note: Noted) -> None:
    found = note.agreement
    if note.kind == "encoder":
        say("On {n} texts, {share:.0%} of each text's ten nearest are the embedded model's too.", n=found["n"],
            share=found["same_neighbours"] or 0)  # fmt: skip
        return
    say("On {n} texts it gives the embedded model's sentiment in {share:.0%}.", n=found["n"], share=found["same_label"])
    if found["labelled"]:
        say("Right on the {n} that carry people's labels: this model {this:.0%}, the embedded one {embedded:.0%}.",
            n=found["labelled"], this=found["this"]["accuracy"], embedded=found["embedded"]["accuracy"])  # fmt: skip


def _kind(model: str, asked: str) -> Kind:
    from nlp.hub.tryout import kind_of

    if asked not in ("", "sentiment", "encoder"):
        raise Invalid("A model is added as sentiment or as encoder, not as {asked}.", asked=asked)
    return cast("Kind", asked) if asked else kind_of(model)


def _meaning(said: str) -> tuple[str, str]:
    name, _, meaning = said.rpartition("=")
    if not name or meaning not in ("negative", "neutral", "positive"):
        raise Invalid("Say what a label means as LABEL_0=negative (or neutral, or positive), not {said}.", said=said)
    return name, meaning


def _texts(path: Path | None) -> list[Labelled]:
    from nlp.hub.trial import read_texts

    return read_texts([path] if path else sorted(SAMPLE.glob("*.jsonl")))
