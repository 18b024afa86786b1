"""The store at a million mentions: ingest, roll-ups, panels, search and pages, on both databases, beside the ORM.

`python -m benchmarks.store --rows 1000000` prints JSON. Labels are set in one statement after the ingest, for the
taggers are not what is measured. `--times K` then copies the mentions K - 1 times within the database, so that
PostgreSQL can be measured at ten times as many without reading as many texts.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text

from benchmarks import made
from escucha.brand import Brand
from escucha.filter import MentionFilter
from escucha.mention import Mention
from escucha.query.parse import parse
from store import brands, fulltext, mentions, metrics, rollups
from store.engine import Store, open_store
from store.schema import migrate
from store.seek import IDS, from_moment
from store.speakers import speakers
from store.tables import MentionRow
from tests.postgres import emptied, postgres_server

SHARES = (40, 25, 15, 12, 8)
"""Per cent of the mentions that each of the five brands has."""
BATCH = 1_000
RUNS = 60
NAIVE = 20_000
LABELS = {
    "sentiment": ("positive", "neutral", "negative", "negative", "neutral"),
    "stage": ("awareness", "consideration", "purchase", "retention", "advocacy", "none", "none"),
    "pain": ("frustration", "inefficiency", "need", "problem", "lost_opportunity", "none", "none", "none", "none"),
    "touchpoint": ("app", "store", "support", "web", "delivery", "none", "none"),
    "lang": ("es", "es", "es", "en", "pt"),
}  # fmt: skip
Timed = Callable[[], object]


def said(n: int) -> Iterator[tuple[int, Mention]]:
    """`n` mentions with the place of their brand: one text in a hundred says "medio", each has a rare word."""
    dice = random.Random(11)
    for number, mention in enumerate(made.mentions(n)):
        words = f"{mention.text} raro{number % 7919}" + (" medio" if number % 100 == 0 else "")
        yield dice.choices(range(len(SHARES)), SHARES)[0], replace(mention, text=words)


def ingest(store: Store, known: list[Brand], n: int) -> float:
    """Seconds that saving takes; making the texts is not counted."""
    waiting: dict[int, list[Mention]] = {place: [] for place in range(len(known))}
    spent = 0.0
    for place, mention in said(n):
        waiting[place].append(mention)
        if len(waiting[place]) == BATCH:
            spent += saved(store, known[place], waiting[place])
            waiting[place] = []
    return spent + sum(saved(store, known[place], rest) for place, rest in waiting.items() if rest)


def saved(store: Store, brand: Brand, batch: list[Mention]) -> float:
    """Seconds for one transaction."""
    start = time.perf_counter()
    with store.write() as session:
        mentions.save(session, brand, batch, made.END)
    return time.perf_counter() - start


def again(store: Store, known: list[Brand], rows: int, n: int, likes: int) -> float:
    """Rows a second of mentions among the first `n` that are heard again, with so many more likes."""
    mine, told = [mention for place, mention in islice(said(rows), n) if place == 0], mentions.Saved()
    mine = [replace(m, engagement=replace(m.engagement, likes=(m.engagement.likes or 0) + likes)) for m in mine]
    begun = time.perf_counter()
    for first in range(0, len(mine), BATCH):
        with store.write() as session:
            told += mentions.save(session, known[0], mine[first : first + BATCH], made.END)
    assert (told.updated if likes else told.duplicate) == len(mine)
    return told.total / (time.perf_counter() - begun)


def the_orm_way(store: Store) -> float:
    """Rows a second of objects added to a session and committed by the thousand, without full text or counts."""
    migrate(store)
    with store.write() as session:
        brand = brands.add(session, Brand(slug="orm", name="ORM"))
    rows = [
        {"brand_id": brand.id, "source": m.source, "source_id": m.source_id, "kind": m.kind, "text": m.text,
         "words": m.text, "content": "", "created_at": m.created_at, "heard_at": made.END, "day": m.created_at.date(),
         "seek": number, "likes": m.engagement.likes, "url": m.url}
        for number, (_, m) in enumerate(said(NAIVE))
    ]  # fmt: skip
    start = time.perf_counter()
    for first in range(0, NAIVE, BATCH):
        with store.write() as session:
            session.add_all(MentionRow(**row) for row in rows[first : first + BATCH])
    return NAIVE / (time.perf_counter() - start)


def label(store: Store) -> None:
    """Give every mention labels in uneven shares, by its number, in one statement."""
    sets = ["state = 'done'"]
    for prime, (name, values) in zip((7, 11, 13, 17, 19), LABELS.items(), strict=True):
        cases = " ".join(f"WHEN {place} THEN '{value}'" for place, value in enumerate(values))
        sets.append(f"{name} = CASE (id * {prime} / 5) % {len(values)} {cases} END, {name}_score = 0.8")
    with store.write() as session:
        session.execute(text(f"UPDATE mention SET {', '.join(sets)}"))


def multiplied(store: Store, times: int) -> None:
    """Copy the mentions within the database, each copy a minute earlier and with an id of its own."""
    with store.read() as session:
        last = session.scalar(select(func.max(MentionRow.id))) or 0
    names = [column.name for column in MentionRow.__table__.columns]
    for turn in range(1, times):
        told = {"id": f"id + {turn * last}", "source_id": f"source_id || '-{turn}'",
                "seek": f"(seek >> {IDS} << {IDS}) + id + {turn * last}"}  # fmt: skip
        with store.write() as session:
            session.execute(text(
                f"INSERT INTO mention ({', '.join(names)}) SELECT {', '.join(told.get(name, name) for name in names)} "
                f"FROM mention WHERE id <= {last}"
            ))
    with store.connect() as connection:
        fulltext.rebuild(connection) if store.dialect == "sqlite" else None
        connection.execute(text("ANALYZE"))


def timed(act: Timed) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - start)


def p(runs: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    ordered = sorted(runs)
    return {"p50_ms": round(statistics.median(ordered), 2), "p95_ms": round(ordered[int(0.95 * (len(ordered) - 1))], 2)}


def questions(store: Store, known: list[Brand]) -> dict[str, dict[str, float]]:
    """What a dashboard, a search box and a list ask, over random brands and periods."""
    dice = random.Random(3)

    def asked(act: Callable[[Any, MentionFilter], object], runs: int = RUNS, **more: Any) -> dict[str, float]:
        found = []
        for _ in range(runs):
            end = made.END - timedelta(days=dice.randrange(0, 200))
            end = end.replace(hour=6, minute=0, second=0, microsecond=0)  # midnight in Mexico City
            filter = MentionFilter(brand=dice.choice(known).slug, since=end - timedelta(days=90), until=end, **more)
            with store.read() as session:
                brands.get(session, filter.brand or "")
                found.append(timed(lambda: act(session, filter)))  # noqa: B023 (called at once)
        return p(found)

    def search(words: Callable[[], str], **more: Any) -> dict[str, float]:
        found = []
        for _ in range(RUNS):
            filter = MentionFilter(brand=dice.choice(known).slug, query=parse(words()), **more)
            with store.read() as session:
                found.append(timed(lambda: mentions.find(session, filter, limit=50)))  # noqa: B023
        return p(found)

    def page(session: Any, filter: MentionFilter) -> object:
        after = from_moment(made.END - timedelta(days=dice.randrange(1, 364)))
        return mentions.find(session, MentionFilter(brand=filter.brand), limit=50, after=str(after))

    def naive(session: Any, filter: MentionFilter) -> object:
        where = (MentionRow.created_at >= filter.since, MentionRow.created_at < filter.until,
                 MentionRow.brand_id == brands.get(session, filter.brand or "").id)
        counts: dict[tuple[Any, Any], int] = {}
        for row in session.scalars(select(MentionRow).where(*where)):
            counts[row.stage, row.sentiment] = counts.get((row.stage, row.sentiment), 0) + 1
        return counts

    slugs = [brand.slug for brand in known]
    return {
        "stage_panel_90_days": asked(
            lambda session, filter: metrics.series(session, filter, "net_sentiment", "stage", "day")
        ),
        "share_of_voice_5_brands": asked(lambda session, filter: metrics.voices(session, filter, slugs)),
        "pain_heat_map": asked(lambda session, filter: metrics.by_stage(session, filter, "pain")),
        "naive_orm_stage_panel": asked(naive, runs=3),
        "search_common_word": search(lambda: "café"),
        "search_two_common_words": search(lambda: "café y la"),
        "search_medium_word": search(lambda: "medio"),
        "search_rare_word": search(lambda: f"raro{dice.randrange(7919)}"),
        "search_phrase": search(lambda: '"el café"'),
        "search_common_and_negative": search(lambda: "café", sentiments=("negative",)),
        "page_50": asked(page),
        "page_50_of_a_stage_and_sentiment": asked(
            lambda session, filter: mentions.find(session, filter, limit=50),
            stages=("purchase",), sentiments=("negative",),
        ),
        "speakers_90_days": asked(lambda session, filter: speakers(
            session, brands.get(session, filter.brand or ""), filter.since.date(), filter.until.date(), (1_000, 50_000),  # type: ignore[union-attr]
        )),
    }  # fmt: skip


def size(store: Store) -> int:
    """Bytes on disk."""
    store.checkpoint()
    if store.dialect == "sqlite":
        return Path(store.url.removeprefix("sqlite:///")).stat().st_size
    with store.read() as session:
        return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)


def measure(opened: Callable[[str], Store], rows: int, times: int) -> dict[str, Any]:
    """Everything, on one store."""
    naive = the_orm_way(opened("orm"))
    store = opened("store")
    migrate(store)
    if store.dialect == "postgresql":
        emptied(store)
    with store.write() as session:
        known = [brands.add(session, Brand(slug=f"marca{n}", name=f"Marca {n}")) for n in range(len(SHARES))]
    seconds = ingest(store, known, rows)
    repeated, reacted = (again(store, known, rows, 50_000, likes) for likes in (0, 1))
    label(store)
    if times > 1:
        multiplied(store, times)
    with store.connect() as connection:
        connection.execute(text("ANALYZE"))
    rebuild, verify = timed(lambda: _in(store, rollups.rebuild)), timed(lambda: _in(store, _verified))
    return {
        "rows": rows * times, "ingest_rows_per_s": round(rows / seconds), "orm_add_all_rows_per_s": round(naive),
        "repeated_rows_per_s": round(repeated), "more_likes_rows_per_s": round(reacted),
        "rebuild_s": round(rebuild / 1000, 1), "verify_s": round(verify / 1000, 1),
        "bytes_per_mention": round(size(store) / (rows * times)),
        **questions(store, known),
    }


def _in(store: Store, act: Callable[[Any], object]) -> None:
    with store.write() as session:
        act(session)


def _verified(session: Any) -> None:
    assert rollups.verify(session) == []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    asked = parser.parse_args()
    figures: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "batch": BATCH}
    with tempfile.TemporaryDirectory() as folder:
        if asked.only != "postgresql":
            figures["sqlite_full"] = measure(
                lambda name: open_store(f"sqlite:///{Path(folder) / name}.db"), asked.rows, asked.times
            )
    with postgres_server() as url:
        if asked.only != "sqlite":
            figures["postgresql"] = (
                measure(lambda _: open_store(url), asked.rows, asked.times) if url else "no server"
            )
    print(json.dumps({"store": figures}, indent=2))


if __name__ == "__main__":
    main()
