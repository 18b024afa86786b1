"""A correction counts at once and is never lost; whatever happens in whatever order, the right answer is in force."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import Random

import pytest

from escucha.brand import Brand
from escucha.correction import corrected
from escucha.enrichment import Enrichment, Label, Said, TaggedMention
from escucha.errors import Conflict, NotFound
from escucha.filter import MentionFilter
from escucha.rule import Rule, apply
from store import brands, corrections, enrichments, mentions, metrics, rules
from store.engine import Store
from tests import make

TEXTS = ("la guerra empieza", "llegó tarde", "la guerra llegó tarde", "nada")
LABELS = {
    "sentiment": ("positive", "neutral", "negative"), "stage": ("awareness", "purchase", "none"),
    "pain": ("problem", "need", "none"), "touchpoint": ("delivery", "product", "none"),
}


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        brand = brands.add(session, make.brand())
        said = [make.mention(str(n), text) for n, text in enumerate(TEXTS)]
        mentions.save(session, brand, said, make.NOW)
    return brand


def tag(store: Store, **labels: str) -> None:
    """The model answers for all that waits."""
    with store.write() as session:
        waiting = enrichments.claim(session, 10, make.NOW)
    with store.write() as session:
        rules.held(session, {p.brand_id for p in waiting})
        enrichments.save(session, [(p, make.understood(p.enrichment.text, **labels)) for p in waiting], make.NOW)


def correct(store: Store, number: int, kind: str, label: str) -> None:
    with store.write() as session:
        corrections.correct(session, number, kind, label, make.NOW)


def undo(store: Store, number: int, kind: str) -> None:
    with store.write() as session:
        corrections.undo(session, number, kind)


def get(store: Store, number: int) -> TaggedMention:
    with store.read() as session:
        return mentions.get(session, number)


def count(store: Store, **filter: tuple[str, ...]) -> int:
    with store.read() as session:
        return metrics.count(session, MentionFilter(**filter))  # type: ignore[arg-type]


def edit(store: Store, brand: Brand, number: int, text: str) -> None:
    with store.write() as session:
        mentions.save(session, brand, [make.mention(str(number), text)], make.NOW)


def test_a_correction_counts_at_once_and_an_undo_brings_the_models_answer_back(store: Store, lumbre: Brand) -> None:
    tag(store, sentiment="negative")
    correct(store, 1, "sentiment", "positive")
    found = get(store, 1).enrichment
    assert found.sentiment == Label("positive", 1.0)
    assert found.said == {"sentiment": Said(label="negative", score=0.9, by="person")}
    assert (count(store, sentiments=("positive",)), count(store, sentiments=("negative",))) == (1, 3)
    correct(store, 1, "sentiment", "neutral")
    assert get(store, 1).enrichment.said["sentiment"].label == "negative"
    undo(store, 1, "sentiment")
    assert get(store, 1).enrichment == replace(found, sentiment=Label("negative", 0.9), said={})


def test_a_correction_outlives_a_new_tagging_and_an_edit(store: Store, lumbre: Brand) -> None:
    tag(store, sentiment="negative")
    correct(store, 1, "sentiment", "positive")
    edit(store, lumbre, 0, "otra cosa")
    assert (get(store, 1).state, get(store, 1).enrichment.sentiment) == ("pending", Label("positive", 1.0))
    tag(store, sentiment="neutral")
    found = get(store, 1).enrichment
    assert found.sentiment == Label("positive", 1.0)
    assert found.said == {"sentiment": Said(label="neutral", score=0.9, by="person")}
    undo(store, 1, "sentiment")
    assert get(store, 1).enrichment.sentiment == Label("neutral", 0.9)


def test_a_mention_can_be_corrected_before_it_is_tagged(store: Store, lumbre: Brand) -> None:
    correct(store, 2, "stage", "purchase")
    correct(store, 3, "stage", "purchase")
    assert count(store, stages=("purchase",)) == 2
    undo(store, 3, "stage")
    assert get(store, 3).enrichment.stage is None
    tag(store, stage="awareness")
    assert get(store, 2).enrichment.said["stage"].label == "awareness"
    assert count(store, stages=("purchase",)) == 1


def test_what_does_not_exist_cannot_be_corrected_or_undone(store: Store, lumbre: Brand) -> None:
    with pytest.raises(NotFound):
        correct(store, 99, "stage", "purchase")
    with pytest.raises(NotFound):
        undo(store, 1, "stage")


def test_who_corrects_while_it_is_tagged_is_not_overwritten(store: Store, lumbre: Brand) -> None:
    """Forty corrections and taggings at the same time: none is lost."""
    def label(number: int) -> None:
        if number % 2:
            correct(store, 1 + number % 4, "sentiment", "positive")
        else:
            edit(store, lumbre, 1 + number % 4, f"texto {number}")
            tag(store, sentiment="negative")

    tag(store, sentiment="neutral")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(label, range(40)))
    tag(store, sentiment="negative")
    assert [get(store, number).enrichment.sentiment for number in (2, 4)] == [Label("positive", 1.0)] * 2
    assert [get(store, number).enrichment.said["sentiment"].label for number in (2, 4)] == ["negative"] * 2


class Expected:
    """What should be in force, kept in plain variables beside the store."""

    def __init__(self) -> None:
        self.answers: dict[int, Enrichment] = {}
        self.corrections: dict[int, dict[str, str]] = {number: {} for number in range(1, len(TEXTS) + 1)}
        self.rules: list[Rule] = []

    def of(self, number: int) -> Enrichment:
        answer = self.answers.get(number)
        if answer is None:
            return corrected(Enrichment(text=TEXTS[number - 1]), self.corrections[number])
        return corrected(apply(self.rules, answer), self.corrections[number])


@pytest.mark.parametrize("seed", range(6))
def test_after_any_sequence_of_changes_the_right_answer_is_in_force(store: Store, lumbre: Brand, seed: int) -> None:
    chance, expected = Random(seed), Expected()
    for _ in range(30):
        step(store, lumbre, chance, expected)
        with store.read() as session:
            found = {item.id: item.enrichment for item in mentions.find(session, MentionFilter()).items}
        for number, text in enumerate(TEXTS, 1):
            right = expected.of(number)
            for kind in LABELS:
                assert getattr(found[number], kind) == getattr(right, kind), (text, kind)
            assert dict(found[number].said) == dict(right.said)


def step(store: Store, brand: Brand, chance: Random, expected: Expected) -> None:
    """Do one thing to the store, and the same to what is expected of it."""
    number, kind = chance.randint(1, len(TEXTS)), chance.choice(list(LABELS))
    label, other = chance.sample(LABELS[kind], 2)
    match chance.choice(("correct", "undo", "add", "remove", "switch", "tag")):
        case "correct":
            correct(store, number, kind, label)
            expected.corrections[number][kind] = label
        case "undo" if kind in expected.corrections[number]:
            undo(store, number, kind)
            del expected.corrections[number][kind]
        case "add":
            only = chance.choice((None, other))
            rule = Rule(words=(chance.choice(("guerra", "TARDE")),), kind=kind, label=label,  # type: ignore[arg-type]
                        only=only, brand_id=brand.id)
            try:
                with store.write() as session:
                    expected.rules.append(rules.add(session, rule, make.NOW))
            except Conflict:  # there is one like it
                return
            spread(store, expected.rules[-1])
        case "remove" if expected.rules:
            rule = expected.rules.pop(chance.randrange(len(expected.rules)))
            switch(store, rule, active=False)
            with store.write() as session:
                rules.remove(session, rule.id or 0)
        case "switch" if expected.rules:
            at = chance.randrange(len(expected.rules))
            rule = expected.rules[at]
            switch(store, rule, active=not rule.active)
            expected.rules[at] = replace(rule, active=not rule.active)
        case "tag":
            answer = make.understood(TEXTS[number - 1], **{kind: label})
            retag(store, number, answer)
            expected.answers[number] = answer


def switch(store: Store, rule: Rule, *, active: bool) -> None:
    with store.write() as session:
        rules.switch(session, rule.id or 0, rule.brand_id or 0, active=active)
    spread(store, rule)


def spread(store: Store, rule: Rule) -> None:
    """One mention at a time, so that the steps' ends are tried too."""
    ids = [0]
    while ids:
        with store.write() as session:
            ids = rules.advance(session, rule.id or 0, 1)
            corrections.refresh(session, ids)


def retag(store: Store, number: int, answer: Enrichment) -> None:
    """The model answers anew for one mention, and the brand's rules have their say, as pipeline.enrich has it."""
    with store.write() as session:
        found = mentions.get(session, number)
        brand = brands.get(session, found.brand)
        content = mentions._content(found.mention)
        pending = enrichments.Pending(id=number, brand_id=brand.id or 0, content=content, enrichment=found.enrichment)
        adapted = apply(rules.held(session, [brand.id or 0])[brand.id or 0], answer)
        enrichments.save(session, [(pending, adapted)], make.NOW)
