"""What can go wrong, named by what the caller does next.

Every error carries a message template in English and its details; `str(error)` fills the template in, and
`api.i18n` translates the template first. A message says what happened and what to do. Secrets never go into details.
"""

from __future__ import annotations

from typing import Any, ClassVar


class EscuchaError(Exception):
    """The root: a sentence for a person (`message`, a template), its `details`, and a stable key (`error`)."""

    error: ClassVar[str] = "error"

    def __init__(self, message: str, /, **details: Any) -> None:
        super().__init__(message, details)
        self.message = message
        self.details = details

    def __str__(self) -> str:
        return fill(self.message, self.details)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.details)


def fill(template: str, details: dict[str, Any]) -> str:
    """Fill a message template; a template whose details are missing is shown as it stands rather than lost."""
    try:
        return template.format(**details)
    except (KeyError, IndexError, ValueError):
        return template


def _rebuild(kind: type[EscuchaError], message: str, details: dict[str, Any]) -> EscuchaError:
    return kind(message, **details)


class NotFound(EscuchaError):
    """What was asked for does not exist: check the name."""

    error = "not_found"


class Conflict(EscuchaError):
    """It exists already, or is in use: choose another name or end the other one first."""

    error = "conflict"


class Invalid(EscuchaError):
    """The input is off: correct it and try again."""

    error = "invalid"


class ConfigError(EscuchaError):
    """The installation is off (settings, keys, database version): a person sets it right."""

    error = "config"


class SourceError(EscuchaError):
    """A source did not give what it should. Use one of its kinds."""

    error = "source"


class TryLater(SourceError):
    """The source asks for patience, or is down: the watch goes on by itself after `after` seconds (None: backoff)."""

    error = "try_later"

    def __init__(self, message: str, /, after: float | None = None, **details: Any) -> None:
        super().__init__(message, after=after, **details)

    @property
    def after(self) -> float | None:
        """Seconds to wait as the source said them, or None where it said nothing."""
        after: float | None = self.details.get("after")
        return after


class Refused(SourceError):
    """The source says no (key, permission, address): a person must act, so the watch pauses and says why."""

    error = "refused"


class Unreadable(SourceError):
    """One item cannot be read: it is skipped and counted, its raw form is kept, the rest go on."""

    error = "unreadable"


class ModelError(EscuchaError):
    """A language model cannot be loaded or run."""

    error = "model"
