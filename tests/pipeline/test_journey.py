"""The map adds up to the mentions behind it, and its quotes are people's own words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from config.catalogue import read_catalogue
from escucha.filter import MentionFilter
from pipeline.journey import QUOTE_LENGTH, draw
from store import brands, enrichments, mentions, metrics
from store.engine import Store
from tests import make

CATALOGUE = read_catalogue()
PLAN = [
    ("purchase", "negative", "inefficiency", "delivery"), ("purchase", "negative", "inefficiency", "delivery"),
    ("purchase", "positive", "none", "order_payment"), ("advocacy", "positive", "none", "product"),
    ("none", "neutral", "none", "none"), ("purchase", "neutral", "problem", "delivery"),
]


@pytest.fixture
def filled(store: Store) -> Store:
    with store.write() as session:
        lumbre = brands.add(session, make.brand())
        said = [
            make.mention(str(i), f"Así lo dijo la persona número {i}", created_at=make.NOW - timedelta(hours=i))
            for i in range(len(PLAN))
        ]
        mentions.save(session, lumbre, said, make.NOW)
        claimed = enrichments.claim(session, 100, make.NOW)
        tagged = [
            (p, make.understood(stage=stage, sentiment=feeling, pain=pain, touchpoint=touchpoint))
            for p, (stage, feeling, pain, touchpoint) in zip(claimed, PLAN, strict=True)
        ]
        enrichments.save(session, tagged, make.NOW)
    return store


def test_every_stage_has_its_column_in_order(filled: Store) -> None:
    with filled.read() as session:
        drawn = draw(session, MentionFilter(brand="lumbre"), CATALOGUE)
    assert [c.stage.key for c in drawn.columns] == [
        "awareness", "consideration", "decision", "purchase", "retention", "advocacy"
    ]
    assert (drawn.n, drawn.staged) == (6, 5)
    assert [c.n for c in drawn.columns] == [0, 0, 0, 4, 0, 1]


def test_a_column_counts_what_the_filter_finds(filled: Store) -> None:
    with filled.read() as session:
        purchase = draw(session, MentionFilter(brand="lumbre"), CATALOGUE).columns[3]
        assert purchase.n == metrics.count(session, MentionFilter(stages=("purchase",)))
        for tally in purchase.touchpoints:
            asked = MentionFilter(stages=("purchase",), touchpoints=(tally.key,))
            assert tally.n == metrics.count(session, asked)
    assert [(t.key, t.n) for t in purchase.pains] == [("inefficiency", 2), ("problem", 1)]
    assert purchase.mix.net == pytest.approx(-25.0)
    assert purchase.emotion == pytest.approx(-0.5)
    assert purchase.share.share == pytest.approx(4 / 5)


def test_quotes_let_each_feeling_speak(filled: Store) -> None:
    with filled.read() as session:
        purchase = draw(session, MentionFilter(), CATALOGUE).columns[3]
    assert {quote.sentiment for quote in purchase.quotes} == {"negative", "positive", "neutral"}
    assert all(quote.author == "@ana@social.invalid" for quote in purchase.quotes)


def test_an_empty_stage_has_no_feeling(filled: Store) -> None:
    with filled.read() as session:
        empty = draw(session, MentionFilter(), CATALOGUE).columns[0]
    assert (empty.mix.net, empty.emotion, empty.quotes) == (None, None, ())


def test_a_long_text_is_quoted_short_at_a_word(store: Store) -> None:
    with store.write() as session:
        lumbre = brands.add(session, make.brand())
        mentions.save(session, lumbre, [make.mention(text="palabra " * 500)], make.NOW)
        (pending,) = enrichments.claim(session, 1, make.NOW)
        enrichments.save(session, [(pending, make.understood(stage="retention"))], make.NOW)
    with store.read() as session:
        (quote,) = draw(session, MentionFilter(), CATALOGUE).columns[4].quotes
    assert len(quote.text) <= QUOTE_LENGTH
    assert quote.text.endswith("palabra…")
