"""A backup is of one moment, and is restored wholly or not at all."""

from __future__ import annotations

import json
import signal
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from escucha.errors import ConfigError, Conflict, Invalid, NotFound
from store import backup, brands, leader, manifest, mentions, rollups, schema, sound, tombstones
from store.engine import Store, open_store
from store.restore import restore
from store.tables import AuthorRow, MentionRow, RunRow, WatchRow
from tests import make
from tests.postgres import postgres_server
from tests.store.killed import FULL, KILLS, killed
from tests.store.stocked import contents, stock

TURNS = 5 if FULL else 2
Url = str


@pytest.fixture
def elsewhere(store: Store, tmp_path: Path) -> Iterator[Url]:
    """An empty database of the same kind."""
    if store.dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'elsewhere' / 'restored.db'}"
        return
    with postgres_server() as url:
        assert url is not None
        yield url


@contextmanager
def opened(url: Url) -> Iterator[Store]:
    with closing(open_store(url, "NORMAL")) as store:
        yield store


def backed_up(store: Store, folder: Path, **changes: Any) -> Path:
    file = folder / "backup.zip"
    backup.make(store, file, make.NOW, **changes)
    return file


def test_what_is_restored_is_what_was_backed_up(store: Store, elsewhere: Url, tmp_path: Path) -> None:
    stock(store)
    file = backed_up(store, tmp_path)
    restored = restore(elsewhere, file)
    assert restored.manifest.rows["mention"] == 4
    assert restored.forgotten == 0
    with opened(elsewhere) as there:
        assert contents(there) == contents(store)
        with there.write() as session:
            assert rollups.verify(session) == []
            lumbre = brands.add(session, make.brand("lumbre"))
            assert mentions.save(session, lumbre, [make.mention("new")], make.NOW).new == 1


def test_a_backup_is_for_its_owner_alone_and_nothing_is_left_beside_it(store: Store, tmp_path: Path) -> None:
    stock(store)
    folder = tmp_path / "backups"
    folder.mkdir()
    file = backed_up(store, folder)
    assert file.stat().st_mode & 0o077 == 0
    assert list(folder.iterdir()) == [file]


def test_the_key_that_opens_the_keys_is_not_in_a_backup(sqlite_store: Store, tmp_path: Path) -> None:
    stock(sqlite_store)
    (tmp_path / "secret.key").write_text("the secret key")
    with zipfile.ZipFile(backed_up(sqlite_store, tmp_path)) as archive:
        assert archive.namelist() == ["escucha.db", "manifest.json"]
        assert all(b"the secret key" not in archive.read(name) for name in archive.namelist())


def test_data_is_overwritten_only_when_that_is_said(store: Store, tmp_path: Path) -> None:
    stock(store)
    file = backed_up(store, tmp_path)
    with store.connect() as connection:
        connection.execute(update(AuthorRow).values(name="since then"))
    now = contents(store)
    with pytest.raises(Conflict, match="lose what is in it with --replace"):
        restore(store.url, file)
    assert contents(store) == now
    store.close()
    restore(store.url, file, replace=True)
    assert contents(store) != now


def test_a_backup_is_overwritten_only_when_that_is_said(sqlite_store: Store, tmp_path: Path) -> None:
    stock(sqlite_store)
    file = backed_up(sqlite_store, tmp_path)
    before = file.read_bytes()
    with pytest.raises(Conflict, match="exists"):
        backed_up(sqlite_store, tmp_path)
    assert file.read_bytes() == before
    backed_up(sqlite_store, tmp_path, replace=True)
    assert manifest.read(file).rows["mention"] == 4


def test_a_backup_of_an_older_version_is_brought_up_to_date(store: Store, elsewhere: Url, tmp_path: Path) -> None:
    with opened(elsewhere) as old:
        with old.connect() as connection:
            schema.upgrade(connection, "0003")
            connection.exec_driver_sql(OLD_BRAND)
            connection.exec_driver_sql(OLD_MENTION)
        file = backed_up(old, tmp_path)
    store.close()
    restore(store.url, file, replace=True)
    with store.write() as session:
        assert schema.revision(session.connection()) == schema.head()
        assert session.scalar(select(MentionRow.words)) == "el cafe llego frio"
        assert rollups.verify(session) == []


