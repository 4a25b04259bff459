"""The OpenAPI document is true: schemathesis sends what it allows and what it forbids."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import jsonschema
import pytest

from orchestrator.api.table import OPERATIONS
from orchestrator.model.store import Phase
from tests.api.process import started
from tests.api.support import ADMIN, World

# What the schema cannot say: a cursor must be one of ours, If-Match that of the store.
UNSAYABLE = """
[[operations]]
include-name-regex = "^GET .*/(stores|users|tokens|revisions|resources)$"
checks.positive_data_acceptance.enabled = false

[[operations]]
include-name-regex = "^(POST .*/session|GET /assets/.*)$"
checks.positive_data_acceptance.enabled = false

[[operations]]
include-name-regex = "^PATCH "
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "412"]
"""


# Keys are remembered: two cases with one key would be a conflict, which no schema can express.
HOOKS = """
import itertools
import schemathesis

count = itertools.count()


@schemathesis.hook
def map_headers(context, headers):
    key = (headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and 0 < len(key) < 200 and all("!" <= c <= "~" for c in key):
        headers["Idempotency-Key"] = f"{key}-{next(count)}"
    return headers
"""


def test_the_document_is_true(tmp_path: Path) -> None:
    """All checks; the endless stream and readyz's 503 have tests of their own."""
    auth = f"Authorization: Bearer {ADMIN}"
    (tmp_path / "schemathesis.toml").write_text(UNSAYABLE)
    (tmp_path / "hooks.py").write_text(HOOKS)
    with started(tmp_path) as (_, url):
        for store in ("acme", "beta"):
            name, _, value = auth.partition(": ")
            httpx.post(
                f"{url}/api/v1/stores", json={"id": store, "name": store}, headers={name: value}
            ).raise_for_status()
        run = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli"),
                *("--config-file", str(tmp_path / "schemathesis.toml")),
                *("run", f"{url}/api/v1/openapi.json", "--header", auth),
                *("--phases", "examples,coverage,fuzzing"),
                *("--max-examples", "15", "--seed", "7", "--continue-on-failure", "--no-color"),
                *("--exclude-path", "/api/v1/events/stream", "--exclude-path", "/readyz"),
                *("--generation-database", "none", "--request-timeout", "10"),
            ],
            cwd=tmp_path,
            env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-5_000:]
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log, log[-5_000:]


async def test_every_operation_is_in_it(world: World, admin: httpx.AsyncClient) -> None:
    document = (await admin.get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    described = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert described == {(o.method, o.path) for o in OPERATIONS}
    names = [o["operationId"] for m in document["paths"].values() for o in m.values()]
    assert len(set(names)) == len(names)


async def test_streams_and_stores_match_their_schemas(
    world: World, admin: httpx.AsyncClient
) -> None:
    """What schemathesis cannot bring about: a store that has failed, with its revision."""
    document = (await admin.get("/api/v1/openapi.json")).json()
    await admin.post("/api/v1/stores", json={"id": "acme", "name": "Acme"})
    await world.reach("acme", Phase.FAILED)
    store = (await admin.get("/api/v1/stores/acme")).json()
    validator = jsonschema.Draft202012Validator(
        {"$ref": "#/components/schemas/StoreDocument", "components": document["components"]}
    )
    validator.validate(store)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({**store, "more": 1})
