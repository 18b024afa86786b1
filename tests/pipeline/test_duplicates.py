"""Copies find their first one, whatever the order in which mentions come, change, go and are hidden."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import combinations, count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from escucha.brand import Brand
from nlp.likeness import ALIKE, likeness, shingles, sign
from pipeline.duplicates import REMEMBERED, forget_bands, group_waiting
from pipeline.pool import Inline
from store import bands, brands, duplicates, enrichments, mentions, rollups
from store.engine import Store
from store.tables import BandRow, MentionRow, TallyRow
from tests import make

LATE = "El café de Lumbre llegó frío y la repartidora tardó casi dos horas, no vuelvo a pedir"
LATE_TOO = LATE.replace("frío", "helado")
PARK = "Abren otra sucursal en el centro y todavía no encuentro dónde estacionarme por la tarde"
THANKS = "muchas gracias"
WINDOWS = [" ".join(f"palabra{number}" for number in range(start, start + 20)) for start in range(0, 21, 3)]
"""Each is near the one before and the one after it, and not near the others."""


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        return brands.add(session, make.brand())


def hear(store: Store, brand: Brand, *texts: str, first: int = 1, ago: Iterable[int] | None = None) -> None:
    """Save texts as the mentions first, first + 1, …; each said an hour after the one before, or so many hours ago."""
    hours = list(ago or range(100 - first, 100 - first - len(texts), -1))
    said = [make.mention(str(first + i), text, created_at=make.NOW - timedelta(hours=hours[i]))
            for i, text in enumerate(texts)]
    with store.write() as session:
        mentions.save(session, brand, said, make.NOW)


def remove(store: Store, *numbers: int) -> None:
    with store.write() as session:
        asked = MentionRow.source_id.in_([str(number) for number in numbers])
        mentions.remove(session, session.scalars(select(MentionRow.id).where(asked)).all())


def hide(store: Store, number: int, why: str | None) -> None:
    with store.write() as session:
        ids = session.scalars(select(MentionRow.id).where(MentionRow.source_id == str(number))).all()
        with duplicates.kept(session, ids):
            session.execute(update(MentionRow).where(MentionRow.id.in_(ids)).values(hidden=why))


def group(store: Store, batch: int = 500) -> int:
    return group_waiting(store, Inline(), batch=batch)


def clusters(store: Store) -> list[list[int]]:
    """The clusters by their mentions' source ids, the first one first, the others in order."""
    with store.read() as session:
        rows = session.execute(select(MentionRow.cluster_id, MentionRow.copy, MentionRow.source_id)).all()
    found: dict[int, list[tuple[bool, int]]] = {}
    for cluster, copy, source_id in rows:
        if cluster:
            found.setdefault(cluster, []).append((copy, int(source_id)))
    return sorted([number for _, number in sorted(of)] for of in found.values())


def counted(store: Store) -> tuple[int, int]:
    """How many mentions the roll-ups count, and how many of them as copies; they agree with a recount."""
    with store.read() as session:
        assert rollups.verify(session) == []
        query = select(func.sum(TallyRow.n), func.sum(TallyRow.copies)).where(TallyRow.dimension == "")
        n, copies = session.execute(query).one()
        return int(n or 0), int(copies or 0)


def test_copies_are_grouped_under_the_earliest(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, LATE, PARK, f"RT @x: {LATE}", LATE_TOO, ago=[10, 9, 30, 20])
    assert group(store) == 4
    assert clusters(store) == [[3, 1, 4]]
    assert counted(store) == (4, 2)


def test_nothing_is_compared_twice(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, LATE, PARK, THANKS, THANKS, "")
    assert group(store) == 5
    assert group(store) == 0
    assert clusters(store) == []


def test_clusters_grow_as_mentions_come(store: Store, lumbre: Brand) -> None:
    for number, text in enumerate([LATE, LATE, LATE_TOO, PARK, LATE.upper()], start=1):
        hear(store, lumbre, text, first=number)
        group(store)
    assert clusters(store) == [[1, 2, 3, 5]]
    assert counted(store) == (5, 3)


def test_an_older_post_that_comes_later_becomes_the_first(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, LATE, LATE)
    group(store)
    hear(store, lumbre, LATE, first=3, ago=[500])
    group(store)
    assert clusters(store) == [[3, 1, 2]]
    assert counted(store) == (3, 2)


