"""Whatever an upstream does, a run ends in time, says why, loses nothing and deletes nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial, reduce
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors import SOURCES
from escucha.brand import Brand, Query, Watch
from escucha.errors import Refused, SourceError, TryLater
from escucha.filter import MentionFilter
from escucha.mention import Author, Engagement, Mention
from escucha.source import Page, Refusal
from pipeline.collect import settle
from pipeline.pull import Haul, admitted, gathered
from pipeline.rhythm import needs_person
from store import brands, metrics, watches
from store.engine import Store, open_store
from store.schema import migrate
from tests import make
from tests.collectors.fakes import SECRET, UPSTREAMS
from tests.collectors.hostile.behaviours import ALL, BEHAVIOURS
from tests.collectors.hostile.campaign import OVER_HTTP, SHORT, Result, campaign, excuse, planned
from tests.collectors.hostile.memory import Peak
from tests.collectors.hostile.promises import MOST_MEMORY, Case, violations
from tests.collectors.hostile.server import Behaviour, HostileServer, Seen, Talk, serving
from tests.collectors.hostile.siege import Siege

pytestmark = pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits long")
RUNS = [(name, scenario, behaviour) for name in sorted(UPSTREAMS) for scenario, behaviour in planned(name, SHORT)]
LONGEST_FIRST = ("discourse", "google-play", "mailbox", "app-store", "google-business")
Results = Callable[[str], dict[tuple[str, str], Result]]


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest) -> Iterator[Results]:
    """The campaigns of the sources that are asked for, two side by side, each in a process of its own."""
    asked = {item.callspec.params["name"] for item in request.session.items if hasattr(item, "callspec")
             and item.module is request.module and "behaviour" in item.callspec.params}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        order = sorted(asked, key=lambda name: (name not in LONGEST_FIRST, name))
        runs: dict[str, Future[list[Result]]] = {name: pool.submit(campaign, name, SHORT) for name in order}
        yield lambda name: {(one.scenario, one.behaviour): one for one in runs[name].result()}
        for run in runs.values():
            run.cancel()


@pytest.mark.parametrize(("name", "scenario", "behaviour"), RUNS)
def test_a_source_keeps_its_promises(results: Results, name: str, scenario: str, behaviour: str) -> None:
    result = results(name)[scenario, behaviour]
    broken = [violation for violation in result.violations if excuse(result, violation) is None]
    assert broken == []
    for violation in result.violations:
        known = excuse(result, violation)
        if known and known.defect:
            pytest.xfail(known.why)


def test_every_source_is_under_siege_by_many_behaviours() -> None:
    assert set(UPSTREAMS) == set(SOURCES)
    assert len(BEHAVIOURS) == len(ALL) >= 150
    assert {len(planned(name, SHORT)) > 60 for name in UPSTREAMS} == {True}
    met = Counter(behaviour for name in OVER_HTTP for behaviour in SHORT.later_of(name))
    assert min(met[behaviour.name] for behaviour in ALL) >= 5


def elsewhere(talk: Talk, address: str) -> None:
    talk.answer(b"", "307 Temporary Redirect", {"Location": f"{address}/otra"})


@pytest.mark.parametrize("name", OVER_HTTP)
def test_no_key_follows_a_redirect_to_another_host_or_port(name: str, tmp_path: Path) -> None:
    siege = Siege(name, tmp_path)
    with serving(lambda request: httpx.Response(200, json={})) as other:
        for host in ("localhost", "127.0.0.1"):
            address = other.address.replace("127.0.0.1", host)
            siege.also_open = (address.removeprefix("http://"),)
            siege.endure(Behaviour(name="elsewhere", act=partial(elsewhere, address=address)))
        siege.close()
        heard = [_as_sent(seen.request) for seen in other.seen]
    assert len(heard) >= 2, "the redirects were not followed"
    assert [sent for sent in heard if SECRET in sent or "authorization" in sent.lower()] == []
    assert [seen.request.content for seen in other.seen if seen.request.content] == []


def _as_sent(request: httpx.Request) -> str:
    return f"{request.url} {request.headers.raw!r} {request.content!r}"


LEDGER = ("429 for 120 seconds", "403", "reset in the body", "gzip bomb", "items mixed", "ids with another text",
          "NUL and control characters", "times of 9999", "lists empty")  # fmt: skip


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One SQLite store for all sources, each with watches of its own."""
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'escucha.db'}", "NORMAL")
    migrate(opened)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", OVER_HTTP)
