"""Views as places: an address that says what is shown, a title, a focus, a table that counts."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.system.server import Server
from tests.web.conftest import Visit

DIST = Path(__file__).parents[2] / "web" / "dist"
LARGEST = 200_000  # bytes of compressed JavaScript before somebody does anything
PUTS_NOTHING_OFF = """
    const { setTimeout } = window;
    window.setTimeout = (work, ms, ...more) =>
        ms >= 3000 ? 0 : setTimeout(work, ms, ...more);
"""
LONG = "The Very Long Name of a Shop that Sells One Thing Only, and that Thing Seldom Enough"[:80]


def make(server: Server, **names: str) -> None:
    with server.client() as client:
        for store, name in names.items():
            client.post("/api/v1/stores", json={"id": store, "name": name}).raise_for_status()


def test_the_address_says_what_is_searched(visit: Visit, server: Server) -> None:
    make(server, apple="Apple", pear="Pear")
    page = visit("/stores?q=pea&sort=name")
    rows = page.locator("[data-store]")
    expect(page.get_by_label("Search")).to_have_value("pea")
    expect(page.get_by_label("Order")).to_have_value("name")
    expect(rows).to_have_count(1)
    page.get_by_label("Search").fill("")
    expect(rows).to_have_count(2)
    expect(page).to_have_url(re.compile(r"/stores\?sort=name$"))
    page.get_by_label("Phase").select_option("Hibernated")
    expect(page.get_by_text("No store is like that")).to_be_visible()
    expect(page).to_have_url(re.compile(r"phase=Hibernated"))
    page.go_back()
    expect(rows).to_have_count(2)
    expect(page.get_by_label("Phase")).to_have_value("")
    page.go_back()
    expect(page.get_by_label("Search")).to_have_value("pea")
    expect(rows).to_have_count(1)
    page.get_by_label("Search").press_sequentially("r x", delay=80)
    expect(page.get_by_text("No store is like that")).to_be_visible()
    expect(page.get_by_label("Search")).to_have_value("pear x")
    page.go_back()
    expect(page.get_by_label("Search")).to_have_value("")


def test_each_view_has_a_title_and_takes_the_focus(visit: Visit, server: Server) -> None:
    make(server, acme="Acme & Sons")
    stranger = visit("/", signed_in=False)
    expect(stranger).to_have_title("Sign in · Urumi Stores")
    page = visit()
    expect(page).to_have_title("Stores · Urumi Stores")
    page.get_by_role("link", name="Acme & Sons", exact=True).click()
    expect(page).to_have_title("Acme & Sons · Urumi Stores")
    expect(page.get_by_role("heading", name="Acme & Sons", level=1)).to_be_focused()
    page.get_by_role("link", name="Operator").click()
    expect(page).to_have_title("Operator · Urumi Stores")
    expect(page.get_by_role("heading", name="Operator")).to_be_focused()
    page.goto(server.url + "/stores/nowhere")
    expect(page).to_have_title("Urumi Stores")


@pytest.mark.parametrize("width", [1280, 1000])
def test_a_row_shows_its_phase_whole_and_names_in_full_on_demand(
    visit: Visit, server: Server, width: int
) -> None:
    make(server, **{"a" * 40: LONG, "acme": "Acme"})
    page = visit(viewport={"width": width, "height": 800})
    row = page.locator(f"[data-store={'a' * 40}]")
    expect(row.get_by_role("link", name=LONG, exact=True)).to_have_attribute("title", LONG)
    expect(row.get_by_text("a" * 40, exact=True)).to_have_attribute("title", "a" * 40)
    cut = page.evaluate(
        """() => [...document.querySelectorAll('[data-phase]')].filter((badge) => {
            const cell = badge.closest('[role=cell]').getBoundingClientRect();
            const seen = badge.getBoundingClientRect();
            const label = badge.querySelector('.mantine-Badge-label');
            return seen.bottom > cell.bottom + 0.5 || seen.right > cell.right + 0.5
                || seen.top < cell.top - 0.5 || label.scrollWidth > label.clientWidth;
        }).length"""
    )
    assert cut == 0
    table = page.get_by_role("table", name="Stores")
    expect(table).to_have_attribute("aria-rowcount", "3")
    places = table.get_by_role("row").evaluate_all("rows => rows.map((row) => row.ariaRowIndex)")
    assert places == ["1", "2", "3"]


def scripts_of(page: Page, url: str) -> int:
    """Return how many bytes of compressed JavaScript a view needs before anything is done in it.

    What it puts off is no part of that, however slow this machine is.
    """
    page.add_init_script(PUTS_NOTHING_OFF)
    page.goto(url)
    page.get_by_role("heading", level=1).wait_for()
    expect(page.get_by_role("progressbar", name="Loading")).to_have_count(0)
    loaded: list[str] = page.evaluate(
        "performance.getEntriesByType('resource').map((entry) => entry.name)"
    )
    names = {name.rsplit("/", 1)[-1] for name in loaded}
    scripts = [DIST / "assets" / name for name in names if name.endswith(".js")]
    assert scripts
    return sum(len(gzip.compress(script.read_bytes())) for script in scripts)


def test_no_first_load_is_large(visit: Visit, server: Server) -> None:
    make(server, acme="Acme")
    sizes = {"sign in": scripts_of(visit("/", signed_in=False), server.url + "/")}
    for path in ("/stores", "/stores/acme", "/operator"):
        sizes[path] = scripts_of(visit("/"), server.url + path)
    assert max(sizes.values()) < LARGEST, sizes