OLD_BRAND = """
INSERT INTO brand (id, slug, name, aliases, rivals, languages, timezone, sample)
VALUES (1, 'lumbre', 'Lumbre', '[]', '[]', '[]', 'America/Bogota', '0')
"""
OLD_MENTION = """
INSERT INTO mention (id, brand_id, source, source_id, kind, text, folded, content, created_at, heard_at, day, state,
                     tries)
VALUES (1, 1, 'rss', 'a', 'post', 'El café llegó frío', '', '', '2026-11-20 18:00:00', '2026-11-20 18:00:00',
        '2026-11-20', 'pending', 0)
"""


def test_a_database_of_a_newer_version_is_neither_backed_up_nor_replaced(elsewhere: Url, tmp_path: Path) -> None:
    with opened(elsewhere) as newer:
        schema.migrate(newer)
        file = backed_up(newer, tmp_path)
        with newer.connect() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(ConfigError, match="newer version of Escucha"):
            backed_up(newer, tmp_path, replace=True)
        with pytest.raises(ConfigError, match="newer version of Escucha"):
            restore(elsewhere, file, replace=True)
        with newer.read() as session:
            assert schema.revision(session.connection()) == "9999"


def test_a_backup_of_a_newer_version_is_refused(store: Store, elsewhere: Url, tmp_path: Path) -> None:
    file = backed_up(store, tmp_path)
    _forge(file, {"revision": "9999"})
    with pytest.raises(ConfigError, match="newer version of Escucha"):
        restore(elsewhere, file)


def test_a_backup_of_the_other_kind_of_database_says_what_to_do(
    sqlite_store: Store, postgres_url: Url, tmp_path: Path
) -> None:
    with pytest.raises(Invalid, match="migrate-store"):
        restore(postgres_url, backed_up(sqlite_store, tmp_path))


def test_no_backup_is_made_of_what_is_no_database(tmp_path: Path, postgres_url: Url) -> None:
    missing = tmp_path / "missing.db"
    with opened(f"sqlite:///{missing}") as store, pytest.raises(NotFound, match="no database"):
        backed_up(store, tmp_path)
    assert list(tmp_path.iterdir()) == []
    with postgres_server() as url, opened(str(url)) as store, pytest.raises(NotFound, match="no database"):
        backed_up(store, tmp_path)


def test_a_backup_that_was_damaged_is_refused(store: Store, tmp_path: Path) -> None:
    stock(store)
    file, before = backed_up(store, tmp_path), contents(store)
    whole, told = file.read_bytes(), manifest.read(file)
    store.close()
    for cut in (b"", b"not a backup", whole[:-1], whole[: len(whole) // 2]):
        file.write_bytes(cut)
        with pytest.raises(Invalid, match="no backup"):
            restore(store.url, file, replace=True)
    found = [_read_with_a_flipped_bit(file, whole, Random(seed)) for seed in range(200)]
    assert found.count(None) > 150
    assert all(read in (None, told) for read in found), "what a flipped bit changed was taken for whole"
    assert contents(store) == before


def _read_with_a_flipped_bit(file: Path, whole: bytes, dice: Random) -> manifest.Manifest | None:
    """What is read then, or None where it is refused. A few bits of a zip, such as its dates, mean nothing to us."""
    place = dice.randrange(len(whole))
    file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << dice.randrange(8)]) + whole[place + 1 :])
    try:
        return manifest.read(file)
    except Invalid:
        return None


def test_a_backup_that_was_forged_changes_nothing(store: Store, tmp_path: Path) -> None:
    stock(store)
    file, before = backed_up(store, tmp_path), contents(store)
    whole = file.read_bytes()
    store.close()
    forged: list[dict[str, Any]] = [{"rows": {"mention": 3}}, {"format": 99}, {"columns": {"mention": ["id; DROP"]}}]
    for changes in forged if store.dialect == "postgresql" else forged[:2]:
        file.write_bytes(whole)
        _forge(file, changes)
        with pytest.raises(Invalid):
            restore(store.url, file, replace=True)
    assert contents(store) == before


def _forge(file: Path, changes: dict[str, Any]) -> None:
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(members["manifest.json"])
    for name, change in changes.items():
        told[name] = told[name] | change if isinstance(change, dict) else change
    members["manifest.json"] = json.dumps(told).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def test_a_database_in_use_is_not_replaced(store: Store, tmp_path: Path) -> None:
    stock(store)
    file, before = backed_up(store, tmp_path), contents(store)
    running = leader.candidate(store)
    assert running.leads()
    with pytest.raises(Conflict, match="Escucha is running"):
        restore(store.url, file, replace=True)
    running.resign()
    assert contents(store) == before


