"""Commands about the models: tag, evaluate, train."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from api.console import help_text, progress, say, show_json


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(help=help_text("Tag lines from standard input (text or JSONL); JSONL comes out, line by line."))(tag)
    app.command(help=help_text("Score the taggers on labelled JSONL; prints JSON."))(evaluate)
    app.command(help=help_text("Train the embedded model from labelled data."))(train)


def tag() -> None:
    """Read lines, write their labels, as they come; no database."""
    from api.assembly import model_options
    from config.settings import read_settings
    from nlp import open_taggers
    from nlp.stream import tag_lines

    chain = open_taggers(model_options(read_settings()))
    for record in tag_lines(sys.stdin.buffer, chain):  # type: ignore[arg-type]
        sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def evaluate(file: Path = typer.Argument(help=help_text("Labelled JSONL, gzip or not."))) -> None:
    """Score the taggers."""
    from api.assembly import model_options
    from config.settings import read_settings
    from nlp import open_taggers
    from nlp.evaluate import evaluate as score
    from nlp.evaluate import read_labelled

    rows, bad = read_labelled(file)
    for line in bad:
        say("Line {number} was left out: {why}", number=line.number, why=line.why, stderr=True)
    show_json(score(rows, open_taggers(model_options(read_settings()))))


def train(
    data: Path = typer.Argument(help=help_text("The folder of labelled sets.")),
    out: Path = typer.Option(None, help=help_text("Where the weights go; over the embedded ones if not given.")),
) -> None:
    """Train the embedded model; its scores on the development splits are in the card it writes."""
    from nlp.encoder import MODEL
    from nlp.train import train as learn

    with progress("Training", 100) as advance:
        done = 0

        def tell(share: float, _: str) -> None:
            nonlocal done
            advance(round(100 * share) - done)
            done = round(100 * share)

        learn(data, out or MODEL, tell)
    say("The weights and their card are in {out}.", out=out or MODEL)
