"""A mention is saved once, an edit replaces it, and pages lose none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from escucha.brand import Brand
from escucha.errors import Invalid, NotFound
from escucha.filter import MentionFilter
from escucha.mention import Author, Engagement
from escucha.query.parse import parse
from store import brands, enrichments, mentions, metrics
from store.engine import Store
from store.mentions import Saved
from store.tables import MentionRow
from tests import make

EVERYTHING = MentionFilter()


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        return brands.add(session, make.brand())


def save(store: Store, brand: Brand, *heard: object, now: datetime = make.NOW) -> Saved:
    with store.write() as session:
        return mentions.save(session, brand, heard, now)  # type: ignore[arg-type]


def tag_all(store: Store, **labels: str) -> None:
    with store.write() as session:
        claimed = enrichments.claim(session, 1000, make.NOW)
        enrichments.save(session, [(p, make.understood(p.enrichment.text, **labels)) for p in claimed], make.NOW)


def test_a_mention_comes_back_as_it_went_in(store: Store, lumbre: Brand) -> None:
    said = make.mention(
        title="Reseña", lang="es", rating=4.5, place="CDMX", kind="review", raw={"id": 7, "nested": {"ok": None}},
        engagement=Engagement(likes=0, shares=2),
        created_at=datetime(2026, 3, 1, 23, 30, tzinfo=ZoneInfo("America/Bogota")),
    )
    save(store, lumbre, said)
    with store.read() as session:
        (listed,) = mentions.find(session, EVERYTHING).items
        found = mentions.get(session, listed.id)
    assert listed == replace(found, mention=replace(found.mention, raw=None))
    assert found.mention.author is not None
    assert found.mention.author.followers_at == make.NOW
    assert replace(found.mention, author=replace(found.mention.author, followers_at=None)) == said
    assert found.mention.created_at.tzinfo is UTC
    assert (found.brand, found.state, found.enrichment.sentiment) == ("lumbre", "pending", None)
    assert found.enrichment.text == "Reseña\nEl café llegó frío"


def test_unknown_followers_stay_unknown_and_known_ones_are_not_wiped_out(store: Store, lumbre: Brand) -> None:
    silent = Author(id="luis", handle="@luis", followers=None)
    save(store, lumbre, make.mention("1", author=silent))
    save(store, lumbre, make.mention("2"))
    save(store, lumbre, make.mention("3", author=replace(make.mention().author, followers=None)))  # type: ignore[type-var]
    with store.read() as session:
        followers = {m.mention.source_id: m.mention.author.followers for m in mentions.find(session, EVERYTHING).items}  # type: ignore[union-attr]
    assert followers == {"1": None, "2": 3200, "3": 3200}


def test_a_repeat_changes_nothing(store: Store, lumbre: Brand) -> None:
    assert save(store, lumbre, make.mention()) == Saved(new=1)
    tag_all(store, sentiment="negative")
    assert save(store, lumbre, make.mention(), now=make.NOW + timedelta(days=1)) == Saved(duplicate=1)
    with store.read() as session:
        (found,) = mentions.find(session, EVERYTHING).items
        assert session.scalar(select(MentionRow.heard_at)) == make.NOW
    assert found.state == "done"


def test_an_edit_replaces_text_and_reactions_and_waits_for_enrichment_again(store: Store, lumbre: Brand) -> None:
    save(store, lumbre, make.mention())
    tag_all(store, sentiment="negative")
    edited = make.mention(text="Ya me lo cambiaron, gracias", engagement=Engagement(likes=9))
    assert save(store, lumbre, edited) == Saved(updated=1)
    with store.read() as session:
        (found,) = mentions.find(session, EVERYTHING).items
    assert found.mention.text == "Ya me lo cambiaron, gracias"
    assert found.mention.engagement.likes == 9
    assert found.state == "pending"


def test_new_reactions_alone_do_not_ask_for_enrichment(store: Store, lumbre: Brand) -> None:
    save(store, lumbre, make.mention())
    tag_all(store)
    assert save(store, lumbre, make.mention(engagement=Engagement(likes=50))) == Saved(updated=1)
    with store.read() as session:
        (found,) = mentions.find(session, EVERYTHING).items
    assert (found.state, found.mention.engagement) == ("done", Engagement(likes=50, comments=1, shares=0))


def test_the_same_post_twice_in_one_batch_is_one_mention(store: Store, lumbre: Brand) -> None:
    assert save(store, lumbre, make.mention(), make.mention()) == Saved(new=1, duplicate=1)


def test_one_post_about_two_brands_is_heard_for_both(store: Store, lumbre: Brand) -> None:
    with store.write() as session:
        rival = brands.add(session, make.brand("nebula"))
    assert save(store, lumbre, make.mention()) == Saved(new=1)
    assert save(store, rival, make.mention()) == Saved(new=1)


def test_the_day_is_the_brands_local_day(store: Store, lumbre: Brand) -> None:
    late = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)  # 21:00 of 1 November in Mexico City
    save(store, lumbre, make.mention(created_at=late))
    with store.read() as session:
        (series,) = metrics.series(session, EVERYTHING, "mentions", None, "day")
    assert [point.at for point in series.points] == ["2026-11-01"]


def test_pages_walk_through_equal_times_without_a_hole_or_a_repeat(store: Store, lumbre: Brand) -> None:
    save(store, lumbre, *(make.mention(str(i), created_at=make.NOW - timedelta(minutes=i // 4)) for i in range(30)))
    seen, after = [], None
    for _ in range(10):
        with store.read() as session:
            page = mentions.find(session, EVERYTHING, limit=7, after=after)
        seen += [item.mention.source_id for item in page.items]
        after = page.next
        if after is None:
            break
    assert sorted(map(int, seen)) == list(range(30))
    assert len(seen) == 30


def test_a_made_up_page_key_is_refused(store: Store, lumbre: Brand) -> None:
    with store.read() as session, pytest.raises(Invalid, match="Start from the first page"):
        mentions.find(session, EVERYTHING, after="2026~x")


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (MentionFilter(brand="lumbre"), {"1", "2", "3"}),
        (MentionFilter(sources=("rss",)), {"3"}),
        (MentionFilter(sources=("rss", "mastodon")), {"1", "2", "3"}),
        (MentionFilter(query=parse("cafe frio")), {"1"}),
        (MentionFilter(query=parse("CAFÉ")), {"1", "2"}),
        (MentionFilter(query=parse("ano")), set()),
        (MentionFilter(query=parse("año")), {"3"}),
        (MentionFilter(query=parse("100%")), {"2"}),
        (MentionFilter(query=parse("1_0")), set()),
        (MentionFilter(since=make.NOW - timedelta(hours=3)), {"1", "2"}),
        (MentionFilter(until=make.NOW - timedelta(hours=3)), {"3"}),
        (MentionFilter(sentiments=("negative",)), {"1"}),
        (MentionFilter(sentiments=("negative", "neutral"), stages=("none",)), {"1", "2", "3"}),
        (MentionFilter(state="pending"), set()),
    ],
)
def test_each_filter_means_what_it_says(store: Store, lumbre: Brand, filter: MentionFilter, expected: set[str]) -> None:
    save(
        store, lumbre, make.mention("1"), make.mention("2", "Buen café, 100% recomendable"),
        make.mention("3", "Feliz año", source="rss", created_at=make.NOW - timedelta(hours=5)),
    )
    with store.write() as session:
        claimed = enrichments.claim(session, 10, make.NOW)
        felt = ["negative", "neutral", "neutral"]
        enrichments.save(
            session, [(p, make.understood(sentiment=s)) for p, s in zip(claimed, felt, strict=True)], make.NOW
        )
    with store.read() as session:
        assert {m.mention.source_id for m in mentions.find(session, filter).items} == expected
        assert metrics.count(session, filter) == len(expected)


def test_an_unknown_brand_is_named_with_those_that_exist(store: Store, lumbre: Brand) -> None:
    with store.read() as session, pytest.raises(NotFound, match=r"no brand otra\. Known brands: lumbre"):
        mentions.find(session, MentionFilter(brand="otra"))


def test_a_missing_mention_is_not_found(store: Store) -> None:
    with store.read() as session, pytest.raises(NotFound):
        mentions.get(session, 4)


def test_raw_text_no_database_can_hold_is_made_storable(store: Store, lumbre: Brand) -> None:
    save(store, lumbre, make.mention(raw={"bad\x00key": ["a\x00b", "\ud83d", 1.5, {"x": (1, 2)}]}))
    with store.read() as session:
        found = mentions.get(session, 1)
    assert found.mention.raw == {"badkey": ["ab", "", 1.5, {"x": [1, 2]}]}


def test_a_time_without_a_zone_is_refused_and_others_become_utc() -> None:
    with pytest.raises(Invalid, match="no time zone"):
        make.mention(created_at=datetime(2026, 1, 1))  # noqa: DTZ001
    east = timezone(timedelta(hours=14))
    said = make.mention(created_at=datetime(2026, 1, 1, 10, tzinfo=east))
    assert said.created_at == datetime(2025, 12, 31, 20, tzinfo=UTC)
