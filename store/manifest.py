"""What a backup says of itself, and what is in it: a zip that can be held against its checksums."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from escucha.errors import Invalid, NotFound
from store.cargo import unheard

FORMAT = 1
MANIFEST, DATABASE = "manifest.json", "escucha.db"
CHUNK = 1 << 20
UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, zlib.error, zipfile.BadZipFile)
"""What Python says of a zip that is none, or is cut off or damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is in a backup: of which database and shape, when it was made, rows and columns by table, and checksums
    (SHA-256) by member. `months` are the parts of a parted table of mentions (store.partitions), by their first day."""

    kind: str
    revision: str
    made_at: str
    rows: Mapping[str, int]
    columns: Mapping[str, Sequence[str]]
    checksums: Mapping[str, str]
    months: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.parts()  # it may say anything

    def parts(self) -> list[date]:
        """The months as dates. Raises ValueError for what is none."""
        return [date.fromisoformat(month) for month in self.months]


def read(file: Path) -> Manifest:
    """What a backup says of itself, once all of it has been read and compared with its checksums.

    Raises:
        NotFound: there is no such file.
        Invalid: it is no backup, or it is damaged, cut off, or of a newer version.
    """
    if not file.is_file():
        raise NotFound("There is no file {file}.", file=str(file))
    try:
        with zipfile.ZipFile(file) as archive:
            told = json.loads(archive.read(MANIFEST))
            kept = told.pop("format") <= FORMAT and Manifest(**told)
            sums = {name: _sum(archive, name) for name in kept.checksums} if kept else {}
    except UNREADABLE as error:
        raise Invalid("{file} is no backup of Escucha's, or it is damaged. Use another one.", file=str(file)) from error
    if not kept:
        raise Invalid("{file} was made by a newer version of Escucha. Update Escucha.", file=str(file))
    if sums != kept.checksums:
        raise Invalid("{file} is damaged: what is in it is not what was put in. Use another one.", file=str(file))
    return kept


def write(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Say in a backup what is in it."""
    archive.writestr(MANIFEST, json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1))


def member(table: str) -> str:
    """The name under which a table is in the zip."""
    return f"{table}.copy"


def put(archive: zipfile.ZipFile, name: str, chunks: Iterable[bytes]) -> str:
    """Write a member; its checksum."""
    seen = sha256()
    with archive.open(name, "w", force_zip64=True) as stream:
        for chunk in chunks:
            seen.update(chunk)
            stream.write(chunk)
    return seen.hexdigest()


def _sum(archive: zipfile.ZipFile, name: str) -> str:
    seen = sha256()
    with archive.open(name) as stream:
        for chunk in chunks(stream.read):
            seen.update(chunk)
    return seen.hexdigest()


def chunks(read: Callable[[int], bytes], told: Callable[[int], object] = unheard) -> Iterator[bytes]:
    """All that a function reads, piece by piece; `told` hears how many bytes that is by now."""
    done = 0
    while chunk := read(CHUNK):
        yield chunk
        told(done := done + len(chunk))
