"""One request in five goes wrong: all settles all the same, once, and without a busy loop."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.proxy import Plan
from tests.chaos.scene import Cluster, Scene, scene_on, seeded
from tests.ground import Ground
from tests.system.server import Server, passes_in

STORES = 50
RATE = 0.2
MOST_REQUESTS = 200
"""A store takes some 80 requests through its life here; a busy loop takes thousands."""
MOST_OF_ALL = 1500
"""Creates of namespaces, lists and watches, for all stores together: some hundreds."""


@pytest.mark.timeout(900)
def test_a_faulty_network_loses_nothing_and_repeats_nothing(
    cluster: Cluster, serve: Callable[..., Server], ground: Ground, tmp_path: Path
) -> None:
    plan = Plan(seeded("faults"), RATE)
    with scene_on(cluster, serve, tmp_path, plan) as scene:
        scene.create(*(f"shop-{i:02}" for i in range(STORES)))
        created = scene.await_ready(seconds=300)
        assert {s["revision"] for s in created.values()} == {1}, "a store was installed twice"
        homes = scene.namespaces()
        assert homes.keys() == scene.living

        for store_id in sorted(scene.living):
            change = scene.call("PATCH", f"stores/{store_id}", json={"plan": "medium"})
            assert change.status_code == 202, change.text
        changed = scene.await_ready(generation=2, seconds=300)
        assert {s["revision"] for s in changed.values()} == {2}, "a change was made twice"
        assert scene.namespaces() == homes, "a namespace was made anew"
        for kind in ("Deployment", "StatefulSet", "Ingress", "Secret"):
            assert scene.objects(kind) == sorted(scene.living)

        _assert_quiet(scene)
        scene.delete_all(300)
        _report(scene, ground)
        busy = {store: n for store, n in _counts(scene).items() if n > MOST_REQUESTS}
        assert not busy, "a busy loop"
        rest = scene.proxy.total() - sum(_counts(scene).values())
        assert rest < MOST_OF_ALL, "a busy loop of lists and watches"


def _assert_quiet(scene: Scene) -> None:
    """Look for three seconds without faults: nobody writes, asks or looks again and again."""
    scene.proxy.plan.rate = 0.0
    scene.await_ready(generation=2)
    until = time.monotonic() + 12
    while True:
        writes, total, passes = scene.proxy.writes.total(), scene.proxy.total(), _passes(scene)
        window = time.monotonic() + 3
        while time.monotonic() < window:
            scene.stores()
            time.sleep(0.2)
        asked, looked = scene.proxy.total() - total, _passes(scene) - passes
        if scene.proxy.writes.total() == writes and asked < 60 and looked < STORES:
            break
        # What was under way when the faults ended may take one more look.
        assert time.monotonic() < until, "it does not come to rest"
    scene.proxy.plan.rate = RATE


def _report(scene: Scene, ground: Ground) -> None:
    counts = _counts(scene).values()
    rest = scene.proxy.total() - sum(counts)
    faults = ", ".join(f"{n} {what}" for what, n in sorted(scene.proxy.faults.items()))
    print(
        f"» faults on {ground.name}: {STORES} stores created, changed, deleted; "
        f"{scene.proxy.total()} requests, {scene.proxy.faults.total()} of them faulty ({faults}); "
        f"requests a store: median {statistics.median(counts):.0f}, most {max(counts)}; "
        f"others: {rest}"
    )


def _counts(scene: Scene) -> dict[str, int]:
    """Return the requests about each store."""
    return {f"shop-{i:02}": scene.proxy.requests[f"shop-{i:02}"] for i in range(STORES)}


def _passes(scene: Scene) -> float:
    with scene.server.client() as client:
        return passes_in(client.get("/metrics").text)
