"""What may stand in an answer in the place of what was promised."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.collectors.hostile.content import Content

Spoil = Callable[[Content], None]


def spoilt(data: bytes, spoil: Spoil) -> bytes:
    """A body with a part of it replaced."""
    content = Content(data)
    spoil(content)
    return content.body()


def each(change: Callable[[Any], Any]) -> Spoil:
    return lambda content: content.leaves(change)


def texts(change: Callable[[str], str]) -> Spoil:
    return lambda content: content.texts(change)


def lists(change: Callable[[list[Any]], list[Any]]) -> Spoil:
    return lambda content: content.lists(change)


def number(change: Any) -> Spoil:
    """Every number but times becomes another."""
    return each(lambda leaf: change if isinstance(leaf, int | float) and not isinstance(leaf, bool) else leaf)


def twice(items: list[Any]) -> list[Any]:
    return [item for item in items for _ in range(2)]


def twice_with_another_text(items: list[Any]) -> list[Any]:
    """Every id comes a second time, with another text."""
    return [*items, *(_other(item) for item in items)]


def _other(item: Any) -> Any:
    told = spoilt(item.encode() if isinstance(item, str) else json.dumps(item).encode(),
                  texts(lambda text: f"{text} (otra versión)"))
    return told.decode() if isinstance(item, str) else json.loads(told)


def first_text(change: Callable[[str], str]) -> Spoil:
    """One text alone changes."""

    def spoil(content: Content) -> None:
        done: list[bool] = []

        def once(text: str) -> str:
            done.append(True)
            return change(text) if len(done) == 1 else text

        content.texts(once)

    return spoil


def deep(levels: int) -> Any:
    """A list in a list in a list…"""
    made: Any = []
    for _ in range(levels):
        made = [made]
    return made


def with_depth(levels: int) -> Spoil:
    return lambda content: content.objects(lambda held: {**held, "hondo": deep(levels)} if innermost(held) else held)


def is_word(leaf: Any) -> bool:
    """Whether a text is one of a few that an interface knows, such as a state."""
    return isinstance(leaf, str) and leaf.isalpha() and leaf.isascii()


def innermost(held: dict[str, Any]) -> bool:
    return not any(isinstance(value, dict | list) for value in held.values())


def no_zone(form: str, told: str | int | float) -> Any:
    return str(told).replace("Z", "").partition("+")[0].rstrip() if form in ("iso", "mail", "tight") else told


def of_zone(zone: str) -> Callable[[str, str | int | float], Any]:
    """ISO times move their zone but not their figures."""
    return lambda form, told: str(told)[:19] + zone if form == "iso" else told


def always(value: Any) -> Callable[[str, str | int | float], Any]:
    return lambda form, told: value


def times(render: Callable[[str, str | int | float], Any]) -> Spoil:
    return lambda content: content.times(render)


def surrogates(data: bytes) -> bytes:
    return spoilt(data, texts(lambda text: f"{text} \ud83d \udc4d"))
