"""When somebody should be told: alert rules, the alerts they raise, and those who carry them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from escucha.filter import MentionFilter

RuleKind = Literal["spike", "drop", "negative_share", "keyword", "new_pain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What to watch for: a kind of change among the mentions that a filter means, within a window of hours."""

    name: str
    kind: RuleKind
    filter: MentionFilter
    window_hours: int = 24
    minimum: int = 5
    cooldown_hours: int = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A rule came true at `at`: what was seen, what was expected, and how many mentions are behind it."""

    rule: Rule
    at: datetime
    observed: float
    expected: float
    n: int


@runtime_checkable
class Notifier(Protocol):
    """Anything that can carry an alert to a person."""

    def send(self, alert: Alert) -> None:
        """Deliver it, or raise TryLater."""
        ...
