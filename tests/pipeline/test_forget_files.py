"""What was erased, deleted or let go of is in no table and no file: not in an index, a log, or a backup made later."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from escucha.keeping import Retention
from escucha.mention import Author, Mention
from pipeline import forget, night
from store import brands, enrichments, mentions, retention, rollups, tombstones
from store.engine import Store
from store.sweep import sweep
from store.tables import AuditRow, Base, MentionRow
from tests import make

MARKER = "zqmarcador"
ID = f"{MARKER}-id"
OLD = 400


def marked_mention(page: int, n: int) -> Mention:
    """What a person says whose words nobody else has, in every column that takes words."""
    word = f"{MARKER}{page}x{n}"
    author = Author(id=ID, handle=f"@{MARKER}", name=MARKER.upper(), url=f"https://x.invalid/{MARKER}")
    return make.mention(
        f"{MARKER}-{page}-{n}", f"Digo {word} y #{MARKER}tag", title=f"Título {word}", author=author,
        url=f"https://x.invalid/{MARKER}/{n}", raw={"said": word, "by": f"@{MARKER}"}, place=MARKER,
        parent_id=f"{MARKER}-parent", created_at=make.NOW - timedelta(days=OLD + page),
    )


def other(page: int, n: int) -> Mention:
    said = f"texto {n} de la página {page}, café " * (1 + n % 30)
    return make.mention(f"{page}-{n}", said, author=Author(id=f"p{n % 50}", handle=f"p{n % 50}"), raw={"content": said})


@pytest.fixture
def marked(store: Store) -> Store:
    """360 mentions of fifty people and 36 of the one who is looked for, understood, on the disk."""
    with store.write() as session:
        brand = brands.add(session, make.brand("lumbre"))
    for page in range(12):
        with store.write() as session:
            said = [*(other(page, n) for n in range(30)), *(marked_mention(page, n) for n in range(3))]
            mentions.save(session, brand, said, make.NOW)
        with store.write() as session:
            claimed = enrichments.claim(session, 500, make.NOW)
            enrichments.save(session, [(one, make.understood()) for one in claimed], make.NOW)
    if store.dialect == "postgresql":  # its statistics hold samples of what columns hold
        with store.own_connection() as connection:
            connection.execute(text("ANALYZE"))
    store.checkpoint()
    return store


def erased(store: Store) -> None:
    with store.read() as session:
        person = forget.found(session, "mastodon", ID)
    assert forget.erase(store, person, make.NOW).mentions == 36
    assert sweep(store)


def deleted(store: Store) -> None:
    with store.write() as session:
        keys = [(f"{MARKER}-{page}-{n}") for page in range(12) for n in range(3)]
        assert tombstones.bury(session, [("mastodon", key) for key in keys], make.NOW) == 36
    assert sweep(store)


def let_go(store: Store) -> None:
    with store.write() as session:
        retention.put(session, Retention(days=365))
    done = night.tidy(store, make.NOW)
    assert done is not None
    assert (done.removed.mentions, done.swept) == (36, True)


WAYS = {"erased": erased, "deleted": deleted, "let go": let_go}


def tables_with_the_marker(store: Store) -> list[str]:
    with store.read() as session:
        return [table.name for table in Base.metadata.sorted_tables
                if any(MARKER in str(row).lower() for row in session.execute(select(table)))]


def files(store: Store) -> Iterator[tuple[str, bytes]]:
    """The database as it lies on the disk: SQLite's files; of PostgreSQL every table, index and oversized column,
    its catalogue with the statistics included."""
    if store.dialect == "sqlite":
        folder = Path(store.url.removeprefix("sqlite:///")).parent
        yield from ((path.name, path.read_bytes()) for path in folder.iterdir() if path.is_file())
        return
    kinds = ("SELECT oid::regclass::text, pg_relation_filepath(oid) FROM pg_class "
             "WHERE relkind IN ('r', 'i', 't') AND relpersistence <> 't'")
    with store.own_connection() as connection:
        connection.execute(text("CHECKPOINT"))
        for name, path in connection.execute(text(kinds)).all():
            read = text("SELECT pg_read_binary_file(:path, 0, 1000000000, true)")
            yield name, bytes(connection.scalar(read, {"path": path}) or b"")


def files_with_the_marker(store: Store) -> list[str]:
    """Those in which the marker stands, whole or without its first letters, as an index keeps what differs."""
    return [name for name, content in files(store) if MARKER[3:].encode() in content.lower()]


def test_before_the_marker_is_in_tables_indexes_and_files(marked: Store) -> None:
    assert {"author", "mention"} <= set(tables_with_the_marker(marked))
    found = set(files_with_the_marker(marked))
    expected = {"sqlite": {"escucha.db"}, "postgresql": {"mention", "author", "ix_mention_words", "pg_statistic"}}
    assert expected[marked.dialect] <= found


@pytest.mark.parametrize("way", WAYS)
def test_after_it_is_nowhere(marked: Store, way: str) -> None:
    WAYS[way](marked)
    assert tables_with_the_marker(marked) == []
    if marked.dialect == "postgresql":
        assert "ix_mention_words" not in files_with_the_marker(marked)
        if way == "erased":  # once is enough: it takes long
            with marked.own_connection() as connection:  # docs/keeping-and-forgetting.md: it overwrites free space
                connection.execute(text("VACUUM (FULL, ANALYZE)"))
    if marked.dialect == "sqlite" or way == "erased":
        assert files_with_the_marker(marked) == []
    with marked.read() as session:
        assert rollups.verify(session) == []
        assert session.scalar(select(MentionRow.id).limit(1)) is not None


@pytest.mark.parametrize("way", WAYS)
def test_a_backup_made_afterwards_has_nothing_of_it(
    sqlite_store: Store, tmp_path: Path, way: str
) -> None:
    with sqlite_store.write() as session:
        brand = brands.add(session, make.brand("lumbre"))
        mentions.save(session, brand, [marked_mention(page, n) for page in range(12) for n in range(3)], make.NOW)
        mentions.save(session, brand, [other(0, 1)], make.NOW)
    WAYS[way](sqlite_store)
    copy = tmp_path / "copy" / "backup.db"
    copy.parent.mkdir()
    with closing(sqlite3.connect(sqlite_store.url.removeprefix("sqlite:///"))) as database, \
            closing(sqlite3.connect(copy)) as backup:
        database.backup(backup)
    assert MARKER[3:].encode() not in copy.read_bytes().lower()


@pytest.mark.parametrize("remove", [erased, deleted])
def test_the_words_would_stay_in_the_index_without_the_sweep(sqlite_store: Store, remove: Callable[[Store], None],
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary: were the sweep to merge nothing, this search of the bytes would find it."""
    with sqlite_store.write() as session:
        brand = brands.add(session, make.brand("lumbre"))
    for page in range(12):
        with sqlite_store.write() as session:
            mentions.save(session, brand, [*(marked_mention(page, n) for n in range(3)), other(page, 1)], make.NOW)
    monkeypatch.setattr("store.sweep._merge", lambda _: None)
    remove(sqlite_store)
    assert tables_with_the_marker(sqlite_store) == []
    assert files_with_the_marker(sqlite_store) == ["escucha.db"]


