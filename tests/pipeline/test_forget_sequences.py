"""Whatever is heard, blocked, unblocked, erased and let go of, in any order: what is seen and counted is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from escucha.errors import NotFound
from escucha.filter import MentionFilter
from escucha.keeping import Policy, Retention, kept_since
from escucha.mention import Author, Mention
from pipeline import forget, night
from pipeline.door import unburied
from store import brands, enrichments, mentions, removal, retention, rollups
from store.engine import Store
from store.tables import AuditRow, AuthorRow, MentionRow, RetentionRow, TombstoneRow
from tests import make

BRANDS = ("lumbre", "nebula")
SOURCES = ("mastodon", "reddit")
WHO = st.tuples(st.sampled_from(SOURCES), st.sampled_from(("ana", "beto", "caro")))
AGES = (1, 20, 90, 400)
Said = tuple[str, str, str, int]
"""Brand, source, author, and how many days ago."""
STEPS = st.one_of(
    st.tuples(st.just("hear"), st.lists(
        st.tuples(st.sampled_from(BRANDS), st.sampled_from(SOURCES), st.sampled_from(("ana", "beto", "caro")),
                  st.sampled_from(AGES)), min_size=1, max_size=8)),
    st.tuples(st.just("understand"), st.sampled_from(("positive", "negative"))),
    st.tuples(st.sampled_from(("block", "unblock", "erase")), WHO),
    st.tuples(st.just("keep"), st.tuples(st.sampled_from((None, *SOURCES)), st.sampled_from((None, *BRANDS)),
                                         st.sampled_from((None, 10, 30, 365)))),
    st.tuples(st.just("night"), st.none()),
)


@dataclass
class World:
    """What should be so: what was said and is held, who is blocked or erased, and the rules."""

    store: Store
    ids: dict[str, int]
    said: set[Said] = field(default_factory=set)
    blocked: set[tuple[str, str]] = field(default_factory=set)
    erased: set[tuple[str, str]] = field(default_factory=set)
    policy: Policy = field(default_factory=Policy)

    def hear(self, heard: list[Said]) -> None:
        for slug in BRANDS:
            with self.store.write() as session:
                brand = brands.get(session, slug)
                kept, _ = unburied(session, brand, [_mention(one) for one in heard if one[0] == slug], make.NOW)
                mentions.save(session, brand, kept, make.NOW)
        self.said |= {one for one in heard if one[1:3] not in self.blocked | self.erased and not self._old(one)}

    def understand(self, sentiment: str) -> None:
        with self.store.write() as session:
            claimed = enrichments.claim(session, 100, make.NOW)
            told = make.understood(sentiment=sentiment, stage="purchase", pain="need")
            enrichments.save(session, [(waiting, told) for waiting in claimed], make.NOW)

    def block(self, who: tuple[str, str]) -> None:
        if self._did(forget.block, who):
            self.blocked.add(who)

    def unblock(self, who: tuple[str, str]) -> None:
        self._did(forget.unblock, who)
        self.blocked.discard(who)

    def erase(self, who: tuple[str, str]) -> None:
        if self._did(forget.erase, who):
            self.erased.add(who)
            self.blocked.discard(who)
            self.said = {one for one in self.said if one[1:3] != who}

    def keep(self, asked: tuple[str | None, str | None, int | None]) -> None:
        source, slug, days = asked
        rule = Retention(source=source, brand_id=self.ids[slug] if slug else None, days=days)
        with self.store.write() as session:
            retention.put(session, rule)
        self.policy = self.policy.with_rule(rule)

    def night(self, _: None) -> None:
        night.tidy(self.store, make.NOW)
        self.said = {one for one in self.said if not self._old(one)}

    def check(self) -> None:
        with self.store.read() as session:
            found = mentions.find(session, MentionFilter(), limit=200).items
            held = set(session.scalars(select(MentionRow.source_id)))
            assert rollups.verify(session) == []
        visible = {_id(one) for one in self.said if one[1:3] not in self.blocked}
        assert {one.mention.source_id for one in found} == visible
        assert held == {_id(one) for one in self.said}

    def _did(self, act: object, who: tuple[str, str]) -> bool:
        try:
            with self.store.read() as session:
                person = forget.found(session, *who)
        except NotFound:
            return False
        act(self.store, person, make.NOW)  # type: ignore[operator]
        return True

    def _old(self, one: Said) -> bool:
        days = self.policy.of(one[1], self.ids[one[0]]).days
        return days is not None and _said_at(one) < kept_since(days, make.brand(one[0]), make.NOW)


def _id(one: Said) -> str:
    return "-".join(map(str, one))


def _said_at(one: Said) -> object:
    return make.NOW - timedelta(days=one[3])


def _mention(one: Said) -> Mention:
    return make.mention(_id(one), f"Dice {one[2]}", source=one[1], author=Author(id=one[2], handle=one[2]),
                        created_at=_said_at(one))


def _fresh(store: Store) -> World:
    with store.write() as session:
        removal.remove(session, session.scalars(select(MentionRow.id)).all())
        for table in (AuthorRow, TombstoneRow, RetentionRow, AuditRow):
            session.execute(delete(table))
        known = {brand.slug: brand for brand in brands.all_brands(session)}
        ids = {slug: (known.get(slug) or brands.add(session, make.brand(slug))).id or 0 for slug in BRANDS}
    return World(store, ids)


@pytest.mark.timeout(600)
def test_any_sequence_leaves_what_should_be_and_the_counts_agree(store: Store) -> None:
    @settings(max_examples=25 if store.dialect == "sqlite" else 6, deadline=None, derandomize=True,
              suppress_health_check=list(HealthCheck))
    @given(st.lists(STEPS, min_size=4, max_size=14))
    def holds(steps: list[tuple[str, object]]) -> None:
        world = _fresh(store)
        for act, of in steps:
            getattr(world, act)(of)
            world.check()

    holds()
