"""The simulated cluster behind the API: controllers, scheduler, kubelet and ingress controller.

They know the cluster only through the registry, like any client, and act on what is stored: state
outlives restarts, and whoever deletes a pod sees its owner make another. No container runs.
"""

from __future__ import annotations

from orchestrator.sandbox.controllers.access import Access
from orchestrator.sandbox.controllers.bootstrap import bootstrap
from orchestrator.sandbox.controllers.budgets import Budgets, Quotas
from orchestrator.sandbox.controllers.claims import Claims, Volumes
from orchestrator.sandbox.controllers.cronjobs import CronJobs
from orchestrator.sandbox.controllers.deployments import Deployments
from orchestrator.sandbox.controllers.endpoints import EndpointSlices, Ingresses
from orchestrator.sandbox.controllers.engine import Engine
from orchestrator.sandbox.controllers.jobs import Jobs
from orchestrator.sandbox.controllers.pace import Pace
from orchestrator.sandbox.controllers.pods import Pods
from orchestrator.sandbox.controllers.recorder import EventExpiry, Recorder
from orchestrator.sandbox.controllers.replicasets import ReplicaSets
from orchestrator.sandbox.controllers.statefulsets import StatefulSets
from orchestrator.sandbox.registry import Registry

__all__ = ["run_controllers"]


async def run_controllers(registry: Registry, *, speed: float) -> None:
    """Run every controller until cancelled. ``speed``: factor on start-up times, 0 is at once."""
    access = Access(registry)
    pace = Pace(speed)
    recorder = Recorder(access)
    bootstrap(access)
    engine = Engine(
        registry,
        (
            Deployments(access, recorder),
            ReplicaSets(access, recorder),
            StatefulSets(access, recorder),
            Jobs(access, recorder),
            CronJobs(access, recorder),
            Pods(access, pace, recorder),
            Claims(access, pace, recorder),
            Volumes(access),
            EndpointSlices(access),
            Ingresses(access),
            Quotas(access),
            Budgets(access),
            EventExpiry(access),
        ),
    )
    await engine.run()
