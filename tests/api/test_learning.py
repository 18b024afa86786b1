"""The model learns from a brand by the API, by the page and at the command line, and every door says the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from starlette.testclient import TestClient

from escucha.brand import Brand
from store import brands, heads, taxonomy
from store.engine import Store
from tests.api.conftest import Open
from tests.api.test_cli import environment
from tests.conftest import ROOT
from tests.make import brand
from tests.pipeline.test_learning import EXAMPLES, correct, heard

API = "/api/v1/brands/lumbre"
GUARANTEE = {"kind": "touchpoint", "label": {"es": "Garantía"}, "meaning": {"es": "Cobertura, plazo o trámite."},
             "examples": EXAMPLES}


@pytest.fixture
def lumbre(sqlite_store: Store) -> Brand:
    with sqlite_store.write() as session:
        return brands.add(session, brand("lumbre"))


@pytest.fixture
def client(opened: Open, sqlite_store: Store, lumbre: Brand) -> TestClient:
    return opened(sqlite_store)


def test_a_head_is_trained_accepted_and_rolled_back_over_http(
    client: TestClient, sqlite_store: Store, lumbre: Brand
) -> None:
    refused = client.post(f"{API}/heads", json={"kind": "stage"})
    assert (refused.status_code, refused.json()["details"]["missing"]) == (422, 8)
    correct(sqlite_store, heard(sqlite_store, lumbre, range(10)), "advocacy")
    made = client.post(f"{API}/heads", json={"kind": "stage"})
    assert made.status_code == 201, made.text
    where = made.headers["Location"]
    assert client.get(where).json()["state"] == "offered"
    accepted = client.post(f"{where}/accept").json()
    assert accepted["head"]["state"] == "active"
    assert client.get(f"/api/v1/jobs/{accepted['job']}").json()["how"] == "heads"
    assert client.post(f"{where}/reject").status_code == 409
    listed = client.get(f"{API}/heads").json()
    assert [head["state"] for head in listed["items"]] == ["active"]
    assert {one["kind"]: one["missing"] for one in listed["ready"]}["stage"] == 0
    assert client.post(f"{API}/heads/rollback", json={"kind": "stage"}).json()["head"] is None
    assert client.post(f"{API}/heads/rollback", json={"kind": "stage"}).status_code == 404
    assert client.post(f"{API}/heads/999/accept").status_code == 404


def test_an_own_label_is_known_to_filters_and_corrections_of_its_brand(
    client: TestClient, sqlite_store: Store, lumbre: Brand
) -> None:
    assert client.get("/api/v1/mentions?brand=lumbre&touchpoint=garantia").status_code == 422
    added = client.post(f"{API}/taxonomy", json=GUARANTEE)
    assert added.status_code == 201, added.text
    assert added.json()["label"]["key"] == "garantia"
    assert client.post(f"{API}/taxonomy", json=GUARANTEE).status_code == 409
    (id,) = heard(sqlite_store, lumbre, [0])
    fixed = client.post(f"/api/v1/mentions/{id}/corrections", json={"kind": "touchpoint", "label": "garantia"})
    assert fixed.status_code == 200, fixed.text
    assert len(client.get("/api/v1/mentions?brand=lumbre&touchpoint=garantia").json()["items"]) == 1
    assert client.delete(f"{API}/taxonomy/touchpoint/garantia").json() == {"corrections": 1}
    assert client.get("/api/v1/mentions?brand=lumbre&touchpoint=garantia").status_code == 422


def test_a_stage_of_ones_own_is_a_column_of_the_map_and_a_renamed_one_has_its_words(client: TestClient) -> None:
    client.post(f"{API}/taxonomy", json=GUARANTEE | {"kind": "stage"})
    client.put(f"{API}/taxonomy/stage/advocacy", json={"label": {"es": "Embajadores"}})
    columns = client.get("/api/v1/journey?brand=lumbre").json()["columns"]
    assert [column["stage"]["label"]["es"] for column in columns][-2:] == ["Embajadores", "Garantía"]
    renamed = client.put(f"{API}/taxonomy/stage/garantia", json={"label": {"es": "Garantía"}}).json()
    assert len(renamed["examples"]) == len(EXAMPLES)
    listed = client.get(f"{API}/taxonomy").json()["items"]
    assert {row["key"]: row["examples"] for row in listed if row["own"]} == {"advocacy": 0, "garantia": len(EXAMPLES)}


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("heads", {"kind": "emotion"}, 422), ("heads", {}, 422),
        ("taxonomy", GUARANTEE | {"kind": "mood"}, 422), ("taxonomy", GUARANTEE | {"examples": EXAMPLES[:7]}, 422),
        ("taxonomy", GUARANTEE | {"label": {"fr": "Garantie"}}, 422), ("taxonomy", GUARANTEE | {"meaning": {}}, 422),
        ("taxonomy", GUARANTEE | {"label": {"es": "Producto o servicio en uso"}}, 409),
    ],
)
def test_what_is_off_is_said_over_http(client: TestClient, path: str, asked: dict[str, Any], status: int) -> None:
    answer = client.post(f"{API}/{path}", json=asked)
    assert answer.status_code == status, answer.text
    assert answer.json()["message"]


def page(client: TestClient) -> HTMLParser:
    answer = client.get("/learning?brand=lumbre")
    assert answer.status_code == 200, answer.text
    return HTMLParser(answer.text)


def press(client: TestClient, inside: str) -> HTMLParser:
    """Send the first form in a part of the page, and load the page that it leads to."""
    form = page(client).css_first(f"{inside} form")
    answer = client.post(str(form.attributes["action"]))
    assert answer.status_code == 200, answer.text
    return HTMLParser(answer.text)


def words(tree: HTMLParser, selector: str) -> str:
    return " ".join(" ".join(node.text().split()) for node in tree.css(selector))


def test_the_page_leads_from_corrections_to_a_head_in_use_and_back(
    client: TestClient, sqlite_store: Store, lumbre: Brand
) -> None:
    assert "Corrige 8 más" in words(page(client), "#kind-stage")
    correct(sqlite_store, heard(sqlite_store, lumbre, range(20)), "advocacy")
    offered = press(client, "#kind-stage")
    assert len(offered.css("#kind-stage .offer table")) == 2
    assert "Tu propio modelo" in words(press(client, "#kind-stage .offer"), "#kind-stage")
    assert not page(client).css("#kind-stage .offer")
    rollback = page(client).css("#kind-stage form")[-1].attributes["action"]
    client.post(str(rollback))
    assert "Tu propio modelo" not in words(page(client), "#kind-stage")


def test_a_label_is_added_renamed_and_retired_on_the_page(client: TestClient, sqlite_store: Store) -> None:
    form = {"kind": "pain", "name_es": "Garantía <b>", "about_es": "Cobertura", "examples": "\r\n".join(EXAMPLES)}
    tree = HTMLParser(client.post("/learning/labels?brand=lumbre", data=form).text)
    assert "Garantía <b>" in words(tree, "#labels-pain b")
    assert "de sus 10 ejemplos" in words(tree, "#kind-pain .offer")
    client.post("/learning/labels/pain/garantia_b?brand=lumbre", data={"name_es": "Póliza", "about_es": "Cobertura"})
    assert "Póliza" in words(page(client), "#labels-pain b")
    client.post("/learning/labels/pain/garantia_b/remove?brand=lumbre")
    assert "Póliza" not in words(page(client), "#labels-pain b")
    with sqlite_store.read() as session:
        assert heads.active(session, 1) == {}
        assert taxonomy.of_brand(session, 1) == ()


def test_a_form_that_lacks_something_gets_a_page_that_says_what(client: TestClient) -> None:
    answer = client.post("/learning/labels?brand=lumbre", data={"kind": "pain", "name_es": "Garantía"})
    assert answer.status_code == 422
    assert "descripción" in words(HTMLParser(answer.text), ".empty")


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path, lumbre: Brand) -> Run:
    """Runs a command on the test's own store, in English."""

    def command(*words: object) -> subprocess.CompletedProcess[str]:
        settings = environment(ESCUCHA_DATABASE=f"sqlite:///{tmp_path / 'escucha.db'}", ESCUCHA_LANG="en")
        return subprocess.run([sys.executable, "-m", "api", *map(str, words)], cwd=tmp_path, env=settings,
                              capture_output=True, text=True, timeout=180, check=False)  # fmt: skip

    assert ROOT.exists()
    return command


