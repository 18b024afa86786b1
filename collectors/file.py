"""Files: mentions that another tool exported, as CSV, Excel or JSON Lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from collectors.bookmark import bookmark, notes_of
from collectors.clock import WALL, Clock
from collectors.dates import read_count, read_moment, read_rating
from collectors.http import WebOptions
from collectors.plan import Plan, make_plan
from collectors.table import Row
from escucha.admission import admit, admit_all
from escucha.brand import Query
from escucha.errors import Invalid, Unreadable
from escucha.formula import unguarded
from escucha.mention import KINDS, Author, Engagement, Kind, Mention
from escucha.note import Note
from escucha.source import Cursor, Page, Refusal, SourceFacts
from escucha.text import fold, mentions_any

PAGE = 500
PREVIEW = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an import would do: field to column, all columns, the first rows as mentions or refusals, and remarks."""

    mapping: Mapping[str, str]
    columns: tuple[str, ...]
    rows: tuple[Mention | Refusal, ...]
    notes: tuple[Note, ...]


class FileSource:
    """Reads a file whole, in pages; one that has not changed since gives nothing.

    `keys` may hold `map` (which column is what), `source` (the name to record) and `timezone` (of times without one).
    """

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="file",
        title="File",
        own=True,
        query_hint="reseñas.csv, .xlsx, .jsonl",
        query_about=Note("The path of a file on this machine that another tool exports: CSV, Excel or JSON Lines."),
        needs=Note("An export of any tool. No key, no cost."),
        keeps=Note("What your contract with the exporting tool allows."),
        blind=Note("Whatever happened after the export."),
        reach=Note("All that is in the file."),
        followers_in_answer="yes",
    )

    def __init__(
        self, *, web: WebOptions, keys: Mapping[str, str], clock: Clock = WALL  # noqa: ARG002 (a file needs no web)
    ) -> None:
        self._keys = dict(keys)
        self._clock = clock

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """The file's rows, 500 a page. Raises NotFound or Invalid for a file that cannot be imported."""
        path = Path(query.text).expanduser()
        plan = make_plan(path, self._keys)
        state = path.stat()
        stamp = {"size": state.st_size, "changed": state.st_mtime_ns, "wish": fold(str(sorted(self._keys.items())))}
        notes = notes_of(query, cursor)
        read = notes if all(notes.get(name) == value for name, value in stamp.items()) else {}
        if read.get("done"):
            return
        rows_read = 0
        for page, count, done in self._read(plan, query):
            rows_read += count
            if rows_read > read.get("rows", 0):
                mark = bookmark(query, **stamp, rows=rows_read, done=done)
                yield Page(mentions=page.mentions, refusals=page.refusals, cursor=mark)

    def _read(self, plan: Plan, query: Query) -> Iterator[tuple[Page, int, bool]]:
        reader = RowReader(plan, self._clock.now())
        found = False
        for chunk, done in _chunks(plan.rows()):
            found = True
            mentions, refusals = admit_all(chunk, reader.read, _where, _raw)
            kept = tuple(m for m in mentions if mentions_any(f"{m.title or ''} {m.text}", query.terms))
            yield Page(mentions=kept, refusals=refusals), len(chunk), done
        if not found:
            raise Invalid("The file {path} names its columns but has no rows.", path=str(plan.table.path))


def preview(path: Path, keys: Mapping[str, str], clock: Clock = WALL) -> Preview:
    """What an import of this file would do, from its first 20 rows. Raises NotFound or Invalid as the import would."""
    plan = make_plan(path, keys)
    reader = RowReader(plan, clock.now())
    rows: list[Mention | Refusal] = []
    for row in islice(plan.rows(), PREVIEW):
        mentions, refusals = admit_all([row], reader.read, _where, _raw)
        rows += [*mentions, *refusals]
    return Preview(
        mapping=plan.columns.columns, columns=tuple(name for name in plan.header if name), rows=tuple(rows),
        notes=plan.notes,
    )


