"""The tree of a query: what it means, whoever reads it — the matcher here, SQLite, PostgreSQL, or a source's search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TextField = Literal["author", "site", "url", "lang", "country", "source", "type", "title", "hashtag", "sentiment",
                    "stage", "pain", "touchpoint", "tag", "brand"]  # fmt: skip
NumberField = Literal["followers", "engagement", "rating"]
Comparison = Literal["=", ">", ">=", "<", "<="]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One or more words (escucha.words), side by side in this order. The title and the text are read as one."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """Any word that begins so: `caf*`."""

    stem: str


@dataclass(frozen=True, slots=True)
class Within:
    """All of these words, in any order, with at most `most` other words among them: `"a b c"~n`.

    A stretch of len(words) + most words holds each of them. They are two or more, all different.
    """

    words: tuple[str, ...]
    most: int


@dataclass(frozen=True, slots=True)
class Near:
    """One of `left` and one of `right` with at most `most` words between them; `ordered`: left before right.

    Unordered ones may overlap; an ordered pair does not.
    """

    left: tuple[Phrase | Prefix, ...]
    right: tuple[Phrase | Prefix, ...]
    most: int
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Raw:
    """Characters as they are written: case, accents and symbols count. The words in it stand whole.

    That is: `text` occurs in the title or the text as it is, and the words of it (escucha.words) occur side by side.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Is:
    """A field that has a value, folded (escucha.text.fold).

    `author`: the handle, without a leading @, or the id (`prefix`: it only begins so); `site`: the address's host (what
    stands between :// and the next of / ? # :, after any user@) or a domain above it; `url`: a piece of the address;
    `title`: words side by side in the title; `lang`: the detected language, else the declared one (es is es-mx too);
    `country`: the place; `type`: the kind; `tag`: the sentiment, stage, pain, touchpoint or emotion.
    What is unknown is no value.
    """

    field: TextField
    value: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Compare:
    """A number that compares so; an unknown number never does."""

    field: NumberField
    comparison: Comparison
    value: float


@dataclass(frozen=True, slots=True)
class And:
    """All of them. `And(())` is everything."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them. `Or(())` is nothing."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """All but it."""

    part: Query


Query = Phrase | Prefix | Within | Near | Raw | Is | Compare | And | Or | Not
