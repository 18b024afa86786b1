"""Any export becomes mentions; what cannot is refused by row, with what to do."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from collectors.dates import day_comes_first, read_count, read_moment, read_rating
from collectors.file import FileSource, Preview, preview
from escucha.brand import Query
from escucha.errors import Invalid, NotFound, Unreadable
from escucha.mention import Mention
from escucha.source import Refusal
from tests.collectors.fakes import CLOCK, DATA, NOW, WEB


def run(path: Path, **keys: str) -> tuple[list[Mention], list[Refusal]]:
    pages = list(FileSource(web=WEB, keys=keys, clock=CLOCK).pages(Query(text=str(path)), None))
    return [m for page in pages for m in page.mentions], [r for page in pages for r in page.refusals]


def saved(folder: Path, text: str, name: str = "export.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def look(path: Path, **keys: str) -> Preview:
    return preview(path, keys, CLOCK)


def test_a_spanish_excel_export_is_read_and_its_bad_rows_are_listed() -> None:
    mentions, refusals = run(DATA / "resenas.csv")
    first = mentions[0]
    assert first.text == 'Muy rico, pero "caro"; volveré'
    assert (first.rating, first.place, first.kind) == (4.5, "Puebla", "review")
    assert first.author is not None
    assert (first.author.handle, first.author.followers) == ("ana", 1250)
    assert [m.created_at.date().isoformat() for m in mentions] == ["2026-10-25", "2026-11-03"]
    assert [(r.where, type(r.why)) for r in refusals] == [
        ("row 4", Unreadable),
        ("row 5", Unreadable),
        ("row 6", Unreadable),
    ]
    for words, refusal in zip(["neither a text", "future", "ayer"], refusals, strict=True):
        assert words in str(refusal.why)
    assert refusals[2].raw["Usuario"] == "eva"


def test_importing_again_adds_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "otro-nombre.csv"
    copy.write_bytes((DATA / "resenas.csv").read_bytes())
    assert [m.source_id for m in run(copy)[0]] == [m.source_id for m in run(DATA / "resenas.csv")[0]]


def test_equal_answers_without_author_are_different_people(tmp_path: Path) -> None:
    path = saved(tmp_path, "comentario\nBien\nBien\nBien\n")
    first, second = run(path)[0], run(path)[0]
    assert len({m.source_id for m in first}) == 3
    assert [m.source_id for m in first] == [m.source_id for m in second]


def test_row_numbers_of_two_files_do_not_collide(tmp_path: Path) -> None:
    one = run(saved(tmp_path, "id,texto\n1,Rico\n2,Caro\n", "a.csv"))[0]
    two = run(saved(tmp_path, "id,texto\n1,Lento\n2,Amable\n", "b.csv"))[0]
    assert not {m.source_id for m in one} & {m.source_id for m in two}


def test_ids_of_a_named_source_are_kept(tmp_path: Path) -> None:
    (mention,) = run(saved(tmp_path, "id,texto\n1,Rico\n"), source="encuesta")[0]
    assert (mention.source, mention.source_id) == ("encuesta", "1")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "mac_roman"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found_out(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = [
        ["fecha", "reseña", "autor"],
        ["2026-11-20", "El café está frío, ¡qué decepción! Mañana reclamaré", "Íñigo"],
    ]
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    (mention,) = run(saved(tmp_path, text, encoding=encoding))[0]
    assert mention.text == "El café está frío, ¡qué decepción! Mañana reclamaré"
    assert mention.author is not None
    assert mention.author.handle == "Íñigo"


def test_a_lone_column_may_hold_commas(tmp_path: Path) -> None:
    mentions, refusals = run(saved(tmp_path, "texto\nRico, caro y lento\nHola; adiós\n"))
    assert [m.text for m in mentions] == ["Rico, caro y lento", "Hola; adiós"]
    assert refusals == []


def test_a_slipped_row_is_refused_by_its_number(tmp_path: Path) -> None:
    mentions, refusals = run(saved(tmp_path, "autor,texto\nana,Rico\nbeto,Caro, y lento\neva,Bien\n"))
    assert [m.text for m in mentions] == ["Rico", "Bien"]
    assert [r.where for r in refusals] == ["row 3"]


def test_without_a_text_column_the_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"alfa, beta.*--map text="):
        run(saved(tmp_path, "alfa,beta\n1,2\n"))


def test_the_user_says_which_column_is_what(tmp_path: Path) -> None:
    path = saved(tmp_path, "alfa;beta\nMuy rico;11/03/2026\n")
    (mention,) = run(path, map="text=Alfa, date=beta:%m/%d/%Y")[0]
    assert (mention.text, mention.created_at) == ("Muy rico", datetime(2026, 11, 3, tzinfo=UTC))


@pytest.mark.parametrize(
    ("wish", "words"), [("texto=alfa", "no field texto"), ("text=gama", "no column gama.*alfa, beta")]
)
def test_a_wish_that_does_not_fit_says_what_there_is(tmp_path: Path, wish: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        run(saved(tmp_path, "alfa,beta\n1,2\n"), map=wish)


def test_dates_that_fit_both_orders_are_read_day_first_and_said_so(tmp_path: Path) -> None:
    path = saved(tmp_path, "fecha,texto\n03/04/2026,Rico\n")
    assert run(path)[0][0].created_at.month == 4
    assert any("day/month" in str(note) for note in look(path).notes)


def test_one_date_decides_for_the_whole_column(tmp_path: Path) -> None:
    rows = "03/04/2026,Rico\n" * 1500 + "03/25/2026,Caro\n"
    assert run(saved(tmp_path, "fecha,texto\n" + rows))[0][0].created_at.month == 3


def test_times_without_a_zone_take_the_one_named(tmp_path: Path) -> None:
    path = saved(tmp_path, "fecha,texto\n2026-11-20 10:00,Rico\n")
    assert run(path, timezone="America/Mexico_City")[0][0].created_at == datetime(2026, 11, 20, 16, tzinfo=UTC)
    with pytest.raises(Invalid, match="America/Mexico_City"):
        run(path, timezone="Marte")


def test_without_dates_mentions_get_the_time_of_the_import_and_the_preview_says_so(tmp_path: Path) -> None:
    path = saved(tmp_path, "comentario\nRico\n")
    assert run(path)[0][0].created_at == NOW
    assert any("No column holds a date" in str(note) for note in look(path).notes)


def test_a_preview_shows_the_mapping_and_the_first_rows() -> None:
    seen = look(DATA / "resenas.csv")
    assert seen.mapping["text"] == "Comentario"
    assert seen.columns == ("Fecha", "Comentario", "Puntuación", "Usuario", "Seguidores", "Ciudad")
    assert [type(row) for row in seen.rows] == [Mention, Mention, Refusal, Refusal, Refusal]


def test_json_lines_are_read_with_nested_authors_and_bad_lines_listed(tmp_path: Path) -> None:
    record: dict[str, Any] = {
        "source": "Google Play",
        "source_id": "gp:1",
        "text": "Se cierra sola",
        "created_at": "2026-11-20T10:00:00Z",
        "author": {"handle": "ana", "name": "Ana", "followers": 10},
        "engagement": {"likes": 3},
        "rating": 2,
        "otro": [1],
    }
    lines = [
        "\ufeff" + json.dumps(record) + ",",
        "",
        "{roto",
        '"no es un objeto"',
        json.dumps({**record, "source_id": "gp:2"}),
    ]
    path = tmp_path / "export.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    mentions, refusals = run(path)
    assert [(m.source, m.source_id) for m in mentions] == [("google-play", "gp:1"), ("google-play", "gp:2")]
    assert mentions[0].author is not None
    assert (mentions[0].author.name, mentions[0].author.followers) == ("Ana", 10)
    assert (mentions[0].engagement.likes, mentions[0].rating) == (3, 2.0)
    assert mentions[0].raw is not None
    assert mentions[0].raw["otro"] == [1]
    assert [r.where for r in refusals] == ["line 3", "line 4"]


def test_nul_bytes_surrogates_and_control_characters_are_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    path.write_text(
        '{"id": "a\\u0000b", "text": "Ri\\u0000co \\ud83d \\u001b[31m", "extra": {"k\\u0000": "\\u0000v"}}\n'
    )
    (mention,) = run(path)[0]
    assert (mention.source_id, mention.text) == ("ab", "Rico  [31m")
    assert "\0" not in json.dumps(mention.raw, ensure_ascii=False)
    json.dumps(mention.raw).encode("utf-8")


def test_a_ten_megabyte_text_is_refused_and_the_rest_arrive(tmp_path: Path) -> None:
    mentions, refusals = run(saved(tmp_path, f"texto,autor\n{'a' * 10_000_000},ana\nRico,beto\n"))
    assert [m.text for m in mentions] == ["Rico"]
    assert "100000" in str(refusals[0].why)


def workbook(path: Path, rows: list[list[Any]], hidden_first: bool = False) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    if hidden_first:
        sheet.sheet_state = "hidden"
        sheet = book.create_sheet("Reseñas")
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def test_a_workbook_is_read_below_its_title_rows(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Informe de reseñas"],
        [],
        ["Fecha", "Comentario", "Estrellas", "ID"],
        [datetime(2026, 11, 20, 9, 30), "Muy rico", 5, 1234567.0],  # noqa: DTZ001 (as a cell is)
        [46345, "Caro", 2.5, "x"],
        [None, "Sin fecha", 3, "y"],
    ]
    mentions, refusals = run(workbook(tmp_path / "r.xlsx", rows, hidden_first=True))
    assert [(m.text, m.rating, m.source_id) for m in mentions] == [("Muy rico", 5.0, "1234567"), ("Caro", 2.5, "x")]
    assert mentions[1].created_at == datetime(2026, 11, 19, tzinfo=UTC)
    assert [r.where for r in refusals] == ["row 6"]


def test_a_workbook_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomba.xlsx"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", bytes(50_000_000))
    with pytest.raises(Invalid, match="too large"):
        run(path)


def test_a_damaged_workbook_is_refused_with_what_to_do(tmp_path: Path) -> None:
    whole = workbook(tmp_path / "r.xlsx", [["texto"], ["Rico"]])
    damaged = tmp_path / "d.xlsx"
    with ZipFile(whole) as old, ZipFile(damaged, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)
    with pytest.raises(Invalid, match="is damaged"):
        run(damaged)


def test_macros_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "m.xlsx", [["texto"], ["Rico"]])
    with ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    with pytest.raises(Invalid, match="macros"):
        run(path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\xef\xbb\xbf\r\n", "is empty"),
        ("a.csv", b"texto,autor\n", "no rows"),
        ("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not a text file"),
        ("a.csv", bytes(range(32)) * 99, "not a text file"),
        ("a.csv.gz", b"texto\nno comprimido", "cannot be opened"),
        ("a.jsonl.gz", gzip.compress(b'{"text": "a"}\n' * 99, mtime=0)[:40], "cannot be opened"),
        ("a.xlsx", b"no es un libro", "no Excel workbook"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "Save it as Excel workbook"),
        ("a.pdf", b"%PDF", "unknown kind"),
        ("a.jsonl", b'{"a": 1}\n', "No column holds a text"),
    ],
)
def test_a_file_that_cannot_be_imported_says_what_to_do(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Invalid, match=words):
        run(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no-existe.csv does not exist"):
        run(tmp_path / "no-existe.csv")
    with pytest.raises(Invalid, match="is not a file"):
        run(tmp_path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-20", "2026-11-20T00:00+00:00"),
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00+00:00"),
        ("2015-02-24 09:42:59 -0800", "2015-02-24T17:42+00:00"),
        ("Fri Nov 17 14:17:37 +0000 2017", "2017-11-17T14:17+00:00"),
        ("05/11/2026 14:30", "2026-11-05T14:30+00:00"),
        ("5-11-26", "2026-11-05T00:00+00:00"),
        ("2026/11/05 9:05", "2026-11-05T09:05+00:00"),
        ("17 de noviembre de 2026", "2026-11-17T00:00+00:00"),
        ("martes, 17 nov 2026 10:15", "2026-11-17T10:15+00:00"),
        ("3 de enero de 2026 a las 8:00", "2026-01-03T08:00+00:00"),
        ("Nov 5, 2026 3:04 PM", "2026-11-05T15:04+00:00"),
        ("12 dez 2025", "2025-12-12T00:00+00:00"),
        ("05/11/2026 3:04 p. m.", "2026-11-05T15:04+00:00"),
        ("1763200800", "2025-11-15T10:00+00:00"),
        ("1763200800000", "2025-11-15T10:00+00:00"),
        ("Seg, 24 Set 2018 19:42:40 -0300", "2018-09-24T22:42+00:00"),
        ("5 de mayo de 2026", "2026-05-05T00:00+00:00"),
        ("miércoles 4 de marzo de 2026", "2026-03-04T00:00+00:00"),
    ],
)
def test_dates_in_many_forms_are_read(written: str, meant: str) -> None:
    assert read_moment(written, ZoneInfo("UTC")).isoformat(timespec="minutes") == meant


@pytest.mark.parametrize("written", ["ayer", "5", "32/13/2026", "", "2026-02-30", "10:30", "9999999999999999"])
def test_what_is_no_date_is_refused_naming_it(written: str) -> None:
    with pytest.raises(Unreadable, match="cannot be read"):
        read_moment(written, ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("date", "first"), [("25/03/2026", True), ("03/25/2026", False), ("03/04/2026", None), ("2026-03-25", None)]
)
def test_the_order_of_day_and_month_shows(date: str, first: bool | None) -> None:
    assert day_comes_first(date) is first


@pytest.mark.parametrize(
    ("written", "rating"),
    [
        ("4,5", 4.5),
        ("5/5", 5.0),
        ("8/10", 4.0),
        ("4 de 5", 4.0),
        ("★★★★☆", 4.0),
        ("4 estrellas", 4.0),
        (3, 3.0),
        ("1/10", 1.0),
        ("", None),
        ("-", None),
        (0, None),
        ("N/A", None),
        (None, None),
    ],
)
def test_ratings_in_many_forms_are_read(written: Any, rating: float | None) -> None:
    assert read_rating(written) == rating


@pytest.mark.parametrize("written", ["9", "buena", "-3", "6/5"])
def test_a_rating_off_the_scale_is_refused(written: str) -> None:
    with pytest.raises(Unreadable, match="outside 1 to 5"):
        read_rating(written)


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("1.250", 1250),
        ("1,250,000", 1250000),
        ("12.5K", 12500),
        ("3 mil", 3000),
        ("2,5M", 2500000),
        (17, 17),
        ("", None),
        ("muchos", None),
        ("1.2.3", None),
        (7.0, 7),
    ],
)
def test_counts_in_many_forms_are_read(written: Any, count: int | None) -> None:
    assert read_count(written) == count


@pytest.mark.parametrize(
    ("name", "count"),
    [("airlines_es/train.jsonl.gz", 4596), ("coah_coar/train.jsonl.gz", 4706), ("us_airline/train.jsonl.gz", 9908)],
)
def test_labelled_texts_are_imported_without_loss(shared: Path, name: str, count: int) -> None:
    mentions, refusals = run(shared / "data" / name)
    assert (len(mentions), refusals) == (count, [])
    assert len({(m.source, m.source_id) for m in mentions}) == count
