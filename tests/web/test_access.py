"""Everybody can use it: axe-core on every view, by keyboard, on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.system.server import Server
from tests.web.conftest import Visit, accessible
from tests.web.sights import IMPATIENT, furnish, tour

PHONE = {"width": 360, "height": 740}
SIGHTS = [("light", None), ("dark", None), ("light", PHONE), ("dark", PHONE)]


def complaints(page: Page) -> list[str]:
    """Return what is wrong with what is seen: by axe-core, or wider than the screen."""
    fits = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return accessible(page) + ([] if fits else ["it is wider than the screen"])


@pytest.mark.parametrize(("scheme", "size"), SIGHTS, ids=["light", "dark", "phone", "phone-dark"])
def test_every_view_in_every_state_is_accessible_and_fits(
    visit: Visit, server: Server, scheme: str, size: dict[str, int] | None
) -> None:
    server.stop()
    server.environ.update(IMPATIENT)
    server.start()
    options: dict[str, object] = {"color_scheme": scheme, "reduced_motion": "reduce"}
    if size:
        options["viewport"] = size
    seen: dict[str, list[str]] = {}
    stranger = visit("/", signed_in=False, **options)
    stranger.get_by_label("Token", exact=True).fill("urumi_wrong")
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger.get_by_text("The token is not known")).to_be_visible()
    seen["sign-in"] = complaints(stranger)

    page = visit(**options)
    expect(page.get_by_text("No stores yet")).to_be_visible()
    seen["no stores"] = complaints(page)
    furnish(server)
    for view in tour(page, server):
        seen[view] = complaints(page)
    assert len(seen) > 15
    assert {view: found for view, found in seen.items() if found} == {}


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
