"""Over the API, the pages and the command line: a correction counts at once; a rule is tried, saved and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from starlette.testclient import TestClient

from store import brands, mentions
from store.engine import Store
from tests.api.conftest import Open, days_ago
from tests.api.test_cli import Run, run, told  # noqa: F401
from tests.make import NOW, brand

API = "/api/v1"
LUMBRE = f"{API}/brands/lumbre/rules"
COLD = {"words": ["llegó FRIO"], "kind": "sentiment", "label": "neutral"}


def numbered(client: TestClient, source_id: str) -> dict[str, Any]:
    items: list[dict[str, Any]] = client.get(f"{API}/mentions?limit=200").json()["items"]
    return next(item for item in items if item["mention"]["source_id"] == source_id)


def how_many(client: TestClient, sentiment: str) -> int:
    return len(client.get(f"{API}/mentions?brand=lumbre&sentiment={sentiment}&limit=200").json()["items"])


def parsed(client: TestClient, path: str, status: int = 200) -> HTMLParser:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return HTMLParser(answer.text)


def words(tree: HTMLParser, selector: str) -> str:
    return " ".join(" ".join(node.text().split()) for node in tree.css(selector))


def test_a_correction_changes_every_count_and_says_what_the_model_said(client: TestClient) -> None:
    first, before = numbered(client, "1"), how_many(client, "negative")
    answer = client.post(f"{API}/mentions/{first['id']}/corrections", json={"kind": "sentiment", "label": "positive"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["enrichment"]["sentiment"] == {"label": "positive", "score": 1.0}
    assert answer.json()["enrichment"]["said"] == {
        "sentiment": {"label": "negative", "score": 0.9, "by": "person"}}
    assert how_many(client, "negative") == before - 1
    undone = client.delete(f"{API}/mentions/{first['id']}/corrections/sentiment")
    assert undone.json() == first
    assert how_many(client, "negative") == before


@pytest.mark.parametrize(
    ("number", "body", "status", "says"),
    [
        (1, {"kind": "sentiment", "label": "sad"}, 422, "positive, neutral, negative"),
        (1, {"kind": "stage", "label": "limbo"}, 422, "awareness"),
        (1, {"kind": "emotion", "label": "joy"}, 422, "sentiment"),
        (1, {"kind": "stage"}, 422, "label"),
        (999, {"kind": "stage", "label": "purchase"}, 404, "999"),
    ],
)
def test_a_wrong_correction_says_what_would_be_right(
    client: TestClient, number: int, body: dict[str, str], status: int, says: str
) -> None:
    answer = client.post(f"{API}/mentions/{number}/corrections", json=body)
    assert (answer.status_code, says in answer.json()["message"]) == (status, True), answer.json()


def test_what_was_not_corrected_cannot_be_undone(client: TestClient) -> None:
    answer = client.delete(f"{API}/mentions/{numbered(client, '1')['id']}/corrections/stage")
    assert answer.status_code == 404
    assert "Nadie" in answer.json()["message"]


def test_a_strangers_page_cannot_correct(client: TestClient) -> None:
    number = numbered(client, "1")["id"]
    answer = client.post(f"/mentions/{number}/correct", data={"sentiment": "positive"},
                         headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert numbered(client, "1")["enrichment"]["said"] == {}


def test_the_form_without_scripts_saves_what_was_changed_and_undoes_it(client: TestClient) -> None:
    number = numbered(client, "1")["id"]
    listed = parsed(client, "/mentions?brand=lumbre&sentiment=negative&period=28d")
    address = str(listed.css_first("article.mention a.fix").attributes["href"])
    assert address.startswith(f"/mentions/{number}?"), "the filter goes along"
    form = parsed(client, address).css_first("form.correct")
    fields = shown(form)
    assert (fields["sentiment"], fields["was_sentiment"]) == ("negative", "negative")
    action = str(form.attributes["action"])
    saved = client.post(action, data=fields | {"sentiment": "neutral", "pain": "need"})
    assert saved.status_code == 200
    tree = HTMLParser(saved.text)
    assert "Guardado" in words(tree, ".notice[role=status]")
    assert set(numbered(client, "1")["enrichment"]["said"]) == {"sentiment", "pain"}
    badge = tree.css_first(".tag.fixed")
    assert "corregido" in badge.text()
    assert "El modelo dijo: Negativo (90 %)" in " ".join(badge.css_first(".sr").text().split())
    assert "El modelo dijo: Negativo (90 %)" in str(badge.attributes["title"])
    assert "No se cambió nada" in words(HTMLParser(client.post(action, data=fields).text), ".notice[role=status]")
    client.post(action, data=fields | {"undo": "sentiment"})
    assert set(numbered(client, "1")["enrichment"]["said"]) == {"pain"}


def shown(form: Any) -> dict[str, str]:
    """What a browser would send of a form left as it is."""
    fields = {str(node.attributes["name"]): str(node.attributes["value"] or "") for node in form.css("input")}
    for select in form.css("select"):
        fields[select.attributes["name"]] = select.css_first("option[selected]").attributes["value"]
    return fields


def test_all_of_it_can_be_confirmed_at_once(client: TestClient) -> None:
    number = numbered(client, "1")["id"]
    form = parsed(client, f"/mentions/{number}").css_first("form.correct")
    client.post(f"/mentions/{number}/correct", data=shown(form) | {"confirm": "1"})
    found = numbered(client, "1")["enrichment"]
    assert set(found["said"]) == {"sentiment", "stage", "pain", "touchpoint"}
    assert found["sentiment"] == {"label": "negative", "score": 1.0}


@pytest.mark.parametrize(
    ("path", "data", "status", "says"),
    [("/mentions/1/correct", {"stage": "limbo"}, 422, "awareness"), ("/mentions/999/correct", {}, 404, "999"),
     ("/mentions/1/correct", {"undo": "stage"}, 404, "Nadie")],
)
def test_a_form_that_is_off_gets_a_page_that_says_so(
    client: TestClient, path: str, data: dict[str, str], status: int, says: str
) -> None:
    answer = client.post(path, data=data)
    assert answer.status_code == status
    assert says in words(HTMLParser(answer.text), ".empty")


def test_a_mention_that_the_model_has_not_read_says_so(opened: Open, filled: Store) -> None:
    with filled.write() as session:
        mentions.save(session, brands.get(session, "lumbre"), [days_ago(0.1, "nueva")], NOW)
    client = opened(filled)
    number = numbered(client, "nueva")["id"]
    client.post(f"/mentions/{number}/correct", data={"stage": "purchase", "sentiment": ""})
    tree = parsed(client, f"/mentions/{number}")
    assert "El modelo todavía no ha leído esta mención" in words(tree, "form.correct")
    assert numbered(client, "nueva")["enrichment"]["sentiment"] is None


def test_a_rule_is_tried_saved_switched_and_taken_back(client: TestClient) -> None:
    trial = client.post(f"{LUMBRE}/try", json=COLD).json()
    assert (trial["looked_at"], trial["matched"], trial["changed"]) == (8, 4, 4)
    assert (trial["before"], trial["after"]) == (
        {"positive": 5, "negative": 2, "neutral": 1}, {"positive": 3, "negative": 0, "neutral": 5})
    assert {(one["old"], one["new"]) for one in trial["examples"]} == {
        ("negative", "neutral"), ("positive", "neutral")}
    assert how_many(client, "neutral") == 1, "a trial saves nothing"

    added = client.post(LUMBRE, json=COLD)
    assert (added.status_code, added.json()["changed"]) == (201, 4)
    rule = added.json()["rule"]
    assert client.get(added.headers["location"]).json() == rule
    assert (rule["name"], rule["active"], rule["waits"]) == ("llegó FRIO", True, False)
    assert client.post(LUMBRE, json=COLD).status_code == 409, "a rule is not added twice"
    assert how_many(client, "neutral") == 5
    assert numbered(client, "1")["enrichment"]["said"]["sentiment"]["by"] == f"rule:{rule['id']}"

    off = client.patch(f"{LUMBRE}/{rule['id']}", json={"active": False}).json()
    assert (off["changed"], off["rule"]["active"], how_many(client, "neutral")) == (4, False, 1)
    assert client.patch(f"{LUMBRE}/{rule['id']}", json={"active": True}).json()["changed"] == 4
    assert client.delete(f"{LUMBRE}/{rule['id']}").status_code == 204
    assert (client.get(LUMBRE).json(), how_many(client, "neutral")) == ({"items": []}, 1)
    assert numbered(client, "1")["enrichment"]["said"] == {}


def test_a_trial_leaves_what_persons_corrected_out(client: TestClient) -> None:
    number = numbered(client, "1")["id"]
    client.post(f"{API}/mentions/{number}/corrections", json={"kind": "sentiment", "label": "negative"})
    assert client.post(f"{LUMBRE}/try", json=COLD | {"only": "negative"}).json()["changed"] == 1
    assert client.post(LUMBRE, json=COLD).json()["changed"] == 3
    assert numbered(client, "1")["enrichment"]["sentiment"]["label"] == "negative"
    client.delete(f"{API}/mentions/{number}/corrections/sentiment")
    assert numbered(client, "1")["enrichment"]["sentiment"]["label"] == "neutral", "the rule has its say again"


@pytest.mark.parametrize("door", ["", "/try"])
@pytest.mark.parametrize(
    ("changes", "says"),
    [({"words": [" "]}, "palabra"), ({"label": "sad"}, "positive, neutral, negative"),
     ({"only": "neutral"}, "neutral"), ({"only": "purchase"}, "positive"), ({"kind": "emotion"}, "sentiment")],
)
def test_a_rule_that_cannot_work_is_refused(client: TestClient, door: str, changes: dict[str, Any], says: str) -> None:
    answer = client.post(LUMBRE + door, json=COLD | changes)
    assert (answer.status_code, says in answer.json()["message"]) == (422, True), answer.json()


def test_a_rule_belongs_to_its_brand(client: TestClient) -> None:
    number = client.post(LUMBRE, json=COLD).json()["rule"]["id"]
    other = f"{API}/brands/nebula/rules/{number}"
    assert [client.get(other).status_code, client.delete(other).status_code,
            client.patch(other, json={"active": False}).status_code] == [404] * 3
    assert client.get(f"{API}/brands/nope/rules").status_code == 404


def test_the_rules_page_tries_a_rule_before_it_is_saved(client: TestClient) -> None:
    typed = {"brand": "lumbre", "words": "llegó frío\nhelado", "set": "sentiment:neutral", "only": "", "name": ""}
    tree = HTMLParser(client.get("/rules", params=typed).text)
    assert "4 menciones cambiarían" in words(tree, "[aria-labelledby=trial]")
    assert [words(row, "th, td") for row in map(_part, tree.css("[aria-labelledby=trial] tbody tr"))] == [
        "Positivo 5 3 −2", "Neutral 1 5 +4", "Negativo 2 0 −2"]
    assert len(tree.css(".changes > li")) == 4
    assert "<mark>llegó frío</mark>" in tree.html
    assert tree.css_first("textarea[name=words]").text() == "llegó frío\nhelado"
    assert how_many(client, "neutral") == 1

    saved = HTMLParser(client.post("/rules?brand=lumbre", data=typed).text)
    assert "4 menciones guardadas tienen" in words(saved, ".notice[role=status]")
    assert "“llegó frío”, “helado” → Sentimiento: Neutral" in words(saved, ".rules")
    again = client.post("/rules?brand=lumbre", data=typed)
    assert (again.status_code, "Ya hay una regla" in words(HTMLParser(again.text), "[role=alert]")) == (422, True)
    for action, left in (("switch", 1), ("switch", 5), ("remove", 1)):
        tree = parsed(client, "/rules?brand=lumbre")
        form = next(form for form in tree.css(".rules form") if action in str(form.attributes["action"]))
        assert client.post(str(form.attributes["action"])).status_code == 200
        assert how_many(client, "neutral") == left
    assert not parsed(client, "/rules?brand=lumbre").css(".rules")


def _part(node: Any) -> HTMLParser:
    return HTMLParser(f"<table>{node.html}</table>")


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"set": ""}, "Elige"), ({"only": "stage:purchase"}, "mismo tipo"), ({"words": ","}, "palabra")],
)
def test_a_rule_that_cannot_work_keeps_what_was_typed(client: TestClient, changes: dict[str, str], says: str) -> None:
    typed = {"words": "guerra", "set": "sentiment:neutral", "only": "", "name": "<b>Mía"} | changes
    answer = client.post("/rules?brand=lumbre", data=typed)
    assert answer.status_code == 422
    tree = HTMLParser(answer.text)
    assert says in words(tree, ".notice[role=alert]")
    assert tree.css_first("input[name=name]").attributes["value"] == "<b>Mía"
    assert client.get(LUMBRE).json() == {"items": []}


def test_the_rules_page_speaks_both_languages_and_says_how_to_begin(opened: Open, sqlite_store: Store) -> None:
    assert len(parsed(opened(sqlite_store), "/rules").css(".welcome li")) == 3
    with sqlite_store.write() as session:
        brands.add(session, brand())
    assert words(parsed(opened(sqlite_store), "/rules"), "h1") == "Reglas"
    assert words(parsed(opened(sqlite_store), "/rules?ui=en"), "h1") == "Rules"


def test_for_a_game_war_is_neutral_at_the_command_line(run: Run, tmp_path: Any) -> None:  # noqa: F811
    said = "fecha,texto\n2026-10-01,Empieza la GUERRA de clanes\n2026-10-02,Qué mal\n"
    (tmp_path / "m.csv").write_text(said, "utf-8")
    run("brand", "add", "Juego")
    told(run("import", "m.csv", "--brand", "juego", "--json"))
    rule = ("--brand", "juego", "--words", "guerra", "--set", "sentiment=neutral")
    trial = told(run("rules", "try", *rule, "--json"))
    assert (trial["looked_at"], trial["matched"]) == (2, 1)
    added = told(run("rules", "add", *rule, "--json"))
    assert added["rule"]["words"] == ["guerra"]
    assert [one["id"] for one in told(run("rules", "list", "--brand", "juego", "--json"))] == [added["rule"]["id"]]
    assert run("rules", "switch", added["rule"]["id"], "--brand", "juego", "--off").returncode == 0
    assert told(run("rules", "list", "--brand", "juego", "--json"))[0]["active"] is False
    assert run("rules", "remove", added["rule"]["id"], "--brand", "juego").returncode == 0
    gone = run("rules", "remove", added["rule"]["id"], "--brand", "juego")
    assert (gone.returncode, "Traceback" in gone.stderr) == (1, False)
    wrong = run("rules", "add", "--brand", "juego", "--words", "x", "--set", "neutral")
    assert (wrong.returncode, "sentiment=neutral" in wrong.stderr) == (1, True)
