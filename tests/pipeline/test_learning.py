"""What a brand's people correct and add is learned, measured, offered, and only counts when they accept it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from collectors.http import WebOptions
from config.catalogue import read_catalogue
from escucha.brand import Brand
from escucha.enrichment import Enrichment
from escucha.errors import Conflict, Invalid, NotFound
from escucha.vector import pack
from nlp import adapt, again, study
from nlp.adapt import from_bytes
from nlp.chain import ModelOptions
from pipeline import learning
from pipeline.means import Means
from pipeline.pool import Inline
from pipeline.retag import work_off
from store import brands, corrections, enrichments, heads, jobs, mentions, taxonomy
from store.engine import Store
from store.tables import HeadRow, RuleRow
from tests.make import NOW, brand, mention, understood

EXAMPLES = [
    "¿Tienen garantía extendida para la cafetera?", "La garantía no cubre el motor", "Perdí el recibo de la garantía",
    "¿Cuántos años dura la garantía?", "Me negaron la garantía por un golpe", "Hice válida la garantía sin problema",
    "The warranty expired last week", "Me cambiaron el equipo por garantía", "Garantía de un año, nada más",
    "Registré mi garantía en la página",
]
ABOUT = {"es": "Habla de la garantía: cobertura, plazo o trámite."}


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        return brands.add(session, brand("lumbre"))


def heard(store: Store, of: Brand, at: Sequence[int], version: str | None = None) -> list[int]:
    """Mentions with the vectors of the model's own dev texts; their ids."""
    given = study.material("stage")
    vectors = pack(given.held.vectors[list(at)], version or given.reads)
    with store.write() as session:
        mentions.save(session, of, [mention(f"{version}{number}", f"Texto {number}") for number in at], NOW)
        claimed = sorted(enrichments.claim(session, len(at), NOW), key=lambda one: one.id)
        tagged: list[tuple[enrichments.Pending, Enrichment]] = [
            (one, replace(understood(stage="retention"), vector=vector))
            for one, vector in zip(claimed, vectors, strict=True)
        ]
        enrichments.save(session, tagged, NOW)
        return [one.id for one in claimed]


def correct(store: Store, ids: Sequence[int], label: str, kind: str = "stage") -> None:
    with store.write() as session:
        for id in ids:
            corrections.correct(session, id, kind, label, NOW)


def test_a_head_learns_what_a_person_corrects_and_its_report_counts_every_correction(
    store: Store, lumbre: Brand
) -> None:
    given = study.material("stage")
    at = [int(i) for i in np.flatnonzero(given.held.labels == "retention")[:60]]
    ids = heard(store, lumbre, at)
    correct(store, ids, "advocacy")
    head = learning.train(store, lumbre, "stage", NOW)
    here = head.report["held_back"]
    assert head.state == "offered"
    assert head.reads == given.reads
    assert head.report["corrections"] == 60
    assert here["n"] == sum(study.held_back(id) for id in ids)
    assert head.report["learned"] == 60 - here["n"]
    assert here["after"]["accuracy"] > here["before"]["accuracy"]
    assert head.report["elsewhere"]["n"] == len(given.held)
    with store.read() as session:
        assert heads.active(session, lumbre.id or 0) == {}


def test_too_few_corrections_are_refused_with_how_many_are_missing(store: Store, lumbre: Brand) -> None:
    correct(store, heard(store, lumbre, range(5)), "advocacy")
    with pytest.raises(Invalid, match="Correct 3 more"):
        learning.train(store, lumbre, "stage", NOW)
    with store.read() as session:
        ready = {one.kind: one.missing for one in learning.readiness(session, lumbre.id or 0)}
    assert ready == {"sentiment": 8, "stage": 3, "pain": 8, "touchpoint": 8}


def test_corrections_of_texts_that_another_model_read_are_not_learned_from(store: Store, lumbre: Brand) -> None:
    correct(store, heard(store, lumbre, range(9), version="older"), "advocacy")
    with pytest.raises(Invalid, match="0 can be learned from"):
        learning.train(store, lumbre, "stage", NOW)


@pytest.mark.parametrize("kind", ["emotion", "lang", "", "stages"])
def test_a_kind_that_no_person_sets_is_refused(store: Store, lumbre: Brand, kind: str) -> None:
    with pytest.raises(Invalid, match="sentiment, stage, pain, touchpoint"):
        learning.train(store, lumbre, kind, NOW)


def trained(store: Store, of: Brand, ids: Sequence[int], label: str) -> int:
    correct(store, ids, label)
    return learning.train(store, of, "stage", NOW).id