def test_a_database_that_another_program_has_open_is_not_replaced(sqlite_store: Store, tmp_path: Path) -> None:
    stock(sqlite_store)
    file, before = backed_up(sqlite_store, tmp_path), contents(sqlite_store)
    sqlite_store.close()
    with opened(sqlite_store.url) as other, other.read() as session:
        session.scalar(text("SELECT count(*) FROM mention"))
        with pytest.raises(Conflict, match="Another program is using the database"):
            restore(sqlite_store.url, file, replace=True)
    assert contents(sqlite_store) == before


def test_what_keeps_a_postgresql_database_from_being_replaced_is_explained(postgres_url: Url, tmp_path: Path) -> None:
    with opened(postgres_url) as store, opened(postgres_url) as other:
        schema.migrate(store)
        file = backed_up(store, tmp_path)
        with other.read() as session:
            session.execute(text("SELECT * FROM mention"))
            with pytest.raises(Conflict, match="Another program is using the database"):
                restore(postgres_url, file, replace=True)
        with store.connect() as connection:
            connection.exec_driver_sql("CREATE VIEW report AS SELECT * FROM mention")
        with pytest.raises(Conflict, match="rests on Escucha's tables"):
            restore(postgres_url, file, replace=True)
        with store.connect() as connection:
            connection.exec_driver_sql("DROP VIEW report")
        restore(postgres_url, file, replace=True)


def test_a_database_that_a_link_names_is_replaced_where_it_is(sqlite_store: Store, tmp_path: Path) -> None:
    stock(sqlite_store)
    file, link = backed_up(sqlite_store, tmp_path), tmp_path / "link.db"
    sqlite_store.close()
    link.symlink_to(sqlite_store.url.removeprefix("sqlite:///"))
    restore(f"sqlite:///{link}", file, replace=True)
    assert link.is_symlink()
    with opened(f"sqlite:///{link}") as linked:
        assert contents(linked) == contents(sqlite_store)


def test_a_damaged_database_is_replaced_with_what_lies_beside_it(sqlite_store: Store, tmp_path: Path) -> None:
    stock(sqlite_store)
    file, before = backed_up(sqlite_store, tmp_path), contents(sqlite_store)
    sqlite_store.close()
    path = Path(sqlite_store.url.removeprefix("sqlite:///"))
    path.write_bytes(b"damaged" * 1000)
    path.with_name(path.name + "-wal").write_bytes(b"what is left of a log" * 100)
    restore(sqlite_store.url, file, replace=True)
    assert contents(sqlite_store) == before


def test_what_was_deleted_or_blocked_since_stays_out_of_sight(store: Store, tmp_path: Path) -> None:
    with store.write() as session:
        lumbre = brands.add(session, make.brand())
        heard = [make.mention("1"), make.mention("2"), make.mention("3", author=None)]
        mentions.save(session, lumbre, heard, make.NOW)
    file = backed_up(store, tmp_path)
    with store.write() as session:
        tombstones.bury(session, [("mastodon", "3")], make.NOW)
        session.execute(update(AuthorRow).values(blocked_at=make.NOW))
        session.execute(insert(AuthorRow).values(source="rss", key="since", handle="since", blocked_at=make.NOW))
    store.close()
    assert restore(store.url, file, replace=True).forgotten == 3
    with store.write() as session:
        left = {row.source_id: row.hidden for row in session.scalars(select(MentionRow))}
        assert left == {"1": "blocked", "2": "blocked"}
        assert tombstones.buried(session, [("mastodon", "3")])
        assert session.scalar(select(AuthorRow.blocked_at).where(AuthorRow.key == "since")) == make.NOW
        assert rollups.verify(session) == []


class Writer:
    """Saves mentions, the run that brought them and the watch's cursor together, until it is stopped."""

    def __init__(self, store: Store) -> None:
        self._store, self._stop, self._saved = store, threading.Event(), 0
        with store.write() as session:
            self._brand = brands.add(session, make.brand())
            session.execute(insert(WatchRow).values(
                id=1, brand_id=self._brand.id, source="mastodon", query="", terms=[], every=60, slowest=60, pace=60,
                cursor={"saved": 0},
            ))
        self._save()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _go_on(self) -> None:
        while not self._stop.is_set():
            self._save()

    def _save(self, n: int = 20) -> None:
        said = [make.mention(str(self._saved + i), f"dicho número {self._saved + i} " * 20) for i in range(n)]
        self._saved += n
        with self._store.write() as session:
            mentions.save(session, self._brand, said, make.NOW, 1)
            session.execute(insert(RunRow).values(watch_id=1, at=make.NOW, fetched=n, new=n, updated=0, duplicate=0,
                                                  refused=0))
            session.execute(update(WatchRow).values(cursor={"saved": self._saved}))