class RowReader:
    """Turns the rows of one file, in their order, into mentions."""

    def __init__(self, plan: Plan, now: datetime) -> None:
        self._plan = plan
        self._columns = plan.columns.columns
        self._now = now
        self._twins: Counter[str] = Counter()

    def read(self, row: Row) -> Mention:
        """The mention in a row. Raises Unreadable with the reason."""
        if row.why is not None:
            raise row.why
        cells = {field: self._cell(row.record.get(column)) for field, column in self._columns.items()}
        text, rating = _text(cells.get("text")), read_rating(cells.get("rating"))
        source = self._plan.source or slug(_text(cells.get("source"))) or "file"
        if not text.strip() and not _text(cells.get("title")) and rating is None:
            raise Unreadable("The row has neither a text nor a rating.")
        mention = Mention(
            source=source,
            source_id=self._identity(cells, source),
            kind=_kind(cells, rating),
            text=text,
            title=_text(cells.get("title")) or None,
            lang=_text(cells.get("lang")).lower().replace("_", "-") or None,
            url=_text(cells.get("url")) or None,
            created_at=self._moment(cells) if "date" in cells else self._now,
            edited_at=self._edited(cells),
            author=_author(cells),
            engagement=Engagement(
                **{name: read_count(cells.get(name)) for name in ("likes", "comments", "shares", "views")}
            ),
            rating=rating,
            parent_id=_text(cells.get("parent")) or None,
            place=_text(cells.get("place")) or None,
            raw=row.raw,
        )
        return admit(mention, self._now)

    def _cell(self, value: Any) -> Any:
        """What a cell says: an apostrophe that keeps a spreadsheet from running it is no part of it."""
        return unguarded(value) if isinstance(value, str) and self._plan.table.form != "jsonl" else value

    def _moment(self, cells: Mapping[str, Any]) -> datetime:
        if cells["date"] in (None, ""):
            raise Unreadable("The row has no date. Fill it in, or import without dates: --map date=")
        plan = self._plan
        return read_moment(cells["date"], plan.zone, day_first=plan.day_first, layout=plan.columns.date_format)

    def _edited(self, cells: Mapping[str, Any]) -> datetime | None:
        value = cells.get("edited")
        return read_moment(value, self._plan.zone, day_first=self._plan.day_first) if value else None

    def _identity(self, cells: Mapping[str, Any], source: str) -> str:
        """The row's own id; else a hash that a second import of the same rows gives again.

        Short numbers in a file that names no source are row numbers, which the next file uses again: they only tell
        rows of one file apart. Equal rows without author or date may be different people, so they are counted.
        """
        own = _text(cells.get("id"))
        is_number = own.isdigit() and len(own) < 7 and source == "file"
        if own and not is_number:
            return own
        parts = [cells.get("url")] if cells.get("url") else [cells.get(name) for name in _TELLING]
        digest = sha256("\x1f".join([source, own, *map(_text, parts)]).encode(errors="replace")).hexdigest()[:32]
        if cells.get("url") or (cells.get("author") and cells.get("date")):
            return digest
        self._twins[digest] += 1
        return digest if self._twins[digest] == 1 else f"{digest}-{self._twins[digest]}"


_TELLING = ("author", "date", "title", "text", "rating")


def slug(name: str) -> str:
    """A source's name as it is recorded: `Google Play` becomes `google-play`."""
    return re.sub(r"\W+", "-", fold(name)).strip("-")[:40]


def _chunks(rows: Iterable[Row]) -> Iterator[tuple[list[Row], bool]]:
    """Rows in lists of PAGE, each with whether it is the last."""
    stream = iter(rows)
    chunk = list(islice(stream, PAGE))
    while chunk:
        following = list(islice(stream, PAGE))
        yield chunk, not following
        chunk = following


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a spreadsheet's 17.0 is the id 17
    return str(value).strip() if value is not None else ""


def _kind(cells: Mapping[str, Any], rating: float | None) -> Kind:
    told = fold(_text(cells.get("kind")))
    return next((kind for kind in KINDS if kind == told), "post" if rating is None else "review")


def _author(cells: Mapping[str, Any]) -> Author | None:
    handle, name = _text(cells.get("author")), _text(cells.get("name"))
    identity = _text(cells.get("author_id")) or handle or name
    if not identity:
        return None
    verified = {"true": True, "1": True, "si": True, "yes": True, "false": False, "0": False, "no": False}
    return Author(
        id=identity,
        handle=handle or name or identity,
        name=name or None,
        url=_text(cells.get("author_url")) or None,
        followers=read_count(cells.get("followers")),
        verified=verified.get(fold(_text(cells.get("verified")))),
    )


def _where(row: Row) -> str:
    return row.where


def _raw(row: Row) -> Any:
    return row.raw if row.raw is not None else dict(row.record)
