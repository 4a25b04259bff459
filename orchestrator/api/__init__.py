"""The HTTP API: routes, event stream, OpenAPI, problem+json; no logic of its own."""

from __future__ import annotations

from orchestrator.api.app import create_app
from orchestrator.api.dashboard import Dashboard
from orchestrator.api.deps import AppDeps, Check
from orchestrator.api.protocol import Protocol

__all__ = ["AppDeps", "Check", "Dashboard", "Protocol", "create_app"]
