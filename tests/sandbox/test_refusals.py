"""The sandbox refuses what a real API server refuses, with its words.

``refusals.json`` holds objects and the answers that Kubernetes 1.36.3 gave to creating them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.sandbox.errors import ApiError
from orchestrator.sandbox.registry import Registry

CASES = json.loads((Path(__file__).parent / "refusals.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_real_server_answers_the_same(registry: Registry, case: dict[str, Any]) -> None:
    body = case["object"]
    if body["kind"] != "Namespace":
        body = body | {"metadata": body["metadata"] | {"namespace": "shop"}}
    try:
        registry.create(body, manager="test", dry_run=True)
    except ApiError as error:
        causes = (error.details or {}).get("causes", [])
        answer = (error.code, error.message, [[c["reason"], c["field"]] for c in causes])
        assert answer == (case["code"], case["message"], case["causes"])
    else:
        assert case["code"] == 201
