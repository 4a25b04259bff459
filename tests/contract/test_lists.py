"""Reading: lists in pages, selectors, resourceVersions, and the other shapes of an answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.manifests import configmap, deployment, pod
from tests.contract.wire import Api, Space, collection, ok, refused

META = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
META_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def names(space: Space, **params: str) -> list[str]:
    return [o["metadata"]["name"] for o in space.items("ConfigMap", labelSelector="x", **params)]


def fill(space: Space) -> None:
    for name, tier in (("a", "1"), ("b", "2"), ("c", "2"), ("d", "3"), ("e", "3")):
        space.create(configmap(name, labels={"x": "", "tier": tier}))


def test_a_list_is_a_list(space: Space) -> None:
    fill(space)
    found = ok(space.api.get(space.path("ConfigMap"), labelSelector="x"))
    assert (found["kind"], found["apiVersion"]) == ("ConfigMapList", "v1")
    assert int(found["metadata"]["resourceVersion"]) > 0
    assert [o["metadata"]["name"] for o in found["items"]] == ["a", "b", "c", "d", "e"]
    assert "kind" not in found["items"][0], "items of a typed list do not repeat their kind"


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("tier=1", "a"),
        ("tier==1", "a"),
        ("x,tier!=2", "ade"),
        ("tier in (1, 3)", "ade"),
        ("x,tier notin (1,3)", "bc"),
        ("x", "abcde"),
        ("x,!tier", ""),
        ("tier=2,x", "bc"),
        ("tier=none", ""),
    ],
)
def test_label_selectors(space: Space, selector: str, expected: str) -> None:
    fill(space)
    found = space.items("ConfigMap", labelSelector=selector)
    assert "".join(o["metadata"]["name"] for o in found) == expected


def test_field_selectors(space: Space) -> None:
    fill(space)
    assert names(space, fieldSelector="metadata.name=b") == ["b"]
    assert names(space, fieldSelector="metadata.name!=b") == ["a", "c", "d", "e"]
    everywhere = ok(
        space.api.get(collection("ConfigMap"), fieldSelector=f"metadata.namespace={space.name}")
    )
    assert {o["metadata"]["namespace"] for o in everywhere["items"]} == {space.name}
    space.create(pod("p"))
    assert [o["metadata"]["name"] for o in space.items("Pod", fieldSelector="status.phase!=x")]
    assert not space.items("Pod", fieldSelector="status.phase=Failed")


def test_wrong_selectors_are_refused(space: Space) -> None:
    path = space.path("ConfigMap")
    refused(space.api.get(path, labelSelector="a in"), 400, "BadRequest")
    status = refused(space.api.get(path, fieldSelector="spec.nothing=1"), 400, "BadRequest")
    assert "spec.nothing" in status["message"]


def test_a_list_in_pages_is_one_moment(space: Space) -> None:
    fill(space)
    path = space.path("ConfigMap")
    page = ok(space.api.get(path, labelSelector="x", limit="2"))
    version, token = page["metadata"]["resourceVersion"], page["metadata"]["continue"]
    space.create(configmap("bb", labels={"x": ""}))
    space.delete("ConfigMap", "c")
    found = [o["metadata"]["name"] for o in page["items"]]
    while token:
        page = ok(space.api.get(path, labelSelector="x", limit="2", **{"continue": token}))
        found += [o["metadata"]["name"] for o in page["items"]]
        assert page["metadata"]["resourceVersion"] == version
        token = page["metadata"].get("continue")
    assert found == ["a", "b", "c", "d", "e"]
    assert names(space) == ["a", "b", "bb", "d", "e"]


def test_the_last_page_has_no_continue(space: Space) -> None:
    fill(space)
    page = ok(space.api.get(space.path("ConfigMap"), labelSelector="x", limit="50"))
    assert "continue" not in page["metadata"]
    assert "remainingItemCount" not in page["metadata"]


def test_a_list_of_everything_counts_what_remains(space: Space) -> None:
    fill(space)
    total = len(space.items("ConfigMap"))
    page = ok(space.api.get(space.path("ConfigMap"), limit="2"))
    assert page["metadata"]["remainingItemCount"] == total - 2


def test_a_wrong_continue_is_refused(space: Space) -> None:
    answer = space.api.get(space.path("ConfigMap"), limit="1", **{"continue": "nonsense"})
    refused(answer, 400, "BadRequest")


def test_resource_versions_of_lists(space: Space) -> None:
    made = space.create(configmap("a"))["metadata"]["resourceVersion"]
    path = space.path("ConfigMap")
    for params in ({"resourceVersion": "0"}, {"resourceVersion": made}):
        assert ok(space.api.get(path, **params))["items"]
    refused(space.api.get(path, resourceVersion="abc"), 400, "BadRequest")
    exact = {"resourceVersion": made, "resourceVersionMatch": "Exact"}
    space.create(configmap("b"))
    found = ok(space.api.get(path, **exact))
    assert found["metadata"]["resourceVersion"] == made
    assert "b" not in [o["metadata"]["name"] for o in found["items"]]


def test_what_is_not_there_is_not_found(api: Api, space: Space) -> None:
    status = refused(api.get(space.path("ConfigMap", "none")), 404, "NotFound")
    assert status["message"] == 'configmaps "none" not found'
    assert status["details"] == {"name": "none", "kind": "configmaps"}
    status = refused(api.get(space.path("Deployment", "none")), 404, "NotFound")
    assert status["message"] == 'deployments.apps "none" not found'
    assert status["details"]["group"] == "apps"
    assert api.get("/apis/example.com/v1/things").status_code == 404
    nowhere = Space(api, "contract-no-such-namespace")
    assert nowhere.items("ConfigMap") == []
    answer = api.post(nowhere.path("ConfigMap"), configmap())
    assert refused(answer, 404, "NotFound")["details"]["kind"] == "namespaces"


def test_one_object_as_metadata(space: Space) -> None:
    space.create(configmap("c", data={"a": "1"}, labels={"x": "y"}))
    found = ok(space.api.get(space.path("ConfigMap", "c"), accept=META))
    assert (found["kind"], found["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert found["metadata"]["labels"] == {"x": "y"}
    assert set(found) == {"kind", "apiVersion", "metadata"}


def test_a_list_as_metadata(space: Space) -> None:
    fill(space)
    path = space.path("ConfigMap")
    found = ok(space.api.get(path, accept=META_LIST, labelSelector="tier=2"))
    assert found["kind"] == "PartialObjectMetadataList"
    assert found["metadata"]["resourceVersion"]
    assert [o["metadata"]["name"] for o in found["items"]] == ["b", "c"]
    assert "data" not in found["items"][0]


def test_a_list_as_a_table(space: Space) -> None:
    space.create(deployment("web"))
    found = ok(space.api.get(space.path("Deployment"), accept=TABLE))
    assert (found["kind"], found["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    columns = [c["name"] for c in found["columnDefinitions"] if c["priority"] == 0]
    assert columns == ["Name", "Ready", "Up-to-date", "Available", "Age"]
    row = found["rows"][0]
    assert row["cells"][:4] == ["web", "0/0", 0, 0]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert row["object"]["metadata"]["name"] == "web"


def test_a_table_can_carry_the_objects(space: Space) -> None:
    space.create(configmap("c", data={"a": "1"}))
    path = space.path("ConfigMap", "c")
    found = ok(space.api.get(path, accept=TABLE, includeObject="Object"))
    assert found["rows"][0]["object"]["data"] == {"a": "1"}
    bare = ok(space.api.get(path, accept=TABLE, includeObject="None"))
    assert bare["rows"][0]["cells"][0] == "c"


def test_a_shape_nobody_knows_is_not_acceptable(space: Space) -> None:
    answer = space.api.get(space.path("ConfigMap"), accept="image/png")
    refused(answer, 406, "NotAcceptable")


def test_a_version_that_was_not_reached_yet(space: Space) -> None:
    made = space.create(configmap("a"))["metadata"]["resourceVersion"]
    future = str(int(made) + 1_000_000)
    paths = (space.path("ConfigMap"), space.path("ConfigMap", "a"))
    with ThreadPoolExecutor() as pool:  # a server waits some seconds for the version to come
        answers = list(pool.map(lambda p: space.api.get(p, resourceVersion=future), paths))
    for answer in answers:
        status = refused(answer, 504, "Timeout")
        assert status["message"].startswith("Timeout: Too large resource version")
        assert status["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
        assert status["details"]["retryAfterSeconds"] == 1


def test_a_page_is_of_its_own_version(space: Space) -> None:
    fill(space)
    path = space.path("ConfigMap")
    page = ok(space.api.get(path, limit="2"))["metadata"]
    token = {"continue": page["continue"]}
    answer = space.api.get(path, limit="2", resourceVersion=page["resourceVersion"], **token)
    refused(answer, 400, "BadRequest")
    answer = space.api.get(path, resourceVersion="0", resourceVersionMatch="Exact")
    refused(answer, 422, "Invalid")
    refused(space.api.get(path, resourceVersionMatch="NotOlderThan"), 422, "Invalid")
