"""The reading in memory: what a query means of a mention."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escucha.enrichment import TaggedMention
from escucha.mention import Author, Engagement
from escucha.query.match import matcher, matches, matches_mention
from escucha.query.parse import parse
from escucha.query.reading import Reading
from escucha.query.tree import And, Near, Not, Or, Phrase, Prefix, Query, Within
from escucha.query.written import written
from tests.escucha.queries import items, tagged, trees
from tests.make import mention

TEXT = "El CAFÉ de olla llegó frío; el wi-fi (C++) no. ¡Qué año! 100% #MalServicio ☕"
ITEM = tagged(
    mention(
        text=TEXT, title="Reseña del café", url="https://ana@Blog.Example.com:443/post/1?q=á", lang="en",
        place="México", kind="review", rating=2.0, author=Author(id="77", handle="@Ana_G", followers=3200),
        engagement=Engagement(likes=40, shares=10),
    ),
    sentiment="negative", stage="purchase", lang="es-mx",
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("cafe", True), ("caf", False), ("caf*", True), ("ano", False), ("AÑO", True), ("resena", False),
        ("reseña", True), ("☕", True), ("wi-fi", True), ("fi-wi", False),
        ('"de olla"', True), ('"olla de"', False), ('"café el café"', True),
        ("café té", False), ("café OR té", True), ("café -té", True), ("-café", False),
        ("café NEAR/3 frío", True), ("café NEAR/2 frío", False), ("frío NEAR/3 café", True),
        ("frío ONEAR/3 café", False), ("café ONEAR/3 frío", True), ("café ONEAR/0 café", False),
        ("caf* ONEAR/1 caf*", True), ("café NEAR/0 café", True),
        ('"frío café"~3', True), ('"frío café"~2', False), ('"frío wi café"~5', True), ('"frío té"~50', False),
        ('raw:"CAFÉ"', True), ('raw:"CAFE"', False), ("raw:C++", True), ("raw:C+", True), ("raw:c++", False),
        ('raw:"100%"', True), ('raw:"llegó fr"', False),
        ("#malservicio", True), ("#mal", False), ("#café", False),
        ("@ana_g", True), ("author:77", True), ("author:ana", False), ("author:ana*", True),
        ("site:example.com", True), ("site:blog.example.com", True), ("site:ample.com", False), ("site:com", True),
        ('url:"example.com:443/post"', True), ("url:q=a", True), ("url:otra", False),
        ("lang:es", True), ("lang:es-mx", True), ("lang:en", False),
        ("country:mexico", True), ("country:mx", True), ("país:Brasil", False),
        ("source:mastodon", True), ("source:rss", False), ("type:review", True), ("type:post", False),
        ("title:café", True), ("title:frío", False), ('title:"del café"', True), ('title:"café del"', False),
        ("sentiment:negativo", True), ("sentiment:positive", False), ("stage:purchase", True), ("pain:none", True),
        ("touchpoint:delivery", False), ("tag:purchase", True), ("tag:negative", True), ("tag:es", False),
        ("brand:lumbre", True), ("brand:otra", False),
        ("followers:>3000", True), ("followers:3200", True), ("followers:<3200", False), ("engagement:>=50", True),
        ("engagement:>50", False), ("rating:<=2", True), ("rating:>2", False),
    ],
)
def test_a_mention_is_meant_or_not(text: str, meant: bool) -> None:
    assert matches(parse(text), ITEM) is meant


@pytest.mark.parametrize("field", ["followers:>=0", "followers:<0", "engagement:>=0", "rating:>=0", "@ana", "site:com"])
def test_what_is_unknown_has_no_value(field: str) -> None:
    bare = replace(mention(), author=None, engagement=Engagement(), url=None)
    assert not matches_mention(parse(field), bare, "lumbre")


@pytest.mark.parametrize("field", ["sentiment:negative", "stage:none", "pain:none", "touchpoint:none", "tag:none"])
def test_before_it_is_tagged_a_mention_has_no_labels(field: str) -> None:
    assert not matches_mention(parse(field), ITEM.mention, "lumbre")


def test_before_it_is_tagged_a_mention_has_the_language_its_source_declares() -> None:
    assert matches_mention(parse("lang:en brand:lumbre café"), ITEM.mention, "lumbre")


def test_and_of_nothing_is_everything_and_or_of_nothing_is_nothing() -> None:
    assert matches(And(()), ITEM)
    assert not matches(Or(()), ITEM)


@given(trees, trees, items.map(Reading.of))
def test_the_laws_of_logic_hold(one: Query, two: Query, reading: Reading) -> None:
    def meant(query: Query) -> bool:
        return matcher(query)(reading)

    assert meant(Not(Not(one))) == meant(one)
    assert meant(Not(And((one, two)))) == meant(Or((Not(one), Not(two))))
    assert meant(Not(Or((one, two)))) == meant(And((Not(one), Not(two))))
    assert meant(And((one, two))) == (meant(one) and meant(two))


@given(trees.filter(lambda tree: "raw:" not in written(tree)), items)
def test_case_and_accents_change_nothing_but_what_is_raw(tree: Query, item: TaggedMention) -> None:
    louder = replace(item.mention, text=item.mention.text.replace("é", "e").upper())
    assert matches(tree, replace(item, mention=louder)) == matches(tree, item)


@given(st.sampled_from(["año", "años", "ñ", "niño"]))
def test_enye_is_no_n(said: str) -> None:
    without = said.replace("ñ", "n")
    assert matches(parse(said), tagged(mention(text=said.upper())))
    assert not matches(parse(said), tagged(mention(text=without)))
    assert not matches(parse(without), tagged(mention(text=said)))


Side = tuple[Phrase, ...]
letters = st.lists(st.sampled_from("abc"), max_size=12)
two_sides = st.lists(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=2).map(lambda found: Phrase(tuple(found))), min_size=1,
    max_size=2,
).map(tuple)


@given(two_sides, two_sides, st.integers(0, 4), st.booleans(), letters)
def test_near_counts_the_words_between(left: Side, right: Side, most: int, ordered: bool, said: list[str]) -> None:
    def spans(side: Side) -> list[tuple[int, int]]:
        return [
            (start, start + len(one.words)) for one in side for start in range(len(said))
            if tuple(said[start : start + len(one.words)]) == one.words
        ]

    def fits(first: tuple[int, int], second: tuple[int, int]) -> bool:
        if ordered:
            return 0 <= second[0] - first[1] <= most
        first, second = sorted((first, second))
        return second[0] - first[1] <= most

    expected = any(fits(one, two) for one in spans(left) for two in spans(right))
    item = tagged(mention(text=" ".join(said)))
    assert matches(Near(left, right, most, ordered), item) == expected


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=3, unique=True), st.integers(0, 4), letters)
def test_within_asks_for_one_stretch_that_holds_them_all(several: list[str], most: int, said: list[str]) -> None:
    length = len(several) + most
    expected = any(set(several) <= set(said[start : start + length]) for start in range(len(said)))
    assert matches(Within(tuple(several), most), tagged(mention(text=" ".join(said)))) == expected


@given(st.sampled_from(["a", "ab", "abc", "abd", "b"]), st.lists(st.sampled_from(["ab", "abcd", "b", "ab_", "añ"])))
def test_a_prefix_is_the_beginning_of_a_word(stem: str, said: list[str]) -> None:
    expected = any(word.startswith(stem) for word in said)
    assert matches(Prefix(stem), tagged(mention(text=" ".join(said)))) == expected


def test_a_long_text_of_one_word_is_read_at_once() -> None:
    said = tagged(mention(text="café frío " * 10_000))
    assert not matches(parse("(café OR frío) ONEAR/50 (té OR taza*)"), said)
    assert matches(parse("(café OR frío) NEAR/50 frío"), said)


