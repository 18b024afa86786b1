"""Corrects: a person sets a label right, and a brand's rules are tried, put to the stored mentions, and taken back."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from escucha.brand import Brand
from escucha.correction import PERSON, check_label, effective
from escucha.enrichment import Enrichment, TaggedMention
from escucha.filter import MentionFilter
from escucha.journey import Catalogue
from escucha.rule import Change, Rule, Trial, checked, occurs
from escucha.text import fold
from store import brands, corrections, mentions, metrics, rules, taxonomy
from store.engine import Store

BATCH = 500
"""Mentions read and set in one transaction."""
EXAMPLES = 20


def correct(
    session: Session, shipped: Catalogue, mention_id: int, kind: str, label: str, now: datetime
) -> TaggedMention:
    """Set a label right, to a shipped one or one of the brand's own; it counts at once. The mention as it is then.

    Raises:
        Invalid: the kind cannot be set, or has no such label.
        NotFound: there is no such mention.
    """
    brand = brands.get(session, mentions.get(session, mention_id).brand)
    check_label(taxonomy.catalogue(session, brand.id, shipped), kind, label)
    corrections.correct(session, mention_id, kind, label, now)
    return mentions.get(session, mention_id)


def undo(session: Session, mention_id: int, kind: str) -> TaggedMention:
    """Take a correction back; a rule or the model answers again. Raises NotFound where nothing was corrected."""
    corrections.undo(session, mention_id, kind)
    return mentions.get(session, mention_id)


def add_rule(store: Store, shipped: Catalogue, rule: Rule, now: datetime) -> tuple[Rule, int]:
    """Save a rule and put it to the stored mentions; the rule, and how many mentions have other labels now.

    Raises:
        Invalid: it has no words, its label does not exist, or it could change nothing.
        Conflict: the brand has such a rule already.
    """
    with store.write() as session:
        added = rules.add(session, proper(session, shipped, rule), now)
    changed = spread(store, added.id or 0)
    return replace(added, waits=False), changed


def switch_rule(store: Store, brand: Brand, rule_id: int, *, active: bool) -> tuple[Rule, int]:
    """Put a rule in force or out of it, for stored mentions too. Raises NotFound."""
    assert brand.id is not None  # noqa: S101 (every stored brand has one)
    with store.write() as session:
        rule = rules.switch(session, rule_id, brand.id, active=active)
    changed = spread(store, rule_id)
    return replace(rule, waits=False), changed


def remove_rule(store: Store, brand: Brand, rule_id: int) -> int:
    """Take a rule back: what it set is as it was before; how many mentions changed. Raises NotFound."""
    _, changed = switch_rule(store, brand, rule_id, active=False)
    with store.write() as session:
        rules.remove(session, rule_id)
    return changed


def spread(store: Store, rule_id: int) -> int:
    """Put a rule that waits to the stored mentions, a batch in a transaction; how many have other labels now.

    Where it is cut off, the rule goes on waiting from there: `spread_waiting` ends what was begun.
    """
    changed = 0
    while True:
        with store.write() as session:
            ids = rules.advance(session, rule_id, BATCH)
            changed += corrections.refresh(session, ids)
        if not ids:
            return changed


def spread_waiting(store: Store) -> int:
    """Put every rule that still waits to the stored mentions; how many rules waited (some may be gone by now)."""
    with store.read() as session:
        waiting = rules.waiting(session)
    for rule_id in waiting:
        spread(store, rule_id)
    return len(waiting)


def try_rule(session: Session, shipped: Catalogue, brand: Brand, rule: Rule) -> Trial:
    """What a rule would change if it were saved now; nothing is saved. Raises Invalid as `add_rule` does."""
    assert brand.id is not None  # noqa: S101 (every stored brand has one)
    rule = proper(session, shipped, replace(rule, brand_id=brand.id))
    present = rules.of_brands(session, [brand.id])[brand.id]
    counts = metrics.tallies(session, MentionFilter(brand=brand.slug), rule.kind)
    before = Counter({tally.key: tally.n for tally in counts})
    after, examples, matched, changed = Counter(before), deque[Change](maxlen=EXAMPLES), 0, 0
    for mention_id, found in _touched(session, brand.id, rule):
        matched += occurs(rule.words, fold(found.text))
        if change := _change(mention_id, found, present, rule):
            changed += 1
            examples.append(change)
            after.subtract([change.old] if change.old else [])
            after.update([change.new])
    return Trial(looked_at=rules.stored(session, brand.id), matched=matched, changed=changed, before=dict(before),
                 after=dict(after), examples=tuple(reversed(examples)))


def proper(session: Session, shipped: Catalogue, rule: Rule) -> Rule:
    """The rule, tidied. Raises Invalid for words, a kind or labels that are off."""
    catalogue = taxonomy.catalogue(session, rule.brand_id, shipped)
    for label in (rule.label, rule.only):
        if label is not None:
            check_label(catalogue, rule.kind, label)
    return checked(rule)


def _touched(session: Session, brand_id: int, rule: Rule) -> Iterator[tuple[int, Enrichment]]:
    after = 0
    while batch := rules.touched(session, brand_id, rule.words, after, BATCH):
        yield from batch
        after, _ = batch[-1]


def _change(mention_id: int, found: Enrichment, present: tuple[Rule, ...], rule: Rule) -> Change | None:
    """What saving the rule would change of a mention, or None."""
    if not found.versions:  # not read by the model yet
        return None
    persons = {kind: getattr(found, kind).label for kind, said in found.said.items() if said.by == PERSON}
    old, new = getattr(found, rule.kind), getattr(effective(found, (*present, rule), persons), rule.kind)
    if new is None or (old and old.label == new.label):
        return None
    return Change(id=mention_id, text=found.text, old=old.label if old else None, new=new.label)
