"""The roll-ups are at every moment what a recount gives, whatever happens to the mentions."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text, update

from escucha.brand import Brand
from escucha.filter import MentionFilter
from escucha.journey import Dimension
from escucha.mention import Author, Engagement
from store import brands, corrections, cubes, duplicates, enrichments, fulltext, mentions, metrics, rollups, tombstones
from store.engine import Store
from store.filters import conditions
from store.tables import MentionRow, TallyRow
from tests import make

ZONES = ("America/Santiago", "Europe/Madrid", "America/Havana", "Pacific/Auckland")
"""Zones whose clocks change, one of them at midnight."""
CHANGES = datetime(2026, 4, 5, 3, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 9, 6, 4, tzinfo=UTC)
LABELS = {
    "sentiment": ("positive", "neutral", "negative"), "stage": ("purchase", "retention", "none"),
    "pain": ("problem", "none"), "touchpoint": ("app", "store", "none"), "lang": ("es", "en"),
}  # fmt: skip


class Life:
    """Brands and what happens to their mentions, one random event after the other."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.dice, self.heard = store, random.Random(seed), 0
        with store.write() as session:
            self.brands = [
                brands.add(session, make.brand(f"marca{n}", timezone=zone)) for n, zone in enumerate(ZONES)
            ]
        self.events = (self.hear, self.hear, self.hear_again, self.understand, self.understand, self.correct, self.copy,
                       self.hide, self.move, self.delete, self.forget)  # fmt: skip

    def said(self, number: int) -> object:
        at = self.dice.choice(CHANGES) + timedelta(minutes=self.dice.randrange(-3000, 3000))
        author = str(self.dice.randrange(5))
        return make.mention(
            str(number), text=f"café número {self.dice.randrange(9)}", created_at=at, source=self.dice.choice("ab"),
            author=self.dice.choice([None, Author(id=author, handle=f"@{author}")]),
            engagement=Engagement(likes=self.dice.choice([None, 1, 9])),
        )

    def ids(self) -> list[int]:
        with self.store.read() as session:
            known = list(session.scalars(select(MentionRow.id).order_by(MentionRow.id)))
        return self.dice.sample(known, min(len(known), self.dice.randrange(1, 5)))

    def hear(self) -> None:
        fresh = [self.said(self.heard + n) for n in range(self.dice.randrange(1, 6))]
        self.heard += len(fresh)
        self.save(fresh)

    def hear_again(self) -> None:
        """Edits, other reactions, repeats, another time."""
        self.save([self.said(self.dice.randrange(self.heard + 1)) for _ in range(3)])

    def save(self, heard: list[object]) -> None:
        with self.store.write() as session:
            mentions.save(session, self.dice.choice(self.brands), heard, make.NOW)  # type: ignore[arg-type]

    def understand(self) -> None:
        with self.store.write() as session:
            claimed = enrichments.claim(session, 4, make.NOW)
            labels = {name: self.dice.choice(values) for name, values in LABELS.items()}
            enrichments.save(session, [(one, make.understood(**labels)) for one in claimed], make.NOW)

    def correct(self) -> None:
        for id in self.ids():
            kind = self.dice.choice(("sentiment", "stage", "pain", "touchpoint"))
            with self.store.write() as session:
                corrections.correct(session, id, kind, self.dice.choice(LABELS[kind]), make.NOW)

    def copy(self) -> None:
        """Some mentions of one brand become copies of the first of them."""
        with self.store.write() as session:
            ids = self.ids()
            brand = session.scalar(select(MentionRow.brand_id).where(MentionRow.id.in_(ids)).limit(1))
            query = select(MentionRow.id).where(MentionRow.id.in_(ids), MentionRow.brand_id == brand)
            alike = list(session.scalars(query.order_by(MentionRow.seek)))
            if len(alike) > 1:
                duplicates.left(session, alike)
                with rollups.kept(session, alike):
                    session.execute(
                        update(MentionRow).where(MentionRow.id.in_(alike))
                        .values(cluster_id=alike[0], copy=MentionRow.id != alike[0])
                    )  # fmt: skip

    def hide(self) -> None:
        ids = self.ids()
        with self.store.write() as session, rollups.kept(session, ids):
            why = self.dice.choice([None, "person"])
            session.execute(update(MentionRow).where(MentionRow.id.in_(ids)).values(hidden=why))

    def move(self) -> None:
        with self.store.write() as session:
            mentions.move(session, self.ids(), self.dice.choice(self.brands))

    def delete(self) -> None:
        ids = self.ids()
        with self.store.write() as session:
            rows = session.execute(select(MentionRow.source, MentionRow.source_id).where(MentionRow.id.in_(ids)))
            tombstones.drop(session, [(row.source, row.source_id) for row in rows])

    def forget(self) -> None:
        if self.dice.random() < 0.1:
            with self.store.write() as session:
                mentions.remove(session, session.scalars(select(MentionRow.id)).all())


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_the_counts_are_those_of_the_mentions(store: Store, seed: int) -> None:
    life = Life(store, seed)
    for step in range(60):
        act = life.hear if step < 5 else life.dice.choice(life.events)
        act()
        with store.write() as session:
            assert rollups.verify(session) == [], f"after {act.__name__}, step {step}"
            fulltext.check(session.connection())
    with store.read() as session:
        days = session.execute(select(MentionRow.day, MentionRow.created_at, MentionRow.brand_id)).all()
    zones = {brand.id: ZoneInfo(brand.timezone) for brand in life.brands}
    assert [row for row in days if row.day != row.created_at.astimezone(zones[row.brand_id]).date()] == []


