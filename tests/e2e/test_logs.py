"""What real containers say, by the service's own right."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator

import httpx

from tests.e2e.shop import Shop
from tests.system.server import poll


def test_every_container_is_heard(shop: Shop) -> None:
    text = shop.api.get(f"{shop.path}/logs", params={"tail": 2000}).text
    database = shop.pod("database")["metadata"]["name"]
    assert f"[{database}/mysql] " in text and "ready for connections" in text
    assert "/setup] " in text and "/wordpress] " in text
    only = shop.api.get(f"{shop.path}/logs", params={"component": "database", "tail": 1}).text
    assert 1 <= len(only.splitlines()) <= 2, "one line of each of its containers"
    assert "cannot be read" not in text
    password = shop.credentials()["password"]
    assert password not in text


def test_a_visit_is_seen_as_it_happens(shop: Shop) -> None:
    mark = secrets.token_hex(6)
    heard: list[str] = []
    path = f"{shop.path}/logs?component=wordpress&tail=1&follow=1"
    with shop.server.client() as client, client.stream("GET", path, timeout=60) as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith(":")
        listener = threading.Thread(target=_listen, args=(lines, mark, heard), daemon=True)
        listener.start()
        # The stream to the container stands a moment after ours: visit until one is seen.
        poll(lambda: _visit(shop, mark) and heard, seconds=30, what="the visit in the log")
        listener.join(30)
    assert mark in heard[0]


def _visit(shop: Shop, mark: str) -> bool:
    return shop.site().get(f"/?look={mark}").status_code == 200


def _listen(lines: Iterator[str], mark: str, heard: list[str]) -> None:
    try:
        for line in lines:
            if line.startswith("data: ") and mark in line:
                heard.append(json.loads(line.removeprefix("data: "))["line"])
                return
    except httpx.TransportError:
        return
