"""Reads what a person writes into the search box, a watch or an alert: text in, the tree of a query out."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from escucha.errors import Invalid
from escucha.query import complaints, fields
from escucha.query.complaints import MOST_TERMS, at
from escucha.query.fields import Given, shown
from escucha.query.names import NAMES
from escucha.query.normal import both, depth, either, terms
from escucha.query.tree import Near, Not, Or, Phrase, Prefix, Query, Within
from escucha.text import fold
from escucha.words import words

LONGEST = 4_000
"""Characters of a query."""
DEEPEST = 20
"""ANDs, ORs and NOTs within each other."""
FARTHEST = 50
"""The n of NEAR/n, ONEAR/n and "…"~n."""
MOST_PAIRS = 100
"""Words of one side of NEAR times words of the other."""
MOST_WITHIN = 10
"""Words of "…"~n."""
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff\ud800-\udfff]")
QUOTES = '"“”„«'
_EDGES = ".,;:!?¡¿…'"
_SIDES = (Phrase, Prefix)


def parse(text: str) -> Query:
    """The query that a text writes, in its normal form (escucha.query.normal).

    Raises:
        Invalid: it cannot be read; the details hold `line` and `column` (from 1), and mostly a `suggestion`.
    """
    if len(text) > LONGEST:
        raise Invalid("The query has {length} characters; {limit} are the most. Shorten it, or make two of it.",
                      length=len(text), limit=LONGEST)
    tokens = _tokens(_UNSEEN.sub(" ", text))
    if not tokens:
        raise Invalid("The query is empty. Write at least one word.", line=1, column=1)
    deepest = _deepest(tokens)
    query = _read(_tree(tokens))
    if depth(query) > DEEPEST:
        raise complaints.too_deep(deepest, DEEPEST)
    if terms(query) > MOST_TERMS:
        raise complaints.too_many(terms(query))
    return query


def fields_of(text: str) -> list[tuple[str, Given]]:
    """The fields that a query asks about: the English name of each, and how it is written."""
    written = [_given(token) for token in _tokens(_UNSEEN.sub(" ", text)) if token.type == "FIELD"]
    return [(NAMES[fold(given.name)], given) for given in written if fold(given.name) in NAMES]


@lru_cache
def _grammar() -> Lark:
    return Lark(Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8"), parser="lalr", lexer="basic")


def _tokens(text: str) -> list[Token]:
    try:
        return list(_grammar().lex(text))
    except UnexpectedCharacters as error:
        raise complaints.stray(text, error) from None


def _deepest(tokens: list[Token]) -> Token:
    """The token that lies deepest. Raises Invalid before anything that is too deep for recursion is read by it."""
    opened, refused, depths = 0, 0, []
    for token in tokens:
        opened += {"LPAR": 1, "RPAR": -1}.get(token.type, 0)
        refused = refused + 1 if token.type == "_NOT" else 0
        depths.append(opened + refused)
    deepest = tokens[depths.index(max(depths))]
    if max(depths) > 3 * DEEPEST:
        raise complaints.too_deep(deepest, DEEPEST)
    return deepest


def _tree(tokens: list[Token]) -> Tree[Token] | Token:
    parser = _grammar().parse_interactive()
    for place, token in enumerate(tokens):
        try:
            parser.feed_token(token)
        except UnexpectedToken:
            raise complaints.misplaced(tokens, place) from None
    try:
        tree: Tree[Token] | Token = parser.feed_token(Token.new_borrow_pos("$END", "", tokens[-1]))
    except UnexpectedToken:
        raise complaints.misplaced(tokens, len(tokens)) from None
    return tree


def _read(node: Tree[Token] | Token) -> Query:
    if isinstance(node, Token):
        return _LEAVES[node.type](node)
    if node.data == "near":
        left, operator, right = node.children
        return _near(_read(left), operator, _read(right))  # type: ignore[arg-type]
    parts = tuple(_read(child) for child in node.children)
    if node.data == "excluded":
        return Not(parts[0])
    return both(parts) if node.data == "both" else either(parts)


def _near(left: Query, operator: Token, right: Query) -> Near:
    name, _, number = operator.upper().partition("/")
    sides = [_side(side, operator) for side in (left, right)]
    if len(sides[0]) * len(sides[1]) > MOST_PAIRS:
        raise Invalid("Line {line}, column {column}: too many words around {operator}: one side times the other may "
                      "be {limit}. Make two of it.", **at(operator), operator=str(operator), limit=MOST_PAIRS)
    return Near(sides[0], sides[1], _distance(number, operator), ordered=name == "ONEAR")


def _side(query: Query, operator: Token) -> tuple[Phrase | Prefix, ...]:
    parts = query.parts if isinstance(query, Or) else (query,)
    found = tuple(part for part in parts if isinstance(part, _SIDES))
    if len(found) < len(parts):
        raise Invalid("Line {line}, column {column}: beside {operator} stands a word, a \"phrase\", a prefix*, or some "
                      "of them in parentheses with OR, like {suggestion}.", **at(operator), operator=str(operator),
                      suggestion=f"(café OR latte) {operator} (frío OR tibio)")
    return found


def _distance(number: str, token: Token) -> int:
    if len(number) > 3 or int(number) > FARTHEST:
        raise Invalid("Line {line}, column {column}: at most {limit} words may lie between. Write {suggestion}.",
                      **at(token), limit=FARTHEST, suggestion=token.replace(number, str(FARTHEST)))
    return int(number)


def _word(token: Token) -> Query:
    word = token.strip(_EDGES) or str(token)
    if re.fullmatch(r"O?NEAR(?:/.*)?|(?i:o?near/.*)", token):
        raise complaints.near_without_number(token)
    if token.endswith(":") and fold(token.rstrip(":")) in NAMES:
        raise fields.missing(token.rstrip(":"), at(token))
    if word.startswith("~"):
        raise complaints.stray_distance(token)
    if word.startswith("@") and words(word):
        starred = word.endswith("*")
        return fields.field(Given("author", word[1:].removesuffix("*"), at(token)), starred)
    if word.startswith(("#", "＃")) and len(found := words(word)) and not found[0].isdigit():
        return fields.hashtag(word, at(token))
    if "*" in word:
        return fields.prefix(word, at(token))
    return _phrase_of(word, token)


def _phrase(token: Token) -> Query:
    text = unquoted(token)
    if found := re.search(r"(\w+)\*", text):
        raise complaints.star_in_phrase(token, found[0])
    return _phrase_of(text, token)


def _phrase_of(text: str, token: Token) -> Phrase:
    found = words(text)
    if not found:
        raise complaints.nothing_searchable(text, token)
    return Phrase(found)


def _within(token: Token) -> Query:
    quoted, _, number = token.rpartition("~")
    found = words(unquoted(quoted))
    if len(found) < 2 or len(set(found)) < len(found) or len(found) > MOST_WITHIN:
        raise Invalid("Line {line}, column {column}: {text} needs 2 to {limit} words in its quotes, all of them "
                      "different, like {suggestion}.", **at(token), text=shown(token), limit=MOST_WITHIN,
                      suggestion='"café frío"~5')
    return Within(found, _distance(number, token))


def _field(token: Token) -> Query:
    return fields.field(_given(token), _value(token).endswith("*"))


def _given(token: Token) -> Given:
    return Given(token.partition(":")[0], unquoted(_value(token).removesuffix("*")), at(token))


def _value(token: Token) -> str:
    name, _, value = token.partition(":")
    return value if fold(name) == "raw" or value[0] in QUOTES else value.rstrip(",;") or value


def unquoted(text: str) -> str:
    """What stands in quotes, or the text itself where there are none."""
    if len(text) < 2 or text[0] not in QUOTES:
        return text
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])


_LEAVES = {"WORD": _word, "PHRASE": _phrase, "WITHIN": _within, "FIELD": _field}
