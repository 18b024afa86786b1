"""An installation that listens: its keys, a small upstream on loopback, and watches in every state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from selectolax.lexbor import LexborHTMLParser as HTMLParser
from starlette.testclient import TestClient

from api.app import create_app
from config.settings import Settings
from escucha.brand import Brand, Problem, Query, Watch
from escucha.errors import EscuchaError, Unreadable
from escucha.source import Quota, Refusal, Span
from store import brands, watches
from store.engine import Store
from store.mentions import Saved
from store.vault import new_key
from store.watches import Ledger
from tests import make

NOW = make.NOW
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FORMLESS = "This item does not have the form that its source promises ({reason}). It is skipped."


def wall() -> datetime:
    """The time as it is: collectors that ask a server go by it."""
    return datetime.now(UTC)


def client_of(
    store: Store, folder: Path, clock: Callable[[], datetime] = lambda: NOW, address: str = "",
    keys: Mapping[str, Mapping[str, str]] | None = None, **changes: Any,
) -> TestClient:
    """The application as a browser on localhost sees it; `address` is where Hacker News is to be asked."""
    upstream = {"hackernews": {"base_url": address}} if address else {}
    web = {"pace": 0, "allow_hosts": (address.removeprefix("http://"),) if address else ()}
    told: dict[str, Any] = {"secret_key": new_key(), "secret_file": str(folder / "secret.key"), "web": web}
    chosen = Settings(**{**told, "keys": {**upstream, **(keys or {})}, **changes})
    app = create_app(chosen, store, clock=clock)
    return TestClient(app, base_url="http://localhost:8000", headers={"Accept-Language": "en"})


def lumbre(store: Store) -> Brand:
    with store.write() as session:
        return brands.add(session, make.brand(aliases=("Cafés Lumbre",)))


def watch(store: Store, brand: Brand, source: str, text: str, age: timedelta = 10 * DAY, **more: Any) -> Watch:
    """A watch that began a while ago."""
    with store.write() as session:
        return watches.add(session, brand.id or 0, source, Query(text=text), 900, NOW - age, **more)


def run(
    store: Store, watch: Watch, at: datetime, problem: EscuchaError | None = None, covers: Span | None = None,
    new: int = 0, refused: int = 0, passed: int = 0, cost: float = 0.0, doubt: EscuchaError | None = None,
    quota: Quota | None = None, state: str = "active", failures: int = 0,
) -> None:
    """A run in its ledger, and the watch as it leaves it; the next is due an hour after."""
    refusals = [Refusal(where=f"item {n}", why=Unreadable(FORMLESS, reason="no author")) for n in range(1, refused + 1)]
    ledger = Ledger(saved=Saved(new=new, duplicate=1), refusals=refusals, passed=passed, cost=cost, covers=covers,
                    problem=Problem.of(problem) if problem else None)
    with store.write() as session:
        watches.settle(
            session, watch, ledger, now=at, next_at=at + HOUR, pace=1800, cursor=None, failures=failures,
            state=state, doubt=Problem.of(doubt) if doubt else None, quota=quota,  # type: ignore[arg-type]
        )


def page(client: TestClient, path: str, status: int = 200) -> HTMLParser:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return HTMLParser(answer.text)


def words(tree: HTMLParser, selector: str) -> str:
    return " ".join(" ".join(node.text().split()) for node in tree.css(selector))
