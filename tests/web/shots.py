"""Pictures of the dashboard for the docs: ``make shots`` writes them into docs/dashboard."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.ground import Ground
from tests.system.server import Server, wait_for_phase
from tests.web.conftest import CHROMIUM, login_link
from tests.web.sights import play_a_day

FOLDER = Path(__file__).parents[2] / "docs" / "dashboard"
SIGHTS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1200, "height": 760}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1200, "height": 760}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 760}},
}
SHOPS = ("Acme Ltd", "Bäckerei Süß", "Blumen & Mehr", "Librería Sur", "North Wind Bikes")


def fill(server: Server) -> None:
    """Make some stores, one of which fails."""
    with server.client() as client:
        for number, name in enumerate(SHOPS):
            plan = ("small", "small", "medium", "large", "small")[number]
            body = {"id": f"shop-{number + 1}", "name": name, "plan": plan}
            client.post("/api/v1/stores", json=body).raise_for_status()
        broken = {"id": "old-image", "name": "Old Image", "versions": {"wordpress": "missing"}}
        client.post("/api/v1/stores", json=broken).raise_for_status()
        wait_for_phase(client, "shop-5", "Ready", seconds=60)
        wait_for_phase(client, "old-image", "Failed", seconds=60)


def shoot(page: Page, server: Server, name: str) -> None:
    """Take the pictures of one sight."""
    page.goto(login_link(server))
    page.locator("[data-store=shop-5]").wait_for()
    page.wait_for_timeout(600)
    page.screenshot(path=FOLDER / f"stores-{name}.png")
    page.goto(f"{server.url}/stores/shop-2")
    page.locator("[data-step=Ready][data-state=done]").wait_for()
    page.wait_for_timeout(600)
    page.screenshot(path=FOLDER / f"store-{name}.png")
    play_a_day(page)  # this service began a moment ago
    page.goto(f"{server.url}/operator")
    page.get_by_role("heading", name="Capacity").wait_for()
    page.wait_for_timeout(600)
    page.screenshot(path=FOLDER / f"operator-{name}.png")


def main() -> None:
    """Start a service on the sandbox and take all pictures."""
    if CHROMIUM is None:
        raise SystemExit("Chromium is not installed: apt-get install chromium")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        settings = {"URUMI_CLUSTER": "sandbox", "URUMI_PROVISION_TIMEOUT": "3s"}
        server = Server(Path(folder), Ground("sandbox"), **settings).start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            fill(server)
            for name, options in SIGHTS.items():
                context = browser.new_context(**options)  # type: ignore[arg-type]
                shoot(context.new_page(), server, name)
                context.close()
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
