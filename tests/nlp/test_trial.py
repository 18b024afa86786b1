"""A model is tried out before it is used, and what was found is noted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from escucha.errors import ConfigError, Invalid, NotFound
from nlp.evaluate import Labelled
from nlp.heads import Floats
from nlp.hub.opened import Opened
from nlp.hub.shelf import Noted, noted, put, read_shelf
from nlp.hub.trial import fastest, read_texts, same_answers, same_labels, same_neighbours


class Paced:
    """A model, and the clock that it takes its time by: so many seconds for a text, by how many are read at once."""

    def __init__(self, seconds: dict[int, float]) -> None:
        self.now, self.sizes, self._seconds = 0.0, list[int](), seconds

    def open(self) -> Opened:
        return Opened(version="1", device="cpu", answer=self._answer)

    def _answer(self, texts: list[str], at_once: int) -> Floats:
        self.sizes.append(at_once)
        self.now += self._seconds[at_once] * len(texts)
        return np.zeros((len(texts), 2), np.float32)


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ({8: 0.02, 16: 0.015, 32: 0.01, 64: 0.012}, 32),
        ({8: 0.0102, 16: 0.01, 32: 0.02, 64: 0.03}, 8),  # as good as 16, and a text waits less
    ],
)
def test_the_fastest_size_is_found(seconds: dict[int, float], best: int) -> None:
    model, told = Paced(seconds), list[int]()
    assert fastest(model.open(), ["hola", "mundo"], told.append, lambda: model.now) == best
    assert sum(told) == 4 * 64


def test_a_slow_model_is_not_tried_at_every_size() -> None:
    model = Paced(dict.fromkeys((8, 16, 32, 64), 1.0))
    assert fastest(model.open(), ["hola"], lambda _: None, lambda: model.now) == 8
    assert set(model.sizes) == {8}


def rows(*labels: str) -> list[Labelled]:
    return [Labelled(text=str(at), labels={"sentiment": name} if name else {}) for at, name in enumerate(labels)]


def test_agreement_counts_all_texts_and_rightness_those_that_people_labelled() -> None:
    ours, theirs = ["positive", "negative", "neutral", "neutral"], ["positive", "neutral", "neutral", "positive"]
    found = same_labels(ours, theirs, rows("positive", "neutral", "", ""))
    assert (found["n"], found["same_label"], found["labelled"]) == (4, 0.5, 2)
    assert (found["embedded"]["accuracy"], found["this"]["accuracy"]) == (0.5, 1.0)
    assert "this" not in same_labels(ours, theirs, rows("", "", "", ""))


def circle(*degrees: float) -> Floats:
    at = np.deg2rad(np.array(degrees))
    return np.stack([np.cos(at), np.sin(at)], axis=1).astype(np.float32)


def test_encoders_of_any_width_are_compared_by_the_neighbours_they_give() -> None:
    ours = circle(*range(0, 330, 15))  # 22 texts
    wider = np.concatenate([ours, np.zeros((22, 3), np.float32)], axis=1)
    assert same_neighbours(ours, wider)["same_neighbours"] == 1.0
    rng = np.random.default_rng(0)
    assert same_neighbours(ours, ours[rng.permutation(22)])["same_neighbours"] < 0.8
    assert same_neighbours(ours[:1], ours[:1])["same_neighbours"] is None


def test_an_export_is_held_against_the_original() -> None:
    before, after = np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([[0.8, 0.2], [0.4, 0.6]])
    found = same_answers(before, after, labels=True)
    assert (found["n"], found["same_label"]) == (2, 0.5)
    assert (found["mean_gap"], found["largest_gap"]) == pytest.approx((0.15, 0.2))
    turned = same_answers(circle(0, 90, 180), circle(60, 90, 180), labels=False)
    assert turned["lowest_cosine"] == pytest.approx(0.5)


def test_texts_are_read_plain_and_labelled(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text('Hola\n\n{"text": "Bien", "sentiment": "positive"}\n{"text": "Sin etiqueta"}\n', "utf-8")
    assert [(row.text, dict(row.labels)) for row in read_texts([file])] == [
        ("Hola", {}), ("Bien", {"sentiment": "positive"}), ("Sin etiqueta", {})
    ]
    with pytest.raises(NotFound):
        read_texts([tmp_path / "none"])
    (tmp_path / "empty").write_text("\n", "utf-8")
    with pytest.raises(Invalid, match="no text"):
        read_texts([tmp_path / "empty"])


def models(found: Sequence[Noted]) -> list[tuple[str, float | None]]:
    return [(note.model, note.texts_per_s) for note in found]


def test_what_is_noted_of_a_model_replaces_what_was_noted_before(tmp_path: Path) -> None:
    shelf = tmp_path / "data" / "models.json"
    assert read_shelf(shelf) == []
    put(shelf, Noted(model="a/b", kind="sentiment", texts_per_s=1.0))
    put(shelf, Noted(model="a/b", kind="encoder", texts_per_s=2.0))
    put(shelf, Noted(model="a/b", kind="sentiment", texts_per_s=3.0, at_once=8, labels={"LABEL_0": "negative"}))
    assert models(read_shelf(shelf)) == [("a/b", 2.0), ("a/b", 3.0)]
    assert noted(shelf, "a/b", "sentiment").at_once == 8
    assert noted(shelf, "a/b", "sentiment").labels == {"LABEL_0": "negative"}
    assert noted(shelf, "c/d", "sentiment").at_once == Noted(model="", kind="encoder").at_once


@pytest.mark.parametrize("damaged", ["{", '[{"name": 1}]', "3"])
def test_a_damaged_shelf_says_what_to_do(tmp_path: Path, damaged: str) -> None:
    (tmp_path / "models.json").write_text(damaged, "utf-8")
    with pytest.raises(ConfigError, match="Delete it"):
        read_shelf(tmp_path / "models.json")
