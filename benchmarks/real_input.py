"""The main job on real input: files imported, recordings collected through the clock, everything enriched, and counted.

Needs the shared material beside the repository. `--keep FOLDER` leaves the database there, to open the pages on it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from collectors.http import WebOptions
from escucha.brand import Brand, Query, Watch
from escucha.filter import MentionFilter
from nlp.chain import ModelOptions
from pipeline.importing import Report, import_file
from pipeline.means import Means
from pipeline.pool import open_pool
from pipeline.schedule import Clock, now
from store import brands, metrics, watches
from store.engine import Store, open_store
from store.health import health
from store.schema import migrate
from tests.pipeline.upstream import Upstream, upstream

SHARED = Path(__file__).parents[2] / "shared"
SETS = ("airlines_es", "coah_coar", "us_airline")
DIMENSIONS = ("sentiment", "stage", "pain", "touchpoint", "lang", "source")


def run(
    shared: Path, store: Store, splits: tuple[str, ...] = ("train", "dev"), lines: int | None = None,
    one_in: int = 1,
) -> dict[str, Any]:
    """Do it all on a store; the counts. `lines`: only so many of each set; `one_in`: one of so many recordings."""
    migrate(store)
    with store.write() as session:
        travel = brands.add(session, Brand(slug="viajes", name="Viajes", timezone="Europe/Madrid"))
        heard = brands.add(session, Brand(slug="grabaciones", name="Grabaciones", timezone="UTC"))
    files = {f"{name}/{split}": shared / "data" / name / f"{split}.jsonl.gz" for name in SETS for split in splits}
    with first_lines(files, lines) as kept:
        reports = {
            name: import_file(store, travel, path, now(), {"source": name.split("/")[0]}) for name, path in kept.items()
        }
    with upstream() as web, open_pool(threads=4) as pool:
        keys = {"reddit": {"client_id": "a", "client_secret": "b", "oauth_url": web.url, "reddit_url": web.url}}
        means = Means(
            store=store, pool=pool, models=ModelOptions(), keys=keys,
            web=WebOptions(allow_hosts=(web.host,), pace=0, max_bytes=20_000_000),
        )
        with store.write() as session:
            for source, query in some(recorded(shared / "upstream", web), one_in):
                watches.add(session, heard.id or 0, source, Query(text=query), 86_400, now())
        start = time.perf_counter()
        with Clock(means, collect=5, enrich=1):
            wait(lambda: all(watch.last_run_at for watch in all_watches(store)) and not waiting(store))
        seconds = time.perf_counter() - start
    return {
        "imported": {name: counts(report) for name, report in reports.items()},
        "collected": ledger(store),
        "collected_and_enriched_s": round(seconds, 1),
        "stored": stored(store),
    }


@contextmanager
def first_lines(files: dict[str, Path], lines: int | None) -> Iterator[dict[str, Path]]:
    """Copies that have only so many lines; without a number, the files themselves."""
    if lines is None:
        yield files
        return
    with tempfile.TemporaryDirectory() as folder:
        kept = {name: Path(folder) / f"{name.replace('/', '-')}.jsonl" for name in files}
        for name, path in files.items():
            with gzip.open(path, "rt", encoding="utf-8") as file:
                kept[name].write_text("".join(islice(file, lines)), encoding="utf-8")
        yield kept


def some(asked: list[tuple[str, str]], one_in: int) -> list[tuple[str, str]]:
    """One in so many of each source's watches, the first of each among them."""
    return [
        watch for source in dict.fromkeys(source for source, _ in asked)
        for watch in [one for one in asked if one[0] == source][::one_in]
    ]  # fmt: skip


