"""A change rolls real pods; one that cannot work is explained, and goes back."""

from __future__ import annotations

import json

from tests.e2e.conftest import Installation
from tests.e2e.shop import START, Shop
from tests.system.server import poll


def test_a_larger_plan_rolls_the_pods_and_keeps_the_volumes(neighbour: Shop) -> None:
    shop = neighbour
    claims = {c["metadata"]["uid"] for c in shop.get("pvc")["items"]}
    before = {shop.pod(c)["metadata"]["uid"] for c in ("database", "wordpress")}
    generation = shop.document()["generation"]
    assert shop.api.patch(shop.path, json={"plan": "medium"}).status_code == 202
    store = shop.ready(generation=generation + 1)
    assert store["plan"] == "medium"
    assert {c["metadata"]["uid"] for c in shop.get("pvc")["items"]} == claims
    pods = [shop.pod(c) for c in ("database", "wordpress")]
    assert before.isdisjoint(p["metadata"]["uid"] for p in pods)
    limits = [p["spec"]["containers"][0]["resources"]["limits"]["memory"] for p in pods]
    assert limits == ["1536Mi", "1Gi"]


def test_an_image_that_is_not_there_is_explained_and_goes_back(
    impatient: Installation, shop: Shop
) -> None:
    store = shop.document()
    generation, failed = store["generation"] + 1, store["revision"] + 1
    good = store["versions"]["wordpress"]
    change = {"versions": {"wordpress": "missing-e2e"}}
    assert shop.api.patch(shop.path, json=change).status_code == 202
    poll(
        lambda: "missing-e2e" in shop.document()["message"],
        seconds=60,
        what="the image being named while it is waited for",
    )
    store = poll(
        lambda: (s := shop.document())["revision"] == failed + 1 and s["phase"] == "Ready" and s,
        seconds=START,
        what="the way back",
    )
    assert store["versions"]["wordpress"] == good and store["generation"] == generation + 1
    assert f"revision {failed}" in store["message"]
    assert f"revision {failed + 1}" in store["message"]
    evidence = shop.api.get(f"{shop.path}/revisions/{failed}/evidence").json()
    assert "ImagePullBackOff" in json.dumps(evidence) or "ErrImagePull" in json.dumps(evidence)
    assert any("missing-e2e" in e["message"] for e in evidence["events"])
    revisions = shop.api.get(f"{shop.path}/revisions").json()["items"]
    outcomes = {r["revision"]: r["outcome"] for r in revisions}
    assert (outcomes[failed], outcomes[failed + 1]) == ("Failed", "Ready")
    assert shop.ready()["versions"]["wordpress"] == good
