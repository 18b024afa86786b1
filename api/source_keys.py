"""Keeps the keys of sources that a person enters: taken in, told since when, forgotten, and never shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from api.assembly import open_vault, source_keys
from collectors import ACCEPTED
from config.settings import Settings
from escucha.errors import Invalid
from escucha.source import Credential, SourceFacts
from pipeline.spending import BUDGET, budget, fields
from store import credentials

LONGEST = 20_000
"""Characters of one key; a service account is a whole file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A key of a source, and where it lies: since when for this brand and for every brand, or in the settings."""

    credential: Credential
    own_since: datetime | None = None
    shared_since: datetime | None = None
    settled: bool = False

    @property
    def known(self) -> bool:
        """Whether it is entered anywhere."""
        return self.settled or self.own_since is not None or self.shared_since is not None


def entered(session: Session, settings: Settings, facts: SourceFacts, brand_id: int | None) -> tuple[Entered, ...]:
    """The keys that a source may be given, and which of them it has; of a brand, or only those of every brand."""
    own = credentials.entered(session, facts.name, brand_id) if brand_id is not None else {}
    shared = credentials.entered(session, facts.name, None)
    settled = source_keys(settings).get(facts.name, {})
    return tuple(
        Entered(credential=one, own_since=own.get(one.name), shared_since=shared.get(one.name),
                settled=bool(settled.get(one.name)))
        for one in fields(facts)
    )


def enter(
    session: Session, settings: Settings, facts: SourceFacts, brand_id: int | None, given: Mapping[str, str],
    now: datetime,
) -> int:
    """Keep the keys that are given, encrypted; what is left empty stays as it is. How many there were.

    Raises:
        Invalid: the source has no such key, it is too long, or the budget is no amount.
        ConfigError: the secret key of the installation is off.
    """
    wanted = {name: value.strip() for name, value in given.items() if value.strip()}
    for name, value in wanted.items():
        _check(facts, name, value)
    if wanted:
        credentials.put(session, open_vault(settings), facts.name, brand_id, wanted, now)
    return len(wanted)


def forget(session: Session, facts: SourceFacts, brand_id: int | None, name: str | None = None) -> int:
    """Forget one key of a source, or all that were entered; whether its terms are accepted is another matter."""
    if name is not None and name not in _names(facts):
        raise _unknown(facts, name)
    chosen = (name,) if name is not None else tuple(one.name for one in fields(facts))
    return credentials.remove(session, facts.name, brand_id, chosen)


def is_on(session: Session, settings: Settings, facts: SourceFacts, brand_id: int | None) -> bool:
    """Whether a source needs no acceptance of its terms, or has it."""
    if facts.terms is None or source_keys(settings).get(facts.name, {}).get(ACCEPTED):
        return True
    return any(ACCEPTED in credentials.entered(session, facts.name, owner) for owner in {brand_id, None})


def accept(session: Session, settings: Settings, facts: SourceFacts, now: datetime) -> None:
    """Accept the terms of a source that is off by itself, for every brand. Raises Invalid where it has none."""
    if facts.terms is None:
        raise Invalid("{source} is not off: there is nothing to accept.", source=facts.title or facts.name)
    credentials.put(session, open_vault(settings), facts.name, None, {ACCEPTED: "yes"}, now)


def switch_off(session: Session, facts: SourceFacts, brand_id: int | None) -> None:
    """Take the acceptance back."""
    for owner in {brand_id, None}:
        credentials.remove(session, facts.name, owner, (ACCEPTED,))


def _names(facts: SourceFacts) -> tuple[str, ...]:
    return tuple(one.name for one in fields(facts))


def _unknown(facts: SourceFacts, name: str) -> Invalid:
    return Invalid("{source} has no key {name}. Its keys are: {known}.", source=facts.title or facts.name, name=name,
                   known=", ".join(_names(facts)) or "—")


def _check(facts: SourceFacts, name: str, value: str) -> None:
    if name not in _names(facts):
        raise _unknown(facts, name)
    if len(value) > LONGEST:
        raise Invalid("The key {name} is longer than {limit} characters. Check that you copied the right text.",
                      name=name, limit=LONGEST)
    if name == BUDGET:
        budget({BUDGET: value}, 0.0)
