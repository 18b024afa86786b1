"""Learns a brand: fits heads from its corrections and own labels, offers them, and acts on what a person decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from escucha.brand import Brand
from escucha.correction import check_kind
from escucha.errors import Conflict, Invalid
from escucha.journey import Catalogue
from escucha.rule import KINDS
from escucha.taxonomy import OwnLabel, new_label, new_words
from escucha.vector import unpack
from pipeline import retag
from store import corrections, heads, taxonomy
from store.engine import Store
from store.heads import Corrected, NewHead, StoredHead

if TYPE_CHECKING:  # numpy and scipy are opened only where a head is fitted
    from nlp.adapt import Told
    from nlp.study import Material, Study, Wish

LEAST = 8
"""Corrections of a kind below which nothing is learned from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What a kind has to learn from: corrections `usable` now (of `corrected` in all), own labels with examples."""

    kind: str
    corrected: int
    usable: int
    own: int

    @property
    def missing(self) -> int:
        """How many corrections are missing before there is enough to learn from; 0 where own labels suffice."""
        return 0 if self.own else max(LEAST - self.usable, 0)


def readiness(session: Session, brand_id: int) -> list[Ready]:
    """For each kind that a head of one's own may read, whether there is enough to learn from."""
    reads, own = _reads(), taxonomy.of_brand(session, brand_id)
    return [_ready(kind, heads.corrected(session, brand_id, kind), own, reads) for kind in KINDS]


def train(store: Store, brand: Brand, kind: str, now: datetime) -> StoredHead:
    """Fit a head for a kind and offer it; what serves the brand stays until somebody accepts it. Takes seconds.

    Raises:
        Invalid: no such kind, or too little to learn from.
        ModelError: the model's own files are missing or damaged.
    """
    from nlp import study

    check_kind(kind)
    given = study.material(kind)
    with store.read() as session:
        rows = heads.corrected(session, _id(brand), kind)
        own = tuple(label for label in taxonomy.of_brand(session, _id(brand)) if label.kind == kind)
        before = heads.active(session, _id(brand)).get(kind)
    _check_enough(_ready(kind, rows, own, given.reads))
    found = study.study(given, _wish(given, rows, own, before))
    with store.write() as session:
        return heads.offer(session, _id(brand), _new(kind, given.reads, found, before), now)


def accept(session: Session, brand: Brand, head_id: int, now: datetime) -> tuple[StoredHead, int]:
    """Put an offered head to use, and have the brand's mentions labelled again: the head, and the job's number.

    Raises:
        NotFound: the brand has no such head.
        Conflict: it was decided on, or reads the vectors of a model that has been replaced.
    """
    head = heads.get(session, _id(brand), head_id)
    if head.state == "offered" and head.reads != _reads():
        raise Conflict("Head {id} was made for another version of the model. Train a new one.", id=head_id)
    accepted = heads.accept(session, _id(brand), head_id, now)
    return accepted, retag.ask(session, _id(brand), "heads", now)


def reject(session: Session, brand: Brand, head_id: int, now: datetime) -> StoredHead:
    """Leave an offered head out of use. Raises NotFound or Conflict as `accept` does."""
    return heads.reject(session, _id(brand), head_id, now)


def roll_back(session: Session, brand: Brand, kind: str, now: datetime) -> tuple[StoredHead | None, int]:
    """Go back to the head before (None: the embedded one), and have the mentions labelled again: with the job's number.

    Raises Invalid for an unknown kind, and NotFound where the embedded one serves already.
    """
    check_kind(kind)
    return heads.roll_back(session, _id(brand), kind, _reads()), retag.ask(session, _id(brand), "heads", now)


def add_label(
    store: Store, brand: Brand, shipped: Catalogue, kind: str, label: Mapping[str, str], meaning: Mapping[str, str],
    examples: Sequence[str], now: datetime,
) -> tuple[OwnLabel, StoredHead]:
    """Add a label of the brand's own, and offer a head that knows it.

    Raises:
        Invalid: no such kind, no name or description, or too few examples.
        Conflict: there is a label of this name.
    """
    with store.write() as session:
        own = new_label(taxonomy.catalogue(session, _id(brand), shipped), kind, label, meaning, examples)
        taxonomy.add(session, _id(brand), own, now)
    return own, train(store, brand, kind, now)


def rename_label(
    session: Session, brand: Brand, shipped: Catalogue, kind: str, key: str, label: Mapping[str, str],
    meaning: Mapping[str, str], now: datetime,
) -> OwnLabel:
    """Give a label other words; its key, and what is labelled with it, stay.

    Raises:
        Invalid: no such label, or no name.
        Conflict: another label has this name.
    """
    words, meant = new_words(taxonomy.catalogue(session, _id(brand), shipped), kind, key, label, meaning)
    own = OwnLabel(kind=kind, key=key, label=words, meaning=meant)  # type: ignore[arg-type]
    return taxonomy.rename(session, _id(brand), own, now)


