"""A shop as its visitors see it: over HTTP, through the ingress controller, under its own host."""

from __future__ import annotations

from typing import Any

import httpx

Json = dict[str, Any]


class ThroughIngress(httpx.BaseTransport):
    """Connects to the ingress controller whatever host a URL names; the Host header stays."""

    def __init__(self, host: str, port: int) -> None:
        self._address = {"host": host, "port": port}
        # No connection is kept, so nothing is left open and none is tied to a pod that has gone.
        self._inner = httpx.HTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it to the controller."""
        moved = httpx.Request(
            request.method,
            request.url.copy_with(scheme="http", **self._address),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return self._inner.handle_request(moved)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class Site:
    """One visitor of one shop, with cookies."""

    def __init__(self, address: tuple[str, int], url: str) -> None:
        transport = ThroughIngress(*address)
        self.http = httpx.Client(base_url=url, transport=transport, timeout=20, trust_env=False)

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        """GET a path; redirects are not followed."""
        return self.http.get(path, **kwargs)

    def answers(self, path: str = "/") -> bool:
        """Whether the path answers 200 now."""
        try:
            return self.get(path).status_code == 200
        except httpx.TransportError:
            return False

    def log_in(self, credentials: Json) -> httpx.Response:
        """Log in as a browser does; return the answer of /wp-admin/."""
        self.get("/wp-login.php")
        form = {
            "log": credentials["username"],
            "pwd": credentials["password"],
            "testcookie": "1",
            "redirect_to": "/wp-admin/",
        }
        answer = self.http.post("/wp-login.php", data=form)
        assert answer.status_code == 302, f"log-in was refused: {answer.status_code}"
        return self.get("/wp-admin/")

    def nonce(self) -> str:
        """Return what the REST API asks of a logged-in browser besides its cookie."""
        answer = self.get("/wp-admin/admin-ajax.php?action=rest-nonce")
        assert answer.status_code == 200, answer.text[:300]
        return answer.text

    def write(self, what: str, **kwargs: Any) -> Json:
        """POST to the REST API's collection (posts, media); return what was made."""
        headers = {"X-WP-Nonce": self.nonce(), **kwargs.pop("headers", {})}
        answer = self.http.post(f"/wp-json/wp/v2/{what}", headers=headers, **kwargs)
        assert answer.status_code == 201, answer.text[:500]
        made: Json = answer.json()
        return made
