"""What people do on the page: make a shop, look at it, change it, delete it; and when it fails."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.system.server import Server, wait_for_phase
from tests.web.conftest import Visit

HOSTILE = '<img src=x onerror="document.title=1"> 日本 & "shop"'

REMEMBER_HEADINGS = """
    window.headings = [];
    new MutationObserver(() => {
        for (const h of document.querySelectorAll('h1')) window.headings.push(h.textContent);
    }).observe(document.body, {childList: true, subtree: true, characterData: true});
"""


def phase(page: Page, word: str) -> None:
    expect(page.get_by_role("main").get_by_text(word, exact=True).first).to_be_visible(
        timeout=60_000
    )


def test_a_shop_from_its_making_to_its_end(visit: Visit, server: Server) -> None:
    page = visit()
    page.get_by_role("button", name="New store").click()
    page.get_by_label("Name").fill("Blumen & Mehr")
    expect(page.get_by_label("Id")).to_have_value("blumen-mehr")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/stores/blumen-mehr")
    phase(page, "Ready")
    expect(page.locator("[data-step]")).to_have_count(6)
    expect(page.locator("[data-state=done]")).to_have_count(6)
    shop = page.get_by_role("link", name="Open shop").get_attribute("href")
    assert re.match(r"http://store-blumen-mehr\.localtest\.me:\d+", shop or "")

    page.get_by_role("button", name="Show credentials").click()
    expect(page.get_by_role("button", name="Copy password")).to_be_visible()
    page.get_by_role("button", name="Hide").click()
    expect(page.get_by_role("button", name="Copy password")).to_have_count(0)
    expect(page.get_by_text("admin read the admin credentials")).to_be_visible()

    page.get_by_role("tab", name="Resources").click()
    database = page.get_by_role("row").filter(has_text="StatefulSet/store-blumen-mehr/mysql")
    expect(database).to_contain_text("Healthy")
    page.get_by_role("tab", name="Logs").click()
    expect(page.get_by_role("log")).to_contain_text("wordpress")

    page.get_by_role("button", name="Change").click()
    page.get_by_role("combobox", name="Plan").click()
    page.get_by_role("option", name=re.compile("^medium")).click()
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("definition").filter(has_text="medium")).to_be_visible()
    with server.client() as client:
        wait_for_phase(client, "blumen-mehr", "Ready", seconds=60)

    page.get_by_role("button", name="Delete").click()
    confirm = page.get_by_role("button", name="Delete the store")
    expect(confirm).to_be_disabled()
    page.get_by_label("Type blumen-mehr to confirm").fill("blumen-mehr")
    page.evaluate(REMEMBER_HEADINGS)
    confirm.click()
    gone = page.get_by_role("heading", name="“Blumen & Mehr” is gone")
    expect(gone).to_be_visible(timeout=60_000)
    assert page.evaluate("window.headings").count("That did not work") == 0
    page.get_by_role("link", name="To the stores").click()
    expect(page.get_by_text("No stores yet")).to_be_visible()


@pytest.fixture
def broken(server: Server) -> Server:
    """A store whose image is missing, at a service that soon gives up."""
    server.stop()
    server.environ["URUMI_PROVISION_TIMEOUT"] = "3s"
    server.start()
    with server.client() as client:
        body = {"id": "broken", "name": "Broken", "versions": {"wordpress": "missing"}}
        client.post("/api/v1/stores", json=body).raise_for_status()
    return server


def test_a_store_that_fails_says_why_and_is_mended(visit: Visit, broken: Server) -> None:
    page = visit("/stores/broken")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("wordpress:missing", timeout=60_000)
    alert.get_by_text("What was seen when it failed").click()
    expect(page.get_by_label("Evidence")).to_contain_text("ImagePullBackOff")
    page.get_by_role("button", name="Change").click()
    page.get_by_label("WordPress").fill("6.9-php8.4-apache")
    page.get_by_role("button", name="Change it").click()
    phase(page, "Ready")


def test_the_step_that_failed_is_marked(visit: Visit, broken: Server) -> None:
    """Also once the install is taken down, when nothing of it is there any more."""
    page = visit("/stores/broken")
    page.get_by_role("tab", name="Resources").click()
    expect(page.get_by_text("what was applied was taken down")).to_be_visible(timeout=60_000)
    expect(page.locator("[data-state=failed]")).to_have_attribute("data-step", "WordPressReady")
    expect(page.locator("[data-state=failed]")).to_contain_text("wordpress:missing")
    expect(page.locator("[data-step=Applied]")).to_contain_text("taken down")
    expect(page.locator("[data-step=DatabaseReady]")).to_have_attribute("data-state", "undone")


def test_what_was_rolled_back_has_its_evidence_too(visit: Visit, broken: Server) -> None:
    page = visit()
    with broken.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
        wait_for_phase(client, "acme", "Ready", seconds=60)
        page.goto(broken.url + "/stores/acme")
        expect(page.locator("[data-state=done]")).to_have_count(6)
        expect(page.get_by_label("Failed before")).to_have_count(0)
        bad = {"versions": {"wordpress": "missing"}}
        client.patch("/api/v1/stores/acme", json=bad).raise_for_status()
    card = page.get_by_label("Failed before")
    expect(card).to_contain_text("Revision 2 failed and was rolled back by revision 3")
    expect(card).not_to_contain_text("began")  # the time is that of the failure
    expect(card.get_by_role("region")).to_have_count(0)
    card.get_by_text("What was seen when it failed").click()
    expect(card.get_by_label("Evidence of revision 2")).to_contain_text("ImagePullBackOff")


def test_events_stand_under_their_object(visit: Visit, server: Server) -> None:
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
        wait_for_phase(client, "acme", "Ready", seconds=60)

    def answer(route: Route) -> None:
        told = route.fetch()
        document = told.json()
        event = {"severity": "warning", "reason": "Drifted", "count": 2}
        for resource in document["items"]:
            resource["events"] = []
            if resource["kind"] == "Deployment":
                resource["events"] = [
                    event | {"time": f"2026-01-01T1{hour}:00:00Z", "message": f"at {hour}", **more}
                    for hour, more in (  # as the service sorts them
                        (2, {"type": "drift", "object": None}),
                        (0, {"type": None, "object": "Pod/wordpress-x"}),
                    )
                ]
        route.fulfill(response=told, json=document)

    page = visit()
    page.route("**/api/v1/stores/acme/resources*", answer)
    page.goto(server.url + "/stores/acme")
    page.get_by_role("tab", name="Resources").click()
    row = page.get_by_role("row").filter(has_text="Deployment/store-acme/wordpress")
    expect(row.get_by_text("at 2")).to_be_hidden()
    row.get_by_text("2 events").click()
    expect(row.get_by_role("listitem")).to_contain_text(["at 2", "at 0"])
    expect(row.get_by_role("listitem").first).to_contain_text("warning: Drifted (2 times)")
    of_pod = row.get_by_role("listitem").last
    expect(of_pod).to_contain_text("warning: Drifted of Pod/wordpress-x (2 times)")


def test_resources_are_read_when_looked_at_and_while_something_is_on_its_way(
    visit: Visit, server: Server
) -> None:
    """What Kubernetes tells of objects does not come by the stream."""
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
        wait_for_phase(client, "acme", "Ready", seconds=60)
    asked: list[str] = []
    told = {"time": "2026-01-01T10:00:00Z", "severity": "info", "reason": "Pulled", "count": 1}
    told |= {"type": None, "object": "Pod/wordpress-x", "message": "It was pulled"}
    says: dict[str, Any] = {"health": "Healthy", "events": [told]}

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        real = route.fetch()
        document = real.json()
        for resource in document["items"]:
            resource |= {"health": "Healthy", "events": []}
            if resource["kind"] == "Deployment":
                resource |= says
        route.fulfill(response=real, json=document)

    page = visit("/")
    page.clock.install()
    page.route("**/api/v1/stores/acme/resources*", answer)
    page.goto(server.url + "/stores/acme")
    expect(page.get_by_role("status", name="What you see is current")).to_be_visible()
    resources, timeline = (page.get_by_role("tab", name=n) for n in ("Resources", "Timeline"))
    row = page.get_by_role("row").filter(has_text="Deployment/store-acme/wordpress")
    resources.click()
    row.get_by_text("1 event", exact=True).click()
    expect(row.get_by_text("It was pulled")).to_be_visible()
    before = len(asked)
    page.clock.run_for(30_000)  # all is well: nothing is on its way
    assert len(asked) == before
    timeline.click()
    says |= {"health": "Progressing", "events": []}
    resources.click()  # read again, for it was looked at
    expect(row).to_contain_text("Progressing")
    says["events"] = [told]
    page.clock.run_for(6_000)
    row.get_by_text("1 event", exact=True).click()
    says["events"] = []
    page.clock.run_for(6_000)
    expect(row.get_by_text("1 event", exact=True)).to_be_hidden()
    says["events"] = [told]
    page.clock.run_for(6_000)
    expect(row.get_by_text("It was pulled")).to_be_visible()  # as it was left
    timeline.click()
    before = len(asked)
    page.clock.run_for(30_000)  # nobody looks
    assert len(asked) == before


def test_ages_are_right_by_a_wrong_clock(visit: Visit, server: Server) -> None:
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
    page = visit()
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=40))
    page.goto(server.url + "/stores")
    age = page.locator("[data-store=acme]").get_by_role("cell").nth(5)
    expect(age).to_have_text(re.compile(r"^\d+ (s|min)$"))


def test_a_retry_is_asked_for_on_the_page(visit: Visit, broken: Server) -> None:
    page = visit("/stores/broken")
    page.get_by_role("button", name="Retry").click(timeout=60_000)
    expect(page.get_by_text("asked for another attempt")).to_be_visible()


def test_two_tabs_are_in_step_and_names_are_text(visit: Visit, server: Server) -> None:
    one, other = visit(), visit()
    with server.client() as client:
        client.post(
            "/api/v1/stores", json={"id": "hostile", "name": HOSTILE, "engine": "wordpress"}
        ).raise_for_status()
    for page in (one, other):
        row = page.locator("[data-store=hostile]")
        expect(row.get_by_role("link", name=HOSTILE, exact=True)).to_be_visible()
        expect(row).to_contain_text("Ready", timeout=60_000)
    one.locator("[data-store=hostile]").get_by_role("checkbox").check()
    one.get_by_role("button", name="Delete", exact=True).click()
    one.get_by_label("Type 1 to confirm").fill("1")
    one.get_by_role("button", name="Delete them").click()
    for page in (one, other):
        expect(page.locator("[data-store=hostile]")).to_have_count(0, timeout=60_000)
        expect(page.get_by_text("No stores yet")).to_be_visible()
        assert page.title() == "Stores · Urumi Stores"


def test_the_page_outlives_a_restart_of_the_service(visit: Visit, server: Server) -> None:
    page = visit()
    status = page.get_by_role("status")
    expect(status).to_have_text("live")
    server.kill()
    expect(status).to_have_text("stale")
    server.start()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "later", "name": "Later"}).raise_for_status()
    expect(status).to_have_text("live", timeout=60_000)
    expect(page.locator("[data-store=later]")).to_contain_text("Ready", timeout=60_000)


def test_errors_stand_at_their_field(visit: Visit, server: Server) -> None:
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
    page = visit()
    page.get_by_role("button", name="New store").click()
    page.get_by_label("Name").fill("Acme")
    expect(page.get_by_text("The id 'acme' is taken")).to_be_visible()
    page.get_by_label("Id").fill("Not an id")
    expect(page.get_by_text("lower-case letters")).to_be_visible()
    expect(page.get_by_role("button", name="Create")).to_be_disabled()
    page.get_by_label("Id").fill("acme-2")
    page.get_by_role("button", name="More options").click()
    page.get_by_label("Administrator's e-mail").fill("nobody")
    expect(page.get_by_text("must be an e-mail address")).to_be_visible()


def test_searching_filtering_and_an_empty_answer(visit: Visit, server: Server) -> None:
    with server.client() as client:
        for store in ("apple", "pear"):
            client.post("/api/v1/stores", json={"id": store, "name": store}).raise_for_status()
    page = visit()
    expect(page.locator("[data-store]")).to_have_count(2)
    page.get_by_label("Search").fill("pea")
    expect(page.locator("[data-store]")).to_have_count(1)
    page.get_by_label("Search").fill("plum")
    expect(page.get_by_text("No store is like that")).to_be_visible()


def test_the_table_holds_ten_thousand_stores(visit: Visit, server: Server) -> None:
    """The API is played: pages of two hundred, of which the page draws what is in sight."""
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "one", "name": "One"}).raise_for_status()
        document = client.get("/api/v1/stores/one").json()
    asked: list[int] = []

    def answer(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        start = int(query.get("cursor", ["0"])[0])
        asked.append(start)
        items = [
            document | {"id": f"s-{i}", "name": f"Store {i}"} for i in range(start, start + 200)
        ]
        following = str(start + 200) if start + 200 < 10_000 else None
        route.fulfill(json={"items": items, "nextCursor": following})

    page = visit("/")
    page.route("**/api/v1/stores?*", answer)
    page.goto(server.url + "/stores")
    expect(page.locator("[data-store=s-0]")).to_be_visible()
    rows = page.get_by_label("Rows")
    last = page.locator("[data-store=s-9999]")
    for _ in range(200):
        rows.evaluate("element => element.scrollTop = element.scrollHeight")
        if last.count():
            break
        page.wait_for_timeout(50)
    expect(last).to_be_visible()
    assert page.locator("[data-store]").count() < 60
    assert set(asked) == set(range(0, 10_000, 200))
    assert len(asked) < 60, "pages are read again and again"
