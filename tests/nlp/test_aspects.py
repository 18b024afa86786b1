"""A mention that praises one thing and damns another yields both, in the right words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from escucha.enrichment import Enrichment, Label, Part
from nlp import open_taggers
from nlp.aspects import CARRY, MOST, NEUTRAL, Parts, clauses, feelings, worth_telling
from nlp.chain import Chain, ModelOptions
from nlp.encoder import MODEL, Encoder
from tests.nlp.fakes import Says, texts
from tests.nlp.mixed import MIXED

CLASSES = ("negative", "neutral", "positive")


@pytest.fixture(scope="module")
def chain() -> Chain:
    return open_taggers(ModelOptions())


def read(chain: Chain, text: str) -> Enrichment:
    return chain(texts(text))[0].enrichment


def part(start: int, end: int, sentiment: str = "neutral", pain: str = "none", touchpoint: str = "none") -> Part:
    feel, hurt, where = (Label(label, 0.8) for label in (sentiment, pain, touchpoint))
    return Part(start=start, end=end, sentiment=feel, pain=hurt, touchpoint=where)


def whole(text: str, sentiment: str = "neutral", pain: str = "none", touchpoint: str = "product") -> Enrichment:
    feel, hurt, where = (Label(label, 0.8) for label in (sentiment, pain, touchpoint))
    return Enrichment(text=text, sentiment=feel, pain=hurt, touchpoint=where)


@pytest.mark.parametrize(
    ("text", "praised", "blamed"),
    [
        ("Excelente producto, me encantó. Pésimo servicio de paquetería, una vergüenza.", "producto", "paquetería"),
        ("The room was beautiful and perfect, but the staff were rude and awful.", "room", "staff"),
        ("La comida estaba deliciosa, excelente. El servicio fue pésimo y grosero.", "comida", "servicio"),
    ],
)
def test_praise_and_blame_are_told_apart(chain: Chain, text: str, praised: str, blamed: str) -> None:
    told = {text[p.start : p.end]: p.sentiment.label for p in read(chain, text).parts if p.sentiment}
    assert [feel for words, feel in told.items() if praised in words] == ["positive"]
    assert [feel for words, feel in told.items() if blamed in words] == ["negative"]


def test_most_mixed_mentions_yield_both(chain: Chain) -> None:
    found = [read(chain, text).parts for text, _, _ in MIXED]
    both = [parts for parts in found if {"positive", "negative"} <= {p.sentiment.label for p in parts if p.sentiment}]
    assert len(both) >= len(MIXED) // 2


@pytest.mark.parametrize(
    ("blamed", "kind", "label"),
    [
        ("La app se cierra sola, tiene un error y no funciona.", "pain", "problem"),
        ("La entrega tardó tres horas, lentísima.", "touchpoint", "delivery"),
    ],
)
def test_a_part_has_its_own_touchpoint_and_pain(chain: Chain, blamed: str, kind: str, label: str) -> None:
    found = read(chain, f"La comida del restaurante estaba deliciosa. {blamed}").parts
    assert label in {answer.label for part in found if (answer := getattr(part, kind))}


def test_a_text_of_one_clause_is_not_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = Encoder(MODEL)
    asked: list[int] = []
    together = encoder.together
    monkeypatch.setattr(encoder, "together", lambda said: asked.append(len(said)) or together(said))
    parts = Parts(encoder)
    parts([whole("Pésimo servicio, una vergüenza"), whole("El café llegó frío")])
    assert asked == []
    parts([whole("Rico pero caro"), whole("Muy rico pero muy caro"), whole("El hotel bien. El wifi mal.")])
    assert asked == [2, 2], "the clauses of a text are read together, and of no other"


def test_what_is_about_no_experience_is_not_read_twice() -> None:
    said = whole("Ganamos el partido. Qué alegría más grande", touchpoint="none")
    assert clauses(said) == []
    assert len(clauses(replace(said, pain=Label("need", 0.5)))) == 2


def test_a_long_text_is_read_up_to_a_number_of_parts() -> None:
    assert len(clauses(whole("Todo muy malo. " * 200))) == MOST


def test_a_part_is_read_in_the_light_of_the_whole() -> None:
    import numpy as np

    odds = np.array([[0.45, 0.1, 0.45]], np.float32)
    (feel,) = feelings(odds, CLASSES, Enrichment(text="", sentiment=Label("positive", 0.8)))
    high, low, neutral = 0.45 * 0.8**CARRY, 0.45 * 0.1**CARRY, 0.1 * 0.1**CARRY * NEUTRAL
    assert feel.label == "positive"
    assert feel.score == pytest.approx(high / (high + low + neutral), abs=1e-3)


def test_without_a_sentiment_of_the_whole_a_part_speaks_for_itself() -> None:
    import numpy as np

    (feel,) = feelings(np.array([[0.6, 0.2, 0.2]], np.float32), CLASSES, Enrichment(text=""))
    assert feel == Label("negative", pytest.approx(0.6 / 0.9, abs=1e-3))  # type: ignore[arg-type]


def test_a_whole_that_is_certain_does_not_silence_its_parts() -> None:
    import numpy as np

    (feel,) = feelings(np.array([[0.95, 0.02, 0.03]], np.float32), CLASSES, whole("", "positive"))
    assert feel.label == "negative"
    sure = Enrichment(text="", sentiment=Label("positive", 1.0))
    (feel,) = feelings(np.array([[0.95, 0.02, 0.03]], np.float32), CLASSES, sure)
    assert 0 < feel.score <= 1


def test_neighbours_that_say_the_same_are_one_part() -> None:
    text = "Rica la comida. Rico el postre. Lenta la entrega."
    told = worth_telling(whole(text), [part(0, 15, "positive"), part(16, 31, "positive"), part(32, 49, "negative")])
    assert [(p.start, p.end) for p in told] == [(0, 31), (32, 49)]


def test_a_title_and_the_text_below_it_stay_two_parts() -> None:
    said = [part(0, 8, "positive"), part(9, 24, "positive"), part(25, 40, "negative")]
    told = worth_telling(whole("Muy rico\nTodo bien hecho pero muy caro x"), said)
    assert [(p.start, p.end) for p in told] == [(0, 8), (9, 24), (25, 40)]


def test_parts_that_say_nothing_or_only_what_the_mention_says_are_dropped() -> None:
    text = "a" * 30
    assert worth_telling(whole(text), [part(0, 10), part(10, 20)]) == ()
    same = [part(0, 10, "negative", "problem", "delivery"), part(10, 20, "negative")]
    assert worth_telling(whole(text, "negative", "problem", "delivery"), same) == ()
    assert worth_telling(whole(text, "negative", "problem", "support"), same) == (), "blame alone is the mention's own"
    assert len(worth_telling(whole(text, "positive"), same)) == 2, "a blame within a praise"
    mixed = [part(0, 10, "positive"), part(10, 20), part(20, 30, "negative")]
    assert [p.start for p in worth_telling(whole(text), mixed)] == [0, 20]
    unsure = replace(part(0, 10), sentiment=Label("positive", 0.5))
    assert worth_telling(whole(text), [unsure]) == ()


def test_another_sentiment_model_leaves_the_parts_to_the_embedded_one() -> None:
    encoder = Encoder(MODEL, ("stage", "pain", "touchpoint", "emotion", "vector"))
    chain = Chain([Says("language", ("lang",), label="es"), Says("hub", ("sentiment",)), encoder, Parts(encoder)])
    found = read(chain, "Excelente producto, me encantó. Pésimo servicio de paquetería, una vergüenza.")
    assert {p.sentiment.label for p in found.parts if p.sentiment} == {"positive", "negative"}
    assert found.versions["parts"] != found.versions["encoder"]


def test_hostile_texts_get_their_parts_or_none(chain: Chain) -> None:
    said = ["", "\ud800. \x00. a b", "pero " * 5_000, "😡 no " * 3_000, "a b.\n" * 3_000, "\u202e no sirve. sí sirve"]
    for outcome, text in zip(chain(texts(*said)), said, strict=True):
        assert outcome.note is None
        assert all(0 <= p.start < p.end <= len(text) for p in outcome.enrichment.parts)
