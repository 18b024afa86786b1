"""Scores come out as counted by hand, and bad rows are named by their number."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import f1_score

from escucha.enrichment import Enrichment, Label
from escucha.errors import Invalid, NotFound
from nlp.chain import Outcome
from nlp.evaluate import Labelled, evaluate, macro_f1_interval, read_labelled, read_row, score


def says(**answers: str | None) -> Any:
    """A chain that answers each text with its sentiment; None: it fails on it."""

    def tag(batch: Sequence[Enrichment]) -> list[Outcome]:
        return [
            Outcome(enrichment=item, note="failed") if answers[item.text] is None
            else Outcome(enrichment=replace(item, sentiment=Label(str(answers[item.text]), 1.0)))
            for item in batch
        ]  # fmt: skip

    return tag


def row(text: str, sentiment: str, lang: str | None = None) -> Labelled:
    return Labelled(text=text, labels={"sentiment": sentiment}, lang=lang)


def test_scores_are_those_counted_by_hand() -> None:
    rows = [
        row("a", "positive", "es"), row("b", "positive", "es"), row("c", "negative", "en"), row("d", "neutral", "en"),
    ]  # fmt: skip
    found = evaluate(rows, says(a="positive", b="negative", c="negative", d="neutral"))["sentiment"]
    assert (found["n"], found["accuracy"]) == (4, 0.75)
    assert found["per_class"]["positive"] == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "n": 2}
    assert found["per_class"]["negative"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "n": 1}
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    spanish = found["per_lang"]["es"]
    assert [spanish[key] for key in ("n", "accuracy", "macro_f1", "ece")] == [2, 0.5, pytest.approx(1 / 3), 0.5]
    assert found["confusion"]["positive"] == {"negative": 1, "neutral": 0, "positive": 1}
    assert found["accuracy_interval"] == pytest.approx([0.3006, 0.9544], abs=1e-4)
    assert found["per_lang"]["en"]["accuracy"] == 1.0


def test_the_interval_of_macro_f1_narrows_with_more_texts_and_holds_the_score() -> None:
    pairs = [("a", "a"), ("a", "b"), ("b", "b"), ("c", "c"), ("c", "a")]
    few, many = macro_f1_interval(pairs * 8), macro_f1_interval(pairs * 80)
    found = score(pairs)["macro_f1"]
    assert few[0] < many[0] < found < many[1] < few[1]
    assert macro_f1_interval([("a", "a")] * 30) == [1.0, 1.0]


def test_macro_f1_is_scikit_learns() -> None:
    pairs = [("a", "a"), ("a", "b"), ("b", "c"), ("c", "c"), ("c", "a"), ("d", "d")]
    trues, givens = zip(*pairs, strict=True)
    assert score(pairs)["macro_f1"] == pytest.approx(f1_score(trues, givens, average="macro", zero_division=0))


def test_a_text_that_could_not_be_tagged_counts_as_wrong() -> None:
    found = evaluate([row("a", "positive"), row("b", "positive")], says(a="positive", b=None))
    assert found["failed"] == 1
    assert found["sentiment"]["accuracy"] == 0.5
    assert list(found["sentiment"]["per_class"]) == ["positive"]


def test_only_the_kinds_that_have_labels_are_scored() -> None:
    assert set(evaluate([row("a", "neutral")], says(a="neutral"))) == {"n", "failed", "sentiment"}


def test_rows_are_read_and_bad_ones_named_by_number(tmp_path: Path) -> None:
    path = tmp_path / "labelled.jsonl.gz"
    lines = [
        json.dumps({"text": "bien", "label": "positive", "lang": "es"}), "", "{", json.dumps({"text": 5}), "[1]",
        json.dumps({"text": "mal", "label": "reclamo"}),
        json.dumps({"text": "mal", "stage": "retention", "pain": "none"}),
    ]  # fmt: skip
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    rows, bad = read_labelled(path)
    assert [dict(found.labels) for found in rows] == [{"sentiment": "positive"}, {"stage": "retention", "pain": "none"}]
    assert rows[0].lang == "es"
    whys = [(line.number, line.why) for line in bad]
    assert whys == [(3, "not JSON"), (4, "no text"), (5, "no text"), (6, "no label")]


def test_a_label_is_a_sentiment_or_an_emotion_by_what_it_says() -> None:
    found = [read_row(json.dumps({"text": "a", "label": label})) for label in ("neutral", "joy", "others", "other")]
    labels = [dict(one.labels) for one in found if isinstance(one, Labelled)]
    assert labels == [{"sentiment": "neutral"}, {"emotion": "joy"}, {"emotion": "other"}, {"emotion": "other"}]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nowhere\.jsonl"):
        read_labelled(tmp_path / "nowhere.jsonl")


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.jsonl", b"plain\n"), ("a.jsonl", b""), ("a.jsonl.gz", b"not gzip"), ("a.jsonl", b"\xff\xfe{")],
)
def test_a_file_of_another_kind_is_refused_with_a_reason(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Invalid, match=r"a\.jsonl"):
        read_labelled(tmp_path / name)


def test_recommendations_and_aspects_of_one_polarity_are_read_as_sentiment() -> None:
    def read(**fields: Any) -> Any:
        found = read_row(json.dumps({"text": "hola", **fields}))
        return found if isinstance(found, str) else dict(found.labels)

    assert read(label="not_recommended") == {"sentiment": "negative"}
    assert read(aspects=[{"polarity": "positive"}, {"polarity": "positive"}]) == {"sentiment": "positive"}
    assert read(aspects=[{"polarity": "positive"}, {"polarity": "negative"}]) == "no label"
    assert read(aspects=[{"polarity": "conflict"}]) == read(aspects=[]) == read(label=["positive"]) == "no label"
