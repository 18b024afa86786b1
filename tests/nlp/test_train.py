"""Training goes from a folder of texts to a model that answers, and says so when there is nothing to learn from."""

from __future__ import annotations

import gzip
import json
from itertools import product
from pathlib import Path

import pytest

from config.catalogue import read_catalogue
from escucha.errors import NotFound
from nlp.chain import KINDS
from nlp.encoder import Encoder
from nlp.evaluate import Labelled
from nlp.examples import HELD, LESSONS, read_examples
from nlp.lessons import MIX, OWN, Part, drawn, permitted, read_split
from nlp.school import Plan, Text, by_length, lessons
from nlp.train import Report, train
from tests.nlp.fakes import texts
from tests.nlp.tiny import write_base

pytestmark = pytest.mark.timeout(400)  # it learns twice, on a machine that may have other work

QUICK = Plan(epochs=20, frozen=1, batch=8, rate=5e-3, head_rate=2e-2, warm_up=2, probe_steps=60, distil=0.1)
GOOD, BAD, THINGS = ("excelente", "maravilloso"), ("pésimo", "horrible"), ("café", "hotel", "vuelo", "pedido", "plan")
WORDS = [*GOOD, *BAD, *THINGS, "taxi", "curso", "lo", "recomiendo", "no", "funciona", "regular", "query", ":", ","]


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


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("given") / "data"
    write_set(folder, "journey", "train", journey_rows(THINGS) * 2)
    write_set(folder, "journey", "dev", journey_rows(("taxi", "curso")))
    write_set(folder, "umsab", "train", [{"text": "regular, sin más", "label": "neutral"}] * 6)
    moods = [{"text": f"{word} curso", "label": "joy"} for word in GOOD] + [{"text": "regular", "label": "others"}]
    write_set(folder, "emoevent", "train", [{**mood, "lang": "es"} for mood in moods] * 3)
    write_base(folder.parent / "base", WORDS)
    return folder


@pytest.fixture(scope="module")
def model(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report, list[tuple[float, str]]]:
    said: list[tuple[float, str]] = []
    out = tmp_path_factory.mktemp("model")
    mix = {name: part for name, part in MIX.items() if name != OWN}
    report = train(
        data, out, lambda share, at: said.append((share, at)), base=data.parent / "base", plan=QUICK, mix=mix
    )
    return out, report, said


@pytest.mark.filterwarnings("ignore")  # torch on its own exporter
def test_it_learns_a_small_world_in_one_pass(model: tuple[Path, Report, list[tuple[float, str]]]) -> None:
    answer = Encoder(model[0])(texts("Horrible taxi, no funciona", "excelente plan, lo recomiendo"))
    found = [[getattr(one, kind).label for kind in KINDS] for one in answer]
    assert found[0][:4] == ["negative", "retention", "problem", "support"]
    assert found[1] == ["positive", "advocacy", "none", "product", "joy"]
    assert all(one.vector is not None for one in answer)


def test_its_card_says_what_it_learned_from_and_how_good_it_is(
    model: tuple[Path, Report, list[tuple[float, str]]],
) -> None:
    out, report, _ = model
    card = json.loads((out / "card.json").read_text("utf-8"))
    assert card["version"] == report.version == Encoder(out).version
    found = {one["name"]: (one["train"], one["dev"]) for one in card["data"]}
    assert found == {"journey": (40, 8), "umsab": (6, 0), "emoevent": (9, 0)}
    assert all(one["licence"] for one in card["data"])
    assert card["dev"]["stage"]["journey"]["accuracy"] == report.scores["stage"]["journey"]["accuracy"] == 1.0
    assert (card["seeds"], card["permissive"]) == ([1, 2], False)
    assert len(read_examples(out / HELD).sets) == 8
    assert read_examples(out / LESSONS).reads == Encoder(out).reading


def test_it_says_how_far_it_is(model: tuple[Path, Report, list[tuple[float, str]]]) -> None:
    shares = [share for share, _ in model[2]]
    assert shares == sorted(shares)
    assert {at for _, at in model[2]} == {"reading", "learning", "measuring"}


