"""A volume driver that has no disks: provisions, grows and removes what the claims ask for."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from tests.cluster.client import MERGE, Client
from tests.cluster.pods import NODE

Json = dict[str, Any]
PROVISIONER: Final = "stand-in.test/volumes"
_SELECTED: Final = "volume.kubernetes.io/selected-node"
_CLAIMS: Final = "/api/v1/persistentvolumeclaims"
_VOLUMES: Final = "/api/v1/persistentvolumes"
_UNITS: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


class Volumes:
    """What an external provisioner and a resizer do; binding is the controller manager's."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def run(self) -> None:
        """Follow claims and volumes for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._claims())
            group.create_task(self._volumes())

    async def _claims(self) -> None:
        async for event, claim in self._client.follow(_CLAIMS):
            if event == "DELETED" or claim["metadata"].get("deletionTimestamp"):
                continue
            if (claim.get("status") or {}).get("phase") == "Bound":
                if "volumeName" in claim["spec"]:  # else a test says so, and no volume is there
                    await self._grow(claim)
            elif (claim["metadata"].get("annotations") or {}).get(_SELECTED) == NODE:
                await self._provision(claim)

    async def _volumes(self) -> None:
        async for event, volume in self._client.follow(_VOLUMES):
            ours = volume["metadata"].get("annotations") or {}
            released = (volume.get("status") or {}).get("phase") == "Released"
            if event != "DELETED" and released and PROVISIONER in ours.values():
                await self._client.send("DELETE", f"{_VOLUMES}/{volume['metadata']['name']}")

    async def _provision(self, claim: Json) -> None:
        meta, spec = claim["metadata"], claim["spec"]
        about = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        named = {key: meta[key] for key in ("namespace", "name", "uid")}
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {
                "name": f"pvc-{meta['uid']}",
                "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
            },
            "spec": {
                "accessModes": spec["accessModes"],
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "claimRef": {**about, **named},
                "hostPath": {"path": f"/nowhere/{meta['uid']}"},
                "persistentVolumeReclaimPolicy": "Delete",
                "storageClassName": spec["storageClassName"],
            },
        }
        await self._client.send("POST", _VOLUMES, volume)

    async def _grow(self, claim: Json) -> None:
        meta = claim["metadata"]
        wanted = claim["spec"]["resources"]["requests"]["storage"]
        if _bytes(wanted) <= _bytes(claim["status"].get("capacity", {}).get("storage", "0")):
            return
        size = {"capacity": {"storage": wanted}}
        path = f"{_VOLUMES}/{claim['spec']['volumeName']}"
        await self._client.send("PATCH", path, {"spec": size}, MERGE)
        where = f"/api/v1/namespaces/{meta['namespace']}/persistentvolumeclaims/{meta['name']}"
        await self._client.send("PATCH", f"{where}/status", {"status": size}, MERGE)


def _bytes(quantity: str) -> int:
    factor = _UNITS.get(quantity[-2:])
    return int(float(quantity[:-2]) * factor) if factor else int(quantity)
