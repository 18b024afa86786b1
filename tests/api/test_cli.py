"""The command line does what it says, speaks the reader's language, and its exit codes mean something."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import Workbook

from api.console import reader, screen
from api.start import main
from tests.conftest import ROOT
from tests.pipeline.upstream import feed, upstream

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(**settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ESCUCHA_")}
    return kept | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"} | settings


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in an empty folder, within this process: a process of its own begins for seconds."""
    monkeypatch.chdir(tmp_path)

    def command(*words: object, stdin: str | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
        given, out, err = (TextIOWrapper(BytesIO(text.encode()), encoding="utf-8") for text in (stdin or "", "", ""))
        asked = [str(word) for word in words]
        _forget()
        with monkeypatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name in set(os.environ) - set(environment(**settings)):
                patch.delenv(name)
            for name, value in environment(**settings).items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["escucha", *asked])
            patch.setattr(sys, "stdin", given)
            code = 0
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        _forget()
        return subprocess.CompletedProcess(asked, code, _read(out), _read(err))

    return command


def _forget() -> None:
    """Whoever ran a command before may have had another language, and a narrower terminal."""
    reader.cache_clear()
    screen.cache_clear()


def _read(stream: TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()


@pytest.fixture
def process(tmp_path: Path) -> Run:
    """Runs a command in an empty folder, in a process of its own."""

    def command(*words: object, stdin: str | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "api", *map(str, words)], cwd=tmp_path, env=environment(**settings), input=stdin,
            capture_output=True, text=True, timeout=90, check=False,
        )

    return command