def test_the_ledger_balances_and_the_watch_goes_on_or_waits_for_a_person(
    name: str, tmp_path: Path, ledger: Store
) -> None:
    siege = Siege(name, tmp_path)
    now = datetime.now(UTC)
    with ledger.write() as session:
        brand = brands.add(session, make.brand(name))
    for one in LEDGER:
        with ledger.write() as session:
            watch = watches.add(session, brand.id or 0, name, Query(text=one), 900, now)
        _settle(ledger, brand, watch, siege.endure(BEHAVIOURS[one]).haul, now)
    siege.close()


def _settle(store: Store, brand: Brand, watch: Watch, haul: Haul, now: datetime) -> None:
    with store.read() as session:
        before = metrics.count(session, MentionFilter())
    settle(store, watch, brand, haul, now)
    with store.read() as session:
        (run,) = watches.runs(session, watch.id)
        after = watches.get(session, watch.id)
        stored = metrics.count(session, MentionFilter())
    assert run.fetched == run.new + run.updated + run.duplicate + run.refused
    assert run.fetched == len(haul.mentions) + len(haul.refusals)
    assert stored - before == run.new - run.gone
    assert after.state == ("paused" if haul.problem and needs_person(haul.problem) else "active")
    assert after.failures == (1 if haul.problem else 0)
    assert after.cursor == haul.cursor


NOW = datetime.now(UTC)
LONG = "".join(sha256(str(number).encode()).hexdigest() for number in range(100))
"""Letters that cannot be packed."""
NASTY: dict[str, dict[str, Any]] = {
    "a lone surrogate in the parent": {"parent_id": "a\ud83d\0b"},
    "a moment of the year 1": {"created_at": datetime(1, 1, 1, tzinfo=UTC)},
    "an edit of the year 9999": {"edited_at": datetime(9999, 12, 31, 23, 59, tzinfo=UTC)},
    "a long id": {"source_id": LONG},
    "a long id of the author": {"author": Author(id=LONG, handle=LONG, name=LONG)},
    "a long address": {"url": f"https://a.example/{LONG * 10}"},
    "long words for language and place": {"lang": LONG, "place": LONG, "parent_id": LONG},
    "counts without an end": {"engagement": Engagement(likes=2**53, views=10**30, shares=-5)},
    "a raw form 90 deep": {"raw": {"hondo": reduce(lambda inner, _: [inner], range(90), list[Any]())}},
    "a raw form of numbers": {"raw": {"n": 10**400, "x": float("inf"), "": "\ud83d", "\0": (1, 2)}},
    "surrogates and controls everywhere": {
        "text": "Lumbre \ud83d\0\x1b", "title": "\udfff", "lang": "\ud83d", "place": "\0", "url": "https://a.example/\ud83d",
        "author": Author(id="\ud83da", handle="\0", name="\ud83d", url="javascript:1"), "source_id": "\ud83dx\0",
    },
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(NASTY))
def test_what_passes_the_gate_can_be_stored(what: str, store: Store) -> None:
    page = admitted(Page(mentions=(said(**NASTY[what]), said(source_id="sana"))), NOW)
    with store.write() as session:
        brand = brands.add(session, make.brand())
        watch = watches.add(session, brand.id or 0, "mastodon", Query(text="lumbre"), 900, NOW)
    _settle(store, brand, watch, gathered([page], None, None, None), NOW)


FAILS = Behaviour(name="fails", act=Talk.reset, fails=True, error=TryLater)
LIES = Behaviour(name="lies", act=Talk.reset)
PATIENT = Behaviour(name="patient", act=Talk.reset, fails=True, error=TryLater, after=120.0, speaks_of_after=True)
FINE = Behaviour(name="fine", act=Talk.reset, harmless=True)
PATH = "/v1/resenas?pagina=2"
ASKED = Seen(httpx.Request("GET", f"http://127.0.0.1{PATH}"), 0.1)
LATER = TryLater("The server has trouble. Nothing is lost.")


def said(**changes: Any) -> Mention:
    return replace(make.mention(created_at=NOW - timedelta(hours=1)), **changes)


def problem(message: str, kind: type[SourceError] = TryLater, **details: Any) -> Haul:
    return Haul(problem=kind(message, **details))


