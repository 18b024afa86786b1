"""Data and privacy as a page: rules of keeping with what they remove, a person who asks, and the audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.acts import ACTS, COUNTS
from api.dashboard.shell import Frame
from api.i18n import N_
from escucha.errors import EscuchaError, Invalid
from escucha.keeping import Entry, Overdue, Retention, Subject, checked
from pipeline.night import foreseen
from store import audit, retention, subjects
from store.tables import TallyRow

FIELDS = ("source", "scope", "days", "raw_days", "of", "author")
DONE: Mapping[str, str] = {
    "rule": N_("Done. The rules are carried out every night."),
    "block": N_("Done. What this person said is shown and counted nowhere now. It is still held."),
    "unblock": N_("Done. What this person said is shown and counted again."),
    "erase": N_("Done. This person is erased, and what they say is not collected again. Backups from before still hold "
                "it: delete them, or let them run out."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the audit: when, what, for whom, how much."""

    when: str
    what: str
    mark: str
    much: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPage:
    """The rules with the words for what each is about, what the coming night removes, the trial of the rule in the
    form, the people who were found (`looked`: somebody was looked for), the audit's newest lines, and what is wrong.
    """

    rules: tuple[tuple[Retention, str], ...]
    overdue: Overdue
    trial: Overdue | None
    form: Mapping[str, str]
    sources: tuple[str, ...]
    looked: bool
    people: tuple[Subject, ...]
    audit: tuple[Line, ...]
    done: str | None
    problem: str | None


def data_page(
    session: Session, frame: Frame, form: Mapping[str, str], now: datetime, problem: EscuchaError | None = None
) -> DataPage:
    """Lay the page out; a form with days in it is tried."""
    say, trial = frame.reader.say, None
    try:
        rule = asked(form, frame.brand.id) if form.get("days") or form.get("raw_days") else None
        trial = foreseen(session, now, rule) if rule and problem is None else None
    except Invalid as error:
        problem = problem or error
    of, author = form.get("of", "").strip(), form.get("author", "").strip()
    done = DONE.get(form.get("done", ""))
    return DataPage(
        rules=tuple((rule, _about(frame, rule)) for rule in retention.policy(session).rules),
        overdue=foreseen(session, now), trial=trial, form={name: form.get(name, "") for name in FIELDS},
        sources=_sources(session), looked=bool(of and author),
        people=tuple(subjects.find(session, of, author)) if of and author else (),
        audit=tuple(_line(frame, entry) for entry in audit.entries(session, 20)),
        done=say(done) if done else None, problem=say(problem.message, **problem.details) if problem else None,
    )


def asked(form: Mapping[str, str], brand_id: int | None) -> Retention:
    """The rule that a form describes. Raises Invalid for what is no number of days."""
    days, raw_days = (_days(form.get(name, "")) for name in ("days", "raw_days"))
    return checked(Retention(source=form.get("source", "").strip()[:100] or None, days=days, raw_days=raw_days,
                             brand_id=brand_id if form.get("scope") == "brand" else None))


def _days(given: str) -> int | None:
    if not given.strip():
        return None
    if not (given.isascii() and given.strip().isdecimal() and len(given) < 9):
        raise Invalid("“{given}” is no number of days.", given=given[:40])
    return int(given)


def _about(frame: Frame, rule: Retention) -> str:
    """What a rule is about, in words."""
    slugs = {brand.id: brand.name for brand in frame.brands}
    source, brand = rule.source or "", slugs.get(rule.brand_id, "")
    say = frame.reader.say
    if source and brand:
        return say("{source}, about {brand}", source=frame.labels.of("source", source), brand=brand)
    if brand:
        return say("All sources, about {brand}", brand=brand)
    return say("{source}, all brands", source=frame.labels.of("source", source)) if source else say("Everything else")


def _sources(session: Session) -> tuple[str, ...]:
    """The sources of which anything is counted."""
    query = select(TallyRow.key).where(TallyRow.dimension == "source").distinct().order_by(TallyRow.key)
    return tuple(session.scalars(query))


def _line(frame: Frame, entry: Entry) -> Line:
    say, number = frame.reader.say, frame.reader.number
    much = ", ".join(f"{say(COUNTS.get(name, name))} {number(n)}" for name, n in entry.counts.items() if n)
    return Line(when=frame.moment(entry.at), what=say(ACTS.get(entry.act, entry.act)),
                mark=(entry.mark or "")[:12], much=much or "—")
