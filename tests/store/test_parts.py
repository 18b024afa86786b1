"""A mention's parts come back with it, as long as they are those of its text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event

from escucha.brand import Brand
from escucha.enrichment import Label, Part
from escucha.filter import MentionFilter
from store import brands, enrichments, mentions, parts
from store.engine import Store
from tests import make

PRAISE = Part(start=0, end=12, sentiment=Label("positive", 0.9), touchpoint=Label("product", 0.7))
BLAME = Part(start=13, end=30, sentiment=Label("negative", 0.8), pain=Label("inefficiency", 0.6))


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        brand = brands.add(session, make.brand())
        mentions.save(session, brand, [make.mention(str(i), "Comida rica, entrega lentísima") for i in range(4)],
                      make.NOW)
    return brand


def tag(store: Store, *told: Part) -> None:
    with store.write() as session:
        pending = enrichments.claim(session, 10, make.NOW)
        read = replace(make.understood(), parts=told)
        enrichments.save(session, [(one, read) for one in pending], make.NOW)


def test_parts_come_back_in_the_order_of_the_text(store: Store, lumbre: Brand) -> None:
    tag(store, BLAME, PRAISE)
    with store.read() as session:
        page = mentions.find(session, MentionFilter())
        assert [item.enrichment.parts for item in page.items] == [(PRAISE, BLAME)] * 4
        assert mentions.get(session, page.items[0].id) == page.items[0]


def test_a_page_asks_for_its_parts_once(store: Store, lumbre: Brand) -> None:
    tag(store, PRAISE, BLAME)
    asked: list[str] = []
    with store.read() as session:
        event.listen(session.get_bind(), "before_cursor_execute", lambda *given: asked.append(given[2]))
        mentions.find(session, MentionFilter())
    assert sum("FROM part" in statement for statement in asked) == 1


def test_an_edited_mention_shows_no_parts_until_it_is_read_again(store: Store, lumbre: Brand) -> None:
    tag(store, PRAISE, BLAME)
    with store.write() as session:
        mentions.save(session, lumbre, [make.mention("0", "Bien")], make.NOW)
    with store.read() as session:
        edited = next(i for i in mentions.find(session, MentionFilter()).items if i.mention.source_id == "0")
        assert edited.enrichment.parts == ()
    tag(store)
    with store.read() as session:
        assert mentions.get(session, edited.id).enrichment.parts == ()
        assert edited.id not in parts.of(session, [edited.id])


def test_parts_go_with_their_mention(store: Store) -> None:
    with store.write() as session:
        brand = brands.add(session, make.brand(sample=True))
        mentions.save(session, brand, [make.mention()], make.NOW)
    tag(store, PRAISE)
    with store.write() as session:
        id = mentions.find(session, MentionFilter()).items[0].id
        assert parts.of(session, [id]) == {id: (PRAISE,)}
        brands.remove_sample(session)
        assert parts.of(session, [id]) == {}
