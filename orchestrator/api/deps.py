"""What the API needs of the composition root, and what the app holds once it is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from orchestrator.api.dashboard import Dashboard
from orchestrator.model.store import Store
from orchestrator.model.urls import store_url
from orchestrator.service import Service
from orchestrator.settings import Settings
from orchestrator.telemetry import Metrics


@dataclass(frozen=True)
class Check:
    """One check of readiness, with a sentence about it."""

    ok: bool
    message: str


@dataclass(frozen=True)
class AppDeps:
    """What `create_app` needs.

    ``readiness`` must not raise and answer in about two seconds; its keys are database, cluster
    and watch. ``sandbox``: the cluster is a simulation, and pages have to say so. ``dashboard``
    None: it was not built.
    """

    service: Service
    settings: Settings
    metrics: Metrics
    readiness: Callable[[], Awaitable[Mapping[str, Check]]]
    sandbox: bool
    dashboard: Dashboard | None = None

    def url_of(self, store: Store) -> str:
        """Return the address of a store's shop."""
        return store_url(
            store.id,
            store.spec,
            base_domain=self.settings.base_domain,
            port=self.settings.base_port,
            tls=self.settings.tls_issuer is not None,
        )
