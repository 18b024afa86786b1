"""What people write is read as it is meant, and what cannot be read is said where and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escucha.errors import Invalid
from escucha.query.about import excludes_only, needs, terms_of
from escucha.query.names import NAMES, SPANISH
from escucha.query.normal import normal
from escucha.query.parse import DEEPEST, LONGEST, parse
from escucha.query.tree import And, Compare, Is, Near, Not, Or, Phrase, Prefix, Query, Raw, Within
from escucha.query.written import written
from escucha.words import hashtags, placed, words
from tests.escucha.queries import trees


def word(*several: str) -> Phrase:
    return Phrase(several)


CAFE, FRIO, TE = word("cafe"), word("frio"), word("te")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Café", CAFE),
        ("café frío", And((CAFE, FRIO))),
        ("café\nfrío\r\n\tté", And((CAFE, FRIO, TE))),
        ("café AND frío Y té", And((CAFE, FRIO, TE))),
        ("café OR frío O té", Or((CAFE, FRIO, TE))),
        ("café OR frío té", Or((CAFE, And((FRIO, TE))))),
        ("(café OR frío) té", And((Or((CAFE, FRIO)), TE))),
        ("((café) (frío té))", And((CAFE, FRIO, TE))),
        ("café -frío", And((CAFE, Not(FRIO)))),
        ("café −frío", And((CAFE, Not(FRIO)))),
        ("café NOT frío", And((CAFE, Not(FRIO)))),
        ("café Y NO (frío OR té)", And((CAFE, Not(Or((FRIO, TE)))))),
        ("NOT -café", Not(Not(CAFE))),
        ("café -NO -O", And((CAFE, Not(word("no")), Not(word("o"))))),
        ("café y té o no and or not", And(tuple(word(w) for w in ("cafe", "y", "te", "o", "no", "and", "or", "not")))),
        ('"Café frío"', word("cafe", "frio")),
        ("“Café frío”", word("cafe", "frio")),
        ("«Café frío»", word("cafe", "frio")),
        ('"AND"', word("and")),
        ("wi-fi", word("wi", "fi")),
        ("¿café?", CAFE),
        ("año", word("año")),
        ("café☕", word("cafe", "☕")),
        ("10:30", word("10", "30")),
        ("Cafe*", Prefix("cafe")),
        ("año*,", Prefix("año")),
        ('"café frío"~5', Within(("cafe", "frio"), 5)),
        ("café NEAR/3 frío", Near((CAFE,), (FRIO,), 3)),
        ("café near/0 frío", Near((CAFE,), (FRIO,), 0)),
        ('(café OR té*) ONEAR/50 "muy frío"', None),
        ('(café OR tét*) ONEAR/50 "muy frío"', Near((CAFE, Prefix("tet")), (word("muy", "frio"),), 50, ordered=True)),
        ("NOT té café NEAR/1 frío", And((Not(TE), Near((CAFE,), (FRIO,), 1)))),
        ("té OR café NEAR/1 frío café", Or((TE, And((Near((CAFE,), (FRIO,), 1), CAFE))))),
        ('raw:"C++ \\"ya\\" \\\\ \\n"', Raw('C++ "ya" \\ \\n')),
        ("raw:C++", Raw("C++")),
        ("#Café", Is("hashtag", "cafe")),
        ("#1", word("1")),
        ("@Ana", Is("author", "ana")),
        ("@ana@social.example,", Is("author", "ana@social.example")),
        ("ana@social.example", word("ana", "social", "example")),
        ("autor:@José*", Is("author", "jose", prefix=True)),
        ('author:"Ana López"', Is("author", "ana lopez")),
        ("pai\u0301s:mx; idioma:es, #a", And((Is("country", "mx"), Is("lang", "es"), Is("hashtag", "a")))),
        ("país:México", Is("country", "mexico")),
        ("site:https://www.Example.com/", Is("site", "example.com")),
        ('url:"example.com/a (b)"', Is("url", "example.com/a (b)")),
        ('título:"Café, frío"', Is("title", "cafe frio")),
        ("sentimiento:Negativo", Is("sentiment", "negative")),
        ("tipo:reseña", Is("type", "review")),
        ("etapa:ninguna", Is("stage", "none")),
        ("followers:>3000", Compare("followers", ">", 3000)),
        ("seguidores:≥3k", Compare("followers", ">=", 3000)),
        ("engagement:50", Compare("engagement", "=", 50)),
        ("rating:<=2,5", Compare("rating", "<=", 2.5)),
        ("café <<< (una nota\nde dos líneas) >>> frío<<<>>>", And((CAFE, FRIO))),
        ('"<<<"café', None),
    ],
)
def test_a_query_means_what_it_says(text: str, meant: Query | None) -> None:
    if meant is None:
        with pytest.raises(Invalid):
            parse(text)
    else:
        assert parse(text) == meant


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("", 1, 1, "empty"),
        ("  <<< nada >>> ", 1, 1, "empty"),
        ('café "frío', 1, 6, "quote"),
        ('author:"ana', 1, 8, "quote"),
        ("café\n(frío OR té", 2, 1, "not closed"),
        ("café (frío))", 1, 12, "closes nothing"),
        ("café ()", 1, 7, "nothing in these parentheses"),
        ("café OR", 1, 6, "OR needs a word after it"),
        ("(café Y)", 1, 7, "Y needs a word after it"),
        ("café AND OR té", 1, 6, "AND needs a word after it"),
        ("OR café", 1, 1, "OR needs a word before it"),
        ("NEAR/3 café", 1, 1, "NEAR/3 needs a word before it"),
        ("café NOT", 1, 6, "NOT needs a word after it"),
        ("café <<< nota", 1, 6, "comment"),
        ("ca*", 1, 1, "at least 3 letters"),
        ("*café", 1, 1, "end of a single word"),
        ("wi-fifi*", 1, 1, "end of a single word"),
        ('"caf* frío"', 1, 1, "caf* ONEAR/0 frío"),
        ("té $%", 1, 4, 'raw:"$%"'),
        ('""', 1, 1, "nothing in these quotes"),
        ("café & té", 1, 6, "AND"),
        ("café | té", 1, 6, "OR"),
        ("café - té", 1, 6, "NOT"),
        ("autr:ana", 1, 1, "autor:ana"),
        ("zzzz:ana", 1, 1, '"zzzz ana"'),
        ("https://example.com", 1, 1, 'url:"https://example.com"'),
        ("author: ana", 1, 1, "right after the colon"),
        ("author:@", 1, 1, "right after the colon"),
        ("stage:pur*", 1, 1, "takes no *"),
        ("author:an*", 1, 1, "at least 3 letters"),
        ("followers:many", 1, 1, "followers:>3000"),
        ("followers:>3.000", 1, 1, "followers:>3000"),
        ("sentiment:sad", 1, 1, "positive, neutral, negative"),
        ("type:tweet", 1, 1, "post, comment, review"),
        ("site:example.com/blog", 1, 1, "no site"),
        ("#a-b", 1, 1, "no hashtag"),
        ("café NEAR frío", 1, 6, "NEAR/5"),
        ("café NEAR/2f frío", 1, 6, "ONEAR/2"),
        ("café NEAR/51 frío", 1, 6, "NEAR/50"),
        ("a NEAR/1 b NEAR/1 c", 1, 12, "cannot follow"),
        ("(a b) NEAR/1 c", 1, 7, "beside NEAR/1"),
        ("-a NEAR/1 c", 1, 4, "beside NEAR/1"),
        ('"café"~3', 1, 1, "2 to 10 words"),
        ('"café Cafe"~3', 1, 1, "different"),
        ('"café frío" ~3', 1, 13, "right after a quoted phrase"),
        ('raw:""', 1, 1, "right after the colon"),
    ],
)
def test_what_cannot_be_read_is_pointed_at(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text)
    assert (caught.value.details["line"], caught.value.details["column"]) == (line, column)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["a" * (LONGEST + 1), "(a OR (b " * 11 + ")" * 22, "-" * (DEEPEST + 1) + "a", "-(" * 1_900, "(" * 1_900,
     " ".join(["a"] * 201), '"' + "a " * 201 + '"',
     f"({' OR '.join('abcdefghijk')}) NEAR/2 ({' OR '.join('0123456789')})"],
)
def test_a_query_has_bounds(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)


def test_up_to_its_bounds_a_query_is_read() -> None:
    assert parse("(" * 60 + "a" + ")" * 60) == word("a")
    deep = parse("(a OR (b " * 10 + ")" * 20)
    assert parse(written(deep)) == deep
    assert len(parse(" ".join(["a"] * 200)).parts) == 200  # type: ignore[union-attr]


@pytest.mark.parametrize("alias", SPANISH)
def test_a_spanish_name_is_the_english_one(alias: str) -> None:
    value = {"sentiment": "negative", "type": "review"}.get(SPANISH[alias], "3")
    assert parse(f"{alias.upper()}:{value}") == parse(f"{SPANISH[alias]}:{value}")
    assert NAMES[alias] == SPANISH[alias]


@given(trees)
def test_a_tree_is_written_and_read_again(tree: Query) -> None:
    assert parse(written(tree)) == normal(tree)


@pytest.mark.parametrize(
    "number", ["0", "3000", "3k", "1.234567k", "2,5", "4.1250", "0.000001", "9" * 15, "9" * 15 + "m"],
)
def test_a_number_is_written_and_read_again(number: str) -> None:
    query = parse(f"followers:>{number}")
    assert parse(written(query)) == query


@given(trees)
def test_the_normal_form_is_written_in_one_way(tree: Query) -> None:
    assert written(parse(written(tree))) == written(normal(tree))


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))))
def test_words_are_cut_alike_wherever_they_are_cut(text: str) -> None:
    assert tuple(found for found, _, _ in placed(text)) == words(text)
    assert words(" ".join(words(text))) == words(text)


@pytest.mark.parametrize("text", ["cafés", "cafe\u0301s", "🅒afé ＣＡＦÉ", "año an\u0303o", "™ ﬁn"])
def test_a_word_is_found_where_it_stands(text: str) -> None:
    for found, start, end in placed(text):
        assert words(text[start:end]) == (found,)


def test_a_number_is_no_hashtag() -> None:
    assert hashtags("#1 #2024 #Año #2x") == ("año", "2x")


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("café -té", [CAFE]), ("-(té -café)", [CAFE]), ("(café OR frío) NEAR/2 caf*", [CAFE, FRIO, Prefix("caf")]),
        ('"café frío"~2 café', [CAFE, FRIO]), ('raw:"Té frío" #café lang:es', [word("te", "frio"), CAFE]),
    ],
)
def test_what_is_meant_is_marked_and_what_is_left_out_is_not(text: str, marked: list[Query]) -> None:
    assert list(terms_of(parse(text))) == marked


@pytest.mark.parametrize(
    ("text", "only"),
    [("café", False), ("-café", True), ("-café -té", True), ("-café té", False), ("-café OR té", True),
     ("-(café -té)", True), ("-(café OR -té)", False), ("-(-café)", False), ("lang:es", False)],
)
def test_a_query_that_only_leaves_out_is_known(text: str, only: bool) -> None:
    assert excludes_only(parse(text)) is only


def test_the_fields_that_a_query_needs_are_known() -> None:
    assert needs(parse("café -stage:purchase (followers:>3 OR @ana)")) == {"stage", "followers", "author"}
    assert needs(parse('raw:"C++" caf*')) == set()


@given(st.text(max_size=60) | st.text('()"-*~:#@<>/ ANDORYNEaeé\\"', max_size=60))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    try:
        query = parse(text)
    except Invalid as refused:
        error = refused
    else:
        assert parse(written(query)) == query
        return
    assert error.details["column"] >= 1
    assert "{column}" not in str(error)
