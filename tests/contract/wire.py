"""A thin client of the Kubernetes wire protocol: what the contract suite speaks, and nothing else.

It adds no retries and hides no status: a test sees what the API server answered. The same client
talks to the embedded sandbox and to any cluster that a kubeconfig names.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

Json = dict[str, Any]
T = TypeVar("T")

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
DEADLINE = 30.0

PLURALS = {
    ("v1", "Namespace"): "namespaces",
    ("v1", "Node"): "nodes",
    ("v1", "Pod"): "pods",
    ("v1", "Service"): "services",
    ("v1", "ServiceAccount"): "serviceaccounts",
    ("v1", "Secret"): "secrets",
    ("v1", "ConfigMap"): "configmaps",
    ("v1", "Event"): "events",
    ("v1", "ResourceQuota"): "resourcequotas",
    ("v1", "LimitRange"): "limitranges",
    ("v1", "PersistentVolumeClaim"): "persistentvolumeclaims",
    ("v1", "PersistentVolume"): "persistentvolumes",
    ("apps/v1", "Deployment"): "deployments",
    ("apps/v1", "ReplicaSet"): "replicasets",
    ("apps/v1", "StatefulSet"): "statefulsets",
    ("batch/v1", "Job"): "jobs",
    ("batch/v1", "CronJob"): "cronjobs",
    ("discovery.k8s.io/v1", "EndpointSlice"): "endpointslices",
    ("networking.k8s.io/v1", "Ingress"): "ingresses",
    ("networking.k8s.io/v1", "IngressClass"): "ingressclasses",
    ("networking.k8s.io/v1", "NetworkPolicy"): "networkpolicies",
    ("policy/v1", "PodDisruptionBudget"): "poddisruptionbudgets",
    ("storage.k8s.io/v1", "StorageClass"): "storageclasses",
}
API_VERSIONS = {kind: version for version, kind in PLURALS}


@dataclass(frozen=True)
class Target:
    """An API server: where it is, how to be let in, and the kubeconfig that says the same."""

    url: str
    kubeconfig: Path
    tls: ssl.SSLContext | None = None
    headers: dict[str, str] = field(default_factory=dict)
    simulated: bool = False


def collection(kind: str, namespace: str | None = None) -> str:
    """Return the URL path of all objects of a kind, in one namespace or everywhere."""
    version = API_VERSIONS[kind]
    root = "/apis/" if "/" in version else "/api/"
    middle = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{version}{middle}/{PLURALS[version, kind]}"


class Api:
    """Requests to one API server."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.http = httpx.Client(
            base_url=target.url,
            verify=target.tls if target.tls is not None else True,
            headers={"accept": "application/json", "user-agent": "contract"} | target.headers,
            timeout=DEADLINE,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def get(self, path: str, *, accept: str | None = None, **params: str) -> httpx.Response:
        """GET a path."""
        headers = {"accept": accept} if accept else {}
        return self.http.get(path, params=params, headers=headers)

    def post(self, path: str, body: object, **params: str) -> httpx.Response:
        """POST a JSON body."""
        return self.http.post(path, params=params, json=body)

    def put(self, path: str, body: object, **params: str) -> httpx.Response:
        """PUT a JSON body."""
        return self.http.put(path, params=params, json=body)

    def patch(self, path: str, kind: str, body: object, **params: str) -> httpx.Response:
        """PATCH with the content type ``kind``."""
        return self.http.patch(
            path, params=params, content=json.dumps(body), headers={"content-type": kind}
        )

    def delete(self, path: str, body: Json | None = None, **params: str) -> httpx.Response:
        """DELETE, with DeleteOptions when given."""
        if body is None:
            return self.http.request("DELETE", path, params=params)
        options = {"apiVersion": "v1", "kind": "DeleteOptions"} | body
        return self.http.request("DELETE", path, params=params, json=options)

    @contextmanager
    def watch(
        self, path: str, *, accept: str | None = None, **params: str
    ) -> Iterator[Iterator[Json]]:
        """Open a watch; yields its events. The server ends it after ten seconds at the latest."""
        query = {"watch": "true", "timeoutSeconds": "10"} | params
        headers = {"accept": accept} if accept else {}
        with self.http.stream("GET", path, params=query, headers=headers) as answer:
            if answer.status_code != 200:
                answer.read()
            assert answer.status_code == 200, answer.text
            yield (json.loads(line) for line in answer.iter_lines() if line)


