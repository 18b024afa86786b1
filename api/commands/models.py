"""Commands about the models: tag, evaluate, train, and models of one's own (shelf.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from api.commands import heads, shelf
from api.console import help_text, progress, say, show_json
from api.start import tag


class Training(TyperGroup):
    """`escucha train DATA` trains the embedded model, as `escucha train data DATA` does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What is no command of the group's own, nor a call for help, is the folder or an option of `data`."""
        named = not args or args[0] in self.commands or args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if named else ["data", *args])


training = typer.Typer(
    cls=Training, no_args_is_help=True, subcommand_metavar="DATA | heads",
    help=help_text("Train the embedded model from the folder DATA of labelled sets, or a brand's own heads."),
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(help=help_text("Tag lines from standard input (text or JSONL); JSONL comes out, line by line."))(tag)
    app.command(help=help_text("Score the taggers on labelled JSONL; prints JSON."))(evaluate)
    training.command("data", hidden=True, help=help_text("Train the embedded model from labelled data."))(train)
    training.command("heads", help=help_text("Learn from a brand's corrections and own labels."))(heads.train)
    app.add_typer(training, name="train")
    shelf.register(app)


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
    seeds: int = typer.Option(2, min=1, max=20, help=help_text("How many times it is taught, to average the weights.")),
    permissive: bool = typer.Option(
        False, "--permissive", help=help_text("Leave out texts for research or non-commercial use only.")
    ),
    epochs: int = typer.Option(4, min=1, max=50, help=help_text("How often each text is seen.")),
    kept: Path = typer.Option(
        Path("data/training"), help=help_text("Where what was learned from each seed is kept, to go on after a stop.")
    ),
) -> None:
    """Train the embedded model; its scores on the development splits are in the card it writes."""
    from nlp.encoder import MODEL
    from nlp.school import Plan
    from nlp.train import train as learn

    with progress("Training", 100) as advance:
        done = 0

        def tell(share: float, _: str) -> None:
            nonlocal done
            advance(round(100 * share) - done)
            done = round(100 * share)

        learn(
            data, out or MODEL, tell, plan=Plan(epochs=epochs), seeds=range(1, seeds + 1), permissive=permissive,
            kept=kept,
        )
    say("The weights and their card are in {out}.", out=out or MODEL)
