"""A head moves towards a brand's texts, keeps what it knew, and its scores go on meaning what they say."""

from __future__ import annotations

import numpy as np
import pytest

from nlp import adapt, study
from nlp.adapt import Pull, Told, from_bytes, to_bytes, without
from nlp.heads import Head
from nlp.study import Wish, held_back, nothing, told


@pytest.fixture(scope="module")
def given() -> study.Material:
    return study.material("stage")


def none(given: study.Material) -> Told:
    return told(nothing(given.lessons.vectors.shape[1]), [])


def test_a_head_survives_being_stored(given: study.Material) -> None:
    again = from_bytes(given.base.classes, to_bytes(given.base))
    assert again.classes == given.base.classes
    assert np.array_equal(again.weights, given.base.weights)
    assert np.array_equal(again.bias, given.base.bias)


def test_without_a_label_the_others_keep_their_proportions(given: study.Material) -> None:
    vectors = given.held.vectors[:20]
    whole, bare = given.base.probabilities(vectors), without(given.base, {"none"})
    rest = [at for at, label in enumerate(given.base.classes) if label != "none"]
    expected = whole[:, rest] / whole[:, rest].sum(1, keepdims=True)
    assert "none" not in bare.classes
    assert np.allclose(bare.probabilities(vectors), expected, atol=1e-5)


def test_a_strong_pull_leaves_the_head_as_it_was(given: study.Material) -> None:
    own = Told(vectors=given.held.vectors[:9], labels=np.array(["advocacy"] * 9))
    fitted = adapt.fit(given.base, given.lessons, own, Pull(base=1e4))
    assert np.allclose(fitted.weights, given.base.weights, atol=1e-2)


def test_corrections_pull_the_head_towards_them(given: study.Material) -> None:
    chosen = np.flatnonzero(given.held.labels == "retention")[:20]
    own = Told(vectors=given.held.vectors[chosen], labels=np.array(["advocacy"] * len(chosen)))
    fitted = adapt.fit(given.base, given.lessons, own)
    before, after = (adapt.answers(head, own.vectors).count("advocacy") for head in (given.base, fitted))
    assert after > before


def test_a_label_that_the_base_does_not_have_is_learned_from_a_few_texts() -> None:
    chance = np.random.default_rng(1)
    directions = np.eye(3, 8, dtype=np.float32)
    texts = {name: unit(directions[at] + chance.normal(0, 0.1, (30, 8))) for at, name in enumerate("abc")}
    base = Head(classes=("a", "b"), weights=directions[:2].T * 5, bias=np.zeros(2, np.float32))
    lessons = Told(vectors=np.concatenate([texts["a"], texts["b"]]), labels=np.array(["a"] * 30 + ["b"] * 30))
    own = Told(vectors=texts["c"][:10], labels=np.array(["c"] * 10))
    head = adapt.fit(base, lessons, own)
    assert head.classes == ("a", "b", "c")
    assert [adapt.answers(head, texts[name][20:]).count(name) for name in "abc"] == [10, 10, 10]


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_a_study_of_nothing_new_does_not_make_the_head_worse(given: study.Material) -> None:
    empty = none(given)
    found = study.study(given, Wish(learned=empty, held_back=empty, examples=empty, described=empty))
    elsewhere = found.report["elsewhere"]
    assert found.report["held_back"] == {"n": 0, "before": {}, "after": {}}
    assert elsewhere["after"]["macro_f1"] > elsewhere["before"]["macro_f1"] - 0.05
    assert elsewhere["after"]["ece"] < 0.1


def test_one_correction_in_five_is_held_back_and_always_the_same_ones() -> None:
    chosen = [id for id in range(10_000) if held_back(id)]
    assert 1_900 < len(chosen) < 2_100
    assert chosen == [id for id in range(10_000) if held_back(id)]
    assert chosen[:3] == [id for id in range(chosen[2] + 1) if held_back(id)]
