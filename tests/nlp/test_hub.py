"""Models of one's own take the embedded one's place, or leave it to answer when they cannot be opened."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from escucha.enrichment import Label
from escucha.errors import ModelError
from escucha.vector import unpack
from nlp import open_taggers
from nlp.chain import ModelOptions
from nlp.hub import HubSentiment, open_sentiment, open_vectors, ours, version_of
from tests.nlp.fakes import texts

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hola", "mundo", "bien", "mal"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of 16 dimensions with a sentiment head: everything a real one has, in a few kilobytes."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    folder = tmp_path_factory.mktemp("tiny")
    (folder / "vocab.txt").write_text("\n".join(WORDS), "utf-8")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=32, num_labels=3, id2label={0: "NEG", 1: "NEU", 2: "POS"},
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("labels", "sentiments"),
    [
        (["LABEL_0", "LABEL_1", "LABEL_2"], ["negative", "neutral", "positive"]),
        (["NEG", "NEU", "POS"], ["negative", "neutral", "positive"]),
        (["positive", "Negative"], ["positive", "negative"]),
        (["1 star", "2 stars", "3 stars", "4 stars", "5 stars"],
         ["negative", "negative", "neutral", "positive", "positive"]),
        (["Positivo", "Neutro", "Negativo"], ["positive", "neutral", "negative"]),
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


def test_the_stars_of_one_side_are_added_up() -> None:
    stars = {"1 star": 0.3, "2 stars": 0.25, "3 stars": 0.0, "4 stars": 0.05, "5 stars": 0.4}
    scores = [{"label": label, "score": score} for label, score in stars.items()]
    tagger = HubSentiment("stars", list(stars), lambda texts: [scores for _ in texts])
    assert tagger(texts("hola"))[0].sentiment == Label("negative", 0.55)


def test_a_local_classifier_gives_the_sentiment_and_the_embedded_model_the_rest(tiny: Path) -> None:
    chain = open_taggers(ModelOptions(sentiment=str(tiny)))
    long, short = chain(texts("hola " * 500, "mal"))
    assert chain.gives == ("lang", "sentiment", "stage", "pain", "touchpoint", "emotion", "vector")
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


def test_a_model_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    missing = ModelOptions(sentiment=str(tmp_path / "no model"), encoder=str(tmp_path / "no model"))
    with pytest.raises(ModelError, match="Give the path of a folder"):
        open_sentiment(missing)
    with pytest.raises(ModelError, match="Give the path of a folder"):
        open_vectors(missing)


def test_the_embedded_model_answers_in_place_of_one_that_cannot_be_opened(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        chain = open_taggers(ModelOptions(sentiment=str(tmp_path / "no model")))
    outcome = chain(texts("Excelente, me encanta"))[0]
    assert outcome.enrichment.sentiment is not None
    assert outcome.enrichment.sentiment.label == "positive"
    assert "no model" in caplog.text
