"""Forgets people who ask for it: tells, blocks and erases what is held of a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from escucha.errors import Conflict, NotFound
from escucha.keeping import Subject
from store import accounts, audit, brands, subjects, tombstones, traces
from store.engine import Store

BATCH = 500
"""Mentions in one transaction: others write in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure came to: mentions deleted, and raw answers of others that named the person."""

    mentions: int
    quoted: int


def found(session: Session, source: str, named: str) -> Subject:
    """The person of a source with this id, handle or address.

    Raises:
        NotFound, Conflict: nobody, or several; the ids to choose from are named.
    """
    people = subjects.find(session, source, named)
    if not people:
        raise NotFound("Nothing is held of {author} from {source}. Check the spelling, and the source's name.",
                       author=named, source=source)
    if len(people) > 1:
        raise Conflict("{author} may be one of several people of {source}. Give the id: {ids}.", author=named,
                       source=source, ids=", ".join(person.key for person in people[:20]))
    return people[0]


def numbered(session: Session, id: int) -> Subject:
    """The person of that number. Raises NotFound."""
    person = subjects.get(session, id)
    if person is None:
        raise NotFound("Nothing is held of a person with the number {id}.", id=id)
    return person


def account(store: Store, person: Subject, now: datetime) -> Iterator[str]:
    """All that is held of a person, as pieces of one JSON text; that it was given is written down first."""
    with store.write() as session:
        audit.write(session, "export", now, _mark(person), {"mentions": person.mentions})
        held = accounts.account(session, person.id)
    yield f'{{"made_at": {_json(now)}, "author": {_json(held["author"])}, "months": {_json(held["months"])}, '
    yield f'"others_who_say_the_same": {person.echoes}, "mentions": ['
    after, comma = 0, ""
    while True:
        with store.read() as session:
            records = accounts.mentions(session, person.id, after, BATCH)
        for record in records:
            yield f"{comma}\n{_json(record)}"
            comma, after = ",", int(record["id"])
        if len(records) < BATCH:
            break
    yield "\n]}\n"


def block(store: Store, person: Subject, now: datetime) -> int:
    """Keep what a person said, but show and count it nowhere, and hear no more of them; how many mentions went.

    Raises:
        NotFound: the person has gone meanwhile.
    """
    with store.write() as session:
        _held(session)
        since = numbered(session, person.id).blocked_at
        subjects.mark_blocked(session, person.id, since or now)
    hidden = in_batches(store, lambda session: subjects.hide(session, person.id, BATCH))
    with store.write() as session:
        audit.write(session, "block", now, _mark(person), {"mentions": hidden})
    return hidden


def unblock(store: Store, person: Subject, now: datetime) -> int:
    """Show and count again what a person said; how many mentions came back.

    Raises:
        NotFound: the person has gone meanwhile.
    """
    with store.write() as session:
        _held(session)
        numbered(session, person.id)
        subjects.mark_blocked(session, person.id, None)
    shown = in_batches(store, lambda session: subjects.show(session, person.id, BATCH))
    with store.write() as session:
        audit.write(session, "unblock", now, _mark(person), {"mentions": shown})
    return shown


def erase(store: Store, person: Subject, now: datetime, advance: Callable[[int], None] = lambda _: None) -> Erased:
    """Delete all that is held of a person, for every brand; nothing of them is collected again.

    They are hidden first. What is broken off in the middle goes on in the night, or when it is asked for again. The
    rows are gone then; `store.sweep` takes the traces out of the files.

    Raises:
        NotFound: the person has gone meanwhile.
    """
    with store.write() as session:
        _held(session)
        numbered(session, person.id)
        tombstones.bury_author(session, (person.source, person.key), now)
        subjects.mark_blocked(session, person.id, person.blocked_at or now)
        line = audit.unfinished(session).get(person.id) or audit.write(
            session, "erase", now, _mark(person), {audit.OPEN: person.id})
    in_batches(store, lambda session: subjects.hide(session, person.id, BATCH))
    quoted = _forget_traces(store, person)
    erased = in_batches(store, lambda session: subjects.erase_some(session, person.id, now, BATCH), advance)
    with store.write() as session:
        _held(session)
        subjects.remove(session, person.id)
        audit.finish(session, line, {"mentions": erased, "quoted": quoted})
    return Erased(mentions=erased, quoted=quoted)


def _forget_traces(store: Store, person: Subject) -> int:
    """Let go of what names the person elsewhere: raw answers of others, replies, ledgers; how many answers it was."""
    with store.read() as session:
        said = [id for _, id in subjects.keys_of(session, person.id)]
    names, after, quoted = traces.names_of(person, said), 0, 0
    while after is not None:
        with store.read() as session:
            quoting, replies, after = traces.answers(session, names, after)  # type: ignore[assignment]
        if quoting or replies:
            with store.write() as session:
                traces.forget_answers(session, quoting, replies)
        quoted += len(quoting)
    with store.write() as session:
        traces.forget_lines(session, names)
    return quoted


def in_batches(
    store: Store, step: Callable[[Session], int], advance: Callable[[int], None] = lambda _: None
) -> int:
    """Repeat a step until it finds nothing more to do; what it came to.

    Each time is a transaction of its own that holds the brands, so that nobody collects meanwhile.
    """
    total = 0
    while True:
        with store.write() as session:
            _held(session)
            done = step(session)
        total += done
        advance(done)
        if not done:
            return total


def _held(session: Session) -> None:
    """Let nobody collect meanwhile: every brand, in one order, as those who collect hold theirs."""
    for brand in sorted(brands.all_brands(session), key=lambda brand: brand.id or 0):
        brands.hold(session, brand.id)


def _mark(person: Subject) -> str:
    return tombstones.author_mark((person.source, person.key))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=lambda told: told.isoformat())


