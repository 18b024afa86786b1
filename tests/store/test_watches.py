"""A watch is claimed by one, and its ledger balances."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from escucha.brand import Brand, Problem, Query, Watch
from escucha.errors import Conflict, NotFound, Unreadable
from escucha.source import Quota, Refusal
from store import brands, watches
from store.engine import Store
from store.leader import candidate
from store.mentions import Saved
from store.watches import Ledger
from tests import make


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        return brands.add(session, make.brand())


@pytest.fixture
def watch(store: Store, lumbre: Brand) -> Watch:
    with store.write() as session:
        return watches.add(session, lumbre.id or 0, "rss", Query(text="http://x", terms=("café",)), 900, make.NOW)


def due(store: Store, later: timedelta = timedelta()) -> list[int]:
    with store.write() as session:
        return [watch.id for watch in watches.claim_due(session, make.NOW + later)]


def test_a_new_watch_is_due_at_once_and_claimed_by_one(store: Store, watch: Watch) -> None:
    assert watch.query == Query(text="http://x", terms=("café",))
    assert due(store) == [watch.id]
    assert due(store) == []
    assert due(store, watches.LEASE + timedelta(seconds=1)) == [watch.id]


def test_a_settled_watch_waits_for_its_next_time_and_keeps_its_ledger(store: Store, watch: Watch) -> None:
    refusal = Refusal(where="row 3", why=Unreadable("No {what}.", what="tex\x00t"))
    with store.write() as session:
        watches.settle(
            session, watch,
            Ledger(saved=Saved(new=4, duplicate=1), refusals=[refusal], passed=2, cost=0.25,
                   problem=Problem(error="try_later", message="Wait.", details={"after": 3.0})),
            now=make.NOW, next_at=make.NOW + timedelta(hours=1), pace=3600, cursor={"etag": "a"}, failures=2,
            state="active", quota=Quota(limit=10, remaining=3, resets_at=make.NOW),
        )
    with store.read() as session:
        seen, run = watches.get(session, watch.id), watches.last_run(session, watch.id)
    assert (seen.cursor, seen.failures, seen.problem) == ({"etag": "a"}, 2, Problem(error="try_later", message="Wait.",
                                                                                   details={"after": 3.0}))
    assert (seen.pace, seen.health, seen.quota) == (3600, "failing", Quota(limit=10, remaining=3, resets_at=make.NOW))
    assert run is not None
    assert (run.passed, run.cost) == (2, 0.25)
    assert run.fetched == run.new + run.updated + run.duplicate + run.refused == 6
    assert run.refusals == (("row 3", Problem(error="unreadable", message="No {what}.", details={"what": "text"})),)
    assert due(store, timedelta(minutes=59)) == []
    assert due(store, timedelta(minutes=61)) == [watch.id]


def test_a_paused_watch_rests_until_it_is_resumed(store: Store, watch: Watch) -> None:
    with store.write() as session:
        watches.set_state(session, watch.id, "paused", make.NOW)
    assert due(store) == []
    with store.write() as session:
        watches.set_state(session, watch.id, "active", make.NOW + timedelta(days=1))
    assert due(store, timedelta(days=1)) == [watch.id]


def test_the_same_watch_twice_is_a_conflict(store: Store, lumbre: Brand, watch: Watch) -> None:
    with store.write() as session, pytest.raises(Conflict, match="exists already"):
        watches.add(session, lumbre.id or 0, "rss", Query(text="http://x"), 60, make.NOW)


def test_a_missing_watch_is_not_found(store: Store) -> None:
    with store.write() as session, pytest.raises(NotFound, match="no watch number 7"):
        watches.set_state(session, 7, "paused", make.NOW)


def test_the_same_brand_twice_is_a_conflict(store: Store, lumbre: Brand) -> None:
    with store.write() as session, pytest.raises(Conflict, match="exists already"):
        brands.add(session, make.brand())


def test_removing_the_sample_leaves_the_users_own_brands(store: Store, lumbre: Brand) -> None:
    from store import mentions

    with store.write() as session:
        sample = brands.add(session, make.brand("muestra", sample=True))
        mentions.save(session, sample, [make.mention("1"), make.mention("2")], make.NOW)
        mentions.save(session, lumbre, [make.mention("1")], make.NOW)
    with store.write() as session:
        assert brands.remove_sample(session) == 2
    with store.read() as session:
        assert [brand.slug for brand in brands.all_brands(session)] == ["lumbre"]


def test_one_candidate_leads_until_it_resigns(store: Store) -> None:
    first, second = candidate(store), candidate(store)
    assert first.leads()
    assert first.leads()
    assert not second.leads()
    first.resign()
    ends = time.monotonic() + 10  # PostgreSQL lets go of the lock when it notices that the connection has closed
    while not second.leads() and time.monotonic() < ends:
        time.sleep(0.05)
    assert second.leads()
    assert not first.leads()
    second.resign()