def test_accepting_rejecting_and_undoing_lead_from_head_to_head_and_label_the_mentions_again(
    store: Store, lumbre: Brand
) -> None:
    ids = heard(store, lumbre, range(10))
    first = trained(store, lumbre, ids, "advocacy")
    with store.write() as session:
        _, job = learning.accept(session, lumbre, first, NOW)
        assert jobs.get(session, job).how == "heads"
    second = trained(store, lumbre, ids, "awareness")
    assert serves(store, lumbre) == first
    with store.write() as session:
        learning.accept(session, lumbre, second, NOW)
    assert serves(store, lumbre) == second
    third = trained(store, lumbre, ids, "decision")
    with store.write() as session:
        learning.reject(session, lumbre, third, NOW)
        with pytest.raises(Conflict, match="rejected"):
            learning.accept(session, lumbre, third, NOW)
    for expected in (first, None):
        with store.write() as session:
            former, _ = learning.roll_back(session, lumbre, "stage", NOW)
        assert (former.id if former else None) == expected == serves(store, lumbre)
    with store.write() as session, pytest.raises(NotFound, match="nothing to undo"):
        learning.roll_back(session, lumbre, "stage", NOW)


def test_an_undo_leaves_out_a_head_of_a_model_that_has_been_replaced(store: Store, lumbre: Brand) -> None:
    ids = heard(store, lumbre, range(10))
    for label in ("advocacy", "awareness"):
        head_id = trained(store, lumbre, ids, label)
        with store.write() as session:
            learning.accept(session, lumbre, head_id, NOW)
            session.get_one(HeadRow, head_id).reads = {"advocacy": "older"}.get(label, study.reading())
    with store.write() as session:
        assert learning.roll_back(session, lumbre, "stage", NOW)[0] is None
    assert serves(store, lumbre) is None