@pytest.mark.parametrize("seed", range(3))
def test_a_roll_up_answers_as_the_mentions_do(store: Store, seed: int) -> None:
    life = Life(store, seed)
    for step in range(40):
        (life.hear if step < 10 else life.dice.choice(life.events))()
    asked: list[tuple[Dimension, ...]] = [(), ("sentiment",), ("stage",), ("stage", "pain"), ("touchpoint", "stage")]
    with store.read() as session:
        for brand in life.brands:
            zone = ZoneInfo(brand.timezone)
            for names in asked:
                filter = MentionFilter(
                    brand=brand.slug, since=datetime(2026, 3, 29, tzinfo=zone), until=datetime(2026, 9, 6, tzinfo=zone),
                    stages=life.dice.choice([(), ("purchase", "none")]), once=life.dice.random() < 0.5,
                    sentiments=life.dice.choice([(), ("negative",)]),
                )
                kept = cubes.grouped(session, filter, names)
                columns = [getattr(MentionRow, name) for name in names]
                query = select(*columns, func.count()).where(*conditions(session, filter)).group_by(*columns)
                rows = session.execute(query)
                assert kept == {tuple(values): n for *values, n in rows if n}, (names, filter)


def test_what_no_cube_holds_is_counted_from_the_mentions(store: Store) -> None:
    life = Life(store, 1)
    life.hear()
    one = MentionFilter(brand="marca0")
    with store.read() as session:
        assert cubes.grouped(session, replace(one, since=CHANGES[0]), ()) is None, "it cuts a day"
        assert cubes.grouped(session, replace(one, state="pending"), ()) is None
        assert cubes.grouped(session, one, ("pain", "source")) is None
        assert metrics.tallies(session, replace(one, pains=("problem",)), "source") == []


def test_a_planted_drift_is_found_and_a_rebuild_mends_it(store: Store) -> None:
    life = Life(store, 2)
    life.hear()
    with store.write() as session:
        session.execute(update(TallyRow).where(TallyRow.dimension == "source").values(n=TallyRow.n + 1))
        session.execute(text("DELETE FROM author_tally"))
        drifts = rollups.verify(session)
        assert {drift.table for drift in drifts} == {"tally", "author_tally"}
        assert {drift.kept[0] - drift.counted[0] for drift in drifts if drift.table == "tally"} == {1}
        rollups.rebuild(session)
        assert rollups.verify(session) == []


def test_a_brand_takes_its_counts_along_when_it_goes(store: Store) -> None:
    with store.write() as session:
        sample: Brand = brands.add(session, make.brand("muestra", sample=True))
        mentions.save(session, sample, [make.mention("1"), make.mention("2")], make.NOW)
        assert brands.remove_sample(session) == 2
        assert session.scalar(select(func.count()).select_from(TallyRow)) == 0
        fulltext.check(session.connection())
