"""`escucha models`: a marketer tries a model, sees how it does, and puts it to use."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.assembly import model_options
from api.cli import app
from api.console import reader
from config.settings import read_settings
from escucha.errors import ConfigError, Conflict, EscuchaError, Invalid, ModelError, NotFound
from tests.nlp.tiny import write_classifier

TEXTS = '{"text": "hola bien", "sentiment": "positive"}\n{"text": "mal mundo", "sentiment": "negative"}\nhola\n' * 8
Models = Callable[..., Result]


@pytest.fixture
def models(home: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    """Runs `escucha models …` in the folder, in this process: torch is imported once."""
    monkeypatch.chdir(home)
    monkeypatch.setenv("ESCUCHA_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")
    reader.cache_clear()
    return lambda *words, **settings: CliRunner().invoke(app, ["models", *map(str, words)], env=settings)


def told(done: Result) -> Any:
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with texts and two small models, of which one does not say what its labels mean."""
    folder = tmp_path_factory.mktemp("home")
    write_classifier(folder / "tiny", ["NEG", "NEU", "POS"], ["hola", "mundo", "bien", "mal"])
    write_classifier(folder / "mute", ["LABEL_0", "LABEL_1"], ["hola", "mundo", "bien", "mal"])
    (folder / "texts.jsonl").write_text(TEXTS, "utf-8")
    return folder


def test_without_other_models_the_embedded_one_is_listed_with_its_scores(models: Models, tmp_path: Path) -> None:
    nothing = {"ESCUCHA_NLP__SHELF": str(tmp_path / "models.json")}
    listed = told(models("list", "--json", **nothing))
    assert listed["others"] == []
    assert set(listed["embedded"]["kinds"]) == {"sentiment", "stage", "pain", "touchpoint", "emotion"}
    assert 0 < listed["embedded"]["dev"]["sentiment"]["journey"]["macro_f1"] < 1
    shown = models("list", **nothing).stdout
    assert "journey" in shown
    assert "escucha models add" in shown


def test_a_model_is_added_exported_listed_and_used(
    models: Models, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = told(models("add", "tiny", "--texts", "texts.jsonl", "--json"))
    assert (added["kind"], added["device"] in ("cpu", "cuda", "mps")) == ("sentiment", True)
    assert added["at_once"] in (8, 16, 32, 64)
    assert added["texts_per_s"] > 0
    assert (added["agreement"]["n"], added["agreement"]["labelled"]) == (24, 16)

    exported = told(models("export", "tiny", "--out", "small", "--texts", "texts.jsonl"))
    assert exported["agreement"]["n"] == 24
    assert exported["agreement"]["mean_gap"] < 0.05
    assert exported["after"]["texts_per_s"] > 0

    listed = told(models("list", "--json", ESCUCHA_NLP__SENTIMENT__MODEL="small"))
    stand = {Path(other["model"]).name: (other["opens"], other["in_use"]) for other in listed["others"]}
    assert (stand["tiny"], stand["small"]) == ((True, False), (True, True))

    monkeypatch.setenv("ESCUCHA_NLP__SENTIMENT__MODEL", "tiny")
    assert model_options(read_settings()).sentiment_at_once == added["at_once"]


def test_an_encoder_is_compared_by_neighbours(models: Models) -> None:
    added = told(models("add", "tiny", "--as", "encoder", "--texts", "texts.jsonl", "--json"))
    assert added["kind"] == "encoder"
    assert 0 <= added["agreement"]["same_neighbours"] <= 1


def test_labels_that_say_nothing_are_refused_until_their_meaning_is_told(models: Models, home: Path) -> None:
    refused = models("add", "mute", "--texts", "texts.jsonl")
    assert isinstance(refused.exception, ModelError)
    assert "LABEL_0, LABEL_1" in str(refused.exception)
    meant = ("--label", "LABEL_0=negative", "--label", "LABEL_1=positive")
    shown = models("add", "mute", "--texts", "texts.jsonl", *meant)
    assert shown.exit_code == 0, shown.output
    assert "[nlp.sentiment]" in shown.stdout
    assert str(home / "mute") in shown.stdout
    listed = told(models("list", "--json", ESCUCHA_NLP__SENTIMENT__MODEL="mute"))
    assert next(other for other in listed["others"] if other["in_use"])["opens"]


def test_a_configured_model_that_is_not_there_is_listed_with_the_reason(models: Models) -> None:
    listed = told(models("list", "--json", ESCUCHA_NLP__ENCODER__MODEL="nobody/nothing"))
    gone = next(other for other in listed["others"] if other["in_use"])
    assert (gone["opens"], "escucha models add nobody/nothing" in gone["why"]) == (False, True)


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("add", "/nowhere/at all", "--as", "sentiment"), ModelError, "cannot be opened"),
        (("add", "tiny", "--as", "emotion"), Invalid, "sentiment or as encoder"),
        (("add", "tiny", "--label", "LABEL_0"), Invalid, "LABEL_0=negative"),
        (("export", "tiny", "--out", "tiny", "--texts", "texts.jsonl"), Conflict, "not empty"),
        (("add", "tiny", "--texts", "none.jsonl"), NotFound, "does not exist"),
    ],
)
def test_what_is_off_is_said_in_a_sentence(
    models: Models, words: tuple[str, ...], error: type[EscuchaError], says: str
) -> None:
    done = models(*words)
    assert isinstance(done.exception, error)
    assert says in str(done.exception)


@pytest.mark.parametrize("where", ["file", "environment"])
def test_the_settings_former_name_is_refused_with_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if where == "file":
        (tmp_path / "escucha.toml").write_text('[models]\nsentiment = "x/y"\n', "utf-8")
    else:
        monkeypatch.setenv("ESCUCHA_MODELS__SENTIMENT", "x/y")
    with pytest.raises(ConfigError, match=r"nlp\.sentiment\.model"):
        read_settings()


def test_the_settings_say_what_labels_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "escucha.toml"
    file.write_text('[nlp.sentiment]\nmodel = "a/b"\nlabels = {LABEL_0 = "negative"}\n', "utf-8")
    assert model_options(read_settings()).sentiment_labels == (("LABEL_0", "negative"),)
    file.write_text('[nlp.sentiment]\nlabels = {LABEL_0 = "bad"}\n', "utf-8")
    with pytest.raises(ConfigError, match=r"nlp\.sentiment\.labels\.LABEL_0"):
        read_settings()
