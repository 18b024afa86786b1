"""Ways in which a database's file goes bad, each chosen by a seed."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

PAGE = 4096


def mutation(seed: int) -> tuple[str, Callable[[Path], None]]:
    """What happens to a file, by name, and what does it."""
    dice = random.Random(seed)
    name, spoil = WAYS[seed % len(WAYS)]
    return name, lambda file: spoil(file, dice)


def _flipped(file: Path, dice: random.Random, n: int, until: float = 1.0) -> None:
    data = bytearray(file.read_bytes())
    for _ in range(n):
        data[dice.randrange(int(len(data) * until))] ^= 1 << dice.randrange(8)
    file.write_bytes(data)


def _a_bit(file: Path, dice: random.Random) -> None:
    _flipped(file, dice, 1)


def _many_bits(file: Path, dice: random.Random) -> None:
    _flipped(file, dice, dice.randrange(2, 2_000))


def _the_header(file: Path, dice: random.Random) -> None:
    data = bytearray(file.read_bytes())
    data[dice.randrange(100)] = dice.randrange(256)
    file.write_bytes(data)


def _the_schema(file: Path, dice: random.Random) -> None:
    data = bytearray(file.read_bytes())
    for _ in range(dice.randrange(1, 20)):
        data[dice.randrange(100, PAGE)] ^= 1 << dice.randrange(8)
    file.write_bytes(data)


def _truncated(file: Path, dice: random.Random) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: dice.randrange(1, len(data))])


def _truncated_at_a_page(file: Path, dice: random.Random) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: dice.randrange(1, len(data) // PAGE) * PAGE])


def _empty(file: Path, _: random.Random) -> None:
    file.write_bytes(b"")


def _zeros(file: Path, dice: random.Random) -> None:
    """Pages that a failed disk gives back as zeros."""
    data = bytearray(file.read_bytes())
    start = dice.randrange(len(data) // PAGE) * PAGE
    n = min(PAGE * dice.randrange(1, 8), len(data) - start)
    data[start : start + n] = bytes(n)
    file.write_bytes(data)


def _swapped(file: Path, dice: random.Random) -> None:
    """Two pages, each in the other's place."""
    data = bytearray(file.read_bytes())
    one, other = (dice.randrange(1, len(data) // PAGE) * PAGE for _ in range(2))
    data[one : one + PAGE], data[other : other + PAGE] = data[other : other + PAGE], data[one : one + PAGE]
    file.write_bytes(data)


def _no_database(file: Path, dice: random.Random) -> None:
    noise, cut = dice.randbytes(20_000), b"SQLite format 3\x00"
    file.write_bytes(dice.choice([b"PK\x03\x04 a zip", b"{}", bytes(8192), noise, cut]))


def _of_a_newer_version(file: Path, dice: random.Random) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", (f"{dice.randrange(5000, 9999)}",))


def _of_somebody_else(file: Path, _: random.Random) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE invoices (id INTEGER)")


WAYS = [
    (spoil.__name__.strip("_").replace("_", " "), spoil)
    for spoil in (_a_bit, _many_bits, _the_header, _the_schema, _truncated, _truncated_at_a_page, _empty, _zeros,
                  _swapped, _no_database, _of_a_newer_version, _of_somebody_else)
]
