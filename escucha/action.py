"""What is done about a finding: a row of the action plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

ActionLabel = Literal[
    "follow_up", "channels", "response_effectiveness", "conflict_resolution", "personal_relationship", "differentiator"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A row of the action plan, in KarmaPulse's columns."""

    task: str
    stage: str
    priority: Literal["high", "medium", "low"]
    objective: str
    responsible: str
    input: str = ""
    due: date | None = None
    labels: tuple[ActionLabel, ...] = ()
