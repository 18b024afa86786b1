"""The siege of sources that ask nobody: what is delivered to a hook, and what lies in a file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx

from collectors.http import WebOptions
from collectors.webhook import WebhookSource
from escucha.brand import Query
from escucha.errors import EscuchaError
from pipeline.pull import Haul, Order, admitted, gathered, pull, unknown
from tests.collectors.fakes import SECRET
from tests.collectors.fakes.webhook import delivery
from tests.collectors.hostile.memory import Peak
from tests.collectors.hostile.promises import Case
from tests.collectors.hostile.server import Behaviour, Talk

HEAD_END = b"\r\n\r\n"


class Recorder:
    """Stands in for a connection and keeps what is sent."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data


def body_of(behaviour: Behaviour, honest: bytes) -> bytes:
    """What a behaviour makes of an honest body."""
    recorder = Recorder()
    response = httpx.Response(200, content=honest, headers={"content-type": "application/json"})
    behaviour.act(Talk(
        connection=cast(Any, recorder), request=httpx.Request("GET", "http://127.0.0.1/"), number=1, memory={},
        ask=lambda request: response,
    ))  # fmt: skip
    return recorder.sent.partition(HEAD_END)[2]


def items(count: int) -> list[dict[str, Any]]:
    """Reviews of the last hours, in our own form."""
    now = datetime.now(UTC)
    return [
        {
            "source_id": f"reseña-{number}", "text": f"El café Lumbre {number}", "rating": 4, "kind": "review",
            "created_at": (now - timedelta(minutes=count - number)).isoformat(), "url": f"https://lumbre.example/{number}",
            "author": {"id": "ana", "name": "Ana", "followers": 12},
        }
        for number in range(count)
    ]  # fmt: skip


def hooked(body: bytes) -> Haul:
    """What a delivery brings, as the door has it read: signed well, whatever is in it."""
    now = datetime.now(UTC)
    source = WebhookSource(web=WebOptions(), keys={"secret": SECRET})
    try:
        page = admitted(source.receive(Query(text="generic"), delivery(body, at=now)), now)
    except EscuchaError as error:
        return Haul(problem=error)
    except Exception as error:  # what the door would answer with a 500
        return Haul(problem=unknown("webhook", error))
    return gathered([page], None, None, source)


def hook_under_siege(behaviour: Behaviour) -> Case:
    """A delivery with a spoiled body, and then the same one as it should be."""
    told = items(7)
    honest = json.dumps({"mentions": told}).encode()
    return _case(behaviour, told, lambda: hooked(body_of(behaviour, honest)), lambda: hooked(honest))


def file_under_siege(behaviour: Behaviour, folder: Path) -> Case:
    """A file of JSON lines with a spoiled content, and then the same one as it should be."""
    told = [{**one, "author": one["author"]["name"]} for one in items(7)]
    honest = json.dumps(told).encode()

    def read(content: bytes) -> Haul:
        path = folder / "export.jsonl"
        path.write_bytes(content)
        order = Order(source="file", query=Query(text=str(path)), cursor=None, web=WebOptions())
        return pull(order, datetime.now(UTC))

    return _case(behaviour, told, lambda: read(_lines(body_of(behaviour, honest))), lambda: read(_lines(honest)))


def _lines(content: bytes) -> bytes:
    """JSON lines in the place of a list, where there still is one."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return content
    return b"\n".join(json.dumps(one).encode() for one in told) if isinstance(told, list) else content


def _case(
    behaviour: Behaviour, told: list[dict[str, Any]], hostile: Callable[[], Haul], honest: Callable[[], Haul]
) -> Case:
    peak, begun = Peak(), time.monotonic()
    haul = hostile()
    seconds, grown = time.monotonic() - begun, peak.grown()
    later = honest()
    ids = {str(one["source_id"]) for one in told}
    return Case(
        behaviour=behaviour, haul=haul, seconds=seconds, memory=grown, later=[later], wanted=ids, real=ids,
        known={mention.source_id for one in (haul, later) for mention in one.mentions},
    )

