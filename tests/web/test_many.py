"""Acts on many stores: they go on wherever one is, can be stopped and gone on with."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.system.server import Server, poll
from tests.web.conftest import Visit, accessible


def next_of(page: Page, held: list[Route]) -> Route:
    """Return the next call that waits, once it is there."""

    def look() -> bool:
        page.evaluate("1")  # hands on what the browser asked for meanwhile
        return bool(held)

    poll(look, what="a call")
    return held.pop(0)


def test_deleting_many_goes_on_from_view_to_view(visit: Visit, server: Server) -> None:
    with server.client() as client:
        for number in range(3):
            body = {"id": f"s-{number}", "name": f"S {number}"}
            client.post("/api/v1/stores", json=body).raise_for_status()
    page = visit()
    held: list[Route] = []
    page.route(
        "**/api/v1/stores/s-*",
        lambda route: held.append(route) if route.request.method == "DELETE" else route.continue_(),
    )
    expect(page.locator("[data-store]")).to_have_count(3)
    page.get_by_label("Choose all").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_label("Type 3 to confirm").fill("3")
    page.get_by_role("button", name="Delete them").click()
    progress = page.get_by_role("region", name="Deleting stores")
    expect(progress).to_contain_text("0 of 3")
    page.get_by_role("link", name="Operator").click()
    expect(page.get_by_role("heading", name="Operator")).to_be_visible()
    next_of(page, held).continue_()
    expect(progress).to_contain_text("1 of 3")
    assert accessible(page) == []
    under_way = next_of(page, held)
    progress.get_by_role("button", name="Stop").click()
    under_way.continue_()
    expect(progress).to_contain_text("Stopped: 2 of 3")
    page.get_by_role("link", name="Stores", exact=True).click()
    expect(page.locator("[data-store=s-0]")).to_be_visible()  # the newest went first
    progress.get_by_role("button", name="Go on").click()
    next_of(page, held).continue_()
    expect(progress).to_contain_text("Done: 1 of 1 being deleted")
    progress.get_by_role("button", name="Close").click()
    expect(progress).to_have_count(0)
    expect(page.get_by_text("No stores yet")).to_be_visible(timeout=60_000)
