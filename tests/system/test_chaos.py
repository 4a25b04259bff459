"""The server killed by -9 at random moments: nothing lost, nothing twice, nothing left over."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.system.server import Server, poll, wait_for_phase

STORES = 30
KILLS = 12


class Chaos:
    """A seeded plan of creates, deletes and kills, and what the user was promised meanwhile."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.promised: set[str] = set()
        self.dismissed: set[str] = set()

    def call(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """Send a request until it is answered; a server that is away is started again."""
        while True:
            try:
                with self.server.client() as client:
                    return client.request(method, path, **kwargs)
            except httpx.TransportError:
                self.counts["unanswered"] += 1
                self.ensure()

    def ensure(self) -> None:
        """Start the server again if it is dead."""
        if self.server.process is None:
            self.server.start()

    def kill_sometime(self) -> None:
        """Kill it within a moment of now, then start it again."""
        time.sleep(self.random.uniform(0, 0.25))  # the randomness of the moment is the test
        self.server.kill()
        self.counts["kills"] += 1
        self.ensure()

    def create(self, store_id: str) -> None:
        key = {"Idempotency-Key": f"create-{store_id}"}
        body = {"id": store_id, "name": f"Shop {store_id}"}
        answer = self.call("POST", "/api/v1/stores", json=body, headers=key)
        assert answer.status_code == 202, answer.text
        self.promised.add(store_id)
        self.counts["creates"] += 1

    def delete(self, store_id: str) -> None:
        answer = self.call("DELETE", f"/api/v1/stores/{store_id}")
        assert answer.status_code in (202, 404), answer.text
        self.dismissed.add(store_id)
        self.counts["deletes"] += 1


def test_killed_at_random_moments_everything_settles(serve: Callable[..., Server]) -> None:
    seed = int(os.environ.get("URUMI_TEST_SEED") or random.randrange(2**32))
    print(f"chaos seed: {seed} (URUMI_TEST_SEED repeats it)")
    chaos = Chaos(serve(URUMI_SANDBOX_SPEED="0.05"), seed)
    kills = set(chaos.random.sample(range(2 * STORES), KILLS))
    for step in range(2 * STORES):
        if step % 2 == 0:
            chaos.create(f"shop-{step // 2:02}")
        elif chaos.random.random() < 0.5:
            chaos.delete(chaos.random.choice(sorted(chaos.promised)))
        if step in kills:
            chaos.kill_sometime()
    _settle(chaos)
    print("chaos:", ", ".join(f"{n} {what}" for what, n in sorted(chaos.counts.items())))


def _settle(chaos: Chaos) -> None:
    server, living = chaos.server, chaos.promised - chaos.dismissed
    with server.client() as client:
        for store_id in sorted(living):
            wait_for_phase(client, store_id, "Ready", seconds=60)
        poll(lambda: _listed(client) == living, seconds=60, what="only the living being listed")
        revisions = {i: client.get(f"/api/v1/stores/{i}").json()["revision"] for i in living}
        assert set(revisions.values()) <= {1}, f"a store was installed twice: {revisions}"
    poll(lambda: _namespaces(server) == living, seconds=60, what="no namespace being left over")
    per_store = Counter(
        o["metadata"]["namespace"] for o in _objects(server) if o["kind"] == "Deployment"
    )
    assert per_store == Counter(f"store-{i}" for i in living)
    chaos.counts["stores ready"] = len(living)
    chaos.counts["left over"] = len(_namespaces(server) - living)


def _listed(client: httpx.Client) -> set[str]:
    page = client.get("/api/v1/stores?limit=200").json()
    ids = [s["id"] for s in page["items"]]
    assert len(ids) == len(set(ids))
    return set(ids)


def _namespaces(server: Server) -> set[str]:
    text = server.kubectl("get", "ns", "-l", "stores.urumi.dev/id", "-o", "json")
    return {n["metadata"]["labels"]["stores.urumi.dev/id"] for n in json.loads(text)["items"]}


def _objects(server: Server) -> list[dict[str, Any]]:
    kinds = "deployment,statefulset,service,ingress"
    text = server.kubectl("get", kinds, "-A", "-l", "stores.urumi.dev/id", "-o", "json")
    items: list[dict[str, Any]] = json.loads(text)["items"]
    return items


@pytest.mark.parametrize("moment", [0.0, 0.02, 0.1])
def test_killed_during_one_delete_it_still_ends(
    serve: Callable[..., Server], moment: float
) -> None:
    server = serve()
    with server.client() as client:
        client.post("/api/v1/stores", json={"id": "acme", "name": "A"})
        wait_for_phase(client, "acme", "Ready")
        client.delete("/api/v1/stores/acme")
    time.sleep(moment)  # the moment of the kill is the parameter
    server.kill()
    server.start()
    with server.client() as client:
        poll(lambda: client.get("/api/v1/stores/acme").status_code == 404, what="the end")
    assert _namespaces(server) == set()
