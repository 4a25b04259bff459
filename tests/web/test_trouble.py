"""What fails is told truly, with a way on; nothing that somebody typed is lost."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from tests.system.server import Server
from tests.web.conftest import Visit


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
