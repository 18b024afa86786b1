"""Programmable upstreams, one module a source: each holds items, serves them as its source would, and can fail."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from collectors import SOURCES
from tests.collectors.fakes.upstream import CLOCK, DATA, NOW, SECRET, WEB, Upstream, wire

__all__ = ["CLOCK", "DATA", "NOW", "SECRET", "UPSTREAMS", "WEB", "Upstream", "upstream_of", "wire"]


def upstream_of(name: str) -> type[Upstream]:
    """The one subclass of Upstream that the module of a source's name defines."""
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    (found,) = [
        kind for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Upstream) and kind.__module__ == module.__name__
        and not kind.__name__.startswith("_")
    ]
    return found


UPSTREAMS = {
    name: upstream_of(name) for name in SOURCES if find_spec(f"{__name__}.{name.replace('-', '_')}") is not None
}
