"""In a real browser: the walk from the overview over the map to the mentions, without one complaint of the browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from store import brands, enrichments, mentions
from store.engine import open_store
from store.schema import migrate
from tests.conftest import ROOT
from tests.make import brand, mention, understood

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]
DOTS = ".chart svg .mark-symbol.role-mark path"
STAGES = ("awareness", "consideration", "decision", "purchase", "retention", "advocacy")

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed (apt-get install chromium)")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real server on a free port, with a brand of sixty mentions; the clock that collects stays off."""
    folder = tmp_path_factory.mktemp("served")
    fill(f"sqlite:///{folder / 'escucha.db'}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"ESCUCHA_DATABASE": f"sqlite:///{folder / 'escucha.db'}", "ESCUCHA_PORT": str(port),
                                "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "api", "serve", "--no-clock"]
    server = subprocess.Popen(command, cwd=folder, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/v1/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


def fill(url: str) -> None:
    """Sixty mentions over the last days, spread over stages and sentiments."""
    store, now = open_store(url, "NORMAL"), datetime.now(UTC)
    migrate(store)
    with store.write() as session:
        lumbre = brands.add(session, brand(sample=True))
        said = [
            mention(str(n), f"Opinión {n} sobre el café <b>", created_at=now - timedelta(hours=7 * n))
            for n in range(60)
        ]
        mentions.save(session, lumbre, said, now)
        waiting = enrichments.claim(session, 100, now)
        labels = [
            understood(stage=STAGES[n % 6], sentiment=("positive", "negative", "neutral")[n % 3], pain="problem")
            for n in range(60)
        ]
        enrichments.save(session, list(zip(waiting, labels, strict=True)), now)
    store.close()


def wait_for(url: str) -> None:
    for _ in range(150):
        try:
            httpx.get(url).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"{url} did not answer")


def watched(page: Page, address: str) -> list[str]:
    """Everything the browser complains of (a CSP report is a console error), and every request that leaves us."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((address, "data:")) else complaints.append(asked.url))
    page.on("response", lambda answer: complaints.append(answer.url) if answer.status >= 400 else None)
    return complaints


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_a_walk_from_the_overview_over_the_map_to_the_mentions(
    address: str, browser: Browser, width: int, theme: str
) -> None:
    with browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, locale="es-MX"  # type: ignore[arg-type]
    ) as context:
        page = context.new_page()
        complaints = watched(page, address)
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text("Resumen")
        expect(page.locator(".chart svg .mark-rect.role-mark path").first).to_be_visible()
        assert not overflow(page)

        page.get_by_role("navigation").get_by_role("link", name="Mapa del viaje").click()
        expect(page.locator(".map thead th")).to_have_count(6)
        expect(page.locator(DOTS)).to_have_count(6)
        assert not overflow(page)

        page.locator(".map a.big").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Menciones")
        expect(page.locator("article.mention")).to_have_count(10)
        expect(page.locator(".chips")).to_contain_text("Concientización")
        assert not overflow(page)

        page.get_by_role("searchbox").fill("opinion 12")
        page.get_by_role("searchbox").press("Enter")
        expect(page.locator("article.mention")).to_have_count(1)
        expect(page.locator("mark").first).to_have_text("Opinión")
        assert complaints == []


def test_a_mark_of_the_chart_opens_its_mentions(address: str, browser: Browser) -> None:
    with browser.new_context(locale="es-MX") as context:
        page = context.new_page()
        complaints = watched(page, address)
        page.goto(f"{address}/journey")
        page.locator(DOTS).nth(STAGES.index("purchase")).click()
        expect(page.locator(".chips")).to_contain_text("Adquisición")
        assert complaints == []


def test_a_label_is_corrected_and_undone_within_its_card(address: str, browser: Browser) -> None:
    with browser.new_context(locale="es-MX") as context:
        page = context.new_page()
        complaints = watched(page, address)
        page.goto(f"{address}/mentions?q=opinion+33")
        card = page.locator("article.mention")
        expect(card).to_have_count(1)
        card.get_by_role("link", name="Corregir").click()
        card.get_by_label("Sentimiento").select_option("negative")
        card.get_by_role("button", name="Guardar").click()
        expect(card.get_by_role("status")).to_contain_text("Guardado")
        expect(card.locator(".tag.sentiment")).to_contain_text("Negativo")
        expect(card.locator(".tag.fixed")).to_contain_text("El modelo dijo: Positivo (90 %)")
        card.get_by_role("link", name="Corregir").click()
        card.get_by_role("button", name="Deshacer").click()
        expect(card.locator(".tag.fixed")).to_have_count(0)
        assert page.url.endswith("/mentions?q=opinion+33"), "the reader stays on the list"
        assert complaints == []


def test_the_theme_is_chosen_and_remembered(address: str, browser: Browser) -> None:
    with browser.new_context(locale="es-MX", color_scheme="light") as context:
        page = context.new_page()
        page.goto(address)
        page.get_by_role("button", name="Oscuro").click()
        page.goto(f"{address}/mentions")
        assert page.locator("html").get_attribute("data-theme") == "dark"


def test_the_pages_work_without_scripts(address: str, browser: Browser) -> None:
    with browser.new_context(java_script_enabled=False, locale="en-US") as context:
        page = context.new_page()
        page.goto(address)
        page.get_by_text("Show as a table").click()
        expect(page.locator("details.twin td a").first).to_be_visible()
        page.goto(f"{address}/mentions")
        page.locator(".facet summary", has_text="Stage").click()
        page.get_by_role("checkbox", name="Retention").check()
        page.locator(".facet[open] button").click()
        expect(page.locator("article.mention")).to_have_count(10)


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the screen, as it is and with its last menu open."""
    return _wider(page) or _wider_with_a_menu(page)


def _wider_with_a_menu(page: Page) -> int:
    menu = page.locator("details.menu > summary").last
    if not menu.is_visible():
        return 0
    menu.click()
    pixels = _wider(page)
    menu.click()
    return pixels


def _wider(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
