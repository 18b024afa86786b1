"""Finds what else names a person: raw answers of others that quote them, and lines of the ledgers."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, null, or_, select, update
from sqlalchemy.orm import Session

from escucha.keeping import Subject
from escucha.text import fold
from store.exclusions import take_back
from store.tables import ExclusionRow, MentionRow, RunRow

SHORTEST = 5
"""Letters of a name by which answers are searched: a shorter one is also a number or a word of other things."""
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Names:
    """What a person is called by their source (`forms`; `names`, as compared), and the ids of what they `said`."""

    source: str
    row: int
    forms: frozenset[str]
    said: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """The names as they are compared."""
        return frozenset(fold(form) for form in self.forms)

    def within(self, value: Any) -> bool:
        """Whether a JSON value has one of the names, or a longer one of the ids, as a whole string or number."""
        names, ids = self.names, {id for id in self.said if len(id) >= SHORTEST}
        return any(fold(_bare(leaf)) in names or leaf in ids for leaf in _leaves(value))


def names_of(subject: Subject, said: Collection[str]) -> Names:
    """A person's names: those that are long enough to mean nobody else."""
    told = {_bare(name) for name in (subject.key, subject.handle, subject.url) if name}
    return Names(subject.source, subject.id, frozenset(name for name in told if len(name) >= SHORTEST), frozenset(said))


def answers(session: Session, names: Names, after: int) -> tuple[list[int], list[int], int | None]:
    """Mentions of others, in the next thousand after one: those whose raw answer names the person, those that reply to
    what they said, and the last that was looked at (None: there are no more).
    """
    raw, few = cast(MentionRow.raw, Text), len(names.said) <= CHUNK
    reply = MentionRow.parent_id.in_(names.said) if few else MentionRow.parent_id.is_not(None)
    quoted = (raw.icontains(json.dumps(form)[1:-1], autoescape=True) for form in sorted(names.forms))
    query = select(MentionRow.id, MentionRow.parent_id, MentionRow.raw).where(
        MentionRow.source == names.source, MentionRow.author_id.is_distinct_from(names.row), MentionRow.id > after,
        or_(reply, *quoted),
    )
    rows = session.execute(query.order_by(MentionRow.id).limit(CHUNK)).all()
    quoting = [row.id for row in rows if names.within(row.raw)]
    replies = [row.id for row in rows if row.parent_id in names.said]
    return quoting, replies, rows[-1].id if len(rows) == CHUNK else None


def forget_answers(session: Session, quoting: Collection[int], replies: Collection[int]) -> None:
    """Let go of these raw answers, and of what these mentions reply to."""
    session.execute(update(MentionRow).where(MentionRow.id.in_(quoting)).values(raw=null()))
    session.execute(update(MentionRow).where(MentionRow.id.in_(replies)).values(parent_id=None))


def forget_lines(session: Session, names: Names) -> None:
    """Take out what the ledgers say of items that name the person, and the exclusions of this author."""
    rows = session.execute(select(RunRow.id, RunRow.refusals).where(RunRow.refusals.is_not(None))).all()
    for id, refusals in rows:
        told = refusals.get("refusals", [])
        if rest := [one for one in told if not _names(one, names)]:
            refusals = {"refusals": rest}
        if len(rest) < len(told):
            session.execute(update(RunRow).where(RunRow.id == id).values(refusals=refusals if rest else null()))
    for row in session.scalars(select(ExclusionRow).where(ExclusionRow.kind == "author")):
        if fold(_bare(row.value.removeprefix(f"{names.source}:"))) in names.names:
            take_back(session, row.id, row.brand_id)


def _names(refusal: Any, names: Names) -> bool:
    """Whether a line of the ledger names the person, be it within a sentence."""
    return names.within(refusal) or any(name in fold(leaf) for leaf in _leaves(refusal) for name in names.names)


def _leaves(value: Any) -> Iterator[str]:
    """The strings and numbers of a JSON value."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _leaves(part)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)


def _bare(name: str) -> str:
    return name.strip().removeprefix("@")
