"""`make kind` and `make kind-down`, with stand-ins for docker, kind, kubectl and make.

The stand-ins remember clusters and images and write down what they are asked; the ingress
controller's manifest is checked against Kubernetes' schemas. A real kind needs a Docker daemon.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from images import lock
from orchestrator.settings import load
from tests.renderer.test_schema import SUPPORTED

ROOT = Path(__file__).parents[2]
KIND = ROOT / "manifests" / "kind"
OBJECTS: list[dict[str, Any]] = list(yaml.safe_load_all((KIND / "traefik.yaml").read_text()))
WORDPRESS = "wordpress:6.9-php8.4-apache"
OWN = f"urumi-wordpress:{lock.tag(lock.read(lock.LOCK))}"

STAND_INS = {
    "docker": """
case "$1 $2" in
  'info ') [ ! -e "$STATE/docker-is-down" ] ;;
  'image inspect') grep -qx "$3" "$STATE/images" ;;
  'build --build-arg') while [ $# -gt 2 ]; do shift; done; echo "$1" >>"$STATE/images" ;;
  port*) echo "127.0.0.1:$(sed -n 's/.*hostPort: //p' "$STATE/config" | head -n 1)" ;;
esac""",
    "kind": """
case "$1 $2" in
  'version ') echo "kind $(cat "$STATE/version") go1.25.1 linux/amd64" ;;
  'get clusters') cat "$STATE/clusters" ;;
  'create cluster') cat >"$STATE/config"; echo urumi-stores >>"$STATE/clusters" ;;
  'delete cluster') sed -i "/^$4\\$/d" "$STATE/clusters" ;;
  'get kubeconfig') echo "kubeconfig of $4" ;;
  'load docker-image') [ ! -e "$STATE/cannot-load" ] ;;
