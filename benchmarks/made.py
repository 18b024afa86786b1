"""Made-up mentions in any number, with real words: the sample's texts, cut and spliced by a seeded hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from config.catalogue import HERE, read_catalogue
from escucha.enrichment import SENTIMENTS, Enrichment, Label
from escucha.mention import Author, Engagement, Mention
from pipeline import sample

END = datetime(2026, 11, 20, tzinfo=UTC)
SOURCES = ("mastodon", "reddit", "rss", "reviews", "survey")


def mentions(n: int, days: int = 365, seed: int = 7) -> Iterator[Mention]:
    """`n` mentions over `days`, oldest first, by authors with log-normal followings."""
    dice = random.Random(seed)
    words = [word for line in sample.read(HERE / "sample") for word in line["text"].split()]
    for i in range(n):
        start, author = dice.randrange(len(words) - 60), dice.randrange(1 + n // 5)
        yield Mention(
            source=dice.choice(SOURCES), source_id=str(i), text=" ".join(words[start : start + dice.randint(5, 40)]),
            created_at=END - timedelta(days=days * (n - i) / n), lang="es", url=f"https://ejemplo.invalid/{i}",
            author=Author(id=str(author), handle=f"@a{author}", followers=int(dice.lognormvariate(6, 1.5))),
            engagement=Engagement(likes=dice.randrange(100), comments=dice.randrange(10), shares=dice.randrange(5)),
        )


def labels(n: int, seed: int = 7) -> Iterator[Enrichment]:
    """`n` enrichments with labels in uneven shares, as in life."""
    dice, catalogue = random.Random(seed), read_catalogue()
    keys = {
        "stage": [entry.key for entry in catalogue.stages] + ["none"],
        "pain": [entry.key for entry in catalogue.pains] + ["none"] * 5,
        "touchpoint": [entry.key for entry in catalogue.touchpoints] + ["none"] * 2,
        "sentiment": list(SENTIMENTS),
        "lang": ["es", "es", "es", "en", "pt"],
    }
    for _ in range(n):
        chosen = {field: Label(dice.choice(values), round(dice.uniform(0.4, 1), 3)) for field, values in keys.items()}
        yield Enrichment(text="", versions={"bench": "1"}, **chosen)  # type: ignore[arg-type]
