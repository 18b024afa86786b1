"""Built-in and installed parts, opened by name through one door."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from escucha.errors import ConfigError, NotFound


def names(group: str, built_in: Mapping[str, str]) -> dict[str, str]:
    """Every name in a group with its address (`module:attribute`).

    `built_in` is an explicit table of strings; others come from the entry-point `group` (`escucha.sources`, …).

    Raises:
        ConfigError: two owners of one name.
    """
    found = dict(built_in)
    for name, address in _installed(group, tuple(sys.path)):
        if name in found:
            raise ConfigError(
                "Two packages offer {name} in {group}: uninstall one of {first} and {second}.",
                name=name, group=group, first=found[name], second=address,
            )
        found[name] = address
    return found


@cache
def _installed(group: str, _: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The entry points of a group, read once for a search path: it takes 10 ms, and every run of a source asks."""
    return tuple((point.name, point.value) for point in entry_points(group=group))


def load(group: str, built_in: Mapping[str, str], name: str) -> Any:
    """The part of that name, imported now.

    Raises:
        NotFound: there is none of that name; those that exist are named.
        ConfigError: its package cannot be loaded.
    """
    addresses = names(group, built_in)
    if name not in addresses:
        raise NotFound("There is no {name}. Choose one of: {known}.", name=name, known=", ".join(sorted(addresses)))
    module, _, attribute = addresses[name].partition(":")
    if name in built_in:
        return getattr(import_module(module), attribute)
    try:
        return getattr(import_module(module), attribute)
    except Exception as error:  # a stranger's module may fail in any way when it is imported
        raise ConfigError(
            "{name} comes from a package that cannot be loaded ({address}: {reason}). Update that package or "
            "uninstall it.",
            name=name, address=addresses[name], reason=f"{type(error).__name__}: {error}",
        ) from None
