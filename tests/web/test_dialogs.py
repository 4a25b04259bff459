"""Dialogs: what is typed is kept or forgotten as it should be, and what is refused is told."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from tests.system.server import Server, wait_for_phase
from tests.web.conftest import Visit, login_link

MAKING = re.compile("/api/v1/stores$")
DIALOGS_ARE_HERE = """() => {
    const came = new Set(performance.getEntriesByType('resource').map(r => r.name));
    const wanted = [...document.querySelectorAll('link[rel=modulepreload]')].map(l => l.href);
    return wanted.some(w => w.includes('/CreateStore-')) && wanted.every(w => came.has(w));
}"""
CODE_OF_DIALOGS = re.compile("/assets/(CreateStore|EditForm)-")


def test_a_change_that_somebody_overtook_is_told_and_begun_anew(
    visit: Visit, server: Server
) -> None:
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
        wait_for_phase(client, "acme", "Ready", seconds=60)
        page = visit("/stores/acme")
        page.get_by_role("button", name="Change", exact=True).click()
        form = page.get_by_role("dialog", name="Change Acme")
        form.get_by_label("Name").fill("Mine")
        client.patch("/api/v1/stores/acme", json={"name": "Theirs"}).raise_for_status()
        page.get_by_role("button", name="Change it").click()
        told = page.get_by_role("alert")
        expect(told).to_contain_text("Somebody changed this store meanwhile")
        told.get_by_role("button", name="Load what it is now").click()
        expect(page.get_by_label("Name")).to_have_value("Theirs")
        expect(told).to_have_count(0)
        page.get_by_label("Administrator's e-mail").fill("  me@example.com ")
        page.get_by_role("button", name="Change it").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        store = client.get("/api/v1/stores/acme").json()
    assert (store["name"], store["options"]["adminEmail"]) == ("Theirs", "me@example.com")


def test_a_confirmation_is_typed_for_each_deletion(visit: Visit, server: Server) -> None:
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
    page = visit()
    page.get_by_role("checkbox", name="acme").check()
    for place, label, word in (
        (page.get_by_role("region", name="Chosen stores"), "Type 1 to confirm", "1"),
        (page.get_by_role("main"), "Type acme to confirm", "acme"),
    ):
        for _ in range(2):
            place.get_by_role("button", name="Delete", exact=True).click()
            expect(page.get_by_label(label)).to_have_value("")
            page.get_by_label(label).fill(word)
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)
        page.goto(f"{server.url}/stores/acme")


def test_a_dialog_that_could_not_be_loaded_is_loaded_again_in_its_place(
    visit: Visit, server: Server
) -> None:
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
    page = visit("/", signed_in=False)
    page.context.route(CODE_OF_DIALOGS, lambda route: route.abort())
    page.goto(login_link(server))
    page.locator("[data-store=acme]").get_by_role("checkbox").check()
    page.get_by_role("button", name="New store").click()
    dialog = page.get_by_role("dialog", name="New store")
    expect(dialog.get_by_role("alert")).to_contain_text("cannot be loaded now")
    dialog.get_by_role("button", name="Try again").click()
    expect(dialog.get_by_role("alert")).to_contain_text("cannot be loaded now")
    page.context.unroute(CODE_OF_DIALOGS)
    dialog.get_by_role("button", name="Try again").click()
    expect(dialog.get_by_label("Name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_text("1 chosen")).to_be_visible()


def test_dialogs_are_there_when_the_service_is_away(visit: Visit, server: Server) -> None:
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
    page = visit()
    page.wait_for_function(DIALOGS_ARE_HERE)
    page.context.route("**/*", lambda route: route.abort())
    page.get_by_role("button", name="New store").click()
    page.get_by_label("Name").fill("Bakery")
    unchecked = page.get_by_text("cannot be checked now")
    expect(unchecked).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.context.unroute("**/*")
    expect(unchecked).to_have_count(0)
    expect(page.get_by_text("http://store-bakery.localtest.me:")).to_be_visible()
    page.get_by_label("Name").fill("Bakery 2")
    expect(page.get_by_text("http://store-bakery-2.localtest.me:")).to_be_visible()
    page.context.route("**/*", lambda route: route.abort())
    page.get_by_label("Name").fill("Bakery 3")
    expect(unchecked).to_be_visible()
    expect(page.get_by_text("http://store-bakery-3.localtest.me:")).to_be_visible()


def test_an_answer_to_a_closed_dialog_takes_nobody_away(visit: Visit) -> None:
    held: list[Route] = []
    page = visit()
    page.route(
        MAKING,
        lambda route: held.append(route) if route.request.method == "POST" else route.continue_(),
    )
    page.get_by_role("button", name="New store").click()
    page.get_by_label("Name").fill("Acme")
    with page.expect_request(MAKING):
        page.get_by_role("button", name="Create").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="New store").click()
    expect(page.get_by_label("Name")).to_have_value("")
    page.get_by_label("Name").fill("Bakery")
    held.pop().continue_()
    expect(page.locator("[data-store=acme]")).to_be_attached()
    expect(page.get_by_label("Name")).to_have_value("Bakery")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="New store").click()
    expect(page.get_by_label("Name")).to_have_value("Bakery")
    with page.expect_request(MAKING):
        page.get_by_role("button", name="Create").click()
    page.keyboard.press("Escape")
    held.pop().abort()
    lost = page.get_by_role("alert", name="“Bakery” was not made")
    expect(lost).to_contain_text("nothing was done")
    assert page.url.endswith("/stores")
    page.unroute(MAKING)
    lost.get_by_role("button", name="Open it again").click()
    expect(page.get_by_label("Name")).to_have_value("Bakery")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/stores/bakery")


def test_a_draft_and_a_refusal_go_with_whoever_goes_elsewhere(visit: Visit) -> None:
    """The dialog is above the views: nothing typed is lost, and a failure finds its author."""
    held: list[Route] = []
    page = visit()
    page.get_by_role("button", name="New store").click()
    page.get_by_label("Name").fill("Bakery")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Operator").click()
    expect(page.get_by_role("heading", name="Operator")).to_be_visible()
    page.get_by_role("link", name="Stores", exact=True).click()
    page.get_by_role("button", name="New store").click()
    expect(page.get_by_label("Name")).to_have_value("Bakery")
    page.route(
        MAKING,
        lambda route: held.append(route) if route.request.method == "POST" else route.continue_(),
    )
    with page.expect_request(MAKING):
        page.get_by_role("button", name="Create").click()
    page.go_back()
    expect(page.get_by_role("heading", name="Operator")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    held.pop().abort()
    lost = page.get_by_role("alert", name="“Bakery” was not made")
    expect(lost).to_contain_text("nothing was done")
    expect(page.get_by_role("heading", name="Operator")).to_be_visible()
    page.unroute(MAKING)
    lost.get_by_role("button", name="Open it again").click()
    expect(page.get_by_label("Name")).to_have_value("Bakery")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/stores/bakery")
    page.get_by_role("link", name="Stores", exact=True).click()
    page.get_by_role("button", name="New store").click()
    expect(page.get_by_label("Name")).to_have_value("")
