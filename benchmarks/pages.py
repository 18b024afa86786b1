"""How long the journey page and the mentions page take at 100,000 mentions, beside counting them in Python."""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
from sqlalchemy import select

from benchmarks import made
from escucha.brand import Brand
from store import brands, enrichments, mentions
from store.engine import Store, open_store
from store.schema import migrate
from store.tables import BrandRow, MentionRow

MENTIONS = 100_000
REQUESTS = 100
PAGES = {
    "journey_page": "/journey?brand=bench&period=all",
    "journey_page_90_days": "/journey?brand=bench&period=90d",
    "mentions_page": "/mentions?brand=bench&period=all",
    "mentions_page_filtered": "/mentions?brand=bench&period=all&stage=purchase&sentiment=negative",
    "mentions_page_searched": "/mentions?brand=bench&period=all&q=cafe",
    "overview_page": "/?brand=bench&period=90d",
    "journey_api": "/api/v1/journey?brand=bench",
    "mentions_api": "/api/v1/mentions?brand=bench&limit=50",
}


def fill(store: Store) -> None:
    migrate(store)
    with store.write() as session:
        brand = brands.add(session, Brand(slug="bench", name="Bench"))
        mentions.save(session, brand, made.mentions(MENTIONS), made.END)
    understood = made.labels(MENTIONS)
    while True:
        with store.write() as session:
            claimed = enrichments.claim(session, 5_000, made.END)
            enrichments.save(session, list(zip(claimed, understood, strict=False)), made.END)
        if not claimed:
            return


def counted_in_python(store: Store) -> float:
    """Milliseconds for the usual first way: load a brand's rows as objects and count stages and feelings in Python."""
    start = time.perf_counter()
    with store.read() as session:
        of_brand = select(MentionRow).join(BrandRow).where(BrandRow.slug == "bench")
        seen = Counter((row.stage, row.sentiment) for row in session.scalars(of_brand))
    assert sum(seen.values()) == MENTIONS
    return 1000 * (time.perf_counter() - start)


def timed(client: httpx.Client, path: str) -> dict[str, float]:
    times = []
    for _ in range(REQUESTS):
        start = time.perf_counter()
        answer = client.get(path)
        times.append(1000 * (time.perf_counter() - start))
        assert answer.status_code == 200, (path, answer.status_code)
    times.sort()
    return {"p50_ms": round(statistics.median(times), 1), "p95_ms": round(times[int(0.95 * len(times))], 1)}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        store = open_store(url, "NORMAL")
        start = time.perf_counter()
        fill(store)
        figures: dict[str, object] = {"mentions": MENTIONS, "requests": REQUESTS}
        figures["fill_s"] = round(time.perf_counter() - start)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "-c", "from api.cli import main; main()", "serve", "--no-clock", "--port", str(port)],
            env=os.environ | {"ESCUCHA_DATABASE": url}, stdout=subprocess.DEVNULL,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
                wait_for(client)
                figures |= {name: timed(client, path) for name, path in PAGES.items()}
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(20)
        figures["counted_in_python_ms"] = round(statistics.median(counted_in_python(store) for _ in range(3)))
    print(json.dumps({"pages": figures}, indent=2))


def wait_for(client: httpx.Client) -> None:
    for _ in range(200):
        try:
            if client.get("/api/v1/health").status_code == 200:
                for path in PAGES.values():
                    client.get(path)
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    main()
