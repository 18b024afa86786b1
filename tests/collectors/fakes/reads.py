"""How the searches of upstreams read what they are asked, as their documents say: one small reader for each family.

A reader takes a query in the upstream's own syntax and gives a test of what is said, so that a fake finds what the real
one would, and a translation can be held against it. Nothing of the product's own translation is used here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from escucha.mention import Mention
from escucha.words import words

Test = Callable[[Mention], bool]
PIECES = re.compile(r'-?(?:[a-z]+:\S+?(?=[)\s]|$)|"[^"]*"|[^\s()"]+)|[()]')


def plain(query: str) -> Test:
    """Words and phrases side by side, all of which are wanted; a language as a field (Bluesky)."""
    return _all([_piece(each) for each in PIECES.findall(query)])


def grouped(sign: str) -> Callable[[str], Test]:
    """Alternatives joined by a sign bind more tightly than a space: `a|b c` is (a or b) and c."""

    def read(query: str) -> Test:
        pieces = [each for each in PIECES.findall(query.replace(sign, f" {sign} ")) if each not in "()"]
        groups: list[list[str]] = []
        joined = False
        for each in pieces:
            if each == sign:
                joined = True
            elif joined:
                groups[-1].append(each)
                joined = False
            else:
                groups.append([each])
        return _all([_any([_piece(each) for each in group]) for group in groups])

    return read


def nested(query: str) -> Test:
    """AND (a space) before OR, and parentheses (X, Reddit)."""
    pieces = PIECES.findall(query)
    test, rest = _alternatives(pieces)
    assert not rest, f"{query}: {rest} stands behind its end"
    return test


def one_piece(query: str) -> Test:
    """The words in this order, whatever stands between them or around them (Lemmy: `%cafés%lumbre%`)."""
    pattern = ".*".join(map(re.escape, query.split()))
    return lambda said: re.search(pattern, _folded(f"{said.title or ''} {said.text}")) is not None


def _folded(text: str) -> str:
    return " ".join(words(text))


def _alternatives(pieces: Sequence[str]) -> tuple[Test, Sequence[str]]:
    tests, (test, rest) = [], _together(pieces)
    tests.append(test)
    while rest and rest[0] == "OR":
        test, rest = _together(rest[1:])
        tests.append(test)
    return _any(tests), rest


def _together(pieces: Sequence[str]) -> tuple[Test, Sequence[str]]:
    tests: list[Test] = []
    while pieces and pieces[0] not in ("OR", ")"):
        if pieces[0] == "(":
            test, pieces = _alternatives(pieces[1:])
            assert pieces[0] == ")"
        else:
            test = _piece(pieces[0])
        tests.append(test)
        pieces = pieces[1:]
    assert tests, "an operator stands without a word"
    return _all(tests), pieces


def _piece(piece: str) -> Test:
    if piece.startswith("-"):
        test = _piece(piece[1:])
        return lambda said: not test(said)
    name, colon, value = piece.partition(":")
    if colon and not piece.startswith('"'):
        return _FIELDS[name](value)
    wanted = words(piece)
    assert wanted, f"{piece} holds no word"
    assert piece.startswith('"') or len(wanted) == 1, f"{piece} is several words without quotes"
    return lambda said: _stands(wanted, words(f"{said.title or ''} {said.text}"))


def _stands(wanted: tuple[str, ...], said: tuple[str, ...]) -> bool:
    return any(said[at : at + len(wanted)] == wanted for at in range(len(said)))


def _all(tests: Sequence[Test]) -> Test:
    return lambda said: all(test(said) for test in tests)


def _any(tests: Sequence[Test]) -> Test:
    return lambda said: any(test(said) for test in tests)


def _from(value: str) -> Test:
    def wrote(said: Mention) -> bool:
        names = (said.author.handle.lstrip("@"), said.author.id) if said.author else ()
        return value.lower() in [name.lower() for name in names]

    return wrote


def _in(value: str) -> Test:
    return lambda said: (said.lang or "").lower().partition("-")[0] == value


def _of(value: str) -> Test:
    return lambda said: {"mx": "Mexico", "es": "Spain"}[value.lower()] == said.place


def _is(value: str) -> Test:
    assert value == "retweet"
    return lambda said: False  # a fake has none


_FIELDS: dict[str, Callable[[str], Test]] = {"is": _is, "from": _from, "lang": _in, "country": _of}