PLANTED = [
    (1, "a fetch without a deadline", Case(behaviour=LIES, haul=Haul(), seen=[Seen(ASKED.request, 9.0)], deadline=0.5)),
    (1, "a run that sleeps", Case(behaviour=LIES, haul=Haul(), seen=[ASKED], seconds=7.0, deadline=0.5)),
    (1, "a walk in circles", Case(behaviour=LIES, haul=Haul(), seen=[ASKED] * 500)),
    (2, "a collector that breaks", Case(behaviour=LIES, haul=problem("It broke on a KeyError.", SourceError))),
    (2, "no sentence", Case(behaviour=LIES, haul=problem(""))),
    (2, "a secret in a sentence", Case(behaviour=LIES, haul=problem("The key {key} is wrong.", key=SECRET))),
    (2, "a secret in the details", Case(behaviour=LIES, haul=problem("The key is quite wrong.", key=SECRET))),
    (2, "a secret in the cursor", Case(behaviour=LIES, haul=Haul(cursor={"next": f"?key={SECRET}"}))),
    (2, "an address in a sentence", Case(behaviour=LIES, haul=problem(f"Nothing is at a.example{PATH}"), seen=[ASKED])),
    (2, "a refusal of nothing", Case(behaviour=LIES, haul=Haul(refusals=(Refusal(where="", why=LATER),)))),
    (3, "a failure that nobody hears of", Case(behaviour=FAILS, haul=Haul(), seen=[ASKED])),
    (3, "a person called for a passing trouble", Case(behaviour=FAILS, haul=problem("No, never more.", Refused),
                                                     seen=[ASKED])),
    (3, "impatience", Case(behaviour=PATIENT, haul=problem("Come back in a while.", after=1.0), seen=[ASKED])),
    (3, "a cookie taken for an outage", Case(behaviour=FINE, haul=problem("The server has trouble."), seen=[ASKED])),
    (4, "what the gate would change", Case(behaviour=LIES, haul=Haul(mentions=(said(text="Lumbre\0"),)))),
    (4, "a raw form that is no JSON", Case(behaviour=LIES, haul=Haul(mentions=(said(raw={"n": float("nan")}),)))),
    (4, "a cursor that is no JSON", Case(behaviour=LIES, haul=Haul(cursor={"at": (1, 2)}))),
    (5, "a failed run that moves on", Case(behaviour=FAILS, haul=Haul(cursor={"page": 2}, problem=LATER), before=None,
                                          later=[Haul()], wanted={"a"})),
    (5, "a watch that never recovers", Case(behaviour=LIES, haul=Haul(), later=[problem("It cannot go on.")])),
    (5, "a watch that never ends", Case(behaviour=LIES, haul=Haul(), later=[Haul(more=True)])),
    (5, "a cursor changed in place", Case(behaviour=FAILS, haul=Haul(problem=LATER), changed=True)),
    (6, "an empty list taken for a deletion", Case(behaviour=LIES, haul=Haul(gone=("a",)), real={"a"})),
    (7, "a bomb that went off", Case(behaviour=LIES, haul=Haul(), memory=200_000)),
]


@pytest.mark.parametrize(("promise", "what", "case"), PLANTED, ids=[what for _, what, _ in PLANTED])
def test_a_broken_promise_is_noticed(promise: int, what: str, case: Case) -> None:
    assert promise in {violation.promise for violation in violations(case)}


def test_a_run_that_keeps_every_promise_is_let_through() -> None:
    haul = Haul(mentions=(said(),), cursor={"known": NOW.isoformat()})
    kept = Case(behaviour=FINE, haul=haul, seen=[ASKED], known={"1"}, wanted={"1"}, real={"1"})
    assert violations(kept) == []


def test_the_gauge_sees_memory_that_was_given_back_already() -> None:
    peak = Peak()
    block = bytearray(MOST_MEMORY * 1024 + (8 << 20))
    del block
    assert peak.grown() > MOST_MEMORY
    assert Peak().grown() < MOST_MEMORY


def test_a_server_counts_and_times_what_it_is_asked() -> None:
    silence = BEHAVIOURS["silence"]
    server = HostileServer(lambda request: httpx.Response(200, json={}), silence)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{server.address}{PATH}", timeout=0.2)
    (seen,) = server.seen
    assert seen.request.url.raw_path.decode() == PATH
    ends = time.monotonic() + 3.0
    while not seen.seconds and time.monotonic() < ends:  # it notices a moment later that the other side has gone
        time.sleep(0.01)
    server.close()
    assert 0.1 < seen.seconds < 3.0