@dataclass(frozen=True)
class Space:
    """One namespace of the API server, and the short ways to what is in it."""

    api: Api
    name: str

    def path(self, kind: str, name: str | None = None, sub: str | None = None) -> str:
        """Return the path of a collection, an object or a subresource in this namespace."""
        parts = [collection(kind, self.name), name, sub]
        return "/".join(part for part in parts if part)

    def of(self, obj: Json) -> str:
        """Return the path of the object."""
        return self.path(obj["kind"], obj["metadata"]["name"])

    def create(self, obj: Json, **params: str) -> Json:
        """Create the object; fails the test when the server refuses."""
        return ok(self.api.post(self.path(obj["kind"]), obj, **params), 201)

    def try_apply(
        self, obj: Json, manager: str = "alice", *, sub: str | None = None, **params: str
    ) -> httpx.Response:
        """Server-side apply; returns the answer whatever it is."""
        path = self.path(obj["kind"], obj["metadata"]["name"], sub)
        return self.api.patch(path, APPLY, obj, fieldManager=manager, **params)

    def apply(self, obj: Json, manager: str = "alice", **params: str) -> Json:
        """Server-side apply; fails the test when the server refuses."""
        answer = self.try_apply(obj, manager, **params)
        assert answer.status_code in (200, 201), answer.text
        return parsed(answer)

    def get(self, kind: str, name: str) -> Json:
        """Read one object; fails the test when it is not there."""
        return ok(self.api.get(self.path(kind, name)))

    def items(self, kind: str, **params: str) -> list[Json]:
        """List the objects of a kind."""
        found: list[Json] = ok(self.api.get(self.path(kind), **params))["items"]
        return found

    def exists(self, kind: str, name: str) -> bool:
        """Say whether the object can be read."""
        return self.api.get(self.path(kind, name)).status_code == 200

    def delete(self, kind: str, name: str, body: Json | None = None) -> Json:
        """Delete one object; fails the test when the server refuses."""
        answer = self.api.delete(self.path(kind, name), body)
        assert answer.status_code in (200, 202), answer.text
        return parsed(answer)


@dataclass(frozen=True)
class Kubectl:
    """The real kubectl, pointed at the target."""

    program: Path
    kubeconfig: Path
    home: Path

    def command(self, *args: str) -> list[str]:
        """Return the command line."""
        return [str(self.program), "--kubeconfig", str(self.kubeconfig), *args]

    def environment(self) -> dict[str, str]:
        """Return an environment in which nothing but the kubeconfig decides."""
        return {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "KUBECACHEDIR": str(self.home)}

    def run(self, *args: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run it to its end; the caller looks at the exit code."""
        return subprocess.run(
            self.command(*args),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=self.environment(),
        )

    def __call__(self, *args: str, stdin: str | None = None) -> str:
        """Run it and return what it printed; fails the test when it failed."""
        done = self.run(*args, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def lines(self, *args: str) -> Iterator[Iterator[str]]:
        """Run it in the background; yields the lines that it prints as they come."""
        with subprocess.Popen(
            self.command(*args),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment(),
        ) as process:
            assert process.stdout is not None
            try:
                yield iter(process.stdout.readline, "")
            finally:
                process.terminate()


def parsed(answer: httpx.Response) -> Json:
    """Return the JSON object of an answer."""
    body: Json = answer.json()
    return body


def ok(answer: httpx.Response, status: int = 200) -> Json:
    """Return the body of a good answer; fails the test otherwise."""
    assert answer.status_code == status, answer.text
    return parsed(answer)


def refused(answer: httpx.Response, code: int, reason: str) -> Json:
    """Return the Status of a refusal; fails the test when it is not one of that code and reason."""
    assert answer.status_code == code, answer.text
    status = parsed(answer)
    assert (status["kind"], status["apiVersion"]) == ("Status", "v1")
    assert (status["status"], status["code"], status["reason"]) == ("Failure", code, reason), status
    return status


def eventually(look: Callable[[], T | None], deadline: float = DEADLINE) -> T:
    """Return the first truthy thing that ``look`` sees; fails the test after the deadline."""
    end = time.monotonic() + deadline
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < end, f"not within {deadline} s: {seen!r}"
        time.sleep(0.02)


def condition(obj: Json, kind: str) -> Json:
    """Return a condition of the object's status, or an empty one."""
    found = obj.get("status", {}).get("conditions", [])
    return next((c for c in found if c["type"] == kind), {"status": "absent"})


def manager(obj: Json, name: str) -> Json:
    """Return the managedFields entry of a field manager."""
    entries = [e for e in obj["metadata"].get("managedFields", []) if e["manager"] == name]
    assert len(entries) == 1, f"{name}: {obj['metadata'].get('managedFields')}"
    entry: Json = entries[0]
    return entry
