"""What is shown is current or said not to be: services that hang, are cut, refuse."""

from __future__ import annotations

import signal

from playwright.sync_api import Route, expect

from tests.system.server import Server, wait_for_phase
from tests.web.conftest import Visit


def test_a_service_that_hangs_with_its_connections_open_is_noticed(
    visit: Visit, server: Server
) -> None:
    page = visit("/")
    page.clock.install()
    page.goto(server.url + "/stores")
    status = page.get_by_role("status")
    expect(status).to_have_text("live")
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    try:
        page.clock.run_for(45_000)  # three keep-alives that do not come
        expect(status).to_have_text("stale")
    finally:
        server.process.send_signal(signal.SIGCONT)
    expect(status).to_have_text("live")
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "later", "name": "Later"}).raise_for_status()
    expect(page.locator("[data-store=later]")).to_be_visible()


def test_a_log_goes_on_after_a_refusal_and_a_restart(visit: Visit, server: Server) -> None:
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"}).raise_for_status()
        wait_for_phase(client, "acme", "Ready", seconds=60)
    page = visit("/")
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        problem = {"status": 503, "detail": "The cluster does not answer"}
        route.fulfill(status=503, json=problem, content_type="application/problem+json")

    page.route("**/logs?*follow=1*", refuse, times=1)
    page.goto(server.url + "/stores/acme")
    page.get_by_role("tab", name="Logs").click()
    log = page.get_by_role("log")
    expect(log).to_contain_text("wordpress")
    assert len(refused) == 1
    stopped = page.get_by_text("The log has stopped")
    expect(stopped).to_have_count(0)
    server.kill()
    expect(stopped).to_be_visible()
    server.start()
    expect(stopped).to_have_count(0, timeout=60_000)
    expect(log).to_contain_text("wordpress")
