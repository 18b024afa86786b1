"""Second calls through the pipeline: followers in batches, a budget that holds, keys that are exchanged on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.http import WebOptions
from escucha.brand import Brand, Query, Watch
from escucha.filter import MentionFilter
from escucha.mention import Author
from nlp.chain import ModelOptions
from pipeline.backfill import step
from pipeline.collect import ASIDE, collect_due
from pipeline.followers import CACHE, fill_followers
from pipeline.means import Means
from pipeline.pool import Inline, open_pool
from pipeline.recheck import recheck_due
from store import backfills, brands, credentials, mentions, watches
from store.engine import Store
from store.vault import Vault, new_key
from tests import make
from tests.collectors.fakes import SECRET, Upstream
from tests.collectors.fakes.bluesky import BlueskyUpstream
from tests.collectors.fakes.mercadolibre import MercadoLibreUpstream
from tests.collectors.fakes.x import XUpstream


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        return brands.add(session, make.brand())


def recent(upstream: Upstream, count: int) -> None:
    """Items of the last hours, whatever the date is today."""
    upstream.start, upstream.spacing = now() - timedelta(hours=5), timedelta(seconds=20)  # type: ignore[misc]
    upstream.add(count)


@contextmanager
def asking(store: Store, name: str, upstream: Upstream, folder: Path, **settled: str) -> Iterator[Means]:
    with upstream.on_loopback() as address:
        web = WebOptions(allow_hosts=(address.removeprefix("http://"),), pace=0, shared=str(folder / "pace"))
        yield Means(store=store, pool=Inline(), web=web, models=ModelOptions(), vault=Vault(new_key()),
                    keys={name: {"base_url": address, **settled}})


def watched(store: Store, brand: Brand, source: str, text: str) -> Watch:
    with store.write() as session:
        return watches.add(session, brand.id or 0, source, Query(text=text), 900, now())


def authors(store: Store) -> dict[str, Author]:
    with store.read() as session:
        found = mentions.find(session, MentionFilter(), limit=1000).items
    return {one.mention.author.id: one.mention.author for one in found if one.mention.author}


def test_followers_that_a_search_does_not_tell_come_in_batches_and_are_cached(
    store: Store, lumbre: Brand, tmp_path: Path
) -> None:
    upstream = BlueskyUpstream(tmp_path)
    recent(upstream, 60)
    watched(store, lumbre, "bluesky", upstream.query.text)
    with asking(store, "bluesky", upstream, tmp_path, **upstream.keys) as means:
        collect_due(means, now())
        unknown = authors(store)
        assert {author.followers for author in unknown.values()} == {None}
        upstream.requests.clear()
        moment = now()
        told = fill_followers(means, moment)
        profiles = [request for request in upstream.requests if "getProfiles" in request.url.path]
        assert len(profiles) == -(-len(unknown) // 25)
        known = authors(store)
        assert told == sum(author.followers is not None for author in known.values()) > 0
        assert {author.followers_at for author in known.values() if author.followers is not None} == {moment}
        upstream.requests.clear()
        assert fill_followers(means, moment + CACHE / 2) == 0
        assert upstream.requests == [], "neither a number that is known nor an answer without one is asked for again"
        assert fill_followers(means, moment + CACHE * 2) == told


def test_unknown_followers_never_become_zero_when_the_second_call_fails(
    store: Store, lumbre: Brand, tmp_path: Path
) -> None:
    upstream = BlueskyUpstream(tmp_path)
    recent(upstream, 5)
    watched(store, lumbre, "bluesky", upstream.query.text)
    with asking(store, "bluesky", upstream, tmp_path, **upstream.keys) as means:
        collect_due(means, now())
        upstream.failure = (503, {})
        assert fill_followers(means, now()) == 0
        upstream.failure = None
        assert {author.followers for author in authors(store).values()} == {None}
        assert fill_followers(means, now()) > 0


@pytest.mark.parametrize("threads", [0, 4])
def test_a_paid_source_never_costs_more_than_its_budget(
    store: Store, lumbre: Brand, tmp_path: Path, threads: int
) -> None:
    upstream = XUpstream(tmp_path)
    recent(upstream, 400)
    for text in ("lumbre", "café", "número"):
        watched(store, lumbre, "x", text)
    with asking(store, "x", upstream, tmp_path, **upstream.keys, monthly_budget="3") as means:
        if threads:
            with open_pool(threads=threads) as pool:
                outcomes = collect_due(replace(means, pool=pool), now())
        else:
            outcomes = collect_due(means, now())
        with store.read() as session:
            spent = watches.spent(session, "x", now() - timedelta(days=1))
        assert 2.0 < spent <= 3.0
        assert 0.005 * upstream.sent <= 3.0
        assert sum(o.saved.new for o in outcomes) > 0
        collect_due(means, now() + timedelta(minutes=16))
        with store.read() as session:
            stopped = [watch.problem for watch in watches.all_watches(session) if watch.problem]
            assert watches.spent(session, "x", now() - timedelta(days=1)) <= 3.0
    assert any("budget" in problem.message for problem in stopped)
    assert all(problem.error == "try_later" for problem in stopped)


def test_a_second_look_that_costs_is_in_the_ledger_and_within_the_budget(
    store: Store, lumbre: Brand, tmp_path: Path
) -> None:
    upstream = XUpstream(tmp_path)
    recent(upstream, 40)
    watch = watched(store, lumbre, "x", "lumbre")
    later = now() + timedelta(days=31)
    with asking(store, "x", upstream, tmp_path, **upstream.keys, monthly_budget="5") as means:
        collect_due(means, now())
        done = recheck_due(means, later)
        assert done.asked == 40
        with store.read() as session:
            run = watches.last_run(session, watch.id)
        assert run is not None
        assert run.cost == pytest.approx(40 * 0.005)
        broke = replace(means, keys={"x": {**means.keys["x"], "monthly_budget": "0"}})
        assert recheck_due(broke, later + timedelta(days=31)).asked == 0


def test_keys_that_a_source_exchanges_are_kept_with_the_run(
    store: Store, lumbre: Brand, tmp_path: Path
) -> None:
    upstream = MercadoLibreUpstream(tmp_path)
    recent(upstream, 5)
    watched(store, lumbre, "mercadolibre", upstream.query.text)
    old = {"access_token": "vencido", "refresh_token": "TG-1", "client_id": "1", "client_secret": SECRET}
    with asking(store, "mercadolibre", upstream, tmp_path) as means:
        assert means.vault is not None
        with store.write() as session:
            credentials.put(session, means.vault, "mercadolibre", None, old, now())
        (outcome,) = collect_due(means, now())
        assert outcome.problem is None, outcome.problem
        with store.read() as session:
            kept = credentials.keys_of(session, means.vault, "mercadolibre", lumbre.id)
    assert (kept["access_token"], kept["refresh_token"]) == ("APP_USR-2", "TG-2")
    assert outcome.saved.new == 5



def test_a_backfill_and_a_live_run_of_a_paid_source_make_way_for_each_other(
    store: Store, lumbre: Brand, tmp_path: Path
) -> None:
    upstream = XUpstream(tmp_path)
    recent(upstream, 20)
    watch = watched(store, lumbre, "x", "lumbre")
    moment = now()
    with store.write() as session:
        job = backfills.ask(session, watch.id, moment - timedelta(days=3), moment)
        watches.claim_due(session, moment)
    with asking(store, "x", upstream, tmp_path, **upstream.keys) as means:
        assert step(means, moment, only=job.id) is None
        with store.write() as session:
            watches.postpone(session, watch.id, moment)
            assert backfills.claim(session, moment + ASIDE) is not None
        assert collect_due(means, moment + ASIDE) == []
        assert upstream.requests == []
        with store.write() as session:
            backfills.postpone(session, job, moment)
        assert len(collect_due(means, moment + 3 * ASIDE)) == 1
