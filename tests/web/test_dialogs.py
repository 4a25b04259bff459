"""Dialogs: what is typed is kept or forgotten as it should be, and what is refused is told."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.system.server import Server, wait_for_phase
from tests.web.conftest import Visit


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
