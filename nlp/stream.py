"""Tags line after line as they come in: what `escucha tag` does between its input and its output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from escucha.enrichment import Enrichment, Label, Part
from escucha.text import storable
from nlp.chain import KINDS, Outcome, Tag

Record = dict[str, Any]


class Source(Protocol):
    """An input that gives what is there already, as `sys.stdin.buffer` does."""

    def read1(self, size: int, /) -> bytes:
        """At most `size` bytes, waiting only while there is none; empty at the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line as it was understood: the enrichment to tag, or what is wrong with it (`error`)."""

    id: Any
    enrichment: Enrichment | None = None
    text: str = ""
    error: str = ""


def tag_lines(source: Source, tag: Tag, *, at_most: int = 64) -> Iterator[Record]:
    """Yield a record for each line that is not blank: its id, text, lang, every kind of label, and parts.

    A line (UTF-8) is plain text, or a JSON object with `text` and perhaps `id`, `lang` and `title`; the id is the
    line's number where it has none. Each label is {label, score}, or None where no tagger gives it; each part is
    {text, sentiment, pain, touchpoint}. A line that cannot be read or tagged becomes {id, error}. Answers come out
    while the input goes on: a batch is what has arrived by now, at most `at_most` lines.
    """
    number = 0
    for group in arrivals(source, at_most):
        lines = [read_line(line, number + i) for i, line in enumerate(group, 1)]
        number += len(group)
        yield from _tag([line for line in lines if line is not None], tag)


def read_line(line: str, number: int) -> Line | None:
    """What a line says, or None for a blank one. A line that starts with a brace is read as JSON."""
    line = storable(line.removeprefix("\ufeff"))
    if not line:
        return None
    if not line.startswith("{"):
        return Line(id=number, text=line, enrichment=Enrichment(text=line))
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Line(id=number, error=f"Line {number} is not JSON: {error}")
    return _read_row(row, number)


def arrivals(source: Source, at_most: int, size: int = 1 << 16) -> Iterator[list[str]]:
    """Lines in the groups they arrive in, at most `at_most` at once; the last needs no line end."""
    rest = b""
    while chunk := source.read1(size):
        if b"\n" not in chunk:
            rest += chunk
            continue
        *whole, rest = (rest + chunk).split(b"\n")
        for start in range(0, len(whole), at_most):
            yield [line.decode("utf-8", "replace") for line in whole[start : start + at_most]]
    if rest:
        yield [rest.decode("utf-8", "replace")]


def _read_row(row: dict[str, Any], number: int) -> Line:
    text, title, lang, name = (row.get(key) for key in ("text", "title", "lang", "id"))
    name = storable(name) if isinstance(name, str) else name if isinstance(name, int) else number
    if not isinstance(text, str):
        return Line(id=name, error=f"Line {number} has no text.")
    read = storable(f"{title}\n{text}" if isinstance(title, str) else text)
    declared = lang if isinstance(lang, str) else None
    return Line(id=name, text=storable(text), enrichment=Enrichment(text=read, declared_lang=declared))


def _tag(lines: list[Line], tag: Tag) -> Iterator[Record]:
    asked = [line.enrichment for line in lines if line.enrichment is not None]
    outcomes = iter(tag(asked) if asked else ())
    for line in lines:
        yield {"id": line.id, "error": line.error} if line.error else _record(line, next(outcomes))


def _record(line: Line, outcome: Outcome) -> Record:
    if outcome.note is not None:
        return {"id": line.id, "error": outcome.note}
    labels = {kind: _plain(getattr(outcome.enrichment, kind)) for kind in ("lang", *KINDS)}
    parts = [_part(part, outcome.enrichment.text) for part in outcome.enrichment.parts]
    return {"id": line.id, "text": line.text, **labels, "parts": parts}


def _part(part: Part, read: str) -> Record:
    labels = {kind: _plain(getattr(part, kind)) for kind in ("sentiment", "pain", "touchpoint")}
    return {"text": read[part.start : part.end], **labels}


def _plain(label: Label | None) -> Record | None:
    return None if label is None else {"label": label.label, "score": label.score}
