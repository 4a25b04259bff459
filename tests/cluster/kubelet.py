"""A stand-in for node, kubelet, volume driver and ingress controller: pods without nodes.

``python -m tests.cluster.kubelet KUBECONFIG`` runs until SIGTERM, over any number of restarts of
the API server. The scheduler and the controllers beside it are real, so a pod that is too large is
refused by the real scheduler, and a claim is bound by the real volume controller.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.cluster.client import APPLY, MERGE, Client
from tests.cluster.pods import ADDRESS, NODE, Needs, Step, advance
from tests.cluster.volumes import PROVISIONER, Volumes

Json = dict[str, Any]
_CAPACITY: Final = {"cpu": "2k", "memory": "8Ti", "pods": "10k", "ephemeral-storage": "8Ti"}


class Kubelet:
    """Moves every pod on the stand-in's node from one stage to the next."""

    def __init__(self, client: Client, group: asyncio.TaskGroup) -> None:
        self._client = client
        self._group = group
        self._news: dict[str, asyncio.Event] = {}

    async def run(self) -> None:
        """Follow the node's pods for ever."""
        async for event, pod in self._client.follow("/api/v1/pods", f"spec.nodeName={NODE}"):
            uid = pod["metadata"]["uid"]
            if uid in self._news:
                self._news[uid].set()
            elif event != "DELETED":
                self._news[uid] = asyncio.Event()
                self._group.create_task(self._live(pod))

    async def _live(self, pod: Json) -> None:
        """Take one pod as far as it goes, again whenever there is news, until it is gone."""
        path, uid = _path(pod), pod["metadata"]["uid"]
        news = self._news[uid]
        current: Json | None = pod
        while current is not None:
            news.clear()
            if current["metadata"].get("deletionTimestamp"):
                await self._end(path, uid)
                break
            step = advance(current, await self._needs(current))
            if step.status != current.get("status"):
                current = await self._write(path, uid, current, step)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(step.again):
                    await news.wait()
            current = await self._read(path, uid)
        del self._news[uid]

    async def _read(self, path: str, uid: str) -> Json | None:
        status, pod = await self._client.send("GET", path)
        return pod if status == 200 and pod["metadata"]["uid"] == uid else None

    async def _write(self, path: str, uid: str, before: Json, step: Step) -> Json | None:
        body = {"metadata": {"uid": uid}, "status": step.status}
        status, pod = await self._client.send("PATCH", f"{path}/status", body, MERGE)
        if status >= 300:
            return await self._read(path, uid)
        for kind, reason, message in step.events:
            await self._tell(before, kind, reason, message)
        return pod

    async def _end(self, path: str, uid: str) -> None:
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", **options}
        await self._client.send("DELETE", path, body)

    async def _tell(self, pod: Json, kind: str, reason: str, message: str) -> None:
        meta = pod["metadata"]
        about = {"kind": "Pod", "apiVersion": "v1", "name": meta["name"], "uid": meta["uid"]}
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{meta['name'][:200]}."},
            "involvedObject": {**about, "namespace": meta["namespace"]},
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": "kubelet", "host": NODE},
        }
        await self._client.send("POST", f"/api/v1/namespaces/{meta['namespace']}/events", body)

    async def _needs(self, pod: Json) -> Needs:
        """Look whether there is what the pod refers to; one that runs has it already."""
        if (pod.get("status") or {}).get("phase") not in (None, "Pending"):
            return Needs()
        needs: dict[str, str] = {}
        for container in (*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]):
            if problem := await self._first_missing(pod, _references(container)):
                needs[container["name"]] = problem
        return Needs(await self._unmountable(pod), needs)

    async def _unmountable(self, pod: Json) -> str | None:
        for volume in pod["spec"].get("volumes") or ():
            if problem := await self._first_missing(pod, _sources(volume)):
                return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {problem}'
        return None

    async def _first_missing(self, pod: Json, sources: Iterator[tuple[str, Json]]) -> str | None:
        for plural, source in sources:
            if source.get("optional"):
                continue
            where = f"/api/v1/namespaces/{pod['metadata']['namespace']}/{plural}/{source['name']}"
            status, found = await self._client.send("GET", where)
            kind = plural.removesuffix("s")
            if status == 404:
                return f'{kind} "{source["name"]}" not found'
            key = source.get("key")
            if key and key not in (found.get("data") or {}):
                return f"couldn't find key {key} in {kind} {source['name']}"
        return None


def _references(container: Json) -> Iterator[tuple[str, Json]]:
    for source in container.get("envFrom") or ():
        if "secretRef" in source:
            yield "secrets", source["secretRef"]
        if "configMapRef" in source:
            yield "configmaps", source["configMapRef"]
    for entry in container.get("env") or ():
        value = entry.get("valueFrom") or {}
        if "secretKeyRef" in value:
            yield "secrets", value["secretKeyRef"]
        if "configMapKeyRef" in value:
            yield "configmaps", value["configMapKeyRef"]


def _sources(volume: Json) -> Iterator[tuple[str, Json]]:
    if "secret" in volume:
        yield "secrets", {**volume["secret"], "name": volume["secret"]["secretName"]}
    if "configMap" in volume:
        yield "configmaps", volume["configMap"]


def _path(pod: Json) -> str:
    meta = pod["metadata"]
    return f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"


async def furnish(client: Client) -> None:
    """Make what a cluster with a node has: the node, classes of storage and ingress."""
    storage = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "standard",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }
    route = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "traefik"},
        "spec": {"controller": "traefik.io/ingress-controller"},
    }
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
    labels = {"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux"}
    node["metadata"] = {"name": NODE, "labels": labels}
    for path, body in (
        ("/apis/storage.k8s.io/v1/storageclasses/standard", storage),
        ("/apis/networking.k8s.io/v1/ingressclasses/traefik", route),
        (f"/api/v1/nodes/{NODE}", node),
    ):
        status, answer = await client.send(
            "PATCH", f"{path}?fieldManager=stand-in&force=true", body, APPLY
        )
        assert status < 300, answer
    ready = {
        "capacity": _CAPACITY,
        "allocatable": _CAPACITY,
        "addresses": [{"type": "InternalIP", "address": ADDRESS}],
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
    }
    await client.send("PATCH", f"/api/v1/nodes/{NODE}/status", {"status": ready}, MERGE)
    # Admission marks every new node as not ready; who takes that away does not run here.
    await client.send("PATCH", f"/api/v1/nodes/{NODE}", {"spec": {"taints": None}}, MERGE)


async def main(kubeconfig: Path) -> None:
    """Run until SIGTERM."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        async with Client(kubeconfig) as client:
            await furnish(client)
            print("ready", flush=True)
            async with asyncio.TaskGroup() as group:
                group.create_task(Kubelet(client, group).run())
                group.create_task(Volumes(client).run())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
