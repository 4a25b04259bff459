"""Every view of the dashboard in every state, one after the other."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Error, Page, Route, expect

from tests.system.server import Server, poll, wait_for_phase

HOLD = json.dumps({"metadata": {"finalizers": ["example.com/hold"]}})
IMPATIENT = {"URUMI_PROVISION_TIMEOUT": "3s"}


def furnish(server: Server) -> None:
    """Make a store of each kind: one that serves, failed, was rolled back, and does not go."""
    with server.client() as client:
        names = {"acme": "Acme", "rolled": "Bäckerei Süß", "stuck": "Blumen & Mehr"}
        for store, name in names.items():
            client.post("/api/v1/stores", json={"id": store, "name": name}).raise_for_status()
        missing = {"versions": {"wordpress": "missing"}}
        failing = {"id": "broken", "name": "Old Image", **missing}
        client.post("/api/v1/stores", json=failing).raise_for_status()
        for store in names:
            wait_for_phase(client, store, "Ready", seconds=60)
        client.patch("/api/v1/stores/rolled", json=missing).raise_for_status()
        held = ("patch", "serviceaccount", "store", "-n", "store-stuck", "--type", "merge", "-p")
        server.kubectl(*held, HOLD)
        client.delete("/api/v1/stores/stuck").raise_for_status()
        wait_for_phase(client, "broken", "Failed", seconds=60)
        poll(
            lambda: "rolled back" in client.get("/api/v1/stores/rolled").json()["message"],
            seconds=60,
            what="going back",
        )
        poll(
            lambda: client.get("/api/v1/stores/broken/resources").json()["items"] == [],
            seconds=60,
            what="taking down",
        )


def play_a_day(page: Page) -> None:
    """Give the overview a past of a day with a gap of two hours; the rest of it is real."""

    def answer(route: Route) -> None:
        told = route.fetch()
        overview: dict[str, Any] = told.json()
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        overview["history"] = [
            {
                "time": (now - timedelta(minutes=ago)).isoformat(),
                "stores": {
                    "Ready": min(5, 2 + (1440 - ago) // 360) - int(380 < ago < 400),
                    "Degraded": int(380 < ago < 400),
                    "Failed": int(ago < 250),
                },
                "due": ago % 7,
                "queueAge": 0.4 + 0.3 * math.sin(ago / 40) + (1.5 if 380 < ago < 400 else 0),
                "latency": None if 900 < ago < 930 else 0.006 + 0.002 * math.sin(ago / 90),
                "staleness": 3 + 2 * math.sin(ago / 25) + (8 if 900 < ago < 930 else 0),
            }
            for ago in range(1440, -1, -1)
            if not 600 < ago < 720
        ]
        route.fulfill(response=told, json=overview)

    page.route("**/api/v1/overview", answer)


def tour(page: Page, server: Server) -> Iterator[str]:
    """Go from view to view and stop at each; the page is signed in, the service furnished."""
    page.goto(server.url + "/stores")
    expect(page.locator("[data-store=acme]")).to_contain_text("Ready")
    yield "stores"
    page.get_by_role("button", name=re.compile("^Account of")).click()
    expect(page.get_by_role("menuitem", name="Sign out")).to_be_visible()
    yield "account menu"
    page.keyboard.press("Escape")
    page.locator("[data-store=acme]").get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_label("Type 1 to confirm")).to_be_visible()
    yield "delete chosen stores"
    page.keyboard.press("Escape")
    page.get_by_label("Search").fill("plum")
    expect(page.get_by_text("No store is like that")).to_be_visible()
    yield "stores, filtered to nothing"
    yield from _create(page)
    yield from _store(page, server)
    page.goto(server.url + "/stores/broken")
    page.get_by_text("What was seen when it failed").click()
    expect(page.get_by_label("Evidence of revision")).to_contain_text("ImagePullBackOff")
    expect(page.locator("[data-state=failed]")).to_have_count(1)
    yield "store, failed"
    page.get_by_role("tab", name="Resources").click()
    expect(page.get_by_text("in the cluster any more")).to_be_visible()
    yield "resources of a failed store"
    page.goto(server.url + "/stores/rolled")
    page.get_by_text("What was seen when it failed").click()
    expect(page.get_by_label("Evidence of revision")).to_contain_text("ImagePullBackOff")
    yield "store, rolled back"
    page.goto(server.url + "/stores/stuck")
    expect(page.get_by_test_id("message")).to_contain_text("example.com/hold")
    page.get_by_role("tab", name="Resources").click()
    expect(page.get_by_text("It is deleted").first).to_be_visible()
    expect(page.get_by_text("Missing", exact=True)).to_have_count(0)
    yield "store, being deleted"
    play_a_day(page)
    page.goto(server.url + "/operator")
    expect(page.get_by_role("heading", name="Capacity")).to_be_visible()
    expect(page.get_by_role("img", name="Watch last heard of")).to_be_visible()
    yield "operator"
    page.evaluate(
        "history.pushState(null, '', '/nowhere'); dispatchEvent(new PopStateEvent('popstate'))"
    )
    expect(page.get_by_text("There is no such page")).to_be_visible()
    yield "no such page"
    page.goto(server.url + "/stores/nobody")
    expect(page.get_by_text("or not any more")).to_be_visible()
    yield "no such store"
    yield from _waiting(page, server)


def _create(page: Page) -> Iterator[str]:
    page.get_by_role("button", name="New store").click()
    page.get_by_label("Name").fill("Acme")
    page.get_by_role("button", name="More options").click()
    page.get_by_label("Administrator's e-mail").fill("nobody")
    expect(page.get_by_text("must be an e-mail address")).to_be_visible()
    yield "create, with errors"


def _store(page: Page, server: Server) -> Iterator[str]:
    page.goto(server.url + "/stores/acme")
    expect(page.locator("[data-state=done]")).to_have_count(6)
    expect(page.get_by_text("RevisionReady")).to_be_visible()
    yield "store"
    page.get_by_role("button", name="Show credentials").click()
    expect(page.get_by_role("button", name="Copy password")).to_be_visible()
    expect(page.get_by_text("CredentialsRead").first).to_be_visible()
    yield "credentials, and a warning in the timeline"
    for name in ("Resources", "Logs"):
        page.get_by_role("tab", name=name).click()
        expect(page.get_by_role("tabpanel")).to_contain_text("wordpress")
        yield name.lower()
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_label("Own domain")).to_be_visible()
    yield "change"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_label("Type acme to confirm")).to_be_visible()
    yield "delete"
    page.keyboard.press("Escape")


def _waiting(page: Page, server: Server) -> Iterator[str]:
    """Stop at each view while the service keeps its answer to itself."""
    waits = {
        "/stores": "**/api/v1/stores?*",
        "/stores/acme": "**/api/v1/stores/acme",
        "/operator": "**/api/v1/overview",
    }
    kept: list[Route] = []

    def keep(route: Route) -> None:
        kept.append(route)

    for path, pattern in waits.items():
        page.route(pattern, keep)
        page.goto(server.url + path)
        expect(page.get_by_role("progressbar", name="Loading")).to_be_visible()
        yield f"{path}, not there yet"
        page.unroute(pattern)
    for route in kept:
        with suppress(Error):  # the browser has given it up, with the view that asked
            route.abort()
