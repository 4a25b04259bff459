"""The list of stores: its place, its choices, and what it says of how much of it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.system.server import Server
from tests.web.conftest import Visit, accessible

COUNT = 450


@pytest.fixture
def long(server: Server) -> Callable[[Page], list[Route]]:
    """Play a list of 450 stores. Searches are not answered; they are handed back."""
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "one", "name": "One"}).raise_for_status()
        document: dict[str, Any] = client.get("/api/v1/stores/one").json()

    def play(page: Page) -> list[Route]:
        held: list[Route] = []

        def answer(route: Route) -> None:
            query = parse_qs(urlsplit(route.request.url).query)
            if "q" in query:
                held.append(route)
                return
            start = int(query.get("cursor", ["0"])[0])
            end = min(start + 200, COUNT)
            items = [document | {"id": f"s-{i}", "name": f"Store {i}"} for i in range(start, end)]
            route.fulfill(json={"items": items, "nextCursor": str(end) if end < COUNT else None})

        page.route("**/api/v1/stores?*", answer)
        return held

    return play


def test_all_is_chosen_only_when_all_is_read(
    visit: Visit, long: Callable[[Page], list[Route]], server: Server
) -> None:
    page = visit()
    long(page)
    page.goto(server.url + "/stores")
    expect(page.get_by_text("200 stores and more")).to_be_visible()
    page.get_by_label("Choose all").check()
    expect(page.get_by_text("200 chosen of those shown so far")).to_be_visible()
    page.get_by_role("button", name="Choose all that match").click()
    expect(page.get_by_text("450 stores")).to_be_visible()
    expect(page.get_by_role("region", name="Chosen stores")).to_contain_text("450 chosen")
    expect(page.get_by_text("shown so far")).to_have_count(0)


def test_who_goes_back_finds_the_place_and_the_choice(
    visit: Visit, long: Callable[[Page], list[Route]], server: Server
) -> None:
    page = visit()
    long(page)
    page.goto(server.url + "/stores")
    rows = page.get_by_label("Rows")
    page.get_by_label("Choose Store 1", exact=True).check()
    far = page.get_by_role("link", name="Store 250", exact=True)
    rows.evaluate("element => element.scrollTop = 150 * element.scrollHeight / 200")
    expect(page.get_by_text("400 stores and more")).to_be_visible()
    rows.evaluate("element => element.scrollTop = 250 * element.scrollHeight / 400")
    far.scroll_into_view_if_needed()
    before = rows.evaluate("element => element.scrollTop")
    far.click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Stores")
    page.go_back()
    expect(far).to_be_in_viewport()
    assert abs(rows.evaluate("element => element.scrollTop") - before) < 60
    expect(page.get_by_role("region", name="Chosen stores")).to_contain_text("1 chosen")
    page.get_by_role("link", name="Operator").click()
    page.get_by_role("link", name="Stores", exact=True).click()
    expect(page.locator("[data-store=s-0]")).to_be_in_viewport()
    expect(page.get_by_role("region", name="Chosen stores")).to_have_count(0)


def test_old_rows_do_not_pass_for_what_is_searched(
    visit: Visit, long: Callable[[Page], list[Route]], server: Server
) -> None:
    page = visit()
    held = long(page)
    page.goto(server.url + "/stores")
    expect(page.locator("[data-store=s-0]")).to_be_visible()
    page.get_by_label("Search").fill("plum")
    expect(page.get_by_text("Searching…")).to_be_visible()
    expect(page.locator("[aria-busy=true] [data-store=s-0]")).to_be_visible()
    assert accessible(page) == []
    for route in held:
        route.fulfill(json={"items": [], "nextCursor": None})
    expect(page.get_by_text("No store is like that")).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def test_a_narrow_row_has_plan_owner_and_age(visit: Visit, server: Server) -> None:
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
    page = visit(viewport={"width": 360, "height": 740})
    row = page.locator("[data-store=acme]")
    for text in ("small", "admin"):
        expect(row.get_by_text(text, exact=True)).to_be_visible()
    begins = "element => element.getBoundingClientRect().left"
    name = row.get_by_role("link", name="Acme", exact=True)
    assert row.get_by_text("small", exact=True).evaluate(begins) == name.evaluate(begins)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_label("Choose all").check()
    expect(page.get_by_role("region", name="Chosen stores")).to_contain_text("1 chosen")
    assert accessible(page) == []
