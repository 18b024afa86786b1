"""Words are cut alike whatever stands around them, and what is kept of them stays small."""

from __future__ import annotations

import random
import re

import pytest

from escucha import words as module
from escucha.text import fold
from escucha.words import LONGEST, hashtags, spaced, words

PLAIN = re.compile(r"\w+|[\u2190-\u2bff\U0001f000-\U0001faff]")
"""What a word is, in a folded text."""
ALPHABETS = (range(32, 127), range(0xA0, 0x500), range(0x2000, 0x3100), range(0x1F000, 0x1FB00), range(0xD800),
             (0x20, 0x20, 0x301, 0x303, 0xA0, 0x3000, 0x200D, 0xFE0F, 0x0A, 0x1C))  # fmt: skip


def texts(n: int, seed: int = 5) -> list[str]:
    dice = random.Random(seed)
    return ["".join(chr(dice.choice(dice.choice(ALPHABETS))) for _ in range(dice.randrange(14))) for _ in range(n)]


def test_a_text_in_any_script_is_cut_as_the_folded_whole_is() -> None:
    for text in texts(20_000):
        assert words(text) == tuple(word[:LONGEST] for word in PLAIN.findall(fold(text))), ascii(text)
        assert spaced(text) == " ".join(words(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("El Café llegó FRÍO", "el cafe llego frio"), ("año, ano", "año ano"), ("wi-fi\n☕☕ ok", "wi fi ☕ ☕ ok"),
        ("¿Qué?\u00a0¡Ya!", "que ya"), ("x" * 250, "x" * 100), ("", ""), ("… — !", ""),
    ],
)  # fmt: skip
def test_case_accents_and_marks_aside(text: str, expected: str) -> None:
    assert spaced(text) == expected


def test_the_second_time_the_words_are_the_same() -> None:
    assert [words(text) for text in texts(500)] == [words(text) for text in texts(500)]


def test_a_hashtag_is_told_once_and_a_number_is_none() -> None:
    assert hashtags("#Café #cafe #1 #año2026") == ("cafe", "año2026")


def test_neither_long_pieces_nor_too_many_are_kept() -> None:
    words("か" * 5_000)
    for number in range(module.KEPT + 1_000):
        words(f"palabra{number}")
    assert len(module._SAID) <= module.KEPT
    assert max(map(len, module._SAID)) <= module.SHORT
