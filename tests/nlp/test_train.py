"""Training goes from a folder of texts to weights that answer, and says so when there is nothing to learn from."""

from __future__ import annotations

import gzip
import json
from itertools import product
from pathlib import Path

import pytest

from escucha.errors import Invalid, NotFound
from nlp.chain import KINDS
from nlp.linear import Linear, read_weights
from nlp.train import Setting, train
from tests.nlp.fakes import texts

GRID = (Setting(c=1.0, balance=0.0, written=1.0), Setting(c=100.0, balance=1.0, written=1.0))
GOOD, BAD, THINGS = ("excelente", "maravilloso"), ("pésimo", "horrible"), ("café", "hotel", "vuelo", "pedido", "plan")


def write_set(data: Path, name: str, split: str, rows: list[dict[str, str]]) -> None:
    (data / name).mkdir(parents=True, exist_ok=True)
    content = "\n".join(json.dumps(row) for row in rows).encode()
    (data / name / f"{split}.jsonl.gz").write_bytes(gzip.compress(content))


def journey_rows(things: tuple[str, ...]) -> list[dict[str, str]]:
    good = [
        {"text": f"{word} {thing}, lo recomiendo", "sentiment": "positive", "stage": "advocacy", "pain": "none",
         "touchpoint": "product"} for word, thing in product(GOOD, things)
    ]  # fmt: skip
    bad = [
        {"text": f"{word} {thing}, no funciona", "sentiment": "negative", "stage": "retention", "pain": "problem",
         "touchpoint": "support"} for word, thing in product(BAD, things)
    ]  # fmt: skip
    return good + bad


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    write_set(folder, "journey", "train", journey_rows(THINGS))
    write_set(folder, "journey", "dev", journey_rows(("taxi", "curso")))
    write_set(folder, "umsab", "train", [{"text": "regular, sin más", "label": "neutral"}] * 6)
    return folder


def test_it_learns_a_small_world_and_writes_its_card(data: Path, tmp_path: Path) -> None:
    said: list[tuple[float, str]] = []
    report = train(data, tmp_path / "model", lambda share, kind: said.append((share, kind)), grid=GRID)
    answer = Linear(read_weights(tmp_path / "model"))(texts("Horrible película, no funciona"))[0]
    assert [getattr(answer, kind).label for kind in KINDS] == ["negative", "retention", "problem", "support"]
    assert report.scores["stage"]["journey"] == {"n": 8, "accuracy": 1.0, "macro_f1": 1.0}
    card = json.loads((tmp_path / "model" / "card.json").read_text("utf-8"))
    assert card["version"] == report.version
    assert [(one["name"], one["train"], one["dev"]) for one in card["data"]] == [("umsab", 6, 0), ("journey", 20, 8)]
    assert said == [(0.0, "sentiment"), (0.25, "stage"), (0.5, "pain"), (0.75, "touchpoint")]


def test_the_same_texts_give_the_same_version(data: Path, tmp_path: Path) -> None:
    first, second = train(data, tmp_path / "a", grid=GRID), train(data, tmp_path / "b", grid=GRID)
    assert first == second
    assert (tmp_path / "a" / "linear.npz").read_bytes() == (tmp_path / "b" / "linear.npz").read_bytes()


def test_other_texts_give_another_version(data: Path, tmp_path: Path) -> None:
    before = train(data, tmp_path / "a", grid=GRID).version
    write_set(data, "journey", "train", journey_rows(THINGS[:3]))
    assert train(data, tmp_path / "b", grid=GRID).version != before


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nowhere.*journey/train\.jsonl\.gz"):
        train(tmp_path / "nowhere", tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_texts_with_a_single_label_are_refused(data: Path, tmp_path: Path) -> None:
    write_set(data, "journey", "train", [{**row, "stage": "retention"} for row in journey_rows(THINGS)])
    with pytest.raises(Invalid, match="stage"):
        train(data, tmp_path / "model", grid=GRID)