class Standing(Executor):
    """A pool whose taggers are those that the mentions of these tests were tagged by; it reads no text."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        assert fn.__name__ == "standing", "a text was read again"
        return Inline().submit(lambda: again.Standing(versions={"test": "1"}, reads=study.reading()))


def test_an_accepted_head_labels_the_stored_mentions_from_their_vectors_and_undoing_it_takes_that_back(
    store: Store, lumbre: Brand
) -> None:
    ids = heard(store, lumbre, range(24))
    given = study.material("stage")
    head_id = trained(store, lumbre, ids[:12], "advocacy")
    means = Means(store=store, pool=Standing(), web=WebOptions(), models=ModelOptions())
    with store.write() as session:
        head, _ = learning.accept(session, lumbre, head_id, NOW)
    work_off(means, lambda: NOW)
    own = from_bytes(head.classes, head.weights)
    assert stages(store, ids) == ["advocacy"] * 12 + adapt.answers(own, given.held.vectors[12:24])
    with store.write() as session:
        learning.roll_back(session, lumbre, "stage", NOW)
    work_off(means, lambda: NOW)
    assert stages(store, ids) == ["advocacy"] * 12 + adapt.answers(given.base, given.held.vectors[12:24])


def stages(store: Store, ids: Sequence[int]) -> list[str]:
    with store.read() as session:
        found = [mentions.get(session, id).enrichment.stage for id in ids]
    return [label.label for label in found if label]


def serves(store: Store, of: Brand) -> int | None:
    with store.read() as session:
        found = heads.active(session, of.id or 0).get("stage")
        return found.id if found else None


def test_a_head_of_another_brand_or_for_another_model_is_not_accepted(store: Store, lumbre: Brand) -> None:
    with store.write() as session:
        other = brands.add(session, brand("nebula"))
        old = heads.NewHead(kind="stage", reads="older", classes=("a",), weights=b"", report={})
        offered = heads.offer(session, lumbre.id or 0, old, NOW)
    with store.write() as session, pytest.raises(NotFound):
        learning.accept(session, other, offered.id, NOW)
    with store.write() as session, pytest.raises(Conflict, match="another version"):
        learning.accept(session, lumbre, offered.id, NOW)


def test_a_new_offer_takes_the_place_of_one_that_nobody_answered(store: Store, lumbre: Brand) -> None:
    ids = heard(store, lumbre, range(10))
    first, second = trained(store, lumbre, ids, "advocacy"), trained(store, lumbre, ids, "awareness")
    with store.read() as session:
        states = {head.id: head.state for head in heads.all_heads(session, lumbre.id or 0)}
    assert states == {first: "superseded", second: "offered"}
    with store.write() as session, pytest.raises(Conflict, match="superseded"):
        learning.accept(session, lumbre, first, NOW)


def added(store: Store, of: Brand, kind: str = "touchpoint") -> int:
    _, head = learning.add_label(store, of, read_catalogue(), kind, {"es": "Garantía"}, ABOUT, EXAMPLES, NOW)
    return head.id


def test_an_own_label_is_learned_from_its_examples_and_known_to_the_brand_alone(store: Store, lumbre: Brand) -> None:
    added(store, lumbre)
    shipped = read_catalogue()
    with store.write() as session:
        other = brands.add(session, brand("nebula"))
        head = heads.all_heads(session, lumbre.id or 0)[0]
        own = taxonomy.catalogue(session, lumbre.id, shipped)
        assert taxonomy.catalogue(session, other.id, shipped) == shipped
    assert own.touchpoints[-1].key == "garantia" == head.classes[-1]
    assert head.report["own"]["garantia"]["examples"] == len(EXAMPLES)
    assert head.report["own"]["garantia"]["found"] >= len(EXAMPLES) / 2
    assert answers(head, ["¿La garantía cubre la pantalla?", "Compré pan en la tienda"])[0] == "garantia"


def answers(head: heads.StoredHead, texts: list[str]) -> list[str]:
    return adapt.answers(from_bytes(head.classes, head.weights), study.embed(texts))


def test_retiring_a_label_takes_it_out_of_heads_and_corrections(store: Store, lumbre: Brand) -> None:
    head_id = added(store, lumbre)
    ids = heard(store, lumbre, range(3))
    with store.write() as session:
        learning.accept(session, lumbre, head_id, NOW)
    correct(store, ids[:2], "garantia", "touchpoint")
    with store.write() as session:
        removed, taken_back = learning.remove_label(session, lumbre, "touchpoint", "garantia", NOW)
    assert (removed.key, taken_back) == ("garantia", 2)
    with store.read() as session:
        head = heads.get(session, lumbre.id or 0, head_id)
        assert "garantia" not in head.classes
        assert len(answers(head, ["La garantía"])) == 1
        assert labels(session, ids) == ["none", "none", "none"]
        assert taxonomy.of_brand(session, lumbre.id or 0) == ()
        assert jobs.all_jobs(session, lumbre.id)[0].open


def labels(session: Session, ids: Sequence[int]) -> list[str]:
    found = [mentions.get(session, id).enrichment.touchpoint for id in ids]
    return [label.label for label in found if label]


def test_a_label_that_a_rule_gives_cannot_be_retired(store: Store, lumbre: Brand) -> None:
    added(store, lumbre)
    with store.write() as session:
        session.add(RuleRow(brand_id=lumbre.id, name="papeles", words=["póliza"], kind="touchpoint", label="garantia",
                            active=True, made_at=NOW))
    with store.write() as session, pytest.raises(Conflict, match="papeles"):
        learning.remove_label(session, lumbre, "touchpoint", "garantia", NOW)


def test_a_shipped_label_gets_other_words_and_its_own_back(store: Store, lumbre: Brand) -> None:
    shipped = read_catalogue()
    with store.write() as session:
        learning.rename_label(session, lumbre, shipped, "stage", "advocacy", {"es": "Embajadores"}, {}, NOW)
        renamed = taxonomy.catalogue(session, lumbre.id, shipped).stages
        assert [stage.label["es"] for stage in renamed if stage.key == "advocacy"] == ["Embajadores"]
        assert len(renamed) == len(shipped.stages)
        learning.rename_label(session, lumbre, shipped, "stage", "advocacy", {"es": "Fans"}, {}, NOW)
        learning.remove_label(session, lumbre, "stage", "advocacy", NOW)
        assert taxonomy.catalogue(session, lumbre.id, shipped) == shipped
        with pytest.raises(NotFound):
            learning.remove_label(session, lumbre, "stage", "advocacy", NOW)


@pytest.mark.parametrize(
    ("kind", "name", "about", "examples", "problem"),
    [
        ("emotion", {"es": "X"}, ABOUT, EXAMPLES, "stage, pain, touchpoint"),
        ("pain", {"es": " "}, ABOUT, EXAMPLES, "Write a name"),
        ("pain", {"es": "Garantía"}, {"es": ""}, EXAMPLES, "Write a description"),
        ("pain", {"es": "!!!"}, ABOUT, EXAMPLES, "cannot be a name"),
        ("pain", {"es": "None"}, ABOUT, EXAMPLES, "cannot be a name"),
        ("pain", {"es": "x" * 61}, ABOUT, EXAMPLES, "too long"),
        ("pain", {"es": "Garantía"}, ABOUT, EXAMPLES[:7], "Add 1 more"),
        ("pain", {"es": "Garantía"}, ABOUT, [*EXAMPLES[:6], EXAMPLES[0], "  "], "Add 2 more"),
        ("pain", {"es": "Garantía"}, ABOUT, [f"ejemplo {n}" for n in range(65)], "64 at most"),
        ("pain", {"es": "Garantía"}, ABOUT, [*EXAMPLES, "x" * 4001], "4000 characters"),
        ("stage", {"es": "retencion"}, ABOUT, EXAMPLES, "called retencion already"),
        ("stage", {"en": "Advocacy"}, ABOUT, EXAMPLES, "called Advocacy already"),
    ],
)
def test_what_is_off_with_a_new_label_is_said_and_nothing_is_saved(
    sqlite_store: Store, kind: str, name: dict[str, str], about: dict[str, str], examples: list[str], problem: str
) -> None:
    with sqlite_store.write() as session:
        of = brands.add(session, brand())
    with pytest.raises((Invalid, Conflict), match=problem):
        learning.add_label(sqlite_store, of, read_catalogue(), kind, name, about, examples, NOW)
    with sqlite_store.read() as session:
        assert taxonomy.of_brand(session, of.id or 0) == ()


def test_a_name_that_another_label_has_cannot_be_taken_by_renaming(sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        of = brands.add(session, brand())
        with pytest.raises(Conflict):
            learning.rename_label(session, of, read_catalogue(), "stage", "advocacy", {"es": "RETENCIÓN"}, {}, NOW)
        with pytest.raises(Invalid, match="awareness"):
            learning.rename_label(session, of, read_catalogue(), "stage", "nope", {"es": "Otra"}, {}, NOW)
