"""The cluster, its store or our right to it goes away in the middle of work, and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from tests.chaos.proxy import Plan
from tests.chaos.scene import Cluster, Scene, scene_on, seeded
from tests.cluster.authority import User
from tests.ground import Ground
from tests.system.server import Server, events, poll

LEASE = 15.0
LIMIT = 30.0
STORES = 8
NO_PLANE = "needs a control plane of its own to break: make test-cluster, without KUBECONFIG"
LIBRARIES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/local/lib/faketime/libfaketime.so.1")
NO_FAKETIME = "libfaketime is not installed: apt-get install faketime"

pytestmark = pytest.mark.timeout(400)
Serve = Callable[..., Server]


def ids(word: str, count: int = STORES) -> list[str]:
    return [f"{word}-{i}" for i in range(count)]


def settle(scene: Scene) -> None:
    """See that all is as if nothing had happened, then take everything down."""
    stores = scene.await_ready()
    assert {s["revision"] for s in stores.values()} == {1}, "a store was installed twice"
    assert scene.objects("Deployment") == sorted(scene.living)
    scene.delete_all()


def started(scene: Scene) -> bool:
    """Whether the service has begun to apply, and is not through."""
    return any(s["phase"] == "Provisioning" for s in scene.stores().values())


def test_an_api_server_killed_and_restarted(cluster: Cluster, serve: Serve, tmp_path: Path) -> None:
    if cluster.apiserver is None:
        pytest.skip(NO_PLANE)
    with scene_on(cluster, serve, tmp_path, Plan(seeded("restarts"))) as scene:
        for turn in range(2):
            scene.create(*ids(f"turn{turn}"))
            poll(lambda: started(scene), what="the work being under way")
            cluster.apiserver.kill()
            cluster.apiserver.start()
            cluster.await_api()
        settle(scene)


def test_an_api_server_gone_for_longer_than_the_lease(
    cluster: Cluster, serve: Serve, tmp_path: Path
) -> None:
    """Nothing fails for it: the revision's clock stands still, though its time is far shorter."""
    limit = {"URUMI_PROVISION_TIMEOUT": f"{LIMIT:g}s"}
    with scene_on(cluster, serve, tmp_path, Plan(seeded("long outage")), **limit) as scene:
        scene.create(*ids("long"))
        poll(lambda: started(scene), what="the work being under way")
        scene.proxy.away(True)
        began = time.monotonic()
        poll(
            lambda: httpx.get(scene.server.url + "/readyz").status_code == 503,
            what="the outage being seen",
        )
        poll(lambda: time.monotonic() - began > LIMIT + 3, seconds=60, what="its time")
        scene.proxy.away(False)
        scene.await_ready()
        # One that was Ready before the outage is so all the time: it is told a little later.
        await_conditions(scene)
        told = {store_id: outage_told(scene, store_id) for store_id in sorted(scene.living)}
        once = ["ClusterUnreachable", "ClusterBack"]
        assert once in told.values(), told
        assert all(each in ([], once) for each in told.values()), told
        settle(scene)


def await_conditions(scene: Scene) -> None:
    """Wait until every store is observed again."""

    def observed() -> bool:
        conditions = [c for s in scene.stores().values() for c in s["conditions"]]
        return {c["status"] for c in conditions if c["type"] == "Ready"} == {"True"}

    poll(observed, what="every store being observed again")


def outage_told(scene: Scene, store_id: str) -> list[str]:
    """Return what the timeline says of outages: each begins and ends once."""
    with scene.server.client() as client:
        said = [e["reason"] for e in events(client, store_id)]
    return [reason for reason in said if reason in ("ClusterUnreachable", "ClusterBack")]


def test_an_etcd_restarted(ground: Ground, cluster: Cluster, serve: Serve, tmp_path: Path) -> None:
    if ground.plane is None:
        pytest.skip(NO_PLANE)
    with scene_on(cluster, serve, tmp_path, Plan(seeded("etcd"))) as scene:
        scene.create(*ids("etcd"))
        poll(lambda: started(scene), what="the work being under way")
        ground.plane.etcd.kill()
        ground.plane.etcd.start()
        ground.plane.await_etcd()
        cluster.await_api()
        settle(scene)


def test_a_token_revoked_and_renewed(
    ground: Ground, cluster: Cluster, serve: Serve, tmp_path: Path
) -> None:
    """A new token in the kubeconfig is taken up without a restart; until then it says why."""
    if ground.account is None:
        pytest.skip("the sandbox has no authentication: make test-cluster")
    with scene_on(cluster, serve, tmp_path, Plan(seeded("token"))) as scene:
        tie = ground.account.tie()
        first = User("service", token=ground.account.token(bound_to=tie))
        first.kubeconfig(scene.proxy.url, None, scene.kubeconfig)
        scene.server.stop()
        scene.server.start()
        scene.create("before")
        scene.await_ready()
        ground.account.cut(tie)
        scene.proxy.away(True)  # whoever watches keeps an open stream until it ends
        scene.proxy.away(False)
        poll(lambda: _refused(scene), seconds=60, what="the token being refused")
        scene.create("after")
        poll(
            lambda: "Unauthorized" in scene.stores()["after"]["message"],
            what="the store saying what it waits for",
        )
        assert scene.stores()["before"]["phase"] == "Ready", "the shop serves all the same"
        second = User("service", token=ground.account.token())
        second.kubeconfig(scene.proxy.url, None, scene.kubeconfig)
        settle(scene)


def _refused(scene: Scene) -> bool:
    checks = httpx.get(scene.server.url + "/readyz").json()["checks"]
    return not checks["cluster"]["ok"] and "Unauthorized" in str(checks)


def test_a_clock_set_forward_and_back_by_minutes(
    cluster: Cluster, serve: Serve, tmp_path: Path
) -> None:
    """Leases, due times and the revisions' clock are of the service's time: it may jump."""
    library = next((str(p) for g in LIBRARIES for p in Path("/").glob(g[1:])), None)
    if library is None:
        pytest.skip(NO_FAKETIME)
    offset = tmp_path / "offset"
    set_clock(offset, 0)
    fake = {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with scene_on(cluster, serve, tmp_path, Plan(seeded("clock")), **fake) as scene:
        for turn, minutes in enumerate((7, -7, 0)):
            scene.create(*ids(f"turn{turn}", 4))
            poll(lambda: started(scene), what="the work being under way")
            set_clock(offset, minutes)
            poll(lambda m=minutes: abs(_skew(scene) - m) < 1, what="the clock being set")  # type: ignore[misc]
        settle(scene)


def set_clock(offset: Path, minutes: float) -> None:
    part = offset.with_suffix(".part")
    part.write_text(f"{minutes * 60:+.0f}s\n")
    part.rename(offset)


def _skew(scene: Scene) -> float:
    """Return by how many minutes the service's clock is ahead."""
    told = parsedate_to_datetime(scene.call("GET", "me").headers["date"])
    return (told.timestamp() - time.time()) / 60
