"""Copies are known for copies whatever was done to them, and two things said are not taken for one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.likeness import BANDS, compared, groups, likeness, shingles, sign

SAID = "El café de Lumbre llegó frío y la repartidora tardó casi dos horas, no vuelvo a pedir"
OTHER = "Abren otra sucursal de Lumbre en el centro y todavía no encuentro dónde estacionarme por la tarde"


def near(one: str, other: str) -> bool:
    """As the pipeline finds it: a band in common, and enough shingles."""
    first, second = sign([one, other])
    found = groups([], [(1, 2)] if set(first.bands) & set(second.bands) else [], {1: one, 2: other}, {})
    return found == [{1, 2}]


@pytest.mark.parametrize("copy", [
    SAID.upper(),
    f"RT @cafeteria: {SAID}",
    f"rt @cafeteria@social.invalid {SAID}",
    f"{SAID} https://t.invalid/Ab3?x=1",
    f"{SAID} bit.ly/3xyz",
    f"{SAID} 😡😡👎🏽",
    f"“{SAID}”…",
    SAID.replace("é", "e").replace("í", "i").replace("ó", "o"),
    SAID.replace("é", "e\u0301"),
    SAID.replace("café", "ca\u200bfé"),
    f"@ana @luis {SAID}",
])  # fmt: skip
def test_an_exact_copy_has_the_same_hash_whatever_is_around_it(copy: str) -> None:
    one, other = sign([SAID, copy])
    assert one == other


@pytest.mark.parametrize("copy", [
    SAID.replace("frío", "helado"),
    SAID.rsplit(" ", 4)[0] + "…",
    f"{SAID} #lumbre #cafe #queja",
    f"Atención: {SAID}",
])  # fmt: skip
def test_a_near_copy_is_near_and_not_the_same(copy: str) -> None:
    assert sign([SAID])[0].same != sign([copy])[0].same
    assert near(SAID, copy)


def test_another_thing_said_of_the_same_is_no_copy() -> None:
    assert not near(SAID, OTHER)
    assert sign([SAID])[0].same != sign([OTHER])[0].same


def test_what_everybody_says_in_two_words_is_nobodys_copy() -> None:
    short = ["gracias", "Muchas gracias", "@lumbre ok 👍 https://x.invalid", "", "🙂"]
    assert [signature.same for signature in sign(short)] == [""] * 5
    assert sign(["muchas gracias lumbre"])[0].same


def test_a_short_text_has_only_exact_copies() -> None:
    short = sign(["El café llegó muy frío"])[0]
    assert short.same
    assert short.bands == ()
    assert not shingles("El café llegó muy frío")


def test_an_address_or_a_name_hides_no_word_beside_it() -> None:
    assert compared("Soporte/ventas 24/7 en @lumbre.mx: art @ana, ana@lumbre.invalid") == [
        "soporte", "ventas", "24", "7", "en", "art", "ana", "lumbre", "invalid"
    ]


def test_signatures_stand_still() -> None:
    """They are kept in databases: a change of them needs another version, or all are to be compared anew."""
    (signature,) = sign([SAID])
    assert signature.same == "46e2a3d60d5dc0685caa3e152364cc0b"
    assert signature.bands[:2] == (9531162130853297, 273658833957970676)
    assert len(signature.bands) == BANDS


def test_a_signature_does_not_depend_on_the_others_of_its_batch() -> None:
    texts = [f"{SAID} número {i} {'y más ' * (i % 7)}" for i in range(1200)] + ["ok", "", SAID]
    together = sign(texts)
    assert [sign([text])[0] for text in texts[::97]] == together[::97]


def test_groups_join_what_clusters_and_pairs_join() -> None:
    texts = {1: SAID, 2: SAID + " hoy", 3: OTHER, 4: OTHER + " hoy", 5: "sin nada que ver con lo demás de aquí"}
    found = groups([(3, 9)], [(1, 2), (1, 3), (3, 4), (4, 5)], texts, {2: 7, 3: 8})
    assert sorted(map(sorted, found)) == [[1, 7], [4, 8, 9]]


@given(st.lists(st.text(max_size=80), max_size=12))
@settings(max_examples=200, deadline=None)
def test_any_text_has_a_signature(texts: list[str]) -> None:
    signed = sign(texts)
    assert len(signed) == len(texts)
    assert all(len(s.same) in (0, 32) and len(s.bands) in (0, BANDS) for s in signed)
    assert all(0 <= band < 1 << 60 for s in signed for band in s.bands)


@given(st.text(alphabet="aáñb c", max_size=60), st.text(alphabet="aáñb c", max_size=60))
@settings(max_examples=200, deadline=None)
def test_likeness_is_even_and_of_itself_one(one: str, other: str) -> None:
    first, second = shingles(one), shingles(other)
    assert likeness(first, second) == likeness(second, first)
    assert likeness(first, first) == (1.0 if first else 0.0)


@pytest.mark.parametrize("text", ["a." * 50_000 + "/", "@" * 100_000, "a-" * 50_000 + "/@", "rt " * 33_000 + "@",
                                  "http://" * 14_000, "á" * 100_000])
def test_a_hostile_text_costs_what_its_length_costs(text: str) -> None:
    began = time.process_time()
    sign([text])
    assert time.process_time() - began < 2