def test_a_post_between_two_clusters_joins_them(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, WINDOWS[0], WINDOWS[0], WINDOWS[2], WINDOWS[2])
    group(store)
    assert clusters(store) == [[1, 2], [3, 4]]
    hear(store, lumbre, WINDOWS[1], first=5)
    group(store)
    assert clusters(store) == [[1, 2, 3, 4, 5]]
    assert counted(store) == (5, 4)


def test_they_part_when_the_one_between_goes(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, WINDOWS[0], WINDOWS[0], WINDOWS[2], WINDOWS[2], WINDOWS[1])
    group(store)
    remove(store, 5)
    assert counted(store) == (4, 0)
    group(store)
    assert clusters(store) == [[1, 2], [3, 4]]
    assert counted(store) == (4, 2)


def test_when_the_first_goes_the_next_is_the_first(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, LATE, LATE, LATE)
    group(store)
    remove(store, 1)
    assert clusters(store) == [[2, 3]]
    assert counted(store) == (2, 1)
    remove(store, 2)
    assert clusters(store) == []
    assert counted(store) == (1, 0)


def test_an_edit_leaves_its_cluster_and_finds_another(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, LATE, LATE, PARK)
    group(store)
    hear(store, lumbre, PARK)
    assert clusters(store) == []
    group(store)
    assert clusters(store) == [[1, 3]]
    assert counted(store) == (3, 1)


def test_the_newest_copy_that_goes_leaves_what_finds_near_ones(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, LATE, LATE)
    group(store)
    remove(store, 2)
    hear(store, lumbre, LATE_TOO, first=3)
    group(store)
    assert clusters(store) == [[1, 3]]


def test_a_hidden_mention_is_not_the_first_of_those_that_are_seen(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, LATE, LATE, LATE)
    group(store)
    hide(store, 1, "person")
    assert clusters(store) == [[2, 1, 3]]
    assert counted(store) == (2, 1)
    hide(store, 1, None)
    assert clusters(store) == [[1, 2, 3]]
    assert counted(store) == (3, 2)


def test_brands_do_not_share_clusters(store: Store, lumbre: Brand) -> None:
    with store.write() as session:
        rival = brands.add(session, make.brand("andariego"))
    hear(store, lumbre, LATE, LATE_TOO)
    hear(store, rival, LATE, LATE_TOO, first=3)
    group(store)
    assert clusters(store) == [[1, 2], [3, 4]]


def test_near_copies_are_looked_for_among_what_was_heard_lately_and_exact_ones_everywhere(
    store: Store, lumbre: Brand
) -> None:
    hear(store, lumbre, LATE, PARK)
    group(store)
    assert forget_bands(store, make.NOW + REMEMBERED) == 0
    assert forget_bands(store, make.NOW + REMEMBERED + timedelta(seconds=1)) == 2
    hear(store, lumbre, LATE_TOO, PARK, first=3)
    group(store)
    assert clusters(store) == [[2, 4]]


def test_a_campaign_fills_no_band_beyond_its_bound(store: Store, lumbre: Brand) -> None:
    many = [f"{LATE} y ya van {number}" for number in range(3 * bands.MOST)]
    hear(store, lumbre, *many, ago=range(1000, 1000 - len(many), -1))
    group(store, batch=50)
    assert len(clusters(store)) == 1
    assert counted(store) == (len(many), len(many) - 1)
    with store.read() as session:
        full = session.scalars(select(func.count()).select_from(BandRow).group_by(BandRow.brand_id, BandRow.band)).all()
    assert max(full) == bands.MOST


def test_what_changes_while_it_is_compared_is_compared_again(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, LATE, LATE)

    class Editing(Inline):
        """Before it gives the signatures, the author says something else."""

        def submit(self, fn, /, *args):  # type: ignore[no-untyped-def]
            hear(store, lumbre, PARK)
            return super().submit(fn, *args)

    group_waiting(store, Editing())
    assert clusters(store) == []
    group(store)
    assert clusters(store) == []
    assert counted(store) == (2, 0)


