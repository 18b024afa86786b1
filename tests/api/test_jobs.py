"""Tagging again, asked for and followed through the API, the page and the command line."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from api.cli import app
from collectors.http import WebOptions
from nlp.again import standing
from nlp.chain import ModelOptions
from pipeline.enrich import enrich_pending
from pipeline.means import Means
from pipeline.pool import Inline
from pipeline.retag import work_off
from store import brands, mentions
from store.engine import Store, open_store
from store.schema import migrate
from store.tables import MentionRow
from tests import make
from tests.api.conftest import Client

NOW = make.NOW


def worked_off(store: Store) -> None:
    work_off(Means(store=store, pool=Inline(), web=WebOptions(), models=ModelOptions()), lambda: NOW)


def test_what_other_taggers_have_tagged_is_counted_and_tagged_again(client: Client, filled: Store) -> None:
    assert client.get("/api/v1/jobs/stale?brand=lumbre").json()["stale"] == 8
    answer = client.post("/api/v1/jobs", json={"brand": "lumbre"})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["state"], made["total"], made["stale"]) == ("waiting", 8, True)
    worked_off(filled)
    done = client.get(answer.headers["location"]).json()
    assert (done["state"], done["done"], done["problem"]) == ("done", 8, None)
    assert done["changed"] > 0
    assert sum(n for to in done["moves"]["stage"].values() for n in to.values()) <= 8
    assert client.get("/api/v1/jobs/stale").json()["stale"] == 0
    assert [job["id"] for job in client.get("/api/v1/jobs?brand=lumbre").json()["items"]] == [made["id"]]


def test_a_job_is_cancelled_once(client: Client) -> None:
    made = client.post("/api/v1/jobs", json={"stale": False}).json()
    assert (made["brand"], made["total"]) == (None, 8)
    assert client.post(f"/api/v1/jobs/{made['id']}/cancel").json()["state"] == "cancelled"
    again = client.post(f"/api/v1/jobs/{made['id']}/cancel", headers={"accept-language": "en"})
    assert again.status_code == 409
    assert again.json()["message"] == f"Job {made['id']} is over already."


def test_what_does_not_exist_is_not_found(client: Client) -> None:
    assert client.get("/api/v1/jobs/77").status_code == 404
    assert client.post("/api/v1/jobs/77/cancel").status_code == 404
    assert client.post("/api/v1/jobs", json={"brand": "nadie"}).status_code == 404
    assert client.get("/api/v1/jobs/stale?brand=nadie").status_code == 404
    assert client.post("/api/v1/jobs", json={"how": "twice"}).status_code == 422


def test_the_page_says_how_much_is_old_and_queues_it(client: Client, filled: Store) -> None:
    page = client.get("/jobs?brand=lumbre&ui=en").text
    assert "8 mentions of Lumbre have labels from an earlier version of the model." in page
    assert "Tagging them again takes less than a minute." in page
    asked = client.post("/jobs?brand=lumbre&how=all&stale=true", follow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (303, "/jobs?brand=lumbre")
    waiting = client.get("/jobs?brand=lumbre").text
    assert "data-live" in waiting
    assert "0 of 8" in waiting
    worked_off(filled)
    done = client.get("/jobs?brand=lumbre").text
    assert "data-live" not in done
    assert "nothing has to be tagged again" in done
    assert "What changed" in done


def test_the_page_cancels_a_job_even_twice(client: Client) -> None:
    client.post("/jobs?brand=lumbre&how=heads")
    for _ in range(2):
        assert client.post("/jobs/1/cancel?brand=lumbre", follow_redirects=False).status_code == 303
    assert "Cancelled" in client.get("/jobs?brand=lumbre&ui=en").text


@pytest.fixture
def kept(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Store:  # type: ignore[no-untyped-def]
    """Two mentions in the store of the command line, tagged by taggers of long ago."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ESCUCHA_LANG", "en")
    monkeypatch.setenv("ESCUCHA_DATABASE", f"sqlite:///{tmp_path / 'e.db'}")
    store = open_store(f"sqlite:///{tmp_path / 'e.db'}")
    migrate(store)
    with store.write() as session:
        lumbre = brands.add(session, make.brand())
        said = [make.mention("1", "Pésimo servicio, una vergüenza"), make.mention("2", "Me encanta, excelente")]
        mentions.save(session, lumbre, said, NOW)
    enrich_pending(Means(store=store, pool=Inline(), web=WebOptions(), models=ModelOptions()), lambda: NOW)
    with store.write() as session:
        session.execute(update(MentionRow).values(versions={"encoder": "old"}, sentiment="neutral"))
    return store


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    return result.exit_code, result.stdout


def test_the_command_tags_again_while_one_waits(kept: Store) -> None:
    code, out = run("retag", "--brand", "lumbre", "--wait", "--json")
    done = json.loads(out)
    assert (code, done["state"], done["done"], done["changed"]) == (0, "done", 2, 2)
    assert done["moves"]["sentiment"] == {"neutral": {"negative": 1, "positive": 1}}
    with kept.read() as session:
        versions = session.query(MentionRow.versions).first()
    assert versions is not None
    assert versions[0] == standing(ModelOptions()).versions


def test_the_command_leaves_the_work_to_the_server(kept: Store) -> None:
    assert "Job 1 waits: 2 mentions." in run("retag")[1]
    listed = json.loads(run("jobs", "list", "--json")[1])
    assert [(job["id"], job["state"], job["how"]) for job in listed] == [(1, "waiting", "all")]
    assert "Job 1 is cancelled." in run("jobs", "cancel", "1")[1]
    assert json.loads(run("jobs", "list", "--json")[1])[0]["state"] == "cancelled"
