"""What the server itself says: a problem to what is no HTTP, and its time to everybody."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.process import started
from tests.api.support import ADMIN


@pytest.mark.parametrize(
    "sent",
    [
        b"FOO /api/v1/me HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/v1/me HTTP/1.1\r\nHost a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
    ],
    ids=["method", "header", "tls"],
)
def test_what_is_no_http(tmp_path: Path, sent: bytes) -> None:
    with started(tmp_path) as (_, url):
        address = urlsplit(url)
        assert address.hostname is not None
        with socket.create_connection((address.hostname, address.port or 80), timeout=10) as sock:
            sock.sendall(sent)
            answer = b""
            while part := sock.recv(65536):
                answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["status"] == 400


def test_answers_and_streams_tell_the_services_time(tmp_path: Path) -> None:
    """A browser whose clock is wrong reckons by it how long something has taken."""
    auth = {"Authorization": f"Bearer {ADMIN}"}
    store = "/api/v1/stores/acme"
    with started(tmp_path) as (_, url), httpx.Client(base_url=url, headers=auth) as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "Acme"})
        dates = [client.get(store).headers["date"]]
        for path in ("/api/v1/events/stream", f"{store}/logs?follow=1"):
            with client.stream("GET", path) as response:
                dates.append(response.headers["date"])
    for date in dates:
        assert abs(parsedate_to_datetime(date) - datetime.now(UTC)) < timedelta(minutes=1)
