"""What comes in passes one gate, whatever the source."""

from __future__ import annotations

from datetime import timedelta

import pytest

from escucha.admission import admit_each
from escucha.text import MAX_TEXT, fold, mentions_any, storable
from tests import make


def test_nul_surrogates_and_control_characters_are_taken_out() -> None:
    dirty = make.mention("a\x00", "Un\x00 caf\ud83dé\x1b[31m\nbueno\t", title="\x00", url="http://x\x00", place="\0")
    ((clean,), refused) = admit_each([dirty], make.NOW)
    assert (clean.source_id, clean.text, clean.title, clean.url) == ("a", "Un café[31m\nbueno", None, "http://x")
    assert refused == ()


@pytest.mark.parametrize(
    ("mention", "says"),
    [
        (make.mention(text=" \x00 "), "neither a text nor a rating"),
        (make.mention(text="a" * 10_000_000), r"10000000 characters; a mention holds at most 100000"),
        (make.mention(created_at=make.NOW + timedelta(days=400)), "2027-12-25T18:00.00:00 lies in the future"),
    ],
)
def test_what_cannot_be_saved_is_refused_with_a_reason_and_the_rest_go_on(mention: make.Mention, says: str) -> None:
    admitted, (refusal,) = admit_each([mention, make.mention("2")], make.NOW)
    assert [m.source_id for m in admitted] == ["2"]
    with pytest.raises(type(refusal.why), match=says):
        raise refusal.why


def test_a_rating_alone_is_a_mention() -> None:
    admitted, refused = admit_each([make.mention(text="", rating=2)], make.NOW)
    assert (len(admitted), refused) == (1, ())


def test_the_longest_text_is_taken_whole() -> None:
    ((kept,), _) = admit_each([make.mention(text="ñ" * MAX_TEXT)], make.NOW)
    assert len(kept.text) == MAX_TEXT


def test_a_clock_that_is_a_little_fast_is_forgiven() -> None:
    ((kept,), refused) = admit_each([make.mention(created_at=make.NOW + timedelta(hours=13))], make.NOW)
    assert (kept.created_at, refused) == (make.NOW, ())


def test_folding_drops_accents_and_case_and_keeps_the_ene() -> None:
    assert fold("  MAÑANA  Café\nÜber ") == "mañana cafe uber"
    assert fold("man\u0303ana") == "mañana", "a decomposed ñ is an ñ too"
    assert fold("mañana") != fold("manana")


@pytest.mark.parametrize(
    ("text", "found"),
    [("Un CAFÉ de Lumbre.", True), ("alumbre", False), ("#lumbre", True), ("Cafés", False), ("", False)],
)
def test_terms_match_whole_words(text: str, found: bool) -> None:
    assert mentions_any(text, ("lumbre", "nébula")) is found


def test_no_terms_match_everything() -> None:
    assert mentions_any("lo que sea", ())


def test_storable_text_survives_both_encodings() -> None:
    assert storable("a\ud800b").encode() == b"ab"
