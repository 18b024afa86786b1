"""What a brand does not want is hidden, whatever happens in whatever order, and shown again when it is wanted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from escucha.brand import Brand, Query
from escucha.errors import Conflict, Invalid, NotFound
from escucha.exclusion import Exclusion, by_kind, hidden_as, why_hidden
from escucha.filter import MentionFilter
from escucha.mention import Author, Mention
from escucha.query.reading import Reading
from escucha.statistics import share
from pipeline import exclude, forget
from pipeline.collect import settle
from pipeline.door import unburied, wanted
from pipeline.duplicates import group_waiting
from pipeline.importing import import_file
from pipeline.pool import Inline
from pipeline.pull import Haul
from pipeline.schedule import Clock
from store import brands, exclusions, mentions, metrics, rollups, watches
from store.engine import Store
from store.removal import remove
from store.tables import AuthorRow, ExclusionRow, MentionRow
from tests import make, namesake
from tests.conftest import ROOT
from tests.pipeline.test_correct import answering
from tests.pipeline.test_enrich import Answering, means

NOW = make.NOW


@pytest.fixture
def lumbre(store: Store) -> Brand:
    with store.write() as session:
        return brands.add(session, make.brand())


def hear(store: Store, brand: Brand, *said: Mention) -> int:
    """What is heard comes in by the door; how much was left out."""
    with store.write() as session:
        heard, left_out = wanted(session, brand, said)
        kept, _ = unburied(session, brand, heard, NOW)
        mentions.save(session, brand, kept, NOW)
    return left_out


def want(brand: Brand, kind: str, value: str, *, refuse: bool = False) -> Exclusion:
    return by_kind(kind, value, refuse=refuse, brand_id=brand.id)


def add(store: Store, brand: Brand, kind: str, value: str, *, refuse: bool = False) -> tuple[Exclusion, int]:
    return exclude.add(store, want(brand, kind, value, refuse=refuse), NOW)


def seen(store: Store, **asked: object) -> set[str]:
    filter = MentionFilter(brand="lumbre", **asked)  # type: ignore[arg-type]
    with store.read() as session:
        page = mentions.find(session, filter, limit=200)
        assert metrics.count(session, filter) == len(page.items)
        assert rollups.verify(session) == []
    return {one.mention.source_id for one in page.items}


def hidden(store: Store) -> dict[str, str | None]:
    with store.read() as session:
        return {row.source_id: row.hidden for row in session.scalars(select(MentionRow))}


def number(store: Store, source_id: str) -> int:
    with store.read() as session:
        return session.scalars(select(MentionRow.id).where(MentionRow.source_id == source_id)).one()


def say(store: Store, source_id: str, relevant: bool | None) -> None:
    id = number(store, source_id)
    with store.write() as session:
        exclusions.say(session, id, relevant)


# A brand that is also a common word


def test_exclusions_tell_a_brand_from_a_common_word(sqlite_store: Store) -> None:
    """Half of what is heard before the exclusions, half after: the same is hidden of both."""
    with sqlite_store.write() as session:
        claro = brands.add(session, make.brand("claro"))
    said = [make.mention(f"si-{n}", text) for n, text in enumerate(namesake.MEANT)]
    said += [make.mention(f"no-{n}", text) for n, text in enumerate(namesake.NOT_MEANT)]

    def precision() -> tuple[float, int]:
        with sqlite_store.read() as session:
            found = mentions.find(session, MentionFilter(brand="claro"), limit=200).items
            assert rollups.verify(session) == []
        right = sum(one.mention.source_id.startswith("si-") for one in found)
        return round(right / len(found), 2), right

    hear(sqlite_store, claro, *said[::2])
    assert precision() == (0.44, 8)
    for query in namesake.EXCLUDED:
        add(sqlite_store, claro, "query", query)
    hear(sqlite_store, claro, *said[1::2])
    precise, kept = precision()
    assert (precise, kept) == (0.94, len(namesake.MEANT)), "nothing of the company itself is lost"
    with sqlite_store.read() as session:
        left = mentions.find(session, MentionFilter(brand="claro"), limit=200).items
    one_word = "¡Claro! Te mando la receta por la tarde"
    assert {one.mention.text for one in left} - set(namesake.MEANT) == {one_word}, "no query tells it: a person does"


def test_the_exclusions_of_the_page_are_those_that_are_tested() -> None:
    page = (ROOT / "docs" / "relevance.md").read_text(encoding="utf-8")
    shown = [" ".join(block.split()) for block in re.findall(r"```query\n(.*?)```", page, re.DOTALL)]
    assert shown == list(namesake.EXCLUDED)


# Added, tried, taken back


def test_an_exclusion_hides_what_is_stored_and_what_comes_and_goes_again(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, make.mention("1", "Vendo leña seca"), make.mention("2", "Qué rico café"))
    added, changed = add(store, lumbre, "query", "leña -café")
    assert (changed, added.waits, seen(store), seen(store, hidden=True)) == (1, False, {"2"}, {"1"})
    hear(store, lumbre, make.mention("3", "Leña a domicilio"), make.mention("1", "Leña y café"),
         make.mention("2", "La leña para mi estufa"))
    assert (seen(store), hidden(store)) == ({"1"}, {"1": None, "2": added.mark, "3": added.mark})
    with store.read() as session:
        assert dict(exclusions.counts(session, lumbre.id)) == {added.mark: 2}
    assert exclude.remove(store, lumbre, added.id or 0) == 2
    assert seen(store) == {"1", "2", "3"}
    with store.read() as session:
        assert session.scalars(select(ExclusionRow)).all() == []


def test_what_another_exclusion_means_too_stays_hidden(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, make.mention("1", "leña"), make.mention("2", "leña", url="https://leña.example/x"))
    first, _ = add(store, lumbre, "query", "leña")
    second, changed = add(store, lumbre, "site", "leña.example")
    assert (changed, hidden(store)) == (0, {"1": first.mark, "2": first.mark})
    assert exclude.remove(store, lumbre, first.id or 0) == 2, "one is shown, the other hidden for another reason"
    assert hidden(store) == {"1": None, "2": second.mark}
    assert seen(store) == {"1"}


def test_a_trial_counts_what_would_go_and_saves_nothing(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, *(make.mention(str(n), "leña" if n < 3 else "café") for n in range(10)))
    say(store, "2", True)
    trial = exclude.try_out(store, lumbre, want(lumbre, "query", "leña"))
    assert (trial.share.count, trial.share.n, trial.stored, trial.foreseen, trial.whole) == (2, 10, 10, 2, True)
    assert (round(trial.share.low, 2), round(trial.share.high, 2), trial.wide) == (0.06, 0.51, False)
    assert {one.mention.source_id for one in trial.examples} == {"0", "1"}
    assert len(seen(store)) == 10
    wide = exclude.try_out(store, lumbre, want(lumbre, "query", "-fogata"))
    assert (wide.share.count, wide.wide) == (9, True)


def test_a_trial_of_the_newest_tells_about_how_many_it_would_be() -> None:
    trial = exclude.Trial(stored=50_000, share=share(60, 2_000), examples=())
    assert (trial.whole, trial.foreseen, trial.wide) == (False, 1_500, False)


def test_a_trial_that_takes_too_long_does_not_look_at_all(sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        lumbre = brands.add(session, make.brand())
    hear(sqlite_store, lumbre, *(make.mention(str(n), "leña") for n in range(3_000)))
    trial = exclude.try_out(sqlite_store, lumbre, want(lumbre, "query", "-café"), seconds=0)
    assert (trial.stored, trial.whole, trial.foreseen) == (3_000, False, 0)


def test_an_exclusion_is_there_once_and_may_be_refused_later(store: Store, lumbre: Brand) -> None:
    added, _ = add(store, lumbre, "author", "@Ana@social.invalid")
    with pytest.raises(Conflict):
        add(store, lumbre, "author", "ana@social.invalid")
    again, _ = add(store, lumbre, "author", "ana@social.invalid", refuse=True)
    assert (again.id, again.refuse) == (added.id, True)
    with pytest.raises(NotFound):
        exclude.remove(store, lumbre, 99)
    with store.write() as session:
        other = brands.add(session, make.brand("otra"))
    with pytest.raises(NotFound):
        exclude.remove(store, other, added.id or 0)


def test_a_brand_has_no_more_exclusions_than_it_can_bear(sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        brand = brands.add(session, make.brand())
        for n in range(exclusions.MOST):
            exclusions.put(session, want(brand, "site", f"sitio{n}.example"), NOW)
    with sqlite_store.write() as session, pytest.raises(Invalid, match="200"):
        exclusions.put(session, want(brand, "site", "otro.example"), NOW)


# A person's word


def test_a_persons_no_hides_one_and_their_yes_wins_over_exclusions(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, make.mention("1", "leña"), make.mention("2", "café"))
    added, _ = add(store, lumbre, "query", "leña")
    say(store, "2", False)
    assert (seen(store), seen(store, hidden=True)) == (set(), {"1", "2"})
    say(store, "1", True)
    hear(store, lumbre, make.mention("1", "leña seca"), make.mention("2", "café frío"))
    assert hidden(store) == {"1": None, "2": "person"}, "an edit changes nothing of what a person said"
    say(store, "1", None)
    say(store, "2", None)
    assert hidden(store) == {"1": added.mark, "2": None}


def test_what_a_blocked_person_said_is_in_neither_list_and_comes_back_judged(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, make.mention("1", "leña"), make.mention("2", "café"), make.mention("3", "té"))
    say(store, "3", False)
    with store.read() as session:
        ana = forget.found(session, "mastodon", "ana")
    forget.block(store, ana, NOW)
    add(store, lumbre, "query", "café")
    assert (seen(store), seen(store, hidden=True)) == (set(), set())
    assert hidden(store) == {"1": "blocked", "2": "blocked", "3": "person"}
    for id in (number(store, "1"), number(store, "3")):
        with store.write() as session, pytest.raises(NotFound):
            exclusions.say(session, id, True)
    added, _ = add(store, lumbre, "query", "leña")
    forget.unblock(store, ana, NOW)
    assert (seen(store), seen(store, hidden=True)) == (set(), {"1", "2", "3"})
    assert hidden(store)["1"] == added.mark


def test_the_exclusion_of_an_erased_author_goes_and_what_it_hid_of_others_is_shown(store: Store, lumbre: Brand) -> None:
    other = Author(id="otra-ana", handle="@ana@social.invalid")
    hear(store, lumbre, make.mention("1"), make.mention("2", source="reddit", author=other))
    add(store, lumbre, "author", "ana@social.invalid")
    assert seen(store) == set()
    with store.read() as session:
        ana = forget.found(session, "mastodon", "ana")
    forget.erase(store, ana, NOW)
    exclude.spread_waiting(store)
    with store.read() as session:
        assert session.scalars(select(ExclusionRow)).all() == []
    assert seen(store) == {"2"}


def test_a_hidden_copy_hands_its_place_on(store: Store, lumbre: Brand) -> None:
    text = "El café de olla de la plaza llegó frío otra vez y nadie contestó el teléfono de la tienda"
    said = (make.mention(str(n), text, url=f"https://s{n}.example/", created_at=NOW - timedelta(hours=9 - n))
            for n in range(3))
    hear(store, lumbre, *said)
    group_waiting(store, Inline())
    once = {"once": True}
    assert seen(store, **once) == {"0"}
    added, _ = add(store, lumbre, "site", "s0.example")
    assert (seen(store), seen(store, **once)) == ({"1", "2"}, {"1"})
    say(store, "1", False)
    assert seen(store, **once) == {"2"}
    exclude.remove(store, lumbre, added.id or 0)
    assert seen(store, **once) == {"0"}


def test_what_persons_do_not_want_again_and_again_is_offered(store: Store, lumbre: Brand) -> None:
    bot = Author(id="bot", handle="@Ofertas")
    hear(store, lumbre, *(make.mention(f"b{n}", author=bot, url=f"https://www.cupones.example/{n}") for n in range(4)),
         *(make.mention(f"a{n}", url=f"https://foro.example/{n}") for n in range(9)))
    for one in ("b0", "b1", "a0", "a1", "a2"):
        say(store, one, False)
    with store.read() as session:
        assert exclusions.suggested(session, lumbre.id) == ()
    say(store, "b2", False)
    with store.read() as session:
        found = [(one.kind, one.value, n) for one, n in exclusions.suggested(session, lumbre.id)]
    assert sorted(found) == [("author", "mastodon:ofertas", 3), ("site", "cupones.example", 3)], "not the forum's"
    _, changed = add(store, lumbre, "author", "mastodon:ofertas")
    assert changed == 1
    with store.read() as session:
        assert [one.kind for one, _ in exclusions.suggested(session, lumbre.id)] == ["site"]


# Not even collected


def test_what_is_refused_is_counted_as_left_out_and_comes_when_it_is_wanted_again(store: Store, lumbre: Brand) -> None:
    with store.write() as session:
        watch = watches.add(session, lumbre.id or 0, "mastodon", Query(text="#lumbre"), 900, NOW)
    said = (make.mention("1", "leña"), make.mention("2", "café"))
    added, _ = add(store, lumbre, "query", "leña", refuse=True)
    outcome = settle(store, watch, lumbre, Haul(cursor=None, mentions=said), NOW)
    assert (outcome.saved.new, outcome.refused) == (1, 0)
    with store.read() as session:
        assert [run.passed for run in watches.runs(session, watch.id)] == [1]
    assert hidden(store) == {"2": None}
    exclude.remove(store, lumbre, added.id or 0)
    assert settle(store, watch, lumbre, Haul(cursor=None, mentions=said), NOW).saved.new == 1
    assert seen(store) == {"1", "2"}


def test_what_is_stored_goes_on_being_heard_in_spite_of_a_refusal(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, make.mention("1", "leña"), make.mention("2", "café"))
    say(store, "1", True)
    added, _ = add(store, lumbre, "query", "leña", refuse=True)
    said = [make.mention("1", "leña seca"), make.mention("2", "leña"), make.mention("3", "leña")]
    assert hear(store, lumbre, *said) == 1
    assert hidden(store) == {"1": None, "2": added.mark}


def test_what_a_person_brings_in_a_file_is_kept_and_hidden(sqlite_store: Store, tmp_path: object) -> None:
    from pathlib import Path

    with sqlite_store.write() as session:
        lumbre = brands.add(session, make.brand())
    added, _ = add(sqlite_store, lumbre, "query", "leña", refuse=True)
    file = Path(str(tmp_path)) / "dichos.csv"
    file.write_text("id,text,date\n1,Vendo leña,2026-11-01\n2,Qué rico café,2026-11-01\n", encoding="utf-8")
    assert import_file(sqlite_store, lumbre, file, NOW).saved.new == 2
    assert sorted(hidden(sqlite_store).values(), key=str) == [None, added.mark]


# Cut off and gone on with


def test_what_was_cut_off_goes_on_where_it_stopped(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, *(make.mention(str(n), "leña") for n in range(1_200)))
    added, steps = want(lumbre, "query", "leña"), list[int]()
    with store.write() as session:
        saved = exclusions.put(session, added, NOW)
    assert exclude.spread(store, saved.id or 0, steps.append, stop=lambda: bool(steps)) == 500
    with store.read() as session:
        assert exclusions.get(session, saved.id or 0, lumbre.id).waits
        assert rollups.verify(session) == []
    hear(store, lumbre, make.mention("late", "leña"))
    assert exclude.spread_waiting(store) == 700
    assert seen(store) == set()
    with store.read() as session:
        assert not exclusions.get(session, saved.id or 0, lumbre.id).waits
    with pytest.raises(ZeroDivisionError):
        exclude.remove(store, lumbre, saved.id or 0, None, lambda n: n // 0)
    with store.read() as session:
        assert metrics.count(session, MentionFilter(brand="lumbre")) == 500
        assert exclusions.of_brand(session, lumbre.id) == ()
    hear(store, lumbre, make.mention("later", "leña"))
    assert exclude.spread_waiting(store) == 701
    with store.read() as session:
        assert metrics.count(session, MentionFilter(brand="lumbre")) == 1_202
        assert session.scalars(select(ExclusionRow)).all() == []


def test_the_clock_ends_what_was_begun(sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        lumbre = brands.add(session, make.brand())
    hear(sqlite_store, lumbre, make.mention("1", "leña"))
    with sqlite_store.write() as session:
        exclusions.put(session, want(lumbre, "query", "leña"), NOW)
    Clock(means(sqlite_store, Answering(answering))).enrich()
    assert seen(sqlite_store) == set()
    with sqlite_store.read() as session:
        assert exclusions.waiting(session) == []


KILLED = """
import os, signal, sys
from pipeline import exclude
from store.engine import open_store
exclude.spread(open_store(sys.argv[1]), 1, lambda _: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_killed_process_leaves_whole_steps(sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        lumbre = brands.add(session, make.brand())
    hear(sqlite_store, lumbre, *(make.mention(str(n), "leña") for n in range(700)))
    with sqlite_store.write() as session:
        exclusions.put(session, want(lumbre, "query", "leña"), NOW)
    ended = subprocess.run([sys.executable, "-c", KILLED, sqlite_store.url], check=False, env={**os.environ})
    assert ended.returncode == -signal.SIGKILL
    with sqlite_store.read() as session:
        assert metrics.count(session, MentionFilter(brand="lumbre")) == 200
        assert rollups.verify(session) == []
    assert exclude.spread_waiting(sqlite_store) == 200


def test_two_who_put_the_same_exclusion_leave_it_to_one(store: Store, lumbre: Brand) -> None:
    hear(store, lumbre, *(make.mention(str(n), "leña") for n in range(600)))
    with store.write() as session:
        saved = exclusions.put(session, want(lumbre, "query", "leña"), NOW)
    others = list[int]()

    def meanwhile(_: int) -> None:
        if not others:
            others.append(0)
            others.append(exclude.spread(store, saved.id or 0))

    assert exclude.spread(store, saved.id or 0, meanwhile) == 500
    assert (others, seen(store)) == ([0, 100], set())


# Whatever happens, in any order

LONG = "llegó tarde otra vez a la tienda del centro y nadie contestó el teléfono en toda la mañana"
WORDS = (f"El café {LONG}", f"La leña {LONG}", f"La leña y el café {LONG}", "fogata", f"El té y la leña {LONG}")
WHO = ("ana", "beto", "caro")
SITES = ("a.example", "b.example/blog", "sub.a.example")
VALUES = (("query", "leña"), ("query", "leña -café"), ("query", "fogata OR té"), ("author", "ana"),
          ("author", "mastodon:beto"), ("site", "a.example"), ("site", "b.example/blog"))  # fmt: skip
SAID = st.tuples(st.integers(0, 9), st.sampled_from(WORDS), st.sampled_from(WHO), st.sampled_from(SITES))
STEPS = st.one_of(
    st.tuples(st.just("hear"), st.lists(SAID, min_size=1, max_size=6)),
    st.tuples(st.just("hear"), st.lists(SAID, min_size=1, max_size=6)),
    st.tuples(st.just("exclude"), st.tuples(st.sampled_from(VALUES), st.booleans(), st.booleans())),
    st.tuples(st.just("include"), st.sampled_from(VALUES)),
    st.tuples(st.just("say"), st.tuples(st.integers(0, 9), st.sampled_from((True, False, None)))),
    st.tuples(st.sampled_from(("block", "unblock")), st.sampled_from(WHO)),
    st.tuples(st.just("compare"), st.none()),
)


@dataclass
class World:
    """What should be so: what is stored and what a person said of it, the exclusions in their order, who is blocked."""

    store: Store
    brand: Brand
    said: dict[int, Mention] = field(default_factory=dict)
    told: dict[int, bool | None] = field(default_factory=dict)
    present: dict[tuple[str, str], bool] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)

    def hear(self, heard: list[tuple[int, str, str, str]]) -> None:
        said = [_mention(*one) for one in heard]
        left_out = hear(self.store, self.brand, *said)
        refusing = [by_kind(*one) for one, refuse in self.present.items() if refuse]
        away = [one for one in said if int(one.source_id) not in self.said
                and why_hidden(Reading(one, self.brand.slug), refusing)]
        assert left_out == len(away)
        for number_, mention in {int(one.source_id): one for one in said if one not in away}.items():
            present = self.said.get(number_)
            if (present is None or present.text != mention.text) and mention.author.id not in self.blocked:  # type: ignore[union-attr]
                self.said[number_] = mention

    def exclude(self, asked: tuple[tuple[str, str], bool, bool]) -> None:
        of, refuse, at_once = asked
        exclusion = want(self.brand, *of, refuse=refuse)
        if of in self.present and self.present[of] == refuse:
            return
        self.present[of] = refuse
        if at_once:
            exclude.add(self.store, exclusion, NOW)
        else:
            with self.store.write() as session:
                exclusions.put(session, exclusion, NOW)

    def include(self, of: tuple[str, str]) -> None:
        if of in self.present:
            del self.present[of]
            with self.store.write() as session:
                one = next(one for one in exclusions.of_brand(session, self.brand.id) if (one.kind, one.value) == of)
                exclusions.take_back(session, one.id or 0, self.brand.id)

    def say(self, asked: tuple[int, bool | None]) -> None:
        number_, relevant = asked
        mention = self.said.get(number_)
        if mention and mention.author and mention.author.id not in self.blocked:
            say(self.store, str(number_), relevant)
            self.told[number_] = relevant

    def block(self, who: str) -> None:
        self._did(forget.block, who, self.blocked.add)

    def unblock(self, who: str) -> None:
        self._did(forget.unblock, who, self.blocked.discard)

    def compare(self, _: None) -> None:
        group_waiting(self.store, Inline())

    def check(self) -> None:
        exclude.spread_waiting(self.store)
        with self.store.read() as session:
            present = exclusions.of_brand(session, self.brand.id)
            rows = session.scalars(select(MentionRow)).all()
            assert rollups.verify(session) == []
            assert exclusions.waiting(session) == []
            shown = mentions.find(session, MentionFilter(brand=self.brand.slug), limit=200).items
            away = mentions.find(session, MentionFilter(brand=self.brand.slug, hidden=True), limit=200).items
        assert [((one.kind, one.value), one.refuse) for one in present] == list(self.present.items())
        expected = {str(n): self._why(n, present) for n in self.said}
        assert {row.source_id: row.hidden for row in rows} == expected
        assert {row.source_id: row.kept for row in rows} == {str(n): self.told.get(n) is True for n in self.said}
        assert {one.mention.source_id for one in shown} == {id for id, why in expected.items() if why is None}
        assert {one.mention.source_id for one in away} == {
            str(n) for n, one in self.said.items() if expected[str(n)] and one.author.id not in self.blocked}  # type: ignore[union-attr]
        clusters = {row.cluster_id for row in rows if row.cluster_id}
        for cluster in clusters:
            of = [row for row in rows if row.cluster_id == cluster]
            first = min(of, key=lambda row: (row.hidden is not None, row.seek)).id
            assert [row.id for row in of if not row.copy] == [first] == [cluster]

    def _why(self, number_: int, present: tuple[Exclusion, ...]) -> str | None:
        mention = self.said[number_]
        blocked = mention.author is not None and mention.author.id in self.blocked
        return hidden_as(mention, self.brand.slug, present, relevant=self.told.get(number_), blocked=blocked)

    def _did(self, act: Callable[..., object], who: str, then: Callable[[str], None]) -> None:
        try:
            with self.store.read() as session:
                person = forget.found(session, "mastodon", who)
        except NotFound:
            return
        act(self.store, person, NOW)
        then(who)


def _mention(number_: int, text: str, who: str, site: str) -> Mention:
    """Its author is always the same: who said something does not change."""
    author = WHO[number_ % 3]
    return make.mention(str(number_), text, author=Author(id=author, handle=f"@{author}"), url=f"https://{site}/{who}",
                        created_at=NOW - timedelta(hours=number_))


def _fresh(store: Store) -> World:
    with store.write() as session:
        remove(session, session.scalars(select(MentionRow.id)).all())
        for table in (AuthorRow, ExclusionRow):
            session.execute(delete(table))
        known = brands.all_brands(session)
        brand = known[0] if known else brands.add(session, make.brand())
    return World(store, brand)


@pytest.mark.timeout(600)
def test_whatever_happens_what_is_hidden_is_what_should_be(store: Store) -> None:
    @settings(max_examples=30 if store.dialect == "sqlite" else 8, deadline=None, derandomize=True,
              suppress_health_check=list(HealthCheck))
    @given(st.lists(STEPS, min_size=4, max_size=12))
    def holds(steps: list[tuple[str, object]]) -> None:
        world = _fresh(store)
        for act, of in steps:
            getattr(world, act)(of)
        world.check()

    holds()