def test_backups_made_while_mentions_come_in_are_each_of_one_moment(
    store: Store, elsewhere: Url, tmp_path: Path
) -> None:
    seen = []
    with Writer(store):
        for _ in range(TURNS):
            file = backed_up(store, tmp_path, replace=True)
            restore(elsewhere, file, replace=True)
            with opened(elsewhere) as there:
                seen.append(_agreed(there))
    assert seen == sorted(seen)
    assert seen[-1] > seen[0], "the writer was kept waiting all the time"


def _agreed(store: Store) -> int:
    """How many mentions a store has: what its runs and its cursor say too."""
    with store.write() as session:
        n = session.scalar(select(func.count()).select_from(MentionRow)) or 0
        assert session.scalar(select(func.sum(RunRow.fetched))) == n
        assert session.scalar(select(WatchRow.cursor)) == {"saved": n}
        assert rollups.verify(session) == []
        if store.dialect == "sqlite":
            assert session.scalar(text("PRAGMA quick_check")) == "ok"
    return n


def test_a_file_copied_while_somebody_writes_is_found_out(sqlite_store: Store, tmp_path: Path) -> None:
    """The canary: what a backup would be without the database's own way of copying."""
    path, torn = Path(sqlite_store.url.removeprefix("sqlite:///")), tmp_path / "torn.db"
    writer = Writer(sqlite_store)
    for _ in range(10):
        writer._save(200)
    for share in (0.2, 0.5, 0.8):
        sqlite_store.checkpoint()
        whole = path.read_bytes()
        half = whole[: int(len(whole) * share) // 4096 * 4096]
        writer._save(500)
        sqlite_store.checkpoint()
        torn.write_bytes(half + path.read_bytes()[len(half) :])
        with pytest.raises(ConfigError, match="damaged"):
            sound.counts(torn)


def test_a_restore_that_is_killed_leaves_the_old_or_the_new(store: Store, tmp_path: Path) -> None:
    stock(store)
    file = backed_up(store, tmp_path)
    longest_s, new = _restored(store, file)
    for seed in range(KILLS):
        with store.connect() as connection:
            connection.execute(update(AuthorRow).values(name=f"before {seed}"))
        old = contents(store)
        store.close()
        code = killed(lambda: restore(store.url, file, replace=True), seed, 1.2 * longest_s)
        assert code in (-signal.SIGKILL, 0)
        assert contents(store) in ((old, new) if code else (new,))
    assert _restored(store, file)[1] == new


def _restored(store: Store, file: Path) -> tuple[float, Mapping[str, str]]:
    """How many seconds it took, and what is in the store."""
    store.close()
    begun = time.monotonic()
    restore(store.url, file, replace=True)
    return time.monotonic() - begun, contents(store)


def test_a_restore_that_writes_over_the_old_file_is_found_out(sqlite_store: Store, tmp_path: Path) -> None:
    """The canary: what a restore would be without the file beside."""
    stock(sqlite_store)
    file = backed_up(sqlite_store, tmp_path)
    before = contents(sqlite_store)
    sqlite_store.close()
    path = Path(sqlite_store.url.removeprefix("sqlite:///"))

    def in_place() -> None:
        with zipfile.ZipFile(file) as archive, archive.open("escucha.db") as stream, path.open("wb") as out:
            while chunk := stream.read(4096):
                out.write(chunk)
                out.flush()
                time.sleep(0.01)

    assert killed(in_place, 7, 0.5) == -signal.SIGKILL
    with pytest.raises(ConfigError, match="damaged"):
        assert contents(sqlite_store) == before


def test_a_backup_that_is_killed_leaves_the_former_one(store: Store, tmp_path: Path) -> None:
    stock(store)
    file = backed_up(store, tmp_path)
    store.close()

    def again() -> None:
        with opened(store.url) as own:
            backed_up(own, tmp_path, replace=True)

    for seed in range(KILLS):
        assert killed(again, seed, 0.3) in (-signal.SIGKILL, 0)
        assert manifest.read(file).rows["mention"] == 4
    backed_up(store, tmp_path, replace=True)
    assert [path for path in tmp_path.iterdir() if ".part" in path.name] == []
