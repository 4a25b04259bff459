"""Everybody can use it: axe-core on every view, by keyboard, on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.system.server import Server, wait_for_phase
from tests.web.conftest import Visit, accessible

PHONE = {"width": 360, "height": 740}
SIGHTS = [("light", None), ("dark", None), ("light", PHONE)]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize(("scheme", "size"), SIGHTS, ids=["light", "dark", "phone"])
def test_every_view_is_accessible_and_fits(
    visit: Visit, server: Server, scheme: str, size: dict[str, int] | None
) -> None:
    options: dict[str, object] = {"color_scheme": scheme, "reduced_motion": "reduce"}
    if size:
        options["viewport"] = size
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
        wait_for_phase(client, "acme", "Ready", seconds=60)
    stranger = visit("/", signed_in=False, **options)
    expect(stranger.get_by_role("button", name="Sign in")).to_be_visible()
    assert accessible(stranger) == []

    page = visit(**options)
    expect(page.locator("[data-store=acme]")).to_contain_text("Ready")
    assert accessible(page) == [] and fits(page)
    page.get_by_role("button", name="New store").click()
    page.get_by_role("button", name="More options").click()
    expect(page.get_by_role("combobox", name="Country")).to_be_visible()
    assert accessible(page) == [] and fits(page)

    page.goto(server.url + "/stores/acme")
    expect(page.locator("[data-state=done]")).to_have_count(6)
    assert accessible(page) == [] and fits(page)
    for name in ("Resources", "Logs"):
        page.get_by_role("tab", name=name).click()
        expect(page.get_by_role("tabpanel")).to_contain_text("wordpress")
        assert accessible(page) == [], name
        assert fits(page), name

    page.goto(server.url + "/operator")
    expect(page.get_by_role("heading", name="Capacity")).to_be_visible()
    assert accessible(page) == [] and fits(page)


def test_a_store_is_made_by_keyboard_alone(visit: Visit) -> None:
    page = visit()
    button = page.get_by_role("button", name="New store")
    for _ in range(20):
        page.keyboard.press("Tab")
        if button.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    page.wait_for_url("**/stores/by-keys")
