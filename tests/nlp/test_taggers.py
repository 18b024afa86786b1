"""The chain that an installation runs, and how a package of one's own joins it."""

from __future__ import annotations

from pathlib import Path

import pytest

from escucha.plugins import load
from escucha.tagger import Tagger
from nlp import GROUP, TAGGERS, open_taggers
from nlp.chain import KINDS, ModelOptions
from tests.nlp.fakes import texts

PLUG_IN = """
from dataclasses import replace
from escucha.enrichment import Label

class Mood:
    name, version, needs, gives = "mood", "1", ("lang",), ("sentiment", "emotion")

    def __call__(self, batch):
        return [replace(e, sentiment=Label("positive", 1.0), emotion=Label("joy", 1.0)) for e in batch]

def open_mood(options):
    return Mood()
"""


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package installed in a folder of its own that offers a tagger."""
    (tmp_path / "its_mood.py").write_text(PLUG_IN, "utf-8")
    info = tmp_path / "its_mood-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: its-mood\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nmood = its_mood:open_mood\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_out_of_the_box_the_language_and_every_kind_of_label_are_given() -> None:
    assert open_taggers(ModelOptions()).gives == ("lang", *KINDS, "vector", "parts")


def test_every_built_in_address_leads_somewhere() -> None:
    assert all(callable(load(GROUP, TAGGERS, name)) for name in TAGGERS)


@pytest.mark.usefixtures("plug_in")
def test_an_installed_tagger_takes_the_place_of_the_embedded_one() -> None:
    chain = open_taggers(ModelOptions())
    assert all(isinstance(tagger, Tagger) for tagger in chain.taggers)
    found = chain(texts("Pésimo servicio, una vergüenza"))[0].enrichment
    assert found.sentiment is not None
    assert found.sentiment.label == "positive", "the installed tagger's word"
    assert found.stage is not None
    assert set(found.versions) == {"language", "encoder", "mood", "parts"}
