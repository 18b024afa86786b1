"""A remark for a person: a sentence in English and its details, translated where it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from escucha.errors import fill


@dataclass(frozen=True, slots=True)
class Note:
    """A message template in English and its details, translated like an error's."""

    message: str
    details: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return fill(self.message, dict(self.details))
