"""A paid source stops before it costs more than was allowed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from escucha.brand import Brand, Query
from escucha.errors import Invalid, TryLater
from escucha.source import SourceFacts
from pipeline.spending import BUDGET, budget, fields, items_left, month
from store import brands, watches
from store.engine import Store
from store.mentions import Saved
from store.watches import Ledger
from tests import make

PAID = SourceFacts(name="x", query_hint="", title="X", cost_per_item=0.01)


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        return brands.add(session, make.brand())


def cost(store: Store, brand: Brand, dollars: float, at: datetime = make.NOW) -> None:
    with store.write() as session:
        known = watches.of_brand(session, brand.id or 0)
        watch = known[0] if known else watches.add(session, brand.id or 0, "x", Query(text="lumbre"), 900, make.NOW)
        watches.write(session, watch.id, Ledger(saved=Saved(), cost=dollars), at)


def left(store: Store, **keys: str) -> int | None:
    with store.read() as session:
        return items_left(session, PAID, keys, 10.0, make.NOW)


def test_what_is_left_is_the_budget_less_this_months_runs(store: Store, lumbre: Brand) -> None:
    assert left(store) == 1000
    cost(store, lumbre, 4.0)
    cost(store, lumbre, 3.5, datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
    assert left(store) == 600
    assert left(store, monthly_budget="4,50") == 50


def test_a_budget_that_is_used_up_waits_for_the_next_month(store: Store, lumbre: Brand) -> None:
    cost(store, lumbre, 9.995)
    with pytest.raises(TryLater, match="budget of") as caught:
        left(store)
    assert caught.value.after == (datetime(2026, 12, 1, tzinfo=UTC) - make.NOW).total_seconds()


def test_a_source_that_costs_nothing_has_no_bound(store: Store) -> None:
    with store.read() as session:
        assert items_left(session, SourceFacts(name="rss", query_hint=""), {}, 0.0, make.NOW) is None


@pytest.mark.parametrize("told", ["mucho", "-1", "nan", "inf"])
def test_a_budget_that_is_no_amount_is_said(told: str) -> None:
    with pytest.raises(Invalid, match="no amount"):
        budget({BUDGET: told}, 10.0)


def test_december_ends_with_the_year() -> None:
    assert month(datetime(2026, 12, 31, 23, tzinfo=UTC)) == (
        datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    )


def test_only_a_source_that_costs_asks_for_a_budget() -> None:
    assert [field.name for field in fields(PAID)] == [BUDGET]
    assert fields(SourceFacts(name="rss", query_hint="")) == ()
