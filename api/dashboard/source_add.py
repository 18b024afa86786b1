"""The page that adds a source: the catalogue, what one source needs and hides, its keys, the form, and its trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from api import listening, source_keys
from api.dashboard.highlight import safe_link
from api.dashboard.shell import Frame
from api.dashboard.source_cards import lasting, source_title
from api.deps import House
from api.i18n import N_
from api.listening import Searched
from api.source_keys import Entered
from collectors import ACCEPTED
from escucha.errors import EscuchaError, Invalid
from escucha.mention import Mention
from escucha.note import Note
from escucha.source import Access, Estimate, FollowersInAnswer, SourceFacts
from pipeline.trying import Trial
from store import watches

ACCESS: Mapping[Access, tuple[str, str]] = {
    "open": (N_("open to all"), N_("No key and no cost; some are off until you accept their terms.")),
    "own key": (N_("with a key of your own"), N_("You need an account or a key of your own, and nobody's approval.")),
    "approval": (N_("after approval"), N_("The platform has to approve your request first.")),
    "paid": (N_("paid"), N_("The platform charges for it.")),
}
FOLLOWERS: Mapping[FollowersInAnswer, str] = {
    "yes": N_("Told with each mention."),
    "second call": N_("Asked for afterwards, author by author."),
    "never": N_("Never told: authors from here do not count as micro-influencers."),
}
INTERVALS = (60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400)
USUAL = 900
SHOWN_REFUSALS = 10
FIELDS = ("query", "terms", "every", "slowest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A source in the catalogue: `watched` times by the brand; `off` until its terms are accepted."""

    facts: SourceFacts
    title: str
    example: str
    watched: int
    off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The sources of one kind of access."""

    access: str
    word: str
    about: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyField:
    """A key to enter: what it is, and since when it is known, in words; whose can be forgotten ("own", "shared")."""

    entered: Entered
    about: str
    known: tuple[str, ...]
    forgettable: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A mention of a trial: it is not stored."""

    mention: Mention
    when: str
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a trial brought."""

    heard: tuple[Heard, ...]
    refused: int
    refusals: tuple[tuple[str, str], ...]
    passed: int
    cost: str | None
    estimate: str | None
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One source: what it says of itself, its terms and keys, and what the form holds.

    `on` is whether its terms are no hindrance, `settled` that the settings say so; `price` is what a trial may cost;
    `searched` is what the query in the form asks.
    """

    facts: SourceFacts
    title: str
    example: str
    access: str
    about: tuple[tuple[str, str], ...]
    query_about: str
    terms: str | None
    on: bool
    settled: bool
    keys: tuple[KeyField, ...]
    missing: bool
    form: Mapping[str, str]
    intervals: tuple[tuple[str, str], ...]
    price: str | None
    searched: Searched | None
    tried: Tried | None


def catalogue(session: Session, parts: House, frame: Frame) -> tuple[Group, ...]:
    """Every source to choose from, the freest first."""
    own = [watch.source for watch in watches.of_brand(session, frame.brand.id or 0)]
    offers = [
        Offer(facts=facts, title=source_title(frame, facts.name), example=frame.reader.say(facts.query_hint),
              watched=own.count(facts.name),
              off=not source_keys.is_on(session, parts.settings, facts, frame.brand.id))
        for facts in listening.offered()
    ]
    offers.sort(key=lambda one: one.title.casefold())
    groups = (
        Group(access=access, word=frame.reader.say(word), about=frame.reader.say(about),
              offers=tuple(one for one in offers if one.facts.access == access))
        for access, (word, about) in ACCESS.items()
    )
    return tuple(group for group in groups if group.offers)


def choice(
    session: Session, parts: House, frame: Frame, facts: SourceFacts, form: Mapping[str, str],
    trial: Trial | None = None,
) -> Choice:
    """Lay one source out, with what the form held and the trial of it, if any."""
    entered = source_keys.entered(session, parts.settings, facts, frame.brand.id)
    price = listening.price_of_trial(facts)
    return Choice(
        facts=facts, title=source_title(frame, facts.name), example=frame.reader.say(facts.query_hint),
        access=frame.reader.say(ACCESS[facts.access][0]),
        about=_about(frame, facts), query_about=_note(frame, facts.query_about),
        terms=_note(frame, facts.terms) if facts.terms else None,
        on=source_keys.is_on(session, parts.settings, facts, frame.brand.id),
        settled=bool(parts.settings.keys.get(facts.name, {}).get(ACCEPTED)),
        keys=tuple(_key(frame, one) for one in entered),
        missing=any(not one.known and not one.credential.optional for one in entered),
        form=filled(frame, facts, form), intervals=_intervals(frame, facts),
        price=frame.reader.number(price, 2) if price else None,
        searched=listening.searched(facts.name, form["query"]) if form.get("query") else None,
        tried=_tried(frame, trial) if trial else None,
    )


