"""What is noted of the models that were added: what for, where they run, how fast, and how they agree with ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from escucha.errors import ConfigError
from nlp.hub.compact import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A model that was added: its version and device then, how many texts it reads at once (`at_once`, the fastest),
    texts/s at that, what its labels mean, and how its answers agree with the embedded model's (nlp/hub/trial.py)."""

    model: str
    kind: Kind
    version: str = ""
    device: str = ""
    at_once: int = 32
    texts_per_s: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    agreement: Mapping[str, Any] = field(default_factory=dict)


def read_shelf(path: Path) -> list[Noted]:
    """What is noted, in the order of adding; nothing where there is no such file yet. Raises ConfigError for a damaged
    one."""
    try:
        return [Noted(**row) for row in json.loads(path.read_text("utf-8"))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            "The file {file} cannot be read: {reason}. Delete it and add the models again.",
            file=str(path), reason=str(error)[:200],
        ) from None


def noted(path: Path, model: str, kind: Kind) -> Noted:
    """What is noted of a model, or the defaults for one that was never added."""
    found = [row for row in read_shelf(path) if (row.model, row.kind) == (called(model), kind)] if model else []
    return found[0] if found else Noted(model=called(model), kind=kind)


def put(path: Path, new: Noted) -> None:
    """Note a model, in place of what was noted of it before."""
    rest = [row for row in read_shelf(path) if (row.model, row.kind) != (new.model, new.kind)]
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps([asdict(row) for row in (*rest, new)], ensure_ascii=False, indent=1) + "\n", "utf-8")
    draft.replace(path)


def called(model: str) -> str:
    """One name for each model: a folder's whole path, a hub's name as it is."""
    return str(Path(model).resolve()) if model and Path(model).is_dir() else model
