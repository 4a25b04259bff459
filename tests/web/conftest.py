"""A real Chromium against a real ``urumi serve`` on the sandbox, as ``make run`` starts it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.ground import Ground
from tests.system.server import Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
SLOW = 30_000  # milliseconds that a sight may take on a busy machine
Visit = Callable[..., Page]
DIALOGS_ARE_HERE = """() => {
    const came = new Set(performance.getEntriesByType('resource').map(r => r.name));
    const wanted = [...document.querySelectorAll('link[rel=modulepreload]')].map(l => l.href);
    return wanted.some(w => w.includes('/CreateStore-')) && wanted.every(w => came.has(w));
}"""

expect.set_options(timeout=SLOW)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium for a module: meanwhile no event loop of another test can run here."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data", Ground("sandbox"), URUMI_CLUSTER="sandbox").start()
    yield server
    if server.process is not None:
        server.stop()


def login_link(server: Server) -> str:
    """Return a link that signs in as the admin."""
    with server.client() as client:
        url: str = client.post("/api/v1/login-links").json()["url"]
    return url


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    """Open a page as the admin. What the page itself complains of fails the test."""
    contexts: list[BrowserContext] = []
    said: list[str] = []

    def open_(path: str = "/stores", *, signed_in: bool = True, **options: object) -> Page:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SLOW)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "console",
            lambda message: (
                said.append(message.text) if "Content Security" in message.text else None
            ),
        )
        if signed_in:
            page.goto(login_link(server))
            page.get_by_role("heading", name="Stores", exact=True).wait_for()
        page.goto(server.url + path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not said, said


def accessible(page: Page) -> list[str]:
    """Return what axe-core finds wrong, by rule and element."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})"
    )
    return [
        f"{v['id']}: {node['target']} {node['failureSummary']}"
        for v in found["violations"]
        for node in v["nodes"]
    ]