def filled(frame: Frame, facts: SourceFacts, form: Mapping[str, str]) -> Mapping[str, str]:
    """What the form holds: as it was typed, or to begin with."""
    names = "\n".join((frame.brand.name, *frame.brand.aliases))
    begun = {
        "query": facts.query_hint if facts.pushed else "",
        "terms": "" if facts.searches or facts.pushed or facts.own else names,
        "every": str(next((each for each in INTERVALS if each >= max(USUAL, facts.fastest)), facts.fastest)),
        "slowest": "",
    }
    return {name: form.get(name, begun[name]) for name in FIELDS}


def wanted(facts: SourceFacts, form: Mapping[str, str]) -> listening.Wanted:
    """What a form asks for. Raises Invalid for an interval that is no number."""
    told = form.get("terms")
    terms = tuple(told.replace(",", "\n").splitlines()) if told is not None else None
    return listening.Wanted(
        source=facts.name, text=form.get("query", ""), terms=terms, every=_seconds(form.get("every", "")) or USUAL,
        slowest=_seconds(form.get("slowest", "")),
    )


def _seconds(text: str) -> int | None:
    if not text.strip():
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Invalid("{every} is no interval. Choose one from the list.", every=text)
    return int(text)


def _intervals(frame: Frame, facts: SourceFacts) -> tuple[tuple[str, str], ...]:
    return tuple((str(each), lasting(frame.reader, each)) for each in INTERVALS if each >= facts.fastest)


def _note(frame: Frame, note: Note) -> str:
    return frame.reader.say(note.message, **note.details)


def _about(frame: Frame, facts: SourceFacts) -> tuple[tuple[str, str], ...]:
    say = frame.reader.say
    found = [
        (say("What it needs"), _note(frame, facts.needs)), (say("What may be kept"), _note(frame, facts.keeps)),
        (say("What it cannot see"), _note(frame, facts.blind)), (say("How far back"), _note(frame, facts.reach)),
        (say("Followers"), say(FOLLOWERS[facts.followers_in_answer])),
    ]
    if facts.can_store_days is not None:
        kept = frame.reader.say_many("{n} day", "{n} days", facts.can_store_days)
        found.append((say("Kept at most"), kept))
    if facts.recheck_days is not None:
        again = frame.reader.say_many("every {n} day", "every {n} days", facts.recheck_days)
        found.append((say("Looked for deletions"), again))
    if not facts.pushed:
        found.append((say("Asked at most"), say("every {time}", time=lasting(frame.reader, facts.fastest))))
    if facts.cost_per_item:
        price = frame.reader.number(facts.cost_per_item, 3)
        found.append((say("Price of a mention"), say("about ${price}", price=price)))
    return tuple(found)


def _key(frame: Frame, one: Entered) -> KeyField:
    say = frame.reader.say
    own, shared = one.own_since, one.shared_since
    known = [
        *([say("In the settings, which win.")] if one.settled else []),
        *([say("Entered for {brand}: {time}.", brand=frame.brand.name, time=frame.moment(own))] if own else []),
        *([say("Entered for every brand: {time}.", time=frame.moment(shared))] if shared else []),
    ]
    forgettable = [*(["own"] if own else []), *(["shared"] if shared else [])]
    return KeyField(entered=one, about=_note(frame, one.credential.about), known=tuple(known),
                    forgettable=tuple(forgettable))


def _tried(frame: Frame, trial: Trial) -> Tried:
    return Tried(
        heard=tuple(_heard(frame, each) for each in trial.mentions), refused=len(trial.refusals),
        refusals=tuple((each.where, _error(frame, each.why)) for each in trial.refusals[:SHOWN_REFUSALS]),
        passed=trial.passed, cost=frame.reader.number(trial.cost, 3) if trial.cost else None,
        estimate=_estimated(frame, trial.estimate) if trial.estimate else None,
        problem=_error(frame, trial.problem) if trial.problem else None,
    )


def _estimated(frame: Frame, told: Estimate) -> str:
    number = frame.reader.number
    return frame.reader.say("In the last seven days it would have read {n} posts, for ${least} to ${most}.",
                            n=number(told.posts), least=number(told.least, 2), most=number(told.most, 2))


def _heard(frame: Frame, mention: Mention) -> Heard:
    return Heard(mention=mention, when=frame.moment(mention.created_at), link=safe_link(mention.url))


def _error(frame: Frame, error: EscuchaError) -> str:
    return frame.reader.say(error.message, **error.details)
