"""What has not changed is not sent again; a watch shows it after controllers have written too."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.applier.ownership import digest
from orchestrator.cluster import WatchEvent
from orchestrator.model.changeset import Action
from orchestrator.model.inventory import Inventory
from orchestrator.model.kinds import KINDS, Json, ObjectRef
from tests.applier.conftest import PATIENCE, World

POD: Json = {
    "metadata": {"labels": {"app": "odd"}},
    "spec": {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 33},
        "containers": [
            {
                "name": "main",
                "image": "registry.example/odd:missing",
                "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}],
                "env": [{"name": "A", "value": "1"}, {"name": "B"}],
                "resources": {
                    "requests": {"cpu": "0.1", "memory": "1024Mi"},
                    "limits": {"cpu": "1000m", "memory": "1.5Gi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
                "readinessProbe": {"httpGet": {"path": "/", "port": 80}},
            }
        ],
        "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "0.5Gi"}}],
    },
}


def odd_objects(world: World) -> list[Json]:
    """Objects whose stored form differs from the sent one: quantities, defaults, empty lists."""
    selector = {"matchLabels": {"app": "odd"}}
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1024Mi"}},
        },
    }
    specs: list[tuple[str, dict[str, Any]]] = [
        ("Secret", {"type": "Opaque", "data": {"k": "dg=="}}),
        ("ConfigMap", {"data": {"empty": "", "text": "a: b\n"}, "binaryData": {"raw": "AAEC"}}),
        ("ResourceQuota", {"spec": {"hard": {"limits.cpu": "4000m", "requests.storage": "2.5Gi"}}}),
        (
            "LimitRange",
            {
                "spec": {
                    "limits": [{"type": "Container", "default": {"cpu": "0.50", "memory": "1G"}}]
                }
            },
        ),
        (
            "NetworkPolicy",
            {"spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": []}]}},
        ),
        ("PersistentVolumeClaim", {"spec": claim["spec"]}),
        ("Service", {"spec": {"selector": {"app": "odd"}, "ports": [{"port": 80}]}}),
        (
            "StatefulSet",
            {
                "spec": {
                    "serviceName": "odd",
                    "selector": selector,
                    "template": POD,
                    "volumeClaimTemplates": [claim],
                }
            },
        ),
        ("Deployment", {"spec": {"replicas": 1, "selector": selector, "template": POD}}),
        (
            "CronJob",
            {
                "spec": {
                    "schedule": "*/5 * * * *",
                    "suspend": True,
                    "jobTemplate": {
                        "spec": {
                            "template": {
                                "spec": {**POD["spec"], "restartPolicy": "Never"},
                            }
                        }
                    },
                }
            },
        ),
        ("PodDisruptionBudget", {"spec": {"maxUnavailable": "50%", "selector": selector}}),
        (
            "Ingress",
            {"spec": {"defaultBackend": {"service": {"name": "odd", "port": {"number": 80}}}}},
        ),
    ]
    labels = world.render().objects[0]["metadata"]["labels"]
    meta = {"name": "odd", "namespace": world.namespace.name, "labels": labels}
    return [
        {"apiVersion": KINDS[kind].api_version, "kind": kind, "metadata": meta, **body}
        for kind, body in specs
    ]


async def watched(world: World, objects: Iterable[Json]) -> dict[ObjectRef, Json]:
    """List and watch each kind until what controllers write of ``objects`` is there."""
    wanted = {ObjectRef.of(o) for o in objects}
    live: dict[ObjectRef, Json] = {}
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        for kind in {ref.kind for ref in wanted}:
            group.create_task(follow(world, kind, wanted, live))
    return live


async def follow(
    world: World, kind: str, wanted: set[ObjectRef], live: dict[ObjectRef, Json]
) -> None:
    selector = f"stores.urumi.dev/id={world.store_id}"
    listed = await world.cluster.list(KINDS[kind], selector=selector)
    live.update({ObjectRef.of(o): o for o in listed.items})
    mine = {ref for ref in wanted if ref.kind == kind}
    if all(written(live.get(ref)) for ref in mine):
        return
    watch = world.cluster.watch(
        KINDS[kind], selector=selector, resource_version=listed.resource_version
    )
    assert isinstance(watch, AsyncGenerator)
    async with contextlib.aclosing(watch) as events:
        async for event in events:
            take(event, live)
            if all(written(live.get(ref)) for ref in mine):
                return


def take(event: WatchEvent, live: dict[ObjectRef, Json]) -> None:
    if event.type != "BOOKMARK":
        live[ObjectRef.of(event.object)] = event.object


def written(obj: Json | None) -> bool:
    """Whether the controllers have had their turn."""
    if obj is None:
        return False
    status = obj.get("status") or {}
    if obj["kind"] in ("StatefulSet", "Deployment", "PodDisruptionBudget"):
        return bool(status.get("observedGeneration") == obj["metadata"]["generation"])
    return "hard" in status if obj["kind"] == "ResourceQuota" else True


@pytest.mark.parametrize("which", ["store", "odd"])
async def test_nothing_is_sent_again(world: World, which: str) -> None:
    rendered = world.render().objects
    objects = list(rendered) if which == "store" else [rendered[0], *odd_objects(world)]
    first = await world.applier.apply(
        objects, inventory=world.applier.planned(objects, Inventory()), live={}
    )
    assert first.problem is None
    live = await watched(world, objects)
    assert world.applier.drifted(objects, first.inventory, live) == []
    planned = world.applier.planned(objects, first.inventory)
    assert planned == first.inventory
    again = await world.applier.apply(objects, inventory=planned, live=live)
    assert {(c.ref.kind, c.action) for c in again.changes} == {
        (o["kind"], Action.UNCHANGED) for o in objects
    }
    assert (again.live, again.inventory) == ({}, first.inventory)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_digest_is_that_of_canonical_json(value: object) -> None:
    """Digests are recorded: another way to write them would send every store again."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    expected = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    assert digest(value) == expected
