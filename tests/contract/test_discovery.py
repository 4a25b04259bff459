"""What a client asks first: version, groups, schemas, its rights, its health."""

from __future__ import annotations

from tests.contract.wire import Api, Json, collection, ok

ACCESS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def test_version(api: Api) -> None:
    found = ok(api.get("/version"))
    assert found["major"] == "1"
    assert int(found["minor"].rstrip("+")) >= 35
    assert found["gitVersion"].startswith("v1.")


def test_health(api: Api) -> None:
    for path in ("/healthz", "/livez", "/readyz"):
        answer = api.get(path, accept="*/*")
        assert (answer.status_code, answer.text) == (200, "ok")


def test_groups(api: Api) -> None:
    assert ok(api.get("/api"))["versions"] == ["v1"]
    groups = {g["name"]: g["preferredVersion"]["groupVersion"] for g in _groups(api)}
    for name in ("apps", "batch", "networking.k8s.io", "policy", "storage.k8s.io"):
        assert groups[name] == f"{name}/v1"


def _groups(api: Api) -> list[Json]:
    found: list[Json] = ok(api.get("/apis"))["groups"]
    return found


def test_resources(api: Api) -> None:
    core = {r["name"]: r for r in ok(api.get("/api/v1"))["resources"]}
    assert core["pods"]["namespaced"] is True
    assert core["pods"]["kind"] == "Pod"
    assert core["pods"]["shortNames"] == ["po"]
    assert core["namespaces"]["namespaced"] is False
    assert {"get", "list", "watch", "create", "patch", "delete"} <= set(core["pods"]["verbs"])
    assert "pods/status" in core
    apps = {r["name"]: r for r in ok(api.get("/apis/apps/v1"))["resources"]}
    assert apps["deployments"]["categories"] == ["all"]
    assert apps["deployments/scale"]["kind"] == "Scale"


def test_schemas(api: Api) -> None:
    paths = ok(api.get("/openapi/v3"))["paths"]
    for name in ("api/v1", "apis/apps/v1", "apis/networking.k8s.io/v1"):
        address = paths[name]["serverRelativeURL"]
        path, _, query = address.partition("?")
        document = ok(api.http.get(f"{path}?{query}"))
        assert document["openapi"].startswith("3.")
    schemas = ok(api.get("/openapi/v3/apis/apps/v1"))["components"]["schemas"]
    kinds = schemas["io.k8s.api.apps.v1.Deployment"]["x-kubernetes-group-version-kind"]
    assert {"group": "apps", "version": "v1", "kind": "Deployment"} in kinds


def test_ones_own_rights(api: Api) -> None:
    asked = {"verb": "create", "group": "apps", "resource": "deployments", "namespace": "default"}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    found = ok(api.post(ACCESS, body), 201)
    assert found["status"]["allowed"] is True
    assert found["spec"]["resourceAttributes"] == asked


def test_the_namespaces_of_every_cluster(api: Api) -> None:
    names = {o["metadata"]["name"] for o in ok(api.get(collection("Namespace")))["items"]}
    assert {"default", "kube-system"} <= names


def test_kinds_beyond_a_store(api: Api) -> None:
    for path in (
        "/apis/apps/v1/daemonsets",
        "/apis/autoscaling/v2/horizontalpodautoscalers",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "/apis/scheduling.k8s.io/v1/priorityclasses",
    ):
        assert ok(api.get(path))["kind"].endswith("List")


def test_discovery_in_one_answer(api: Api) -> None:
    """As kubectl asks: everything at once, aggregated."""
    asked = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    found = ok(api.get("/apis", accept=asked))
    assert (found["kind"], found["apiVersion"]) == (
        "APIGroupDiscoveryList",
        "apidiscovery.k8s.io/v2",
    )
    apps = next(i for i in found["items"] if i["metadata"]["name"] == "apps")
    resources = {r["resource"]: r for r in apps["versions"][0]["resources"]}
    assert resources["deployments"]["responseKind"]["kind"] == "Deployment"
    assert {s["subresource"] for s in resources["deployments"]["subresources"]} == {
        "scale",
        "status",
    }
