"""What a query means, its translation finds: at every source that searches, read as that source's documents say."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import collectors
from collectors.translate import Abilities
from escucha.errors import Invalid
from escucha.mention import Mention
from escucha.plugins import load
from escucha.query.match import matches_mention
from escucha.query.normal import normal
from escucha.query.parse import parse
from escucha.query.tree import And, Compare, Is, Not, Or, Phrase, Query
from escucha.query.written import written
from escucha.source import Searches
from escucha.words import words
from tests.collectors.fakes.reads import Test, grouped, nested, one_piece, plain
from tests.conftest import ROOT
from tests.escucha.queries import SAID, field, mentions, near, phrase, prefix, raw, within

READS: Mapping[str, tuple[str, Callable[[str], Test]]] = {
    "bluesky": ("{}", plain), "discourse": ("{}@foro.example", plain), "gdelt": ("{}", grouped("OR")),
    "github": ("{}", plain), "google-news": ("{} @mx", grouped("OR")), "hackernews": ("{}", plain),
    "lemmy": ("{}@lemmy.example", one_piece), "mastodon": ("{}@mastodon.example", plain),
    "reddit": ("r/mexico: {}", nested), "stackexchange": ("cooking: {}", plain), "threads": ("{}", plain),
    "x": ("{}", nested), "youtube": ("{}", grouped("|")),
}
"""How a watch of each source is written around its query, and how its search reads."""
SOURCES = sorted(READS)
said_words = st.one_of(phrase, prefix, within, near, raw)
trees = st.recursive(
    said_words | field,
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda parts: And(tuple(parts)))
    | st.lists(inner, min_size=1, max_size=3).map(lambda parts: Or(tuple(parts))) | inner.map(Not),
    max_leaves=6,
)


def test_every_source_that_searches_is_held_against_its_own_way_of_reading() -> None:
    assert {name for name in collectors.source_names() if isinstance(kind(name), Searches)} == set(SOURCES)
    assert {facts.name for facts in collectors.known() if facts.searches} == set(SOURCES)


def test_alternatives_of_alternatives_take_no_time() -> None:
    langs = " OR ".join(f"lang:{one}a" for one in "abcdefghij")
    many = " OR ".join(f"palabra{number}" for number in range(10))
    began = time.perf_counter()
    for source in SOURCES:
        for query in (" ".join([f"({langs})"] * 6 + [f"({many})"]), " ".join([f"({many})"] * 12 + ["lumbre"]),
                      " OR ".join(f"(lumbre{n} ({many}))" for n in range(8))):
            with suppress(Invalid):
                collectors.asking(source, READS[source][0].format(query))
    assert time.perf_counter() - began < 10


def test_the_page_of_the_language_tells_of_each_of_them_and_its_example_is_asked_so() -> None:
    page = (ROOT / "docs" / "query-language.md").read_text("utf-8").split("## In a watch")[1].split("\n## ")[0]
    assert re.findall(r"^\| \[(\S+)\]\(sources/\1\.md\) \|", page, re.MULTILINE) == SOURCES
    (example,) = re.findall(r"```query\n(.*)\n```", page)
    for source in ("x", "bluesky"):
        asking = collectors.asking(source, example)
        assert asking is not None
        assert all(f"`{search}`" in page for search in asking.searches)
    for source in SOURCES:
        can = kind(source).abilities
        row = next(line for line in page.splitlines() if line.startswith(f"| [{source}]"))
        assert (f"up to {can.most} searches" in row) == (can.any_of == "searches")
        assert can.longest == Abilities().longest or f"{can.longest} characters" in row
        assert can.least == 1 or f"of {can.least} letters" in row
        assert can.excludes == ("left out" in row.split("|")[2])


def kind(source: str) -> Any:
    return load(collectors.GROUP, collectors.SOURCES, source)


def usable(source: str, query: Query) -> Query:
    """The query without the leaves that no watch of the source may have: another one in their place."""
    can = kind(source).abilities
    told = {"author", "type", "source", "hashtag"} | can.tells - {"country"}
    return replaced(query, lambda leaf: isinstance(leaf, Is | Compare) and leaf.field not in told)


def replaced(query: Query, bad: Callable[[Query], bool]) -> Query:
    match query:
        case And(parts) | Or(parts):
            return type(query)(tuple(replaced(part, bad) for part in parts))
        case Not(part):
            return Not(replaced(part, bad))
    return Is("hashtag", "cafe") if bad(query) else query


@pytest.mark.parametrize("source", SOURCES)
def test_what_a_query_means_is_found_by_what_is_asked(source: str) -> None:
    around, read = READS[source]
    meant = asked = 0

    @settings(max_examples=40, database=None)
    @given(trees, trees, mentions, st.lists(st.sampled_from(SAID), min_size=3, max_size=6))
    def holds(tree: Query, other: Query, said: Mention, says: list[str]) -> None:
        nonlocal meant, asked
        said = replace(said, title=" ".join(says), text=said.text)
        tree, other, anchor = usable(source, tree), usable(source, other), Phrase(words(says[0]) or ("cafe",))
        several = Or((anchor, other)), Or((other, tree))
        for query in (tree, And((anchor, tree)), And((anchor, Not(tree))), And(several),
                      And((parse("café OR frío OR año OR rico"), Or((Not(tree), other))))):
            text = written(normal(query))
            try:
                asking = collectors.asking(source, around.format(text))
            except Invalid:
                continue
            asked += asking is not None
            if asking is None or not matches_mention(parse(text), said, "lumbre"):
                continue
            meant += 1
            start, _, end = around.partition("{}")
            found = [read(search.removeprefix(start).removesuffix(end))(said) for search in asking.searches]
            assert any(found), (text, asking.searches, said)

    holds()
    assert asked > 15, "hardly any query can be asked"
    assert meant > 5, "hardly any mention was meant"


@pytest.mark.parametrize(
    ("source", "text", "searches"),
    [
        ("x", '("cafés lumbre" OR #lumbre) lang:es -receta -(a OR "b c")',
         ['("cafés lumbre" OR lumbre) lang:es -receta -a -"b c"']),
        ("x", "author:ana OR (lumbre seguidores:>3k)", ["from:ana OR lumbre"]),
        ("x", "café NEAR/3 (frío OR tibio) hel*", ["café (frío OR tibio)"]),
        ("x", "lumbre (-a OR b)", ["lumbre"]),
        ("x", 'lumbre "not" "de not a"', ['lumbre "de not a"']),
        ("reddit", "r/mexico: (café té) OR -azúcar lumbre", ["r/mexico: (café té) OR lumbre"]),
        ("youtube", '"cafés lumbre" (té OR "café frío") -receta', ['"cafés lumbre" té|"café frío"']),
        ("youtube", "(a b) OR c", ["a|c b|c"]),
        ("gdelt", '"cafés lumbre" país:México idioma:es -receta', ['"cafés lumbre" country:mx lang:es']),
        ("gdelt", "lumbre OR (brasa country:MX)", ["(lumbre OR brasa)"]),
        ("google-news", "lumbre (café OR té) -receta @es", ["lumbre café OR té -receta @es"]),
        ("hackernews", "lumbre (café OR té)", ["lumbre café", "lumbre té"]),
        ("hackernews", "lumbre OR (lumbre café)", ["lumbre"]),
        ("hackernews", "lumbre (a OR b OR c OR d OR e OR f)", ["lumbre"]),
        ("bluesky", "(café lang:es) OR (té lang:pt-BR)", ["café lang:es", "té lang:pt"]),
        ("bluesky", 'raw:"C++" ☕ lumbre', ["c lumbre"]),
        ("mastodon", '"cafés lumbre" -receta@mastodon.example', ['"cafés lumbre"@mastodon.example']),
        ("lemmy", "cafés lumbre hel*@lemmy.example", ["lumbre@lemmy.example"]),
        ("lemmy", '"café de olla" OR hel*@lemmy.example',
         ["café de olla@lemmy.example", "cafe de olla@lemmy.example", "hel@lemmy.example"]),
        ("stackexchange", 'cooking: "olla rota" OR brasa', ["cooking: olla rota", "cooking: brasa"]),
        ("discourse", 'té "lumbre rota"@foro.example', ["lumbre rota@foro.example"]),
        ("threads", '"cafés lumbre" OR #brasa', ["cafés lumbre", "brasa"]),
        ("github", 'lumbre "no abre"', ['lumbre "no abre"']),
    ],
)  # fmt: skip
def test_a_query_is_asked_as_closely_as_the_source_allows(source: str, text: str, searches: list[str]) -> None:
    asking = collectors.asking(source, text)
    assert asking is not None
    assert list(asking.searches) == searches


def test_words_are_asked_as_they_are_written_where_accents_may_count_and_both_ways_where_they_do() -> None:
    for source, text, searches in [
        ("mastodon", "(café OR CAFE OR Cafè)@mastodon.example", ["café", "cafe", "cafè"]),
        ("lemmy", "año@lemmy.example", ["año"]), ("lemmy", "Canción@lemmy.example", ["canción", "cancion"]),
        ("lemmy", "canció*@lemmy.example", ["canció", "cancio"]),
        ("lemmy", '"café sofá ratón"@lemmy.example', ["café", "cafe"]),
        ("hackernews", "café OR cafe", ["café"]),
    ]:
        asking = collectors.asking(source, text)
        assert asking is not None
        assert [search.partition("@")[0] for search in asking.searches] == searches


@pytest.mark.parametrize(
    ("source", "text", "said"),
    [
        ("hackernews", "caf*", "cannot be asked for caf*"),
        ("x", "lumbre OR caf*", "cannot be asked for caf*"),
        ("x", "lang:es", "cannot be asked for lang:es"),
        ("discourse", "té@foro.example", "(≥ 3)"),
        ("hackernews", "a OR b OR c OR d OR e OR f", "would take 6, and 5 are the most"),
        ("x", " OR ".join(f"palabra{number}" for number in range(60)), "takes 498 characters at most"),
        ("github", f'"{"palabra " * 25}"', "takes 150 characters at most"),
        ("gdelt", "lumbre caf*", "cannot be checked here"),
        ("gdelt", "lumbre country:FR", "country fr is not known here"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_to_change(source: str, text: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        collectors.asking(source, text)
    assert said in str(caught.value)


def test_a_query_that_is_too_long_is_asked_without_what_can_be_missed() -> None:
    long = " OR ".join(f"palabra{number}" for number in range(60))
    for source, text, asked in [("x", f"lumbre ({long})", "lumbre"), ("youtube", f"lumbre ({long})", "lumbre")]:
        asking = collectors.asking(source, text)
        assert asking is not None
        assert asking.searches == (asked,)
