"""What the API answers about keeping and forgetting, field by field."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import Out
from escucha.keeping import LONGEST, Act


class RetentionIn(BaseModel):
    """A rule: what it is about, and for how many days it is kept (null: for ever)."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)

    source: str | None = Field(None, min_length=1, max_length=100, description="A source; null: all.")
    brand: str | None = Field(None, max_length=100, description="A brand's short name; null: all.")
    days: int | None = Field(None, ge=1, le=LONGEST, description="Days for which mentions are kept.")
    raw_days: int | None = Field(None, ge=1, le=LONGEST, description="Days for which raw answers are kept.")


class OverdueOut(Out):
    """What the coming night removes: mentions, and raw answers of mentions that stay."""

    mentions: int
    raws: int


class RetentionOut(BaseModel):
    """A rule that is in force."""

    id: int
    source: str | None
    brand: str | None
    days: int | None
    raw_days: int | None


class RetentionsOut(BaseModel):
    """The rules, and what the coming night removes by them."""

    items: list[RetentionOut]
    overdue: OverdueOut


class SubjectOut(Out):
    """A person as one source knows them, and how much is held. `echoes`: mentions by others that say the same."""

    id: int
    source: str
    key: str
    handle: str
    name: str | None
    url: str | None
    blocked_at: datetime | None
    mentions: int
    corrections: int
    echoes: int
    brands: list[str]
    first: datetime | None
    last: datetime | None


class SubjectsOut(Out):
    """The people whom a name may mean."""

    items: list[SubjectOut]


class DoneOut(BaseModel):
    """How many mentions were blocked, unblocked or erased."""

    mentions: int


class ConfirmIn(BaseModel):
    """That the person really is to be erased."""

    model_config = ConfigDict(extra="forbid", strict=True)

    confirm: bool = Field(description="true: it cannot be undone.")


class EntryOut(Out):
    """A line of the audit. `mark` is a hash: it tells whether it is a person whom you know, and not who it is."""

    at: datetime
    act: Act
    mark: str | None
    counts: dict[str, Any]


class AuditOut(Out):
    """The newest lines, the newest first."""

    items: list[EntryOut]