def test_heads_are_trained_accepted_and_rolled_back_at_the_command_line(
    run: Run, sqlite_store: Store, lumbre: Brand
) -> None:
    refused = run("train", "heads", "--brand", "lumbre", "--kind", "stage")
    assert (refused.returncode, "Correct 8 more" in refused.stderr) == (1, True)
    correct(sqlite_store, heard(sqlite_store, lumbre, range(10)), "advocacy")
    trained = run("train", "heads", "--brand", "lumbre", "--accept", "--json")
    assert trained.returncode == 0, trained.stderr
    assert "corrections of pain are too few" in trained.stderr
    (head,) = json.loads(trained.stdout)
    assert head["kind"] == "stage"
    listed = run("heads", "list", "--brand", "lumbre")
    assert "in use" in listed.stdout
    back = run("heads", "rollback", "--brand", "lumbre", "--kind", "stage")
    assert "The embedded model reads stage again" in back.stdout
    assert run("heads", "accept", head["id"], "--brand", "lumbre").returncode == 1


def test_labels_are_added_from_a_file_listed_renamed_and_removed_at_the_command_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "few.txt").write_text("\n".join(EXAMPLES[:7]), "utf-8")
    (tmp_path / "texts.txt").write_text("\n".join(EXAMPLES), "utf-8")
    add = ("taxonomy", "add", "pain", "--brand", "lumbre", "--name", "Garantía", "--about", "Cobertura", "--examples")
    assert "Add 1 more" in run(*add, "few.txt").stderr
    assert "does not exist" in run(*add, "none.txt").stderr
    added = run(*add, "texts.txt")
    assert added.returncode == 0, added.stderr
    assert "escucha heads accept 1 --brand lumbre" in added.stdout
    rename = run("taxonomy", "rename", "stage", "advocacy", "--brand", "lumbre", "--name-en", "Fans")
    assert rename.returncode == 0, rename.stderr
    rows = json.loads(run("taxonomy", "list", "--brand", "lumbre", "--json").stdout)
    assert {row["key"]: row["label"] for row in rows if row["own"]} == {
        "advocacy": {"en": "Fans"}, "garantia": {"es": "Garantía"}}
    assert "retired" in run("taxonomy", "remove", "pain", "garantia", "--brand", "lumbre").stdout


def test_training_the_embedded_model_keeps_its_command(run: Run) -> None:
    for words in (("train", "nowhere"), ("train", "--out", "x", "nowhere"), ("train", "data", "nowhere")):
        done = run(*words)
        assert (done.returncode, "nothing to learn from" in done.stderr) == (1, True), done.stderr
