"""What is wrong with a query that cannot be read: where, why, and what to write instead."""

from __future__ import annotations

from collections.abc import Sequence

from lark import Token
from lark.exceptions import UnexpectedCharacters

from escucha.errors import Invalid
from escucha.query.fields import Place, shown

MOST_TERMS = 200
"""Words and fields of a query."""
JOINING = ("_AND", "_OR", "NEAR")
MEANT = {"&": "AND", "&&": "AND", "+": "AND", "|": "OR", "||": "OR", "!": "NOT", "-": "NOT", "−": "NOT"}
"""What other languages write for our operators."""


def at(token: Token) -> Place:
    """Where a token stands."""
    return {"line": token.line or 1, "column": token.column or 1}


def stray(text: str, error: UnexpectedCharacters) -> Invalid:
    """A sign that begins nothing: quotes and comments that do not end."""
    place: Place = {"line": error.line, "column": error.column}
    if text.startswith("<<<", error.pos_in_stream or 0):
        return Invalid("Line {line}, column {column}: this comment does not end. Write >>> after it.", **place)
    return Invalid("Line {line}, column {column}: this quote has no other end. Close the phrase with a \", or remove "
                   "the quote.", **place)


def misplaced(tokens: Sequence[Token], place: int) -> Invalid:
    """The token at this place (the end, where there is none) cannot stand there."""
    before = tokens[place - 1] if place else None
    token = tokens[place] if place < len(tokens) else None
    if token is not None and token.type == "RPAR" and _opened(tokens[:place]) is None:
        return Invalid("Line {line}, column {column}: this ) closes nothing. Remove it, or open a ( before.",
                       **at(token))
    if before is not None and before.type in (*JOINING, "_NOT"):
        return Invalid("Line {line}, column {column}: {operator} needs a word after it. To search for the word itself, "
                       "write {suggestion}.", **at(before), operator=str(before), suggestion=f'"{before}"')
    if token is None:
        opened = _opened(tokens)
        return Invalid("Line {line}, column {column}: this ( is not closed. Write a ) where the group ends.",
                       **at(opened or tokens[-1]))
    if token.type == "RPAR":
        return Invalid("Line {line}, column {column}: there is nothing in these parentheses. Write a word in them, or "
                       "remove them.", **at(token))
    if token.type == "NEAR" and before is not None and before.type != "LPAR":
        return Invalid("Line {line}, column {column}: {operator} cannot follow another one. For three words write "
                       "{suggestion}, or put two pairs together with AND.", **at(token), operator=str(token),
                       suggestion='"uno dos tres"~5')
    return Invalid("Line {line}, column {column}: {operator} needs a word before it. To search for the word itself, "
                   "write {suggestion}.", **at(token), operator=str(token), suggestion=f'"{token}"')


def too_deep(token: Token, most: int) -> Invalid:
    """Groups in groups in groups."""
    return Invalid("Line {line}, column {column}: more than {limit} groups lie within each other here. Make the query "
                   "flatter, or two of it.", **at(token), limit=most)


def too_many(terms: int) -> Invalid:
    """More words than a query may have."""
    return Invalid("The query has {terms} words and fields; {limit} are the most. Make two of it.", terms=terms,
                   limit=MOST_TERMS)


def near_without_number(token: Token) -> Invalid:
    """NEAR, NEAR/, NEAR/2f."""
    name = "ONEAR" if token.upper().startswith("ONEAR") or token.lower().endswith("f") else "NEAR"
    number = "".join(sign for sign in token if sign in "0123456789")[:2] or "5"
    return Invalid("Line {line}, column {column}: {operator} needs the number of words that may lie between: "
                   "{suggestion}.", **at(token), operator=shown(token), suggestion=f"{name}/{number}")


def stray_distance(token: Token) -> Invalid:
    """A ~ that does not follow a quote at once, or without its number."""
    return Invalid("Line {line}, column {column}: ~ and a number stand right after a quoted phrase, like {suggestion}.",
                   **at(token), suggestion='"café frío"~5')


def star_in_phrase(token: Token, word: str) -> Invalid:
    """`"caf* frío"`."""
    return Invalid("Line {line}, column {column}: a * means nothing in quotes. Write {suggestion} for words that "
                   "follow each other.", **at(token), suggestion=f"{word} ONEAR/0 frío")


def nothing_searchable(text: str, token: Token) -> Invalid:
    """Signs without a letter or digit."""
    if operator := MEANT.get(text):
        return Invalid("Line {line}, column {column}: {text} is not read by itself. Did you mean {suggestion}?",
                       **at(token), text=shown(text), suggestion=operator)
    if not text.strip():
        return Invalid("Line {line}, column {column}: there is nothing in these quotes. Write a word in them, or "
                       "remove them.", **at(token))
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return Invalid("Line {line}, column {column}: there is no word in {text}. Write {suggestion} to search for the "
                   "signs themselves.", **at(token), text=shown(text), suggestion=f'raw:"{escaped}"')


def _opened(tokens: Sequence[Token]) -> Token | None:
    """The last parenthesis that is not closed."""
    closed = 0
    for token in reversed(tokens):
        if token.type == "RPAR":
            closed += 1
        elif token.type == "LPAR":
            if not closed:
                return token
            closed -= 1
    return None
