"""Relevance as a page: what the brand does not want, what that hides, and another exclusion before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from api.dashboard.shell import Frame
from api.i18n import N_
from escucha.enrichment import TaggedMention
from escucha.errors import NotFound
from escucha.exclusion import PERSON, Exclusion, by_kind
from escucha.query.written import written
from pipeline.exclude import Trial
from store import exclusions, found

KINDS: Mapping[str, str] = {"query": N_("Query"), "author": N_("Author"), "site": N_("Site")}
FIELDS = ("kind", "value", "refuse")
EVERYTHING: Mapping[str, object] = {
    "period": "all", **dict.fromkeys(("source", "lang", "stage", "sentiment", "pain", "touchpoint"), ()),
    **dict.fromkeys(("review", "copies", "cluster", "order")),
}
"""Changes of an address that drop every filter but the search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An exclusion, what kind it is in words, how many mentions it hides, and the address of these."""

    exclusion: Exclusion
    kind: str
    hidden: int
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RelevancePage:
    """The exclusions, how many mentions persons hid and where these are, what could be excluded as well (with how many
    were found not relevant), what the form holds, its kinds, and the trial of it, if any.
    """

    lines: tuple[Line, ...]
    by_persons: int
    all_hidden: str
    suggested: tuple[tuple[Exclusion, str, int], ...]
    form: Mapping[str, str]
    kinds: tuple[tuple[str, str], ...]
    trial: Trial | None
    done: str | None
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a mention of which a person has just said whether it is relevant, the `ways` from here (words and
    address), and whether it can be undone.
    """

    id: int
    words: str
    back: str
    undo: bool
    ways: tuple[tuple[str, str], ...] = ()


def relevance_page(
    session: Session, frame: Frame, form: Mapping[str, str], trial: Trial | None = None, done: str | None = None,
    problem: str | None = None,
) -> RelevancePage:
    """Lay the page out."""
    say, counts = frame.reader.say, exclusions.counts(session, frame.brand.id)
    return RelevancePage(
        lines=tuple(_line(frame, one, counts.get(one.mark, 0)) for one in exclusions.of_brand(session, frame.brand.id)),
        by_persons=counts.get(PERSON, 0), all_hidden=_hidden(frame, None),
        suggested=tuple((one, say(KINDS[one.kind]), n) for one, n in exclusions.suggested(session, frame.brand.id)),
        form={name: form.get(name, "") for name in FIELDS},
        kinds=tuple((kind, say(word)) for kind, word in KINDS.items()), trial=trial, done=done, problem=problem,
    )


def asked(form: Mapping[str, str], brand_id: int | None) -> Exclusion:
    """The exclusion that a form describes. Raises Invalid for one that is off."""
    return by_kind(form.get("kind", "query"), form.get("value", ""), refuse=bool(form.get("refuse")), brand_id=brand_id)


def reasons(session: Session, frame: Frame) -> Mapping[str, str]:
    """Why mentions of the brand are hidden, in words, by what their rows say."""
    say = frame.reader.say
    of = {one.mark: say("hidden: {kind} {value}", kind=say(KINDS[one.kind]).lower(), value=_short(one.value))
          for one in exclusions.of_brand(session, frame.brand.id)}
    return {PERSON: say("hidden: a person says so")} | of


def verdict(session: Session, frame: Frame, id: int | None, undone: bool) -> Verdict | None:
    """What to say after a person has said whether a mention is relevant; None where nobody has."""
    try:
        item = found.get(session, id) if id is not None else None
    except NotFound:
        return None
    if item is None or item.brand != frame.brand.slug:
        return None
    say, back = frame.reader.say, frame.link()
    if undone:
        words = say("Taken back. It is hidden.") if item.hidden else say("Taken back. It is shown.")
        return Verdict(id=item.id, words=words, back=back, undo=False)
    if item.hidden:
        words = say("Hidden as not relevant; it counts nowhere now.")
        return Verdict(id=item.id, words=words, back=back, undo=True, ways=_ways(frame, item))
    return Verdict(id=item.id, words=say("Relevant: it is shown and counted, whatever the exclusions say."), back=back,
                   undo=True)


def _ways(frame: Frame, item: TaggedMention) -> tuple[tuple[str, str], ...]:
    """From a mention that is not relevant to the exclusions that would hide more like it, to be tried first."""
    words = {"author": N_("Exclude its author…"), "site": N_("Exclude its site…")}
    return tuple((frame.reader.say(words[one.kind]), _tried(frame, one)) for one in exclusions.about(item))


def _tried(frame: Frame, one: Exclusion) -> str:
    return f"/relevance?{urlencode({'brand': frame.brand.slug, 'kind': one.kind, 'value': one.value})}"


def _line(frame: Frame, one: Exclusion, n: int) -> Line:
    return Line(exclusion=one, kind=frame.reader.say(KINDS[one.kind]), hidden=n, href=_hidden(frame, one))


def _hidden(frame: Frame, one: Exclusion | None) -> str:
    """The address of all that is hidden, or of what an exclusion means of it."""
    return frame.link("/mentions", hidden=True, q=written(one.query) if one else None, **EVERYTHING)


def _short(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:40]}…"
