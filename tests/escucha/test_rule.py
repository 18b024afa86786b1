"""A rule finds its words whole, the first that fits wins, and a person's word wins over it."""

from __future__ import annotations

import pytest

from config.catalogue import read_catalogue
from escucha.correction import check_label, choices, corrected, effective, own
from escucha.enrichment import Enrichment, Label, Said
from escucha.errors import Invalid
from escucha.rule import Rule, apply, checked
from tests.make import understood

WAR = Rule(id=1, words=("guerra", "muerte súbita"), kind="sentiment", label="neutral")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("La GUERRA entre clanes empieza hoy", True), ("¡guerra!", True), ("posguerra", False), ("guerras", False),
        ("gana en muerte  subita", True), ("muerte lenta y súbita", False), ("", False),
    ],
)
def test_for_a_game_brand_war_is_neutral_where_the_word_stands_whole(text: str, found: bool) -> None:
    settled = apply([WAR], understood(text, sentiment="negative"))
    assert settled.sentiment == (Label("neutral", 1.0) if found else Label("negative", 0.9))
    assert settled.said == ({"sentiment": Said(label="negative", score=0.9, by="rule:1")} if found else {})


def test_the_first_rule_of_a_kind_wins_and_each_kind_has_its_own() -> None:
    rules = [
        Rule(id=1, words=("guerra",), kind="sentiment", label="neutral", active=False),
        Rule(id=2, words=("guerra",), kind="sentiment", label="positive"),
        Rule(id=3, words=("guerra",), kind="sentiment", label="negative"),
        Rule(id=4, words=("guerra",), kind="stage", label="retention"),
    ]
    settled = apply(rules, understood("guerra", sentiment="negative"))
    assert settled.sentiment == Label("positive", 1.0)
    assert settled.stage == Label("retention", 1.0)
    assert {kind: said.by for kind, said in settled.said.items()} == {"sentiment": "rule:2", "stage": "rule:4"}


def test_a_rule_for_one_label_leaves_the_others_alone() -> None:
    rule = Rule(id=1, words=("guerra",), kind="sentiment", label="neutral", only="negative")
    assert apply([rule], understood("guerra", sentiment="positive")).sentiment == Label("positive", 0.9)
    assert apply([rule], understood("guerra", sentiment="negative")).sentiment == Label("neutral", 1.0)
    assert apply([rule], Enrichment(text="guerra")).sentiment is None


def test_a_person_wins_over_a_rule_and_both_keep_what_the_model_said() -> None:
    answered = understood("guerra", sentiment="negative")
    settled = effective(answered, [WAR], {"sentiment": "positive", "pain": "need"})
    assert (settled.sentiment, settled.pain) == (Label("positive", 1.0), Label("need", 1.0))
    assert settled.said["sentiment"] == Said(label="negative", score=0.9, by="person")
    assert own(settled) == answered
    assert effective(settled, [WAR], {}) == apply([WAR], answered)


def test_a_label_on_a_text_that_the_model_has_not_read_can_be_taken_back() -> None:
    unread = Enrichment(text="guerra")
    assert own(corrected(unread, {"stage": "purchase"})) == unread


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"words": ()}, "at least one word"), ({"words": ("  ", "́")}, "at least one word"),
        ({"words": tuple(f"w{n}" for n in range(51))}, "50 words"), ({"words": ("x" * 101,)}, "100 characters"),
        ({"only": "neutral"}, "neutral to neutral"),
    ],
)
def test_a_rule_that_cannot_work_says_why(changes: dict[str, object], says: str) -> None:
    given = {"words": ("guerra",), "kind": "sentiment", "label": "neutral"} | changes
    with pytest.raises(Invalid, match=says):
        checked(Rule(**given))  # type: ignore[arg-type]


def test_words_are_tidied_and_name_the_rule_where_nobody_did() -> None:
    tidy = checked(Rule(words=(" muerte   súbita ", "guerra", "guerra"), kind="sentiment", label="neutral"))
    assert (tidy.words, tidy.name) == (("muerte súbita", "guerra"), "muerte súbita, guerra")


def test_a_label_that_does_not_exist_is_refused_with_those_that_do() -> None:
    catalogue = read_catalogue()
    assert choices(catalogue, "sentiment") == ("positive", "neutral", "negative")
    assert choices(catalogue, "stage")[-1] == "none"
    with pytest.raises(Invalid, match="positive, neutral, negative"):
        check_label(catalogue, "sentiment", "sad")
    with pytest.raises(Invalid, match="sentiment, stage, pain, touchpoint"):
        check_label(catalogue, "emotion", "joy")
