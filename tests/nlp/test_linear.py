"""The embedded model answers sensibly in three languages, at any text, as its card says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from escucha.errors import ModelError
from nlp.chain import KINDS, Chain, ModelOptions
from nlp.lessons import read_split
from nlp.linear import MODEL, WEIGHTS, Linear, Weights, open_linear, read_weights, write_weights
from nlp.ngrams import pieces
from nlp.train import CARD, dev_scores
from tests.nlp.fakes import texts


@pytest.fixture(scope="module")
def linear() -> Linear:
    return open_linear(ModelOptions())


@pytest.mark.parametrize(
    ("text", "kind", "label"),
    [
        ("Pésimo servicio, una vergüenza, nunca más", "sentiment", "negative"),
        ("Me encanta, excelente atención, todo perfecto", "sentiment", "positive"),
        ("Worst airline ever, my flight was cancelled and nobody helps", "sentiment", "negative"),
        ("Thank you so much, great service, I love it", "sentiment", "positive"),
        ("Que serviço péssimo, estou muito triste", "sentiment", "negative"),
        ("Adorei, muito bom, parabéns! obrigada", "sentiment", "positive"),
        ("Lo recomiendo 100 %, imperdible, vayan todos", "stage", "advocacy"),
        ("¿iPhone o Samsung? ¿Cuál es mejor?", "stage", "consideration"),
        ("Busco una app para llevar mis gastos, ¿qué marcas hay?", "stage", "awareness"),
        ("Llevo tres semanas esperando el reembolso", "pain", "inefficiency"),
        ("Cancelé y me cambié a la competencia, no vuelvo", "pain", "missed_opportunity"),
        ("Ayer llegó mi pedido, todo bien empacado", "touchpoint", "delivery"),
        ("La app se cierra sola, tiene un error y no funciona", "pain", "problem"),
        ("Excelente hotel, todo muy limpio y el personal amable", "pain", "none"),
        ("La comida del restaurante estaba deliciosa", "touchpoint", "product"),
    ],
)
def test_obvious_sentences_are_understood(linear: Linear, text: str, kind: str, label: str) -> None:
    assert getattr(linear(texts(text))[0], kind).label == label


def test_scores_are_probabilities(linear: Linear) -> None:
    sure, unsure = linear(texts("Excelente, me encanta, maravilloso, lo mejor", "el martes"))
    assert sure.sentiment is not None
    assert unsure.sentiment is not None
    assert 1 >= sure.sentiment.score > unsure.sentiment.score > 1 / 3


def test_a_text_is_answered_alike_alone_and_among_others(linear: Linear) -> None:
    said = ["La app no abre", "", "I love it", "x" * 5_000, "😡", "Muy caro para lo que es"]
    assert linear(texts(*said)) == [linear(texts(text))[0] for text in said]


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "\ud800", "😡" * 10_000, "a" * 1_000_000, "\u0301" * 9_000, "ǅ ﷽ ẞ İ", "\n\t\r", "ø ł"]
)
def test_any_text_gets_an_answer(linear: Linear, text: str) -> None:
    answer = linear(texts(text))[0]
    assert all(0 < getattr(answer, kind).score <= 1 for kind in KINDS)


def test_it_leaves_to_others_what_they_give() -> None:
    model = open_linear(ModelOptions(), without={"sentiment"})
    answer = model(texts("Pésimo servicio"))[0]
    assert model.gives == ("stage", "pain", "touchpoint")
    assert answer.sentiment is None
    assert answer.stage == open_linear(ModelOptions())(texts("Pésimo servicio"))[0].stage


def test_pieces_are_the_same_wherever_a_text_stands_in_a_batch() -> None:
    alone, among = pieces(["hola mundo hola"]), pieces(["otra cosa", "hola mundo hola", ""])
    here = among[0] == 1
    assert np.array_equal(alone[1], among[1][here])
    assert np.array_equal(alone[2], among[2][here])
    assert alone[2].max() == 2, "hola occurs twice"


def test_no_piece_joins_two_texts() -> None:
    whole, apart = pieces(["hola mundo"]), pieces(["hola", "mundo"])
    assert set(apart[1]) < set(whole[1])
    assert len(set(whole[1]) - set(apart[1])) == 1, "the pair of words"


def test_weights_come_back_as_they_were_written(tmp_path: Path) -> None:
    learned = Weights(
        bins=np.array([3, 9], np.uint32), idf=np.array([1.5, 2.0], np.float32),
        weights=np.array([[1.27, -1.27], [0.5, 0.0]], np.float32), bias=np.array([0.1, -0.1], np.float32),
        classes={"sentiment": ("negative", "positive")}, version="abc",
    )  # fmt: skip
    write_weights(tmp_path, learned)
    found = read_weights(tmp_path)
    assert (found.version, found.classes) == ("abc", learned.classes)
    np.testing.assert_allclose(found.weights, learned.weights, atol=0.005)
    np.testing.assert_array_equal(found.bins, learned.bins)


@pytest.mark.parametrize("content", [None, b"", b"not a zip", b"PK\x03\x04 cut"])
def test_missing_or_damaged_weights_say_what_to_do(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / WEIGHTS).write_bytes(content)
    with pytest.raises(ModelError, match="escucha train"):
        read_weights(tmp_path)


def test_the_weights_fit_in_the_repository_and_hold_no_pickle() -> None:
    assert sum(path.stat().st_size for path in MODEL.iterdir()) < 8_000_000
    with np.load(MODEL / WEIGHTS, allow_pickle=False) as file:
        assert all(file[key].dtype != object for key in file.files)


def test_the_card_is_that_of_the_weights_and_its_dev_scores_are_reproduced(shared: Path) -> None:
    card = json.loads((MODEL / CARD).read_text("utf-8"))
    learned = read_weights(MODEL)
    assert card["version"] == learned.version
    found = dev_scores(Chain([Linear(learned)]), read_split(shared / "data", "dev"))
    for kind, sets in card["dev"].items():
        for name, scores in sets.items():
            assert found[kind][name] == pytest.approx(scores, abs=0.005), f"{kind} on {name}"
