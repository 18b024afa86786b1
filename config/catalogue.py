"""Reads the stages, pains and touchpoints that a marketer may edit (config/*.toml)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from escucha.errors import ConfigError
from escucha.journey import Catalogue, Entry, Pain, Stage, Touchpoint

E = TypeVar("E", bound=Entry)
HERE = Path(__file__).parent


def read_catalogue(folder: Path = HERE) -> Catalogue:
    """The taxonomies in `folder`. Raises ConfigError naming the file and what is off in it."""
    return Catalogue(
        stages=_entries(folder / "stages.toml", "stage", Stage),
        pains=_entries(folder / "pains.toml", "pain", Pain),
        touchpoints=_entries(folder / "touchpoints.toml", "touchpoint", Touchpoint),
    )


def _entries(path: Path, table: str, kind: type[E]) -> tuple[E, ...]:
    try:
        rows: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))[table]
        entries = tuple(kind(**row) for row in rows)
    except FileNotFoundError:
        raise ConfigError("The file {file} is missing.", file=path.name) from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ConfigError("The file {file} cannot be read: {reason}.", file=path.name, reason=str(error)) from None
    keys = [entry.key for entry in entries]
    if len(set(keys)) != len(keys):
        raise ConfigError("The file {file} names a key twice.", file=path.name)
    return entries
