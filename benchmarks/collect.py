"""How many items a second 200 watches bring into the store, and in how much memory, beside one watch after the other.

The upstream is a process of its own on loopback, so that time and memory are the collector's alone.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import create_engine, event, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

import collectors
from benchmarks import made
from collectors.http import WebOptions
from escucha.brand import Brand, Query, Watch
from escucha.mention import Mention
from escucha.words import hashtags, spaced
from nlp.chain import ModelOptions
from pipeline.collect import collect_due
from pipeline.means import Means
from pipeline.pool import open_pool
from store import brands, watches
from store.engine import open_store
from store.schema import migrate
from store.seek import seek
from store.tables import MentionRow
from tests.postgres import emptied, postgres_server

WATCHES, ITEMS, PAGE = 200, 500, 100
ONE_BY_ONE = {"a commit a page": 40, "a commit an item": 8}
"""Watches that are collected in the usual ways, which are too slow for all 200."""
APART = 60
"""Seconds between two items of a query."""
ANALYSED_EVERY = 10


def query_of(number: int) -> str:
    """What a watch asks for; no other watch gets its items."""
    return f"lumbre marca{number}"


class Search:
    """Hacker News' search, with every answer but its cut prepared: items newest first, bounded by time."""

    def __init__(self) -> None:
        self.newest = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())
        said = made.mentions(WATCHES * ITEMS)
        self.hits = {query_of(n): [self._hit(n, i, next(said).text) for i in range(ITEMS)] for n in range(WATCHES)}

    def _hit(self, watch: int, place: int, said: str) -> bytes:
        number = watch * ITEMS + place
        return json.dumps({
            "objectID": str(number), "author": f"a{number % 9973}", "created_at_i": self.newest - APART * place,
            "title": None, "story_id": 1, "points": number % 50, "num_comments": 2, "_tags": ["comment"],
            "comment_text": f"{said} {query_of(watch)}",
        }).encode()  # fmt: skip

    def answer(self, target: str) -> bytes:
        """The answer to a request's target."""
        asked = parse_qs(urlsplit(target).query)
        hits = self.hits[asked["query"][0]]
        until = re.search(r"created_at_i<=(\d+)", asked["numericFilters"][0])
        first = max(0, -((int(until[1]) - self.newest) // APART)) if until else 0
        start = first + PAGE * int(asked["page"][0])
        pages = -(-(len(hits) - first) // PAGE)
        return b'{"hits":[%s],"nbPages":%d}' % (b",".join(hits[start : start + PAGE]), pages)


async def _serve() -> None:
    search = Search()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                body = search.answer(request.split(b" ", 2)[1].decode())
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                             % (len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until our caller lets go
    server.close()


class Timed(Executor):
    """A pool that adds up how long its work takes."""

    def __init__(self, pool: Executor) -> None:
        self.seconds: list[float] = []
        self._pool = pool

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        def timed() -> Any:
            begun = time.perf_counter()
            try:
                return fn(*args, **kwargs)
            finally:
                self.seconds.append(time.perf_counter() - begun)

        return self._pool.submit(timed)


def in_transactions() -> list[float]:
    """A list to which every transaction that is committed from now on adds its seconds."""
    seconds: list[float] = []
    begun = [0.0]
    event.listen(Engine, "begin", lambda _: begun.__setitem__(0, time.perf_counter()))
    event.listen(Session, "after_commit", lambda _: seconds.append(time.perf_counter() - begun[0]))
    return seconds


def side_by_side(means: Means, brand: Brand, asked: list[Watch]) -> dict[str, Any]:
    """Our way: all watches due at once, asked on the pool, each saved in one transaction."""
    saving, outcomes, now = in_transactions(), [], datetime.now(UTC)
    with open_pool() as pool:
        timed = Timed(pool)
        while found := collect_due(replace(means, pool=timed), now):  # one round, unless a slow machine needs another
            outcomes += found
    assert len(outcomes) == len(asked)
    assert not any(outcome.problem for outcome in outcomes), outcomes[0].problem
    return {"items": sum(outcome.saved.new for outcome in outcomes), "in_transactions_s": round(sum(saving), 1),
            "asking_s_in_4_threads": round(sum(timed.seconds), 1)}


def one_by_one(means: Means, brand: Brand, asked: list[Watch], each: bool) -> dict[str, Any]:
    """The usual way: one watch after the other, each item looked for and added as an object, without its author."""
    items = 0
    for watch in asked:
        source = collectors.open_source(watch.source, means.web, means.keys[watch.source])
        for page in source.pages(watch.query, None):
            for said in [[mention] for mention in page.mentions] if each else [list(page.mentions)]:
                with means.store.write() as session:
                    for mention in said:
                        twin = select(MentionRow.id).where(
                            MentionRow.brand_id == brand.id, MentionRow.source == mention.source,
                            MentionRow.source_id == mention.source_id,
                        )
                        if session.scalar(twin) is None:
                            session.add(as_an_object(mention, brand, watch, datetime.now(UTC)))
                            items += 1
    return {"items": items}


def as_an_object(mention: Mention, brand: Brand, watch: Watch, now: datetime) -> MentionRow:
    """A mention's row, each value where it belongs, made alone."""
    said = f"{mention.title or ''} {mention.text}"
    return MentionRow(
        brand_id=brand.id, watch_id=watch.id, source=mention.source, source_id=mention.source_id, kind=mention.kind,
        title=mention.title, text=mention.text, words=spaced(said), hashtags=" ".join(hashtags(said)) or None,
        content="", declared_lang=mention.lang, url=mention.url, created_at=mention.created_at, heard_at=now,
        seek=seek(mention.created_at, 0), day=mention.created_at.astimezone(ZoneInfo(brand.timezone)).date(),
        likes=mention.engagement.likes, comments=mention.engagement.comments, shares=mention.engagement.shares,
        engagement=mention.engagement.total, raw=dict(mention.raw or {}),
    )


WAYS: dict[str, tuple[int, Callable[[Means, Brand, list[Watch]], dict[str, Any]]]] = {
    "ours": (WATCHES, side_by_side),
    "a commit a page": (ONE_BY_ONE["a commit a page"], lambda *given: one_by_one(*given, each=False)),
    "a commit an item": (ONE_BY_ONE["a commit an item"], lambda *given: one_by_one(*given, each=True)),
}


def measure(way: str, url: str, port: str) -> dict[str, Any]:
    """Collect in one way into an empty store, in this process, which does nothing else."""
    count, collect = WAYS[way]
    store = open_store(url)
    migrate(store)
    if store.dialect == "postgresql":
        emptied(store)
    now = datetime.now(UTC)
    with store.write() as session:
        brand = brands.add(session, Brand(slug="lumbre", name="Lumbre"))
        asked = [watches.add(session, brand.id or 0, "hackernews", Query(text=query_of(n)), 900, now)
                 for n in range(count)]
    web = WebOptions(allow_hosts=(f"127.0.0.1:{port}",), pace=0)
    means = Means(store=store, pool=None, web=web, models=ModelOptions(),  # type: ignore[arg-type]
                  keys={"hackernews": {"base_url": f"http://127.0.0.1:{port}"}})
    before, begun, cpu = _peak(), time.perf_counter(), time.process_time()
    told = collect(means, brand, asked)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    assert told["items"] == count * ITEMS, told
    return {"watches": count, **told, "seconds": round(seconds, 1), "items_per_s": round(told["items"] / seconds),
            "items_per_cpu_s": round(told["items"] / cpu), "peak_mb": _peak(), "peak_mb_before": before}


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@contextmanager
def _program(*words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.collect", *words], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.communicate(timeout=30)


def _measured(way: str, url: str, port: str) -> dict[str, Any]:
    with _program(way, url, port) as process:
        assert process.stdout is not None
        return dict(json.loads(process.stdout.readline()))


def compared(url_of: Callable[[str], str], port: str) -> dict[str, Any]:
    """Every way in turn, and how many times as fast ours is as the others."""
    told = {way: _measured(way, url_of(way), port) for way in WAYS}
    times = {
        name: {way: round(told["ours"][name] / told[way][name], 1) for way in ONE_BY_ONE}
        for name in ("items_per_s", "items_per_cpu_s")
    }
    return {**told, "times_as_fast": times}


@contextmanager
def analysed(url: str) -> Iterator[str]:
    """Let a server's planner know its tables now and then, where nothing else does: autovacuum is off on some."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    over = threading.Event()

    def keep_on() -> None:
        while not over.wait(ANALYSED_EVERY):
            with engine.connect() as connection:
                connection.execute(text("ANALYZE"))

    with engine.connect() as connection:
        able = connection.scalar(text("SHOW autovacuum")) == "on"
    thread = threading.Thread(target=keep_on)
    if not able:
        thread.start()
    try:
        yield "autovacuum" if able else f"ANALYZE every {ANALYSED_EVERY} s"
    finally:
        over.set()
        if not able:
            thread.join()
        engine.dispose()


def main() -> None:
    """Without arguments: the benchmark. With a way, a store and a port: that one measurement."""
    if sys.argv[1:] == ["serve"]:
        asyncio.run(_serve())
        return
    if sys.argv[1:]:
        print(json.dumps(measure(*sys.argv[1:])), flush=True)
        return
    figures: dict[str, Any] = {"items_a_watch": ITEMS, "items_a_page": PAGE, "pool_threads": 4}
    with tempfile.TemporaryDirectory() as folder, _program("serve") as server, postgres_server() as postgres:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        figures["sqlite_full"] = compared(lambda way: f"sqlite:///{Path(folder) / f'{way}.db'}", port)
        if postgres is None:
            figures["postgresql"] = "no server"
        else:
            with analysed(postgres) as statistics:
                figures["postgresql"] = {"statistics": statistics, **compared(lambda _: postgres, port)}
    print(json.dumps({"collect": figures}, indent=2))


if __name__ == "__main__":
    main()
