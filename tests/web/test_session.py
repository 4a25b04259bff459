"""Signing in and out, and what a member sees."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from tests.system.server import Server
from tests.web.conftest import Visit, login_link


def test_signing_in_by_token_and_out(visit: Visit, server: Server) -> None:
    page = visit("/", signed_in=False)
    page.get_by_label("Token", exact=True).fill("urumi_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("The token is not known")).to_be_visible()
    page.get_by_label("Token", exact=True).fill(server.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Stores", exact=True)).to_be_visible()
    cookie = page.context.cookies()[0]
    assert cookie.get("httpOnly") and cookie.get("sameSite") == "Strict"
    assert server.token not in page.evaluate("JSON.stringify([localStorage, document.cookie])")
    page.get_by_role("button", name="Account of admin").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_login_link_works_once_and_leaves_the_address(visit: Visit, server: Server) -> None:
    link = login_link(server)
    page = visit("/", signed_in=False)
    page.goto(link)
    expect(page.get_by_role("heading", name="Stores", exact=True)).to_be_visible()
    assert "code" not in page.url
    other = visit("/", signed_in=False)
    other.goto(link)
    expect(other.get_by_role("alert")).to_contain_text("urumi login-link")


def test_a_member_sees_its_own_stores_and_no_operator_page(visit: Visit, server: Server) -> None:
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "theirs", "name": "T"}).raise_for_status()
        client.post("/api/v1/users", json={"name": "jane", "role": "member"}).raise_for_status()
        made = client.post("/api/v1/tokens", json={"user": "jane", "name": "x"}).json()
    page = visit("/", signed_in=False)
    page.get_by_label("Token", exact=True).fill(made["token"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("No stores yet")).to_be_visible()
    expect(page.get_by_role("link", name="Operator")).to_have_count(0)
    page.goto(server.url + "/operator")
    expect(page.get_by_text("There is no such page")).to_be_visible()
    page.goto(server.url + "/stores/theirs")
    expect(page.get_by_text("There is no store")).to_be_visible()


def test_a_link_asks_before_it_swaps_accounts_in_every_tab(visit: Visit, server: Server) -> None:
    with server.client() as client:
        for store in ("first", "second"):
            client.post("/api/v1/stores", json={"id": store, "name": store}).raise_for_status()
        client.post("/api/v1/users", json={"name": "jane", "role": "member"}).raise_for_status()
        made = client.post("/api/v1/tokens", json={"user": "jane", "name": "x"}).json()
        headers = {"Authorization": f"Bearer {made['token']}"}
        link = client.post("/api/v1/login-links", headers=headers).json()["url"]
    page = visit()
    expect(page.locator("[data-store=first]")).to_be_visible()
    tab = page.context.new_page()
    tab.goto(link)
    expect(tab.get_by_text("You are signed in as admin")).to_be_visible()
    assert "code" not in tab.url
    tab.get_by_role("button", name="Stay admin").click()
    expect(tab.locator("[data-store=first]")).to_be_visible()
    tab.goto(link)
    tab.get_by_role("button", name="Sign in by the link").click()
    expect(tab.get_by_role("button", name="Account of jane")).to_be_visible()
    expect(page.get_by_role("button", name="Account of jane")).to_be_visible()
    for sight in (tab, page):
        expect(sight.get_by_text("No stores yet")).to_be_visible()
        expect(sight.get_by_role("link", name="Operator")).to_have_count(0)
    tab.goto(link)
    tab.get_by_role("button", name="Sign in by the link").click()
    expect(tab.get_by_role("alert")).to_contain_text("You are still signed in as jane")


def test_a_session_that_ends_leads_to_signing_in(visit: Visit, server: Server) -> None:
    with server.client() as client:
        client.post("/api/v1/users", json={"name": "jane", "role": "member"}).raise_for_status()
        made = client.post("/api/v1/tokens", json={"user": "jane", "name": "x"}).json()
        page = visit("/", signed_in=False)
        page.get_by_label("Token", exact=True).fill(made["token"])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("No stores yet")).to_be_visible()
        client.delete(f"/api/v1/tokens/{made['id']}").raise_for_status()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_an_answer_for_somebody_who_was_signed_in_before_is_given_to_nobody(
    visit: Visit, server: Server
) -> None:
    """Jane's tab asked as the admin, and is answered when it is hers."""
    with server.client() as client:
        client.post("/api/v1/users", json={"name": "jane", "role": "member"}).raise_for_status()
        made = client.post("/api/v1/tokens", json={"user": "jane", "name": "x"}).json()
        headers = {"Authorization": f"Bearer {made['token']}"}
        link = client.post("/api/v1/login-links", headers=headers).json()["url"]
    held: list[Route] = []
    page = visit("/stores/bakery")
    expect(page.get_by_text("There is no store")).to_be_visible()
    page.get_by_role("link", name="Stores", exact=True).click()
    making = re.compile("/api/v1/stores$")
    page.route(making, lambda route: held.append(route))
    page.get_by_role("button", name="New store").click()
    page.get_by_label("Name").fill("Bakery")
    with page.expect_request(making):
        page.get_by_role("button", name="Create").click()
    answer = held[0].fetch()
    assert answer.status in {201, 202}
    tab = page.context.new_page()
    tab.goto(link)
    tab.get_by_role("button", name="Sign in by the link").click()
    expect(page.get_by_role("button", name="Account of jane")).to_be_visible()
    with page.expect_response(making):
        held[0].fulfill(response=answer)
    page.go_back()
    expect(page.get_by_text("There is no store “bakery”")).to_be_visible()
    expect(page.get_by_role("alert", name="was not made")).to_have_count(0)
