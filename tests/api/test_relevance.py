"""Over the API, the pages and the command line: what is not wanted is tried, hidden, listed, and shown again."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from selectolax.lexbor import LexborHTMLParser as HTMLParser
from starlette.testclient import TestClient

from store import brands, mentions
from store.engine import Store
from tests.api.conftest import Open, days_ago
from tests.api.test_cli import Run, run, told  # noqa: F401
from tests.api.test_corrections import numbered, parsed, words
from tests.make import NOW, brand

API = "/api/v1"
LUMBRE = f"{API}/brands/lumbre/exclusions"
COLD = {"kind": "query", "value": '"llegó frío"'}
ARRIVED_COLD = {"1", "6", "7", "8"}


def ids(client: TestClient, query: str = "brand=lumbre") -> set[str]:
    items = client.get(f"{API}/mentions?{query}&limit=200").json()["items"]
    return {item["mention"]["source_id"] for item in items}


def add(client: TestClient, **asked: object) -> dict[str, Any]:
    answer = client.post(LUMBRE, json=asked)
    assert answer.status_code == 201, answer.text
    added: dict[str, Any] = answer.json()
    return added


# Over HTTP


def test_an_exclusion_is_tried_added_listed_and_removed(client: TestClient) -> None:
    tried = client.post(f"{LUMBRE}/preview", json=COLD).json()
    assert {name: tried[name] for name in ("stored", "foreseen", "whole", "wide")} == {
        "stored": 8, "foreseen": 4, "whole": True, "wide": True}
    assert (tried["share"]["count"], tried["share"]["n"]) == (4, 8)
    assert {item["mention"]["source_id"] for item in tried["examples"]} == ARRIVED_COLD
    assert client.get(LUMBRE).json() == {"items": [], "by_persons": 0, "suggested": []}
    made = client.post(LUMBRE, json=COLD)
    one = {"id": made.json()["id"], **COLD, "refuse": False, "waits": False, "hidden": 4}
    assert (made.status_code, made.json()) == (201, one)
    assert client.get(made.headers["Location"]).json() == one
    assert client.get(LUMBRE).json()["items"] == [one]
    assert ids(client) == {"2", "3", "4", "5"}
    away = client.get(f"{API}/mentions?brand=lumbre&hidden=true").json()["items"]
    assert {item["mention"]["source_id"] for item in away} == ARRIVED_COLD
    assert {item["hidden"] for item in away} == {f"exclusion:{one['id']}"}
    assert ids(client, "brand=lumbre&hidden=true&stage=purchase") == {"1", "6", "7"}
    assert client.delete(f"{LUMBRE}/{one['id']}").status_code == 204
    assert client.delete(f"{LUMBRE}/{one['id']}").status_code == 404
    assert len(ids(client)) == 8


OFF: tuple[tuple[dict[str, object], str], ...] = (
    ({"kind": "query", "value": "café AND"}, "column 6"),
    ({"kind": "query", "value": "café etapa:purchase"}, "column 6: etapa:"),
    ({"kind": "word", "value": "café"}, "query"),
    ({"kind": "site", "value": "ejemplo"}, "example.com"),
    ({"kind": "query", "value": ""}, "value"),
    ({"kind": "query"}, "value"),
    ({"kind": "author", "value": "@ana", "refuse": "yes"}, "refuse"),
)


def test_an_exclusion_that_is_off_says_what_would_be_right(client: TestClient) -> None:
    for asked, says in OFF:
        for path in (LUMBRE, f"{LUMBRE}/preview"):
            answer = client.post(path, json=asked, headers={"Accept-Language": "en"})
            assert (answer.status_code, says in answer.json()["message"]) == (422, True), answer.json()
    assert len(ids(client)) == 8


def test_an_exclusion_is_its_brands_own(client: TestClient) -> None:
    number = add(client, **COLD)["id"]
    assert client.post(LUMBRE, json=COLD).status_code == 409
    for path in (f"{API}/brands/nebula/exclusions/{number}", f"{API}/brands/nope/exclusions/{number}"):
        assert client.delete(path).status_code == 404
    assert client.post(f"{API}/brands/nope/exclusions/preview", json=COLD).status_code == 404
    assert client.get(f"{API}/brands/nebula/exclusions").json()["items"] == []


def test_a_persons_word_hides_one_shows_it_and_is_taken_back(client: TestClient) -> None:
    first = numbered(client, "2")
    address = f"{API}/mentions/{first['id']}/relevance"
    assert client.put(address, json={"relevant": False}).json()["hidden"] == "person"
    assert "2" not in ids(client)
    assert client.get(LUMBRE).json()["by_persons"] == 1
    series = client.get(f"{API}/series?brand=lumbre").json()["items"]
    assert sum(point["n"] for one in series for point in one["points"]) == 7
    again = client.put(address, json={"relevant": True}).json()
    assert (again["hidden"], again["kept"]) == (None, True)
    assert client.delete(address).json() == first
    assert client.put(address, json={"relevant": "no"}).status_code == 422
    assert client.put(f"{API}/mentions/999/relevance", json={"relevant": False}).status_code == 404


# On the pages


def test_the_page_tries_an_exclusion_saves_it_and_takes_it_back(client: TestClient) -> None:
    typed = {"brand": "lumbre", "kind": "query", "value": '"llegó frío"', "ui": "en"}
    tried = HTMLParser(client.get("/relevance", params=typed).text)
    assert "4 of the 8 mentions that are shown: 50 % (95 %: 22 % – 78 %)" in words(tried, "[aria-labelledby=trial]")
    assert "half of what is shown" in words(tried, "[role=alert]")
    assert len(tried.css(".changes li")) == 4
    assert words(tried, "textarea") == '"llegó frío"'
    assert len(ids(client)) == 8
    saved = HTMLParser(client.post("/relevance?brand=lumbre", data=typed).text)
    assert "4 mentions are hidden by it" in words(saved, "[role=status]")
    row = saved.css_first(".exclusions tbody tr")
    assert " ".join(row.text().split()) == 'Query "llegó frío" 4 Remove'
    away = parsed(client, str(row.css_first("td.num a").attributes["href"]))
    assert len(away.css("article.mention")) == 4
    assert words(away.css_first("article.mention"), ".why") == '⊘ hidden: query "llegó frío"'
    assert "hidden ones" in words(away, ".chips")
    again = client.post("/relevance?brand=lumbre", data=typed)
    assert (again.status_code, "already" in words(HTMLParser(again.text), "[role=alert]")) == (422, True)
    gone = HTMLParser(client.post(str(row.css_first("form").attributes["action"])).text)
    assert "4 mentions are shown again" in words(gone, "[role=status]")
    assert not gone.css(".exclusions")


def test_the_page_says_what_is_off_and_keeps_what_was_typed(client: TestClient) -> None:
    for kind, value in (("query", "café AND"), ("site", "<b>no</b>"), ("no", "café"), ("query", " ")):
        typed = {"kind": kind, "value": value}
        answers = [client.post("/relevance?brand=lumbre", data=typed)]
        answers += [client.get("/relevance", params={"brand": "lumbre", **typed})] if value.strip() else []
        for answer in answers:
            tree = HTMLParser(answer.text)
            assert (answer.status_code, len(tree.css("[role=alert]"))) == (422, 1)
            assert words(tree, "textarea") == value.strip()
    assert client.get(LUMBRE).json()["items"] == []


def test_a_mention_is_hidden_from_the_list_and_that_is_undone(client: TestClient) -> None:
    listed = parsed(client, "/mentions?brand=lumbre&sentiment=positive&period=28d&ui=en")
    assert not listed.css(".verdict")
    number = numbered(client, "2")["id"]
    form = listed.css_first(f"#m{number} form.relevance")
    back = str(form.css_first("input").attributes["value"])
    said = client.post(str(form.attributes["action"]), data={"back": back, "said": "no"}, follow_redirects=False)
    address = said.headers["Location"]
    assert address.startswith("/mentions?brand=lumbre&period=28d&sentiment=positive&"), "the filter stays"
    after = parsed(client, address)
    assert not after.css(f"#m{number}")
    assert "Hidden as not relevant" in words(after, ".verdict")
    ways = [parse_qs(urlsplit(str(way.attributes["href"])).query) for way in after.css(".verdict a")]
    assert [(way["kind"], way["value"]) for way in ways] == [
        (["author"], ["mastodon:ana@social.invalid"]), (["site"], ["social.invalid"])]
    assert "1 mention of this period is hidden" in words(parsed(client, "/?brand=lumbre"), ".away")
    undo = after.css_first(".verdict form")
    back = str(undo.css_first("input").attributes["value"])
    undone = HTMLParser(client.post(str(undo.attributes["action"]), data={"back": back, "said": "undo"}).text)
    assert "Taken back. It is shown." in words(undone, ".verdict")
    assert undone.css(f"#m{number}")
    assert "hidden" not in words(parsed(client, "/?brand=lumbre"), ".away")


def test_a_hidden_mention_says_why_on_its_own_page_and_can_be_shown(client: TestClient) -> None:
    add(client, kind="author", value="mastodon:ana@social.invalid")
    number = client.get(f"{API}/mentions?brand=lumbre&hidden=true").json()["items"][0]["id"]
    own = parsed(client, f"/mentions/{number}?brand=lumbre&ui=en")
    assert words(own, ".why") == "⊘ hidden: author mastodon:ana@social.invalid"
    said = {"said": "yes", "back": "/mentions?brand=lumbre&period=all"}
    tree = HTMLParser(client.post(f"/mentions/{number}/relevance", data=said).text)
    assert "whatever the exclusions say" in words(tree, ".verdict")
    assert "a person says so" in words(tree, f"#m{number} footer")


ELSEWHERE = ("https://evil.example/", "//evil.example/mentions", "/mentions.evil", "/mentions\r\nX: y", "/mentionsx",
             "")


def test_nobody_is_sent_elsewhere(client: TestClient) -> None:
    number = numbered(client, "2")["id"]
    for back in ELSEWHERE:
        answer = client.post(f"/mentions/{number}/relevance", data={"said": "no", "back": back}, follow_redirects=False)
        assert answer.headers["Location"] == f"/mentions?judged={number}"


def test_a_strangers_page_cannot_hide(client: TestClient) -> None:
    number = numbered(client, "2")["id"]
    for path, data in ((f"/mentions/{number}/relevance", {"said": "no"}), ("/relevance?brand=lumbre", COLD)):
        answer = client.post(path, data=data, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403
    assert client.post(f"/mentions/{number}/relevance", data={"said": "maybe"}).status_code == 422
    assert len(ids(client)) == 8


def test_what_is_found_not_relevant_again_and_again_is_offered_with_one_click(
    opened: Open, sqlite_store: Store
) -> None:
    with sqlite_store.write() as session:
        lumbre = brands.add(session, brand())
        said = [days_ago(n, str(n), url=f"https://www.cupones.example/{n}", author=None) for n in range(1, 6)]
        mentions.save(session, lumbre, said, NOW)
    client = opened(sqlite_store)
    for number in (1, 2, 3):
        client.put(f"{API}/mentions/{number}/relevance", json={"relevant": False})
    assert client.get(LUMBRE).json()["suggested"] == [{"kind": "site", "value": "cupones.example", "count": 3}]
    offer = parsed(client, "/relevance?brand=lumbre&ui=en").css_first(".suggestions form")
    typed = {str(field.attributes["name"]): str(field.attributes["value"]) for field in offer.css("input")}
    client.post(str(offer.attributes["action"]), data=typed)
    assert ids(client) == set()
    assert not parsed(client, "/relevance?brand=lumbre").css(".suggestions")


# At the command line


def test_the_command_line_tries_adds_lists_and_removes(run: Run, tmp_path: Path) -> None:  # noqa: F811
    run("brand", "add", "Lumbre")
    said = ["Vendo leña"] * 3 + ["Qué rico café"] * 6
    rows = "".join(f"{n},{text},2026-11-01\n" for n, text in enumerate(said))
    (tmp_path / "dichos.csv").write_text(f"id,text,date\n{rows}", encoding="utf-8")
    run("import", "dichos.csv", "--brand", "lumbre")
    of = ("--brand", "lumbre")
    tried = run("exclude", "preview", *of, "--query", "leña", ESCUCHA_LANG="en")
    assert "It would hide 3 of the 9 mentions that are shown: 33 %." in tried.stdout
    added = told(run("exclude", "add", *of, "--query", "leña", "--refuse", "--json"))
    assert {name: added[name] for name in ("kind", "value", "refuse", "hidden")} == {
        "kind": "query", "value": "leña", "refuse": True, "hidden": 3}
    listed = told(run("exclude", "list", *of, "--json"))
    assert [(one["value"], one["hidden"]) for one in listed] == [("leña", 3)]
    assert "leña" in run("exclude", "list", *of).stdout
    wide = run("exclude", "add", *of, "--query", "-leña", ESCUCHA_LANG="en")
    assert "escucha exclude remove 2 --brand lumbre" in wide.stdout
    gone = run("exclude", "remove", "2", *of, ESCUCHA_LANG="en")
    assert "6 mentions are shown again" in gone.stdout
    for asked in ((), ("--query", "leña", "--site", "a.example"), ("--author", "@"), ("--query", "etapa:purchase")):
        assert run("exclude", "add", *of, *asked).returncode == 1
    assert run("exclude", "remove", "9", *of).returncode == 1
