"""Dialogs: what is typed is kept or forgotten as it should be, and what is refused is told."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.system.server import Server, wait_for_phase
from tests.web.conftest import DIALOGS_ARE_HERE, Visit, login_link

MAKING = re.compile("/api/v1/stores$")
CODE_OF_DIALOGS = re.compile("/assets/(CreateStore|EditForm)-")


def hold_creations(page: Page) -> list[Route]:
    """Keep what would make a store from the service; return what is kept."""
    held: list[Route] = []
    page.route(
        MAKING,
        lambda route: held.append(route) if route.request.method == "POST" else route.continue_(),
    )
    return held


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
    page = visit()
    held = hold_creations(page)
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


def test_whoever_is_quick_leaves_what_is_sent(visit: Visit) -> None:
    """Escape comes before the page has drawn that something is under way."""
    page = visit()
    held = hold_creations(page)
    page.get_by_role("button", name="New store").click()
    page.get_by_label("Name").fill("Acme")
    with page.expect_request(MAKING):
        page.get_by_role("button", name="Create").evaluate(
            """(button) => {
                button.click();
                button.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}));
            }"""
        )
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="New store").click()
    expect(page.get_by_label("Name")).to_have_value("")
    held.pop().continue_()
    page.keyboard.press("Escape")
    expect(page.locator("[data-store=acme]")).to_be_attached()


def test_a_draft_and_a_refusal_go_with_whoever_goes_elsewhere(visit: Visit) -> None:
    """The dialog is above the views: nothing typed is lost, and a failure finds its author."""
    page = visit()
    page.get_by_role("button", name="New store").click()
    page.get_by_label("Name").fill("Bakery")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Operator").click()
    expect(page.get_by_role("heading", name="Operator")).to_be_visible()
    page.get_by_role("link", name="Stores", exact=True).click()
    page.get_by_role("button", name="New store").click()
    expect(page.get_by_label("Name")).to_have_value("Bakery")
    held = hold_creations(page)
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


def refuse_unseen(page: Page, *names: str) -> None:
    """Have creations fail that were sent and left."""
    held = hold_creations(page)
    for name in names:
        page.get_by_role("button", name="New store").click()
        page.get_by_label("Name").fill(name)
        with page.expect_request(MAKING):
            page.get_by_role("button", name="Create").click()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    for route in held:
        route.abort()
    page.unroute(MAKING)


def test_each_refused_creation_keeps_its_notice_and_its_draft(visit: Visit) -> None:
    page = visit("/stores/bakery")
    expect(page.get_by_text("There is no store")).to_be_visible()
    page.get_by_role("link", name="Stores", exact=True).click()
    refuse_unseen(page, "Acme", "Bakery")
    acme = page.get_by_role("alert", name="“Acme” was not made")
    bakery = page.get_by_role("alert", name="“Bakery” was not made")
    for lost in (acme, bakery):
        expect(lost).to_contain_text("nothing was done")
    page.get_by_role("button", name="New store").click()
    page.get_by_label("Name").fill("Cheese")
    page.keyboard.press("Escape")
    acme.get_by_role("button", name="Open it again").click()
    expect(page.get_by_label("Name")).to_have_value("Acme")
    page.keyboard.press("Escape")
    cheese = page.get_by_role("alert", name="“Cheese” was not made")
    expect(cheese).to_contain_text("It was not sent yet.")
    expect(acme).to_have_count(0)
    cheese.get_by_role("button", name="Open it again").click()
    expect(page.get_by_label("Name")).to_have_value("Cheese")
    page.get_by_role("button", name="Empty the form").click()
    page.keyboard.press("Escape")
    acme.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("alert")).to_have_count(1)
    page.go_back()  # where the page of the store will be
    expect(page.get_by_text("There is no store")).to_be_visible()
    bakery.get_by_role("button", name="Open it again").click()
    expect(bakery).to_have_count(0)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Bakery")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def cut_off(page: Page) -> list[str]:
    """Return what is wider than its place, or reaches out of the screen."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('[role=alert], [role=alert] *, [role=dialog] *')]
            .filter((e) => e.getClientRects().length > 0)
            .filter((e) => {
                const { left, right } = e.getBoundingClientRect();
                return left < 0 || right > innerWidth || e.scrollWidth > e.clientWidth + 1
                    && getComputedStyle(e).display !== 'inline';
            })
            .map((e) => `${e.tagName}: ${e.textContent}`)"""
    )
    return found


def test_a_long_name_is_shown_whole_on_a_phone(visit: Visit, server: Server) -> None:
    longest = "W" * 80
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": longest}).raise_for_status()
    page = visit(viewport={"width": 360, "height": 640})
    refuse_unseen(page, longest, "Acme", "Bakery")
    lost = page.get_by_role("alert", name=f"“{longest}” was not made")
    expect(page.get_by_role("alert")).to_have_count(3)
    assert cut_off(page) == []
    expect(page.get_by_role("alert", name="“Bakery”")).to_be_in_viewport(ratio=0.9)
    for way in ("top", "end"):
        page.evaluate("way => scrollTo(0, way === 'top' ? 0 : document.body.scrollHeight)", way)
        for name in ("Open it again", "Dismiss"):
            for button in page.get_by_role("button", name=name).all():
                button.scroll_into_view_if_needed()
                expect(button).to_be_in_viewport(ratio=1)
    lost.get_by_role("button", name="Dismiss").click()
    expect(lost).to_have_count(0)
    page.goto(f"{server.url}/stores/acme")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_label("Type acme to confirm")).to_be_visible()
    assert cut_off(page) == []


@pytest.mark.parametrize(
    ("path", "opens", "field"), [("", "New store", "Name"), ("/acme", "Change", "Own domain")]
)
def test_a_dialog_keeps_its_size_while_its_code_comes(
    visit: Visit, server: Server, path: str, opens: str, field: str
) -> None:
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
        wait_for_phase(client, "acme", "Ready", seconds=60)
    held: list[Route] = []
    page = visit("/", viewport={"width": 1280, "height": 1200})
    for late in (CODE_OF_DIALOGS, "**/api/v1/plans"):
        page.context.route(late, lambda route: held.append(route))
    page.goto(f"{server.url}/stores{path}")
    page.get_by_role("button", name=opens, exact=True).click()
    dialog = page.get_by_role("dialog")

    def height() -> float:
        box = dialog.bounding_box()
        assert box is not None
        return box["height"]

    expect(dialog.get_by_role("progressbar")).to_be_visible()
    waiting = height()
    with page.expect_request("**/api/v1/plans"):
        held.pop().continue_()
    expect(dialog.get_by_label(field)).to_be_visible()
    early = height()
    with page.expect_response("**/api/v1/plans"):
        held.pop().continue_()
    if not path:
        expect(dialog.get_by_role("radio")).to_have_count(3)
    assert max(waiting, early, height()) - min(waiting, early, height()) < 8
