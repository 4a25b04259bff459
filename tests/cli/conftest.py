"""A small API on loopback that answers as the real one does, with faults that can be ordered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import typer
from typer.testing import CliRunner, Result

from orchestrator.cli import build_cli
from orchestrator.settings import Settings
from tests.loopback import Quiet, serving

TOKEN = "a-token-for-tests"
Json = dict[str, Any]


def make_store(store_id: str, phase: str = "Pending", **more: Any) -> Json:
    return {
        "id": store_id,
        "name": store_id,
        "engine": "wordpress",
        "plan": "small",
        "owner": "admin",
        "domain": None,
        "versions": {"wordpress": "6.9", "mysql": "8.4"},
        "options": {"title": store_id},
        "phase": phase,
        "message": f"It is {phase}",
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "reason": "Waiting",
                "message": "not yet",
                "lastTransitionTime": "2026-11-23T10:00:00Z",
                "observedGeneration": 1,
            }
        ],
        "progress": {"done": 1, "total": 7},
        "generation": 1,
        "observedGeneration": 1,
        "revision": 1,
        "namespace": f"store-{store_id}",
        "url": f"http://store-{store_id}.localtest.me",
        "adminUrl": f"http://store-{store_id}.localtest.me/wp-admin/",
        "createdAt": "2026-11-23T10:00:00Z",
        "updatedAt": "2026-11-23T10:00:00Z",
        "readyAt": None,
        **more,
    }


@dataclass
class FakeApi:
    """What the server knows, what it was asked, and how it misbehaves.

    ``after_read`` runs after each GET of a store; ``streams`` is what each event stream in turn
    sends before it breaks off (none left: ``no_stream``).
    """

    stores: dict[str, Json] = field(default_factory=dict)
    entries: list[Json] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, Json | None]] = field(default_factory=list)
    refusals: list[tuple[int, Json, dict[str, str]]] = field(default_factory=list)
    streams: list[Callable[[FakeApi], str]] = field(default_factory=list)
    resumed_from: list[str | None] = field(default_factory=list)
    log: str = ""
    no_stream: int = 503
    after_read: Callable[[FakeApi], None] | None = None
    url: str = ""

    def asked(self, method: str) -> list[Json | None]:
        return [body for m, _, body in self.requests if m == method]


class Handler(Quiet):
    api: FakeApi

    def answer(self, status: int, body: Json | None, headers: dict[str, str]) -> None:
        """Send JSON; a body of nothing but ``text`` goes as text."""
        plain = body is not None and body.keys() == {"text"}
        raw = b"" if body is None else (body["text"] if plain else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if plain else "application/json")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def take(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/api/v1")
        self.api.requests.append((self.command, self.path, body))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.answer(401, {"title": "Not authenticated", "detail": "unknown token"}, {})
        elif path == "/events/stream" or "follow=1" in parts.query:
            self.stream()
        elif self.api.refusals:
            status, problem, headers = self.api.refusals.pop(0)
            self.answer(status, problem, headers)
        else:
            query = {k: v[0] for k, v in parse_qs(parts.query).items()}
            self.answer(*self.route(path.strip("/").split("/"), query, body), {})

    do_GET = do_POST = do_DELETE = take

    def stream(self) -> None:
        self.api.resumed_from.append(self.headers["Last-Event-ID"])
        if not self.api.streams:
            self.answer(self.api.no_stream, {"title": "Unavailable", "detail": "no stream"}, {})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b": hello\n\n")
        self.wfile.write(self.api.streams.pop(0)(self.api).encode())

    def route(self, path: list[str], query: Json, body: Json | None) -> tuple[int, Json | None]:
        gone = {"title": "Not found", "detail": f"There is no {'/'.join(path)}"}
        match (self.command, *path):
            case (_, "stores"):
                return self.collection(query, body)
            case (_, "stores", store_id):
                return self.store(store_id) or (404, gone)
            case ("GET", "stores", store_id, "logs") if store_id in self.api.stores:
                return 200, {"text": self.api.log}
            case ("GET", "stores", _, "events"):
                after = int(query.get("after", 0))
                items = [e for e in self.api.entries if e["seq"] > after]
                return 200, {"items": items, "nextCursor": None}
            case _:
                return self.people(path, body) or (404, gone)

    def collection(self, query: Json, body: Json | None) -> tuple[int, Json]:
        api = self.api
        if body is not None:
            key = self.headers["Idempotency-Key"]
            store_id = api.keys.setdefault(key, body.get("id", "made-up"))
            if "dryRun" in query:
                return 200, make_store(store_id)
            return 202, api.stores.setdefault(store_id, make_store(store_id))
        items = list(api.stores.values())
        start = int(query.get("cursor", 0))
        more = str(start + 2) if len(items) > start + 2 else None
        return 200, {"items": items[start : start + 2], "nextCursor": more}

    def store(self, store_id: str) -> tuple[int, Json] | None:
        if self.command == "GET" and self.api.after_read is not None:
            self.api.after_read(self.api)
        found = self.api.stores.get(store_id)
        if found is not None and self.command == "DELETE":
            found["phase"] = "Deleting"
            return 202, found
        return None if found is None else (200, found)

    def people(self, path: list[str], body: Json | None) -> tuple[int, Json | None] | None:
        match (self.command, *path):
            case ("POST", "users"):
                return 201, {**(body or {}), "createdAt": "2026-11-23T10:00:00Z"}
            case ("POST", "tokens"):
                return 201, {"id": "t-1", "token": "urumi_once"}
            case ("GET", "users" | "tokens"):
                return 200, {"items": [], "nextCursor": None}
            case ("DELETE", "tokens", "t-1"):
                return 204, None
        return None


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """The server, and the environment that points the command line to it."""
    fake = FakeApi()
    with serving(type("Bound", (Handler,), {"api": fake})) as fake.url:
        monkeypatch.setenv("URUMI_URL", fake.url)
        monkeypatch.setenv("URUMI_TOKEN", TOKEN)
        yield fake


Run = Callable[..., Result]


@pytest.fixture
def served() -> list[Settings]:
    """The settings that `serve` was called with."""
    return []


@pytest.fixture
def run(served: list[Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Run:
    """Run the command line in-process, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    app: typer.Typer = build_cli(served.append)

    def call(*args: str) -> Result:
        return CliRunner().invoke(app, list(args))

    return call
