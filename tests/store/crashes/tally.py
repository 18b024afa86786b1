"""What cycles of crashing came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Tally:
    """What cycles of crashing came to; `faults` counts what the checks found, by kind."""

    cycles: int = 0
    crashed_while: Counter[str] = field(default_factory=Counter)
    checks: int = 0
    rows: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether no check found anything."""
        return not +self.faults

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        of = {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()}
        return {"clean": self.clean, **of}