def told(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_brand_is_added_and_listed(run: Run) -> None:
    added = run("brand", "add", "Cafés Ñandú", "--alias", "Nandu", "--timezone", "America/Bogota")
    assert added.returncode == 0, added.stderr
    assert "cafes-nandu" in added.stdout
    (brand,) = told(run("brand", "list", "--json"))
    assert (brand["slug"], brand["name"], brand["aliases"]) == ("cafes-nandu", "Cafés Ñandú", ["Nandu"])


def test_the_same_brand_twice_says_so_in_spanish_and_exits_1(run: Run, process: Run) -> None:
    run("brand", "add", "Lumbre")
    again = process("brand", "add", "Lumbre")
    assert again.returncode == 1
    assert "ya existe" in again.stderr
    assert "Traceback" not in again.stderr
    english = run("brand", "add", "Lumbre", ESCUCHA_LANG="en")
    assert "exists already" in english.stderr


def test_a_file_is_imported_once_and_every_refused_row_is_listed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(
        "fecha;comentario;estrellas;usuario\n"
        "13/10/2026;El café llegó frío;2;ana\n"
        "14/10/2026;;;luis\n"
        "15/10/2099;Del futuro;5;eva\n"
        "16/10/2026;Muy bueno;4,5;luz\n".encode("cp1252")
    )
    run("brand", "add", "Lumbre")
    first = told(run("import", "r.csv", "--brand", "lumbre", "--json"))
    assert (first["read"], first["new"], first["refused"]) == (4, 2, 2)
    assert [refusal["where"] for refusal in first["refusals"]]
    assert any("futur" in refusal["why"] for refusal in first["refusals"])
    second = told(run("import", "r.csv", "--brand", "lumbre", "--json"))
    assert (second["new"], second["duplicate"]) == (0, 2)
    shown = run("import", "r.csv", "--brand", "lumbre")
    assert "2 ya estaban" in shown.stdout
    assert "futur" in shown.stdout


def test_a_spreadsheet_is_previewed_and_imported_with_a_map(run: Run, tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append(["Cuándo", "Qué dijo"])
    book.active.append(["2026-10-01", "Me encantó"])
    book.save(tmp_path / "b.xlsx")
    run("brand", "add", "Lumbre")
    refused = run("import", "b.xlsx", "--brand", "lumbre")
    assert refused.returncode == 1
    assert "Qué dijo" in refused.stderr, "the columns that were found are named"
    mapped = ("import", "b.xlsx", "--brand", "lumbre", "--map", "text=Qué dijo,date=Cuándo")
    assert "Me encantó" in run(*mapped, "--preview").stdout
    assert told(run(*mapped, "--json"))["new"] == 1


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("import", "nada.csv", "--brand", "lumbre"), 1, "nada.csv"),
        (("import", "x", "--brand", "otra"), 1, "otra"),
        (("watch", "add", "lumbre", "humo", "x"), 1, "humo"),
        (("watch", "add", "lumbre", "rss", "http://x", "--every", "1s"), 1, "1s"),
        (("watch", "add", "lumbre", "hackernews", "café AND"), 1, "6"),
        (("watch", "pause", "77"), 1, "77"),
        (("evaluate", "nada.jsonl"), 1, "nada.jsonl"),
        (("train", "nada"), 1, "nada"),
        (("brand", "add", "Lumbre", "--timezone", "Marte/Norte"), 1, "Marte/Norte"),
        (("brand", "add", "!!!"), 1, "a-z"),
        (("import",), 2, "--help"),
    ],
)
def test_bad_input_is_one_sentence_and_an_exit_code(
    run: Run, tmp_path: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    run("brand", "add", "Lumbre")
    (tmp_path / "x").write_text("texto\nhola\n")
    done = run(*words)
    assert done.returncode == code, done.stdout + done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_watch_is_collected_enriched_paused_and_resumed(run: Run) -> None:
    with upstream() as web:
        url = web.put("/feed", feed("Lumbre me encantó", "Nada que ver"))
        allowed = {"ESCUCHA_WEB__ALLOW_HOSTS": json.dumps([web.host]), "ESCUCHA_WEB__PACE": "0"}
        run("brand", "add", "Lumbre")
        run("watch", "add", "lumbre", "rss", url, "--every", "1h")
        (first,) = told(run("collect", "--json", **allowed))
        assert (first["new"], first["problem"]) == (1, None), "only what names the brand is kept"
        assert told(run("enrich", "--json"))["done"] == 1
        assert told(run("collect", "--json", **allowed)) == []
        (watch,) = told(run("watch", "list", "--json"))
        assert (watch["state"], watch["last_run"]["new"], watch["terms"]) == ("active", 1, ["Lumbre"])
        run("watch", "pause", watch["id"])
        assert told(run("watch", "list", "--json"))[0]["state"] == "paused"
        web.put("/feed", "no", 403)
        run("watch", "resume", watch["id"])
        failed = run("collect", **allowed)
        assert failed.returncode == 4
        assert told(run("watch", "list", "--json"))[0]["problem"]


def test_a_watch_on_this_machine_is_refused_unless_its_host_is_allowed(run: Run) -> None:
    with upstream() as web:
        run("brand", "add", "Lumbre")
        run("watch", "add", "lumbre", "rss", web.put("/feed", feed("Lumbre")))
        (row,) = json.loads(run("collect", "--json").stdout)
        assert row["problem"]
        assert web.asked == []


def test_tag_answers_each_line_with_every_label(run: Run) -> None:
    lines = 'Me encantó, lo recomiendo a todos\n\n{"id": "x", "text": "The app crashes all the time"}\n{bad json\n'
    done = run("tag", stdin=lines)
    assert done.returncode == 0, done.stderr
    first, second, bad = (json.loads(line) for line in done.stdout.splitlines())
    assert set(first) == {"id", "text", "lang", "sentiment", "stage", "pain", "touchpoint", "emotion", "parts"}
    assert (first["lang"]["label"], first["sentiment"]["label"]) == ("es", "positive")
    assert (second["id"], second["lang"]["label"], second["sentiment"]["label"]) == ("x", "en", "negative")
    assert 0 <= first["stage"]["score"] <= 1
    assert bad["error"]


def test_tag_answers_before_the_input_ends(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "api", "tag"], cwd=tmp_path, env=environment(), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("El café estaba buenísimo\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["sentiment"]["label"] == "positive"
    process.stdin.close()
    assert process.wait(20) == 0
    process.stdout.close()


def test_evaluate_scores_labelled_lines(run: Run, tmp_path: Path) -> None:
    rows = [
        {"text": "Me encantó, lo recomiendo", "sentiment": "positive", "lang": "es"},
        {"text": "Pésimo, una hora esperando", "sentiment": "negative", "lang": "es"},
    ]
    with gzip.open(tmp_path / "l.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    scores = told(run("evaluate", "l.jsonl.gz"))
    assert scores["sentiment"]["n"] == 2
    assert scores["sentiment"]["accuracy"] == 1.0
    assert "stage" not in scores or scores["stage"]["n"] == 0


def test_doctor_sees_a_database_that_is_none(run: Run, tmp_path: Path) -> None:
    assert run("doctor").returncode == 0
    (tmp_path / "bad.db").write_text("this is no database, but it is long enough to look like a file of one")
    sick = run("doctor", "--json", ESCUCHA_DATABASE="sqlite:///bad.db")
    assert sick.returncode == 1
    assert [check["check"] for check in json.loads(sick.stdout) if not check["ok"]]


def test_init_writes_settings_that_only_their_owner_reads(run: Run, tmp_path: Path) -> None:
    assert run("init").returncode == 0
    assert (tmp_path / "escucha.toml").stat().st_mode & 0o777 == 0o600
    (tmp_path / "escucha.toml").write_text("lang = 'en'\nport = 'x'\n")
    done = run("brand", "list")
    assert done.returncode == 3
    assert "port" in done.stderr


def test_a_source_without_its_key_says_what_is_needed_and_rests(run: Run) -> None:
    run("brand", "add", "Lumbre")
    added = run("watch", "add", "lumbre", "youtube", "café OR té", "--every", "1h")
    assert "café|té" in added.stdout
    (row,) = json.loads(run("collect", "--json").stdout)
    assert "keys.youtube" in row["problem"]
    (watch,) = told(run("watch", "list", "--json"))
    assert watch["state"] == "paused"


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.timeout(300)
def test_demo_serves_the_sample_and_ends_cleanly_on_ctrl_c(tmp_path: Path, port: int) -> None:
    command = [sys.executable, "-m", "api", "demo", "--port", str(port)]
    log = (tmp_path / "log").open("w+")
    server = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=log, stderr=subprocess.STDOUT)
    base = f"http://127.0.0.1:{port}"
    try:
        health = _answer(f"{base}/api/v1/health", server)
        assert health["mentions"] > 500
        assert health["pending"] == 0
        page = httpx.get(f"{base}/", trust_env=False, timeout=20)
        assert page.status_code == 200
        assert "Cafés Lumbre" in page.text
    finally:
        server.send_signal(signal.SIGINT)
        code = server.wait(20)
    log.seek(0)
    said = log.read()
    log.close()
    assert base in said
    assert "Traceback" not in said
    assert code == 0, said


def test_a_taken_port_is_explained(process: Run, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        done = process("serve", "--port", port)
    assert done.returncode == 3
    assert "--port" in done.stderr


def _answer(url: str, server: subprocess.Popen[bytes]) -> Any:
    end = time.monotonic() + 240
    while time.monotonic() < end:
        assert server.poll() is None, "the server ended"
        try:
            return httpx.get(url, trust_env=False).json()
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("the server did not answer")


def test_a_hook_tells_its_address_and_its_secret_once(run: Run) -> None:
    run("brand", "add", "Lumbre")
    first = run("watch", "add", "lumbre", "webhook", "generic").stdout
    assert "/hooks/" in first
    assert "whsec_" in first
    assert "whsec_" not in run("watch", "add", "lumbre", "webhook", "generic tienda").stdout
    listed = run("keys", "list").stdout
    assert "secret" in listed
    assert "whsec_" not in listed


@pytest.mark.filterwarnings("ignore:Can not control echo")
def test_keys_are_entered_listed_and_forgotten_without_being_shown(run: Run, tmp_path: Path) -> None:
    assert run("keys", "set", "youtube", stdin="s3cr3t-of-lumbre\n\n").returncode == 0
    listed = run("keys", "list").stdout
    assert "api_key" in listed
    assert "s3cr3t-of-lumbre" not in listed
    assert b"s3cr3t-of-lumbre" not in b"".join(path.read_bytes() for path in (tmp_path / "data").glob("escucha.db*"))
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o077 == 0
    run("keys", "remove", "youtube")
    assert "api_key" not in run("keys", "list").stdout


def test_a_source_with_terms_is_off_until_they_are_accepted(run: Run) -> None:
    run("brand", "add", "Lumbre")
    run("watch", "add", "lumbre", "google-news", "lumbre", "--every", "1h")
    (row,) = json.loads(run("collect", "--json").stdout)
    assert "términos" in row["problem"]
    assert run("sources", "accept", "google-news", stdin="n\n").returncode != 0
    assert run("sources", "accept", "google-news", stdin="y\n").returncode == 0
    assert run("sources", "accept", "rss", stdin="y\n").returncode == 1


def test_the_past_is_read_with_progress_and_listed(run: Run) -> None:
    run("brand", "add", "Lumbre", "--alias", "café")
    with upstream() as web:
        url = web.put("/feed", feed("El café llegó frío"))
        settings = {"ESCUCHA_WEB__ALLOW_HOSTS": json.dumps([web.host]), "ESCUCHA_WEB__PACE": "0"}
        run("watch", "add", "lumbre", "rss", url)
        done = run("backfill", "--brand", "lumbre", "--since", "2026-11-01", **settings)
        assert done.returncode == 0, done.stderr
        (one,) = told(run("backfills", "list", "--json"))
    assert (one["state"], one["share"], one["new"]) == ("done", 1.0, 1)
    assert run("backfill", "--brand", "lumbre", "--since", "ayer").returncode == 1
    assert run("backfills", "resume", 1).returncode == 1


def test_a_mention_deleted_by_hand_does_not_come_back(run: Run, tmp_path: Path) -> None:
    run("brand", "add", "Lumbre")
    (tmp_path / "r.csv").write_text("id,texto,fecha\nresena-1,MARCADOR-UNICO,2026-11-20\n", "utf-8")
    run("import", "r.csv", "--brand", "lumbre")
    assert run("delete", 1).returncode == 0
    assert b"MARCADOR-UNICO" not in b"".join(path.read_bytes() for path in (tmp_path / "data").glob("escucha.db*"))
    assert run("delete", 1).returncode == 1
    assert run("import", "r.csv", "--brand", "lumbre").returncode == 1
    assert "no vuelve" in run("import", "r.csv", "--brand", "lumbre").stdout


def test_a_watch_is_tried_without_storing_anything(run: Run) -> None:
    run("brand", "add", "Lumbre", "--alias", "café")
    with upstream() as web:
        url = web.put("/feed", feed("El café llegó frío", "Otra cosa"))
        settings = {"ESCUCHA_WEB__ALLOW_HOSTS": json.dumps([web.host]), "ESCUCHA_WEB__PACE": "0"}
        (found,) = told(run("watch", "try", "lumbre", "rss", url, "--json", **settings))
    assert "café" in found["text"]
    assert told(run("watch", "list", "--json")) == []
