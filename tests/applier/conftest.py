from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.applier import Applier
from orchestrator.cluster import Cluster, ClusterTarget, connect
from orchestrator.model.errors import ObjectNotFound
from orchestrator.model.kinds import Json, ObjectRef
from orchestrator.renderer import Credentials, Rendered, Renderer, StoreProfile
from orchestrator.sandbox import Sandbox, SandboxOptions
from orchestrator.telemetry import Metrics
from tests.applier.samples import PROFILE, spec
from tests.ground import Ground

PATIENCE = 30.0


@dataclass
class World:
    """A cluster, an applier, and one store's manifests under an id that nobody else uses."""

    cluster: Cluster
    applier: Applier
    metrics: Metrics
    store_id: str
    uid: str

    @property
    def namespace(self) -> ObjectRef:
        return ObjectRef("Namespace", "", f"store-{self.store_id}")

    def ref(self, kind: str, name: str) -> ObjectRef:
        return ObjectRef(kind, self.namespace.name, name)

    def render(self, plan: str = "small", profile: StoreProfile = PROFILE) -> Rendered:
        return Renderer().render(self.store_id, self.uid, spec(plan), profile)

    async def live(self, objects: tuple[Json, ...]) -> dict[ObjectRef, Json]:
        """Read back what is there, as a watch would show it."""
        found = {}
        for obj in objects:
            with contextlib.suppress(ObjectNotFound):
                found[ObjectRef.of(obj)] = await self.cluster.get(ObjectRef.of(obj))
        return found

    async def make_secret(self) -> None:
        parts = Credentials("admin", "a", "b", "c", "d")
        await self.cluster.create(
            Renderer().credentials(self.store_id, self.uid, spec("small"), parts)
        )

    async def end(self) -> None:
        """Delete the namespace and wait for its end."""
        async with asyncio.timeout(PATIENCE):
            while not (await self.applier.delete_namespace(self.store_id, self.uid)).gone:
                await asyncio.sleep(0.05)


@pytest.fixture
async def world(ground: Ground, tmp_path: Path) -> AsyncIterator[World]:
    """A store on the ground; as administrator, since the samples hold more than the service may."""
    async with contextlib.AsyncExitStack() as stack:
        kubeconfig = ground.kubeconfig
        if kubeconfig is None:
            options = SandboxOptions(tmp_path / "sandbox", speed=0)
            kubeconfig = (await stack.enter_async_context(Sandbox(options))).kubeconfig
        cluster = await stack.enter_async_context(connect(ClusterTarget("kubeconfig", kubeconfig)))
        metrics = Metrics()
        made = World(
            cluster,
            Applier(cluster, metrics),
            metrics,
            store_id=f"t-{uuid.uuid4().hex[:10]}",
            uid=str(uuid.uuid4()),
        )
        yield made
        with contextlib.suppress(ObjectNotFound):
            await cluster.delete(made.namespace, uid=None)
