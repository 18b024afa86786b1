"""The chain checks its order before it runs, and one bad text costs no other its labels."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import pytest

from escucha.enrichment import Enrichment
from escucha.errors import ConfigError, ModelError
from nlp.chain import Chain, ModelOptions, tag_texts
from tests.nlp.fakes import Says, texts


def test_a_tagger_before_the_one_it_needs_is_refused_by_name() -> None:
    needy, giver = Says("stage_by_language", gives=("stage",), needs=("lang",)), Says("language", gives=("lang",))
    with pytest.raises(ConfigError, match="stage_by_language needs lang"):
        Chain([needy, giver])
    assert Chain([giver, needy]).gives == ("lang", "stage")


def test_two_taggers_that_give_the_same_are_refused() -> None:
    with pytest.raises(ConfigError, match="Both one and two give sentiment"):
        Chain([Says("one"), Says("two")])


@pytest.mark.parametrize("field", ["mood", "text", "versions"])
def test_a_tagger_that_gives_what_no_mention_has_is_refused(field: str) -> None:
    with pytest.raises(ConfigError, match=field):
        Chain([Says("odd", gives=(field,))])


def test_each_tagger_leaves_its_version() -> None:
    chain = Chain([Says("language", gives=("lang",), version="a"), Says("mood", version="b")])
    assert chain(texts("hola"))[0].enrichment.versions == {"language": "a", "mood": "b"}


def test_a_poison_text_is_set_aside_with_a_note_and_the_rest_are_tagged() -> None:
    first, second = Says("first", gives=("lang",), poison="VENENO"), Says("second")
    outcomes = Chain([first, second])(texts("uno", "VENENO", "tres"))
    assert [outcome.note is None for outcome in outcomes] == [True, False, True]
    assert outcomes[1].note == "first: ValueError: cannot read this"
    assert [outcome.enrichment.text for outcome in outcomes] == ["uno", "VENENO", "tres"]
    assert all(outcomes[i].enrichment.sentiment for i in (0, 2))
    assert second.batches == [["uno", "tres"]], "a text set aside is not shown to the next tagger"


def test_what_the_earlier_taggers_said_of_a_poison_text_is_kept() -> None:
    outcome = Chain([Says("language", gives=("lang",), label="es"), Says("mood", poison="x")])(texts("x"))[0]
    assert outcome.enrichment.lang is not None
    assert outcome.enrichment.sentiment is None
    assert outcome.enrichment.versions == {"language": "1"}


def test_a_broken_model_is_not_blamed_on_the_texts() -> None:
    broken = Says("hub", poison="a", error=lambda: ModelError("The model is gone."))
    with pytest.raises(ModelError):
        Chain([broken])(texts("a", "b"))


def test_outcomes_come_back_from_a_worker_as_they_were() -> None:
    outcomes = Chain([Says("mood", poison="x")])(texts("hola", "x"))
    assert pickle.loads(pickle.dumps(outcomes)) == outcomes


def test_a_tagger_that_loses_a_text_is_asked_one_by_one() -> None:
    class Forgetful(Says):
        def __call__(self, batch: Sequence[Enrichment]) -> list[Enrichment]:
            return super().__call__(batch)[:1]

    outcomes = Chain([Forgetful("mood")])(texts("uno", "dos"))
    assert [outcome.enrichment.text for outcome in outcomes] == ["uno", "dos"]
    assert all(outcome.enrichment.sentiment for outcome in outcomes)


def test_an_empty_batch_asks_nobody() -> None:
    tagger = Says("mood")
    assert Chain([tagger])([]) == []
    assert tagger.batches == []


def test_options_travel_to_a_worker_and_open_the_same_chain_there() -> None:
    options = pickle.loads(pickle.dumps(ModelOptions(languages=("es", "en"))))
    assert options == ModelOptions(languages=("es", "en"))
    first, second = tag_texts(options, texts("La app no abre desde ayer", "I love this phone"))
    assert first.enrichment.lang is not None
    assert first.enrichment.lang.label == "es"
    assert second.enrichment.sentiment is not None
    assert second.enrichment.sentiment.label == "positive"
    assert set(first.enrichment.versions) == {"language", "encoder", "parts"}