def recorded(folder: Path, web: Upstream) -> list[tuple[str, str]]:
    """Serve every recording from loopback; the watches (source, query) that ask for them."""
    asked = []
    feeds = [*(folder / "rss" / "recorded").rglob("*"), *(folder / "google-news" / "recorded").glob("*"),
             folder / "reddit" / "recorded" / "reddit-atom.atom"]
    for path in sorted(path for path in feeds if path.is_file()):
        asked.append(("rss", web.put(f"/feeds/{path.name}", path.read_bytes())))
    for path in sorted((folder / "mastodon" / "recorded").glob("*.json")):
        for interaction in interactions(path):
            url, answer = interaction["request"]["url"], interaction["response"]
            if "/timelines/tag/" in url and answer.get("json"):
                tag = url.split("/timelines/tag/")[1].split("?")[0]
                web.put(f"/api/v1/timelines/tag/{tag}", json.dumps(answer["json"]), Content_Type="application/json")
                asked.append(("mastodon", f"{tag}@{web.url}"))
    web.put("/api/v1/access_token", '{"access_token": "x", "token_type": "bearer", "expires_in": 3600, "scope": "*"}',
            Content_Type="application/json")
    for path in sorted((folder / "reddit" / "recorded").glob("*.json")):
        for number, body in enumerate(listings(path)):
            subreddit = f"{path.stem.replace('-', '_')[:18]}{number}"
            web.put(f"/r/{subreddit}/search", json.dumps(body), Content_Type="application/json")
            asked.append(("reddit", f"r/{subreddit}: native:café"))
    return asked


def interactions(path: Path) -> list[dict[str, Any]]:
    """The recorded requests and answers of a file."""
    content = json.loads(path.read_text("utf-8"))
    return content.get("interactions", []) if isinstance(content, dict) else []


def listings(path: Path) -> list[dict[str, Any]]:
    """The listings of posts in a Reddit recording, each cut off from its next page, which was not recorded."""
    content = json.loads(path.read_text("utf-8"))
    bodies = [i["response"].get("json") for i in interactions(path)] or [content]
    found = [b for b in bodies if isinstance(b, dict) and b.get("kind") == "Listing"]
    posts = [b for b in found if all(child["kind"] == "t3" for child in b["data"]["children"])]
    return [{**body, "data": {**body["data"], "after": None}} for body in posts]


def counts(report: Report) -> dict[str, Any]:
    """A report in numbers, with the reasons of its refusals."""
    reasons = Counter(refusal.why.message for refusal in report.refusals)
    return {"read": report.read, "new": report.saved.new, "updated": report.saved.updated,
            "duplicate": report.saved.duplicate, "refused": dict(reasons)}


def ledger(store: Store) -> dict[str, Any]:
    """What the runs of each source fetched, and what stopped some of them."""
    found: dict[str, Counter[str]] = {}
    with store.read() as session:
        for watch in watches.all_watches(session):
            run = watches.last_run(session, watch.id)
            assert run is not None
            assert run.fetched == run.new + run.updated + run.duplicate + run.refused
            of = found.setdefault(watch.source, Counter())
            of.update(watches=1, fetched=run.fetched, new=run.new, updated=run.updated, duplicate=run.duplicate,
                      refused=run.refused)
            if watch.problem:
                of[f"stopped: {watch.problem.message}"] += 1
    return {source: dict(of) for source, of in found.items()}


def stored(store: Store) -> dict[str, Any]:
    """What is in the store now."""
    with store.read() as session:
        seen = health(session)
        tallies = {by: metrics.tallies(session, MentionFilter(), by) for by in DIMENSIONS}  # type: ignore[arg-type]
    return {"mentions": seen.mentions, "pending": seen.pending, "failed": seen.failed,
            **{by: {tally.key: tally.n for tally in found} for by, found in tallies.items()}}


def waiting(store: Store) -> int:
    """How many mentions wait for the taggers."""
    with store.read() as session:
        return metrics.count(session, MentionFilter(state="pending"))


def all_watches(store: Store) -> list[Watch]:
    """Every watch, as it stands."""
    with store.read() as session:
        return watches.all_watches(session)


def wait(until: Callable[[], bool], seconds: float = 1800) -> None:
    """Until it is so, or give up."""
    end = time.monotonic() + seconds
    while not until():
        if time.monotonic() > end:
            raise SystemExit("the clock did not get through its watches in time")
        time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="folder to leave the database in")
    folder = parser.parse_args().keep
    if not SHARED.is_dir():
        raise SystemExit("the shared material is not beside this repository")
    with tempfile.TemporaryDirectory() as scratch:
        store = open_store(f"sqlite:///{(folder or Path(scratch)) / 'real.db'}")
        print(json.dumps({"at": datetime.now(UTC).isoformat(), **run(SHARED, store)}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