esac""",
    "kubectl": "",
    "make": 'env | grep ^URUMI_ | sort >"$STATE/environment"',
}


class Machine:
    """A PATH with the stand-ins and a few programs of the system, and a folder for their state."""

    def __init__(self, folder: Path, ports: str) -> None:
        self.programs, self.state, self.data = (folder / n for n in ("programs", "state", "data"))
        for made in (self.programs, self.state):
            made.mkdir()
        for name in ("bash", "sh", "dirname", "sed", "grep", "cat", "mkdir", "head", "env", "sort"):
            (self.programs / name).symlink_to(shutil.which(name) or "")
        self.program("python3", f'exec {sys.executable} "$@"')
        for name, script in STAND_INS.items():
            self.program(name, f'echo "{name} $*" >>"$STATE/calls"\n{script}')
        for name in ("calls", "clusters", "images"):
            (self.state / name).touch()
        (self.state / "version").write_text("v0.31.0\n")
        self.environ = {
            "PATH": str(self.programs),
            "STATE": str(self.state),
            "HOME": str(folder),
            "KIND_PORTS": ports,
            "URUMI_DATA_DIR": str(self.data),
        }

    def program(self, name: str, script: str) -> None:
        (self.programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.programs / name).chmod(0o755)

    def run(self, script: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.programs / "bash"), str(KIND / script)],
            env=self.environ | environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def up(self, **environ: str) -> subprocess.CompletedProcess[str]:
        return self.run("up.sh", **environ)

    def calls(self, *begin: str) -> list[str]:
        lines = (self.state / "calls").read_text().splitlines()
        return [line for line in lines if line.startswith(begin or ("",))]

    def note(self, name: str, *lines: str) -> None:
        (self.state / name).write_text("".join(f"{line}\n" for line in lines))

    def service(self) -> dict[str, str]:
        """The settings that the service was started with."""
        lines = (self.state / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture
def ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture
def machine(tmp_path: Path, ports: tuple[int, int]) -> Machine:
    return Machine(tmp_path, f"{ports[0]}:{ports[1]}")


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_cluster_controller_and_service_in_that_order(
    machine: Machine, ports: tuple[int, int]
) -> None:
    done = machine.up()
    assert done.returncode == 0, done.stderr
    config = yaml.safe_load((machine.state / "config").read_text())
    mapped = config["nodes"][0]["extraPortMappings"]
    assert [(m["containerPort"], m["hostPort"]) for m in mapped] == [
        (30080, ports[0]),
        (30443, ports[1]),
    ]
    steps = machine.calls("kind create", "kubectl", "make")
    kube = f"kubectl --kubeconfig {machine.data}/kubeconfig"
    assert steps == [
        "kind create cluster --config -",
        f"{kube} wait --for=condition=Ready nodes --all --timeout=180s",
        f"{kube} apply --server-side -f manifests/kind/traefik.yaml",
        f"{kube} --namespace traefik rollout status deployment/traefik --timeout=300s",
        "make --no-print-directory run",
    ]
    kubeconfig = machine.data / "kubeconfig"
    assert kubeconfig.read_text() == "kubeconfig of urumi-stores\n"
    assert kubeconfig.stat().st_mode & 0o077 == 0
    assert machine.service() == {
        "URUMI_KUBECONFIG": str(kubeconfig),
        "URUMI_DATA_DIR": str(machine.data),
        "URUMI_BASE_DOMAIN": f"localtest.me:{ports[0]}",
    }


def test_the_services_settings_are_accepted(machine: Machine) -> None:
    machine.up()
    settings = load(machine.service())
    assert settings.kubeconfig == machine.data / "kubeconfig"
    spec = next(o for o in OBJECTS if o["kind"] == "Deployment")
    assert settings.ingress_namespace == spec["metadata"]["namespace"]


def test_again_changes_nothing(machine: Machine) -> None:
    machine.up()
    machine.note("calls")
    done = machine.up()
    assert done.returncode == 0, done.stderr
    assert machine.calls("kind create", "kind delete") == []
    assert machine.calls("docker start") == ["docker start urumi-stores-control-plane"]
    assert machine.calls("make") == ["make --no-print-directory run"]


def test_a_cluster_at_port_80_needs_no_port_in_addresses(machine: Machine) -> None:
    machine.note("clusters", "other", "urumi-stores")
    machine.note("config", "hostPort: 80")
    assert machine.up().returncode == 0
    assert machine.service()["URUMI_BASE_DOMAIN"] == "localtest.me"


def test_a_cluster_of_another_name_is_not_ours(machine: Machine) -> None:
    machine.note("clusters", "urumi-stores-2", "my-urumi-stores")
    assert machine.up().returncode == 0
    assert machine.calls("kind create")


def test_ports_in_use_are_passed_over(machine: Machine, ports: tuple[int, int], busy: int) -> None:
    done = machine.up(KIND_PORTS=f"{busy}:{ports[1]} {ports[0]}:{busy} {ports[0]}:{ports[1]}")
    assert done.returncode == 0, done.stderr
    assert machine.service()["URUMI_BASE_DOMAIN"] == f"localtest.me:{ports[0]}"


def test_no_free_port_is_said_before_anything_is_made(machine: Machine, busy: int) -> None:
    done = machine.up(KIND_PORTS=f"{busy}:{busy}")
    assert done.returncode == 1 and "no free ports" in done.stderr
    assert machine.calls("kind create", "make") == []


@pytest.mark.parametrize("missing", ["docker", "kind", "kubectl"])
def test_what_is_missing_is_said_with_where_to_get_it(machine: Machine, missing: str) -> None:
    (machine.programs / missing).unlink()
    done = machine.up()
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{missing} is not here: install ") and "https://" in line
    assert machine.calls() == []


def test_all_that_is_missing_is_said_at_once(machine: Machine) -> None:
    for name in ("docker", "kind", "kubectl"):
        (machine.programs / name).unlink()
    assert len(machine.up().stderr.splitlines()) == 3


def test_a_docker_that_does_not_answer(machine: Machine) -> None:
    machine.note("docker-is-down")
    done = machine.up()
    assert done.returncode == 1 and "docker does not answer" in done.stderr
    assert machine.calls("kind", "kubectl", "make") == []


def test_a_kind_without_network_policies_is_told_of(machine: Machine) -> None:
    assert "older than 0.24" not in machine.up(START="no").stderr
    machine.note("version", "v0.23.0")
    done = machine.up(START="no")
    assert done.returncode == 0 and "older than 0.24" in done.stderr


def test_start_no_says_how_to_start(machine: Machine, ports: tuple[int, int]) -> None:
    done = machine.up(START="no")
    assert done.returncode == 0 and machine.calls("make") == []
    last = done.stdout.splitlines()[-1]
    assert last.endswith("make run") and f"URUMI_KUBECONFIG={machine.data}/kubeconfig" in last
    assert f"URUMI_BASE_DOMAIN=localtest.me:{ports[0]}" in last


def test_only_images_that_docker_has_are_handed_over(machine: Machine) -> None:
    machine.note("images", "mysql:8.4", "unrelated:1")
    assert machine.up().returncode == 0
    loaded = [line.split()[-1] for line in machine.calls("kind load")]
    assert loaded == ["mysql:8.4"]


def test_an_official_image_that_cannot_be_handed_over_is_pulled(machine: Machine) -> None:
    machine.note("images", "mysql:8.4")
    machine.note("cannot-load")
    done = machine.up()
    assert done.returncode == 0 and "mysql:8.4 could not be handed over" in done.stderr


def unpinned(folder: Path) -> str:
    content = json.loads(lock.LOCK.read_text())
    content.pop("pinnedFor", None)
    for entry in content.values():
        entry |= {key: None for key in ("digest", "sha256") if key in entry}
    (folder / "lock.json").write_text(json.dumps(content))
    return str(folder / "lock.json")


def pinned(folder: Path) -> str:
    path = Path(unpinned(folder))
    content = json.loads(path.read_text())
    for entry in content.values():
        entry |= {
            k: v for k, v in (("digest", "sha256:" + "a" * 64), ("sha256", "b" * 64)) if k in entry
        }
    path.write_text(json.dumps(content))
    return str(path)


def test_without_pins_it_goes_on_and_says_what_will_not_work(
    machine: Machine, tmp_path: Path
) -> None:
    done = machine.up(LOCK=unpinned(tmp_path))
    assert done.returncode == 0
    assert "run `make lock-images`" in done.stderr and "engine woocommerce" in done.stderr
    assert "URUMI_IMAGE_WORDPRESS" not in machine.service()
    assert machine.calls("docker build") == []


def test_with_pins_the_stores_image_is_built_handed_over_and_used(
    machine: Machine, tmp_path: Path
) -> None:
    done = machine.up(LOCK=pinned(tmp_path))
    assert done.returncode == 0, done.stderr
    assert machine.calls("docker build") and "engine woocommerce" not in done.stderr
    assert f"kind load docker-image --name urumi-stores {OWN}" in machine.calls("kind load")
    assert machine.service()["URUMI_IMAGE_WORDPRESS"] == OWN


def test_an_image_that_is_nowhere_else_has_to_get_there(machine: Machine, tmp_path: Path) -> None:
    machine.note("cannot-load")
    done = machine.up(LOCK=pinned(tmp_path))
    assert done.returncode != 0 and machine.calls("make") == []


def test_an_image_of_ones_own_is_used(machine: Machine, tmp_path: Path) -> None:
    own = "registry.example.com/shop:1"
    assert machine.up(LOCK=pinned(tmp_path), URUMI_IMAGE_WORDPRESS=own).returncode == 0
    assert machine.calls("docker build") == []
    assert machine.service()["URUMI_IMAGE_WORDPRESS"] == own


def test_records_of_a_cluster_that_is_gone_are_told_of(machine: Machine) -> None:
    machine.data.mkdir()
    (machine.data / "urumi.db").touch()
    assert "records of an earlier cluster" in machine.up().stderr
    assert "records of an earlier cluster" not in machine.up().stderr


def test_down_deletes_that_cluster_and_no_other(machine: Machine) -> None:
    machine.up()
    machine.note("clusters", "urumi-stores-2", "urumi-stores", "other")
    machine.note("calls")
    done = machine.run("down.sh")
    assert done.returncode == 0, done.stderr
    assert machine.calls("kind delete") == ["kind delete cluster --name urumi-stores"]
    assert (machine.state / "clusters").read_text() == "urumi-stores-2\nother\n"
    assert (machine.data / "kubeconfig").exists()  # records are the user's to remove


def test_down_without_a_cluster_is_no_error(machine: Machine) -> None:
    machine.note("clusters", "urumi-stores-2")
    done = machine.run("down.sh")
    assert (done.returncode, done.stdout) == (0, "there is no cluster urumi-stores\n")
    assert machine.calls("kind delete") == []


def test_down_without_kind(machine: Machine) -> None:
    (machine.programs / "kind").unlink()
    done = machine.run("down.sh")
    assert done.returncode == 1 and "kind is not here" in done.stderr


def test_make_calls_the_scripts() -> None:
    for target, script in (("kind", "up.sh"), ("kind-down", "down.sh")):
        done = subprocess.run(
            ["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert f"manifests/kind/{script}" in done.stdout
        assert os.access(KIND / script, os.X_OK)


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.parametrize("obj", OBJECTS, ids=lambda o: o["kind"])
def test_the_controllers_objects_are_valid(version: str, obj: dict[str, Any]) -> None:
    assert kubernetes_validate.validate(obj, version, strict=True) == version


def of_kind(kind: str) -> dict[str, Any]:
    (found,) = (o for o in OBJECTS if o["kind"] == kind)
    return found


def test_ports_lead_from_the_machine_to_the_controller() -> None:
    config = yaml.safe_load((KIND / "cluster.yaml").read_text())
    mapped = [m["containerPort"] for m in config["nodes"][0]["extraPortMappings"]]
    assert all(m["listenAddress"] == "127.0.0.1" for m in config["nodes"][0]["extraPortMappings"])
    service, deployment = of_kind("Service"), of_kind("Deployment")
    assert [p["nodePort"] for p in service["spec"]["ports"]] == mapped
    template = deployment["spec"]["template"]
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    (container,) = template["spec"]["containers"]
    ports = {p["name"]: p["containerPort"] for p in container["ports"]}
    assert {p["targetPort"] for p in service["spec"]["ports"]} <= ports.keys()
    for entry, name in (("web", "web"), ("websecure", "websecure"), ("traefik", "admin")):
        assert f"--entrypoints.{entry}.address=:{ports[name]}" in container["args"]


def test_the_controller_is_the_one_that_the_service_expects() -> None:
    settings = load({})
    assert of_kind("IngressClass")["metadata"]["name"] == settings.ingress_class
    assert of_kind("Namespace")["metadata"]["name"] == settings.ingress_namespace


def test_the_controller_has_no_more_rights_than_it_needs() -> None:
    for rule in of_kind("ClusterRole")["rules"]:
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        writes = set(rule["verbs"]) - {"get", "list", "watch"}
        assert not writes or rule["resources"] == ["ingresses/status"]
    template = of_kind("Deployment")["spec"]["template"]["spec"]
    assert template["securityContext"]["runAsNonRoot"] is True
    assert template["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_images_in_the_script_are_those_that_are_used() -> None:
    script = (KIND / "up.sh").read_text()
    shipped = lock.read(lock.LOCK)
    (container,) = of_kind("Deployment")["spec"]["template"]["spec"]["containers"]
    for image in (shipped["wordpress"]["image"], shipped["mysql"]["image"], container["image"]):
        assert image in script
