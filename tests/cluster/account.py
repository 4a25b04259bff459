"""The account that the service runs as: what ``manifests/platform`` ships, under another name.

Nothing runs as administrator: a right that the shipped ClusterRole lacks is a test that fails, and
so is a write outside of the namespaces that the shipped admission policy allows.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from tests.cluster.authority import User
from tests.contract.wire import APPLY, Api

Json = dict[str, Any]
_PLATFORM: Final = Path(__file__).parents[2] / "manifests" / "platform"
_SHIPPED: Final = "urumi-stores"
_NEEDED: Final = (
    "00-namespace", "10-serviceaccount", "20-clusterrole", "21-clusterrolebinding",
    "50-guard", "51-guard-binding",
)  # fmt: skip
_PATHS: Final = {
    "Namespace": "/api/v1/namespaces/{name}",
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts/{name}",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{name}",
    "ValidatingAdmissionPolicy": (
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/{name}"
    ),
    "ValidatingAdmissionPolicyBinding": (
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/{name}"
    ),
}


class Account:
    """A service account with the shipped rights; ``remove`` takes all of it away again."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.name = f"urumi-test-{secrets.token_hex(3)}"

    def install(self) -> None:
        """Apply the shipped manifests, renamed so that no real installation is touched."""
        for obj in self._objects():
            answer = self._api.patch(
                _path(obj), APPLY, obj, fieldManager="urumi-test", force="true"
            )
            assert answer.status_code in (200, 201), answer.text

    def remove(self) -> None:
        """Delete what `install` made."""
        for obj in reversed(list(self._objects())):
            self._api.delete(_path(obj), {"propagationPolicy": "Background"})

    def token(self, *, bound_to: str | None = None) -> str:
        """Return a new token, for a day; ``bound_to``: it ends with that Secret (see `tie`)."""
        spec: Json = {"expirationSeconds": 86400}
        if bound_to is not None:
            spec["boundObjectRef"] = {"kind": "Secret", "apiVersion": "v1", "name": bound_to}
        answer = self._ask("POST", f"serviceaccounts/{self.name}/token", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec,
        })  # fmt: skip
        token: str = answer.json()["status"]["token"]
        return token

    def tie(self) -> str:
        """Make an empty Secret for tokens to be bound to, and return its name."""
        name = f"tie-{secrets.token_hex(3)}"
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
        self._ask("POST", "secrets", body)
        return name

    def cut(self, name: str) -> None:
        """Delete a Secret: the API server refuses the tokens that are bound to it."""
        self._ask("DELETE", f"secrets/{name}")

    def kubeconfig(self, server: str, authority: Path | None, path: Path) -> Path:
        """Write a kubeconfig with a token of its own."""
        return User(self.name, token=self.token()).kubeconfig(server, authority, path)

    def _ask(self, method: str, rest: str, body: Json | None = None) -> httpx.Response:
        path = f"/api/v1/namespaces/{self.name}/{rest}"
        answer = self._api.http.request(method, path, json=body)
        assert answer.status_code < 300, answer.text
        return answer

    def _objects(self) -> Iterator[Json]:
        for part in _NEEDED:
            text = (_PLATFORM / f"{part}.yaml").read_text()
            yield yaml.safe_load(text.replace(_SHIPPED, self.name))


def _path(obj: Json) -> str:
    return _PATHS[obj["kind"]].format(**{"namespace": "", **obj["metadata"]})
