"""Reads the fields of a query: what `followers:>3000`, `#café` or `autor:ana` ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import TypedDict

from escucha.errors import Invalid
from escucha.query.names import EXAMPLES, FIELDS, NAMES, NONE_IN_SPANISH, NUMBER_FIELDS, SENTIMENT_NAMES, TYPE_NAMES
from escucha.query.tree import Compare, Comparison, Is, NumberField, Prefix, Query, Raw
from escucha.text import fold
from escucha.words import hashtags, words

SHORTEST = 3
"""Letters before a *."""
LONG = 60
"""Characters that a message repeats."""
THOUSAND = 3
"""Digits after a sign for thousands."""
_COMPARED = re.compile(r"(>=|<=|≥|≤|=|>|<|)\s*([0-9]{1,15})(?:[.,]([0-9]{1,6}))?([km]?)", re.IGNORECASE)
_LARGEST = Decimal(10**15 - 1)
"""No count is larger."""
_SIGNS: Mapping[str, Comparison] = {
    "": "=", "=": "=", ">": ">", ">=": ">=", "≥": ">=", "<": "<", "<=": "<=", "≤": "<="
}
_TIMES = {"": 1, "k": 1_000, "m": 1_000_000}
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:www\.)?([^/?#@:\s]+)/?")


class Place(TypedDict):
    """Where in the query something stands, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Given:
    """A field as it is written: its name, its value, and where it stands."""

    name: str
    value: str
    at: Place


def shown(text: str) -> str:
    """A piece of a query as a message repeats it: its beginning, where it is long."""
    return text if len(text) <= LONG else f"{text[:LONG]}…"


def field(given: Given, starred: bool) -> Query:
    """What a field with a value asks for. `starred`: a * stood after it. Raises Invalid."""
    known = NAMES.get(fold(given.name))
    if known is None:
        raise _unknown(given)
    if known == "raw":
        return raw(given.value + "*" * starred, given.at)
    if not fold(given.value):
        raise missing(given.name, given.at)
    if starred and known != "author":
        raise _no_star(given)
    if starred and len(_author(given)) < SHORTEST:
        raise too_short(f"{given.value}*", given.at)
    if known in NUMBER_FIELDS:
        return _compared(known, given)
    return Is(known, READ.get(known, _folded)(given), starred)  # type: ignore[arg-type]


def raw(value: str, at: Place) -> Raw:
    """Characters as they are. Raises Invalid where there are none."""
    if not value.strip():
        raise missing("raw", at)
    return Raw(value)


def hashtag(text: str, at: Place) -> Is:
    """`#tag`. Raises Invalid for what is no hashtag."""
    sign = text if text.startswith(("#", "＃")) else f"#{text}"
    found = hashtags(sign)
    if len(found) != 1 or not re.fullmatch(r"[#＃]\w+", fold(sign)):
        raise Invalid(
            "Line {line}, column {column}: {text} is no hashtag: one has letters, digits and _ only. "
            "Put it in quotes to search for its words.", **at, text=shown(text),
        )
    return Is("hashtag", found[0])


def missing(name: str, at: Place) -> Invalid:
    """A field without a value."""
    known = NAMES[fold(name)]
    return Invalid("Line {line}, column {column}: {name} needs a value right after the colon, like {suggestion}.",
                   **at, name=f"{name}:", suggestion=f"{name}:{EXAMPLES[known]}")


def too_short(word: str, at: Place) -> Invalid:
    """A * after too few letters."""
    return Invalid("Line {line}, column {column}: a * needs at least {least} letters before it. Write more of {word}, "
                   "or raw:\"…\" for the sign itself.", **at, least=SHORTEST, word=shown(word))


def prefix(word: str, at: Place) -> Prefix:
    """`caf*`. Raises Invalid for a * that stands elsewhere, or after too little."""
    stem = words(word[:-1])
    if "*" in word[:-1] or not word.endswith("*") or len(stem) > 1:
        raise Invalid("Line {line}, column {column}: in {word} the * is not at the end of a single word. "
                      "Write it like {suggestion}.", **at, word=shown(word), suggestion="caf*")
    if not stem or len(stem[0]) < SHORTEST:
        raise too_short(word, at)
    return Prefix(stem[0])


