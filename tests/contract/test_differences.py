"""The sandbox beside a real API server: the same requests, the same answers.

The requests are drawn from a seed (see `vocabulary`): creates, applies by two managers, updates,
patches and deletes of right and wrong objects. What is compared: codes, reasons, the fields that
are named and why, warnings, specs and managedFields. ``URUMI_TEST_SEED`` tries another seed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from tests.contract.differences import Side, differing, steps
from tests.contract.embedded import sandbox
from tests.contract.test_negotiation import KUBECTL
from tests.contract.wire import PLURALS, Api, Json, Space, collection, eventually, ok
from tests.ground import Ground

SEEDS = [int(s) for s in os.environ.get("URUMI_TEST_SEED", "1 2 3").split()]
STEPS = 500


@pytest.fixture(scope="module")
def simulation(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A sandbox beside the real API server."""
    if ground.plane is None:
        pytest.skip("compares the sandbox with the control plane of --ground=real")
    with sandbox(tmp_path_factory.mktemp("beside")) as target:
        client = Api(target)
        yield client
        client.close()


def side(api: Api) -> Side:
    """Return a new namespace of an API server."""
    name = f"contract-{secrets.token_hex(4)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert api.post(collection("Namespace"), body).status_code == 201
    space = Space(api, name)
    eventually(lambda: space.exists("ServiceAccount", "default"))
    return Side(api, name)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_real_api_server_answers_the_same(simulation: Api, api: Api, seed: int) -> None:
    print(f"» differences: seed {seed}, {STEPS} requests (URUMI_TEST_SEED={seed} tries it again)")
    real, simulated = side(api), side(simulation)
    for number, step in enumerate(steps(seed, STEPS)):
        found = list(differing(real.send(step), simulated.send(step)))
        assert not found, f"seed {seed}, step {number}: {step}\n" + "\n".join(found)
    for each in (real, simulated):
        each.api.delete(f"{collection('Namespace')}/{each.space}")


def columns(api: Api, kind: str) -> list[Json]:
    """Return the columns of a kind's table, without their prose."""
    table = ok(api.get(collection(kind), accept=KUBECTL, limit="1"))
    return [{k: v for k, v in c.items() if k != "description"} for c in table["columnDefinitions"]]


@pytest.mark.parametrize("kind", [kind for _, kind in PLURALS])
def test_tables_have_the_same_columns(simulation: Api, api: Api, kind: str) -> None:
    assert columns(simulation, kind) == columns(api, kind)


@pytest.mark.parametrize("group", ["", *sorted({v for v, _ in PLURALS if "/" in v})])
def test_discovery_tells_the_same(simulation: Api, api: Api, group: str) -> None:
    """Of what the sandbox serves: names, short names, verbs; it serves fewer subresources."""
    path = f"/apis/{group}" if group else "/api/v1"

    def served(client: Api) -> dict[str, Json]:
        found = ok(client.get(path))["resources"]
        return {r["name"]: {k: r[k] for k in r if k != "storageVersionHash"} for r in found}

    real, simulated = served(api), served(simulation)
    assert simulated and simulated.keys() <= real.keys()
    assert simulated == {name: real[name] for name in simulated}
