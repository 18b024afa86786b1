"""The page of sources says how each watch does, what is missing, and what a person can do about it."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from api.dashboard.coverage import covered, days_shown
from escucha.brand import Brand
from escucha.errors import Refused, TryLater
from escucha.source import Quota, Span
from pipeline.rhythm import QUIET_FAILURES
from store import mentions, watches
from store.engine import Store
from tests import make
from tests.api.listening import DAY, HOUR, NOW, client_of, lumbre, page, run, watch, words

NO_KEY = Refused("{host} did not accept our key (HTTP 401). Enter a valid key and resume the watch.", host="x.example")
AWAY = TryLater("{host} asks us to slow down. Nothing is lost: the watch goes on by itself.", host="x.example")
TOLD = ".told dt, .told dd"
ZONE = ZoneInfo("America/Mexico_City")


@pytest.fixture
def brand(sqlite_store: Store) -> Brand:
    return lumbre(sqlite_store)


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path, brand: Brand) -> TestClient:
    return client_of(sqlite_store, tmp_path)


def test_without_a_watch_the_page_says_where_to_begin(client: TestClient) -> None:
    tree = page(client, "/sources")
    assert words(tree, ".empty h2") == "Nothing is listened to yet"
    assert tree.css_first(".empty a").attributes["href"] == "/sources/add?brand=lumbre"


def test_each_state_has_its_sign_and_words_and_those_that_need_a_person_come_first(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    good, failing, refused, tired, doubtful, paused = (
        watch(sqlite_store, brand, "mastodon", f"{name}@social.example") for name in ("a", "b", "c", "d", "e", "f")
    )
    watch(sqlite_store, brand, "mastodon", "new@social.example")
    run(sqlite_store, good, NOW - HOUR)
    run(sqlite_store, failing, NOW - HOUR, AWAY, failures=2)
    run(sqlite_store, refused, NOW - HOUR, NO_KEY, state="paused", failures=1)
    run(sqlite_store, tired, NOW - HOUR, AWAY, state="paused", failures=QUIET_FAILURES)
    run(sqlite_store, doubtful, NOW - HOUR, doubt=AWAY)
    with sqlite_store.write() as session:
        watches.set_state(session, paused.id, "paused", NOW)
    tree = page(client, "/sources")
    assert [" ".join(node.text().split()) for node in tree.css(".watch header .health")] == [
        "! Needs you", "! Left in peace: needs you", "↻ Tries again by itself", "? Doubtful",
        "… Waits for its first run", "✓ Good", "Ⅱ Paused",
    ]
    assert words(tree, "#health") == (
        "! 2 need you ↻ 1 tries again by itself ? 1 is doubtful … 1 waits for its first run ✓ 1 does well Ⅱ 1 is paused"
    )
    assert tree.css_first("#health a").attributes["href"] == f"#watch-{refused.id}"
    assert "x.example did not accept our key" in words(tree, f"#watch-{refused.id} .notice")
    assert f"It failed {QUIET_FAILURES} times in a row" in words(tree, f"#watch-{tired.id} .notice")
    assert "slow down" in words(tree, f"#watch-{doubtful.id} .notice")


def test_a_failing_watch_that_a_person_pauses_does_not_call_for_a_person(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    made = watch(sqlite_store, brand, "mastodon", "cafe@social.example")
    run(sqlite_store, made, NOW - HOUR, AWAY, failures=3)
    client.post(f"/sources/watches/{made.id}/pause?brand=lumbre")
    assert words(page(client, "/sources"), ".watch header .health") == "Ⅱ Paused"


def test_every_page_says_when_a_watch_hears_nothing_until_a_person_acts(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    assert "hears nothing" not in words(page(client, "/rules"), ".notice")
    run(sqlite_store, watch(sqlite_store, brand, "rss", "https://a.example/feed"), NOW, NO_KEY, state="paused")
    tree = page(client, "/rules")
    assert "1 watch hears nothing until you act." in words(tree, ".notice")
    assert tree.css_first(".notice a").attributes["href"] == "/sources?brand=lumbre"
    assert "hears nothing" not in words(page(client, "/sources"), ".notice"), "there the watch itself says it"


def test_the_ledger_is_told_for_the_last_run_and_for_a_week(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    made = watch(sqlite_store, brand, "youtube", '"lumbre"')
    run(sqlite_store, made, NOW - 8 * DAY, new=100)
    run(sqlite_store, made, NOW - 2 * DAY, new=5)
    run(sqlite_store, made, NOW - HOUR, new=3, refused=7, passed=2, quota=Quota(
        limit=10_000, remaining=8240, resets_at=NOW + 2 * HOUR, unit="units"))
    tree = page(client, "/sources")
    assert words(tree, ".sums thead th") == "Last run 7 days"
    rows = [[cell.text().strip() for cell in row.css("th, td")] for row in tree.css(".sums tbody tr")]
    assert rows == [["New", "3", "8"], ["Updated", "0", "0"], ["Known", "1", "2"], ["Refused", "7", "7"],
                    ["Left out", "2", "2"]]
    facts = words(tree, TOLD)
    assert "Last run 11:00" in facts
    assert "Next run now" in facts
    assert "every 30 minutes now, between 15 minutes and 2 hours" in facts
    assert "8,240 of 10,000 units left, whole again 14:00" in facts
    runs = words(tree, ".runs tbody")
    assert "item 5: This item does not have the form" in runs
    assert "item 6" not in runs
    assert "and 2 more" in runs


def test_the_delay_is_a_median_with_its_n(client: TestClient, sqlite_store: Store, brand: Brand) -> None:
    made = watch(sqlite_store, brand, "mastodon", "cafe@social.example")
    with sqlite_store.write() as session:
        for minutes in (5, 7, 90):
            said = make.mention(str(minutes), created_at=NOW - minutes * HOUR / 60)
            mentions.save(session, brand, [said], NOW, made.id)
    assert "Delay 7 minutes (median, n=3)" in words(page(client, "/sources"), TOLD)


def test_a_paid_watch_shows_what_the_month_cost_of_its_budget(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    run(sqlite_store, watch(sqlite_store, brand, "x", "lumbre", age=60 * DAY), NOW - HOUR, cost=1.5)
    assert "Cost this month $1.50 of $10.00" in words(page(client, "/sources"), TOLD)
    client.post("/sources/add?brand=lumbre&source=x", data={"do": "keys", "key.monthly_budget": "25,5"})
    assert "Cost this month $1.50 of $25.50" in words(page(client, "/sources"), TOLD)


def test_the_calendar_shows_what_was_read_in_part_and_not_at_all_and_says_so_in_words(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    made = watch(sqlite_store, brand, "rss", "https://a.example/feed", age=8 * DAY)
    run(sqlite_store, made, NOW - 4 * DAY, covers=Span(NOW - 8 * DAY, NOW - 4 * DAY))
    run(sqlite_store, made, NOW - HOUR / 4, covers=Span(NOW - DAY, NOW - HOUR / 4))
    tree = page(client, "/sources")
    cells = {node.attributes["title"]: node.attributes["class"] for node in tree.css(".days li")}
    assert len(cells) == 35
    assert cells["11 Nov: before this watch began"] == "before"
    assert cells["13 Nov: read in full"] == "full"
    assert cells["16 Nov: read in part: 50 %"] == "part"
    assert cells["18 Nov: not read"] == "gap"
    assert cells["20 Nov: read in full"] == "full", "only the wait for the next run is missing"
    assert cells["21 Nov: still to come"] == "ahead"
    assert "18 Nov: not read" in words(tree, ".days .sr")
    assert words(tree, ".coverage .share") == "4 of 9 days read in full"
    twin = [[cell.text() for cell in row.css("th, td")] for row in tree.css(".twin .scroll tbody tr")]
    assert twin[:3] == [["Nov 20, 2026", "read in full"], ["Nov 19, 2026", "read in part: 50 %"],
                        ["Nov 18, 2026", "not read"]]


def test_today_is_not_whole_where_the_runs_have_stopped(sqlite_store: Store, brand: Brand) -> None:
    made = watch(sqlite_store, brand, "rss", "https://a.example/feed")
    stopped = covered(made, [Span(NOW - 5 * DAY, NOW - 6 * HOUR)], NOW, ZONE)
    assert [one.state for one in stopped if one.day.isoformat() == "2026-11-20"] == ["part"]


def test_the_calendar_has_whole_weeks_and_keeps_to_the_brands_days() -> None:
    days = days_shown(NOW, ZONE)
    assert (len(days), days[0].weekday(), days[-1].weekday()) == (35, 0, 6)
    assert days[-7] <= NOW.astimezone(ZONE).date() <= days[-1]


def test_a_watch_that_is_sent_to_shows_its_address_and_whether_it_lacks_a_secret(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    made = watch(sqlite_store, brand, "webhook", "generic", hook="llave")
    tree = page(client, "/sources")
    assert words(tree, ".watch .address") == "http://localhost:8000/hooks/llave"
    assert "its secret is not entered" in words(tree, ".watch .notice")
    assert "Waits for its first delivery" in words(tree, ".watch .health")
    assert not tree.css(".days")
    assert not tree.css(f"form[action^='/sources/watches/{made.id}/run']")
    client.post("/sources/add?brand=lumbre&source=webhook", data={"do": "keys", "key.secret": "x"})
    assert "secret is not entered" not in words(page(client, "/sources"), ".watch .notice")


def test_buttons_run_pause_resume_and_remove_and_say_what_they_did(
    client: TestClient, sqlite_store: Store, brand: Brand
) -> None:
    made = watch(sqlite_store, brand, "rss", "https://a.example/feed")
    run(sqlite_store, made, NOW)

    def press(verb: str) -> str:
        answer = client.post(f"/sources/watches/{made.id}/{verb}?brand=lumbre", follow_redirects=False)
        assert answer.status_code == 303
        return words(page(client, answer.headers["location"].partition("#")[0]), ".notice[role=status]")

    assert press("run") == "Its next run is due now."
    assert page(client, "/sources").css_first(f"#watch-{made.id}").attributes.get("data-live", "no") != "no"
    assert press("pause").startswith("The watch is paused.")
    assert "data-live" not in page(client, "/sources").css_first(f"#watch-{made.id}").attributes
    assert press("resume") == "Its next run is due now."
    assert press("remove") == "The watch is removed; what it heard stays."
    with sqlite_store.read() as session:
        assert watches.of_brand(session, brand.id or 0) == []
    assert client.post(f"/sources/watches/{made.id}/run?brand=lumbre").status_code == 404


def test_every_button_and_field_has_a_name_of_its_own(client: TestClient, sqlite_store: Store, brand: Brand) -> None:
    for text in ("https://a.example/feed", "https://b.example/feed"):
        watch(sqlite_store, brand, "rss", text)
    tree = page(client, "/sources")
    named = [node.attributes.get("aria-label") for node in tree.css(".watch .acts button, .watch .acts summary")]
    assert all(named)
    assert "Pause: RSS https://b.example/feed" in named
    assert all(node.attributes.get("aria-label") for node in tree.css(".channels select, .channels input[name=owner]"))


def test_what_a_source_or_a_person_wrote_is_escaped(client: TestClient, sqlite_store: Store, brand: Brand) -> None:
    made = watch(sqlite_store, brand, "rss", "https://a.example/<script>alert(1)</script>")
    run(sqlite_store, made, NOW, TryLater("{host} is away.", host="<b>bold</b>"))
    client.post("/sources?brand=lumbre", data={"do": "note", "name": "<i>Tienda</i>", "present": "yes"})
    text = client.get("/sources").text
    assert "<script>alert" not in text
    assert "<b>bold" not in text
    assert "<i>Tienda" not in text
