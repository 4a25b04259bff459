"""Who may do what: users, roles and tokens. None of it is simulated (see `not_simulated`)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.access import authority_of
from tests.contract.manifests import configmap, deployment
from tests.contract.wire import Api, Json, Kubectl, Space, eventually, ok, refused

VISITOR = "contract-visitor"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@pytest.fixture
def visitor(api: Api) -> Iterator[Api]:
    """A client of somebody who has no rights."""
    headers = api.target.headers | {"impersonate-user": VISITOR}
    client = Api(replace(api.target, headers=headers))
    yield client
    client.close()


@pytest.fixture
def stranger(api: Api, tmp_path: Path) -> Iterator[Api]:
    """A client that nobody knows, and the key to it (a token) still to be set."""
    authority = authority_of(api.target.kubeconfig, tmp_path / "ca.crt")
    tls = ssl.create_default_context(cafile=str(authority) if authority else None)
    client = Api(replace(api.target, headers={}, tls=tls))
    yield client
    client.close()


def may_read(space: Space, resource: str, group: str = "") -> None:
    """Let the visitor list a kind in the namespace."""
    rules = [{"apiGroups": [group], "resources": [resource], "verbs": ["list"]}]
    subjects = [{"kind": "User", "name": VISITOR, "apiGroup": "rbac.authorization.k8s.io"}]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    for plural, kind, content in (
        ("roles", "Role", {"rules": rules}),
        ("rolebindings", "RoleBinding", {"roleRef": role, "subjects": subjects}),
    ):
        body: Json = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind}
        body |= {"metadata": {"name": "reader"}} | content
        ok(space.api.post(f"{RBAC}/namespaces/{space.name}/{plural}", body), 201)


def test_who_has_no_right_is_refused(visitor: Api, space: Space) -> None:
    status = refused(visitor.get(space.path("ConfigMap")), 403, "Forbidden")
    assert status["message"] == (
        f'configmaps is forbidden: User "{VISITOR}" cannot list resource "configmaps" in API '
        f'group "" in the namespace "{space.name}"'
    )
    assert status["details"] == {"kind": "configmaps"}
    space.create(configmap("c"))
    status = refused(visitor.delete(space.path("ConfigMap", "c")), 403, "Forbidden")
    assert status["details"] == {"name": "c", "kind": "configmaps"}
    status = refused(Space(visitor, space.name).try_apply(deployment()), 403, "Forbidden")
    assert 'cannot patch resource "deployments" in API group "apps"' in status["message"]
    assert space.exists("ConfigMap", "c") and not space.exists("Deployment", "web")


def test_a_role_gives_its_rights_and_no_more(visitor: Api, space: Space) -> None:
    may_read(space, "configmaps")
    path = space.path("ConfigMap")
    eventually(lambda: visitor.get(path).status_code == 200)
    refused(visitor.post(path, configmap("c")), 403, "Forbidden")
    refused(visitor.get(space.path("Secret")), 403, "Forbidden")
    refused(visitor.get("/api/v1/configmaps"), 403, "Forbidden")


def test_ones_own_rights_are_told(visitor: Api, space: Space) -> None:
    may_read(space, "deployments", "apps")

    def allowed(verb: str) -> bool:
        asked = {"verb": verb, "group": "apps", "resource": "deployments"}
        review: Json = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked | {"namespace": space.name}},
        }
        return bool(ok(visitor.post(REVIEW, review), 201)["status"]["allowed"])

    # To ask for one's own rights is a right too, of everybody who is authenticated.
    visitor.http.headers["impersonate-group"] = "system:authenticated"
    eventually(lambda: allowed("list"))
    assert not allowed("delete")


def test_kubectl_asks_for_another(kubectl: Kubectl, space: Space) -> None:
    args = ("-n", space.name, "--as", VISITOR, "--as-group", "system:authenticated")
    done = kubectl.run(*args, "auth", "can-i", "list", "secrets")
    assert (done.returncode, done.stdout) == (1, "no\n")
    done = kubectl.run(*args, "get", "secrets")
    assert done.returncode == 1 and "Error from server (Forbidden)" in done.stderr


def test_a_wrong_token_is_unauthorized(stranger: Api, space: Space) -> None:
    stranger.http.headers["authorization"] = "Bearer nonsense"
    status = refused(stranger.get(space.path("ConfigMap")), 401, "Unauthorized")
    assert status["message"] == "Unauthorized"


def test_a_token_of_an_account_lets_it_in(stranger: Api, space: Space) -> None:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = space.path("ServiceAccount", "default", "token")
    token = ok(space.api.post(path, body), 201)["status"]["token"]
    stranger.http.headers["authorization"] = f"Bearer {token}"
    status = refused(stranger.get(space.path("ConfigMap")), 403, "Forbidden")
    assert f'User "system:serviceaccount:{space.name}:default"' in status["message"]
