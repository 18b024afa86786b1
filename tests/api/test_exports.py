"""An export holds what the list shows, runs nowhere as a formula, stays small in memory, and can be imported again."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import text
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from api.cli import app as commands
from api.exports import files
from api.exports.cells import CUT, LONGEST
from api.exports.columns import COLUMNS, NAMES, Exported
from api.exports.reading import CHUNK, chunks
from api.exports.wish import FORMATS, FormatName, Wish, check_size, file_name, format_of
from api.exports.workbook import check_sheet
from collectors.file import FileSource
from collectors.http import WebOptions
from config.settings import Settings
from escucha.brand import Query
from escucha.enrichment import TaggedMention
from escucha.errors import Invalid
from escucha.filter import MentionFilter
from escucha.formula import guarded, unguarded
from escucha.mention import Author, Engagement, Mention
from pipeline.importing import import_file
from store import brands, mentions, rollups
from store.engine import Store
from store.standing import Standing
from store.tables import MentionRow
from tests.api.conftest import Open, days_ago, say
from tests.collectors.hostile.memory import Peak
from tests.conftest import ROOT
from tests.make import NOW, brand, mention, understood

PATH = "/api/v1/mentions/export"
LUMBRE = MentionFilter(brand="lumbre")
FORMULAS = (
    "=HYPERLINK(A1)", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\u00a0=1", "\u200b=1", "＝1", "＋1", "－1",
    "＠SUM", "\n=1", "'=1", "' =1", "''@a",
)


def rows(content: bytes, separator: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator))


def cells(content: bytes) -> list[dict[str, Any]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    header, *lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    return [dict(zip(header, line, strict=True)) for line in lines]


def read_back(format: FormatName, content: bytes) -> list[dict[str, Any]]:
    match format:
        case "csv":
            return [{name: value or None for name, value in row.items()} for row in rows(content)]
        case "jsonl":
            return [json.loads(line) for line in content.splitlines()]
        case "xlsx":
            return cells(content)
        case _:
            return parquet.read_table(pa.BufferReader(content)).to_pylist()


def exported(said: Mention, **labels: str) -> Exported:
    tagged = TaggedMention(id=1, brand="lumbre", mention=said, enrichment=understood(**labels), state="done")
    return Exported(tagged=tagged, standing=Standing(day=date(2026, 11, 20), cluster=None, copy=False))


def file_of(format: FormatName, *said: Mention, **options: Any) -> bytes:
    return b"".join(files.written_as(Wish(format=format, **options), [[exported(each) for each in said]]))


def many(store: Store, n: int) -> None:
    """A brand with n mentions of one second, the newest with the largest number."""
    with store.write() as session:
        mentions.save(session, brands.add(session, brand()), [mention("0")], NOW)
        kept = [c.name for c in MentionRow.__table__.columns if c.name not in ("id", "source_id", "seek")]
        session.execute(text(
            f"WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < {n - 1}) "
            f"INSERT INTO mention (id, source_id, seek, {', '.join(kept)}) "
            f"SELECT id + n, CAST(n AS TEXT), seek + n, {', '.join(kept)} FROM mention, k WHERE source_id = '0'"
        ))
        if store.dialect == "postgresql":
            session.execute(text("SELECT setval(pg_get_serial_sequence('mention', 'id'), max(id)) FROM mention"))
        rollups.rebuild(session)


# What is in it


@pytest.mark.parametrize("format", list(FORMATS))
def test_every_format_holds_what_the_list_shows(client: TestClient, format: FormatName) -> None:
    asked = {"brand": "lumbre", "sentiment": "positive", "from": "2026-10-01"}
    listed = client.get("/api/v1/mentions", params=asked).json()["items"]
    answer = client.get(PATH, params={**asked, "format": format})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == FORMATS[format].media
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="escucha_lumbre_2026-10-01_2026-11-20.{format}"')
    found = read_back(format, answer.content)
    assert list(found[0]) == list(NAMES)
    assert len(listed) > 2
    assert [(row["source"], row["source_id"], row["sentiment"]) for row in found] == [
        (each["mention"]["source"], each["mention"]["source_id"], "positive") for each in listed]


@pytest.mark.parametrize("format", list(FORMATS))
def test_nothing_found_is_a_file_with_columns_alone(client: TestClient, format: FormatName) -> None:
    answer = client.get(PATH, params={"brand": "nebula", "format": format})
    assert answer.status_code == 200
    assert read_back(format, answer.content) == []
    assert b"lang_detected" in answer.content or format in ("jsonl", "xlsx")


def test_the_columns_are_those_of_the_guide_in_its_order() -> None:
    guide = (ROOT / "docs" / "exports.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \| .+ \|.*\|$", guide.partition("## Columns")[2], re.MULTILINE) == list(NAMES)


def test_a_row_tells_all_that_is_known_and_leaves_the_rest_empty() -> None:
    said = mention(
        "7", created_at=datetime(2026, 11, 1, 5, 30, tzinfo=UTC), edited_at=datetime(2026, 11, 2, tzinfo=UTC),
        rating=4.0, title="Frío", place="Oaxaca", lang="es-mx", parent_id="6",
        author=Author(id="a1", handle="ana", verified=True), engagement=Engagement(likes=3, comments=1),
    )
    (row,) = rows(file_of("csv", said))
    assert {name: value for name, value in row.items() if value} == {
        "brand": "lumbre", "id": "1", "source": "mastodon", "source_id": "7", "kind": "post",
        "created_at": "2026-11-01T05:30:00Z", "day": "2026-11-20", "edited_at": "2026-11-02T00:00:00Z", "title": "Frío",
        "text": "El café llegó frío", "url": "https://social.invalid/7", "place": "Oaxaca", "parent_id": "6",
        "lang": "es-mx", "author_id": "a1", "author_handle": "ana", "author_verified": "true", "likes": "3",
        "comments": "1", "engagement": "4", "rating": "4.0", "lang_detected": "es", "lang_detected_score": "0.9",
        "sentiment": "neutral", "sentiment_score": "0.9", "stage": "none", "stage_score": "0.9", "pain": "none",
        "pain_score": "0.9", "touchpoint": "none", "touchpoint_score": "0.9", "state": "done", "copy": "false",
    }


def test_the_day_is_the_brands_own(opened: Open, sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        brands.add(session, brand(timezone="America/Mexico_City"))
    say(sqlite_store, "lumbre", mention("1", created_at=datetime(2026, 11, 20, 3, tzinfo=UTC)))
    (row,) = rows(opened(sqlite_store).get(PATH, params={"format": "csv"}).content)
    assert (row["created_at"], row["day"]) == ("2026-11-20T03:00:00Z", "2026-11-19")


def test_copies_name_the_first_of_their_cluster(opened: Open, sqlite_store: Store) -> None:
    many(sqlite_store, 3)
    with sqlite_store.write() as session, rollups.kept(session, [1, 2]):
        session.execute(text("UPDATE mention SET cluster_id = 1, copy = (id = 2) WHERE id IN (1, 2)"))
    found = rows(opened(sqlite_store).get(PATH).content)
    assert [(row["id"], row["cluster"], row["copy"]) for row in found] == [
        ("3", "", "false"), ("2", "1", "true"), ("1", "1", "false")]


def test_raw_answers_come_in_json_lines_and_only_when_asked(opened: Open, sqlite_store: Store) -> None:
    with sqlite_store.write() as session:
        brands.add(session, brand())
    say(sqlite_store, "lumbre", mention(raw={"secreto": ["a"]}))
    client = opened(sqlite_store)
    assert b"secreto" not in client.get(PATH, params={"format": "jsonl"}).content
    (line,) = client.get(PATH, params={"format": "jsonl", "raw": "true"}).text.splitlines()
    assert json.loads(line)["raw"] == {"secreto": ["a"]}


def test_parquet_has_types() -> None:
    table = parquet.read_table(pa.BufferReader(file_of("parquet", mention(rating=4.5))))
    names = ("text", "likes", "rating", "created_at", "day", "copy")
    types = {name: str(table.schema.field(name).type) for name in names}
    assert types == {"text": "string", "likes": "int64", "rating": "double", "created_at": "timestamp[us, tz=UTC]",
                     "day": "date32[day]", "copy": "bool"}
    assert table.column("views").to_pylist() == [None]


# What is refused, before anything is sent


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ("format=pdf", 422, "csv"),
        ("format=csv&raw=true", 422, "The option raw works with the format jsonl alone"),
        ("format=xlsx&excel=true", 422, "The option excel works with the format csv alone"),
        ("format=jsonl&separator=semicolon", 422, "The option separator works with the format csv alone"),
        ("brand=nobody", 404, "nobody"), ("from=2026-10-02&to=2026-10-01", 422, "run backwards"),
        ("stage=nowhere", 422, "There is no stage called nowhere"), ("limit=5", 422, "limit is not a parameter here"),
    ],
)
def test_what_cannot_be_is_said_in_the_one_shape(client: TestClient, asked: str, status: int, words: str) -> None:
    answer = client.get(f"{PATH}?{asked}", headers={"Accept-Language": "en"})
    assert answer.status_code == status
    assert words in answer.json()["message"]


@pytest.mark.parametrize(("format", "most"), [("csv", 1_000_000), ("jsonl", 1_000_000), ("xlsx", 100_000),
                                              ("parquet", 1_000_000)])
def test_more_mentions_than_a_format_holds_are_refused_with_what_to_do(format: FormatName, most: int) -> None:
    check_size(most, format)
    with pytest.raises(Invalid, match=r"[Nn]arrow the filter"):
        check_size(most + 1, format)


def test_too_many_for_excel_may_be_enough_for_others() -> None:
    with pytest.raises(Invalid, match=r"100,001 mentions are more than the 100,000 .* Choose csv, jsonl or parquet"):
        check_size(100_001, "xlsx")


def test_a_workbook_that_no_program_would_open_is_not_written() -> None:
    check_sheet(2_000_000_000)
    with pytest.raises(Invalid, match="too long for one workbook"):
        check_sheet(2_000_000_001)


@pytest.mark.parametrize(
    ("days", "name"),
    [
        ((date(2026, 10, 1), date(2026, 10, 31)), "escucha_lumbre_2026-10-01_2026-10-31.csv"),
        ((date(2026, 10, 1), None), "escucha_lumbre_2026-10-01_2026-11-20.csv"),
        ((None, None), "escucha_lumbre_2026-11-20.csv"),
    ],
)
def test_a_file_is_called_by_its_brand_and_days(days: tuple[date | None, date | None], name: str) -> None:
    assert file_name("lumbre", days, date(2026, 11, 20), "csv") == name


# Formulas


@pytest.mark.parametrize("attack", FORMULAS)
def test_no_text_begins_as_a_formula_in_csv_or_excel(attack: str) -> None:
    said = mention("1", attack, title=attack, place=attack, author=Author(id=attack, handle=attack, name=attack))
    (line,), (cell,) = rows(file_of("csv", said)), cells(file_of("xlsx", said))
    for name in ("title", "text", "place", "author_id", "author_handle", "author_name"):
        assert line[name] == f"'{attack}"
        assert cell[name] == f"'{attack}".replace("\r", "\n")


@given(st.text(alphabet=st.sampled_from("'=+-@＝＋－＠ \t\r\n\u200b\u00a0a1")) | st.text())
def test_a_guarded_text_is_no_formula_and_comes_back(said: str) -> None:
    assert unguarded(guarded(said)) == said
    bare = re.sub("^[\\s\u00ad\u200b-\u200f\u2060\ufeff]+", "", guarded(said))
    assert not bare.startswith(tuple("=+-@＝＋－＠"))


def test_numbers_and_days_are_no_texts_in_excel_and_nothing_is_a_formula() -> None:
    said = mention("007", "=1+1", engagement=Engagement(likes=-4))
    sheet = openpyxl.load_workbook(io.BytesIO(file_of("xlsx", said))).worksheets[0]
    kinds = {name: cell.data_type for name, cell in zip(NAMES, sheet[2], strict=True) if cell.value is not None}
    assert {kinds[name] for name in ("text", "source_id", "created_at", "stage")} == {"s"}
    assert (kinds["likes"], kinds["stage_score"], kinds["day"], kinds["copy"]) == ("n", "n", "d", "b")
    assert "f" not in kinds.values()
    (row,) = cells(file_of("xlsx", said))
    assert (row["likes"], row["day"].date(), row["source_id"]) == (-4, date(2026, 11, 20), "007")


def test_excel_gets_no_character_that_xml_forbids_and_no_text_longer_than_a_cell() -> None:
    told = "Frío\x00\x0b\ud800\ufffe <b>&amp; _x0041_ 🙌"
    (row,) = cells(file_of("xlsx", mention("1", told)))
    assert row["text"] == "Frío <b>&amp; _x005F_x0041_ 🙌"  # as Excel reads it: _x0041_ and not A
    for long in ("ñ" * 40_000, "🙌" * 40_000, "=" + "a" * 40_000):
        (row,) = cells(file_of("xlsx", mention("1", long)))
        assert row["text"].endswith(CUT)
        assert LONGEST - 1 <= len(row["text"].encode("utf-16-le")) / 2 <= LONGEST
    (row,) = cells(file_of("xlsx", mention("1", "a" * LONGEST)))
    assert row["text"] == "a" * LONGEST


def test_csv_is_quoted_by_the_rules_and_opens_in_excel_when_asked() -> None:
    said = mention("1", 'Dijo: "frío", y\r\nluego; nada')
    plain, marked = file_of("csv", said), file_of("csv", said, excel=True, separator="semicolon")
    assert b'"Dijo: ""fr\xc3\xado"", y\r\nluego; nada"' in plain
    assert plain.endswith(b"\r\n")
    assert (plain[:3], marked[:3]) == (b"bra", b"\xef\xbb\xbf")
    assert rows(marked, ";")[0]["text"] == said.text == rows(plain)[0]["text"]


# How it is read


class Counting(Store):
    """A store that counts how often it is read."""

    reads = 0

    def read(self) -> Any:
        self.reads += 1
        return super().read()


def test_the_reading_goes_on_where_it_was_while_mentions_arrive(store: Store) -> None:
    many(store, CHUNK + 200)
    with store.read() as session:
        known = {row.id for row in session.execute(text("SELECT id FROM mention"))}
    reading = chunks(store, LUMBRE)
    found = [each.tagged for each in next(reading)]
    with store.write() as session:
        fresh = [mention(name, created_at=NOW - timedelta(hours=hours)) for name, hours in (("new", 1), ("old", 99))]
        mentions.save(session, brands.get(session, "lumbre"), fresh, NOW)
    found += [each.tagged for chunk in reading for each in chunk]
    ids = [tagged.id for tagged in found]
    assert len(ids) == len(set(ids))
    assert known <= set(ids)
    arrived = {tagged.mention.source_id for tagged in found if tagged.id not in known}
    assert arrived == {"old"}


def test_no_transaction_stays_open_between_two_steps(sqlite_store: Store) -> None:
    many(sqlite_store, 10)
    reading = chunks(sqlite_store, LUMBRE)
    next(reading)
    sqlite_store.checkpoint()
    assert not Path(f"{sqlite_store.url.removeprefix('sqlite:///')}-wal").read_bytes()


@pytest.mark.parametrize("format", list(FORMATS))
def test_a_file_leaves_while_it_is_read_and_holds_on_to_nothing(format: FormatName) -> None:
    alive, given_out = 0, 0

    class Counted(list[Exported]):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def reading(n: int) -> Iterator[Sequence[Exported]]:
        nonlocal alive, given_out
        for _ in range(n):
            alive += 1
            given_out += 1
            yield Counted([exported(mention())])

    pieces = files.written_as(Wish(format=format), reading(60))
    ahead = 10 if format == "parquet" else 1
    most, held, first = 0, 0, None
    for piece in pieces:
        first = given_out if first is None and piece else first
        most, held = max(most, len(piece)), max(held, alive)
    assert first is not None
    assert first <= ahead
    assert held <= 2
    assert given_out == 60


def test_a_hundred_thousand_rows_take_no_memory_that_two_thousand_do_not() -> None:
    shown = [exported(mention(str(number), "El café llegó frío " * 5)) for number in range(1_000)]

    def write(n: int) -> None:
        for _ in files.written_as(Wish(format="csv"), (shown for _ in range(n // len(shown)))):
            pass

    write(2_000)
    peak = Peak()
    write(100_000)
    assert peak.grown() < 10_000, "KiB: the file itself has 40,000"


def hung_up(store: Store, path: str, after: int) -> list[int]:
    """Ask the application, and hang up after some pieces of the answer: the sizes of those that came."""
    app, sizes, gone = create_app(Settings(), store, clock=lambda: NOW), [], asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not hasattr(receive, "asked"):
            receive.asked = True  # type: ignore[attr-defined]
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            sizes.append(len(message["body"]))
            if len(sizes) >= after:
                gone.set()
                await asyncio.sleep(0.05)  # a client that is gone takes nothing more

    address, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": address, "raw_path": address.encode(), "query_string": query.encode(),
        "root_path": "", "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80), "state": {},
    }
    asyncio.run(asyncio.wait_for(app(scope, receive, send), 60))
    return sizes


@pytest.mark.parametrize("format", list(FORMATS))
def test_a_client_that_hangs_up_stops_the_reading(sqlite_store: Store, format: FormatName) -> None:
    many(sqlite_store, 20 * CHUNK)
    counting = Counting(sqlite_store.url)
    try:
        sizes = hung_up(counting, f"{PATH}?brand=lumbre&format={format}", after=1)
    finally:
        counting.close()
    assert sizes[0]
    assert counting.reads <= (13 if format == "parquet" else 4)


# To the disk


def test_a_file_that_breaks_off_leaves_the_former_one_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "octubre.csv"
    target.write_text("before")

    def breaking() -> Iterator[bytes]:
        yield b"half"
        assert target.read_text() == "before"
        raise Invalid("The database is gone.")

    with pytest.raises(Invalid):
        files.save(target, breaking())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("octubre.csv", "before")]
    files.save(target, iter([b"a", b"b"]))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("octubre.csv", "ab")]


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"nowhere.* cannot be written"):
        files.save(tmp_path / "nowhere" / "a.csv", iter([b"a"]))


@pytest.mark.parametrize(
    ("name", "format", "meant"), [("a.csv", None, "csv"), ("a.XLSX", None, "xlsx"), ("a", "parquet", "parquet")])
def test_a_format_is_named_or_told_by_the_file(name: str, format: str | None, meant: str) -> None:
    assert format_of(Path(name), format) == meant


def test_the_command_line_writes_the_same_file(
    client: TestClient, filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "lumbre.csv"
    words = ["export", "--brand", "lumbre", "--sentiment", "positive", "--from", "2026-10-01", "--out", str(out)]
    done = CliRunner().invoke(commands, words, env={"ESCUCHA_DATABASE": filled.url, "ESCUCHA_LANG": "en"})
    assert done.exit_code == 0, done.output
    answer = client.get(PATH, params={"brand": "lumbre", "sentiment": "positive", "from": "2026-10-01"})
    assert out.read_bytes() == answer.content
    assert len(rows(answer.content)) == 4


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--out", "a.doc"], "There is no format doc"), (["--out", "a.csv", "--raw"], "The option raw"),
        (["--out", "a.csv", "--from", "ayer"], "from is not a date"), (["--out", "a.csv", "--brand", "x"], "brand x"),
        (["--out", "a.csv", "--sentiment", "angry"], "Choose from"),
    ],
)
def test_the_command_line_says_what_is_off_and_writes_nothing(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], reason: str
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    done = CliRunner().invoke(commands, ["export", *words], env={"ESCUCHA_DATABASE": filled.url})
    assert reason in str(done.exception)
    assert list(Path.cwd().iterdir()) == []


# Back again

TRICKY = (
    mention("-abc", "=1+1", title="@todos", parent_id="-zz", lang="es-mx", place="+52", kind="comment",
            author=Author(id="-1", handle="@ana", name="=Ana", url="https://a.invalid/", followers=3200, verified=True),
            engagement=Engagement(likes=-4, comments=0, views=12_345)),
    mention("007", "Dijo: \"frío\", y\nluego; nada, 'de veras'", edited_at=NOW, author=None),
    mention("3", "'=ya venía con apóstrofo", source="google-play", kind="review", rating=4.5, url=None),
    mention("4", "", source="app-store", kind="review", rating=1.0),
    mention("5", "\u200b-Texto, 🙌 ñandú\u2028y más\tcon tabulador", created_at=NOW - timedelta(microseconds=5)),
)


def told(said: Mention) -> Mention:
    """A mention without what no file carries over: the raw answer, and when the followers were told."""
    author = replace(said.author, followers_at=None) if said.author else None
    return replace(said, raw=None, author=author)


@pytest.mark.parametrize(
    ("format", "options"),
    [("csv", {}), ("csv", {"excel": True}), ("csv", {"separator": "semicolon"}), ("jsonl", {}),
     ("jsonl", {"raw": True}), ("xlsx", {})],
)
def test_our_own_file_gives_the_same_mentions_back(tmp_path: Path, format: FormatName, options: dict[str, Any]) -> None:
    path = tmp_path / f"lumbre.{format}"
    files.save(path, [file_of(format, *TRICKY, **options)])
    source = FileSource(web=WebOptions(), keys={})
    pages = list(source.pages(Query(text=str(path)), None))
    assert [refusal for page in pages for refusal in page.refusals] == []
    assert [told(said) for page in pages for said in page.mentions] == [told(said) for said in TRICKY]


@pytest.mark.parametrize("format", ["csv", "jsonl", "xlsx"])
def test_importing_our_own_file_adds_nothing(store: Store, tmp_path: Path, format: FormatName) -> None:
    with store.write() as session:
        lumbre = brands.add(session, brand())
        mentions.save(session, lumbre, TRICKY, NOW)
    path = tmp_path / f"lumbre.{format}"
    files.save(path, files.stream(store, LUMBRE, Wish(format=format)))
    report = import_file(store, lumbre, path, NOW)
    assert (report.saved.new, report.saved.updated, report.saved.duplicate, report.refusals) == (0, 0, len(TRICKY), ())


# On the page


def test_the_pages_menu_leads_to_what_the_page_shows(client: TestClient) -> None:
    page = LexborHTMLParser(client.get("/mentions?brand=lumbre&period=28d&sentiment=positive").text)
    links = [str(link.attributes["href"]) for link in page.css(".headline .menu a")]
    assert len(links) == len(FORMATS)
    for link in links:
        answer = client.get(link)
        assert answer.status_code == 200, answer.text
        assert "2026-10-24_2026-11-20" in answer.headers["content-disposition"]
    assert len(rows(client.get(links[0]).content)) == 3


def test_a_hidden_mention_is_in_no_file(opened: Open, sqlite_store: Store) -> None:
    many(sqlite_store, 3)
    with sqlite_store.write() as session, rollups.kept(session, [2]):
        session.execute(text("UPDATE mention SET hidden = 'person' WHERE id = 2"))
    assert [row["id"] for row in rows(opened(sqlite_store).get(PATH).content)] == ["3", "1"]


def test_every_type_of_column_is_written_by_every_format() -> None:
    assert set(COLUMNS.values()) == {"text", "whole", "number", "truth", "time", "day"}
    for format in FORMATS:
        assert len(read_back(format, file_of(format, days_ago(1, "1")))) == 1
