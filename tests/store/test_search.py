"""Searching finds what is meant, page by page, in each order, and never what is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, update
from sqlalchemy.orm import Session

from escucha.errors import Invalid
from escucha.filter import MentionFilter, Order
from escucha.mention import Engagement, Mention
from escucha.query.parse import DEEPEST, FARTHEST, MOST_WITHIN, parse
from store import brands, found, mentions, metrics, rollups
from store.engine import Store
from store.facets import facets
from store.tables import MentionRow
from tests.make import NOW, brand, mention
from tests.store.test_mentions import tag_all


def heard(store: Store, *said: Mention, slug: str = "lumbre") -> None:
    with store.write() as session:
        known = [one for one in brands.all_brands(session) if one.slug == slug]
        mentions.save(session, known[0] if known else brands.add(session, brand(slug)), said, NOW)


def asked(query: str | None = None, **more: Any) -> MentionFilter:
    return MentionFilter(query=parse(query) if query else None, **more)


def page(store: Store, filter: MentionFilter, order: Order = "newest", n: int = 50) -> list[str]:
    with store.read() as session:
        return [item.mention.source_id for item in found.find(session, filter, limit=n, order=order).items]


def walked(store: Store, filter: MentionFilter, order: Order, n: int = 3) -> list[str]:
    """All pages, one after the other."""
    seen: list[str] = []
    after = None
    for _ in range(50):
        with store.read() as session:
            part = found.find(session, filter, limit=n, order=order, after=after)
        seen += [item.mention.source_id for item in part.items]
        after = part.next
        if after is None:
            return seen
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("query", [None, "café", "café OR author:ana", "-nada", "author:ana", "caf* NEAR/1 frío"])
@pytest.mark.parametrize("whose", ["lumbre", None])
def test_pages_are_newest_first_without_gap_or_repeat_across_brands(
    store: Store, query: str | None, whose: str | None
) -> None:
    for slug, numbers in (("otra", range(1, 20, 2)), ("lumbre", range(0, 20, 2))):
        heard(store, *(mention(str(i), created_at=NOW - timedelta(seconds=i // 4)) for i in numbers), slug=slug)
    seen = walked(store, asked(query, brand=whose), "newest")
    assert sorted(seen, key=int) == [str(i) for i in range(20) if whose is None or i % 2 == 0]
    assert [int(number) // 4 for number in seen] == sorted(int(number) // 4 for number in seen)
    assert page(store, asked(query, brand=whose), n=4) == seen[:4]


def test_what_is_new_shifts_no_page_that_is_being_read(store: Store) -> None:
    heard(store, *(mention(str(i), created_at=NOW - timedelta(hours=i)) for i in range(4)))
    with store.read() as session:
        first = found.find(session, asked("café"), limit=2)
    heard(store, mention("new", created_at=NOW))
    with store.read() as session:
        second = found.find(session, asked("café"), limit=2, after=first.next)
    assert [item.mention.source_id for item in second.items] == ["2", "3"]


def test_the_most_reacted_to_come_first_and_the_unknown_last(store: Store) -> None:
    likes = {"a": 5, "b": None, "c": -2, "d": 5, "e": 0, "f": None, "g": 70}
    heard(store, *(mention(key, created_at=NOW - timedelta(minutes=i), engagement=Engagement(likes=n))
                   for i, (key, n) in enumerate(likes.items())))
    for query in (None, "café"):
        assert walked(store, asked(query), "engagement", n=2) == ["g", "a", "d", "e", "c", "b", "f"]


def test_relevance_prefers_rare_words_more_of_them_short_texts_and_titles(store: Store) -> None:
    heard(
        store, mention("long", "café " + "de olla en la mañana con pan " * 4), mention("short", "café de olla"),
        mention("twice", "café con café de olla"), mention("title", "de olla, sí", title="Café"),
        mention("rare", "refresco helado"), mention("other", "nada que ver"),
        *(mention(f"filler{i}", "un café cualquiera en la esquina de siempre con mucha gente") for i in range(6)),
    )
    best = page(store, asked("café OR refresco"), "relevance")
    assert best[0] == "rare"
    assert best.index("title") < best.index("short") < best.index("filler0") < best.index("long")
    assert best.index("twice") < best.index("short")
    assert "other" not in best
    assert page(store, asked("café"), "relevance", n=2) == page(store, asked("café"), "relevance")[:2]
    assert page(store, asked(), "relevance") == page(store, asked())


def test_what_is_hidden_is_found_in_no_order_and_not_counted(store: Store) -> None:
    heard(store, *(mention(str(i), engagement=Engagement(likes=i)) for i in range(4)))
    with store.write() as session, rollups.kept(session, [1, 2]):
        session.execute(update(MentionRow).where(MentionRow.id == 1).values(hidden="query"))
        session.execute(update(MentionRow).where(MentionRow.id == 2).values(hidden="blocked"))
    orders: tuple[Order, ...] = ("newest", "engagement", "relevance")
    for order in orders:
        for query in (None, "café", "author:ana", "-té"):
            assert sorted(page(store, asked(query), order)) == ["2", "3"]
    with store.read() as session:
        assert metrics.count(session, asked("café")) == 2
        assert facets(session, asked("café")).n == 2


def test_a_period_is_exact_to_the_moment(store: Store) -> None:
    times = (0.0, 0.4, 0.999, 1.0, 1.5)
    heard(store, *(mention(str(at), created_at=NOW + timedelta(seconds=at)) for at in times))
    for query in (None, "café", "-té"):
        inside = asked(query, since=NOW + timedelta(seconds=0.4), until=NOW + timedelta(seconds=1.5))
        assert sorted(page(store, inside)) == ["0.4", "0.999", "1.0"]
        with store.read() as session:
            assert metrics.count(session, inside) == 3


@pytest.mark.parametrize(
    ("order", "key"),
    [("newest", "x"), ("newest", "-1"), ("newest", f"{2**63}"), ("newest", "2026-11-19T10:00:00Z~4"), ("newest", "٣"),
     ("engagement", "5"), ("engagement", "5~"), ("engagement", "~-1"), ("engagement", f"{2**63}~1"),
     ("engagement", "1" * 5_000), ("newest", "9" * 5_000), ("newest", "0" * 40 + "9" * 40)],
)
def test_a_key_that_no_page_gave_is_refused(store: Store, order: Order, key: str) -> None:
    heard(store, mention())
    with store.read() as session, pytest.raises(Invalid, match="Start from the first page"):
        found.find(session, asked(), order=order, after=key)


def test_each_choice_is_counted_under_all_the_others(store: Store) -> None:
    heard(store, mention("1"), mention("2", source="rss"), mention("3", source="rss", text="té"))
    tag_all(store, sentiment="negative", stage="purchase")
    heard(store, mention("4"))
    with store.read() as session:
        chosen = asked("café", sources=("rss",), sentiments=("negative",))
        counted = facets(session, chosen)
        assert counted.n == metrics.count(session, chosen) == 1
        assert counted.counts["source"] == {"mastodon": 1, "rss": 1}
        assert counted.counts["sentiment"] == {"negative": 1}
        assert facets(session, asked("café")).counts["source"] == {"mastodon": 2, "rss": 1}


def test_the_largest_and_deepest_queries_that_are_read_are_also_answered(store: Store) -> None:
    heard(store, mention("1"), mention("2", text="té"))
    deep = "café"
    for step in range(DEEPEST - 1):
        deep = f"({deep} {'OR té' if step == 1 else f'OR w{step}' if step % 2 else 'frío'})"
    deep += " café"
    near = " OR ".join(f"palabra{i}" for i in range(9))
    several = '"' + " ".join(f"w{i}" for i in range(MOST_WITHIN)) + f'"~{FARTHEST}'
    for query in (
        deep, f"café OR ({' OR '.join(f'w{i}' for i in range(199))})", f"café {' '.join(f'-w{i}' for i in range(199))}",
        f"café OR (({near} OR café) NEAR/50 ({near} OR frío))", f"café -({near} OR {several})",
        f"café -(({near} OR x) ONEAR/50 ({near} OR y))",
    ):
        assert page(store, asked(query)) == ["1"], query


def test_sqlite_reads_the_newest_from_an_index_and_sorts_nothing(sqlite_store: Store) -> None:
    heard(sqlite_store, *(mention(str(i), created_at=NOW - timedelta(seconds=i)) for i in range(20)))
    period = asked("café", brand="lumbre", since=NOW - timedelta(days=90), until=NOW + timedelta(days=1))
    for filter, first in (
        (asked(brand="lumbre"), "ix_mention_newest"), (asked("café", brand="lumbre"), "mention_words"),
        (period, "mention_words"), (asked("café -té source:rss"), "mention_words"),
        (asked('raw:"Café"', brand="lumbre"), "mention_words"),
    ):
        with sqlite_store.read() as session, plans(session) as seen:
            found.find(session, filter, limit=5, after=str(2**62))
        assert first in seen[0]
        assert not any("TEMP B-TREE" in line for line in seen), seen


def test_sqlite_reads_what_an_author_said_and_not_all_that_the_brand_heard(sqlite_store: Store) -> None:
    heard(sqlite_store, *(mention(str(i)) for i in range(20)))
    with sqlite_store.read() as session, plans(session) as seen:
        found.find(session, asked("café author:ana", brand="lumbre"))
    assert "ix_mention_author_id" in seen[0]


@contextmanager
def plans(session: Session) -> Iterator[list[str]]:
    """How SQLite goes about each statement that reads mentions."""
    seen: list[str] = []

    def explained(connection: Connection, _: Any, statement: str, values: Any, *more: Any) -> None:
        if "FROM mention" in statement:
            raw = connection.connection.dbapi_connection
            assert raw is not None
            cursor = raw.cursor()
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            seen.extend(row[3] for row in cursor.fetchall())

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", explained)
    try:
        yield seen
    finally:
        event.remove(connection, "before_cursor_execute", explained)


def test_labels_that_nobody_has_given_are_not_meant_nor_their_opposite_lost(store: Store) -> None:
    heard(store, mention("1"), mention("2", text="té"))
    with store.write() as session:
        session.execute(update(MentionRow).where(MentionRow.source_id == "2").values(sentiment="negative"))
    assert page(store, asked("sentiment:negative")) == ["2"]
    assert page(store, asked("-sentiment:negative")) == ["1"]
    assert page(store, asked("-(café sentiment:negative)")) == ["2", "1"]
