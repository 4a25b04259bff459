"""What cannot be read as HTTP never reaches the application: its answer is a problem too."""

from __future__ import annotations

import json

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from orchestrator.api.problems import KINDS, PROBLEM_JSON, document


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, with its one answer of its own in our form."""

    def send_400_response(self, msg: str) -> None:
        """Answer 400 and close the connection."""
        detail = "The request cannot be read as HTTP/1.1: its method, address or headers"
        body = json.dumps(document(KINDS["malformed"], detail)).encode()
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: {PROBLEM_JSON}\r\n"
            f"content-length: {len(body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()
