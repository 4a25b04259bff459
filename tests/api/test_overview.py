"""The operators' overview: what is there, how long it took, what failed, and the past."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import httpx

from orchestrator.model.overview import ClusterSight
from orchestrator.model.store import Phase
from orchestrator.records.samples import MINUTE
from orchestrator.records.tables import samples
from orchestrator.service.overview import CAPACITY_KEPT, Overviews
from tests.api.support import ADMIN, World

OVERVIEW = "/api/v1/overview"


async def test_an_empty_installation_has_an_overview(admin: httpx.AsyncClient) -> None:
    seen = (await admin.get(OVERVIEW)).json()
    assert set(seen["stores"].values()) == {0}
    assert seen["durations"] == {"p50": None, "p95": None, "recent": []}
    assert seen["failures"] == [] and seen["history"] == []
    assert seen["queue"] == {"due": 0, "age": 0.0}
    assert seen["capacity"]["requested"] == {"cpu": 0.0, "memory": 0}


async def test_stores_are_counted_by_phase_and_by_what_their_plans_request(
    world: World, admin: httpx.AsyncClient
) -> None:
    hostile = 'x","plan":"large'
    for store, plan in (("a", "small"), ("b", "small"), ("c", "large")):
        body = {"id": store, "name": hostile, "plan": plan}
        assert (await admin.post("/api/v1/stores", json=body)).status_code == 202
    await world.reach("a", Phase.READY)
    seen = (await admin.get(OVERVIEW)).json()
    assert (seen["stores"]["Ready"], seen["stores"]["Pending"]) == (1, 2)
    # Twice 100m + 100m, once 500m + 500m; twice 256Mi + 512Mi, once 1Gi + 2Gi.
    assert seen["capacity"]["requested"] == {"cpu": 1.4, "memory": (2 * 768 + 3072) * 2**20}
    assert seen["capacity"]["allocatable"] == {"cpu": 8.0, "memory": 16 * 2**30}
    assert seen["latency"] == 0.012
    assert seen["watch"] == {"fresh": True, "staleness": {"Pod": 1.5, "Service": 0.25}}
    await admin.delete("/api/v1/stores/c")
    assert (await admin.get(OVERVIEW)).json()["capacity"]["requested"]["cpu"] == 0.4


async def test_a_cluster_that_says_nothing_leaves_gaps(
    world: World, admin: httpx.AsyncClient
) -> None:
    world.cluster.sight, world.cluster.nodes = ClusterSight(None, False, {}), None
    await world.service.overview.sample()
    seen = (await admin.get(OVERVIEW)).json()
    assert seen["latency"] is None and seen["capacity"]["allocatable"] is None
    assert seen["watch"]["fresh"] is False
    assert [(s["latency"], s["staleness"]) for s in seen["history"]] == [(None, 0.0)]


async def test_nodes_are_listed_twice_a_minute_at_most_and_not_for_samples(world: World) -> None:
    now = 1000.0
    cluster = world.cluster
    overviews = Overviews(world.records, cluster.look, cluster.capacity, clock=lambda: now)
    operator = await world.service.people.authenticate(ADMIN)
    await overviews.sample()
    assert cluster.counted == 0
    at_once = await asyncio.gather(*(overviews.get(operator) for _ in range(3)))
    assert [seen.allocatable for seen in at_once] == [cluster.nodes] * 3
    assert cluster.counted == 1
    now += CAPACITY_KEPT - 1
    cluster.nodes = None
    assert (await overviews.get(operator)).allocatable is not None and cluster.counted == 1
    now += 1
    assert (await overviews.get(operator)).allocatable is None and cluster.counted == 2
    assert (await overviews.get(operator)).allocatable is None and cluster.counted == 2


async def test_a_sample_of_before_has_no_staleness(world: World, admin: httpx.AsyncClient) -> None:
    await world.records.samples.add({"stores": {}, "due": 0, "queueAge": 0.0, "latency": None})
    assert (await admin.get(OVERVIEW)).json()["history"][0]["staleness"] is None


async def test_the_past_is_one_sample_a_minute_for_a_day(
    world: World, admin: httpx.AsyncClient
) -> None:
    await world.service.overview.sample()
    await world.service.overview.sample()
    history = (await admin.get(OVERVIEW)).json()["history"]
    assert len(history) == 1 and history[0]["latency"] == 0.012
    assert history[0]["staleness"] == 1.5, "of the kind that was silent for longest"
    assert datetime.fromisoformat(history[0]["time"]).second == 0
    engine = world.records.samples._engine
    early = engine.now() - timedelta(days=1, minutes=3) // timedelta(microseconds=1)
    row = samples.update().values(time=early - early % MINUTE)
    await engine.write(lambda s: s.run(row))
    await world.service.overview.sample()
    history = (await admin.get(OVERVIEW)).json()["history"]
    assert len(history) == 1, "yesterday's is gone"
