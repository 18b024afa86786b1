"""The labelled texts that the embedded model learns from: which sets, under which licence, and how much of each."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nlp.evaluate import Labelled, read_labelled

JOURNEY = "journey"


WRITTEN = Path(__file__).parent / "written"
"""Texts written for this project, by field; the folder's README says how."""
OWN = "written"

_CLOSED = re.compile(r"\bNC\b|research|academic|terms apply|none stated|not seen", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One data set in the mix.

    `most` says how many rows to take of a group, which is a sentiment or else a language (empty: every row);
    `share` is how much of what was taken is seen in each epoch, another draw each time. A row's own licence goes
    before the set's.
    """

    licence: str
    most: Mapping[str, int] = field(default_factory=dict)
    share: float = 1.0


MIX: Mapping[str, Part] = {
    JOURNEY: Part(licence="each text its own: GPL-3.0, MIT, PDDL, CC0, CC BY, CC BY-NC-SA, research use"),
    "journey_written": Part(licence="written for this project, free"),
    OWN: Part(licence="written for this project, Apache-2.0 like it"),
    "umsab": Part(licence="Apache-2.0 repository; the tweets are for research use", share=0.8),
    "airlines_es": Part(
        licence="GPL-3.0 repository; terms of the original competition not seen", most={"es": 2000}, share=0.4
    ),
    "us_airline": Part(
        licence="MIT repository; the original is commonly given as CC BY-NC-SA 4.0", most={"en": 4000}, share=0.3
    ),
    "coah_coar": Part(
        licence="CC BY-NC-SA 4.0", most={"negative": 535, "neutral": 265, "positive": 700}, share=0.4
    ),
    "meia2025": Part(
        licence="MIT repository; the Rest-Mex collection is for academic and research use", most={"es": 2400}, share=0.4
    ),
    "steam_es": Part(licence="MIT repository", most={"negative": 700, "positive": 700}, share=0.4),
    "sfu_es": Part(licence="CC BY-NC-SA 4.0", share=0.5),
    "semeval16_rest": Part(
        licence="Apache-2.0 repository; distributed for research", most={"es": 1200, "en": 400}, share=0.4
    ),
    "emoevent": Part(
        licence="author's card Apache-2.0, the group's CC BY-NC-SA 4.0; research use", most={"es": 4300, "en": 1200},
        share=0.4,
    ),
}  # fmt: skip
"""What is learned from. The first three teach stage, pain and touchpoint; they and the last, emotion; all but the last,
sentiment."""


def read_split(data: Path, split: str, mix: Mapping[str, Part] = MIX) -> dict[str, list[Labelled]]:
    """The rows of one split (train or dev) of every set that is there. Raises Invalid for an unreadable one."""
    paths = {name: data / name / f"{split}.jsonl.gz" for name in mix}
    found = {name: read_labelled(path)[0] for name, path in paths.items() if path.exists()}
    if split == "train" and OWN in mix:
        found[OWN] = [row for path in sorted(WRITTEN.glob("*.jsonl")) for row in read_labelled(path)[0]]
    return found


def permitted(rows: Sequence[Labelled], part: Part) -> list[Labelled]:
    """The rows whose licence, or else their set's, allows commercial use without further terms."""
    return [row for row in rows if not _CLOSED.search(row.licence or part.licence)]


def drawn(rows: Sequence[Labelled], part: Part, seed: int) -> list[Labelled]:
    """The rows to take of a set, drawn at random where it has more than `part.most` allows."""
    if not part.most:
        return list(rows)
    left = Counter(part.most)
    taken: list[Labelled] = []
    for row in random.Random(seed).sample(rows, len(rows)):
        group = next((one for one in (row.labels.get("sentiment"), row.lang) if one in part.most), None)
        if group is not None and left[group] > 0:
            left[group] -= 1
            taken.append(row)
    return taken
