"""How long it is kept, and people who ask: over HTTP, on the page, and at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from api.commands.forget import _write
from escucha.filter import MentionFilter
from store import audit, brands, metrics, retention, tombstones
from store.engine import Store
from store.tables import AuthorRow
from tests.api.conftest import Client
from tests.api.test_cli import run as run

HANDLE = "@ana@social.invalid"


def shown(store: Store) -> int:
    with store.read() as session:
        return metrics.count(session, MentionFilter())


@pytest.fixture
def person(client: Client) -> int:
    """Ana's number: she said all of it, in two sources."""
    (found,) = client.get("/api/v1/subjects", params={"source": "mastodon", "author": HANDLE}).json()["items"]
    return int(found["id"])


# Over HTTP


def test_a_rule_is_previewed_saved_listed_and_removed(client: Client, filled: Store) -> None:
    asked = {"brand": "lumbre", "days": 60}
    assert client.post("/api/v1/retention/preview", json=asked).json() == {"mentions": 1, "raws": 0}
    assert client.get("/api/v1/retention").json() == {"items": [], "overdue": {"mentions": 0, "raws": 0}}
    made = client.post("/api/v1/retention", json=asked)
    assert made.status_code == 201
    rule = {"id": made.json()["id"], "source": None, "brand": "lumbre", "days": 60, "raw_days": None}
    assert client.get("/api/v1/retention").json() == {"items": [rule], "overdue": {"mentions": 1, "raws": 0}}
    assert client.delete(f"/api/v1/retention/{rule['id']}").status_code == 204
    assert client.delete(f"/api/v1/retention/{rule['id']}").status_code == 404
    assert shown(filled) == 8


@pytest.mark.parametrize("asked", [
    {"days": 0}, {"days": "30"}, {"days": 10**9}, {"days": 10, "raw_days": 20}, {"day": 30}, {"source": ""},
])
def test_a_rule_that_makes_no_sense_is_refused(client: Client, asked: dict[str, object]) -> None:
    assert client.post("/api/v1/retention", json=asked).status_code == 422


def test_a_person_is_exported_blocked_unblocked_and_erased(client: Client, filled: Store, person: int) -> None:
    told = client.get(f"/api/v1/subjects/{person}/export")
    assert told.headers["content-disposition"] == f'attachment; filename="escucha-person-{person}.json"'
    assert len(told.json()["mentions"]) == 7
    assert client.post(f"/api/v1/subjects/{person}/block").json() == {"mentions": 7}
    assert shown(filled) == 1
    assert client.get("/api/v1/mentions").json()["items"][0]["mention"]["source"] == "reddit"
    assert client.get(f"/api/v1/subjects/{person}").json()["blocked_at"] is not None
    assert client.post(f"/api/v1/subjects/{person}/unblock").json() == {"mentions": 7}
    assert shown(filled) == 8
    assert client.post(f"/api/v1/subjects/{person}/erase", json={"confirm": True}).json() == {"mentions": 7}
    assert client.get(f"/api/v1/subjects/{person}").status_code == 404
    assert shown(filled) == 1
    lines = client.get("/api/v1/audit").json()["items"]
    assert [line["act"] for line in lines] == ["erase", "unblock", "block", "export"]
    assert {line["mark"] for line in lines} == {tombstones.author_mark(("mastodon", "ana"))}
    assert "ana@" not in json.dumps(lines)


@pytest.mark.parametrize("body", [{}, {"confirm": False}, {"confirm": "true"}, {"confirm": 1}])
def test_nobody_is_erased_unconfirmed(
    client: Client, filled: Store, person: int, body: dict[str, object]
) -> None:
    assert client.post(f"/api/v1/subjects/{person}/erase", json=body).status_code == 422
    assert shown(filled) == 8


# On the page


def test_the_page_tries_a_rule_and_saves_it(client: Client, filled: Store) -> None:
    tried = client.get("/data", params={"brand": "lumbre", "days": "60", "scope": "brand", "ui": "en"})
    assert "would remove 1 mentions" in tried.text
    with filled.read() as session:
        assert retention.policy(session).rules == ()
    saved = client.post("/data/retention?brand=lumbre&ui=en", data={"days": "60", "scope": "brand", "source": "reddit"})
    assert saved.status_code == 200
    assert "60 days" in saved.text
    with filled.read() as session:
        (rule,) = retention.policy(session).rules
        lumbre = brands.get(session, "lumbre").id
    assert (rule.source, rule.brand_id, rule.days) == ("reddit", lumbre, 60)
    removed = client.post(f"/data/retention/{rule.id}/remove?brand=lumbre")
    assert removed.status_code == 200
    with filled.read() as session:
        assert retention.policy(session).rules == ()


