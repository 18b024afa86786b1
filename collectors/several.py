"""Walks several listings for one query, such as the countries of an app or the places of a business."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from collectors.walk import Notes, Step
from escucha.source import Span

Walk = Callable[[Notes], Iterator[Step]]
"""One listing's walk, from the notes of its own (collectors.walk)."""


def walk_each(notes: Notes, walks: Mapping[str, Walk]) -> Iterator[Step]:
    """The steps of every walk, one walk after the other; one that an earlier run left unfinished goes first.

    A walk that stops at its bound ends the run. What all of them cover comes with the last step, when nothing is in
    doubt. A listing that never showed anything keeps no notes: an empty answer may hide a block, so its first reading
    is repeated until something comes.
    """
    kept = {name: own for name, own in notes.get("walks", {}).items() if name in walks}
    covered = {name: span for name, span in notes.get("covered", {}).items() if name in walks}
    order = sorted(walks, key=lambda name: "walk" not in kept.get(name, {}))
    doubtful = False
    for name in order:
        for step in walks[name](kept.get(name, {})):
            kept = {**kept, name: _believed(step.notes)}
            doubtful = doubtful or step.empty
            if step.covers and not step.empty:
                covered = {**covered, name: _joined(covered.get(name), step.covers)}
            ends = step.covers is not None and name == order[-1] and not doubtful
            yield replace(
                step, notes={"walks": kept, "covered": covered},
                covers=_common([covered.get(each) for each in order]) if ends else None,
            )
            if step.more:
                return


def _believed(notes: Notes) -> Notes:
    return notes if notes.get("seen") or "walk" in notes else {}


def _joined(before: Sequence[str] | None, span: Span) -> list[str]:
    """What one listing's walks covered so far, as notes keep it; only the newest stretch where they leave a hole."""
    start, end = span.start, span.end
    if before and start <= datetime.fromisoformat(before[1]):
        start, end = min(start, datetime.fromisoformat(before[0])), max(end, datetime.fromisoformat(before[1]))
    return [start.isoformat(), end.isoformat()]


def _common(spans: Sequence[Any]) -> Span | None:
    """The time that all listings cover, or None where there is none."""
    if not all(spans):
        return None
    start = max(datetime.fromisoformat(span[0]) for span in spans)
    end = min(datetime.fromisoformat(span[1]) for span in spans)
    return Span(start, end) if start <= end else None
