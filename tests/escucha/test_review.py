"""Stars contradict a text only where both speak clearly."""

from __future__ import annotations

import pytest

from escucha.review import contradicts


@pytest.mark.parametrize(("rating", "sentiment"), [(1, "positive"), (2, "positive"), (4, "negative"), (5, "negative")])
def test_stars_against_the_text_are_noticed(rating: float, sentiment: str) -> None:
    assert contradicts(rating, sentiment)


@pytest.mark.parametrize(
    ("rating", "sentiment"),
    [(2, "negative"), (3, "positive"), (3, "negative"), (2.5, "positive"), (5, "neutral"), (1, "neutral"),
     (None, "negative"), (5, None)],
)  # fmt: skip
def test_stars_that_agree_or_say_little_are_not(rating: float | None, sentiment: str | None) -> None:
    assert not contradicts(rating, sentiment)
