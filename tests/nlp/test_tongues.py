"""The lean copy of the language model answers as py3langid itself does."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from nlp.tongues import LANGUAGES, Tongues, tree

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
ODD = [
    "", " ", "a", "ñ", "ß", "HOLA MUNDO", "hola mundo", "e\u0301", "\u0301" * 50, "😡😡", "สวัสดี", "这家店太差了",
    "اليوم جميل",
    "\u202eatsile", "ok ok ok", "l'amour d'été", "não é só", "0123", "x" * 3_000, "\ud800 roto",
]  # fmt: skip


@pytest.fixture(scope="module")
def theirs() -> LanguageIdentifier:
    whole = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    whole.set_languages(set(LANGUAGES))
    return whole


def sampled() -> list[str]:
    lines = [line for file in sorted(SAMPLE.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]
    return [json.loads(line)["text"] for line in lines]


def test_every_answer_is_py3langids_own_to_the_last_digit(theirs: LanguageIdentifier) -> None:
    said = sampled()
    assert len(said) > 500
    ours = Tongues()
    short = [" ".join(text.split()[:n]) for text in said[:200] for n in (1, 2, 3)]
    for text in (*said, *short, *ODD):
        assert ours.rank(text) == theirs.rank(text), text


def test_the_copy_is_of_the_py3langid_that_is_installed() -> None:
    assert Tongues().made_from == version("py3langid"), "make it again: python -m nlp.tongues"


def test_an_automaton_that_is_no_tree_with_endings_is_refused() -> None:
    moves = np.zeros((3, 256), np.int64)
    moves[0, 97] = 1
    moves[1, 97] = 1
    with pytest.raises(ValueError, match="3 states, its tree 2"):
        tree(moves, 3)
