"""Everything that waits is tagged; a text that cannot be read costs the others nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from collectors.http import WebOptions
from escucha.errors import ModelError
from escucha.filter import MentionFilter
from nlp.chain import ModelOptions, Outcome
from pipeline.enrich import Enriched, enrich_pending
from pipeline.means import Means
from pipeline.pool import Inline, open_pool
from store import brands, mentions, metrics
from store.engine import Store
from tests import make


class Answering(Executor):
    """A pool whose taggers answer as the test says."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        return Inline().submit(self._answer, *args)


def means(store: Store, pool: Executor) -> Means:
    return Means(store=store, pool=pool, web=WebOptions(), models=ModelOptions())


def fill(store: Store, *texts: str) -> None:
    with store.write() as session:
        lumbre = brands.add(session, make.brand())
        said = [make.mention(str(i), text) for i, text in enumerate(texts)]
        mentions.save(session, lumbre, said, make.NOW)


def count(store: Store, **filter: Any) -> int:
    with store.read() as session:
        return metrics.count(session, MentionFilter(**filter))


def picky(_: ModelOptions, batch: Sequence[Any]) -> list[Outcome]:
    def note(text: str) -> str | None:
        return "no se puede leer" if "veneno" in text else None

    return [Outcome(enrichment=make.understood(e.text), note=note(e.text)) for e in batch]


def test_the_embedded_model_tags_what_waits_on_both_stores(store: Store) -> None:
    fill(store, *["Me encantó el café, lo recomiendo a todos"] * 3, *["Llevo una hora esperando mi pedido, pésimo"] * 3)
    with open_pool(threads=2) as pool:
        result = enrich_pending(means(store, pool), lambda: make.NOW)
    assert result == Enriched(done=6, failed=0)
    assert count(store, state="pending") == 0
    assert count(store, sentiments=("positive",), langs=("es",)) == 3
    assert count(store, sentiments=("negative",), langs=("es",)) == 3


def test_a_poison_text_is_set_aside_with_its_note_and_the_rest_are_tagged(store: Store) -> None:
    fill(store, "uno", "veneno", "tres")
    result = enrich_pending(means(store, Answering(picky)), lambda: make.NOW)
    assert result == Enriched(done=2, failed=3)
    assert (count(store, state="done"), count(store, state="failed")) == (2, 1)
    with store.read() as session:
        (failed,) = mentions.find(session, MentionFilter(state="failed")).items
    assert failed.note == "no se puede leer"


def test_a_model_that_cannot_run_leaves_everything_waiting(store: Store) -> None:
    def broken(*_: Any) -> list[Outcome]:
        raise ModelError("The model cannot be loaded.")

    fill(store, "uno", "dos")
    with pytest.raises(ModelError):
        enrich_pending(means(store, Answering(broken)), lambda: make.NOW)
    assert count(store, state="pending") == 2
    assert enrich_pending(means(store, Answering(picky)), lambda: make.NOW) == Enriched(done=2, failed=0)


def test_progress_counts_every_mention(store: Store) -> None:
    fill(store, *(f"texto {i}" for i in range(300)))
    told: list[int] = []
    enrich_pending(means(store, Answering(picky)), lambda: make.NOW, told.append)
    assert sum(told) == 300
    assert len(told) > 1


def test_nothing_to_do_is_nothing_done(store: Store) -> None:
    assert enrich_pending(means(store, Answering(picky)), lambda: make.NOW) == Enriched(done=0, failed=0)


@pytest.fixture(autouse=True)
def _no_thread_is_left_behind() -> Iterator[None]:
    import threading

    before = threading.active_count()
    yield
    assert threading.active_count() <= before + 1
