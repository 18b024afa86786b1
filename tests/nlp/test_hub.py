"""Models of one's own take the embedded one's place, or leave it to answer when they cannot be opened."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from escucha.enrichment import Label
from escucha.errors import Conflict, ModelError
from escucha.vector import unpack
from nlp import open_taggers
from nlp.chain import ModelOptions
from nlp.hub.compact import is_compact, read_card
from nlp.hub.opened import Opened
from nlp.hub.polarity import ours
from nlp.hub.shrink import shrink
from nlp.hub.taggers import HubSentiment, open_classifier, open_encoder, open_sentiment, open_vectors, version_of
from tests.conftest import ROOT
from tests.nlp.fakes import texts
from tests.nlp.tiny import write_classifier

WORDS = ["hola", "mundo", "bien", "mal"]
SAID = ["hola mundo bien", "mal", "hola " * 500, "", "mal mundo mal hola"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classifier(tmp_path_factory.mktemp("models") / "tiny", ["NEG", "NEU", "POS"], WORDS)


@pytest.fixture(scope="module")
def shrunk(tiny: Path) -> Path:
    shrink(str(tiny), "sentiment", tiny.parent / "shrunk")
    return tiny.parent / "shrunk"


def says(labels: list[str], *odds: float) -> Opened:
    """A classifier that gives every text these probabilities."""
    return Opened(
        version="1", device="cpu", labels=tuple(labels),
        answer=lambda said, _: np.tile(np.array(odds, np.float32), (len(said), 1)),
    )


@pytest.mark.parametrize(
    ("labels", "sentiments"),
    [
        (["LABEL_0", "LABEL_1", "LABEL_2"], ["negative", "neutral", "positive"]),
        (["NEG", "NEU", "POS"], ["negative", "neutral", "positive"]),
        (["positive", "Negative"], ["positive", "negative"]),
        (["1 star", "2 stars", "3 stars", "4 stars", "5 stars"],
         ["negative", "negative", "neutral", "positive", "positive"]),
        (["Positivo", "Neutro", "Negativo"], ["positive", "neutral", "negative"]),
        (["Very Negative", "Negative", "Neutral", "Positive", "Very Positive"],
         ["negative", "negative", "neutral", "positive", "positive"]),
    ],
)  # fmt: skip
def test_the_labels_of_known_models_are_understood(labels: list[str], sentiments: list[str]) -> None:
    assert [ours(labels)[label] for label in labels] == sentiments


@pytest.mark.parametrize(
    "labels", [["LABEL_0", "LABEL_1"], ["joy", "anger"], ["positive", "spam", "negative"], ["neutral"]]
)
def test_labels_that_say_nothing_about_sentiment_are_refused(labels: list[str]) -> None:
    with pytest.raises(ModelError, match=labels[0]):
        ours(labels)


def test_the_error_lists_the_labels_and_how_to_say_what_they_mean() -> None:
    with pytest.raises(ModelError) as refused:
        ours(["LABEL_0", "LABEL_1"])
    assert 'labels = { "LABEL_0" = "negative", "LABEL_1" = "positive" }' in str(refused.value)
    assert "[nlp.sentiment]" in str(refused.value)


def test_meanings_that_are_told_win_and_must_be_of_labels_that_there_are() -> None:
    told = {"LABEL_0": "positive", "LABEL_1": "negative"}
    assert ours(["LABEL_0", "LABEL_1"], told) == told
    with pytest.raises(ModelError, match="LABEL_2"):
        ours(["LABEL_0", "LABEL_1"], {"LABEL_2": "neutral"})


def test_the_stars_of_one_side_are_added_up() -> None:
    model = says(["1 star", "2 stars", "3 stars", "4 stars", "5 stars"], 0.3, 0.25, 0.0, 0.05, 0.4)
    assert HubSentiment(model, 8)(texts("hola"))[0].sentiment == Label("negative", 0.55)


def test_a_classifier_of_two_labels_is_never_neutral() -> None:
    model = says(["LABEL_0", "LABEL_1"], 0.4, 0.6)
    meant = {"LABEL_0": "negative", "LABEL_1": "positive"}
    tagger = HubSentiment(model, 8, meant)
    assert tagger(texts("hola"))[0].sentiment == Label("positive", 0.6)
    assert tagger([]) == []
    turned = HubSentiment(model, 8, {"LABEL_0": "positive", "LABEL_1": "negative"})
    assert turned.version != tagger.version


def test_a_local_classifier_gives_the_sentiment_and_the_embedded_model_the_rest(tiny: Path) -> None:
    chain = open_taggers(ModelOptions(sentiment=str(tiny)))
    long, short = chain(texts("hola " * 500, "mal"))
    assert {"lang", "sentiment", "stage", "pain", "touchpoint", "emotion", "vector"} <= set(chain.gives)
    assert [tagger.name for tagger in chain.taggers if "sentiment" in tagger.gives] == ["hub_sentiment"]
    assert long.note is None
    assert short.enrichment.versions["hub_sentiment"] == version_of(str(tiny))
    assert short.enrichment.sentiment is not None
    assert 1 / 3 <= short.enrichment.sentiment.score <= 1
    assert short.enrichment.stage is not None


def test_a_local_encoder_gives_vectors_of_length_one(tiny: Path) -> None:
    first, again = open_vectors(ModelOptions(encoder=str(tiny)))(texts("hola mundo", "hola mundo"))
    assert first.vector is not None
    assert again.vector is not None
    alike = unpack([first.vector.data, again.vector.data])
    assert alike.shape == (2, 16)
    assert (alike @ alike.T).ravel() == pytest.approx(1, abs=1e-3)


def test_the_version_changes_with_the_weights(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"one")
    before = version_of(str(tmp_path))
    weights.write_bytes(b"two")
    assert version_of(str(tmp_path)) != before
    assert version_of("somebody/model", "0123456789abcdef") == "somebody/model@0123456789ab"


@pytest.mark.parametrize("name", ["/no/such/folder", "nobody/no-such-model"])
def test_a_model_that_is_not_there_says_what_to_do(name: str) -> None:
    with pytest.raises(ModelError, match="Give the path of a folder"):
        open_sentiment(ModelOptions(sentiment=name))
    with pytest.raises(ModelError, match="Give the path of a folder"):
        open_vectors(ModelOptions(encoder=name))


def test_a_hub_that_does_not_answer_costs_seconds_and_no_token_is_told() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", "from nlp.hub.fetch import located; located('somebody/model')"],
            env={"PYTHONPATH": str(ROOT), "HF_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}",
                 "HF_HOME": "/nonexistent", "HF_TOKEN": "hf_secret"},
            capture_output=True, text=True, timeout=80, check=False,
        )  # fmt: skip
    assert "the model hub cannot be reached" in done.stderr
    assert "hf_secret" not in done.stdout + done.stderr
    assert time.monotonic() - began < 60  # five of the hub's, the rest for the interpreter of a busy machine


def test_the_embedded_model_answers_in_place_of_one_that_cannot_be_opened(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        chain = open_taggers(ModelOptions(sentiment=str(tmp_path / "no model")))
    outcome = chain(texts("Excelente, me encanta"))[0]
    assert outcome.enrichment.sentiment is not None
    assert outcome.enrichment.sentiment.label == "positive"
    assert "no model" in caplog.text


def test_an_exported_classifier_answers_as_the_original_does(tiny: Path, shrunk: Path) -> None:
    original, small = open_classifier(str(tiny)), open_classifier(str(shrunk))
    assert is_compact(shrunk)
    assert small.labels == original.labels == ("NEG", "NEU", "POS")
    before, after = original.answer(SAID, 2), small.answer(SAID, 3)
    assert before == pytest.approx(after, abs=0.06)
    assert before.std(axis=0).max() > 0.05  # it does tell the texts apart
    assert after.sum(axis=1) == pytest.approx(1, abs=1e-4)


def test_an_exported_encoder_answers_as_the_original_does(tiny: Path, tmp_path: Path) -> None:
    shrink(str(tiny), "encoder", tmp_path / "small")
    before, after = (open_encoder(str(folder)).answer(SAID, 2) for folder in (tiny, tmp_path / "small"))
    assert (before * after).sum(axis=1).min() > 0.98
    assert (before @ before.T).min() < 0.9


def test_an_exported_model_says_what_it_is_for_and_is_not_written_over(tiny: Path, shrunk: Path) -> None:
    assert read_card(shrunk).of == version_of(str(tiny))
    with pytest.raises(ModelError, match="exported as sentiment"):
        open_encoder(str(shrunk))
    with pytest.raises(Conflict, match="not empty"):
        shrink(str(tiny), "sentiment", shrunk)
    with pytest.raises(ModelError, match="already"):
        shrink(str(shrunk), "sentiment", shrunk.parent / "again")


def test_an_exported_model_runs_without_torch(shrunk: Path) -> None:
    code = (
        "import sys\nfrom nlp import open_taggers\nfrom nlp.chain import ModelOptions\n"
        "from escucha.enrichment import Enrichment\n"
        f"(told,) = open_taggers(ModelOptions(sentiment={str(shrunk)!r}))([Enrichment(text='mal')])\n"
        "print(told.enrichment.versions['hub_sentiment'], {'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=80, check=True
    )
    assert done.stdout.split()[0].startswith("shrunk@")
    assert done.stdout.split()[1] == "set()"


def test_a_damaged_export_is_refused_in_a_sentence(shrunk: Path, tmp_path: Path) -> None:
    (tmp_path / "escucha.json").write_text("{}", "utf-8")
    with pytest.raises(ModelError, match="cannot be opened"):
        open_classifier(str(tmp_path))
