"""Where the program begins: `escucha tag` goes straight to work, everything else to the whole command line."""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Run a command. `escucha tag` alone needs none of what reading options and settings takes to open."""
    if sys.argv[1:] != ["tag"]:
        from api.cli import main as command_line

        return command_line()
    from escucha.errors import EscuchaError

    try:
        tag()
    except EscuchaError as error:
        from api.console import fail

        sys.exit(fail(error))
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stderr.close()
        sys.exit(0)
    return None


def tag() -> None:
    """Read lines from standard input, write their labels, as they come; no database."""
    from api.assembly import chosen_models
    from nlp import open_taggers
    from nlp.stream import tag_lines

    chain = open_taggers(chosen_models())
    for record in tag_lines(sys.stdin.buffer, chain):  # type: ignore[arg-type]
        sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
        sys.stdout.flush()