def _unknown(given: Given) -> Invalid:
    if given.value.startswith("//"):
        return Invalid("Line {line}, column {column}: to search for an address, write {suggestion}.", **given.at,
                       suggestion=f'url:"{given.name}:{given.value}"')
    if near := get_close_matches(fold(given.name), NAMES, 1, 0.6):
        return Invalid("Line {line}, column {column}: there is no field {name}. Did you mean {suggestion}?",
                       **given.at, name=shown(f"{given.name}:"), suggestion=f"{near[0]}:{given.value}")
    return Invalid(
        "Line {line}, column {column}: there is no field {name}. Choose from: {known}. "
        "To search for the words, write {suggestion}.", **given.at, name=shown(f"{given.name}:"),
        suggestion=f'"{given.name} {given.value}"', known=", ".join(f"{one}:" for one in FIELDS),
    )


def _no_star(given: Given) -> Invalid:
    return Invalid("Line {line}, column {column}: {name} takes no *. Only words and author: do.", **given.at,
                   name=f"{given.name}:")


def _compared(known: NumberField, given: Given) -> Compare:
    found = _COMPARED.fullmatch(given.value.strip())
    if found is None:
        raise Invalid("Line {line}, column {column}: {name} takes a number, like {suggestion}.", **given.at,
                      name=f"{given.name}:", suggestion=f"{given.name}:{EXAMPLES[known]}")
    sign, whole, part, times = found[1], found[2], found[3] or "", found[4].lower()
    if len(part) == THOUSAND and not times:  # 3.000 is three thousand to some and three to others
        raise Invalid("Line {line}, column {column}: write the number without a sign for thousands: {suggestion}.",
                      **given.at, suggestion=f"{given.name}:{sign}{whole}{part}")
    number = Decimal(f"{whole}.{part or 0}") * _TIMES[times]
    return Compare(known, _SIGNS[sign], float(min(number, _LARGEST)))


def _folded(given: Given) -> str:
    return fold(given.value)


def _author(given: Given) -> str:
    if handle := fold(given.value).lstrip("@"):
        return handle
    raise missing(given.name, given.at)


def _site(given: Given) -> str:
    if found := _ADDRESS.fullmatch(fold(given.value)):
        return found[1]
    raise Invalid("Line {line}, column {column}: {value} is no site. Write {suggestion}, or url:\"…\" for a piece of "
                  "an address.", **given.at, value=shown(given.value), suggestion=f"{given.name}:example.com")


def _title(given: Given) -> str:
    if re.search(r"\w\*", given.value):
        raise _no_star(given)
    if found := words(given.value):
        return " ".join(found)
    raise Invalid("Line {line}, column {column}: there is no word in {text}. Write {suggestion} to search for the "
                  "signs themselves.", **given.at, text=shown(given.value), suggestion=f'raw:"{given.value}"')


def _hashtag(given: Given) -> str:
    return hashtag(given.value, given.at).value


def _label(given: Given) -> str:
    return NONE_IN_SPANISH.get(fold(given.value), fold(given.value))


def _one_of(names: Mapping[str, str]) -> Callable[[Given], str]:
    def read(given: Given) -> str:
        if (found := names.get(fold(given.value))) is None:
            raise Invalid(
                "Line {line}, column {column}: {name} cannot be {value}. Choose from: {known}.", **given.at,
                name=f"{given.name}:", value=shown(given.value), known=", ".join(dict.fromkeys(names.values())),
            )
        return found

    return read


READ: Mapping[str, Callable[[Given], str]] = {
    "author": _author, "site": _site, "title": _title, "hashtag": _hashtag, "stage": _label, "pain": _label,
    "touchpoint": _label, "tag": _label, "sentiment": _one_of(SENTIMENT_NAMES), "type": _one_of(TYPE_NAMES),
}