def test_two_that_compare_and_one_that_tags_do_not_disturb_each_other(store: Store, lumbre: Brand) -> None:
    texts = [f"{text} {number // 3}" for number in range(60) for text in (LATE, PARK)]
    hear(store, lumbre, *texts, ago=range(500, 500 - len(texts), -1))

    def tag() -> None:
        waiting = True
        while waiting:
            with store.write() as session:
                waiting = enrichments.claim(session, 7, make.NOW)
                enrichments.save(session, [(one, make.understood(sentiment="positive")) for one in waiting], make.NOW)

    with ThreadPoolExecutor(3) as threads:
        for done in [threads.submit(group, store, 9), threads.submit(group, store, 16), threads.submit(tag)]:
            done.result()
    group(store)
    assert [len(of) for of in clusters(store)] == [60, 60]
    assert counted(store) == (120, 118)


def test_a_page_learns_how_many_say_the_same(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, LATE, PARK, LATE, LATE_TOO, LATE)
    group(store)
    hide(store, 5, "person")
    with store.read() as session:
        ids = {int(source_id): id for source_id, id in session.execute(select(MentionRow.source_id, MentionRow.id))}
        told = duplicates.alike(session, list(ids.values()))
    alike = duplicates.Alike(cluster=ids[1], others=2)
    assert told == {ids[1]: alike, ids[3]: alike, ids[4]: alike, ids[5]: alike}


SHORT = ["muchas gracias lumbre", "Muchas GRACIAS, Lumbre!", THANKS]
TEXTS = [*WINDOWS, *(f"RT @ana: {text}" for text in WINDOWS), *SHORT]
NUMBERS = st.integers(1, 12)
ACTS = st.one_of(
    st.tuples(st.just("hear"), NUMBERS, st.sampled_from(TEXTS), st.integers(0, 60)),
    st.tuples(st.just("hear"), NUMBERS, st.sampled_from(TEXTS), st.integers(0, 60)),
    st.tuples(st.just("remove"), NUMBERS),
    st.tuples(st.just("hide"), NUMBERS, st.sampled_from(["person", None])),
    st.tuples(st.just("group"), st.integers(1, 4)),
)
SLUGS = count()


@given(st.lists(ACTS, min_size=4, max_size=20), st.integers(1, 5))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_clusters_are_what_a_grouping_from_scratch_gives(
    store: Store, acts: list[tuple[object, ...]], batch: int
) -> None:
    slug = next(SLUGS)
    with store.write() as session:
        pair = [brands.add(session, make.brand(f"b{slug}-{side}")) for side in range(2)]
    for act in acts:
        match act:
            case ("hear", int(number), str(text), int(ago)):
                hear(store, pair[number % 2], text, first=1000 * slug + number, ago=[ago])
            case ("remove", int(number)):
                remove(store, 1000 * slug + number)
            case ("hide", int(number), why):
                hide(store, 1000 * slug + number, why)  # type: ignore[arg-type]
            case ("group", int(size)):
                group(store, size)
    group(store, batch)
    counted(store)
    for brand in pair:
        check(store, brand)


def check(store: Store, brand: Brand) -> None:
    """The brand's clusters are the linked mentions, each with the right first; the newest copies hold the bands."""
    with store.read() as session:
        rows = session.scalars(select(MentionRow).where(MentionRow.brand_id == brand.id)).all()
        held = session.execute(select(BandRow.mention_id, BandRow.band).where(BandRow.brand_id == brand.id)).all()
    signed = dict(zip((row.id for row in rows), sign([row.text for row in rows]), strict=True))
    together = {row.id: {row.id} for row in rows}
    for one, other in combinations(rows, 2):
        if linked(one, other, signed):
            union = together[one.id] | together[other.id]
            together.update(dict.fromkeys(union, union))
    for row in rows:
        of = [other for other in rows if other.id in together[row.id]]
        first = min(of, key=lambda other: (other.hidden is not None, other.seek)).id if len(of) > 1 else None
        assert (row.same, row.cluster_id) == (signed[row.id].same, first)
        assert row.copy == (first is not None and row.id != first)
    newest = {signed[row.id].same: row.id for row in sorted(rows, key=lambda row: row.id)}
    assert set(held) == {(id, band) for same, id in newest.items() if same for band in signed[id].bands}


def linked(one: MentionRow, other: MentionRow, signed: dict) -> bool:  # type: ignore[type-arg]
    first, second = signed[one.id], signed[other.id]
    if first.same and first.same == second.same:
        return True
    met = set(first.bands) & set(second.bands)
    return bool(met) and likeness(shingles(one.text), shingles(other.text)) >= ALIKE