@pytest.mark.parametrize("days", ["0", "-3", "muchos", "١٢", "1" * 12, "<b>"])
def test_the_page_says_what_is_no_number_of_days(client: Client, filled: Store, days: str) -> None:
    refused = client.post("/data/retention?brand=lumbre", data={"days": days})
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    assert "<b>" not in refused.text.split('role="alert"')[1].split("</p>")[0]


def test_the_page_finds_a_person_and_erases_only_with_the_tick(client: Client, filled: Store, person: int) -> None:
    found = client.get("/data", params={"brand": "lumbre", "of": "mastodon", "author": HANDLE, "ui": "en"})
    assert "7 mentions are held." in found.text
    assert client.post(f"/data/subjects/{person}/erase?brand=lumbre").status_code == 422
    assert shown(filled) == 8
    blocked = client.post(f"/data/subjects/{person}/block?brand=lumbre&ui=en")
    assert "It is still held" in blocked.text
    assert shown(filled) == 1
    gone = client.post(f"/data/subjects/{person}/erase?brand=lumbre", data={"confirm": "yes"})
    assert gone.status_code == 200
    with filled.read() as session:
        assert ("mastodon", "ana") not in session.execute(select(AuthorRow.source, AuthorRow.key)).all()
    nobody = client.get("/data", params={"brand": "lumbre", "of": "mastodon", "author": HANDLE, "ui": "en"})
    assert "Nothing is held of them" in nobody.text


def test_an_act_that_does_not_exist_is_refused(client: Client, person: int) -> None:
    assert client.post(f"/data/subjects/{person}/sell?brand=lumbre").status_code == 422


# At the command line


@pytest.fixture
def command(run: Callable[..., object], tmp_path: Path, filled: Store) -> Callable[..., object]:
    """Runs a command on the filled store."""

    def call(*words: object) -> object:
        return run(*words, ESCUCHA_DATABASE=filled.url, ESCUCHA_LANG="en")

    return call


def test_the_command_tells_what_is_held_and_erases_only_with_yes(
    command: Callable[..., object], filled: Store, tmp_path: Path
) -> None:
    asked = ("forget", HANDLE, "--source", "mastodon")
    told = command(*asked, "--erase")
    assert "7 mentions" in told.stdout
    assert "Nothing has been erased" in told.stdout
    assert shown(filled) == 8
    file = tmp_path / "ana.json"
    assert command(*asked, "--export", file).returncode == 0
    assert len(json.loads(file.read_text())["mentions"]) == 7
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob(".*part")] == []
    assert command(*asked, "--block", "--erase").returncode == 1
    assert command(*asked, "--block").returncode == 0
    assert shown(filled) == 1
    assert command(*asked, "--erase", "--yes").returncode == 0
    with filled.read() as session:
        assert [line.act for line in audit.entries(session)] == ["erase", "block", "export"]
    assert command(*asked).returncode == 1
    assert "person erased" in command("audit").stdout


def test_the_command_sets_previews_and_carries_out_a_rule(command: Callable[..., object], filled: Store) -> None:
    rule = ("--brand", "lumbre", "--days", "36500")
    assert json.loads(command("retention", "preview", *rule, "--json").stdout) == {"mentions": 0, "raws": 0}
    assert command("retention", "set", *rule).returncode == 0
    (listed,) = json.loads(command("retention", "list", "--json").stdout)
    assert (listed["brand"], listed["days"]) == ("lumbre", 36500)
    assert json.loads(command("retention", "run", "--json").stdout)["removed"] == {"mentions": 0, "raws": 0}
    assert command("retention", "remove", listed["id"]).returncode == 0
    assert command("retention", "set", "--days", "5", "--raw-days", "9").returncode == 1


def test_an_account_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    def pieces() -> object:
        yield "half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _write(tmp_path / "ana.json", pieces())
    assert list(tmp_path.iterdir()) == []