def remove_label(session: Session, brand: Brand, kind: str, key: str, now: datetime) -> tuple[OwnLabel, int]:
    """Retire an own label, or give one that ships its words back: what it was, and how many corrections went with it.

    A retired label leaves the brand's heads and its mentions, which are labelled again.

    Raises:
        NotFound: the brand has no such label or words.
        Conflict: a rule of the brand uses it.
    """
    if rules := taxonomy.rules_with(session, _id(brand), kind, key):
        own = next((one for one in taxonomy.of_brand(session, _id(brand)) if (one.kind, one.key) == (kind, key)), None)
        if own is not None and own.added:
            raise Conflict("These rules use {key}: {rules}. Remove them first.", key=key, rules=", ".join(rules))
    removed = taxonomy.remove(session, _id(brand), kind, key)
    if not removed.added:
        return removed, 0
    heads.strip(session, _id(brand), kind, key, lambda head: _without(head, key))
    corrected = taxonomy.corrected(session, _id(brand), kind, key)
    for mention_id in corrected:
        corrections.undo(session, mention_id, kind)
    retag.ask(session, _id(brand), "heads", now)
    return removed, len(corrected)


def _ready(kind: str, rows: Sequence[Corrected], own: Sequence[OwnLabel], reads: str) -> Ready:
    return Ready(
        kind=kind, corrected=len(rows), usable=sum(_usable(row, reads) for row in rows),
        own=sum(label.kind == kind and label.added for label in own),
    )


def _usable(row: Corrected, reads: str) -> bool:
    return row.vector is not None and row.vector.version == reads


def _check_enough(ready: Ready) -> None:
    if not ready.missing:
        return
    if ready.corrected >= LEAST:
        raise Invalid(
            "Of {n} corrections of {kind}, {usable} can be learned from: the others' texts have not been read by "
            "today's model. Run `escucha retag --all` and try again.",
            n=ready.corrected, kind=ready.kind, usable=ready.usable,
        )
    raise Invalid(
        "{n} corrections of {kind} are too few to learn from: at least {least} are needed. Correct {missing} more.",
        n=ready.usable, kind=ready.kind, least=LEAST, missing=ready.missing,
    )


def _wish(given: Material, rows: Sequence[Corrected], own: Sequence[OwnLabel], before: StoredHead | None) -> Wish:
    from nlp import study
    from nlp.adapt import from_bytes

    known = {*given.base.classes, *(label.key for label in own if label.added)}
    usable = [row for row in rows if _usable(row, given.reads) and row.label in known]
    examples = [(text, label.key) for label in own for text in label.examples]
    described = [(text, label.key) for label in own if label.added for text in label.described]
    width = given.lessons.vectors.shape[1]
    return study.Wish(
        learned=_told([row for row in usable if not study.held_back(row.mention_id)], width),
        held_back=_told([row for row in usable if study.held_back(row.mention_id)], width),
        examples=_read(examples), described=_read(described),
        before=from_bytes(before.classes, before.weights) if before and before.reads == given.reads else None,
    )


def _read(pairs: Sequence[tuple[str, str]]) -> Told:
    """Texts with their labels' keys as the encoder reads them."""
    from nlp import study

    return study.told(study.embed([text for text, _ in pairs]), [key for _, key in pairs])


def _told(rows: Sequence[Corrected], width: int) -> Told:
    from nlp import study

    data = [row.vector.data for row in rows if row.vector]
    vectors = unpack(data) if data else study.nothing(width)
    return study.told(vectors, [row.label for row in rows])


def _new(kind: str, reads: str, found: Study, before: StoredHead | None) -> NewHead:
    from nlp.adapt import to_bytes

    report: dict[str, Any] = {**found.report, "follows": before.id if before else None}
    return NewHead(kind=kind, reads=reads, classes=found.head.classes, weights=to_bytes(found.head), report=report)


def _without(head: StoredHead, key: str) -> NewHead:
    from nlp.adapt import from_bytes, to_bytes, without

    bare = without(from_bytes(head.classes, head.weights), {key})
    return NewHead(kind=head.kind, reads=head.reads, classes=bare.classes, weights=to_bytes(bare), report=head.report)


def _reads() -> str:
    from nlp import study

    return study.reading()


def _id(brand: Brand) -> int:
    assert brand.id is not None  # noqa: S101 (every stored brand has one)
    return brand.id
