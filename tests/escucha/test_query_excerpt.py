"""A part of a text tells of a query only what the whole cannot gainsay."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from escucha.mention import Mention
from escucha.query.excerpt import EVERYTHING, told_by_excerpt
from escucha.query.match import matches_mention
from escucha.query.parse import parse
from escucha.query.tree import Query
from escucha.query.written import written
from tests.escucha.queries import mentions, text, trees


@given(trees, mentions, text)
def test_what_the_whole_is_meant_for_no_part_of_it_fails(query: Query, said: Mention, rest: str) -> None:
    whole = replace(said, text=f"{said.text} {rest}")
    if matches_mention(query, whole, "lumbre"):
        assert matches_mention(told_by_excerpt(query), said, "lumbre")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("lumbre -receta", "NOT receta"), ("lumbre lang:es", "lang:es"), ("-(café té) lumbre", "NOT (cafe AND te)"),
        ("title:lumbre café", "title:lumbre"), ("(lumbre lang:es) OR (brasa lang:pt)", "lang:es OR lang:pt"),
        ("lumbre -(-café) -té", "NOT te"),
    ],
)
def test_words_that_are_wanted_are_not_asked_of_a_part(query: str, told: str) -> None:
    assert written(told_by_excerpt(parse(query))) == told


@pytest.mark.parametrize("query", ["lumbre", "lumbre OR lang:es", 'raw:"C++" #café hel*', "-(-café)"])
def test_of_some_queries_a_part_tells_nothing(query: str) -> None:
    assert told_by_excerpt(parse(query)) == EVERYTHING
