"""A person can be told what is held of them, be blocked, and be erased; what is old enough goes at night."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from collectors.http import WebOptions
from escucha.errors import Conflict, NotFound
from escucha.filter import MentionFilter
from escucha.keeping import Entry, Retention, Subject
from escucha.mention import Author, Mention
from nlp.chain import ModelOptions
from pipeline import forget, night
from pipeline.door import unburied
from pipeline.means import Means
from pipeline.pool import open_pool
from pipeline.schedule import Clock
from store import (
    audit,
    authors,
    brands,
    corrections,
    enrichments,
    heads,
    mentions,
    metrics,
    retention,
    rollups,
    tombstones,
)
from store.engine import Store
from store.tables import Base, MentionRow, RunRow
from tests import make
from tests.pipeline.test_schedule import wait

NOW = make.NOW
DAY = timedelta(days=1)
MARKER = "zqmarcador"


def by(name: str, number: str, said: str = "El café llegó frío", **changes: object) -> Mention:
    author = Author(id=f"id-{name}", handle=f"@{name}@social.invalid", name=name.title(), followers=10)
    return make.mention(number, said, author=author, raw={"content": said, "account": {"acct": name}}, **changes)


def hear(store: Store, slug: str, *said: Mention, now: datetime = NOW) -> list[str]:
    """What is heard comes in by the door; the reasons of what was refused."""
    with store.write() as session:
        brand = brands.get(session, slug)
        kept, refusals = unburied(session, brand, said, now)
        mentions.save(session, brand, kept, now)
    return [str(refusal.why) for refusal in refusals]


def understand(store: Store) -> None:
    with store.write() as session:
        claimed = enrichments.claim(session, 500, NOW)
        told = make.understood(sentiment="negative", stage="purchase", pain="problem")
        enrichments.save(session, [(waiting, told) for waiting in claimed], NOW)


def seen(store: Store) -> set[str]:
    with store.read() as session:
        return {one.mention.source_id for one in mentions.find(session, MentionFilter(), limit=200).items}


def counted(store: Store) -> int:
    with store.read() as session:
        return metrics.count(session, MentionFilter())


def drift(store: Store) -> list[rollups.Drift]:
    with store.read() as session:
        return rollups.verify(session)


def person(store: Store, named: str = "ana") -> Subject:
    with store.read() as session:
        return forget.found(session, "mastodon", named)


@pytest.fixture
def spoken(store: Store) -> Store:
    """Ana spoke twice of lumbre and once of nebula, Beto once of lumbre."""
    with store.write() as session:
        brands.add(session, make.brand("lumbre"))
        brands.add(session, make.brand("nebula"))
    hear(store, "lumbre", by("ana", "1"), by("ana", "2", "Otra vez frío"), by("beto", "3", "Muy rico"))
    hear(store, "nebula", by("ana", "4"))
    understand(store)
    return store


def rows_with(store: Store, word: str) -> list[str]:
    """The tables in which any row has the word in any column."""
    with store.read() as session:
        return [table.name for table in Base.metadata.sorted_tables
                if any(word in str(row) for row in session.execute(select(table)))]


# Found and told


def test_a_person_is_found_by_id_handle_or_with_an_at_sign_and_case_aside(spoken: Store) -> None:
    for named in ("id-ana", "@ana@social.invalid", "ANA@social.invalid"):
        found = person(spoken, named)
        assert (found.key, found.mentions, found.brands) == ("id-ana", 3, ("lumbre", "nebula"))


def test_nobody_and_several_are_told_apart(spoken: Store) -> None:
    twin = Author(id="id-otra", handle="@ana@social.invalid")
    hear(spoken, "lumbre", make.mention("9", author=twin))
    with pytest.raises(Conflict) as several:
        person(spoken, "@ana@social.invalid")
    assert several.value.details["ids"] == "id-ana, id-otra"
    with pytest.raises(NotFound):
        person(spoken, "nadie")
    assert person(spoken, "id-ana").key == "id-ana"


def test_an_account_tells_everything_that_is_held_and_is_written_down(spoken: Store) -> None:
    with spoken.write() as session:
        number = session.scalar(select(MentionRow.id).where(MentionRow.source_id == "1"))
        corrections.correct(session, number or 0, "sentiment", "positive", NOW)
    told = json.loads("".join(forget.account(spoken, person(spoken, "id-ana"), NOW)))
    assert told["author"]["handle"] == "@ana@social.invalid"
    assert [one["source_id"] for one in told["mentions"]] == ["1", "2", "4"]
    first = told["mentions"][0]
    assert (first["brand"], first["text"], first["raw"]["account"]["acct"]) == ("lumbre", "El café llegó frío", "ana")
    assert (first["sentiment"], first["corrections"][0]["label"]) == ("positive", "positive")
    assert sum(month["n"] for month in told["months"]) == 3
    assert "Beto" not in json.dumps(told)
    with spoken.read() as session:
        (line,) = audit.entries(session)
    assert (line.act, dict(line.counts)) == ("export", {"mentions": 3})
    assert line.mark == tombstones.author_mark(("mastodon", "id-ana"))


# Blocked


def test_what_a_blocked_person_said_is_neither_shown_nor_counted_but_still_held(spoken: Store) -> None:
    assert forget.block(spoken, person(spoken, "id-ana"), NOW) == 3
    assert seen(spoken) == {"3"}
    assert counted(spoken) == 1
    assert drift(spoken) == []
    held = person(spoken, "id-ana")
    assert (held.mentions, held.blocked_at) == (3, NOW)
    assert hear(spoken, "lumbre", by("ana", "10")) == ["Its author asked not to be listened to."]


def test_the_followers_of_a_blocked_person_are_not_asked_for(spoken: Store) -> None:
    forget.block(spoken, person(spoken, "id-ana"), NOW)
    with spoken.read() as session:
        waiting = authors.waiting(session, "mastodon", NOW + 30 * DAY, 7 * DAY, 10)
    assert [author.id for author in waiting] == ["id-beto"]


def test_what_a_blocked_person_said_is_read_by_no_model(spoken: Store) -> None:
    hear(spoken, "lumbre", by("ana", "30"), by("beto", "31"))
    with spoken.write() as session:
        number = session.scalar(select(MentionRow.id).where(MentionRow.source_id == "1")) or 0
        brand_id = brands.get(session, "lumbre").id or 0
        corrections.correct(session, number, "sentiment", "positive", NOW)
        assert [one.label for one in heads.corrected(session, brand_id, "sentiment")] == ["positive"]
    forget.block(spoken, person(spoken, "id-ana"), NOW)
    with spoken.write() as session:
        assert heads.corrected(session, brand_id, "sentiment") == []
        claimed = [session.get_one(MentionRow, one.id).source_id for one in enrichments.claim(session, 10, NOW)]
    assert claimed == ["31"]


def test_unblocking_brings_back_what_the_block_hid_and_nothing_else(spoken: Store) -> None:
    with spoken.write() as session:
        number = session.scalar(select(MentionRow.id).where(MentionRow.source_id == "1")) or 0
        with rollups.kept(session, [number]):
            session.execute(update(MentionRow).where(MentionRow.id == number).values(hidden="person"))
    forget.block(spoken, person(spoken, "id-ana"), NOW)
    assert forget.unblock(spoken, person(spoken, "id-ana"), NOW) == 2
    assert seen(spoken) == {"2", "3", "4"}
    assert drift(spoken) == []
    assert hear(spoken, "lumbre", by("ana", "10")) == []


# Erased


def test_an_erased_person_is_gone_for_every_brand_and_does_not_come_back(spoken: Store) -> None:
    done = forget.erase(spoken, person(spoken, "id-ana"), NOW)
    assert done.mentions == 3
    assert seen(spoken) == {"3"}
    assert drift(spoken) == []
    with pytest.raises(NotFound):
        person(spoken, "id-ana")
    assert rows_with(spoken, "id-ana") == []
    again = hear(spoken, "lumbre", by("ana", "1"), by("ana", "99", "Algo nuevo"))
    assert again == ["It was deleted before, and stays away.", "Its author asked not to be listened to."]
    assert seen(spoken) == {"3"}


def test_the_audit_tells_an_erasure_without_the_data(spoken: Store) -> None:
    forget.erase(spoken, person(spoken, "id-ana"), NOW)
    with spoken.read() as session:
        (line,) = audit.entries(session)
        assert audit.unfinished(session) == {}
    assert (line.act, line.at, dict(line.counts)) == ("erase", NOW, {"mentions": 3, "quoted": 0})
    assert line.mark == tombstones.author_mark(("mastodon", "id-ana"))


def test_an_erasure_that_is_broken_off_is_ended_in_the_night(spoken: Store) -> None:
    ana = person(spoken, "id-ana")

    def broken(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forget.erase(spoken, ana, NOW, broken)
    assert seen(spoken) == {"3"}
    assert hear(spoken, "lumbre", by("ana", "99")) == ["Its author asked not to be listened to."]
    night.tidy(spoken, NOW)
    assert rows_with(spoken, "id-ana") == []
    assert drift(spoken) == []


def test_who_was_erased_and_came_back_with_an_old_backup_is_erased_in_the_night(spoken: Store) -> None:
    forget.erase(spoken, person(spoken, "id-ana"), NOW)
    with spoken.write() as session:  # not by the door
        mentions.save(session, brands.get(session, "lumbre"), [by("ana", "from-the-backup")], NOW)
    night.tidy(spoken, NOW)
    assert rows_with(spoken, "id-ana") == []
    assert seen(spoken) == {"3"}


def test_answers_of_others_that_quote_an_erased_person_go_and_what_others_said_stays(spoken: Store) -> None:
    quoting = replace(by("beto", "20", "Como dice Ana", parent_id="1"),
                      raw={"content": "x", "reblog": {"account": {"id": "id-ana"}}})
    hear(spoken, "lumbre", quoting, by("beto", "21", "Otra cosa"))
    done = forget.erase(spoken, person(spoken, "id-ana"), NOW)
    assert done.quoted == 1
    with spoken.read() as session:
        rows = {row.source_id: row for row in session.scalars(select(MentionRow))}
    assert (rows["20"].raw, rows["20"].parent_id, rows["20"].text) == (None, None, "Como dice Ana")
    assert rows["21"].raw is not None


def test_the_ledger_forgets_the_items_of_an_erased_person(spoken: Store) -> None:
    from escucha.brand import Query
    from store import watches

    with spoken.write() as session:
        watch = watches.add(session, brands.get(session, "lumbre").id or 0, "mastodon", Query(text="#x"), 60, NOW)
        why = {"error": "unreadable", "message": "Mangled: {reason}", "details": {"reason": "user ID-ANA is odd"}}
        other = {"where": "otro", "why": {"error": "unreadable", "message": "x", "details": {}}}
        session.add(RunRow(watch_id=watch.id, at=NOW, fetched=2, new=0, updated=0, duplicate=0, refused=2, passed=0,
                           gone=0, cost=0.0, refusals={"refusals": [{"where": "77", "why": why}, other]}))
    forget.erase(spoken, person(spoken, "id-ana"), NOW)
    with spoken.read() as session:
        refusals = session.scalar(select(RunRow.refusals))
    assert refusals == {"refusals": [other]}


def test_who_collects_while_somebody_is_erased_brings_nothing_back(spoken: Store) -> None:
    """The door looks, the erasure runs, and only then what was looked at is saved: they wait for each other."""
    ana = person(spoken, "id-ana")

    def collect(n: int) -> None:
        for number in range(5):
            hear(spoken, "lumbre" if n % 2 else "nebula", by("ana", f"{n}-{number}"))

    with ThreadPoolExecutor(3) as pool:
        collecting = [pool.submit(collect, n) for n in range(2)]
        pool.submit(forget.erase, spoken, ana, NOW).result()
        for one in collecting:
            one.result()
    assert rows_with(spoken, "id-ana") == []
    assert drift(spoken) == []


# Kept for a time


def keep(store: Store, days: int | None = None, raw: int | None = None, source: str | None = None,
         brand: str | None = None) -> None:
    with store.write() as session:
        of = brands.get(session, brand).id if brand else None
        retention.put(session, Retention(source=source, brand_id=of, days=days, raw_days=raw))


def raws(store: Store) -> set[str]:
    with store.read() as session:
        return set(session.scalars(select(MentionRow.source_id).where(MentionRow.raw.is_not(None))))


@pytest.fixture
def aged(store: Store) -> Store:
    """For two brands and two sources, mentions of 5, 40 and 400 days ago."""
    with store.write() as session:
        for slug in ("lumbre", "nebula"):
            brand = brands.add(session, make.brand(slug))
            said = [by("ana", f"{slug}-{source}-{age}", source=source, created_at=NOW - age * DAY)
                    for source in ("mastodon", "reddit") for age in (5, 40, 400)]
            mentions.save(session, brand, said, NOW)
    return store


def test_the_most_specific_rule_wins(aged: Store) -> None:
    keep(aged, days=300)
    keep(aged, days=30, source="reddit")
    keep(aged, days=None, brand="lumbre")
    keep(aged, days=3, source="reddit", brand="nebula")
    night.tidy(aged, NOW)
    assert seen(aged) == {
        *(f"lumbre-{source}-{age}" for source in ("mastodon", "reddit") for age in (5, 40, 400)),
        "nebula-mastodon-5", "nebula-mastodon-40",
    }
    assert drift(aged) == []


def test_raw_answers_go_before_their_mentions(aged: Store) -> None:
    keep(aged, days=300, raw=30)
    done = night.tidy(aged, NOW)
    assert done is not None
    assert (done.removed.mentions, done.removed.raws) == (4, 8)
    assert seen(aged) == {f"{slug}-{source}-{age}" for slug in ("lumbre", "nebula")
                          for source in ("mastodon", "reddit") for age in (5, 40)}
    assert all(number.endswith("-5") for number in raws(aged))


def test_a_preview_counts_what_the_night_removes(aged: Store) -> None:
    keep(aged, days=300, raw=30)
    with aged.read() as session:
        foreseen = retention.overdue(session, retention.policy(session), brands.all_brands(session), NOW)
    assert (foreseen.mentions, foreseen.raws) == (4, 4)
    night.tidy(aged, NOW)
    with aged.read() as session:
        left = retention.overdue(session, retention.policy(session), brands.all_brands(session), NOW)
    assert (left.mentions, left.raws) == (0, 0)


def test_what_was_let_go_is_refused_when_a_source_shows_it_again(aged: Store) -> None:
    keep(aged, days=30)
    night.tidy(aged, NOW)
    before = seen(aged)
    again = hear(aged, "lumbre", by("ana", "lumbre-mastodon-40", created_at=NOW - 40 * DAY), by("ana", "nuevo"))
    assert again == ["It is older than the 30 days for which such mentions are kept."]
    assert seen(aged) == before | {"nuevo"}


def test_days_are_the_brands_local_days(store: Store) -> None:
    with store.write() as session:
        brands.add(session, make.brand("lumbre", timezone="America/Mexico_City"))
    keep(store, days=1)
    local_midnight = datetime.fromisoformat("2026-11-19T06:00:00+00:00")
    hear(store, "lumbre", by("ana", "kept", created_at=local_midnight))
    assert hear(store, "lumbre", by("ana", "old", created_at=local_midnight - timedelta(seconds=1))) != []
    night.tidy(store, NOW)
    assert seen(store) == {"kept"}


def test_the_nights_work_is_done_once_in_a_local_day_and_goes_on_where_it_was_stopped(aged: Store) -> None:
    keep(aged, days=30)
    at_night = datetime.fromisoformat("2026-11-20T09:30:00+00:00")  # half past three in Mexico City
    assert night.nightly(aged, at_night - timedelta(hours=1)) is None
    assert night.nightly(aged, at_night, stop=lambda: True) is None
    done = night.nightly(aged, at_night)
    assert done is not None
    assert done.removed.mentions == 8
    assert night.nightly(aged, at_night + timedelta(hours=5)) is None
    assert night.nightly(aged, at_night + DAY) is not None


def test_a_new_rule_takes_the_place_of_the_one_for_the_same(aged: Store) -> None:
    keep(aged, days=30, source="reddit")
    keep(aged, days=300, source="reddit")
    with aged.read() as session:
        assert [(rule.source, rule.days) for rule in retention.policy(session).rules] == [("reddit", 300)]


def test_the_clock_does_the_nights_work(sqlite_store: Store) -> None:
    hours = 12 - datetime.now(UTC).hour  # a zone in which it is about noon now
    with sqlite_store.write() as session:
        brand = brands.add(session, make.brand("lumbre", timezone=f"Etc/GMT{-hours:+d}"))
        mentions.save(session, brand, [by("ana", "1", created_at=datetime.now(UTC) - 40 * DAY)], datetime.now(UTC))
    keep(sqlite_store, days=30)

    def lines() -> list[Entry]:
        with sqlite_store.read() as session:
            return audit.entries(session)

    with open_pool(threads=1) as pool:
        means = Means(store=sqlite_store, pool=pool, web=WebOptions(), models=ModelOptions())
        with Clock(means, forget=0.1):
            wait(lambda: bool(lines()))
    assert [(line.act, line.counts["mentions"]) for line in lines()] == [("night", 1)]
    assert seen(sqlite_store) == set()