def test_a_reader_who_keeps_the_log_in_use_is_told_of(sqlite_store: Store) -> None:
    impatient = Store(sqlite_store.url, "NORMAL", busy_ms=100)
    with sqlite_store.write() as session:
        brand = brands.add(session, make.brand("lumbre"))
        mentions.save(session, brand, [marked_mention(0, n) for n in range(36)], make.NOW)
    with sqlite_store.read() as reading:
        reading.scalar(select(MentionRow.id).limit(1))
        with sqlite_store.write() as session:
            tombstones.bury(session, [("mastodon", f"{MARKER}-0-{n}") for n in range(36)], make.NOW)
        assert not sweep(impatient)
    assert sweep(impatient)
    impatient.close()
    assert files_with_the_marker(sqlite_store) == []


def test_the_audit_holds_no_word_of_it(marked: Store) -> None:
    erased(marked)
    night.tidy(marked, make.NOW)
    with marked.read() as session:
        lines = session.execute(select(AuditRow.act, AuditRow.mark, AuditRow.details).order_by(AuditRow.id)).all()
    mark = tombstones.author_mark(("mastodon", ID))
    assert [tuple(line[:2]) for line in lines] == [("erase", mark), ("night", None)]
    assert lines[0].details == {"mentions": 36, "quoted": 0}
    assert all(n == 0 for n in lines[1].details.values())
