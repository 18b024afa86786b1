"""A brand's own heads, then its rules, then persons; a rule reaches what is stored, whole, even after a stop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from config.catalogue import read_catalogue
from escucha.brand import Brand
from escucha.enrichment import Label, Said, TaggedMention
from escucha.errors import Invalid
from escucha.filter import MentionFilter
from escucha.rule import Rule
from escucha.vector import Vector, pack
from nlp.adapt import to_bytes
from nlp.chain import ModelOptions, Outcome
from nlp.heads import Head
from pipeline import adaptation, correct
from pipeline.adaptation import Adaptation, OwnHead, adapt
from pipeline.enrich import enrich_pending
from store import brands, corrections, heads, mentions, rules
from store.engine import Store
from store.heads import NewHead
from tests import make
from tests.pipeline.test_enrich import Answering, means

CATALOGUE = read_catalogue()
WIDTH = 4
NEGATIVE_OR_POSITIVE = Head(
    classes=("negative", "positive"), bias=np.zeros(2, np.float32),
    weights=np.array([[8, -8], [0, 0], [0, 0], [0, 0]], np.float32),
)


def vector(first: float, version: str = "v1") -> Vector:
    return pack(np.array([[first, 0, 0, 1]], np.float32), version)[0]


def answering(_: ModelOptions, batch: Any) -> list[Outcome]:
    """Everything is neutral, of version v1, and its vector leans to negative."""
    from dataclasses import replace

    return [Outcome(enrichment=replace(make.understood(e.text), vector=vector(1))) for e in batch]


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        return brands.add(session, make.brand())


def hear(store: Store, brand: Brand, *texts: str) -> None:
    with store.write() as session:
        mentions.save(session, brand, [make.mention(f"{brand.slug}{n}", text) for n, text in enumerate(texts)],
                      make.NOW)


def tag(store: Store) -> None:
    enrich_pending(means(store, Answering(answering)), lambda: make.NOW)


def found(store: Store, brand: str = "lumbre") -> list[TaggedMention]:
    with store.read() as session:
        page = mentions.find(session, MentionFilter(brand=brand), limit=2_000)
    return sorted(page.items, key=lambda item: item.id)


def sentiments(store: Store, brand: str = "lumbre") -> list[str | None]:
    return [item.enrichment.sentiment.label if item.enrichment.sentiment else None for item in found(store, brand)]


def war(brand: Brand, **changes: Any) -> Rule:
    given = {"words": ("guerra",), "kind": "sentiment", "label": "positive"} | changes
    return Rule(brand_id=brand.id, **given)  # type: ignore[arg-type]


def activate(store: Store, brand: Brand, reads: str = "v1") -> int:
    head = NEGATIVE_OR_POSITIVE
    new = NewHead(kind="sentiment", reads=reads, classes=head.classes, weights=to_bytes(head), report={})
    with store.write() as session:
        offered = heads.offer(session, brand.id or 0, new, make.NOW)
        return heads.accept(session, brand.id or 0, offered.id, make.NOW).id


def test_a_head_reads_only_vectors_of_its_version_and_says_that_it_spoke() -> None:
    from dataclasses import replace

    own = Adaptation(heads={"sentiment": OwnHead(id=7, reads="v1", head=NEGATIVE_OR_POSITIVE)})
    answer = replace(make.understood("guerra"), vector=vector(-1))
    adapted = adapt(answer, own)
    assert adapted.sentiment is not None
    assert (adapted.sentiment.label, adapted.sentiment.score > 0.9) == ("positive", True)
    assert adapted.versions == {"test": "1", "head:sentiment": "7"}
    for silent in (replace(answer, vector=vector(-1, "v2")), replace(answer, vector=None)):
        assert adapt(silent, own) == silent


def test_what_comes_in_goes_through_heads_then_rules_then_persons(store: Store, lumbre: Brand) -> None:
    number = activate(store, lumbre)
    correct.add_rule(store, CATALOGUE, war(lumbre), make.NOW)
    hear(store, lumbre, "nada", "guerra", "la guerra")
    with store.write() as session:
        correct.correct(session, CATALOGUE, 3, "sentiment", "neutral", make.NOW)
    tag(store)
    plain, ruled, corrected = (item.enrichment for item in found(store))
    assert sentiments(store) == ["negative", "positive", "neutral"]
    assert plain.said == {}
    assert (ruled.said["sentiment"].label, ruled.said["sentiment"].by) == ("negative", "rule:1")
    assert (corrected.said["sentiment"].label, corrected.said["sentiment"].by) == ("negative", "person")
    assert plain.versions["head:sentiment"] == str(number)


def test_a_brands_rules_and_heads_are_its_own(store: Store, lumbre: Brand) -> None:
    with store.write() as session:
        other = brands.add(session, make.brand("otra"))
    activate(store, lumbre)
    correct.add_rule(store, CATALOGUE, war(lumbre), make.NOW)
    hear(store, lumbre, "guerra")
    hear(store, other, "guerra")
    tag(store)
    assert (sentiments(store), sentiments(store, "otra")) == (["positive"], ["neutral"])
    with store.read() as session:
        loaded = adaptation.load(session, [lumbre.id or 0, other.id or 0])
    assert loaded[other.id or 0] == Adaptation()


def test_a_rule_reaches_all_that_is_stored_and_back(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, *(f"guerra {n}" if n % 2 else f"posguerra {n}" for n in range(1_300)))
    tag(store)
    with store.read() as session:
        trial = correct.try_rule(session, CATALOGUE, lumbre, war(lumbre))
    assert (trial.looked_at, trial.matched, trial.changed, len(trial.examples)) == (1_300, 650, 650, 20)
    assert (trial.before, trial.after) == ({"neutral": 1_300}, {"neutral": 650, "positive": 650})
    rule, changed = correct.add_rule(store, CATALOGUE, war(lumbre), make.NOW)
    assert (changed, sentiments(store)) == (650, ["neutral", "positive"] * 650)
    assert correct.remove_rule(store, lumbre, rule.id or 0) == 650
    assert sentiments(store) == ["neutral"] * 1_300
    assert all(item.enrichment.said == {} for item in found(store))


def test_what_a_stopped_process_began_is_ended_by_the_clock(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, "guerra 1", "guerra 2", "guerra 3")
    tag(store)
    with store.write() as session:
        rule = rules.add(session, war(lumbre), make.NOW)
    with store.write() as session:
        corrections.refresh(session, rules.advance(session, rule.id or 0, 2))
    assert sentiments(store) == ["positive", "positive", "neutral"], "each mention is as it was, or wholly changed"
    with store.read() as session:
        assert rules.get(session, rule.id or 0).waits
    assert correct.spread_waiting(store) == 1
    assert sentiments(store) == ["positive"] * 3
    assert correct.spread_waiting(store) == 0
    assert correct.spread(store, (rule.id or 0) + 1) == 0, "a rule that somebody has removed meanwhile is no problem"


def test_a_rule_leaves_what_the_model_has_not_read_alone_until_then(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, "guerra")
    _, changed = correct.add_rule(store, CATALOGUE, war(lumbre), make.NOW)
    assert (changed, sentiments(store)) == (0, [None])
    tag(store)
    assert found(store)[0].enrichment.said == {"sentiment": Said(label="neutral", score=0.9, by="rule:1")}


def test_a_trial_says_nothing_of_an_earlier_rules_mentions(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, "guerra", "la batalla", "guerra y batalla")
    tag(store)
    correct.add_rule(store, CATALOGUE, war(lumbre), make.NOW)
    later = war(lumbre, words=("batalla", "guerra"), label="negative")
    with store.read() as session:
        trial = correct.try_rule(session, CATALOGUE, lumbre, later)
    assert (trial.matched, trial.changed, [one.text for one in trial.examples]) == (3, 1, ["la batalla"])
    assert correct.add_rule(store, CATALOGUE, later, make.NOW)[1] == trial.changed


def test_letters_that_mean_something_to_the_database_are_only_letters(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, "100% real", "1000 real", "a_b", "axb", "c++ es difícil")
    tag(store)
    words = ("100%", "A_B", "c++")
    assert correct.add_rule(store, CATALOGUE, war(lumbre, words=words), make.NOW)[1] == 3
    assert sentiments(store) == ["positive", "neutral", "positive", "neutral", "positive"]


def test_an_unknown_label_is_refused_and_nothing_is_kept(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, "guerra")
    with pytest.raises(Invalid, match="awareness"), store.write() as session:
        correct.correct(session, CATALOGUE, 1, "stage", "limbo", make.NOW)
    with pytest.raises(Invalid, match="positive, neutral, negative"):
        correct.add_rule(store, CATALOGUE, war(lumbre, label="enojado"), make.NOW)
    with store.read() as session:
        assert rules.of_brands(session, [lumbre.id or 0]) == {lumbre.id: ()}
        assert corrections.of(session, [1]) == {}
    assert found(store)[0].enrichment.stage is None


def test_a_brands_own_stage_can_be_given(store: Store, lumbre: Brand) -> None:
    from escucha.taxonomy import OwnLabel
    from store import taxonomy

    hear(store, lumbre, "guerra")
    tag(store)
    own = OwnLabel(kind="stage", key="renewal", label={"es": "Renovación"}, meaning={"es": "Renueva."},
                   examples=tuple(f"renuevo {n}" for n in range(8)))
    with store.write() as session:
        taxonomy.add(session, lumbre.id or 0, own, make.NOW)
        assert correct.correct(session, CATALOGUE, 1, "stage", "renewal", make.NOW).enrichment.stage == Label(
            "renewal", 1.0)
    rule, _ = correct.add_rule(store, CATALOGUE, war(lumbre, kind="stage", label="renewal"), make.NOW)
    assert rule.label == "renewal"
