"""The parts of a parted table of mentions (store.partitions): which months have one, which shall, and how one comes
and goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, text

from store.seek import IDS, from_moment

REST = "mention_rest"
"""The part of what was said in months that have none."""
AHEAD = 3
"""Months to come that have their part already."""
WORTH = 1_000
"""Mentions for which a month gets a part: each costs every question a little, and a reading of the past may bring one
post a month of twenty years."""
MOST = 60
"""Months that get a part because they are worth it: the newest."""
DAY = 86_400
PATIENCE = "2s"
"""How long the coming of a part waits for those who use mentions; all others wait behind it."""
PARTS = """
SELECT relname, greatest(reltuples, 0)::bigint, pg_total_relation_size(part.oid)
FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid
WHERE inhparent = to_regclass('mention') ORDER BY relname
"""
WORDS = """
SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_index ON indexrelid = inhrelid
WHERE inhparent = to_regclass('ix_mention_words') AND indrelid::regclass::text = ANY(:parts) ORDER BY 1
"""
POINTED_AT = """
SELECT DISTINCT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND conrelid = 'mention'::regclass
ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part: its month's first day (None: the rest), about how many mentions it has, and bytes with its indexes."""

    month: date | None
    mentions: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The months that are to get a part, and those whose part is to go."""

    make: Sequence[date] = ()
    drop: Sequence[date] = ()


def parts(connection: Connection) -> list[Part]:
    """All parts, the oldest month first, the rest last."""
    return [Part(month=_month(name), mentions=n, size=size) for name, n, size in connection.execute(text(PARTS))]


def existing(connection: Connection) -> list[date]:
    """The months that have a part, the oldest first."""
    return [part.month for part in parts(connection) if part.month]


def counted(connection: Connection, table: str = "mention") -> Counter[date]:
    """How many mentions of each month (UTC) a table has, on either database."""
    days = f"SELECT (seek >> {IDS}) / {DAY}, count(*) FROM {table} GROUP BY 1"  # noqa: S608
    found = Counter[date]()
    for day, n in connection.execute(text(days)):
        found[(date(1970, 1, 1) + timedelta(days=day)).replace(day=1)] += n
    return found


def wanted(counts: Mapping[date, int], now: datetime, worth: int = WORTH, room: int = MOST) -> list[date]:
    """The months that shall have a part: this one, those to come, and of those that are worth it the newest."""
    month = now.astimezone(UTC).date().replace(day=1)
    coming = [month]
    while len(coming) <= AHEAD:
        coming.append(after(coming[-1]))
    worthy = sorted((month for month, n in counts.items() if n >= worth and month not in coming), reverse=True)
    return sorted([*coming, *worthy[:room]])


def plan(
    have: Collection[date], empty: Collection[date], rest: Mapping[date, int], now: datetime, worth: int = WORTH
) -> Plan:
    """What a night changes: the months that have a part, those of them without a mention, and what the rest holds."""
    shall = wanted(rest, now, worth, max(MOST - len(have), 0))
    return Plan(
        make=tuple(month for month in shall if month not in have),
        drop=tuple(month for month in sorted(empty) if after(month) <= now.astimezone(UTC).date()),
    )


def empty(connection: Connection, months: Collection[date]) -> list[date]:
    """Those of the months whose part has no mention."""
    return [month for month in months
            if not connection.exec_driver_sql(f"SELECT EXISTS (SELECT FROM {name(month)})").scalar()]  # noqa: S608


def hold(connection: Connection) -> None:
    """Let nobody else use mentions until the transaction ends.

    It waits for one lock only, while it holds none: so it is never one of those who wait for each other. Raises
    psycopg's LockNotAvailable where somebody goes on using them.
    """
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}'")
    connection.exec_driver_sql("LOCK TABLE mention IN ACCESS EXCLUSIVE MODE")
    for table in connection.execute(text(POINTED_AT)).scalars().all():
        connection.exec_driver_sql(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE NOWAIT")


def make(connection: Connection, month: date) -> None:
    """Make a month's part, with what the rest holds of it. Nobody else may use mentions (`hold`)."""
    part, (low, high) = name(month), bounds(month)
    of = f"seek >= {low} AND seek < {high}"
    for statement in (
        f"CREATE TABLE {part} (LIKE {REST} INCLUDING ALL)",
        f"INSERT INTO {part} SELECT * FROM {REST} WHERE {of}",  # noqa: S608
        f"DELETE FROM {REST} WHERE {of}",  # noqa: S608
        "INSERT INTO unswept (month) VALUES (NULL)",
        f"ALTER TABLE mention ATTACH PARTITION {part} FOR VALUES FROM ({low}) TO ({high})",
    ):
        connection.exec_driver_sql(statement)


def drop(connection: Connection, month: date) -> bool:
    """Take a month's part away, if it is still empty. Nobody else may use mentions (`hold`)."""
    if not empty(connection, [month]):
        return False
    connection.exec_driver_sql(f"DROP TABLE {name(month)}")
    return True


def unswept(connection: Connection) -> tuple[list[int], list[str]]:
    """The notes of what has gone since the last sweep, and the indexes of words in which it may still stand."""
    notes = connection.exec_driver_sql("SELECT id, month FROM unswept").all()
    there = set(existing(connection))
    changed = {name(month) if month in there else REST for _, month in notes}
    indexes = connection.execute(text(WORDS), {"parts": sorted(changed)}).scalars().all()
    return [id for id, _ in notes], list(indexes)


def swept(connection: Connection, notes: Sequence[int]) -> None:
    """Strike out notes whose indexes have been built anew since."""
    connection.execute(text("DELETE FROM unswept WHERE id = ANY(:notes)"), {"notes": list(notes)})


def bounds(month: date) -> tuple[int, int]:
    """The lowest `seek` of a month, and the lowest of the next."""
    low, high = (from_moment(datetime(day.year, day.month, 1, tzinfo=UTC)) for day in (month, after(month)))
    return low, high


def after(month: date) -> date:
    """The next month."""
    return (month + timedelta(days=31)).replace(day=1)


def name(month: date) -> str:
    """The table that is a month's part."""
    return f"mention_{month:%Y_%m}"


def _month(part: str) -> date | None:
    return None if part == REST else datetime.strptime(part, "mention_%Y_%m").replace(tzinfo=UTC).date()
