"""What fails is told truly, with a way on; nothing that somebody typed is lost."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from tests.system.server import Server, wait_for_phase
from tests.web.conftest import DIALOGS_ARE_HERE, Visit


def test_what_could_not_be_read_again_is_told(visit: Visit, server: Server) -> None:
    page = visit()
    expect(page.get_by_text("No stores yet")).to_be_visible()
    page.route("**/api/v1/stores?*", lambda route: route.abort())
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
    notice = page.get_by_role("group", name="What is shown may be old")
    expect(notice).to_contain_text("the list of stores could not be read again")
    expect(page.get_by_text("No stores yet")).to_be_visible()
    page.unroute("**/api/v1/stores?*")
    notice.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-store=acme]")).to_be_visible()
    expect(notice).to_have_count(0)


def test_credentials_that_were_not_read_are_told_so(visit: Visit, server: Server) -> None:
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
    page = visit("/stores/acme")
    page.route("**/credentials", lambda route: route.abort())
    page.get_by_role("button", name="Show credentials").click()
    credentials = page.get_by_role("region", name="Credentials")
    expect(credentials.get_by_role("alert")).to_contain_text("could not be read")


def test_a_failed_sign_out_is_told(visit: Visit) -> None:
    page = visit()
    page.route("**/api/v1/session", lambda route: route.abort())
    page.get_by_role("button", name="Account of admin").click()
    page.get_by_role("menuitem", name="Sign out").click()
    notice = page.get_by_role("group", name="You are still signed in")
    expect(notice).to_contain_text("not sent again by itself")
    notice.get_by_role("button", name="Try again").click()
    expect(notice).to_be_visible()
    page.unroute("**/api/v1/session")
    notice.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_store_that_could_not_be_made_stays_in_its_dialog(visit: Visit) -> None:
    def lose(route: Route) -> None:
        if route.request.method == "POST":
            route.abort()
        else:
            route.continue_()

    page = visit()
    making = re.compile("/api/v1/stores$")
    page.route(making, lose)
    page.get_by_role("button", name="New store").click()
    page.get_by_label("Name").fill("Acme")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing was done")
    expect(page.get_by_label("Name")).to_have_value("Acme")
    page.unroute(making)
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/stores/acme")


def test_what_is_given_up_offline_does_not_happen_later(visit: Visit, server: Server) -> None:
    """The browser knows of no network: the person is told at once, and nothing waits for one."""
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
        wait_for_phase(client, "acme", "Ready", seconds=60)
        page = visit("/stores/acme")
        changes: list[str] = []
        live = page.get_by_role("status", name="What you see is current")
        page.wait_for_function(DIALOGS_ARE_HERE)
        expect(live).to_be_visible()
        page.context.set_offline(True)
        page.get_by_role("button", name="Delete", exact=True).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Type acme to confirm").fill("acme")
        dialog.get_by_role("button", name="Delete the store").click()
        expect(dialog.get_by_role("alert")).to_contain_text("nothing was done")
        page.keyboard.press("Escape")
        page.get_by_role("link", name="Stores", exact=True).click()
        page.get_by_role("button", name="New store").click()
        dialog.get_by_label("Name").fill("Bakery")
        dialog.get_by_role("button", name="Create").click()
        expect(dialog.get_by_role("alert")).to_contain_text("nothing was done")
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        page.on("request", lambda r: changes.append(r.method) if r.method != "GET" else None)
        page.context.set_offline(False)
        expect(live).to_be_visible()
        expect(page.locator("[data-store=acme]")).to_contain_text("Ready")
        assert changes == []
        assert [s["id"] for s in client.get("/api/v1/stores").json()["items"]] == ["acme"]