def test_a_second_run_goes_on_after_what_the_first_had_finished(
    data: Path, model: tuple[Path, Report, list[tuple[float, str]]], tmp_path: Path
) -> None:
    learned = {path.name: path.stat().st_mtime_ns for path in (model[0] / "seeds").iterdir()}
    assert set(learned) == {"default-1.pt", "default-2.pt"}
    mix = {name: part for name, part in MIX.items() if name != OWN}
    train(data, tmp_path, base=data.parent / "base", plan=QUICK, mix=mix, kept=model[0] / "seeds")
    assert {path.name: path.stat().st_mtime_ns for path in (model[0] / "seeds").iterdir()} == learned
    assert (tmp_path / "heads.npz").read_bytes() == (model[0] / "heads.npz").read_bytes()


@pytest.mark.parametrize(
    ("row", "part", "allowed"),
    [
        (None, "MIT repository", True),
        (None, "CC BY-NC-SA 4.0", False),
        ("CC0 (repo)", "each its own: CC BY-NC-SA, research use", True),
        ("CC BY-NC-SA 4.0", "free", False),
        ("Rest-Mex: academic/research use only", "free", False),
        ("none stated (Sanders corpus)", "free", False),
    ],
)
def test_a_rows_own_licence_goes_before_its_sets(row: str | None, part: str, allowed: bool) -> None:
    rows = [Labelled(text="hola", labels={"sentiment": "neutral"}, licence=row)]
    assert bool(permitted(rows, Part(licence=part))) is allowed


def test_the_texts_written_for_this_project_are_whole_and_of_the_catalogue(tmp_path: Path) -> None:
    rows = read_split(tmp_path, "train", {OWN: MIX[OWN]})[OWN]
    assert len({row.text for row in rows}) == len(rows) > 3_000
    known = read_catalogue()
    for kind, entries in (("stage", known.stages), ("pain", known.pains), ("touchpoint", known.touchpoints)):
        assert {row.labels[kind] for row in rows} == {"none", *(entry.key for entry in entries)}
    assert permitted(rows, MIX[OWN]) == rows


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nowhere.*journey/train\.jsonl\.gz"):
        train(tmp_path / "nowhere", tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_missing_base_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no base encoder"):
        train(data, tmp_path / "model", base=tmp_path)
    assert not (tmp_path / "model").exists()


def test_a_large_set_gives_no_more_than_asked_of_each_group() -> None:
    rows = [Labelled(text=str(at), labels={"sentiment": "positive"}, lang="es") for at in range(50)]
    rows += [Labelled(text=str(at), labels={"sentiment": "negative"}, lang="es") for at in range(3)]
    by_mood = drawn(rows, Part(licence="", most={"positive": 10, "negative": 10}), 1)
    assert [row.labels["sentiment"] for row in by_mood].count("positive") == 10
    assert len(by_mood) == 13
    assert len(drawn(rows, Part(licence="", most={"es": 20}), 1)) == 20
    assert drawn(rows, Part(licence=""), 1) == rows


def test_each_epoch_sees_every_text_or_its_share_once() -> None:
    whole = [Text(labels={}, share=1.0, ids=[0] * (at % 7 + 1)) for at in range(100)]
    half = [Text(labels={}, share=0.5, ids=[0]) for _ in range(200)]
    batches = list(lessons(whole + half, Plan(epochs=2, batch=8)))
    seen = [id(text) for _, batch in batches for text in batch]
    assert all(seen.count(id(text)) == 2 for text in whole)
    assert 150 < len(seen) - 200 < 250
    assert [done for done, _ in batches] == sorted(done for done, _ in batches)


def test_texts_of_like_length_go_together() -> None:
    some = [Text(labels={}, share=1.0, ids=[0] * length) for length in (5, 1, 9, 1, 5, 9)]
    assert [[len(text.ids) for text in group] for group in by_length(some, 2)] == [[1, 1], [5, 5], [9, 9]]
