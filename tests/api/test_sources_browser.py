"""In a real browser: a source is tried, saved, run by the clock, and its days show what was read."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from store import brands
from store.engine import open_store
from store.schema import migrate
from tests.api.test_browser import CHROMIUM, browser, overflow, wait_for, watched
from tests.collectors.fakes.hackernews import HackerNewsUpstream
from tests.conftest import ROOT
from tests.make import brand

__all__ = ["browser"]
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed (apt-get install chromium)")
A_ROUND = 50_000
"""Milliseconds in which the clock has run what is due: it looks every half minute."""


@pytest.fixture(scope="module")
def forum(tmp_path_factory: pytest.TempPathFactory) -> HackerNewsUpstream:
    """A forum with a post every six hours of the last twenty days."""
    made = HackerNewsUpstream(tmp_path_factory.mktemp("forum"))
    made.start, made.spacing = datetime.now(UTC) - timedelta(days=20), timedelta(hours=6)  # type: ignore[misc]
    made.add(79)
    return made


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, forum: HackerNewsUpstream) -> Iterator[str]:
    """The real server with its clock, on a free port; Hacker News is a forum on loopback."""
    folder = tmp_path_factory.mktemp("served")
    database = f"sqlite:///{folder / 'escucha.db'}"
    store = open_store(database, "NORMAL")
    migrate(store)
    with store.write() as session:
        brands.add(session, brand())
    store.close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with forum.on_loopback() as upstream:
        environment = os.environ | {
            "ESCUCHA_DATABASE": database, "ESCUCHA_PORT": str(port), "PYTHONPATH": str(ROOT), "ESCUCHA_WEB__PACE": "0",
            "ESCUCHA_WEB__ALLOW_HOSTS": json.dumps([upstream.removeprefix("http://")]),
            "ESCUCHA_KEYS__HACKERNEWS__BASE_URL": upstream,
        }
        server = subprocess.Popen([sys.executable, "-m", "api", "serve"], cwd=folder, env=environment)
        try:
            wait_for(f"http://127.0.0.1:{port}/api/v1/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


@pytest.fixture(params=[(1440, "light"), (390, "dark")], ids=["wide", "narrow"])
def opened(request: pytest.FixtureRequest, browser, address: str) -> Iterator[tuple[Page, list[str]]]:  # type: ignore[no-untyped-def]
    """A page of a wide light screen, and of a narrow dark one, with all that the browser complains of."""
    width, theme = request.param
    with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, locale="en-US") as context:
        page = context.new_page()
        yield page, watched(page, address)


def test_a_source_is_tried_saved_and_run_and_its_days_show_what_was_read(
    opened: tuple[Page, list[str]], address: str
) -> None:
    page, complaints = opened
    words = "lumbre café" if (page.viewport_size or {})["width"] < 500 else "lumbre"
    page.goto(f"{address}/sources")
    page.get_by_role("link", name="Add a source").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Add a source")
    assert not overflow(page)
    page.get_by_role("link", name=re.compile("Hacker News")).click()
    page.get_by_label("What to ask for").fill(words)
    page.get_by_role("button", name="Test first").click()
    expect(page.locator("#trial .mention")).to_have_count(10)
    expect(page.locator("#trial [role=status]")).to_contain_text("Nothing was stored.")
    assert not overflow(page)

    page.get_by_role("button", name="Save this watch").click()
    card = page.locator(".watch", has_text="Hacker News").filter(
        has=page.locator("h3 code", has_text=re.compile(f"^{words}$")))
    expect(page.locator("main [role=status]").first).to_have_text("The watch is set. Its first run is due now.")
    expect(card.locator(".health")).to_contain_text("Waits for its first run")
    expect(card.locator(".health")).to_contain_text("Good", timeout=A_ROUND)
    expect(card.locator(".sums tbody tr").first.locator("td").first).to_have_text(re.compile(r"\d+"))
    expect(card.locator(".days .full")).not_to_have_count(0)
    expect(card.locator(".days .gap")).to_have_count(0)
    card.get_by_text("Days as a table").click()
    expect(card.locator(".scroll td").first).to_have_text("read in full")
    card.get_by_text("Last runs").click()
    expect(card.locator(".runs tbody tr")).to_have_count(1)
    assert not overflow(page)
    assert complaints == []


def test_the_page_of_sources_works_without_scripts(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    with browser.new_context(java_script_enabled=False, locale="en-US") as context:
        page = context.new_page()
        page.goto(f"{address}/sources/add?source=rss")
        page.get_by_label("What to ask for").fill("https://diario.invalid/feed")
        page.get_by_role("button", name="Save").click()
        card = page.locator(".watch", has_text="https://diario.invalid/feed")
        card.get_by_role("button", name=re.compile("^Pause")).click()
        expect(card.locator(".health")).to_contain_text("Paused")
        card.locator(".removal summary").click()
        card.get_by_text("Remove this watch").click()
        expect(card).to_have_count(0)
        page.get_by_label("Another channel").fill("Tienda física")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(".channels")).to_contain_text("Tienda física")


def test_every_target_is_large_enough_to_hit(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    with browser.new_context(viewport={"width": 390, "height": 900}, locale="en-US") as context:
        page = context.new_page()
        for path in ("/sources", "/sources/add", "/sources/add?source=youtube"):
            page.goto(f"{address}{path}")
            small = page.evaluate(SMALL)
            assert small == [], path


SMALL = """
[...document.querySelectorAll("main a, main button, main summary, main input, main select, main textarea")]
  .map((node) => [node, (node.type === "radio" ? node.closest("label") : node).getBoundingClientRect()])
  .filter(([node, box]) => node.type !== "hidden" && box.width > 0 && (box.width < 24 || box.height < 23.5))
  .map(([node, box]) => `${node.outerHTML.slice(0, 90)} ${box.width}x${box.height}`)
"""
