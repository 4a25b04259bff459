"""What is no HTTP gets a problem too, from the server itself."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.api.process import started


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
