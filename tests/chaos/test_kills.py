"""The server killed by -9 at random moments: nothing lost, nothing twice, nothing left over."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chaos.proxy import Plan
from tests.chaos.scene import Cluster, Scene, scene_on, seeded
from tests.ground import SANDBOX, Ground
from tests.system.server import Server, events, poll, wait_for_phase

STORES = 25
FEWEST = 10
IN_A_ROW = 3
LONGEST_LIFE = 1.3
"""Seconds after its start at which it is killed at the latest, often before it serves."""

pytestmark = pytest.mark.timeout(900)
Serve = Callable[..., Server]


def how_many(ground: Ground, real: int, simulated: int) -> int:
    """Two hundred kills over the suite on a real API server, fewer on the sandbox."""
    return simulated if ground is SANDBOX else real


class Chaos:
    """A seeded plan of creates, changes, deletes and kills, and what the user was promised."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.server = scene.server
        self.random = random.Random(f"{scene.proxy.plan.seed} acts")
        self.counts: Counter[str] = Counter()
        self.generations: dict[str, int] = {}

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request until it is answered; a server that is dead is started again."""
        while True:
            if self.server.process is None:
                self.server.start()
            try:
                return self.scene.call(method, path, **more)
            except httpx.TransportError:
                self.counts["unanswered"] += 1

    def kill_sometime(self) -> None:
        """Kill it at a random moment of its life, half of the time before it serves."""
        if self.server.process is None:
            self.server.spawn()
        # The randomness of the moment is the test.
        time.sleep(self.random.uniform(0, LONGEST_LIFE))
        self.server.kill()
        self.counts["kills"] += 1

    def create(self, store_id: str) -> None:
        body = {"id": store_id, "name": f"Shop {store_id}"}
        key = {"Idempotency-Key": f"create-{store_id}"}
        with_key = {"json": body, "headers": key}
        answer = self.call("POST", "stores", **with_key)
        assert answer.status_code == 202, answer.text
        self.scene.living.add(store_id)
        self.generations[store_id] = 1
        self.counts["creates"] += 1

    def change(self, store_id: str) -> None:
        """Ask for the other plan; asked twice, it is one change."""
        plan = "medium" if self.generations[store_id] % 2 else "small"
        answer = self.call("PATCH", f"stores/{store_id}", json={"plan": plan})
        assert answer.status_code == 202, answer.text
        self.generations[store_id] += 1
        self.counts["changes"] += 1

    def delete(self, store_id: str) -> None:
        answer = self.call("DELETE", f"stores/{store_id}")
        assert answer.status_code in (202, 404), answer.text
        self.scene.living.discard(store_id)
        self.counts["deletes"] += 1

    def act(self, number: int) -> None:
        """Do the next thing that a user might."""
        if number < STORES:
            self.create(f"shop-{number:02}")
        living = sorted(self.scene.living)
        chance = self.random.random()
        if len(living) > FEWEST and chance < 0.15:
            self.delete(self.random.choice(living))
        elif living and chance < 0.45:
            self.change(self.random.choice(living))

    def run(self, kills: int) -> None:
        """Act, then kill a few times in a row, until all that was planned is done."""
        rounds = max(kills // IN_A_ROW, STORES)
        for number in range(rounds):
            self.act(number)
            while self.counts["kills"] < kills * (number + 1) // rounds:
                self.kill_sometime()
        if self.server.process is None:
            self.server.start()

    def settle(self, ground: Ground) -> None:
        """All that was promised is there, once; nothing else is."""
        scene = self.scene
        stores = poll(self._settled, seconds=300, what="everything being as was promised")
        for store_id, store in stores.items():
            assert store["generation"] == self.generations[store_id], "a change was lost or doubled"
            assert store["revision"] <= store["generation"], "a revision was made twice"
            self._told_once(store_id, store["revision"])
        poll(
            lambda: scene.namespaces().keys() == scene.living,
            seconds=120,
            what="no namespace being left over",
        )
        for kind in ("Deployment", "StatefulSet", "Ingress"):
            assert scene.objects(kind) == sorted(scene.living)
        self.counts["stores ready"] = len(scene.living)
        self.counts["left over"] = len(scene.namespaces().keys() - scene.living)
        done = ", ".join(f"{n} {what}" for what, n in sorted(self.counts.items()))
        print(f"» kills on {ground.name}: {done}")

    def _told_once(self, store_id: str, revisions: int) -> None:
        """Every revision began once, the last one ended once, and nothing was lost on the way."""
        with self.server.client() as client:
            entries = events(client, store_id)
        told = Counter(e["reason"] for e in entries)
        assert told["RevisionStarted"] == revisions
        assert 1 <= told["RevisionReady"] <= revisions and not told["RevisionFailed"]
        drifts = [e["message"] for e in entries if e["reason"] == "Drifted"]
        assert not drifts, "nobody has changed anything"

    def _settled(self) -> dict[str, Any] | None:
        stores = self.scene.stores()
        ready = {i for i, s in stores.items() if s["phase"] == "Ready"}
        latest = all(s["observedGeneration"] == s["generation"] for s in stores.values())
        return stores if ready == stores.keys() == self.scene.living and latest else None


def test_killed_at_random_moments_everything_settles(
    ground: Ground, cluster: Cluster, serve: Serve, tmp_path: Path
) -> None:
    kills = how_many(ground, 150, 25)
    with scene_on(cluster, serve, tmp_path, Plan(seeded("kills"))) as scene:
        chaos = Chaos(scene)
        chaos.run(kills)
        chaos.settle(ground)
        scene.delete_all()


def test_killed_while_the_network_fails_everything_settles(
    ground: Ground, cluster: Cluster, serve: Serve, tmp_path: Path
) -> None:
    kills = how_many(ground, 50, 10)
    with scene_on(cluster, serve, tmp_path, Plan(seeded("kills and faults"), 0.2)) as scene:
        chaos = Chaos(scene)
        chaos.run(kills)
        scene.proxy.plan.rate = 0.0
        chaos.settle(ground)
        scene.delete_all()


@pytest.mark.parametrize("moment", [0.0, 0.02, 0.1])
def test_killed_during_one_delete_it_still_ends(
    cluster: Cluster, serve: Serve, tmp_path: Path, moment: float
) -> None:
    with scene_on(cluster, serve, tmp_path, Plan(0)) as scene:
        scene.create("acme")
        with scene.server.client() as client:
            wait_for_phase(client, "acme", "Ready")
            client.delete("/api/v1/stores/acme")
        time.sleep(moment)  # the moment of the kill is the parameter
        scene.server.kill()
        scene.server.start()
        poll(lambda: not scene.stores(), what="the end")
        assert not scene.namespaces()
